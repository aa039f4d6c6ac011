package answers

import "jackfield/connectors/internal/pemx"

// TidyPEM repairs what pasting does to PEM, OpenSSH and PuTTY text: a byte order
// mark, quotes around it, literal \n, CR LF, indentation, the > of a mail's reply, spaces where line
// ends were, and the rest of what package pemx knows. Nothing else changes.
func TidyPEM(v string) string {
	out, _ := pemx.Right(v)
	return out
}
