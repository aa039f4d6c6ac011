package practice

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const pageStyle = `*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;background:#eef1f4;color:#1b1f24;margin:0;min-height:100vh;display:grid;place-items:center;padding:24px}main{background:#fff;border:1px solid #dfe4ea;border-radius:14px;padding:36px 40px;width:100%;max-width:27em}.brand{font-weight:600;font-size:14px;color:#2f6f62;margin:0 0 20px}h1{font-size:22px;line-height:1.3;margin:0 0 6px}p{margin:0 0 16px;color:#545c66}label{display:block;font-size:14px;font-weight:600;margin:0 0 14px}input{display:block;width:100%;margin-top:4px;font:inherit;font-weight:400;padding:9px 11px;border:1px solid #aab3bd;border-radius:8px;background:#fff;color:inherit}ul{margin:0 0 22px;padding:12px 12px 12px 30px;border-radius:8px;background:#f4f6f8;font-size:14px;color:#3c444d}.row{display:flex;gap:12px;flex-direction:row-reverse}button{flex:1;font:inherit;font-weight:600;padding:10px;border-radius:8px;border:1px solid #2f6f62;background:#2f6f62;color:#fff;cursor:pointer}button.no{background:#fff;color:#1b1f24;border-color:#aab3bd}input:focus-visible,button:focus-visible{outline:3px solid #7fb8ac;outline-offset:1px}.bad{color:#a4262c;font-weight:600;font-size:14px}.foot{font-size:13px;margin:20px 0 0}@media(prefers-color-scheme:dark){body{background:#16181b;color:#e6e8eb}main{background:#1f2226;border-color:#2c3036}p{color:#a9b0ba}input{background:#16181b;border-color:#565e68}ul{background:#282c31;color:#c6ccd4}.brand{color:#7fc9b9}button.no{background:#1f2226;color:#e6e8eb;border-color:#565e68}.bad{color:#ff9a9e}}`

// html is written by hand: html/template looks methods up by name, which makes
// the linker keep every exported method of the whole program.
func (p signInPage) html() string {
	var b strings.Builder
	title := html.EscapeString(p.Title)
	b.WriteString(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>` + title + ` – ` + html.EscapeString(company) + `</title><style>` + pageStyle + `</style></head>
<body><main><p class="brand">` + html.EscapeString(company) + ` · practice</p><h1>` + title + `</h1>
`)
	if p.Request == "" {
		b.WriteString(`<p>` + html.EscapeString(p.Text) + `</p>`)
	} else {
		p.form(&b)
	}
	b.WriteString("</main></body></html>\n")
	return b.String()
}

func (p signInPage) form(b *strings.Builder) {
	b.WriteString("<p>Jackfield asks for access to the practice account.</p>\n")
	if p.Wrong != "" {
		b.WriteString(`<p class="bad" role="alert">` + html.EscapeString(p.Wrong) + "</p>\n")
	}
	b.WriteString(`<form method="post" action="/sign-in"><input type="hidden" name="request" value="` + html.EscapeString(p.Request) + `">
<label>User<input name="user" value="` + html.EscapeString(p.User) + `" autocomplete="off" required></label>
<label>Password<input name="password" type="password" value="` + html.EscapeString(p.Password) + `" autocomplete="off" required></label>
<p>Approving lets it:</p><ul>`)
	for _, s := range p.Scopes {
		b.WriteString("<li>" + html.EscapeString(s) + "</li>")
	}
	b.WriteString(`</ul>
<div class="row"><button name="decision" value="approve">Approve</button><button class="no" name="decision" value="deny" formnovalidate>Deny</button></div></form>
<p class="foot">User and password are filled in already. This page runs on your own computer and opens invented data only.</p>
`)
}

type signInPage struct {
	Title, Text, Wrong, Request, User, Password string
	Scopes                                      []string
}

func scopeWords(scope string) string {
	switch scope {
	case "openid":
		return "Know who you are"
	case "profile":
		return "See your name"
	case "email":
		return "See your mail address"
	case scopeStay:
		return "Stay signed in"
	case scopeAPI:
		return "Read people, customers and orders"
	}
	return scope
}

// show is the sign-in page. It needs no script, and its policy allows none.
func (p *provider) show(w http.ResponseWriter, status int, q *ask, wrong string) {
	v := signInPage{Title: "Sign in", Wrong: wrong, Request: q.id, User: demoUser, Password: demoPassword}
	for _, s := range q.scopes {
		v.Scopes = append(v.Scopes, scopeWords(s))
	}
	p.render(w, status, v)
}

func (p *provider) explain(w http.ResponseWriter, status int, text string) {
	p.render(w, status, signInPage{Title: "This cannot go on", Text: text})
}

func (p *provider) welcome(w http.ResponseWriter, _ *http.Request) {
	p.render(w, http.StatusOK, signInPage{Title: "The practice sign-in", Text: "This server is part of Jackfield and stops with it. Link the practice connection to see its sign-in page."})
}

func (*provider) render(w http.ResponseWriter, status int, v signInPage) {
	sum := sha256.Sum256([]byte(pageStyle))
	h := w.Header()
	// No form-action: browsers apply it to the redirect back to the program too.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, v.html())
}

var (
	errNotPractice = errors.New("practice sign-in: this is not the practice sign-in page")
	requestField   = regexp.MustCompile(`name="request" value="([A-Za-z0-9]+)"`)
)

// SignIn signs in as the practice user without a browser: it loads the sign-in
// page at address, approves, and follows the way back to the program. It serves
// where a connection would open the browser, and only for the practice provider:
// any address but this computer's is refused. An error never holds the address,
// because the way back carries a code.
func SignIn(ctx context.Context, address string) error {
	u, ok := loopbackURI(address)
	if !ok {
		return errNotPractice
	}
	transport := &http.Transport{} // no proxy: the way leads nowhere else
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if _, ok := loopbackURI(r.URL.String()); !ok || len(via) > 5 {
			return errNotPractice
		}
		return nil
	}}
	page, host, err := fetch(ctx, client, http.MethodGet, address, "")
	if err != nil {
		return err
	}
	if host != u.Host {
		return nil // the provider refused, and has told the program so
	}
	m := requestField.FindSubmatch(page)
	if m == nil {
		return errNotPractice
	}
	form := url.Values{"request": {string(m[1])}, "user": {demoUser}, "password": {demoPassword}, "decision": {"approve"}}
	_, _, err = fetch(ctx, client, http.MethodPost, "http://"+u.Host+"/sign-in", form.Encode())
	return err
}

// fetch returns a page and the host that it came from in the end.
func fetch(ctx context.Context, client *http.Client, method, address, form string) (page []byte, host string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return nil, "", errNotPractice
	}
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(r)
	if err != nil {
		var with *url.Error
		if errors.As(err, &with) {
			err = with.Err
		}
		return nil, "", fmt.Errorf("practice sign-in: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	page, err = io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, "", fmt.Errorf("practice sign-in: %w", err)
	}
	if res.StatusCode >= 400 {
		return nil, "", fmt.Errorf("practice sign-in: the page answered %s", res.Status)
	}
	return page, res.Request.URL.Host, nil
}
