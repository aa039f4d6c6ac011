//go:build unix

package sftp

import (
	"encoding/binary"
	"io"
	"net"

	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// A standIn is an SFTP server of version 3 that answers as another system does:
// its folders are a map, and its ways are switches.
type standIn struct {
	version    string
	home       string // what REALPATH says; "" for a server that does not know it
	tree       map[string][]string
	noLong     bool // no long listing
	noMode     bool // no attributes at all in listings
	oneChannel bool
}

// windows answers as OpenSSH for Windows does: drives lie in /, a drive's root
// needs its slash, and / itself may not be looked at closer.
func windows(home string) *standIn {
	return &standIn{version: "SSH-2.0-OpenSSH_for_Windows_9.5", home: home, tree: map[string][]string{
		"/": {"C:/", "D:/"}, "/C:/": {"Users/", "boot.ini"}, "/D:/": {"backup.csv"},
		"/C:/Users": {"mira/"}, "/C:/Users/mira": {"report.csv", "Eigene Dateien/"}, "/C:/Users/mira/Eigene Dateien": {},
	}}
}

// kind finds what is at a path: a folder, a file, or nothing.
func (w *standIn) kind(p string) (folder, found bool) {
	if _, ok := w.tree[p]; ok {
		return true, true
	}
	dir, name := p[:strings.LastIndexByte(p, '/')+1], p[strings.LastIndexByte(p, '/')+1:]
	if _, ok := w.tree[dir]; !ok {
		dir = strings.TrimSuffix(dir, "/")
	}
	return false, slices.Contains(w.tree[dir], name)
}

func (w *standIn) attrs(folder bool) []byte {
	mode := uint32(0o100666)
	if folder {
		mode = 0o040777
	}
	b := binary.BigEndian.AppendUint32(nil, attrSize|attrPermissions)
	b = binary.BigEndian.AppendUint64(b, 8)
	return binary.BigEndian.AppendUint32(b, mode)
}

func packed(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
	}
	return b
}

// serve answers one channel; handles are the paths themselves.
func (w *standIn) serve(ch io.ReadWriter) {
	read := map[string]bool{}
	l := lister{w: ch, r: ch}
	for {
		kind, body, err := l.receive()
		if err != nil {
			return
		}
		if kind == fxInit {
			_ = l.send(fxVersion, binary.BigEndian.AppendUint32(nil, 3))
			continue
		}
		r := reader{b: body}
		id := binary.BigEndian.AppendUint32(nil, r.u32())
		arg := r.text()
		status := func(code uint32) {
			_ = l.send(fxStatus, append(binary.BigEndian.AppendUint32(id, code), packed("", "")...))
		}
		folder, found := w.kind(arg)
		switch {
		case kind == 16 && w.home == "": // REALPATH
			status(8)
		case kind == 16:
			_ = l.send(fxName, append(append(append(id, 0, 0, 0, 1), packed(w.home, w.home)...), 0, 0, 0, 0))
		case kind == fxReaddir && read[arg]:
			status(statusEOF)
		case kind == fxReaddir:
			read[arg] = true
			_ = l.send(fxName, append(id, w.names(arg)...))
		case kind == fxClose:
			status(0)
		case !found, kind == fxOpendir && !folder:
			status(2)
		case kind == fxOpendir:
			delete(read, arg)
			_ = l.send(fxHandle, append(id, packed(arg)...))
		case kind == 7, kind == 17: // LSTAT, STAT
			_ = l.send(105, append(id, w.attrs(folder)...))
		default:
			status(8)
		}
	}
}

func (w *standIn) names(dir string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(w.tree[dir])))
	for _, name := range w.tree[dir] {
		name, folder := strings.CutSuffix(name, "/")
		long := map[bool]string{true: "drwxrwxrwx", false: "-rw-rw-rw-"}[folder] + " 1 - - 8 Jan 01 2026 " + name
		if w.noLong {
			long = ""
		}
		b = append(b, packed(name, long)...)
		if w.noMode {
			b = append(b, 0, 0, 0, 0)
			continue
		}
		b = append(b, w.attrs(folder)...)
	}
	return b
}

// start serves the stand-in and returns settings that open it.
func (w *standIn) start(t *testing.T, more ...string) connectors.Settings {
	t.Helper()
	name := filepath.Join(t.TempDir(), "host")
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", name)
	host, err := ssh.ParsePrivateKey([]byte(read(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &ssh.ServerConfig{NoClientAuth: true, ServerVersion: w.version}
	cfg.AddHostKey(host)
	_, port := conntest.Serve(t, func(c net.Conn) { w.accept(c, cfg) })
	return conntest.Settings(Type(), []string{"host", "127.0.0.1", "port", port, "user", "mira", "auth", "password", "password", password}, more...)
}

func (w *standIn) accept(c net.Conn, cfg *ssh.ServerConfig) {
	_, chans, reqs, err := ssh.NewServerConn(c, cfg)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(reqs)
	n := 0
	for one := range chans {
		if n++; w.oneChannel && n > 1 {
			_ = one.Reject(ssh.ResourceShortage, "one is enough")
			continue
		}
		ch, reqs, err := one.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range reqs {
				_ = r.Reply(r.Type == "subsystem", nil)
				if r.Type == "subsystem" {
					go func() { w.serve(ch); _ = ch.Close() }()
				}
			}
		}()
	}
}

func TestWindowsStandIn(t *testing.T) {
	for _, c := range []struct {
		name, home, folder string
		root               string
		names              string
	}{
		{"home", "/C:/Users/mira", "", "/C:/Users/mira", "Eigene Dateien report.csv"},
		{"an old build's home", "C:/Users/mira", "", "/C:/Users/mira", "Eigene Dateien report.csv"},
		{"backslashes", `C:\Users\mira`, "", "/C:/Users/mira", "Eigene Dateien report.csv"},
		{"the drives", "/C:/Users/mira", "/", "/", "C: D:"},
		{"a drive", "/C:/Users/mira", "D:", "/D:", "backup.csv"},
		{"a drive's root", "/C:/Users/mira", `C:\`, "/C:", "Users boot.ini"},
		{"a folder as typed", "/C:/Users/mira", `C:\Users\mira\Eigene Dateien`, "/C:/Users/mira/Eigene Dateien", ""},
		{"a folder below home", "/C:/Users", `mira\Eigene Dateien`, "/C:/Users/mira/Eigene Dateien", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			session := works(t, windows(c.home).start(t, "folder", c.folder), conntest.TrustAll())
			if root := session.(interface{ top() string }).top(); strings.TrimSuffix(root, "/") != strings.TrimSuffix(c.root, "/") {
				t.Errorf("root %s", root)
			}
			if names := sorted(list(t, session, "")); strings.TrimSpace(names) != c.names {
				t.Errorf("%q, want %q", names, c.names)
			}
			if _, err := session.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	session := works(t, windows("/C:/Users/mira").start(t, "folder", "/"), conntest.TrustAll())
	drives := list(t, session, "")
	if n := drives["D:"]; n.ID != "/D:" || !n.Branch || n.Access != "" {
		t.Errorf("%+v", n)
	}
	for n := range list(t, session, string(drives["D:"].ID)) {
		if n != "backup.csv" {
			t.Error(n)
		}
	}
	if got := list(t, session, "/D:")["backup.csv"]; got.ID != "/D:/backup.csv" {
		t.Errorf("%+v", got)
	}
	fails(t, windows("/C:/Users/mira").start(t, "folder", "E:"), conntest.TrustAll(), connectors.NotFound, "sftp.not_found", "folder")
}

func sorted(nodes map[string]connectors.Node) string {
	var names []string
	for n := range nodes {
		names = append(names, n)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// Servers that leave out what version 3 lets them leave out.
func TestSpareServersStandIn(t *testing.T) {
	tree := map[string][]string{"/": {"in/", "x.csv"}, "/in": {"y.csv"}}
	for name, w := range map[string]*standIn{
		"no long listing":                   {home: "/", tree: tree, noLong: true},
		"no attributes":                     {home: "/", tree: tree, noMode: true},
		"no long listing and no attributes": {home: "/", tree: tree, noLong: true, noMode: true},
		"no real path":                      {tree: tree},
		"one channel":                       {home: "/", tree: tree, oneChannel: true},
		"one channel, no attributes":        {home: "/", tree: tree, oneChannel: true, noMode: true, noLong: true},
	} {
		t.Run(name, func(t *testing.T) {
			w.version = "SSH-2.0-1.82_sshlib GlobalSCAPE"
			session := works(t, w.start(t), conntest.TrustAll())
			got := list(t, session, "")
			if len(got) != 2 || !got["in"].Branch || got["x.csv"].Branch || got["x.csv"].Access != "" {
				t.Errorf("%+v", got)
			}
			if below := list(t, session, string(got["in"].ID)); len(below) != 1 || below["y.csv"].ID != "/in/y.csv" {
				t.Errorf("%+v", below)
			}
		})
	}
}

// Names that a server makes up to lead elsewhere stay names.
func TestSecurity49_HostileNamesStandIn(t *testing.T) {
	w := &standIn{version: "SSH-2.0-x", home: "/", tree: map[string][]string{"/": {"..", ".", "", "../../etc/passwd", "a//b", "\u202egpj.exe", strings.Repeat("n", 200_000)}}}
	session := works(t, w.start(t), conntest.TrustAll())
	got := list(t, session, "")
	if len(got) != 4 {
		t.Errorf("%d names", len(got))
	}
	for name, n := range got {
		if n.ID == "" || n.Name != name || string(n.ID) == "/" {
			t.Errorf("%.80q: %.80q", name, n.ID)
		}
	}
}

func (s *session) top() string { return s.root }
