package oidc

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"jackfield/connectors"
)

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	input      = regexp.MustCompile(`<input[^>]*>`)
	inputName  = regexp.MustCompile(`name="([^"]+)"`)
	inputValue = regexp.MustCompile(`value="([^"]*)"`)
	abortLink  = regexp.MustCompile(`href="([^"]*/abort)"`)
)

// Person signs in at the provider's pages as a browser on this computer would,
// or presses what aborts.
func Person(refuse bool) connectors.Asker {
	return connectors.Asker{OpenURL: func(ctx context.Context, link string) error {
		go func() { _, _ = Visit(context.WithoutCancel(ctx), link, refuse, false) }()
		return nil
	}}
}

// Visit follows link with cookies, forms and redirects until there is nothing
// more to do, and returns the address at which that was. elsewhere stands for a
// browser on another machine: the way back to this one does not work there.
func Visit(ctx context.Context, link string, refuse, elsewhere bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if elsewhere && req.URL.Host != via[0].URL.Host {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	for range 8 {
		if err != nil {
			return "", err
		}
		res, body, err := load(client, req)
		if err != nil {
			return "", err
		}
		if to := res.Header.Get("Location"); to != "" {
			return to, nil
		}
		if req, err = next(ctx, res, body, refuse); err != nil || req == nil {
			return res.Request.URL.String(), err
		}
	}
	return "", errors.New("the provider asks for ever")
}

func load(client *http.Client, req *http.Request) (*http.Response, string, error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// next is what a person does on a page; nil where there is nothing to do.
func next(ctx context.Context, res *http.Response, body string, refuse bool) (*http.Request, error) {
	if m := abortLink.FindStringSubmatch(body); refuse && m != nil {
		return http.NewRequestWithContext(ctx, http.MethodGet, resolve(res, m[1]), nil)
	}
	m := formAction.FindStringSubmatch(body)
	if m == nil {
		return nil, nil
	}
	form := url.Values{"login": {"mira"}, "password": {"practice-only"}}
	for _, tag := range input.FindAllString(body, -1) {
		name, value := inputName.FindStringSubmatch(tag), inputValue.FindStringSubmatch(tag)
		if name != nil && value != nil && value[1] != "" {
			form.Set(name[1], html.UnescapeString(value[1]))
		}
	}
	switch {
	case refuse && form.Has("confirm"):
		form.Set("abort", "yes")
	case refuse && form.Has("xsrf") && !form.Has("user_code"):
		return nil, nil // aborted: it asks for another code
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, resolve(res, m[1]), strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}

func resolve(res *http.Response, ref string) string {
	u, err := res.Request.URL.Parse(html.UnescapeString(ref))
	if err != nil {
		return ref
	}
	return u.String()
}
