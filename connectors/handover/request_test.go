package handover_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"jackfield/connectors/handover"
	"jackfield/connectors/link"
)

func asked() handover.Request {
	return handover.Request{From: "Anna", Note: "Two, please.\nThanks!", Items: []handover.Asked{
		{Type: "postgres", Name: "Orders", Plain: map[string]string{"host": "db.example.com", "database": "orders"}, Note: "Read only."},
		{Type: "ssh", Name: "Jump", Ask: []string{"user"}, Plain: map[string]string{"host": "169.254.169.254", "identity": "Production", "password": "practice-only-planted"}},
	}}
}

func desk(t *testing.T) (*handover.Desk, *shelf) {
	t.Helper()
	s := newShelf()
	n := 0
	return handover.NewDesk(s, func() time.Time {
		n++
		return time.Date(2027, 3, 1, 8, n, 0, 0, time.UTC)
	}), s
}

func made(t *testing.T, d *handover.Desk, r handover.Request) handover.Request {
	t.Helper()
	out, err := d.New(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// colleague answers r from a book of their own.
func colleague(t *testing.T, r handover.Request) ([]byte, []string) {
	t.Helper()
	b := book(newShelf())
	who := save(t, b, "user_password", "Mine", map[string]string{"user": "reader"}, map[string]string{"password": "practice-only-lent"})
	jump := save(t, b, "ssh", "My jump", map[string]string{"host": "j.example.com", "user": "x"}, map[string]string{"password": "practice-only-own"})
	db := save(t, b, "postgres", "My orders", map[string]string{"host": "db2.example.com", "database": "orders", "identity": who.ID, "place": "on_premise", "via": "ssh", "via_account": jump.ID}, nil)
	a, notes, err := handover.NewAnswer(t.Context(), b, r, map[int]string{0: db.ID}, "Here you are.")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := handover.SealAnswer(&out, r, a); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), notes
}

func TestARequestIsAnswered(t *testing.T) {
	d, kept := desk(t)
	mine := made(t, d, asked())
	seen, err := handover.ReadRequest(mine.File())
	if err != nil || seen.Words() != mine.Words() || len(strings.Fields(seen.Words())) != 6 {
		t.Fatalf("%v: %q and %q", err, seen.Words(), mine.Words())
	}
	answer, notes := colleague(t, seen)
	if handover.Sealed(answer) != handover.SortAnswer || handover.Sealed(mine.File()) != handover.SortRequest {
		t.Errorf("they are taken for %s and %s", handover.Sealed(answer), handover.Sealed(mine.File()))
	}
	if !slices.Contains(notes, "The way to the server of “My orders” stays here: the other side chooses its own.") {
		t.Errorf("notes: %q", notes)
	}
	r, bundle, err := d.Open(t.Context(), answer)
	if err != nil || r.ID != mine.ID || len(bundle.Connections) != 1 {
		t.Fatalf("%v: %+v", err, bundle)
	}
	c := bundle.Connections[0]
	if c.Name != "Orders" || c.Plain["user"] != "reader" || c.Secrets["password"].Reveal() != "practice-only-lent" || c.Plain["via"] != "" || c.Tested.State != link.Prepared {
		t.Errorf("the answer is %+v", c)
	}
	if len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "db2.example.com") {
		t.Errorf("the other host is not told: %q", c.Notes)
	}
	if text := fmt.Sprint(revealed(bundle)); strings.Contains(text, "practice-only-own") {
		t.Errorf("the colleague's jump host is in it: %s", text)
	}
	b := book(newShelf())
	got, err := handover.Import(t.Context(), b, propose(t, b, bundle), []int{0})
	if err != nil || got[0].State != link.Prepared || got[0].Name != "Orders" {
		t.Errorf("imported %+v, %v", got, err)
	}
	if k, err := d.Get(t.Context(), mine.ID); err != nil || k.Answered.IsZero() {
		t.Errorf("%+v %v", k, err)
	}
	for _, p := range kept.profiles {
		if bytes.Contains(p, []byte("AGE-SECRET-KEY")) {
			t.Error("the key stands in the profile")
		}
	}
	// The program age reads the answer too, with the key of the request.
	key := file(t, "key", []byte(kept.secrets[mine.ID]["identity"]))
	if plain := run(t, answer, "age", "-d", "-i", key); !bytes.Contains(plain, []byte(`"jackfield": "answer"`)) {
		t.Errorf("age reads %.60q", plain)
	}
	other := keyPairs(t)[0]
	cmd := exec.CommandContext(t.Context(), "age", "-d", "-i", other.path)
	cmd.Stdin = bytes.NewReader(answer)
	if cmd.Run() == nil {
		t.Error("another key opens the answer")
	}
}

func TestARequestIsWithdrawnAndMadeAgain(t *testing.T) {
	d, kept := desk(t)
	first := made(t, d, asked())
	answer, _ := colleague(t, first)
	second, err := d.Again(t.Context(), first.ID)
	if err != nil || second.Key == first.Key || second.ID == first.ID || second.Words() == first.Words() {
		t.Fatalf("%+v %v", second, err)
	}
	_, _, err = d.Open(t.Context(), answer)
	refused(t, err, "handover.withdrawn")
	if len(kept.secrets[first.ID]) > 0 {
		t.Error("the key is still there")
	}
	if err := d.Withdraw(t.Context(), first.ID); err != nil {
		t.Errorf("withdrawn twice: %v", err)
	}
	all, err := d.List(t.Context())
	if err != nil || len(all) != 2 || all[0].ID != second.ID || all[1].Withdrawn.IsZero() {
		t.Errorf("%+v %v", all, err)
	}
	answer, _ = colleague(t, second)
	if _, _, err := d.Open(t.Context(), answer); err != nil {
		t.Error(err)
	}
	if err := d.Remove(t.Context(), second.ID); err != nil {
		t.Error(err)
	}
	_, _, err = d.Open(t.Context(), answer)
	refused(t, err, "handover.not_for_you")
	_, err = d.Get(t.Context(), second.ID)
	refused(t, err, "handover.no_request")
	// When the old one cannot be withdrawn, there is no new one.
	third := made(t, d, asked())
	kept.noDelete = true
	if _, err := d.Again(t.Context(), third.ID); err == nil {
		t.Error("a failing store withdrew a request")
	}
}

func TestAChangedRequestIsNoticed(t *testing.T) {
	d, _ := desk(t)
	mine := made(t, d, asked())
	changed, err := handover.ReadRequest(bytes.Replace(mine.File(), []byte("db.example.com"), []byte("evil.example.com"), 1))
	if err != nil || changed.Words() == mine.Words() {
		t.Fatalf("%v: %s", err, changed.Words())
	}
	answer, _ := colleague(t, changed)
	_, _, err = d.Open(t.Context(), answer)
	refused(t, err, "handover.other_request")
	b := book(newShelf())
	db := save(t, b, "postgres", "A", nil, nil)
	a, _, err := handover.NewAnswer(t.Context(), b, mine, map[int]string{0: db.ID}, "")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, handover.SealAnswer(io.Discard, changed, a), "handover.other_request")
	_, _, err = handover.NewAnswer(t.Context(), b, mine, map[int]string{1: db.ID}, "")
	refused(t, err, "handover.other_type")
	_, _, err = handover.NewAnswer(t.Context(), b, mine, map[int]string{2: db.ID}, "")
	refused(t, err, "handover.choice")
	_, _, err = handover.NewAnswer(t.Context(), b, mine, nil, "")
	refused(t, err, "handover.nothing")
}

func TestAnAnswerFlippedAtEveryByte(t *testing.T) {
	d, _ := desk(t)
	answer, _ := colleague(t, made(t, d, asked()))
	for i := range answer {
		bad := bytes.Clone(answer)
		bad[i] ^= 1
		if _, b, err := d.Open(t.Context(), bad); err == nil || len(b.Connections) > 0 || !strings.HasPrefix(reason(err), "handover.") {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

func TestWhatIsNoAnswer(t *testing.T) {
	d, _ := desk(t)
	mine := made(t, d, asked())
	open := func(data []byte) error { _, _, err := d.Open(t.Context(), data); return err }
	refused(t, open(mine.File()), "handover.kind.request")
	refused(t, open([]byte("hello")), "handover.kind")
	refused(t, open(cheap(t, []byte(small), 1, false)), "handover.kind.bundle")
	refused(t, open(make([]byte, handover.MaxSize+1)), "handover.large")
	to, err := age.ParseX25519Recipient(mine.Key)
	if err != nil {
		t.Fatal(err)
	}
	forged := func(text string) []byte {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, to)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return out.Bytes()
	}
	refused(t, open(forged(small)), "handover.kind.bundle")
	refused(t, open(forged(`{"jackfield":"answer","version":1,"request":"`+mine.ID+`"}`)), "handover.other_request")
	_, err = handover.Unseal(bytes.NewReader(mine.File()), words())
	refused(t, err, "handover.kind.request")
}

func TestWhatAColleagueIsAsked(t *testing.T) {
	d, _ := desk(t)
	r := made(t, d, asked())
	r.Items = append(r.Items, handover.Asked{Type: "unheard", Name: "X"})
	got := handover.Check(book(newShelf()).Types(), r)
	if !slices.Contains(got[0].Ask, "user") || !slices.Contains(got[0].Ask, "password") || slices.Contains(got[0].Ask, "host") || got[0].Settings.Plain["host"] != "db.example.com" {
		t.Errorf("asked for %v with %v", got[0].Ask, got[0].Settings.Plain)
	}
	if s := got[1].Settings.Plain; s["identity"] != "" || s["password"] != "" || len(got[1].Flags) == 0 || !slices.Contains(got[1].Ask, "user") {
		t.Errorf("the hostile one: %+v", got[1])
	}
	if got[2].Known || got[2].Ask != nil {
		t.Errorf("the unknown one: %+v", got[2])
	}
}

func TestRequestsThatCannotBeRead(t *testing.T) {
	d, _ := desk(t)
	good := made(t, d, asked())
	change := func(from, to string) []byte {
		out := bytes.Replace(good.File(), []byte(from), []byte(to), 1)
		if bytes.Equal(out, good.File()) {
			t.Fatalf("%s is not in it", from)
		}
		return out
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"newer":      {change(`"version": 1`, `"version": 9`), "handover.version"},
		"key":        {change(good.Key, "age1qqq"), "handover.damaged"},
		"id":         {change(good.ID, "../../etc/passwd"), "handover.damaged"},
		"type":       {change(`"postgres"`, `"../x"`), "handover.damaged"},
		"no JSON":    {[]byte("{"), "handover.kind"},
		"other":      {[]byte(`{"jackfield":"bundle","version":1}`), "handover.kind.bundle"},
		"empty":      {[]byte(`{"jackfield":"request","version":1}`), "handover.nothing"},
		"large":      {bytes.Repeat([]byte(" "), 1<<20+1), "handover.large"},
		"deep":       {[]byte(strings.Repeat(`{"a":`, 100_000)), "handover.kind"},
		"sealed":     {cheap(t, []byte(small), 1, true), "handover.kind.sealed"},
		"wrong kind": {change(`"host": "db.example.com"`, `"host": {}`), "handover.damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := handover.ReadRequest(c.data)
			refused(t, err, c.want)
		})
	}
	_, err := d.New(t.Context(), handover.Request{})
	refused(t, err, "handover.nothing")
	_, err = d.New(t.Context(), handover.Request{Items: make([]handover.Asked, 201)})
	refused(t, err, "handover.large")
	wild := asked()
	wild.Note, wild.Items[0].Name, wild.Items[0].Plain = "a\x1b[2J\r\n\tb", "\u202eevil", map[string]string{"host": "\xff\x00"}
	r := made(t, d, wild)
	back, err := handover.ReadRequest(r.File())
	if err != nil || back.Words() != r.Words() || strings.ContainsAny(back.Note+back.Items[0].Name, "\x1b\u202e") || !maps.Equal(back.Items[0].Plain, r.Items[0].Plain) {
		t.Errorf("%v %+v", err, back)
	}
}
