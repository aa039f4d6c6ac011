package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors/conntest/served"
	"jackfield/connectors/conntest/server"
)

// browseCA tells the browser of these tests which authority to trust.
const browseCA = "JF_TEST_BROWSE_CA"

const servedDir = "../../connectors/web/testdata/served"

// Every service of the catalogue, in every way to sign in, as a person has it:
// with the program, against servers shaped after the vendors' documentation that
// stand under the vendors' names behind a proxy.
func TestEveryServiceIsLinkedAndListedDocsShaped(t *testing.T) {
	for _, s := range served.All(t, servedDir) {
		t.Run(s.Type, func(t *testing.T) {
			w := served.Start(t, s)
			d := newDesk(t)
			ca := server.WriteFile(t, t.TempDir(), "ca.pem", w.CA, 0o600)
			d.env = append(d.env, "HTTPS_PROXY="+w.Proxy(t), "NO_PROXY=127.0.0.1,localhost", "SSL_CERT_FILE="+ca, "SSL_CERT_DIR=/nonexistent", browseCA+"="+ca)
			for _, way := range s.Ways {
				linksAndLists(t, d, w, s, way)
			}
		})
	}
}

func linksAndLists(t *testing.T, d *desk, w *served.World, s served.Service, way served.Way) {
	t.Helper()
	w.Play(served.Well, way)
	name := strings.TrimSpace(s.Type + " " + way.Name)
	d.save(name, s.Type, w.Settings(way, nil, nil))
	r := d.jf("link", name, "--json")
	if r.code != exitFine {
		t.Fatalf("%s\nasked: %s", r, strings.Join(w.Requests(), "\n"))
	}
	var linked struct {
		State string
		Facts []struct{ Label, Text string }
	}
	r.into(&linked)
	account := slices.IndexFunc(linked.Facts, func(f struct{ Label, Text string }) bool { return f.Label == "Account" })
	if linked.State != "ok" || account < 0 {
		t.Errorf("%s: %+v", name, linked)
	}
	var ids []string
	for _, line := range d.jf("ls", name, "--json").exits(exitFine).lines() {
		ids = append(ids, line["id"].(string))
	}
	if want := s.Expected(way).Nodes; !slices.Equal(ids, want) {
		t.Errorf("%s lists %v, want %v", name, ids, want)
	}
}

// browse is the person's browser.
func browse(link string) int {
	ca, err := os.ReadFile(os.Getenv(browseCA))
	if err != nil {
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := served.Browse(ctx, link, string(ca), os.Getenv("HTTPS_PROXY")); err != nil {
		return 1
	}
	return 0
}

func TestATestUserIsCreatedOnRequestOnlyDocsShaped(t *testing.T) {
	all := served.All(t, servedDir)
	s := all[slices.IndexFunc(all, func(s served.Service) bool { return s.Type == "alloy" })]
	w := served.Start(t, s)
	d := newDesk(t)
	d.env = append(d.env, "HTTPS_PROXY="+w.Proxy(t), "NO_PROXY=127.0.0.1,localhost", "SSL_CERT_FILE="+server.WriteFile(t, t.TempDir(), "ca.pem", w.CA, 0o600))
	d.save("alloy", s.Type, w.Settings(s.Ways[0], nil, nil))
	d.jf("link", "alloy").exits(exitFine)
	d.jf("ls", "alloy", "-R").exits(exitFine)
	d.jf("do", "alloy", "users").exits(exitFine).says("create", "Create a test user")
	d.jf("do", "alloy", "users", "create").exits(exitWrongUse)
	d.jf("do", "alloy", "users", "nothing").exits(exitWrongUse)
	for _, asked := range w.Requests() {
		if !strings.HasPrefix(asked, "GET ") {
			t.Errorf("before anybody asked for it: %s", asked)
		}
	}
	// Nothing is created where customers are.
	w.Play(served.Well, s.Ways[1])
	d.save("customers", s.Type, w.Settings(s.Ways[1], nil, nil))
	d.jf("do", "customers", "users", "create", "--input", "practice user").exits(exitWrongUse)
	w.Play(served.Well, s.Ways[0])
	r := d.jf("do", "alloy", "users", "create", "--input", "practice user").exits(exitFine)
	if !strings.Contains(r.out, "u9") || !strings.Contains(r.err, "adds a user") {
		t.Error(r)
	}
}
