package connectors

import (
	"context"
	"errors"
	"time"
)

// A Stage is a rung of the ladder that opening and checking climb.
type Stage string

// The rungs, from the bottom.
const (
	StageForm    Stage = "form"
	StageReach   Stage = "reach" // a proxy or jump host on the way; absent where there is none
	StageResolve Stage = "resolve"
	StageConnect Stage = "connect"
	StageSecure  Stage = "secure"
	StageSignIn  Stage = "signin"
	StageRights  Stage = "rights"
	StageData    Stage = "data"
)

// Stages lists the rungs from the bottom.
func Stages() []Stage {
	return []Stage{StageForm, StageReach, StageResolve, StageConnect, StageSecure, StageSignIn, StageRights, StageData}
}

// A Step tells that a rung began (Done false) or ended (Done true).
type Step struct {
	Stage   Stage
	Done    bool
	Text    string // while it runs: "files.example.com:22"; after it: what was found
	Err     error  // why it failed; nil when it did not
	Elapsed time.Duration
}

// Climb runs one rung: it tells Env.Step before and after, and returns an
// *Error that names the rung. do returns what to show once it is done.
//
// When ctx ends before do returns an error of its own, the ctx's error wins:
// a cancelled rung must not read as "connection reset".
func (e *Env) Climb(ctx context.Context, stage Stage, text string, do func(ctx context.Context) (string, error)) error {
	start := time.Now()
	e.step(Step{Stage: stage, Text: text})
	said, err := do(ctx)
	if err != nil {
		err = at(stage, ended(ctx, err))
	}
	if said == "" {
		said = text
	}
	e.step(Step{Stage: stage, Done: true, Text: said, Err: err, Elapsed: time.Since(start)})
	return err
}

// ended classifies err, letting the end of ctx win over what it caused.
func ended(ctx context.Context, err error) *Error {
	found := Classify(err)
	if ctx.Err() == nil {
		return found
	}
	code := Cancelled
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		code = TimedOut
	}
	return &Error{Code: code, Target: found.Target, Field: found.Field, Err: err}
}

func (e *Env) step(s Step) {
	if e != nil && e.Step != nil {
		e.Step(s)
	}
}

// at names the rung on a classified error that has none yet; nil stays nil.
func at(stage Stage, err *Error) error {
	if err == nil {
		return nil
	}
	if err.Op == "" {
		named := *err
		named.Op = stage
		return &named
	}
	return err
}
