package oauthx

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// The bounds of what a device authorization answer may ask for.
const (
	usualInterval = 5 * time.Second // RFC 8628 section 3.2
	minInterval   = time.Second
	maxInterval   = time.Minute
	slower        = 5 * time.Second // section 3.5
	usualCodeLife = 15 * time.Minute
	maxCodeLife   = 30 * time.Minute
	maxUserCode   = 64
	maxAddress    = 2 << 10
)

const (
	errCodeExpired = text("nobody typed the code in time")
	deviceGrant    = "urn:ietf:params:oauth:grant-type:device_code"
)

// A deviceAnswer is what RFC 8628 section 3.2 tells, judged.
type deviceAnswer struct {
	code, user, address string
	interval, life      time.Duration
}

// device shows a code, and asks until the person has typed it elsewhere. The
// code is shown until the flow ends, either way.
func (c Config) device(ctx context.Context, env *connectors.Env, client *http.Client) (Token, error) {
	d, err := c.deviceCode(ctx, client, env.Time())
	if err != nil {
		return Token{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.life, errCodeExpired)
	defer cancel()
	polling, stop := context.WithCancelCause(ctx)
	showing, hide := context.WithCancel(ctx)
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		// Whoever shows it may give up; that it merely returns ends nothing.
		if err := env.Ask.ShowCode(showing, connectors.DeviceCode{URL: d.address, Code: d.user, Expires: env.Time().Add(d.life)}); err != nil && showing.Err() == nil {
			stop(err)
		}
	}()
	t, err := c.poll(polling, env, client, d)
	if err != nil && polling.Err() != nil {
		err = ended(polling)
	}
	hide()
	<-shown
	stop(nil)
	return t, err
}

func ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, errCodeExpired) {
		return &connectors.Error{Code: connectors.TimedOut, Reason: "oauth.device.expired", Op: connectors.StageSignIn, Err: cause}
	}
	return connectors.Classify(cause)
}

func (c Config) deviceCode(ctx context.Context, client *http.Client, now time.Time) (deviceAnswer, error) {
	form := url.Values{}
	if len(c.Scopes) > 0 {
		form.Set("scope", c.scope())
	}
	o, err := c.exchange(ctx, client, c.DeviceURL, with(form, c.AuthParams), now)
	if err != nil {
		return deviceAnswer{}, err
	}
	d := deviceAnswer{code: jsonx.Text(o, "device_code"), user: plainCode(jsonx.Text(o, "user_code")), interval: usualInterval, life: usualCodeLife}
	if d.code == "" || d.user == "" || utf8.RuneCountInString(d.user) > maxUserCode {
		return d, &connectors.Error{Code: connectors.Refused, Reason: "oauth.device.answer", Op: connectors.StageSignIn, Target: host(c.DeviceURL)}
	}
	// verification_url is Google's name of before the RFC.
	place := jsonx.Text(o, "verification_uri|verification_url")
	if d.address = verification(place, jsonx.Text(o, "verification_uri_complete")); d.address == "" {
		return d, &connectors.Error{Code: connectors.Untrusted, Reason: "oauth.device.address", Op: connectors.StageSignIn, Target: host(c.DeviceURL), Said: place}
	}
	if n, ok := number(jsonx.Text(o, "interval")); ok {
		d.interval = seconds(n, minInterval, maxInterval)
	}
	if n, ok := number(jsonx.Text(o, "expires_in")); ok && n > 0 {
		d.life = seconds(n, minInterval, maxCodeLife)
	}
	return d, nil
}

func seconds(n float64, least, most time.Duration) time.Duration {
	return time.Duration(max(least.Seconds(), min(n, most.Seconds())) * float64(time.Second))
}

// plainCode leaves what a person can read and type: no control character, no
// mark that turns the direction of writing, nothing invisible.
func plainCode(code string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || unicode.IsMark(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, code))
}

// verification is the address to show: the one with the code in it only where
// it leads to the same place. "" means that none may be shown.
func verification(place, complete string) string {
	u := address(place)
	if u == nil {
		return ""
	}
	if v := address(complete); v != nil && httpx.Origin(v) == httpx.Origin(u) {
		return complete
	}
	return place
}

func address(place string) *url.URL {
	if place == "" || len(place) > maxAddress || connectors.Clean(place, 0) != place || Secure(place) != nil {
		return nil
	}
	u, err := url.Parse(place)
	if err != nil || u.User != nil {
		return nil
	}
	return u
}

// poll asks for the token until it is granted or refused (RFC 8628 section
// 3.4). A lost connection makes it ask less often and ends nothing: unlike a
// code or a refresh token, a device code may be sent again.
func (c Config) poll(ctx context.Context, env *connectors.Env, client *http.Client, d deviceAnswer) (Token, error) {
	form := with(url.Values{"grant_type": {deviceGrant}, "device_code": {d.code}}, c.TokenParams)
	interval := d.interval
	for wait := interval; ; {
		if err := httpx.Sleep(ctx, wait); err != nil {
			return Token{}, err
		}
		t, err := c.request(ctx, client, c.TokenURL, form, env.Time())
		if err == nil {
			return t, nil
		}
		switch refusalOf(err) {
		case "authorization_pending":
			wait = interval
		case "slow_down":
			interval = min(interval+slower, maxInterval)
			wait = interval
		default:
			if !passing(err) {
				return Token{}, err
			}
			wait = max(min(2*wait, maxInterval), asksToWait(err))
		}
	}
}

// passing reports whether err is the network's or a server's bad moment.
func passing(err error) bool {
	e := connectors.Classify(err)
	switch e.Code {
	case connectors.Unreachable, connectors.TimedOut, connectors.Throttled:
		return e.Reason != "oauth.device.expired"
	case connectors.Refused:
		return e.Reason == "connect.closed" || e.Reason == "http.server" || e.Reason == "http.protocol"
	}
	return false
}
