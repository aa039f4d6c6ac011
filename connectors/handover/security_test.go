package handover_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"jackfield/connectors/handover"
	"jackfield/connectors/link"
)

// childTask names what the test program does when it is started as a child.
const childTask = "HANDOVER_CHILD"

func TestSecurity49_NamesOfFiles(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	long := strings.Repeat("ä", 300)
	for _, name := range []string{"x/..", `..\e`, "CON", "con.txt", "COM1", "lpt9.a", "COM¹", "nul ", "..", ".", "", "a\x00b", "a\nb", "\u202egpj.exe", " trailing. ", "C:x", "Orders", long, "-rf", "~root"} {
		got := handover.FileName(name, handover.Ending)
		if got != filepath.Base(got) || strings.ContainsAny(got, `/\:*?"<>|`+"\x00\n\u202e") || len(got) > 120 || !strings.HasSuffix(got, ".jackfield") || strings.HasPrefix(got, ".") || strings.HasPrefix(got, "-") {
			t.Errorf("%q becomes %q", name, got)
		}
		stem := strings.ToUpper(strings.TrimSuffix(got, ".jackfield"))
		stem, _, _ = strings.Cut(stem, ".")
		if slices.Contains([]string{"CON", "COM1", "LPT9", "NUL", "COM¹"}, stem) {
			t.Errorf("%q becomes the device %q", name, got)
		}
		f, err := root.Create(got)
		if err != nil {
			t.Errorf("%q: %v", got, err)
			continue
		}
		_ = f.Close()
	}
	if got := handover.FileName("Orders", handover.Ending); got != "Orders.jackfield" {
		t.Errorf("Orders becomes %s", got)
	}
}

func TestSecurity73_TheWorkFactorIsCapped(t *testing.T) {
	sealed := cheap(t, []byte(small), 1, false)
	from := bytes.LastIndex(sealed[:bytes.Index(sealed, []byte("\n---"))], []byte(" 1\n"))
	if from < 0 {
		t.Fatal("the header is not as expected")
	}
	with := func(n string) []byte {
		return slices.Concat(sealed[:from], []byte(" "+n+"\n"), sealed[from+3:])
	}
	var before, after runtime.MemStats
	for _, n := range []string{"19", "22", "30", "64", "18446744073709551617", "99999999999999999999999999"} {
		runtime.ReadMemStats(&before)
		_, err := handover.Unseal(bytes.NewReader(with(n)), words())
		runtime.ReadMemStats(&after)
		refused(t, err, "handover.costly")
		// scrypt with 2¹⁹ would take 512 MB.
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("logN %s: %d bytes were used to refuse it", n, used)
		}
	}
	for _, n := range []string{"0", "-1", "1e1", "+9", "01", ""} {
		if _, err := handover.Unseal(bytes.NewReader(with(n)), words()); reason(err) != "handover.damaged" {
			t.Errorf("logN %q: %v", n, err)
		}
	}
	if _, err := handover.Unseal(bytes.NewReader(cheap(t, []byte(small), 18, false)), words()); err != nil {
		t.Errorf("what age itself writes is refused: %v", err)
	}
	// Each recipient costs an attempt with each key.
	crowd := []byte("age-encryption.org/v1\n" + strings.Repeat("-> X25519 AAAA\nAAAA\n", 100_000) + "--- AAAA\n")
	_, err := handover.Unseal(bytes.NewReader(crowd), words())
	refused(t, err, "handover.costly")
}

// hostile is what an import must not act on.
func hostile() handover.Bundle {
	return handover.Bundle{Connections: []handover.Carried{
		{ID: "1", Type: "ldap", Name: "Directory", Plain: map[string]string{"host": "169.254.169.254", "auth": "keytab", "security": "none", "ca": "/etc/ssl/ca.pem", "place": "on_premise", "via": "http", "via_proxy": "evil.example.com:3128", "identity": "Production"},
			Secrets: veil("keytab", "/etc/shadow")},
		{ID: "2", Type: "sqlite", Name: "Production", Plain: map[string]string{"file": "/etc/shadow"}},
		{ID: "3", Type: "http", Name: "Web", Plain: map[string]string{"base_url": "http://metadata.google.internal/computeMetadata/v1/", "tls_pin": strings.Repeat("ab", 32), "proxy": "[::1]:8080", "reach": "proxy"},
			Secrets: veil("service_account", `{"token_uri":"http://169.254.169.254/latest","private_key":"practice-only"}`)},
		{ID: "4", Type: "folder", Name: "Files", Plain: map[string]string{"path": "/etc"}},
		{ID: "5", Type: "oauth", Name: "Sign-in", Plain: map[string]string{"issuer": "http://127.0.0.1:1/", "via_account": "1"}, Issued: veil("oauth_token", "{}")},
		{ID: "6", Type: "nowhere", Name: "\x1b[31mred\u202e", Plain: map[string]string{"host": "localhost", "keytab": "/etc/shadow"}},
	}}
}

// inert is everything up to and with an import; it ends with the number of
// connections made.
func inert(ctx context.Context) (int, error) {
	var sealed bytes.Buffer
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return 0, err
	}
	if err := handover.Seal(&sealed, hostile(), handover.Recipients{Keys: []string{id.Recipient().String()}}, true); err != nil {
		return 0, err
	}
	got, err := handover.Unseal(&sealed, handover.Opener{Identities: secrets(id.String())})
	if err != nil {
		return 0, err
	}
	b := book(newShelf())
	p, err := handover.Propose(ctx, b, got)
	if err != nil {
		return 0, err
	}
	made, err := handover.Import(ctx, b, p, []int{0, 1, 2, 3, 4})
	if err != nil {
		return 0, err
	}
	for _, c := range made {
		t, err := b.Type(c.Type)
		if err != nil {
			return 0, err
		}
		c.Missing(t)
		if _, err := handover.ReadProfile([]byte(handover.Profile(t, c))); err != nil {
			return 0, err
		}
	}
	// Also undoing an import sends nothing, though a sign-in is among it.
	failing := newShelf()
	failing.failAt = 5
	b = book(failing)
	if p, err = handover.Propose(ctx, b, got); err != nil {
		return 0, err
	}
	if _, err = handover.Import(ctx, b, p, []int{0, 1, 2, 3, 4}); err == nil || len(failing.profiles) > 0 {
		return 0, fmt.Errorf("the failing store kept %d: %w", len(failing.profiles), err)
	}
	return len(made), nil
}

func child() {
	switch os.Getenv(childTask) {
	case "inert":
		n, err := inert(context.Background())
		fmt.Println("made", n, err)
	case "import":
		imports()
	case "touch": // shows that the trace would tell
		_, _ = os.Stat("/etc/shadow")
		c, err := net.Dial("udp", "127.0.0.1:9")
		if err == nil {
			_ = c.Close()
		}
		fmt.Println("touched")
	}
}

func traced(t *testing.T, task string) (said, trace string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "trace")
	cmd := exec.CommandContext(t.Context(), "unshare", "-rn", "strace", "-f", "-qq", "-e", "trace=%file,%network", "-o", log, self)
	cmd.Env = append(os.Environ(), childTask+"="+task)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), string(data)
}

func TestSecurity74_ImportIsInert(t *testing.T) {
	if said, trace := traced(t, "touch"); !strings.Contains(said, "touched") || !strings.Contains(trace, "/etc/shadow") || !strings.Contains(trace, "socket(") {
		t.Fatalf("the trace does not tell: %s: %s", said, trace)
	}
	said, trace := traced(t, "inert")
	if !strings.Contains(said, "made 5 <nil>") {
		t.Fatalf("the child says %s", said)
	}
	for l := range strings.Lines(trace) {
		for _, bad := range []string{"/etc/shadow", "/etc/ssl", "/etc/resolv", "/etc/hosts", "socket(", "connect(", "sendto(", "bind("} {
			if strings.Contains(l, bad) {
				t.Errorf("an import did %s", l)
			}
		}
	}
}

func TestSecurity74_WhatIsInItIsShown(t *testing.T) {
	b := book(newShelf())
	mine := save(t, b, "user_password", "Production", map[string]string{"user": "me"}, map[string]string{"password": "practice-only-mine"})
	p, err := handover.Propose(t.Context(), b, hostile())
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"host internal_address 169.254.169.254", "security plain_http none", "ca path /etc/ssl/ca.pem", "ca pin /etc/ssl/ca.pem", "via way http", "via_proxy proxy evil.example.com:3128", "keytab path /etc/shadow"},
		{"file path /etc/shadow"},
		{"base_url plain_http http://metadata.google.internal", "base_url internal_address http://metadata.google.internal", "tls_pin pin " + strings.Repeat("ab", 32), "proxy proxy [::1]:8080", "proxy internal_address ::1", "reach way proxy", "service_account plain_http http://169.254.169.254", "service_account internal_address http://169.254.169.254"},
		{"path path /etc"},
		{"issuer plain_http http://127.0.0.1", "issuer internal_address http://127.0.0.1", "oauth_token sign_in ", "via_account way Directory"},
		{"host internal_address localhost", "keytab path /etc/shadow"},
	}
	for i, item := range p.Items {
		var got []string
		for _, f := range item.Flags {
			got = append(got, strings.Join([]string{f.Field, f.Kind, f.Value}, " "))
			if !strings.HasSuffix(f.Text, ".") || strings.Contains(f.Text, "practice-only") {
				t.Errorf("not a sentence: %q", f.Text)
			}
		}
		for _, w := range want[i] {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %q is not among %q", item.Name, w, got)
			}
		}
	}
	if item := p.Items[5]; item.Known || strings.ContainsAny(item.NewName, "\x1b\u202e") {
		t.Errorf("the unknown one: %+v", item)
	}
	// The name in a reference is that of a connection here: it must not be lent.
	_, err = handover.Import(t.Context(), b, p, []int{5})
	refused(t, err, "handover.unknown_type")
	made, err := handover.Import(t.Context(), b, p, []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range made {
		if c.Plain["identity"] != "" || c.ID == mine.ID || c.Name == "Production" || c.State != link.Prepared {
			t.Errorf("imported as %+v", c)
		}
	}
	s, err := b.Settings(t.Context(), mine.ID)
	if err != nil || s.Secrets["password"].Reveal() != "practice-only-mine" {
		t.Error("what was here before is changed")
	}
}

func TestSecurity75_RotatingSignInsStay(t *testing.T) {
	b, ids := household(t)
	var old string
	for range 20 {
		pass, err := handover.NewPassphrase()
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(pass.Reveal(), "-")
		if len(parts) < 6 || pass.Reveal() == old {
			t.Errorf("a passphrase has %d words", len(parts))
		}
		old = pass.Reveal()
	}
	bundle, notes := pack(t, b, ids, handover.PackOptions{Secrets: true})
	if text := fmt.Sprint(revealed(bundle)); strings.Contains(text, "rotating") || !strings.Contains(text, "practice-only-reader") || !strings.Contains(text, "issued known_hosts") {
		t.Errorf("the bundle has %s", text)
	}
	if !slices.Contains(notes, "The sign-in of “Code” stays here: the other side signs in once itself.") {
		t.Errorf("the notes are %q", notes)
	}
	if text := fmt.Sprintf("%v %+v %#v", bundle, bundle, bundle); strings.Contains(text, "practice-only") {
		t.Errorf("a bundle prints its secrets")
	}
	asked, _ := pack(t, b, ids, handover.PackOptions{Secrets: true, Rotating: true})
	if text := fmt.Sprint(revealed(asked)); !strings.Contains(text, "practice-only-rotating") {
		t.Errorf("asked for, the sign-in stays: %s", text)
	}
	none, _ := pack(t, b, ids, handover.PackOptions{Rotating: true})
	if text := fmt.Sprint(revealed(none)); strings.Contains(text, "practice-only") {
		t.Errorf("without secrets it has %s", text)
	}
	// A refresh token that somebody typed into a form rotates too.
	typed := save(t, b, "quickbooks", "Books", map[string]string{"auth": "token"}, map[string]string{"refresh_token": "practice-only-rotating", "client_secret": "practice-only-client"})
	bundle, _ = pack(t, b, []string{typed.ID}, handover.PackOptions{Secrets: true})
	if text := fmt.Sprint(revealed(bundle)); strings.Contains(text, "rotating") || !strings.Contains(text, "practice-only-client") {
		t.Errorf("the bundle has %s", text)
	}
}
