//go:build unix

package ftp

import (
	"bufio"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
)

func TestReplies(t *testing.T) {
	for _, c := range []struct {
		in   string
		code int
		text string
		ok   bool
	}{
		{"220 hello\r\n", 220, "hello", true},
		{"220\r\n", 220, "", true},
		{"220-one\r\n two\r\n220 three\r\n", 220, "one\n two\nthree", true},
		{"211-Features:\r\n MLST a*;\r\n211 End\r\n", 211, "Features:\n MLST a*;\nEnd", true},
		{"220-one\r\n221 other\r\n220 end\n", 220, "one\n221 other\nend", true},
		{"hello\r\n", 0, "", false},
		{"999 x\r\n", 0, "", false},
		{"2200 x\r\n", 0, "", false},
		{"220-never ends\r\n", 0, "", false},
		{"", 0, "", false},
	} {
		r, err := readReply(bufio.NewReader(strings.NewReader(c.in)))
		if (err == nil) != c.ok || r.code != c.code || r.text != c.text {
			t.Errorf("%q: %+v %v", c.in, r, err)
		}
	}
	f := features("Features:\n MLST size*;\nutf8\nREST STREAM\nEnd")
	if f["MLST"] != "size*;" || f["REST"] != "STREAM" {
		t.Errorf("%v", f)
	}
	if _, ok := f["UTF8"]; !ok {
		t.Errorf("%v", f)
	}
}

func TestHumanLines(t *testing.T) {
	for _, c := range []struct {
		in    string
		want  line
		entry bool
		ok    bool
	}{
		{"total 12", line{}, false, true},
		{"-rw-r--r--    1 1001     1001           12 Nov 21 19:36 notes.txt", line{name: "notes.txt", size: 12, mode: "-rw-r--r--", owner: "1001:1001", local: "Nov 21 19:36"}, true, true},
		{"-rw-r--r--    1 a b 12 Nov 21  2025   two  spaces ", line{name: "  two  spaces ", size: 12, mode: "-rw-r--r--", owner: "a:b", local: "Nov 21 2025"}, true, true},
		{"drwxr-xr-x+   2 ftp ftp 4096 Feb 29 2024 sub dir", line{name: "sub dir", kind: "folder", size: -1, mode: "drwxr-xr-x", owner: "ftp:ftp", local: "Feb 29 2024"}, true, true},
		{"drwxr-xr-x 2 DOMAIN\\jo doe users 0 Feb 29 2024 x", line{name: "x", kind: "folder", size: -1, mode: "drwxr-xr-x", owner: "DOMAIN\\jo:doe:users", local: "Feb 29 2024"}, true, true},
		{"lrwxrwxrwx    1 0 0 7 Nov 21 19:36 to-folder -> reports", line{name: "to-folder", kind: "link", target: "reports", size: -1, mode: "lrwxrwxrwx", owner: "0:0", local: "Nov 21 19:36"}, true, true},
		{"prw-r--r--    1 0 0 0 Nov 21 19:36 pipe", line{name: "pipe", kind: "special", size: -1, mode: "prw-r--r--", local: "Nov 21 19:36"}, true, true},
		{"crw-r--r--    1 0 0 1, 3 Nov 21 19:36 null", line{name: "null", kind: "special", size: -1, mode: "crw-r--r--", local: "Nov 21 19:36"}, true, true},
		{"drwxr-xr-x    1 0 0 0 Nov 21 19:36 ..", line{name: "..", kind: "folder", size: -1, mode: "drwxr-xr-x", owner: "0:0", local: "Nov 21 19:36"}, false, true},
		{"-rw-r--r-- 1 u g 5 2026-11-21 19:36 iso", line{name: "iso", size: 5, mode: "-rw-r--r--", owner: "u:g", local: "2026-11-21 19:36"}, true, true},
		{"11-21-26  07:24PM       <DIR>          sub dir", line{name: "sub dir", kind: "folder", size: -1, local: "11-21-26 07:24PM"}, true, true},
		{"11-21-2026  07:24PM              1,234 a.txt", line{name: "a.txt", size: 1234, local: "11-21-2026 07:24PM"}, true, true},
		{"what is this", line{}, false, false},
		{"-rw-r--r--", line{}, false, false},
	} {
		got, entry, ok := humanLine(c.in)
		if entry != c.entry || ok != c.ok || ok && entry && got != c.want {
			t.Errorf("%q:\n%+v %v %v, want\n%+v", c.in, got, entry, ok, c.want)
		}
	}
}

func TestMachineLines(t *testing.T) {
	e, entry, ok := machineLine("Type=file;Size=12;Modify=20261121193734.123;Perm=r;UNIX.mode=0644;UNIX.owner=0;UNIX.ownername=root;  a ; b=c ")
	if !ok || !entry || e.name != " a ; b=c " || e.size != 12 || !e.modified.Equal(time.Date(2026, 11, 21, 19, 37, 34, 0, time.UTC)) || e.owner != "root (0)" || e.access() != connectors.AccessReadable {
		t.Errorf("%+v %v %v", e, entry, ok)
	}
	for in, want := range map[string]connectors.Access{
		"type=dir;perm=el; x": connectors.AccessReadable, "type=dir;perm=e; x": connectors.AccessListed, "type=dir;perm=; x": connectors.AccessDenied,
		"type=file;perm=adfw; x": connectors.AccessDenied, "type=file; x": "", "type=file;perm=r;unix.mode=0600; x": "", "type=OS.unix=slink:/etc;perm=r; x": "",
	} {
		if e, _, ok := machineLine(in); !ok || e.access() != want {
			t.Errorf("%q: %q, want %q", in, e.access(), want)
		}
	}
	for _, in := range []string{"type=cdir; .", "type=pdir; ..", "type=file; "} {
		if e, entry, _ := machineLine(in); entry {
			t.Errorf("%q is no entry: %+v", in, e)
		}
	}
	if e, _, _ := machineLine("type=OS.unix=slink:/etc/x; l"); e.kind != "link" || e.target != "/etc/x" {
		t.Errorf("%+v", e)
	}
}

func TestPassiveReplies(t *testing.T) {
	for in, want := range map[string]string{
		"Entering Passive Mode (192,0,2,7,25,46).": "192.0.2.7:6446", "Entering Passive Mode 192,0,2,7,25,46": "192.0.2.7:6446",
		"(1,2,3)": "", "(256,0,0,1,1,1)": "", "(127,0,0,1,0,0)": "", "nothing": "",
	} {
		host, port, ok := passiveAddr(in)
		if got := host + ":" + port; ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s %v", in, got, ok)
		}
	}
	for in, want := range map[string]string{"ok (|||6446|)": "6446", "(!!!1!)": "1", "(|||0|)": "", "(|||99999|)": "", "(||1|)": "", "": "", "(|||": ""} {
		if port, ok := extendedPort(in); ok != (want != "") || ok && port != want {
			t.Errorf("%q: %s %v", in, port, ok)
		}
	}
	for in, want := range map[string]string{`"/a" is current`: "/a", `"/a ""b"" c"`: `/a "b" c`, `nothing`: "/", `""`: "/"} {
		if got := quoted(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestForm(t *testing.T) {
	for in, want := range map[string]map[string]string{
		"ftp://mira@files.example.com:2121/in/box": {"host": "files.example.com", "port": "2121", "user": "mira", "folder": "in/box"},
		"ftps://files.example.com/":                {"host": "files.example.com", "tls": "implicit"},
		"ftpes://files.example.com":                {"host": "files.example.com", "tls": "explicit"},
		"ftp://anonymous@files.example.com":        {"host": "files.example.com", "auth": "anonymous"},
		"sftp://files.example.com":                 nil,
		"files.example.com":                        nil,
	} {
		got := splitHost(in)
		if len(got) != len(want) {
			t.Errorf("%s: %v", in, got)
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %v", in, got)
			}
		}
	}
	for in, want := range map[string]string{` documents\ `: "documents", `\in\box\`: "/in/box", "": "", "a/../b": "b"} {
		if got := tidyFolder(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add("-rw-r--r--    1 1001     1001           12 Nov 21 19:36 notes.txt")
	f.Add("type=file;size=12; x")
	f.Add("11-21-26  07:24PM       <DIR>          sub dir")
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) (line, bool, bool){humanLine, machineLine} {
			if e, entry, ok := parse(s); entry && (!ok || e.name == "" || e.size < -1) {
				t.Errorf("%q: %+v", s, e)
			}
		}
		_, _ = readReply(bufio.NewReader(strings.NewReader(s)))
		quoted(s)
		passiveAddr(s)
		extendedPort(s)
	})
}
