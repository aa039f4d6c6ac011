package webdav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

const opening = `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:oc="http://owncloud.org/ns">`

func one(href, props string) string {
	return "<D:response><D:href>" + href + "</D:href><D:propstat><D:prop>" + props + "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
}

const folder = "<D:resourcetype><D:collection/></D:resourcetype>"

// serve is a stand-in for servers whose answers cannot be brought about on a real
// one; the answer to PROPFIND is body.
func serve(t *testing.T, body func(w http.ResponseWriter, r *http.Request)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(body))
	t.Cleanup(s.Close)
	return s.URL
}

func multistatus(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusMultiStatus)
	_, _ = io.WriteString(w, body)
}

// list opens and lists what a stand-in answers.
func list(t *testing.T, address string) ([]connectors.Node, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	session, err := openWith(t, answersFor(address))
	if err != nil {
		return nil, err
	}
	var out []connectors.Node
	for n, err := range session.(connectors.Browser).Children(ctx, "") {
		if err != nil {
			return out, err
		}
		out = append(out, n)
	}
	return out, nil
}

func TestStandInNextcloudAnswers(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "PROPFIND" || r.Header.Get("Depth") == "infinity" {
			t.Errorf("%s with depth %s", r.Method, r.Header.Get("Depth"))
		}
		// The paths are those behind a proxy.
		multistatus(w, opening+one("/inner/files/alice/", folder+"<D:quota-used-bytes>2048</D:quota-used-bytes><D:quota-available-bytes>-3</D:quota-available-bytes>")+
			one("/inner/files/alice/Photos/", folder+"<oc:permissions>RGDNVCK</oc:permissions>")+
			one("/inner/files/alice/a%20b.txt", "<D:resourcetype/><D:getcontentlength>5</D:getcontentlength><D:getlastmodified>Sat, 21 Nov 2026 19:36:00 GMT</D:getlastmodified><oc:owner-display-name>Alice</oc:owner-display-name>")+
			one("/inner/files/alice/mine.txt", "<D:current-user-privilege-set><D:privilege><D:write/></D:privilege></D:current-user-privilege-set>")+
			one("/inner/files/alice/yours.txt", "<D:current-user-privilege-set><D:privilege><D:read/></D:privilege></D:current-user-privilege-set>")+
			"<D:response><D:href>/inner/files/alice/closed/</D:href><D:status>HTTP/1.1 403 Forbidden</D:status></D:response>"+
			one("http://elsewhere.invalid/x/evil.txt", "")+one("/inner/files/alice/deep/er.txt", "")+one("/inner/files/alice/%2e%2e", "")+one("", "")+"</D:multistatus>")
	})
	nodes, err := list(t, address+"/remote.php/dav/files/alice/")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range nodes {
		got = append(got, fmt.Sprint(n.ID, " ", n.Kind, " ", n.Access))
	}
	want := "Photos folder readable|a b.txt file |mine.txt file denied|yours.txt file readable|closed file denied"
	if strings.Join(got, "|") != want {
		t.Errorf("%s", strings.Join(got, "|"))
	}
	if text := fmt.Sprint(nodes[1].Facts); !strings.Contains(text, "Alice") || !strings.Contains(text, "2026-11-21 19:36:00") {
		t.Error(text)
	}
}

func TestSecurity68_HostileAnswersAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		body   func(w io.Writer)
		reason string
	}{
		"no XML":       {func(w io.Writer) { _, _ = io.WriteString(w, "hello") }, "webdav"},
		"another root": {func(w io.Writer) { _, _ = io.WriteString(w, "<html></html>") }, "webdav.xml"},
		"cut":          {func(w io.Writer) { _, _ = io.WriteString(w, opening+one("/", folder)+"<D:response><D:href>/x") }, "webdav.cut"},
		"an entity bomb": {func(w io.Writer) {
			_, _ = io.WriteString(w, `<!DOCTYPE x [<!ENTITY a "aaaa">]>`+opening+one("/&a;", folder))
		}, "webdav.xml"},
		"one huge name": {func(w io.Writer) {
			_, _ = io.WriteString(w, opening+one("/", folder)+one("/"+strings.Repeat("x", 2<<20), ""))
		}, "webdav.xml"},
		"endless nesting": {func(w io.Writer) {
			_, _ = io.WriteString(w, opening+one("/", folder)+one("/x", strings.Repeat("<a>", 600_000)))
		}, "webdav.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusMultiStatus)
				c.body(w)
			})
			_, err := list(t, address+"/")
			if e := connectors.Classify(err); e == nil || !strings.HasPrefix(e.Reason, c.reason) || connectors.Explain(e).Hint == "" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestSecurity67_NoCredentialGoesElsewhere(t *testing.T) {
	for _, auth := range []string{"basic", "bearer", "digest", "ntlm"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			var asked atomic.Int32
			other := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
			address := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+"/dav/", status) })
			_, err := openWith(t, answersFor(address+"/", "auth", auth, "token", "practice-only-token"))
			e := connectors.Classify(err)
			if asked.Load() != 0 || e == nil || e.Reason != "webdav.redirect" || e.Field != "url" || !strings.Contains(e.Said, other) {
				t.Errorf("%s %d: asked %d times, %+v", auth, status, asked.Load(), e)
			}
		}
	}
}

func TestSecurity59_NoBasicWhereDigestOrNTLMWasChosen(t *testing.T) {
	for _, auth := range []string{"digest", "ntlm"} {
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				t.Errorf("%s sent %q", auth, r.Header.Get("Authorization"))
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		})
		_, err := openWith(t, answersFor(address+"/", "auth", auth))
		if e := connectors.Classify(err); e == nil || e.Reason != "webdav.other_sign_in" || e.Field != "auth" || e.Said != "Basic" {
			t.Errorf("%+v", e)
		}
	}
}

func TestStandInStatuses(t *testing.T) {
	for status, want := range map[int]connectors.Code{200: connectors.Unsupported, 403: connectors.Denied, 404: connectors.NotFound, 405: connectors.Unsupported, 423: connectors.Refused, 429: connectors.Throttled, 500: connectors.Refused, 501: connectors.Unsupported, 503: connectors.Unreachable} {
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
		})
		_, err := openWith(t, answersFor(address+"/"))
		e := connectors.Classify(err)
		if e == nil || e.Code != want || connectors.Explain(e).Hint == "" || e.Reason != "" && !connectors.English().Has(e.Reason) || status == 200 && e.Reason != "webdav.page" {
			t.Errorf("%d: %+v", status, e)
		}
	}
}

// Servers that ignore ranges, or answer them wrongly.
func TestStandInRanges(t *testing.T) {
	content := strings.Repeat("0123456789", 100_000)
	for name, get := range map[string]func(w http.ResponseWriter){
		"ignored": func(w http.ResponseWriter) { _, _ = io.WriteString(w, content) },
		"empty for ever": func(w http.ResponseWriter) {
			w.Header().Set("Content-Range", "bytes 0-9/10")
			w.WriteHeader(http.StatusPartialContent)
		},
		"cut": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000000")
			_, _ = io.WriteString(w, content[:100])
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					get(w)
					return
				}
				props := folder
				if strings.HasSuffix(r.URL.Path, "x.txt") {
					props = "<D:resourcetype/><D:getcontentlength>1000000</D:getcontentlength>"
				}
				multistatus(w, opening+one(r.URL.Path, props)+"</D:multistatus>")
			})
			session := conntest.Open(t, Type(), answersFor(address+"/"))
			sample, err := session.(connectors.Sampler).Sample(t.Context(), "x.txt", 500_000)
			if name == "ignored" {
				if err != nil || string(sample.Data) != content[:len(sample.Data)] || len(sample.Data) < 400_000 {
					t.Errorf("%d bytes, %v", len(sample.Data), err)
				}
				return
			}
			if connectors.CodeOf(err) != connectors.Refused {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestForm(t *testing.T) {
	for in, want := range map[string]string{" davs://x.example.com/a ": "https://x.example.com/a", "webdav://x.example.com": "http://x.example.com", "cloud.example.com/dav": "https://cloud.example.com/dav", "https://x/": "https://x/", "": ""} {
		if got := tidyURL(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for _, bad := range []string{"https://u:p@x.example.com/", "https://x.example.com/?dir=1", "https://x.example.com/#a", "https://x.example.com:99999/", "https:///x"} {
		if validURL(bad) == nil {
			t.Errorf("%s is fine", bad)
		}
	}
	if out := splitURL("https://alice:pw@x.example.com/dav"); out["user"] != "alice" || out["url"] != "https://x.example.com/dav" || strings.Contains(fmt.Sprint(out), "pw") {
		t.Errorf("%v", out)
	}
	base, _ := url.Parse("https://x.example.com/a%20b/")
	s := &session{base: base, c: config{Folder: "Ö/100%"}}
	if got := s.at("c#d/e%2Ff").String(); got != "https://x.example.com/a%20b/%C3%96/100%25/c%23d/e%2Ff" {
		t.Error(got)
	}
}

func FuzzResponses(f *testing.F) {
	f.Add(opening + one("/", folder) + one("/a%20b", "") + "</D:multistatus>")
	f.Add("<x>")
	asked, _ := url.Parse("http://x.example.com/")
	f.Fuzz(func(t *testing.T, body string) {
		l := &listing{}
		err := responses(strings.NewReader(body), func(r response) bool {
			if e, ok := l.entry(r.resource(), asked); ok && (e.Name == "" || e.Path == "" || e.Size < -1) {
				t.Errorf("%+v", e)
			}
			return true
		})
		if err != nil && errors.Is(err, io.EOF) {
			t.Errorf("%v reads as an end", err)
		}
	})
}
