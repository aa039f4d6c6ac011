package handover

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strconv"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// PackOptions say what goes along.
type PackOptions struct {
	Secrets bool // passwords and keys; without them the others type their own
	// Rotating sends sign-ins that were made in a browser along. Two holders of a
	// token that changes with every use lock each other out (RFC 9700 section
	// 4.14.2), so they stay by default.
	Rotating   bool
	From, Note string
	Now        time.Time // of the bundle; the present when zero
}

// issuedTrust is the one issued secret that is no sign-in: the keys of SSH
// servers that the person trusted.
const issuedTrust = "known_hosts"

// rotating reports whether the secret of a connection of type t is one that its
// holder renews by using it.
func rotating(t connectors.Type, key string) bool {
	return t.Issued(key) && key != issuedTrust || key == "refresh_token"
}

type packer struct {
	b     Book
	o     PackOptions
	index map[string]string // id in the book → id in the bundle
	queue []string
	out   Bundle
	notes []string
}

// Pack collects the connections of ids, in this order, and after them those
// which they refer to: a saved sign-in, a jump host. The notes are sentences on
// what comes along and what stays. It opens the keychain when o.Secrets is set.
func Pack(ctx context.Context, b Book, ids []string, o PackOptions) (Bundle, []string, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	p := &packer{b: b, o: o, index: map[string]string{}}
	p.out = Bundle{Created: o.Now.UTC().Truncate(time.Second), From: line(o.From), Note: lines(o.Note)}
	for _, id := range ids {
		p.add(id)
	}
	for i := 0; i < len(p.queue); i++ {
		if err := p.pack(ctx, p.queue[i]); err != nil {
			return Bundle{}, nil, err
		}
	}
	if len(p.out.Connections) == 0 {
		return Bundle{}, p.notes, fault("handover.nothing", "", "")
	}
	if len(p.out.Connections) > maxConnections {
		return Bundle{}, nil, fault("handover.large", "", "")
	}
	return p.out, p.notes, nil
}

func (p *packer) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// add queues a connection and reports whether it was not queued yet.
func (p *packer) add(id string) bool {
	if _, there := p.index[id]; there {
		return false
	}
	p.queue = append(p.queue, id)
	p.index[id] = strconv.Itoa(len(p.queue))
	return true
}

func (p *packer) pack(ctx context.Context, id string) error {
	c, err := p.b.Get(ctx, id)
	if err != nil {
		return err
	}
	t, err := p.b.Type(c.Type)
	if err != nil {
		p.note("“%s” stays here: its type %s is not offered any more.", line(c.Name), line(c.Type))
		return nil
	}
	if c.Practice {
		p.note("“%s” leads to a practice service on this computer; it opens nothing elsewhere.", line(c.Name))
	}
	if t.Origin != "" {
		p.note("“%s” is of your own type %s; the other side needs its file too.", line(c.Name), line(t.Name))
	}
	k := Carried{ID: p.index[id], Type: c.Type, Name: line(c.Name), Description: lines(c.Description), Plain: maps.Clone(c.Plain)}
	if k.Plain == nil {
		k.Plain = map[string]string{}
	}
	if err := p.references(ctx, t, c, &k); err != nil {
		return err
	}
	if err := p.secrets(ctx, t, c, &k); err != nil {
		return err
	}
	p.out.Connections = append(p.out.Connections, k)
	return nil
}

// references takes along what c refers to. A reference that the answers hide
// does nothing, and is left out.
func (p *packer) references(ctx context.Context, t connectors.Type, c link.Connection, k *Carried) error {
	s := connectors.Settings{Plain: c.Plain}
	for _, f := range t.Form.Fields {
		id := c.Plain[f.Key]
		if f.Kind != connectors.Reference || id == "" {
			continue
		}
		delete(k.Plain, f.Key)
		if !t.Form.Visible(f.Key, s) {
			continue
		}
		other, err := p.b.Get(ctx, id)
		if errors.Is(err, fs.ErrNotExist) {
			p.note("“%s” refers to a connection that is gone (%s); choose another on the other side.", line(c.Name), f.Label)
			continue
		}
		if err != nil {
			return err
		}
		if _, err := p.b.Type(other.Type); err != nil {
			p.note("“%s” refers to “%s” (%s), which stays here.", line(c.Name), line(other.Name), f.Label)
			continue
		}
		if p.add(id) {
			p.note("“%s” comes along, because “%s” refers to it (%s).", line(other.Name), line(c.Name), f.Label)
		}
		k.Plain[f.Key] = p.index[id]
	}
	return nil
}

func (p *packer) secrets(ctx context.Context, t connectors.Type, c link.Connection, k *Carried) error {
	if !p.o.Secrets || len(c.SecretKeys) == 0 {
		return nil
	}
	s, err := p.b.Settings(ctx, c.ID)
	if err != nil {
		return err
	}
	var stays bool
	k.Secrets, k.Issued, stays = share(t, s, p.o.Rotating)
	k.Dates = maps.Clone(c.Dates)
	maps.DeleteFunc(k.Dates, func(key string, _ time.Time) bool { return k.Secrets[key].Empty() })
	if stays {
		p.note("The sign-in of “%s” stays here: the other side signs in once itself.", line(c.Name))
	}
	return nil
}

// share divides the secrets of s into those of the form and the issued ones;
// stays tells that a sign-in was left out.
func share(t connectors.Type, s connectors.Settings, all bool) (asked, issued map[string]connectors.Secret, stays bool) {
	asked, issued = map[string]connectors.Secret{}, map[string]connectors.Secret{}
	for k, v := range s.Secrets {
		switch {
		case v.Empty():
		case rotating(t, k) && !all:
			stays = true
		case t.Issued(k):
			issued[k] = v
		default:
			asked[k] = v
		}
	}
	return asked, issued, stays
}
