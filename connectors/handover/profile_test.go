package handover_test

import (
	"maps"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/handover"
	"jackfield/connectors/link"
)

func TestAProfileIsReadable(t *testing.T) {
	b := book(newShelf())
	c := save(t, b, "sftp", "Upload: invoices", map[string]string{"host": "sftp.example.com", "port": "22", "user": "no", "folder": "/in", "known_hosts_file": "a ssh-ed25519 AAAA\nb ssh-rsa BBBB\n"},
		map[string]string{"password": "practice-only-password", "known_hosts": "practice-only-trusted"})
	c.Facts, c.Account = []connectors.Fact{{Label: "Account", Text: "practice-person"}}, "practice-person"
	typ, err := b.Type("sftp")
	if err != nil {
		t.Fatal(err)
	}
	got := handover.Profile(typ, c)
	want := `jackfield: profile/1
# SFTP server
type: sftp
name: 'Upload: invoices'
description: Of the practice.
answers:
  # Host
  host: sftp.example.com
  # Port
  port: "22"
  # User name
  user: "no"
  # Folder
  folder: /in
  # Lines of a known_hosts file
  known_hosts_file: |
    a ssh-ed25519 AAAA
    b ssh-rsa BBBB
secrets:
  # Password
  password: stored
`
	if got != want {
		t.Errorf("the profile is\n%s", got)
	}
	if strings.Contains(got, "practice-only") || strings.Contains(got, "practice-person") || strings.Contains(got, c.ID) {
		t.Error("it tells too much")
	}
	s, err := handover.ReadProfile([]byte(got))
	if err != nil || s.Type != "sftp" || s.Name != c.Name || !maps.Equal(s.Plain, c.Plain) || !s.Secrets["password"] {
		t.Fatalf("%v: %+v", err, s)
	}
	p := propose(t, b, s.Bundle())
	if p.Items[0].NewName != "Upload: invoices 2" || p.Items[0].Same == nil || len(p.Items[0].Missing) != 0 && p.Items[0].Missing[0] != "password" {
		t.Errorf("the plan is %+v", p.Items[0])
	}
}

func TestProfilesOfEveryType(t *testing.T) {
	odd := []string{"x", "a\nb", "a\nb\n", "\n", " lead", "trail ", "tab\there", "- dash", "# no comment", "key: value", "'quoted'", `"double"`, "null", "~", "true", "1e3", "0x1f", "2027-01-02", "é✓\U0001f600",
		"line\r\nline", "  indented\nless", "a\n\n\nb", "a\n", "a\n\n", "\ta\nb", "a \nb", "#a\nb", "---\nb", "...\nx", "&a", "*a", "!tag", "%x", "@x", "`x", "{a: b}", "[a]", "?", ":", "-", "<<", "=", "a #b", "\u2028x\ny", "\ufeffx\ny", "\x00\x01", "\x7f", "a\u0085b\nc", strings.Repeat("long words ", 300)}
	for _, typ := range types() {
		typ = link.Extended(typ)
		c := link.Connection{Type: typ.ID, Name: "A name", Plain: map[string]string{}}
		for i, f := range typ.Form.Fields {
			if f.Kind.Secret() {
				c.SecretKeys = append(c.SecretKeys, f.Key)
			} else {
				c.Plain[f.Key] = odd[(i+len(typ.ID))%len(odd)]
			}
		}
		for i, v := range odd {
			c.Plain["own_"+strings.Repeat("x", i%40)+string(rune('a'+i%26))] = v
		}
		text := handover.Profile(typ, c)
		if text != handover.Profile(typ, c) {
			t.Errorf("%s: it is not the same twice", typ.ID)
		}
		s, err := handover.ReadProfile([]byte(text))
		if err != nil || !maps.Equal(s.Plain, c.Plain) || len(s.Secrets) != len(c.SecretKeys) {
			for k, v := range c.Plain {
				if s.Plain[k] != v {
					t.Errorf("%s: %s is %q, not %q", typ.ID, k, s.Plain[k], v)
				}
			}
			t.Fatalf("%s: %v", typ.ID, err)
		}
	}
}

func TestProfileLeavesPasswordsInAddressesOut(t *testing.T) {
	b := book(newShelf())
	typ, err := b.Type("webdav")
	if err != nil {
		t.Fatal(err)
	}
	got := handover.Profile(typ, link.Connection{Type: "webdav", Name: "A", Plain: map[string]string{"url": "https://me:practice-only@dav.example.com/x"}})
	if strings.Contains(got, "practice-only") || !strings.Contains(got, "https://me@dav.example.com/x") {
		t.Error(got)
	}
}

func TestHostileProfiles(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x]\n"
	for i := range 20 {
		last := string(rune('a' + i))
		bomb += string(rune('b'+i)) + ": &" + string(rune('b'+i)) + " [*" + last + strings.Repeat(",*"+last, 8) + "]\n"
	}
	head := "jackfield: profile/1\ntype: sftp\nname: A\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":        {"", "handover.profile"},
		"text":         {"hello", "handover.kind.profile"},
		"other":        {"a: b", "handover.kind.profile"},
		"newer":        {"jackfield: profile/2", "handover.version"},
		"bomb":         {head + bomb, "handover.profile"},
		"bomb inside":  {head + "answers: {a: &x [1], b: *x}\n", "handover.profile"},
		"alias":        {head + "answers: {a: &x one, b: *x}\n", "handover.profile"},
		"merge":        {head + "answers: {<<: {a: b}}\n", "handover.profile"},
		"deep":         {head + "answers: " + strings.Repeat("[", 50_000), "handover.profile"},
		"deep maps":    {head + "answers: " + strings.Repeat("{a: ", 20_000), "handover.profile"},
		"twice":        {head + "answers: {a: b, a: c}\n", "handover.profile"},
		"two":          {head + "---\n" + head, "handover.profile"},
		"binary":       {head + "answers: {a: !!binary aGk=}\n", "handover.profile"},
		"large":        {strings.Repeat("a", 256<<10+1), "handover.large"},
		"no type":      {"jackfield: profile/1\n", "handover.profile"},
		"type in path": {"jackfield: profile/1\ntype: ../x\n", "handover.profile"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := handover.ReadProfile([]byte(c.text))
			refused(t, err, c.want)
		})
	}
}
