package connectors_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"jackfield/connectors"
)

func TestClimbTellsAndNames(t *testing.T) {
	var steps []connectors.Step
	env := &connectors.Env{Step: func(s connectors.Step) { steps = append(steps, s) }}
	err := env.Climb(t.Context(), connectors.StageSignIn, "as reader", func(context.Context) (string, error) {
		return "", &connectors.Error{Code: connectors.AuthFailed, Field: "password"}
	})
	var e *connectors.Error
	if !errors.As(err, &e) || e.Op != connectors.StageSignIn || e.Field != "password" {
		t.Errorf("%+v", err)
	}
	if len(steps) != 2 || steps[0].Done || !steps[1].Done || steps[1].Err == nil || steps[1].Text != "as reader" {
		t.Errorf("steps %+v", steps)
	}
	if err := env.Climb(t.Context(), connectors.StageData, "", func(context.Context) (string, error) { return "3 items", nil }); err != nil {
		t.Errorf("a rung that held is a failure: %v", err)
	}
}

// The end of the context wins over the socket error that it causes.
func TestClimbSaysCancelledOrTimedOut(t *testing.T) {
	broken := errors.New("use of closed network connection")
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancelLate()
	<-late.Done()
	caused, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(context.DeadlineExceeded)
	for _, c := range []struct {
		name string
		ctx  context.Context
		want connectors.Code
	}{{"stopped", stopped, connectors.Cancelled}, {"late", late, connectors.TimedOut}, {"patience", caused, connectors.TimedOut}} {
		var env *connectors.Env
		err := env.Climb(c.ctx, connectors.StageSecure, "", func(context.Context) (string, error) { return "", broken })
		if got := connectors.CodeOf(err); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
