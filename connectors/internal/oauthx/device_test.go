package oauthx_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/oauthx"
)

// wire plays a provider's two device endpoints without a network, so that the
// waiting can be measured on a clock that jumps.
type wire struct {
	device map[string]any
	polls  []any // a map answers; an error is a lost connection
	began  time.Time
	at     []time.Duration
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	body := any(w.device)
	if strings.HasSuffix(req.URL.Path, "/token") {
		w.at = append(w.at, time.Since(w.began))
		body = w.polls[min(len(w.at), len(w.polls))-1]
	}
	if err, lost := body.(error); lost {
		return nil, err
	}
	status := http.StatusOK
	if m, ok := body.(map[string]any); ok && m["error"] != nil {
		status = http.StatusBadRequest
	}
	data, err := json.Marshal(body)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(data))), Request: req}, err
}

func refuses(code string) map[string]any { return map[string]any{"error": code} }

func tokens() map[string]any {
	return map[string]any{"access_token": "practice-access", "token_type": "Bearer"}
}

func deviceAnswer(more map[string]any) map[string]any {
	out := map[string]any{"device_code": "practice-device", "user_code": "WDJB-MJHT", "verification_uri": "https://login.example.com/device", "expires_in": 900}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func (w *wire) config() oauthx.Config {
	return oauthx.Config{Grant: oauthx.GrantDevice, DeviceURL: "https://login.example.com/device_authorization", TokenURL: "https://login.example.com/token", ClientID: "television", ClientAuth: oauthx.ClientNone, Scopes: []string{"a"}}
}

// start runs the flow; show is the dialog, which is closed when it returns an error.
func (w *wire) start(ctx context.Context, show func(context.Context, connectors.DeviceCode) error) error {
	w.began = time.Now()
	env := &connectors.Env{Ask: connectors.Asker{ShowCode: show}}
	_, err := oauthx.Start(ctx, env, &http.Client{Transport: w}, w.config(), connectors.Secret{})
	return err
}

func untilDone(ctx context.Context, _ connectors.DeviceCode) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestSecurity12_TheDeviceFlowAsksAsOftenAsItMay(t *testing.T) {
	lost := errors.New("connection lost")
	busy := map[string]any{"error": "temporarily_unavailable"}
	for _, c := range []struct {
		name   string
		device map[string]any
		polls  []any
		at     []int // seconds
		reason string
	}{
		{"no interval", nil, []any{tokens()}, []int{5}, ""},
		{"a negative one", map[string]any{"interval": -1}, []any{tokens()}, []int{1}, ""},
		{"none at all", map[string]any{"interval": 0}, []any{refuses("authorization_pending"), tokens()}, []int{1, 2}, ""},
		{"a huge one", map[string]any{"interval": 1e300}, []any{tokens()}, []int{60}, ""},
		{"words", map[string]any{"interval": "soon"}, []any{tokens()}, []int{5}, ""},
		{"as text", map[string]any{"interval": "7"}, []any{tokens()}, []int{7}, ""},
		{"pending", nil, []any{refuses("authorization_pending"), refuses("authorization_pending"), tokens()}, []int{5, 10, 15}, ""},
		{"slow down", nil, []any{refuses("slow_down"), refuses("authorization_pending"), refuses("slow_down"), tokens()}, []int{5, 15, 25, 40}, ""},
		{"slow down has a limit", map[string]any{"interval": 58}, []any{refuses("slow_down"), refuses("slow_down"), tokens()}, []int{58, 118, 178}, ""},
		{"lost connections", nil, []any{lost, lost, io.EOF, refuses("authorization_pending"), tokens()}, []int{5, 15, 35, 75, 80}, ""},
		{"a bad moment", nil, []any{busy, tokens()}, []int{5, 15}, ""},
		{"denied", nil, []any{refuses("access_denied")}, []int{5}, "oauth.denied"},
		{"expired", nil, []any{refuses("expired_token")}, []int{5}, "oauth.device.expired"},
		{"not this client", nil, []any{refuses("invalid_client")}, []int{5}, "oauth.client"},
		{"nobody in time", map[string]any{"expires_in": 12}, []any{refuses("authorization_pending")}, []int{5, 10}, "oauth.device.expired"},
		{"no network at all", map[string]any{"expires_in": 60}, []any{lost}, []int{5, 15, 35}, "oauth.device.expired"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{device: deviceAnswer(c.device), polls: c.polls}
			hidden := false
			err := w.start(t.Context(), func(ctx context.Context, d connectors.DeviceCode) error {
				<-ctx.Done()
				hidden = true
				return nil
			})
			e := connectors.Classify(err)
			if c.reason == "" && err != nil || c.reason != "" && (e == nil || e.Reason != c.reason) {
				t.Errorf("%s: %v", c.name, err)
			}
			if !hidden {
				t.Errorf("%s: the code is still shown", c.name)
			}
			var at []int
			for _, d := range w.at {
				at = append(at, int(d.Seconds()))
			}
			if !slices.Equal(at, c.at) {
				t.Errorf("%s: asked at %v, want %v", c.name, at, c.at)
			}
		})
	}
}

func TestSecurity12_TheDeviceFlowEndsAtOnceWhenThePersonWants(t *testing.T) {
	gaveUp := errors.New("the dialog was closed")
	for name, c := range map[string]struct {
		show func(cancel func()) func(context.Context, connectors.DeviceCode) error
		is   error
		code connectors.Code
	}{
		"cancelled": {func(cancel func()) func(context.Context, connectors.DeviceCode) error {
			return func(ctx context.Context, d connectors.DeviceCode) error { cancel(); return untilDone(ctx, d) }
		}, context.Canceled, connectors.Cancelled},
		"dialog closed": {func(func()) func(context.Context, connectors.DeviceCode) error {
			return func(context.Context, connectors.DeviceCode) error {
				return &connectors.Error{Code: connectors.Cancelled, Err: gaveUp}
			}
		}, gaveUp, connectors.Cancelled},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{device: deviceAnswer(nil), polls: []any{refuses("authorization_pending")}}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			err := w.start(ctx, c.show(cancel))
			if connectors.CodeOf(err) != c.code || !errors.Is(err, c.is) {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(w.began); took != 0 || len(w.at) != 0 {
				t.Errorf("%s: it went on for %v", name, took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := &wire{device: deviceAnswer(nil), polls: []any{tokens()}}
		if err := w.start(t.Context(), func(context.Context, connectors.DeviceCode) error { return nil }); err != nil {
			t.Errorf("a code that is only printed: %v", err)
		}
		if err := w.start(t.Context(), nil); connectors.CodeOf(err) != connectors.SignInAgain {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestSecurity13_OnlyASafeAddressAndAPlainCodeAreShown(t *testing.T) {
	usual := "https://login.example.com/device"
	for _, c := range []struct {
		name  string
		more  map[string]any
		shown connectors.DeviceCode // empty for refused
	}{
		{"usual", nil, connectors.DeviceCode{URL: usual, Code: "WDJB-MJHT"}},
		{"with the code in it", map[string]any{"verification_uri_complete": usual + "?user_code=WDJB-MJHT"}, connectors.DeviceCode{URL: usual + "?user_code=WDJB-MJHT", Code: "WDJB-MJHT"}},
		{"the other one leads elsewhere", map[string]any{"verification_uri_complete": "https://evil.example/device?user_code=WDJB-MJHT"}, connectors.DeviceCode{URL: usual, Code: "WDJB-MJHT"}},
		{"or to another port", map[string]any{"verification_uri_complete": "https://login.example.com:444/device"}, connectors.DeviceCode{URL: usual, Code: "WDJB-MJHT"}},
		{"or is a script", map[string]any{"verification_uri_complete": "javascript:alert(1)"}, connectors.DeviceCode{URL: usual, Code: "WDJB-MJHT"}},
		{"Google's name", map[string]any{"verification_uri": nil, "verification_url": usual}, connectors.DeviceCode{URL: usual, Code: "WDJB-MJHT"}},
		{"loopback", map[string]any{"verification_uri": "http://127.0.0.1:8080/device"}, connectors.DeviceCode{URL: "http://127.0.0.1:8080/device", Code: "WDJB-MJHT"}},
		{"bidi code", map[string]any{"user_code": "\u202eTHJM-\u2066BJDW\u2069\u200b"}, connectors.DeviceCode{URL: usual, Code: "THJM-BJDW"}},
		{"controls", map[string]any{"user_code": "\x1b[2JAB\nCD\x00\x7f"}, connectors.DeviceCode{URL: usual, Code: "[2JABCD"}},
		{"stacked marks", map[string]any{"user_code": "A\u0301\u0301\u0301B"}, connectors.DeviceCode{URL: usual, Code: "AB"}},
		{"nothing left", map[string]any{"user_code": "\u202e\u200b"}, connectors.DeviceCode{}},
		{"too long", map[string]any{"user_code": strings.Repeat("A", 65)}, connectors.DeviceCode{}},
		{"no device code", map[string]any{"device_code": ""}, connectors.DeviceCode{}},
		{"script", map[string]any{"verification_uri": "javascript:alert(1)"}, connectors.DeviceCode{}},
		{"file", map[string]any{"verification_uri": "file:///etc/passwd"}, connectors.DeviceCode{}},
		{"plain http", map[string]any{"verification_uri": "http://login.example.com/device"}, connectors.DeviceCode{}},
		{"a user in it", map[string]any{"verification_uri": "https://login.example.com@evil.example/device"}, connectors.DeviceCode{}},
		{"a turned address", map[string]any{"verification_uri": "https://login.example.com/\u202eecived"}, connectors.DeviceCode{}},
		{"a line break", map[string]any{"verification_uri": "https://login.example.com/\nx"}, connectors.DeviceCode{}},
		{"none", map[string]any{"verification_uri": ""}, connectors.DeviceCode{}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &wire{device: deviceAnswer(c.more), polls: []any{tokens()}}
			var shown connectors.DeviceCode
			err := w.start(t.Context(), func(ctx context.Context, d connectors.DeviceCode) error {
				shown = d
				return untilDone(ctx, d)
			})
			if shown.URL != c.shown.URL || shown.Code != c.shown.Code {
				t.Errorf("%s: shown %+v", c.name, shown)
			}
			if refused := c.shown.URL == ""; refused != (err != nil) {
				t.Errorf("%s: %v", c.name, err)
			}
			if c.shown.URL != "" && !shown.Expires.Equal(w.began.Add(15*time.Minute)) {
				t.Errorf("%s: expires %v", c.name, shown.Expires)
			}
			if c.shown.URL == "" && len(w.at) != 0 {
				t.Errorf("%s: it asked for a token nevertheless", c.name)
			}
		})
	}
}
