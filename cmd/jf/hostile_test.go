package main

import (
	"bytes"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors/conntest/server"
)

const (
	mostMemory = 100 << 10   // KB of one call of jf, whatever it is given
	hangs      = time.Minute // a guard on a busy computer, no measure
)

// program is jf as people have it, without what tests add to it.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jf")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// A weighed call of jf: what it said, and what it took.
type weighed struct {
	code   int
	said   string
	peakKB int
	cpu    float64 // seconds
}

// weigher starts a program and writes its peak memory and CPU time into a file.
// A child of this test would begin with the peak of the test itself (getrusage(2)).
const weigher = `import os, resource, subprocess, sys
p = subprocess.run(sys.argv[2:])
r = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write("%d %f" % (r.ru_maxrss, r.ru_utime + r.ru_stime))
os._exit(p.returncode if p.returncode >= 0 else 128 - p.returncode)`

// weigh calls jf, which must end by itself.
func (d *desk) weigh(t *testing.T, jf string, stdin []byte, args ...string) weighed {
	t.Helper()
	note := filepath.Join(t.TempDir(), "note")
	cmd := exec.Command(server.Program(t, "python3", "python3-yaml"), append([]string{"-c", weigher, note, jf}, args...)...)
	cmd.Env, cmd.Stdin = d.env, bytes.NewReader(stdin)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
			t.Fatal(err)
		}
	case <-time.After(hangs):
		_ = cmd.Process.Kill()
		t.Fatalf("jf %q does not end", args)
	}
	w := weighed{code: cmd.ProcessState.ExitCode(), said: said.String()}
	text, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(text), &w.peakKB, &w.cpu); err != nil {
		t.Fatal(err)
	}
	return w
}

// inward matches what is no sentence for a person: a crash, or the words of a
// library about its own types and offsets.
var inward = regexp.MustCompile(`panic:|goroutine \d|runtime error|fatal error|\.go:\d|%!|<nil>|0x[0-9a-f]{6}|\b(?:asn1|x509|pkcs\w*|json|yaml|xml|zip|csv|ssh|age|pem|flate|strconv|encoding): |invalid character|cannot unmarshal|\bEOF\b|\*[a-z]+\.[A-Z]`)

// judge holds a call against what every hostile file must end in.
func (w weighed) judge(t *testing.T) {
	t.Helper()
	said := strings.TrimSpace(w.said)
	if at := strings.LastIndexByte(said, '\n'); at > 0 && strings.HasPrefix(said[at:], "\n  field: ") { // comes after the sentences
		said = said[:at]
	}
	last := said[strings.LastIndexByte(said, '\n')+1:]
	t.Logf("%d MB, %.2f s CPU, exit %d, %d bytes: %.200q", w.peakKB>>10, w.cpu, w.code, len(w.said), last)
	if w.code > 3 || w.code == exitFine && said == "" {
		t.Errorf("it ended with %d", w.code)
	}
	if w.code != exitFine && w.code != exitNobody && !strings.ContainsRune(".?!”", []rune("\n" + last)[len([]rune(last))]) {
		t.Errorf("no sentence: %.500q", last)
	}
	if found := inward.FindString(said[:min(len(said), 64<<10)] + said[max(0, len(said)-64<<10):]); found != "" { // a key's digits between are no words
		t.Errorf("%q is no word for a person: %.500q", found, said)
	}
	if len(w.said) > 4<<20 {
		t.Errorf("it says %d bytes", len(w.said))
	}
	if w.peakKB > mostMemory {
		t.Errorf("it took %d MB", w.peakKB>>10)
	}
}

// A hurtful file, and the calls of jf that are given it as FILE. PASS is a
// passphrase.
type hurtful struct {
	name  string
	data  []byte
	calls []string
	stdin bool // by standard input too
}

const (
	inspect = "keys inspect FILE"
	opening = "keys inspect FILE --passphrase PASS"
	from    = "new --from FILE --dry-run"
	unlock  = "new --from FILE --dry-run --passphrase PASS"
	unpack  = "import FILE --dry-run --passphrase PASS"
	show    = "request show FILE"
	answer  = "request open FILE --dry-run"
	fill    = "request answer FILE --out -"
)

// TestSecurity53_HostileFilesThroughTheProgram gives jf files that were made to
// take its time or memory: it ends by itself, in a sentence, within 100 MB.
func TestSecurity53_HostileFilesThroughTheProgram(t *testing.T) {
	jf, d, dir := program(t), newDesk(t), t.TempDir()
	pass := d.file("pass", hurtfulPhrase+"\n")
	alone := d.weigh(t, jf, nil, "list")
	t.Logf("jf by itself takes %d MB and %.2f s", alone.peakKB>>10, alone.cpu)
	for _, group := range []func() []hurtful{func() []hurtful { return hurtfulKeys(t, dir) }, func() []hurtful { return hurtfulArchives(t) }, hurtfulTexts, func() []hurtful { return hurtfulHandovers(t) }} {
		for _, h := range group() {
			d.hurt(t, jf, pass, h)
		}
	}
	for _, call := range []string{inspect, from, unpack, show, answer, "keys repair FILE", "keys convert FILE --to openssh --out -", "new sftp X --set host=@FILE", "new sftp X --secret password=@FILE"} {
		args := strings.Fields(strings.NewReplacer("FILE", "/dev/zero", "PASS", "@"+pass).Replace(call))
		t.Run("a file without end/"+call, func(t *testing.T) { d.weigh(t, jf, nil, args...).judge(t) })
	}
}

// hurt gives one file to each of its calls.
func (d *desk) hurt(t *testing.T, jf, pass string, h hurtful) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, h.data, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Remove(path) }()
	for _, call := range h.calls {
		args := strings.Fields(call)
		for i, a := range args {
			switch a {
			case "FILE":
				args[i] = path
			case "PASS":
				args[i] = "@" + pass
			}
		}
		t.Run(h.name+"/"+call, func(t *testing.T) { d.weigh(t, jf, nil, args...).judge(t) })
		if at := slices.Index(args, path); h.stdin && at >= 0 {
			args[at] = "-"
			t.Run(h.name+"/"+call+" by pipe", func(t *testing.T) { d.weigh(t, jf, h.data, args...).judge(t) })
		}
	}
}

// TestSecurity73_ABundleFlippedThroughTheProgram: no byte of a sealed file can be
// changed unnoticed. Every byte is tried in connectors/handover.
func TestSecurity73_ABundleFlippedThroughTheProgram(t *testing.T) {
	jf, d, dir := program(t), newDesk(t), t.TempDir()
	key, out := filepath.Join(dir, "age"), filepath.Join(dir, "bundle")
	server.Run(t, server.Program(t, "age-keygen", "age"), "-o", key)
	public := strings.TrimSpace(server.Run(t, server.Program(t, "age-keygen", "age"), "-y", key))
	d.jf("new", "sftp", "Partner", "--set", "host=files.example.com", "--set", "user=acme").exits(exitFine)
	d.jf("export", "--all", "--to", public, "--out", out).exits(exitFine)
	sealed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	flipped := filepath.Join(dir, "flipped")
	for at := 0; at < len(sealed); at += max(1, len(sealed)/40) {
		data := slices.Clone(sealed)
		data[at] ^= 1 << (at % 8)
		if err := os.WriteFile(flipped, data, 0o600); err != nil {
			t.Fatal(err)
		}
		w := d.weigh(t, jf, nil, "import", flipped, "--identity", key, "--yes")
		if w.code == exitFine {
			t.Fatalf("byte %d was changed, and it was imported: %s", at, w.said)
		}
		w.judge(t)
	}
	if w := d.weigh(t, jf, nil, "import", out, "--identity", key, "--dry-run"); w.code != exitFine {
		t.Errorf("unchanged it is not read: %s", w.said)
	}
}

// der is one DER value.
func der(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(derHead(tag, len(body)), body...)
}

func derHead(tag byte, n int) []byte {
	if n < 128 {
		return []byte{tag, byte(n)}
	}
	size := bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, uint32(n)), "\x00")
	return append([]byte{tag, 0x80 | byte(len(size))}, size...)
}

// nestedDER is n sequences in one another.
func nestedDER(n int) []byte {
	var heads [][]byte
	size := 0
	for range n {
		h := derHead(0x30, size)
		size += len(h)
		heads = append(heads, h)
	}
	slices.Reverse(heads)
	return bytes.Join(heads, nil)
}

func block(label string, data []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: data})
}
