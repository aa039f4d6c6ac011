package conntest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors"
)

// The environment variables that name the two programs with which a type is
// linked as a person would. Where one is not set, that hand is not tried.
const (
	JFVar     = "JACKFIELD_JF"     // the terminal program
	WindowVar = "JACKFIELD_WINDOW" // the test program of package gui, as go test -c makes it
	// AnswersVar names the file with the Answers that the window is given.
	AnswersVar = "JACKFIELD_ANSWERS"
)

// Answers are what the window is told to link.
type Answers struct {
	Type    string            `json:"type"`
	Plain   map[string]string `json:"plain"`
	Secrets map[string]string `json:"secrets"`
}

// manual reports whether the suite's server can be reached by another program
// that nobody answers questions in.
func (s Suite) manual() bool {
	return (s.World == nil || s.Type.Offline) && s.Ask.Trust == nil && s.Ask.Input == nil && s.Ask.OpenURL == nil && !s.Inside
}

// typed are good settings as a person gives them: a host key that was trusted
// before is pasted as a line of known_hosts.
func (s Suite) typed(t *testing.T) connectors.Settings {
	t.Helper()
	settings := s.Good(t)
	for k, v := range settings.Secrets {
		if !s.Type.Issued(k) {
			continue
		}
		if _, asked := s.Type.Form.Field(k + "_file"); !asked {
			t.Fatalf("%s was issued and cannot be typed", k)
		}
		settings.Plain[k+"_file"] = v.Reveal()
		delete(settings.Secrets, k)
	}
	return settings
}

// inTerminal links, checks and lists with jf.
func (s Suite) inTerminal(t *testing.T) {
	jf := os.Getenv(JFVar)
	settings := s.typed(t)
	dir := t.TempDir()
	secret := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(secret, []byte("practice-only-passphrase\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(jf, args...)
		cmd.Env = append(os.Environ(), "JACKFIELD_HOME="+filepath.Join(dir, "home"), "JACKFIELD_KEYCHAIN=passphrase", "JACKFIELD_PASSPHRASE_FILE="+secret)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("jf %q: %v\n%s\n%s", args, err, out.String(), errs.String())
		}
		for key, v := range settings.Secrets {
			if v := v.Reveal(); len(v) >= 6 && strings.Contains(out.String()+errs.String(), v) {
				t.Errorf("jf %q shows the secret %s", args, key)
			}
		}
		return out.String()
	}
	args := []string{"new", s.Type.ID, "Linked"}
	for k, v := range settings.Plain {
		args = append(args, "--set", k+"="+v)
	}
	for k, v := range settings.Secrets {
		name := filepath.Join(dir, k)
		if err := os.WriteFile(name, []byte(v.Reveal()), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--secret", k+"=@"+name)
	}
	run(args...)
	var linked struct {
		State string            `json:"state"`
		Facts []connectors.Fact `json:"facts"`
	}
	if err := json.Unmarshal([]byte(run("link", "Linked", "--json")), &linked); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains([]string{"ok", "partial"}, linked.State) || len(linked.Facts) == 0 {
		t.Errorf("linked: %+v", linked)
	}
	listed := run("ls", "Linked", "--limit", "5", "--json")
	if strings.TrimSpace(listed) == "" || strings.Contains(listed, `"problem"`) {
		t.Errorf("listed: %s", listed)
	}
}

// inWindow links and looks in the window.
func (s Suite) inWindow(t *testing.T) {
	settings := s.typed(t)
	a := Answers{Type: s.Type.ID, Plain: settings.Plain, Secrets: map[string]string{}}
	for k, v := range settings.Secrets {
		a.Secrets[k] = v.Reveal()
	}
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "answers.json")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Getenv(WindowVar), "-test.run", "^TestLinksWhatItIsGiven$", "-test.v")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), AnswersVar+"="+name)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestLinksWhatItIsGiven")) {
		t.Errorf("in the window: %v\n%s", err, out)
	}
}
