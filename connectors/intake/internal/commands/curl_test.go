package commands

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// What is read out of a command is what curl sends for it.
func TestCurlAgreement(t *testing.T) {
	type asked struct {
		r    *http.Request
		body string
	}
	requests := make(chan asked, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		requests <- asked{r, string(data)}
	}))
	defer srv.Close()
	for _, line := range curlLines {
		line = strings.ReplaceAll(line, "URL", srv.URL)
		ctx := t.Context()
		cmd := exec.CommandContext(ctx, "bash", "-c", line+" -s -o /dev/null --noproxy '*'")
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		var last asked
		for len(requests) > 0 { // of a sign-in in two steps the second counts
			last = <-requests
		}
		got, body := last.r, last.body
		if err != nil || got == nil {
			t.Errorf("%s: curl says %v %s", line, err, out)
			continue
		}
		cs := bash(line)
		if len(cs) != 1 {
			t.Errorf("%s: %d calls", line, len(cs))
			continue
		}
		rs := curl(cs[0])
		if len(rs) != 1 {
			t.Errorf("%s: %d requests", line, len(rs))
			continue
		}
		compare(t, line, srv.URL, rs[0], got, body)
	}
	if len(curlLines) < 40 {
		t.Errorf("%d lines", len(curlLines))
	}
}

func compare(t *testing.T, line, base string, r request, got *http.Request, body string) {
	t.Helper()
	uri := strings.TrimPrefix(r.url[strings.Index(r.url, "127.0.0.1"):], strings.TrimPrefix(base, "http://"))
	uri, _, _ = strings.Cut(uri, "#")
	if !strings.HasPrefix(uri, "/") {
		uri = "/" + uri
	}
	if r.method != got.Method || !strings.EqualFold(uri, got.RequestURI) || r.body != body {
		t.Errorf("%s\n got %s %s %q\ncurl %s %s %q", line, r.method, uri, r.body, got.Method, got.RequestURI, body)
	}
	for _, h := range r.headers {
		if v := strings.Join(got.Header.Values(h[0]), "|"); !strings.Contains(v, r.header(h[0])) || h[1] == "" && v != "" {
			t.Errorf("%s\n%s: %q, curl %q", line, h[0], h[1], v)
		}
	}
	r.settled()
	user, password, ok := got.BasicAuth()
	if r.signs != ok || r.user != user || r.password != password {
		t.Errorf("%s\nthe user differs", line)
	}
	bearer := strings.TrimPrefix(got.Header.Get("Authorization"), "Bearer ")
	if !ok && r.header("Authorization") == "" && bearer != r.bearer {
		t.Errorf("%s\nthe token differs", line)
	}
}

var curlLines = []string{
	`curl URL`, `curl URL/a/b`, `curl 'URL/a?x=1&y=2'`, `curl -X DELETE URL/a`, `curl -XPUT URL/a -d x=1`, `curl -I URL/a`, `curl --head URL/a`,
	`curl -d a=1 URL`, `curl -d a=1 -d b=2 URL`, `curl --data-raw '@x' URL`, `curl --data '{"a": "b c"}' -H 'Content-Type: application/json' URL`,
	`curl --json '{"a":1}' URL`, `curl --data-urlencode 'q=a b&c' URL`, `curl --data-urlencode '=a b' URL`, `curl --data-urlencode 'a b' URL`,
	`curl -G -d a=1 -d b=2 URL/x`, `curl -G --data-urlencode 'q=ä ö' 'URL/x?y=1'`, `curl -Gd a=1 URL/x`, `curl --url-query 'q=a b' URL/x`, `curl --url-query '+q=a' URL/x`,
	`curl -u mira:practice URL`, `curl -umira:pr:actice URL`, `curl --user 'mira:' URL`, `curl --basic -u 'a@b:c d' URL`, `curl -H 'Authorization: Basic bWlyYTpwcmFjdGljZQ==' URL`,
	`curl --oauth2-bearer practice URL`, `curl -H 'Authorization: Bearer practice' URL`, `curl -H 'authorization: Bearer practice' -H X-A:1 URL`,
	`curl -H 'Accept:' -H 'X-Empty;' URL`, `curl -A agent -e http://ref/ URL`, `curl -b 'a=1; b=2' URL`, `curl -sSLk --compressed URL/x#frag`,
	`curl --url URL/q -m 5`, `curl -H"X-Key: practice" URL`, `curl -H $'X-A: \u00e4\'b' URL`, `curl --data-binary $'a\nb' URL`, `curl -d '' URL`, `curl --request POST URL`,
	"curl 'URL/api/x' \\\n  -H 'accept: application/json' \\\n  -H 'accept-language: en-US,en;q=0.9' \\\n  -b 'sid=practice' \\\n  -H 'sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"' \\\n  -H 'user-agent: Mozilla/5.0' \\\n  --data-raw '{\"a\":\"it'\\''s\"}'",
	"curl 'URL/api/x' -X POST -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:132.0)' -H 'Accept: */*' -H 'Accept-Encoding: gzip, deflate' -H 'Content-Type: application/json' -H 'Connection: keep-alive' --data-raw '{\"q\":1}'",
	`curl 'URL/x' --data-raw $'{"a":"\u0021\\n"}' -H 'content-type: application/json'`,
}
