package handover_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"jackfield/connectors"
	"jackfield/connectors/handover"
)

// A key pair of a real tool.
type pair struct {
	name, public string
	private      []byte
	path         string
	pass         string
}

func keyPairs(t *testing.T) []pair {
	t.Helper()
	dir := t.TempDir()
	out := []pair{}
	path := filepath.Join(dir, "age")
	run(t, nil, "age-keygen", "-o", path)
	out = append(out, pair{name: "age", public: string(run(t, nil, "age-keygen", "-y", path)), path: path})
	for _, k := range []struct{ name, typ, bits, pass string }{{"ed25519", "ed25519", "256", ""}, {"rsa", "rsa", "2048", ""}, {"locked", "ed25519", "256", "practice-only-lock"}, {"locked rsa", "rsa", "3072", "practice-only-lock"}} {
		path := filepath.Join(dir, strings.ReplaceAll(k.name, " ", "_"))
		run(t, nil, "ssh-keygen", "-q", "-t", k.typ, "-b", k.bits, "-N", k.pass, "-C", "practice", "-f", path)
		public, err := os.ReadFile(path + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pair{name: k.name, public: string(public), path: path, pass: k.pass})
	}
	for i := range out {
		data, err := os.ReadFile(out[i].path)
		if err != nil {
			t.Fatal(err)
		}
		out[i].private = data
	}
	return out
}

func (p pair) opener() handover.Opener {
	return handover.Opener{Identities: []connectors.Secret{secret(string(p.private))}, Locked: secret(p.pass)}
}

func TestTheAgeProgramAndBundlesReadEachOther(t *testing.T) {
	b, ids := household(t)
	bundle, _ := pack(t, b, ids, handover.PackOptions{Secrets: true, From: "Anna", Note: "For Ben."})
	want := revealed(bundle)
	pairs := keyPairs(t)
	var everybody []string
	for _, p := range pairs {
		everybody = append(everybody, p.public)
	}
	for _, text := range []bool{false, true} {
		sealed := seal(t, bundle, handover.Recipients{Keys: everybody}, text)
		if handover.Sealed(sealed) != handover.SortKeys {
			t.Errorf("it is taken for %s", handover.Sealed(sealed))
		}
		for _, p := range pairs {
			t.Run(fmt.Sprintf("%s armored=%v", p.name, text), func(t *testing.T) {
				got, err := handover.Unseal(bytes.NewReader(sealed), p.opener())
				if err != nil || !maps.Equal(revealed(got), want) {
					t.Fatalf("%v: %v", err, revealed(got))
				}
				if p.pass != "" { // the program asks for the passphrase of a key on a terminal
					wrong := p.opener()
					wrong.Locked = secret("practice-only-other")
					if _, err := handover.Unseal(bytes.NewReader(sealed), wrong); err == nil {
						t.Error("a locked key opened it with another passphrase")
					}
					return
				}
				plain := run(t, sealed, "age", "-d", "-i", p.path)
				if !bytes.Contains(plain, []byte(`"jackfield": "bundle"`)) {
					t.Fatalf("age reads %.80q", plain)
				}
				args := []string{"-r", strings.TrimSpace(p.public)}
				if text {
					args = append(args, "--armor")
				}
				back, err := handover.Unseal(bytes.NewReader(run(t, plain, "age", args...)), p.opener())
				if err != nil || !maps.Equal(revealed(back), want) {
					t.Fatalf("what age sealed: %v: %v", err, revealed(back))
				}
			})
		}
	}
}

// terminal runs a program on a terminal of its own and types lines into it.
func terminal(t *testing.T, command string, typed ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "script", "-qec", command, "/dev/null")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, l := range typed {
		_, _ = io.WriteString(in, l+"\n")
	}
	err = cmd.Wait()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, said.String())
	}
}

func TestTheAgeProgramAndPassphrases(t *testing.T) {
	b, ids := household(t)
	bundle, _ := pack(t, b, ids, handover.PackOptions{Secrets: true})
	pass, err := handover.NewPassphrase()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	sealed := seal(t, bundle, handover.Recipients{Passphrase: pass}, true)
	if handover.Sealed(sealed) != handover.SortPassphrase {
		t.Errorf("it is taken for %s", handover.Sealed(sealed))
	}
	if err := os.WriteFile(at("bundle.jackfield"), sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	terminal(t, "age -d -o "+at("plain")+" "+at("bundle.jackfield"), pass.Reveal())
	terminal(t, "age -p -o "+at("again")+" "+at("plain"), pass.Reveal(), pass.Reveal())
	again, err := os.ReadFile(at("again"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := handover.Unseal(bytes.NewReader(again), handover.Opener{Passphrase: secret(pass.Reveal() + "\r\n")})
	if err != nil || !maps.Equal(revealed(got), revealed(bundle)) {
		t.Fatalf("%v: %v", err, revealed(got))
	}
	_, err = handover.Unseal(bytes.NewReader(sealed), handover.Opener{Passphrase: secret("practice-only-wrong")})
	refused(t, err, "handover.wrong")
	_, err = handover.Unseal(bytes.NewReader(sealed), handover.Opener{})
	refused(t, err, "handover.needs_passphrase")
}

// cheap seals JSON with a passphrase and little work, for tests that open it often.
func cheap(t testing.TB, json []byte, logN int, text bool) []byte {
	t.Helper()
	r, err := age.NewScryptRecipient("practice-only-words")
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(logN)
	var out bytes.Buffer
	var under io.Writer = &out
	if text {
		a := armor.NewWriter(&out)
		defer func() { _ = a.Close() }()
		w, err := age.Encrypt(a, r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(json)
		_ = w.Close()
		_ = a.Close()
		return out.Bytes()
	}
	w, err := age.Encrypt(under, r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(json)
	_ = w.Close()
	return out.Bytes()
}

const small = `{"jackfield":"bundle","version":1,"created":"2027-01-02T03:04:05Z","connections":[{"id":"1","type":"sftp","name":"A","plain":{"host":"h.example.com"},"secrets":{"password":"practice-only"}}]}`

func words() handover.Opener { return handover.Opener{Passphrase: secret("practice-only-words")} }

func TestABundleFlippedAtEveryByte(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var forKey bytes.Buffer
	w, err := age.Encrypt(&forKey, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, small)
	_ = w.Close()
	for name, c := range map[string]struct {
		data []byte
		with handover.Opener
	}{
		"passphrase": {cheap(t, []byte(small), 1, false), words()},
		"armored":    {cheap(t, []byte(small), 1, true), words()},
		"key":        {forKey.Bytes(), handover.Opener{Identities: []connectors.Secret{secret(id.String())}}},
	} {
		whole, err := handover.Unseal(bytes.NewReader(c.data), c.with)
		if err != nil {
			t.Fatal(name, err)
		}
		for i := range c.data {
			bit := byte(1) << (i % 8)
			bad := bytes.Clone(c.data)
			bad[i] ^= bit
			got, err := handover.Unseal(bytes.NewReader(bad), c.with)
			handover.Sealed(bad)
			// Armor may be surrounded by other white space: then nothing was changed.
			if err == nil && (name != "armored" || !maps.Equal(revealed(got), revealed(whole))) {
				t.Fatalf("%s: byte %d of %d changed by %#x was accepted", name, i, len(bad), bit)
			}
			if err != nil && (len(got.Connections) > 0 || !strings.HasPrefix(reason(err), "handover.")) {
				t.Fatalf("%s: byte %d: %v", name, i, err)
			}
		}
		for n := range c.data {
			got, err := handover.Unseal(bytes.NewReader(c.data[:n]), c.with)
			if err == nil && (name != "armored" || n < len(c.data)-2 || !maps.Equal(revealed(got), revealed(whole))) {
				t.Fatalf("%s: cut at %d of %d was accepted", name, n, len(c.data))
			}
			if err != nil && !strings.HasPrefix(reason(err), "handover.") {
				t.Fatalf("%s: cut at %d: %v", name, n, err)
			}
			handover.Sealed(c.data[:n])
		}
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	b, ids := household(t)
	bundle, _ := pack(t, b, ids, handover.PackOptions{})
	pairs := keyPairs(t)
	forAge := seal(t, bundle, handover.Recipients{Keys: []string{pairs[0].public}}, false)
	open := func(data []byte, with handover.Opener) error {
		_, err := handover.Unseal(bytes.NewReader(data), with)
		return err
	}
	refused(t, open(forAge, pairs[1].opener()), "handover.not_for_you")
	refused(t, open(forAge, handover.Opener{}), "handover.needs_key")
	refused(t, open(forAge, words()), "handover.needs_key")
	refused(t, open(forAge, handover.Opener{Identities: []connectors.Secret{secret("AGE-SECRET-KEY-1QQQ")}}), "handover.identity")
	refused(t, open([]byte("hello"), words()), "handover.kind")
	refused(t, open(nil, words()), "handover.kind")
	refused(t, open(forAge[:100], pairs[0].opener()), "handover.damaged")
	newer := strings.Replace(small, `"version":1`, `"version":2`, 1)
	refused(t, open(cheap(t, []byte(newer), 1, false), words()), "handover.version")
	for text, want := range map[string]string{
		`{"jackfield":"answer","version":1}`: "handover.kind.answer",
		`{"some":"json"}`:                    "handover.kind",
		`PK`:                                 "handover.kind",
		`{"jackfield":"bundle","version":0}`: "handover.damaged",
		`{"jackfield":"bundle","version":1,"connections":[{"id":"1","type":"../x"}]}`:                             "handover.damaged",
		`{"jackfield":"bundle","version":1,"connections":[{"id":"1","type":"a"},{"id":"1","type":"a"}]}`:          "handover.damaged",
		`{"jackfield":"bundle","version":1,"connections":[{"id":"1","type":"a","plain":{"A B":"x"}}]}`:            "handover.damaged",
		`{"jackfield":"bundle","version":1,"connections":[{"id":"1","type":"a","plain":{"a":{"deep":"thing"}}}]}`: "handover.damaged",
	} {
		t.Run(want, func(t *testing.T) { refused(t, open(cheap(t, []byte(text), 1, false), words()), want) })
	}
	refused(t, open(bytes.Repeat([]byte("x"), handover.MaxSize+1), words()), "handover.large")
	refused(t, open(cheap(t, bytes.Repeat([]byte(" "), handover.MaxSize/2), 1, false), words()), "handover.kind")
	for data, want := range map[string]handover.Sort{"": handover.SortNone, "{": handover.SortNone, "hello": handover.SortNone,
		string(forAge): handover.SortKeys, `{"jackfield":"request"}`: handover.SortRequest} {
		if got := handover.Sealed([]byte(data)); got != want {
			t.Errorf("%.20q is taken for %s", data, got)
		}
	}
}

func TestRecipientsAreChecked(t *testing.T) {
	b, ids := household(t)
	bundle, _ := pack(t, b, ids, handover.PackOptions{})
	dir := t.TempDir()
	make := func(typ, bits string) (public, private string) {
		path := filepath.Join(dir, typ+bits)
		run(t, nil, "ssh-keygen", "-q", "-t", typ, "-b", bits, "-N", "", "-f", path)
		one, err := os.ReadFile(path + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(one), string(two)
	}
	short, _ := make("rsa", "1024")
	curve, _ := make("ecdsa", "256")
	_, private := make("ed25519", "256")
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		to   handover.Recipients
		want string
	}{
		{handover.Recipients{}, "handover.no_recipient"},
		{handover.Recipients{Keys: []string{" \n# a comment\n"}}, "handover.no_recipient"},
		{handover.Recipients{Passphrase: secret("practice-only"), Keys: []string{id.Recipient().String()}}, "handover.either"},
		{handover.Recipients{Keys: []string{short}}, "handover.recipient_short"},
		{handover.Recipients{Keys: []string{curve}}, "handover.recipient_kind"},
		{handover.Recipients{Keys: []string{"age1yubikey1qwerty"}}, "handover.recipient"},
		{handover.Recipients{Keys: []string{"age1zzz"}}, "handover.recipient_kind"},
		{handover.Recipients{Keys: []string{id.String()}}, "handover.recipient_private"},
		{handover.Recipients{Keys: []string{private}}, "handover.recipient_private"},
		{handover.Recipients{Keys: []string{id.Recipient().String(), "nonsense"}}, "handover.recipient"},
	} {
		var out bytes.Buffer
		err := handover.Seal(&out, bundle, c.to, false)
		refused(t, err, c.want)
		if out.Len() > 0 {
			t.Errorf("%s: something was written", c.want)
		}
		if text := fmt.Sprintf("%v %+v", err, connectors.Explain(err)); strings.Contains(text, "AGE-SECRET-KEY") || strings.Contains(text, "b3BlbnNzaC1r") {
			t.Errorf("a private key is repeated: %s", text)
		}
	}
	var out bytes.Buffer
	refused(t, handover.Seal(&out, handover.Bundle{}, handover.Recipients{Passphrase: secret("practice-only")}, false), "handover.nothing")
}
