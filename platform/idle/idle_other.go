//go:build !linux && !windows && !darwin

package idle

import (
	"context"
	"errors"
	"time"
)

func idle(context.Context) (time.Duration, error) { return 0, errors.ErrUnsupported }
