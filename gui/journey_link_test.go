package gui

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/keys"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
)

// rowsSeen is a CSV file's table in the preview.
func (r *room) rowsSeen(cell string) {
	r.t.Helper()
	r.until("the rows with "+cell, func() bool { return strings.Contains(r.texts(), cell) })
}

func (h *hands) linkedOK(what string) {
	h.t.Helper()
	h.until("the link of "+what, func() bool {
		return h.linked() && (h.a.form.c.State == link.OK || h.a.form.c.State == link.Partial)
	})
	h.settle()
}

func TestJourney01FirstStartToRowsByKeyboard(t *testing.T) {
	h := inHand(newRoom(t, roomOptions{practice: true, openURL: practice.SignIn}))
	h.tabTo("Try the practice services")
	h.hit(fyne.KeyReturn)
	h.until("the practice connections", func() bool { return len(h.a.list) == 6 && h.a.form != nil })
	h.shot("journey-01-keyboard-prepared")
	h.chord(fyne.KeyReturn)
	h.linkedOK("the files")
	h.tabTo("the tree")
	h.typed("offices")
	h.rowsSeen("Mill Yard, Unit 4")
	h.shot("journey-01-keyboard-rows")
	t.Logf("%d actions", h.done)
}

func TestJourney01FirstStartToRowsByMouse(t *testing.T) {
	h := inHand(newRoom(t, roomOptions{practice: true, openURL: practice.SignIn}))
	h.tap("Try the practice services")
	h.until("the practice connections", func() bool { return len(h.a.list) == 6 && h.a.form != nil })
	h.tap("Link account")
	h.linkedOK("the files")
	h.tap("offices.csv")
	h.rowsSeen("Mill Yard, Unit 4")
	h.shot("journey-01-mouse-rows")
	t.Logf("%d actions", h.done)
}

// answersOf are the practice services' answers, for connections of one's own.
func answersOf(t *testing.T) map[string]connectors.Settings {
	t.Helper()
	s, err := practice.Start(t.Context(), practice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	out := map[string]connectors.Settings{}
	for _, c := range s.Connections() {
		out[c.TypeID] = c.Settings
	}
	return out
}

// refusedAtPassword waits for the failure, whose field has the focus.
func (h *hands) refusedAtPassword() {
	h.t.Helper()
	h.until("the refusal", func() bool { return h.linked() && h.a.form.c.State == link.Failed })
	if f := h.a.win.Canvas().Focused(); f != fyne.Focusable(h.a.form.field("password").entry) {
		h.t.Fatalf("the focus is on %T, not on the password", f)
	}
	h.sees("refused the sign-in")
}

func TestJourney02WrongPasswordPutRightByKeyboard(t *testing.T) {
	s := answersOf(t)["sftp"]
	h := inHand(newRoom(t, roomOptions{}))
	h.chord(fyne.KeyN)
	h.typed("sftp server")
	h.shot("journey-02-keyboard-gallery")
	h.hit(fyne.KeyReturn)
	h.typed(s.Plain["host"])
	h.tabTo("Port")
	h.retyped(s.Plain["port"])
	h.tabTo("User name")
	h.typed(s.Plain["user"])
	h.tabTo("Password")
	h.typed("practice-only-wrong")
	h.chord(fyne.KeyReturn)
	h.until("the question", func() bool { return h.a.win.Canvas().Overlays().Top() != nil })
	h.shot("journey-02-keyboard-trust")
	h.tabTo("Trust and continue")
	h.hit(fyne.KeyReturn)
	h.refusedAtPassword()
	h.shot("journey-02-keyboard-refused")
	h.retyped(s.Secrets["password"].Reveal())
	h.chord(fyne.KeyReturn)
	h.linkedOK("the files")
	h.shot("journey-02-keyboard-linked")
	t.Logf("%d actions", h.done)
}

func TestJourney02WrongPasswordPutRightByMouse(t *testing.T) {
	s := answersOf(t)["sftp"]
	h := inHand(newRoom(t, roomOptions{}))
	h.tap("New connection")
	h.tapIn("connection types")
	h.typed("sftp")
	h.tap("SFTP server")
	h.tapIn("Host")
	h.typed(s.Plain["host"])
	h.tapIn("Port")
	h.retyped(s.Plain["port"])
	h.tapIn("User name")
	h.typed(s.Plain["user"])
	h.tapIn("Password")
	h.typed("practice-only-wrong")
	h.tap("Link account")
	h.until("the question", func() bool { return h.a.win.Canvas().Overlays().Top() != nil })
	h.tap("Trust and continue")
	h.refusedAtPassword()
	h.shot("journey-02-mouse-refused")
	h.tapIn("Password")
	h.retyped(s.Secrets["password"].Reveal())
	h.tap("Try again")
	h.linkedOK("the files")
	h.shot("journey-02-mouse-linked")
	t.Logf("%d actions", h.done)
}

// keyedServer is OpenSSH with one account, and that account's key as PuTTY
// keeps it, whose line breaks became two characters on its way through a chat.
func keyedServer(t *testing.T) (port, user, key string) {
	t.Helper()
	user = "jf-journey"
	dir := filepath.Dir(server.NewAccount(t, user, "practice-only-unused").Home)
	item, err := keys.Generate("ed25519", "mira@example.com")
	if err != nil {
		t.Fatal(err)
	}
	written := map[keys.Format]string{}
	for _, f := range []keys.Format{"ssh_public", "ppk3"} {
		w, err := keys.Write([]keys.Item{item}, keys.Want(f))
		if err != nil {
			t.Fatal(err)
		}
		written[f] = string(w.Data)
	}
	home := filepath.Join(dir, "shared")
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	server.WriteFile(t, home, "sales.csv", "region,amount\nNorth,12\n", 0o644)
	number := server.FreePort(t)
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	host := filepath.Join(dir, "host")
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", host)
	allowed := server.WriteFile(t, dir, "allowed", written["ssh_public"], 0o644)
	conf := server.WriteFile(t, dir, "sshd.conf", fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nPidFile none\nHostKey %s\nStrictModes no\nAuthorizedKeysFile %s\nUseDNS no\nUsePAM yes\nLogLevel ERROR\nSubsystem sftp internal-sftp -d %s\n", number, host, allowed, home), 0o644)
	server.Start(t, exec.Command(server.Program(t, "sshd", "openssh-server"), "-D", "-e", "-f", conf), fmt.Sprintf("127.0.0.1:%d", number))
	return strconv.Itoa(number), user, strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(written["ppk3"]), "\r", ""), "\n", `\n`)
}

func TestJourney03BrokenPuTTYKeyByKeyboard(t *testing.T) {
	port, user, key := keyedServer(t)
	h := inHand(newRoom(t, roomOptions{}))
	h.chord(fyne.KeyK)
	h.typed("sftp")
	h.hit(fyne.KeyReturn)
	h.typed("127.0.0.1")
	h.tabTo("Port")
	h.retyped(port)
	h.tabTo("User name")
	h.typed(user)
	h.tabTo("Sign in with")
	h.pick("Private key")
	h.tabTo("Private key")
	h.pasteText(key)
	h.chord(fyne.KeyReturn)
	h.until("the question", func() bool { return h.a.win.Canvas().Overlays().Top() != nil })
	h.tabTo("Trust and continue")
	h.hit(fyne.KeyReturn)
	h.linkedOK("the server")
	h.tabTo("the tree")
	h.typed("sales")
	h.rowsSeen("North")
	h.shot("journey-03-keyboard-rows")
	t.Logf("people's task: a PuTTY key with broken lines to rows: %d actions by keyboard", h.done)
}

func TestJourney03BrokenPuTTYKeyByMouse(t *testing.T) {
	port, user, key := keyedServer(t)
	h := inHand(newRoom(t, roomOptions{}))
	h.tap("New connection")
	h.tapIn("connection types")
	h.typed("sftp")
	h.tap("SFTP server")
	h.tapIn("Host")
	h.typed("127.0.0.1")
	h.tapIn("Port")
	h.retyped(port)
	h.tapIn("User name")
	h.typed(user)
	h.tapIn("Sign in with")
	h.tap("Private key")
	h.tapIn("Private key")
	h.pasteText(key)
	h.tap("Link account")
	h.until("the question", func() bool { return h.a.win.Canvas().Overlays().Top() != nil })
	h.tap("Trust and continue")
	h.linkedOK("the server")
	h.tap("sales.csv")
	h.rowsSeen("North")
	h.shot("journey-03-mouse-rows")
	t.Logf("people's task: a PuTTY key with broken lines to rows: %d actions by mouse", h.done)
}

const psql = "PGPASSWORD=practice-only-psql psql -h db.example.com -p 5433 -U reporting -d sales"

func (h *hands) readySeen() {
	h.t.Helper()
	h.until("it to be saved", func() bool { return len(h.a.list) == 1 && !h.a.form.unsaved })
	h.sees("Readiness")
	h.sees("Untested")
	if p := h.a.form.c.Plain; p["host"] != "db.example.com" || p["port"] != "5433" || p["user"] != "reporting" || p["database"] != "sales" || h.shows("practice-only-psql") {
		h.t.Errorf("%v", p)
	}
}

func TestJourney04PsqlCommandByKeyboard(t *testing.T) {
	h := inHand(newRoom(t, roomOptions{}))
	h.pasteText(psql)
	h.until("the form", func() bool { return h.a.form != nil && h.a.form.t.ID == "postgres" })
	h.shot("journey-04-keyboard-filled")
	h.chord(fyne.KeyS)
	h.readySeen()
	h.shot("journey-04-keyboard-ready")
	t.Logf("%d actions", h.done)
}

func TestJourney04PsqlCommandByMouse(t *testing.T) {
	h := inHand(newRoom(t, roomOptions{}))
	h.app.Clipboard().SetContent(psql)
	h.tap("Paste anything")
	h.tap("Paste from the clipboard")
	h.until("the form", func() bool { return h.a.form != nil && h.a.form.t.ID == "postgres" })
	h.tap("Save")
	h.readySeen()
	h.shot("journey-04-mouse-ready")
	t.Logf("%d actions", h.done)
}
