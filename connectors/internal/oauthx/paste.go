package oauthx

import (
	"context"
	"crypto/subtle"
	"net/url"
	"strings"
	"sync"

	"jackfield/connectors"
)

const (
	pastes   = 5       // wrong addresses before the sign-in ends
	maxPaste = 8 << 10 // bytes of one
)

// await waits for the browser on this computer and for the address of one on
// another, whichever comes first. back may be nil.
func await(ctx context.Context, env *connectors.Env, back connectors.Callback, redirect, state string) (url.Values, error) {
	type end struct {
		query url.Values
		err   error
	}
	ends := make(chan end, 2)
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	left := 0
	wait := func(way func(context.Context) (url.Values, error)) {
		left++
		running.Go(func() {
			query, err := way(ctx)
			ends <- end{query, err}
		})
	}
	if back != nil {
		wait(back.Wait)
	}
	if env.Ask.Pasted != nil {
		wait(func(ctx context.Context) (url.Values, error) { return paste(ctx, env, redirect, state) })
	}
	for {
		e := <-ends
		left--
		// One way that is closed leaves the other, unless the person has given up.
		code := connectors.CodeOf(e.err)
		if e.err == nil || left == 0 || code == connectors.BadInput || code == connectors.Cancelled {
			return e.query, e.err
		}
	}
}

// paste asks until the address is the right one.
func paste(ctx context.Context, env *connectors.Env, redirect, state string) (url.Values, error) {
	var wrong error
	for range pastes {
		address, err := env.Ask.Pasted(ctx)
		if err != nil {
			return nil, err
		}
		query, why := pasted(address, redirect, state)
		if why == "" {
			return query, nil
		}
		env.Logger().InfoContext(ctx, "the pasted address was not taken", "why", why)
		wrong = &connectors.Error{Code: connectors.BadInput, Reason: "oauth.pasted", Op: connectors.StageSignIn, Target: redirect, Said: why}
	}
	return nil, wrong
}

// pasted takes an address as the listener takes a callback (RFC 8252 section
// 7.3): nothing but the redirect URI itself, with this flow's state, and every
// parameter once. why is empty for the right one.
func pasted(address, redirect, state string) (query url.Values, why string) {
	address = strings.TrimSpace(address)
	if len(address) > maxPaste {
		return nil, "it is too long"
	}
	u, err := url.Parse(address)
	want, wantErr := url.Parse(redirect)
	if err != nil || wantErr != nil || u.Host == "" {
		return nil, "it is no web address"
	}
	if u.Scheme != want.Scheme || u.Host != want.Host || u.EscapedPath() != want.EscapedPath() || u.User != nil || u.Opaque != "" {
		return nil, "it does not begin with " + redirect
	}
	query, err = url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, "it is damaged"
	}
	for key, values := range query {
		if len(values) > 1 || strings.ContainsRune(key+values[0], 0) {
			return nil, "it says something twice, or is damaged"
		}
	}
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) != 1 {
		return nil, "it belongs to another sign-in"
	}
	if (query.Get("code") == "") == (query.Get("error") == "") {
		return nil, "it is not the end of the sign-in"
	}
	return query, ""
}
