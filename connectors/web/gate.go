package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// The bounds of waiting for a service that asks to slow down: what takes longer
// is told to the person instead.
const (
	longestWait = 5 * time.Second
	tries       = 3
	atOnce      = 4
)

// A gate lets few requests through at once, and waits when the service says so.
type gate struct {
	places chan struct{}
	sleep  func(ctx context.Context, d time.Duration) error
	now    func() time.Time
}

func newGate(l limits, now func() time.Time) *gate {
	n := l.Concurrency
	if n <= 0 {
		n = atOnce
	}
	return &gate{places: make(chan struct{}, n), sleep: httpx.Sleep, now: now}
}

// do sends, and again after a short wait that the service asked for.
func (g *gate) do(ctx context.Context, l limits, send func() (*httpx.Response, error)) (*httpx.Response, error) {
	select {
	case g.places <- struct{}{}:
	case <-ctx.Done():
		return nil, connectors.Classify(context.Cause(ctx))
	}
	defer func() { <-g.places }()
	for try := 1; ; try++ {
		res, err := send()
		if err != nil || !l.slow(res) {
			return res, err
		}
		wait, told := l.wait(res, g.now())
		if !told || wait > longestWait || try == tries {
			return nil, l.throttled(res, wait, told)
		}
		if err := g.sleep(ctx, wait); err != nil {
			return nil, connectors.Classify(err)
		}
	}
}

// slow reports whether an answer means "too fast".
func (l limits) slow(res *httpx.Response) bool {
	if res.Status == http.StatusTooManyRequests || slices.Contains(l.Status, res.Status) {
		return true
	}
	return res.Status == http.StatusForbidden && l.Remaining != "" && res.Header.Get(l.Remaining) == "0"
}

// wait is how long the service asks to wait: Retry-After in seconds or as a
// date (RFC 9110 section 10.2.3), else the header that tells when the limit is
// set back: an epoch, or seconds.
func (l limits) wait(res *httpx.Response, now time.Time) (time.Duration, bool) {
	for _, name := range []string{orElse(l.RetryAfter, "Retry-After"), l.Reset} {
		v := ""
		if name != "" {
			v = res.Header.Get(name)
		}
		if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 {
			if n > 1_000_000_000 {
				return max(0, time.Unix(int64(n), 0).Sub(now)), true
			}
			return time.Duration(n * float64(time.Second)), true
		}
		if at, err := http.ParseTime(v); err == nil {
			return max(0, at.Sub(now)), true
		}
	}
	if l.Seconds > 0 {
		return time.Duration(l.Seconds) * time.Second, true
	}
	return 0, false
}

func (l limits) throttled(res *httpx.Response, wait time.Duration, told bool) error {
	e := &connectors.Error{Code: connectors.Throttled, Target: res.URL.Host}
	if told && wait > 0 {
		e.Reason, e.Said = "web.slow", lasting(wait)
	}
	return e
}

// lasting is a wait in words, rounded up.
func lasting(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d < unit.of && unit.of > time.Second {
			continue
		}
		n := int((d + unit.of - 1) / unit.of)
		if n == 1 {
			return "1 " + unit.name
		}
		return strconv.Itoa(n) + " " + unit.name + "s"
	}
	return ""
}
