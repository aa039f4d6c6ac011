package objectstore

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/awsx"
)

func settings(t connectors.Type, answers ...string) connectors.Settings {
	return conntest.Settings(t, answers)
}

// fails opens and checks, and returns what went wrong.
func fails(tb testing.TB, w *conntest.World, t connectors.Type, s connectors.Settings) *connectors.Error {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	session, err := t.Open(ctx, w.Env, s)
	if err == nil {
		defer func() { _ = session.Close() }()
		_, err = session.Check(ctx)
	}
	if err == nil {
		tb.Fatal("it worked")
	}
	e := connectors.Classify(err)
	if e.Reason != "" && !connectors.English().Has(e.Reason) {
		tb.Errorf("the reason %s has no words", e.Reason)
	}
	return e
}

func names(nodes []connectors.Node) string {
	var out []string
	for _, n := range nodes {
		name := n.Name
		if n.Branch {
			name += "/"
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, "|")
}

func content(tb testing.TB, s connectors.Session, id connectors.NodeID) string {
	tb.Helper()
	sample, err := s.(connectors.Sampler).Sample(context.Background(), id, 1000)
	if err != nil {
		tb.Fatalf("%q: %v", id, err)
	}
	return string(sample.Data)
}

// A seeder writes what the tests read, with requests of its own.
type seeder struct {
	base, region string
	keys         awsx.Credentials
}

func seederOf(s *server.S3) seeder {
	return seeder{s.URL, s.Region, awsx.Credentials{AccessKey: s.Access, Secret: connectors.NewSecret(s.Secret)}}
}

// put sends a signed PUT; path is not escaped and begins with a slash.
func (s seeder) put(tb testing.TB, path, query, body string) {
	tb.Helper()
	req, err := http.NewRequest(http.MethodPut, s.base, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.URL.Path, req.URL.RawQuery = path, query
	if err := (awsx.Signer{Region: s.region, Service: "s3"}).Sign(context.Background(), req, s.keys, time.Now()); err != nil {
		tb.Fatal(err)
	}
	send(tb, req)
}

func send(tb testing.TB, req *http.Request) []byte {
	tb.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode >= 300 {
		tb.Fatalf("%s %s: %s\n%s", req.Method, req.URL.Path, res.Status, body)
	}
	return body
}

// within makes a world in which every name that hosts says leads to addr.
func within(w *conntest.World, ca, addr string, hosts ...string) {
	dial, client := w.Env.Dial, w.Env.HTTP
	w.Env.Dial = func(ctx context.Context, network, to string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(to)
		for _, h := range hosts {
			if host == h || strings.HasPrefix(h, "*") && strings.HasSuffix(host, h[1:]) {
				return dial(ctx, network, addr)
			}
		}
		return dial(ctx, network, to)
	}
	w.Env.HTTP = func(spec connectors.HTTP) (*http.Client, error) {
		if spec.CA == "" {
			spec.CA = ca
		}
		return client(spec)
	}
}

func with(answers []string, more ...string) []string {
	m := map[string]string{}
	for _, list := range [][]string{answers, more} {
		for i := 0; i+1 < len(list); i += 2 {
			m[list[i]] = list[i+1]
		}
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k, m[k])
	}
	return out
}

func aim(s connectors.Settings, host, port string) connectors.Settings {
	s = s.Clone()
	s.Plain["endpoint"] = "http://" + net.JoinHostPort(host, port)
	return s
}

func hostOf(tb testing.TB, raw string) string {
	tb.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return u.Host
}

func seedFile(tb testing.TB, dir, name, text string) {
	tb.Helper()
	server.WriteFile(tb, filepath.Join(dir, filepath.Dir(name)), filepath.Base(name), text, 0o644)
}
