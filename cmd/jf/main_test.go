package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/practice"
	"jackfield/platform/keychain"
)

// asProgram makes this test binary be jf, or the browser that jf opens.
const asProgram = "JF_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	if len(os.Args) == 2 && strings.HasPrefix(os.Args[1], "https://") {
		os.Exit(browse(os.Args[1]))
	}
	if len(os.Args) == 2 && strings.HasPrefix(os.Args[1], "http://") {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := practice.SignIn(ctx, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	main()
}

// A desk is one person's machine: a data folder, a temporary folder, a
// passphrase instead of a keychain, and jf as a program of its own.
type desk struct {
	t         testing.TB
	home, tmp string
	env       []string
	impatient bool // nobody signs in: interrupted when the browser is to open
}

// impatience interrupts a program that begins to wait for the browser.
type impatience struct {
	said *bytes.Buffer
	cmd  *exec.Cmd
}

func (i *impatience) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("Sign in with the browser")) {
		_ = i.cmd.Process.Signal(os.Interrupt)
	}
	return i.said.Write(b)
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := bareDesk(t)
	if err := os.MkdirAll(d.home, 0o700); err != nil {
		t.Fatal(err)
	}
	cheapKey(t, filepath.Join(d.home, "key.json"))
	return d
}

const passphrase = "practice only, four words"

// cheapKey writes a key file that costs the least that is accepted, as jf is
// started some hundred times here and reads it each time.
func cheapKey(t testing.TB, path string) {
	t.Helper()
	salt, nonce := make([]byte, 16), make([]byte, chacha20poly1305.NonceSizeX)
	box, err := chacha20poly1305.NewX(argon2.IDKey([]byte(passphrase), salt, 1, 8<<10, 1, chacha20poly1305.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]any{"version": 1, "kdf": "argon2id", "time": 1, "memory_kib": 8 << 10, "threads": 1, "salt": salt, "nonce": nonce,
		"sealed": box.Seal(nil, nonce, make([]byte, keychain.KeySize), []byte("jackfield key file 1"))})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// bareDesk has no data folder yet.
func bareDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, home: filepath.Join(t.TempDir(), "data"), tmp: t.TempDir()}
	pass := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(pass, []byte(passphrase+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.env = []string{"JACKFIELD_HOME=" + d.home, "JACKFIELD_KEYCHAIN=passphrase", "JACKFIELD_PASSPHRASE_FILE=" + pass, "TMPDIR=" + d.tmp,
		"HOME=" + d.tmp, "PATH=" + os.Getenv("PATH"), "BROWSER=" + self(t), asProgram + "=1", "NO_PROXY=127.0.0.1", "GORACE=atexit_sleep_ms=0"}
	return d
}

func self(t testing.TB) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// A ran is what one call of jf left behind.
type ran struct {
	t        testing.TB
	args     []string
	code     int
	out, err string
}

func (d *desk) command(args ...string) *exec.Cmd {
	cmd := exec.Command(self(d.t), args...)
	cmd.Env = d.env
	return cmd
}

func (d *desk) jf(args ...string) *ran { return d.with("", args...) }

// with calls jf with something on its standard input.
func (d *desk) with(stdin string, args ...string) *ran {
	d.t.Helper()
	cmd := d.command(args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if d.impatient {
		cmd.Stderr = &impatience{said: &errs, cmd: cmd}
	}
	if err := cmd.Run(); err != nil {
		if _, ended := err.(*exec.ExitError); !ended {
			d.t.Fatal(err)
		}
	}
	return &ran{d.t, args, cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func (r *ran) String() string {
	return fmt.Sprintf("jf %q ended with %d\nstdout: %s\nstderr: %s", r.args, r.code, r.out, r.err)
}

func (r *ran) exits(code int) *ran {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("want exit code %d: %s", code, r)
	}
	return r
}

func (r *ran) says(parts ...string) *ran {
	r.t.Helper()
	for _, p := range parts {
		if !strings.Contains(r.out+r.err, p) {
			r.t.Errorf("does not say %q: %s", p, r)
		}
	}
	return r
}

// into decodes standard output, which must be one JSON document and no more.
func (r *ran) into(v any) {
	r.t.Helper()
	d := json.NewDecoder(strings.NewReader(r.out))
	if err := d.Decode(v); err != nil {
		r.t.Fatalf("%v: %s", err, r)
	}
	if d.More() {
		r.t.Fatalf("more than one document: %s", r)
	}
}

// lines decodes one JSON object a line.
func (r *ran) lines() []map[string]any {
	r.t.Helper()
	var out []map[string]any
	for line := range strings.Lines(r.out) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			r.t.Fatalf("%v in line %q", err, line)
		}
		out = append(out, v)
	}
	return out
}

// has fails unless v has each key.
func has(t testing.TB, v map[string]any, keys string) {
	t.Helper()
	for key := range strings.FieldsSeq(keys) {
		if _, ok := v[key]; !ok {
			t.Errorf("no %q in %v", key, v)
		}
	}
}

func services(t testing.TB) map[string]practice.Connection {
	t.Helper()
	s, err := practice.Start(t.Context(), practice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	out := map[string]practice.Connection{}
	for _, c := range s.Connections() {
		out[c.TypeID] = c
	}
	return out
}

// save makes a connection as a person would: plain answers on the command
// line, secrets from files.
func (d *desk) save(name, typeID string, s connectors.Settings) {
	d.t.Helper()
	args := []string{"new", typeID, name}
	for k, v := range s.Plain {
		args = append(args, "--set", k+"="+v)
	}
	typ, _ := connectors.Find(all.All(), typeID)
	for k, v := range s.Secrets {
		if _, asked := typ.Form.Field(k); !asked {
			continue // kept by linking, not given by a person
		}
		file := filepath.Join(d.t.TempDir(), k)
		if err := os.WriteFile(file, []byte(v.Reveal()+"\n"), 0o600); err != nil {
			d.t.Fatal(err)
		}
		args = append(args, "--secret", k+"=@"+file)
	}
	d.jf(args...).exits(exitFine)
}
