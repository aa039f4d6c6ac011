package intake

import (
	"jackfield/connectors"
	"jackfield/connectors/all"
)

func offered() []connectors.Type { return all.All() }
