package handover_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors/handover"
	"jackfield/connectors/link"
	"jackfield/platform/vault"
)

const childDir = "HANDOVER_DIR"

type fixedKey struct{}

func (fixedKey) Kind() string { return "memory" }
func (fixedKey) Key(context.Context, bool) ([]byte, error) {
	return bytes.Repeat([]byte{7}, 32), nil
}

func vaulted(dir string) (*link.Book, error) {
	v, err := vault.Open(vault.Options{Dir: dir, Keys: fixedKey{}})
	if err != nil {
		return nil, err
	}
	return book(v), nil
}

// moving is a bundle in which the first connection refers to later ones.
func moving() handover.Bundle {
	return handover.Bundle{Connections: []handover.Carried{
		{ID: "1", Type: "postgres", Name: "Orders", Plain: map[string]string{"host": "db.example.com", "database": "orders", "place": "on_premise", "via": "ssh", "via_account": "2", "identity": "3"}},
		{ID: "2", Type: "ssh", Name: "Jump", Plain: map[string]string{"host": "jump.example.com", "user": "ops"}, Secrets: veil("password", "practice-only-jump"), Issued: veil("known_hosts", "jump.example.com ssh-ed25519 AAAA")},
		{ID: "3", Type: "user_password", Name: "Reader", Plain: map[string]string{"user": "reader"}, Secrets: veil("password", "practice-only-reader")},
	}}
}

// importInto is what the child does: everything up to and with the import.
func importInto(ctx context.Context, dir string) error {
	b, err := vaulted(dir)
	if err != nil {
		return err
	}
	p, err := handover.Propose(ctx, b, moving())
	if err != nil {
		return err
	}
	_, err = handover.Import(ctx, b, p, everything(p))
	return err
}

// killedAt runs an import that dies at the n-th call that makes something last on
// the disk. It reports whether there was such a call.
func killedAt(t *testing.T, dir string, n int) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const calls = "/^(rename|link|unlink|fsync|fchmod)"
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-e", "trace="+calls, "-e", "inject="+calls+":signal=SIGKILL:when="+strconv.Itoa(n), "-o", filepath.Join(t.TempDir(), "trace"), self)
	cmd.Env = append(os.Environ(), childTask+"=import", childDir+"="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil && strings.Contains(string(out), "imported") {
		return false
	}
	var ended *exec.ExitError
	if !errors.As(err, &ended) || len(out) > 0 {
		t.Fatalf("the child at call %d: %v: %s", n, err, out)
	}
	return true
}

// imports is the child's task. strace counts the calls of each thread by itself.
func imports() {
	runtime.LockOSThread()
	if err := importInto(context.Background(), os.Getenv(childDir)); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("imported")
}

// Whenever the program dies, what there is of the import is whole and of use, and
// importing again goes on.
func TestSecurity76_AnImportThatIsKilledLeavesWholeConnections(t *testing.T) {
	counts := map[int]int{}
	for n := 1; ; n++ {
		dir := filepath.Join(t.TempDir(), strconv.Itoa(n))
		before, err := vaulted(dir)
		if err != nil {
			t.Fatal(err)
		}
		save(t, before, "user_password", "Mine", map[string]string{"user": "me"}, map[string]string{"password": "practice-only-mine"})
		killed := killedAt(t, dir, n)
		counts[whole(t, dir, n)]++
		if !killed {
			break
		}
		again(t, dir)
	}
	if len(counts) != 4 || counts[3] < 2 {
		t.Errorf("the kills left so many connections so often: %v", counts)
	}
}

// whole looks at everything that a kill left, and counts it.
func whole(t *testing.T, dir string, n int) int {
	t.Helper()
	b, err := vaulted(dir)
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.List(t.Context())
	if err != nil {
		t.Fatalf("after a kill at call %d: %v", n, err)
	}
	ids, want := map[string]string{}, map[string]handover.Carried{}
	for _, c := range list {
		ids[c.Name] = c.ID
	}
	for _, c := range moving().Connections {
		want[c.Name] = c
	}
	for _, c := range list {
		s, err := b.Settings(t.Context(), c.ID)
		if err != nil {
			t.Fatalf("%s after a kill at call %d: %v", c.Name, n, err)
		}
		w, imported := want[c.Name]
		if !imported {
			w = handover.Carried{Plain: map[string]string{"user": "me"}, Secrets: veil("password", "practice-only-mine")}
		}
		plain := maps.Clone(w.Plain)
		if c.Name == "Orders" {
			plain["via_account"], plain["identity"] = ids["Jump"], ids["Reader"]
		}
		secrets := map[string]string{}
		for k, v := range s.Secrets {
			secrets[k] = v.Reveal()
		}
		expected := map[string]string{}
		for k, v := range w.Secrets {
			expected[k] = v.Reveal()
		}
		for k, v := range w.Issued {
			expected[k] = v.Reveal()
		}
		if !maps.Equal(s.Plain, plain) || !maps.Equal(secrets, expected) {
			t.Errorf("%s is not whole after a kill at call %d: %v, secrets of %d bytes", c.Name, n, s.Plain, len(fmt.Sprint(secrets)))
		}
	}
	// What was being written may have left one sealed file that belongs to nothing.
	sealed, err := filepath.Glob(filepath.Join(dir, "secrets", "*-*.sealed"))
	if err != nil || len(sealed) > len(list)+1 {
		t.Errorf("%d sealed files for %d connections: %v", len(sealed), len(list), err)
	}
	return len(list) - 1
}

// again imports once more and finds what is there already.
func again(t *testing.T, dir string) {
	t.Helper()
	b, err := vaulted(dir)
	if err != nil {
		t.Fatal(err)
	}
	before, err := b.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := propose(t, b, moving())
	same := 0
	for _, item := range p.Items {
		if item.Same != nil {
			same++
		}
	}
	if same != len(before)-1 {
		t.Errorf("the next plan tells %d of %d that are there", same, len(before)-1)
	}
	made, err := handover.Import(t.Context(), b, p, everything(p))
	if err != nil || len(made) != 3 || made[0].Plain["via_account"] != made[1].ID {
		t.Errorf("the next import: %+v %v", made, err)
	}
}
