// Package idle tells for how long nobody has used this computer.
package idle

import (
	"context"
	"time"
)

// patience bounds the question: the answer decides nothing that cannot wait.
const patience = time.Second

// For is the time since the last key or move of the mouse in this person's
// session, in any program; an error where this system does not tell.
func For(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return idle(ctx)
}
