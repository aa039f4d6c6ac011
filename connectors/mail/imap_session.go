package mail

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
)

type imapSession struct {
	c     imapConfig
	door  *door
	links pool[*imapLink]
	// spaces are the places where folders can be (RFC 2342).
	spaces []namespace
}

// A namespace is a prefix of folders' names.
type namespace struct {
	prefix, delim string
	kind          string // "" for the account's own, else whose folders they are
}

func startIMAP(ctx context.Context, env *connectors.Env, d *door, c imapConfig) (connectors.Session, error) {
	s := &imapSession{c: c, door: d}
	s.links.enter = func(ctx context.Context) (*imapLink, error) { return s.enter(ctx, env) }
	k, err := s.links.take(ctx)
	if err != nil {
		return nil, err
	}
	what := "folders"
	if c.Folder != "" {
		what = c.Folder
	}
	err = env.Climb(ctx, connectors.StageRights, what, func(ctx context.Context) (string, error) {
		err := k.within(ctx, func() error { return s.survey(k) })
		return what, d.explain(k.wire, err)
	})
	s.links.give(k)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *imapSession) enter(ctx context.Context, env *connectors.Env) (*imapLink, error) {
	w, err := s.door.dial(ctx, env)
	if err != nil {
		return nil, err
	}
	k := newIMAPLink(w, s.c, s.door.addr)
	if k.secured, err = s.door.enter(ctx, env, w, k); err != nil {
		return nil, err
	}
	return k, nil
}

// survey learns where folders are, and proves that the one to begin at is there.
func (s *imapSession) survey(k *imapLink) error {
	if k.can("NAMESPACE") {
		if err := k.run(say("NAMESPACE"), func(r response) error { s.spaces = append(s.spaces, readNamespaces(r)...); return nil }); err != nil {
			return folderError(k, "namespaces", err)
		}
	}
	if s.c.Folder == "" {
		return nil
	}
	raw := encodeName(s.c.Folder)
	f, err := k.look(raw)
	if err == nil && f == nil {
		err = &connectors.Error{Code: connectors.NotFound, Reason: "mail.no_folder", Target: s.c.Folder}
	}
	if err == nil && f.selectable() {
		_, err = k.status(raw)
	}
	if err = folderError(k, s.c.Folder, err); err != nil {
		var known *connectors.Error
		if errors.As(err, &known) {
			e := *known
			e.Op, e.Field = connectors.StageRights, "folder"
			return &e
		}
	}
	return err
}

// readNamespaces reads ((("" "/")) NIL (("Public/" "/"))): own, other users', shared.
func readNamespaces(r response) []namespace {
	name, _, rest := r.kind()
	if name != "NAMESPACE" || r.status != "" {
		return nil
	}
	var out []namespace
	for i, kind := range []string{"", "other users' folders", "shared folders"} {
		if i >= len(rest) {
			break
		}
		for _, v := range rest[i].list {
			out = append(out, namespace{prefix: v.at(0).text, delim: v.at(1).text, kind: kind})
		}
	}
	return out[:min(len(out), 100)]
}

// with borrows a connection for one look.
func (s *imapSession) with(ctx context.Context, do func(*imapLink) error) error {
	k, err := s.links.take(ctx)
	if err != nil {
		return err
	}
	err = k.within(ctx, func() error { return do(k) })
	s.links.give(k)
	return s.explain(k, err)
}

// explain maps what no answer of the server explains.
func (s *imapSession) explain(k *imapLink, err error) error {
	if err == nil {
		return nil
	}
	if s.links.isClosed() {
		return closedError()
	}
	var refused *imapRefusal
	var known *connectors.Error
	if !errors.As(err, &known) && errors.As(err, &refused) {
		return folderError(k, s.door.addr, err)
	}
	e := *connectors.Classify(s.door.explain(k.wire, err))
	if e.Reason == "connect.closed" {
		e.Code, e.Reason, e.Field = connectors.Unreachable, "mail.lost", ""
	}
	if e.Op == "" {
		e.Op = connectors.StageData
	}
	return &e
}

// Check asks for the state of one folder: the one to begin at, or the inbox.
func (s *imapSession) Check(ctx context.Context) ([]connectors.Fact, error) {
	folder := "INBOX"
	if s.c.Folder != "" {
		folder = s.c.Folder
	}
	facts := []connectors.Fact{{Label: "Account", Text: s.c.User}}
	err := s.with(ctx, func(k *imapLink) error {
		if err := s.serverFacts(k, &facts); err != nil {
			return err
		}
		n, err := k.status(encodeName(folder))
		var refused *imapRefusal
		if err == nil {
			facts = append(facts, connectors.Fact{Label: folder, Text: n.words()})
		} else if !errors.As(err, &refused) || k.dead() {
			return err
		}
		return quotaFacts(k, encodeName(folder), &facts)
	})
	if err != nil {
		return nil, err
	}
	var places []string
	for _, n := range s.spaces {
		if n.kind != "" && !slices.Contains(places, n.kind) {
			places = append(places, n.kind)
		}
	}
	if len(places) > 0 {
		facts = append(facts, connectors.Fact{Label: "Also", Text: strings.Join(places, ", ")})
	}
	return facts, nil
}

// serverFacts tells who the server is (RFC 2971) and how it was signed in to.
func (s *imapSession) serverFacts(k *imapLink, facts *[]connectors.Fact) error {
	server := k.banner
	if k.can("ID") {
		err := k.run(say("ID NIL"), func(r response) error {
			if name, _, rest := r.kind(); name == "ID" && len(rest) > 0 {
				id := rest[0].pairs2()
				if told := strings.TrimSpace(id["NAME"] + " " + id["VERSION"]); told != "" {
					server = told
				}
			}
			return nil
		})
		if err != nil && (k.dead() || !isRefusal(err)) {
			return err
		}
	}
	*facts = append(*facts, connectors.Fact{Label: "Server", Text: connectors.Clean(server, 200)}, connectors.Fact{Label: "Encryption", Text: k.secured})
	if k.mech != "" {
		*facts = append(*facts, connectors.Fact{Label: "Signed in with", Text: k.mech})
	}
	return nil
}

func isRefusal(err error) bool {
	var refused *imapRefusal
	return errors.As(err, &refused)
}

// pairs2 reads a list of strings as names and texts; NIL is no text.
func (v value) pairs2() map[string]string {
	out := map[string]string{}
	for name, text := range v.pairs() {
		if !text.isNil {
			out[name] = text.text
		}
	}
	return out
}

// quotaFacts tells how full the mailbox is (RFC 9208); a refusal leaves it out.
func quotaFacts(k *imapLink, raw string, facts *[]connectors.Fact) error {
	if !k.can("QUOTA") {
		return nil
	}
	var out []connectors.Fact
	err := k.run(say("GETQUOTAROOT").with(raw), func(r response) error {
		name, _, rest := r.kind()
		if name != "QUOTA" || len(rest) < 2 || len(out) > 20 {
			return nil
		}
		list := rest[1].list
		for i := 0; i+2 < len(list); i += 3 {
			used, ok := list[i+1].number()
			limit, ok2 := list[i+2].number()
			if ok && ok2 {
				out = append(out, quotaFact(list[i].text, used, limit))
			}
		}
		return nil
	})
	if err != nil && (k.dead() || !isRefusal(err)) {
		return err
	}
	*facts = append(*facts, out...)
	return nil
}

// quotaFact reads one resource; storage is told in units of 1024 bytes.
func quotaFact(resource string, used, limit int64) connectors.Fact {
	if strings.EqualFold(resource, "STORAGE") && used < 1<<50 && limit < 1<<50 {
		return connectors.Fact{Label: "Storage", Text: humanize.IBytes(uint64(used)<<10) + " of " + humanize.IBytes(uint64(limit)<<10)}
	}
	label := "Quota " + strings.ToLower(connectors.Clean(resource, 40))
	if strings.EqualFold(resource, "MESSAGE") {
		label = "Messages in all"
	}
	return connectors.Fact{Label: label, Text: strconv.FormatInt(used, 10) + " of " + strconv.FormatInt(limit, 10)}
}

// Close says goodbye and frees everything.
func (s *imapSession) Close() error {
	s.links.close()
	return nil
}
