package connectors_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"jackfield/connectors"
)

const canary = "canary-value-for-tests"

func TestSecurity80_SecretNeverShows(t *testing.T) {
	s := connectors.NewSecret(canary)
	holder := struct {
		S connectors.Secret
		M map[string]connectors.Secret
		P *connectors.Secret
	}{s, map[string]connectors.Secret{"k": s}, &s}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "holder", holder)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "holder", holder)
	out := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		out += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, holder)
	}
	out += fmt.Sprint(errors.New(fmt.Sprint(holder)))
	if strings.Contains(out, canary) || strings.Contains(out, fmt.Sprintf("%x", canary)) {
		t.Errorf("the secret shows in %s", out)
	}
	for name, encode := range map[string]func() error{
		"json": func() error { _, err := json.Marshal(holder); return err },
		"gob":  func() error { return gob.NewEncoder(io.Discard).Encode(holder.S) },
	} {
		if encode() == nil {
			t.Errorf("%s encodes a secret", name)
		}
	}
	if s.Reveal() != canary || s.Empty() || !connectors.NewSecret("").Empty() {
		t.Error("Reveal or Empty is wrong")
	}
}

func TestSecurity70_CleanNeutralizesEverythingThatActs(t *testing.T) {
	var all strings.Builder
	n := 0
	for _, r16 := range unicode.Bidi_Control.R16 {
		for r := rune(r16.Lo); r <= rune(r16.Hi); r += rune(r16.Stride) {
			all.WriteRune(r)
			n++
		}
	}
	if n != 12 {
		t.Fatalf("%d Bidi_Control characters, want 12", n)
	}
	for r := rune(0); r < 0xa0; r++ {
		if r < 0x20 || r >= 0x7f {
			all.WriteRune(r)
		}
	}
	all.WriteString("\xff\xfe\u2028\u2029\u200b\ufeff")
	for _, r := range connectors.Clean(all.String(), 0) {
		if unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) {
			t.Errorf("%U came through", r)
		}
	}
	if got := connectors.Clean("invoice\u202egpj.exe", 0); got != "invoice\ufffdgpj.exe" {
		t.Errorf("%q", got)
	}
	if got := connectors.Clean(strings.Repeat("ä", 1<<20), 50); len([]rune(got)) != 51 {
		t.Errorf("a 1 MB name has %d runes left", len([]rune(got)))
	}
	if got := connectors.Clean("Zürich 東京 naïve", 0); got != "Zürich 東京 naïve" {
		t.Errorf("honest text was changed: %q", got)
	}
}

func TestClassify(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name   string
		err    error
		code   connectors.Code
		reason string
	}{
		{"cancelled", ended.Err(), connectors.Cancelled, ""},
		{"deadline", context.DeadlineExceeded, connectors.TimedOut, ""},
		{"socket deadline", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, connectors.TimedOut, ""},
		{"no such host", &net.DNSError{Name: "x", IsNotFound: true}, connectors.Unreachable, "dns.not_found"},
		{"name service down", &net.DNSError{Name: "x", IsTimeout: true}, connectors.Unreachable, "dns"},
		{"refused", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, connectors.Unreachable, "connect.refused"},
		{"no route", syscall.EHOSTUNREACH, connectors.Unreachable, "connect.no_route"},
		{"reset", syscall.ECONNRESET, connectors.Refused, "connect.closed"},
		{"EOF", fmt.Errorf("handshake: %w", io.EOF), connectors.Refused, "connect.closed"},
		{"unknown CA", x509.UnknownAuthorityError{}, connectors.Untrusted, "tls.unknown_ca"},
		{"wrong name", x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"a"}}, Host: "b"}, connectors.Untrusted, "tls.wrong_host"},
		{"expired", x509.CertificateInvalidError{Reason: x509.Expired}, connectors.Untrusted, "tls.expired"},
		{"not TLS", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, connectors.Refused, "tls.not_tls"},
		{"certificate required", tls.AlertError(116), connectors.AuthFailed, "tls.client_cert"},
		{"disk full", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, connectors.Storage, "disk.full"},
		{"nobody", connectors.ErrNobody, connectors.SignInAgain, "nobody"},
		{"unknown", errors.New("boom"), connectors.Refused, ""},
		{"known", fmt.Errorf("x: %w", &connectors.Error{Code: connectors.Denied, Reason: "r"}), connectors.Denied, "r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := connectors.Classify(c.err)
			if got.Code != c.code || got.Reason != c.reason {
				t.Errorf("%s/%s, want %s/%s", got.Code, got.Reason, c.code, c.reason)
			}
			if p := connectors.Explain(c.err); p.Title == "" || p.Hint == "" {
				t.Errorf("no words: %+v", p)
			}
		})
	}
	if connectors.Classify(nil) != nil || connectors.Explain(nil) != nil {
		t.Error("nil is no failure")
	}
}

// Every reason that the code names has words, and every code has.
func TestWordsAreComplete(t *testing.T) {
	w, err := connectors.LoadWords(os.DirFS("."), "words/en")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range connectors.Codes() {
		if !w.Has(string(c)) {
			t.Errorf("code %s has no words", c)
		}
		if p := w.Explain(&connectors.Error{Code: c}); p.Title == "" || p.Hint == "" || strings.Contains(p.Title+p.Hint, "{") {
			t.Errorf("%s: %+v", c, p)
		}
	}
	reasons, err := reasonsInSource("..")
	if err != nil {
		t.Fatal(err)
	}
	if len(reasons) < 10 {
		t.Fatalf("only %d reasons were found: the search is broken", len(reasons))
	}
	for reason, file := range reasons {
		if !w.Has(reason) {
			t.Errorf("%s: reason %q has no words in words/en", file, reason)
		}
	}
}

func reasonsInSource(root string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, part := range strings.Split(string(data), `Reason: "`)[1:] {
			reason, _, _ := strings.Cut(part, `"`)
			if reason != "" && !strings.HasSuffix(reason, ".") {
				out[reason] = path
			}
		}
		return nil
	})
	return out, err
}
