// Package configs reads the configuration files of other programs: rclone.conf,
// an OpenSSH client configuration, .env, .pgpass and their like. No file that they
// name is opened, and nothing is taken from the environment.
package configs

import (
	"fmt"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/part"
)

// An Address reads one connection address.
type Address func(types []connectors.Type, text string) (part.Item, bool)

// Bounds of what is read.
const (
	maxText  = 1 << 20
	maxItems = 500
	maxLines = 50_000
)

// A source is one input on its way through the formats.
type source struct {
	part.Input
	name    string // of the file, lower case
	text    string
	address fill.Address
	out     part.Found
	shut    bool // known, and nothing in it can be read
}

// A format takes what it knows; false: it is another one's.
type format func(s *source) bool

// Read reads a configuration file; false where it is none of ours.
func Read(in part.Input, address Address) (part.Found, bool) {
	if in.Text == "" || len(in.Text) > maxText || strings.Count(in.Text, "\n") > maxLines {
		return part.Found{}, false
	}
	for _, f := range formats() {
		s := &source{Input: in, name: strings.ToLower(in.Name), text: fill.Unmarked(in.Text), address: fill.Address(address)}
		if f(s) && (len(s.out.Items) > 0 || s.out.Locked || s.shut) {
			return s.out, true
		}
	}
	return part.Found{}, false
}

// formats begins with what is told by a line of its own.
func formats() []format {
	return []format{lockedRclone, putty, winscp, sshConfig, iniFile, accessKeys, yamlFile, tnsnames, netrc, mosquitto, pgpass, properties, environment}
}

func (s *source) add(name, where string, drafts ...*fill.Draft) {
	if len(s.out.Items) >= maxItems {
		return
	}
	if it, ok := fill.Item(name, where, drafts...); ok {
		s.out.Items = append(s.out.Items, it)
	}
}

func (s *source) leave(name, why string) {
	for _, l := range s.out.Left {
		if l.Name == name {
			return
		}
	}
	if len(s.out.Left) < 100 {
		s.out.Left = append(s.out.Left, part.Left{Name: connectors.Clean(name, 200), Why: why})
	}
}

// what says how many of things there are.
func (s *source) what(file, thing string) {
	s.out.What = fmt.Sprintf("%s with %d %ss", file, len(s.out.Items), thing)
	if len(s.out.Items) == 1 {
		s.out.What = fmt.Sprintf("%s with one %s", file, thing)
	}
	for i := range s.out.Items {
		if len(s.out.Items) == 1 {
			s.out.Items[i].Where = ""
		}
	}
}

func lockedRclone(s *source) bool {
	if !strings.Contains(s.text, "RCLONE_ENCRYPT_V0:") {
		return false
	}
	s.out.What = "an rclone.conf that is locked with a password"
	s.shut = true // rclone's own key derivation: no passphrase is asked for that could not help
	s.leave("the whole file", "Take the password off with “rclone config”, or paste what “rclone config show” prints.")
	return true
}
