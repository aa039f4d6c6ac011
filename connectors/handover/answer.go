package handover

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"filippo.io/age"

	"jackfield/connectors"
	"jackfield/connectors/internal/reach"
	"jackfield/connectors/link"
)

// An Answer is what goes back to the one who asked. Its connections have the
// indexes of the request's items as their IDs.
type Answer struct {
	Request string // the request's id
	Bundle
	digest string
}

// NewAnswer takes the answers to r from the colleague's own connections: ids has,
// for the index of an item, the connection that answers it. The notes are
// sentences on what stays. What a connection borrows from another account is
// part of its answer; the colleague's own way to the server is not. Sign-ins
// made in a browser stay.
func NewAnswer(ctx context.Context, b Book, r Request, ids map[int]string, note string) (Answer, []string, error) {
	if len(ids) == 0 {
		return Answer{}, nil, fault("handover.nothing", "", "")
	}
	a := Answer{Request: r.ID, digest: r.digest()}
	a.Created, a.Note = time.Now().UTC().Truncate(time.Second), lines(note)
	var notes []string
	for _, i := range slices.Sorted(maps.Keys(ids)) {
		if i < 0 || i >= len(r.Items) {
			return Answer{}, nil, fault("handover.choice", "", "")
		}
		k, said, err := answerTo(ctx, b, r.Items[i], ids[i])
		if err != nil {
			return Answer{}, nil, err
		}
		k.ID = strconv.Itoa(i)
		a.Connections, notes = append(a.Connections, k), append(notes, said...)
	}
	return a, notes, nil
}

func answerTo(ctx context.Context, b Book, asked Asked, id string) (Carried, []string, error) {
	c, err := b.Get(ctx, id)
	if err != nil {
		return Carried{}, nil, err
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return Carried{}, nil, err
	}
	if c.Type != asked.Type {
		return Carried{}, nil, fault("handover.other_type", line(asked.Name), line(t.Name))
	}
	s, err := b.Settings(ctx, id)
	if err != nil {
		return Carried{}, nil, err
	}
	if s, err = borrowed(ctx, b, t, s); err != nil {
		return Carried{}, nil, err
	}
	var notes []string
	if answer := t.Form.Answer("via", s); answer != "" && answer != "direct" && t.Form.Visible("via", s) {
		notes = append(notes, fmt.Sprintf("The way to the server of “%s” stays here: the other side chooses its own.", line(c.Name)))
	}
	for _, f := range reach.Fields() {
		delete(s.Plain, f.Key)
		delete(s.Secrets, f.Key)
	}
	for _, f := range t.Form.Fields {
		if f.Kind == connectors.Reference {
			delete(s.Plain, f.Key)
		}
	}
	k := Carried{Type: c.Type, Name: line(asked.Name), Description: lines(asked.Description), Plain: s.Plain,
		Tested: &Tested{State: c.State, Account: line(c.Account), At: c.Checked}}
	var stays bool
	k.Secrets, k.Issued, stays = share(t, s, false)
	if stays {
		notes = append(notes, fmt.Sprintf("The sign-in of “%s” stays here: the other side signs in once itself.", line(c.Name)))
	}
	return k, notes, nil
}

// borrowed is s with what the connection takes from another account.
func borrowed(ctx context.Context, b Book, t connectors.Type, s connectors.Settings) (connectors.Settings, error) {
	for _, f := range t.Form.Fields {
		id := s.Plain[f.Key]
		if f.Kind != connectors.Reference || f.Lends != connectors.LendsSignIn || id == "" {
			continue
		}
		c, err := b.Get(ctx, id)
		if err != nil {
			return s, err
		}
		from, err := b.Settings(ctx, id)
		if err != nil {
			return s, err
		}
		// Lend has the rule which answer takes which; with one secret at a time it
		// shows which of them went where.
		before := s
		s = link.Lend(t, s, link.Connection{Plain: c.Plain})
		for _, k := range c.SecretKeys {
			filled := link.Lend(t, before, link.Connection{SecretKeys: []string{k}})
			for to := range filled.Secrets {
				if before.Secrets[to].Empty() && s.Secrets[to].Empty() {
					s.Secrets[to] = from.Secrets[k]
				}
			}
		}
	}
	return s, nil
}

// SealAnswer writes an answer that the maker of r alone can open, as a binary
// age file that names the request it is for.
func SealAnswer(w io.Writer, r Request, a Answer) error {
	if a.Request != r.ID || a.digest != r.digest() {
		return fault("handover.other_request", "", "")
	}
	to, err := age.ParseX25519Recipient(r.Key)
	if err != nil {
		return fault("handover.damaged", "", "")
	}
	c := a.content()
	c.Jackfield, c.Request, c.Digest = kindAnswer, a.Request, a.digest
	return c.seal(w, []age.Recipient{to, marked(r.ID)}, false)
}

// marked adds the request's id to the header, where it opens nothing.
type marked string

// Wrap returns the mark. It has the length of other stanzas' bodies.
func (m marked) Wrap([]byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: stanzaRequest, Args: []string{string(m)}, Body: []byte("jackfield answer to a request")}}, nil
}

// answered is the bundle of an answer to k.
func (k Kept) answered(plain []byte) (Bundle, error) {
	c, err := parse(plain, kindAnswer)
	if err != nil {
		return Bundle{}, err
	}
	// The colleague saw another request with the same key: somebody changed it on
	// the way, and perhaps where the secrets were tried.
	if c.Request != k.ID || c.Digest != k.digest() {
		return Bundle{}, fault("handover.other_request", "", "")
	}
	b := c.bundle()
	for n := range b.Connections {
		x := &b.Connections[n]
		i, err := strconv.Atoi(x.ID)
		if err != nil || i < 0 || i >= len(k.Items) || strconv.Itoa(i) != x.ID || k.Items[i].Type != x.Type {
			return Bundle{}, fault("handover.damaged", "", "")
		}
		asked := k.Items[i]
		x.Name, x.Description = asked.Name, asked.Description
		for _, key := range slices.Sorted(maps.Keys(asked.Plain)) {
			if x.Plain[key] != asked.Plain[key] {
				x.Notes = append(x.Notes, fmt.Sprintf("You asked with “%s” for “%s”; the answer has “%s”.", shown(asked.Plain[key]), key, shown(x.Plain[key])))
			}
		}
		if x.Tested != nil && x.Tested.State == link.OK {
			x.Notes = append(x.Notes, testedThere(*x.Tested))
		}
	}
	return b, nil
}

func testedThere(t Tested) string {
	out := "It worked on the other side"
	if !t.At.IsZero() {
		out += " on " + t.At.Format(time.DateOnly)
	}
	if t.Account != "" {
		out += " as " + t.Account
	}
	return out + "; here it is untested."
}
