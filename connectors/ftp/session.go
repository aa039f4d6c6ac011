package ftp

import (
	"context"
	"path"
	"strings"
	"sync"
	"unicode/utf8"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

type session struct {
	*files.Tree
	env   *connectors.Env
	c     config
	home  string
	root  string
	facts []connectors.Fact
	slots chan struct{} // holds one item for every connection in use

	mu     sync.Mutex
	closed bool
	idle   []*conn
	busy   map[*conn]bool
	back   chan struct{} // closed when a connection comes back
}

func (s *session) account() string {
	if s.c.Auth == anonymous {
		return anonymous + "@" + s.c.Host
	}
	return s.c.User + "@" + s.c.Host
}

// begin signs in and finds the folder to begin with.
func (s *session) begin(ctx context.Context) error {
	s.busy = map[*conn]bool{}
	if s.c.Port == 0 {
		s.c.Port = 21
		if s.c.TLS == tlsImplicit {
			s.c.Port = 990
		}
	}
	c, err := s.connect(ctx, true)
	if err != nil {
		return err
	}
	s.slots <- struct{}{}
	if err := s.adopt(c); err != nil {
		return err
	}
	defer s.give(c)
	s.home = s.shown(c.home)
	s.root = s.home
	if s.c.Folder != "" {
		s.root = s.c.Folder
		if !path.IsAbs(s.root) {
			s.root = path.Join("/", s.home, s.root)
		}
	}
	s.facts = s.about(c)
	return s.env.Climb(ctx, connectors.StageRights, s.root, func(ctx context.Context) (string, error) {
		defer c.under(ctx)()
		return s.root, s.enter(c)
	})
}

// enter goes into the folder. Only when one was asked for is its refusal the end:
// Check tells what may be listed.
func (s *session) enter(c *conn) error {
	r, err := c.onPath("CWD", s.root)
	if err != nil || r.done() {
		return err
	}
	if s.c.Folder == "" {
		return nil
	}
	if size, err := c.onPath("SIZE", s.root); err == nil && size.code == 213 {
		return &connectors.Error{Code: connectors.BadInput, Reason: "ftp.not_a_folder", Target: s.root, Field: "folder"}
	}
	return field(s.refusedAt(s.root, r), "folder")
}

func (s *session) about(c *conn) []connectors.Fact {
	out := []connectors.Fact{{Label: "Account", Text: s.account()}}
	add := func(label, text string) {
		if text = strings.Join(strings.Fields(text), " "); text != "" {
			out = append(out, connectors.Fact{Label: label, Text: connectors.Clean(text, 300)})
		}
	}
	add("Server", c.hello)
	add("System", c.system)
	if c.cfg == nil {
		add("Encryption", "none: everybody on the way can read the password and the files")
	} else {
		add("Encryption", c.secure)
	}
	add("Home folder", s.home)
	add("Folder", s.root)
	if c.has("MLST") || c.has("MLSD") {
		add("Listings", "with exact times and rights (MLSD)")
	} else {
		add("Listings", "as the server writes them (LIST)")
	}
	return out
}

// Check lists the beginning of the folder, because only that proves that a data
// connection comes about.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	facts := append([]connectors.Fact(nil), s.facts...)
	for _, err := range (shelf{s}).List(ctx, "") {
		if connectors.CodeOf(err) == connectors.Denied {
			return facts, &connectors.Error{Code: connectors.Denied, Reason: "ftp.not_listed", Op: connectors.StageRights, Target: s.root, Field: "folder", Partial: true, Err: err}
		}
		if err != nil {
			return nil, err
		}
		break
	}
	return facts, nil
}

// wire is how a text may be spelled in the server's letters, the likeliest first.
// RFC 2640 wants UTF-8; older servers send the bytes of the files' names.
func (s *session) wire(text string) []string {
	latin, fits := toLatin(text)
	switch {
	case !fits || latin == text:
		return []string{text}
	case s.c.Names == namesLatin:
		return []string{latin}
	}
	return []string{text, latin}
}

// shown is what came from the server as text. What is no UTF-8 is Latin-1.
func (s *session) shown(raw string) string {
	if s.c.Names != namesLatin && utf8.ValidString(raw) {
		return raw
	}
	var b strings.Builder
	for i := range len(raw) {
		b.WriteRune(rune(raw[i]))
	}
	return b.String()
}

func toLatin(text string) (string, bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		out = append(out, byte(r))
	}
	return string(out), true
}
