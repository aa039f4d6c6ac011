package handover

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// version is of the JSON inside; a reader refuses a newer one.
const version = 1

// What the JSON says it is.
const (
	kindBundle  = "bundle"
	kindRequest = "request"
	kindAnswer  = "answer"
)

// A Bundle is what a sealed file holds. Names and notes are safe to show; the
// answers are as they were written.
type Bundle struct {
	Created     time.Time
	From, Note  string
	Connections []Carried
}

// A Carried is one connection on its way. Its ID is the bundle's own; answers
// that refer to another connection name the ID of that one.
type Carried struct {
	ID, Type, Name, Description string
	Plain                       map[string]string
	Secrets                     map[string]connectors.Secret // of the form
	Issued                      map[string]connectors.Secret // what a server issued or the person trusted
	Tested                      *Tested                      // in an answer: how it went there
	Dates                       map[string]time.Time         // when secrets of the form end, as a person typed it
	Notes                       []string                     // sentences on it for the one who imports it; not part of the file
}

// Tested is how the last check of a connection ended where it comes from. It is
// that side's word, no proof.
type Tested struct {
	State   link.State `json:"state"`
	Account string     `json:"account,omitempty"`
	At      time.Time  `json:"at,omitzero"`
}

// head is what every file of this package begins with.
type head struct {
	Jackfield string `json:"jackfield"`
	Version   int    `json:"version"`
}

type content struct {
	head
	Created     time.Time `json:"created"`
	From        string    `json:"from,omitempty"`
	Note        string    `json:"note,omitempty"`
	Request     string    `json:"request,omitempty"` // answers: which one
	Digest      string    `json:"digest,omitempty"`  // answers: of the request that was read
	Connections []carried `json:"connections"`
}

type carried struct {
	ID          string            `json:"id"`
	Type        string            `json:"type"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Plain       map[string]string `json:"plain,omitempty"`
	Secrets     map[string]string `json:"secrets,omitempty"`
	Issued      map[string]string `json:"issued,omitempty"`
	Tested      *Tested           `json:"tested,omitempty"`

	Dates map[string]time.Time `json:"dates,omitempty"`
}

func (b Bundle) content() content {
	out := content{head: head{kindBundle, version}, Created: b.Created.UTC().Truncate(time.Second), From: b.From, Note: b.Note, Connections: []carried{}}
	for _, c := range b.Connections {
		out.Connections = append(out.Connections, carried{ID: c.ID, Type: c.Type, Name: c.Name, Description: c.Description,
			Plain: c.Plain, Secrets: revealed(c.Secrets), Issued: revealed(c.Issued), Tested: c.Tested, Dates: c.Dates})
	}
	return out
}

// revealed is what goes into the sealed file, and nowhere else.
func revealed(m map[string]connectors.Secret) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v.Reveal()
	}
	return out
}

func veiled(m map[string]string) map[string]connectors.Secret {
	out := make(map[string]connectors.Secret, len(m))
	for k, v := range m {
		out[k] = connectors.NewSecret(v)
	}
	return out
}

// datesOf are the days of the secrets that come along.
func datesOf(x carried) map[string]time.Time {
	var out map[string]time.Time
	for k, day := range x.Dates {
		if _, comes := x.Secrets[k]; !comes || day.IsZero() {
			continue
		}
		if out == nil {
			out = map[string]time.Time{}
		}
		out[k] = day.UTC()
	}
	return out
}

// encode is c as JSON, within the bounds that parse has.
func (c content) encode() ([]byte, error) {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if len(data) > MaxSize {
		return nil, fault("handover.large", "", "")
	}
	return append(data, '\n'), nil
}

// headed reads what data says it is: kind, unless it is JSON of that kind and of
// a version that is known.
func headed(data []byte, kind string) error {
	var h head
	if err := json.Unmarshal(data, &h); err != nil || h.Jackfield == "" {
		return fault("handover.kind", "", "")
	}
	if h.Jackfield != kind {
		switch h.Jackfield {
		case kindBundle, kindRequest, kindAnswer:
			return fault("handover.kind."+h.Jackfield, "", "")
		}
		return fault("handover.kind", "", "")
	}
	if h.Version > version {
		return fault("handover.version", "", strconv.Itoa(h.Version))
	}
	if h.Version < 1 {
		return fault("handover.damaged", "", "")
	}
	return nil
}

// parse reads the JSON of a sealed file. It comes from somebody else: whoever
// knows the recipient's key can make one.
func parse(data []byte, kind string) (content, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if err := headed(data, kind); err != nil {
		return content{}, err
	}
	var c content
	if err := json.Unmarshal(data, &c); err != nil {
		return content{}, fault("handover.damaged", "", "")
	}
	return c, c.sound()
}

func (c content) sound() error {
	if len(c.Connections) > maxConnections {
		return fault("handover.large", "", "")
	}
	ids := map[string]bool{}
	for _, x := range c.Connections {
		if x.ID == "" || len(x.ID) > maxKey || ids[x.ID] || !typeID(x.Type) {
			return fault("handover.damaged", "", "")
		}
		ids[x.ID] = true
		if len(x.Plain)+len(x.Secrets)+len(x.Issued) > maxAnswers {
			return fault("handover.large", "", "")
		}
		for _, m := range []map[string]string{x.Plain, x.Secrets, x.Issued} {
			if err := soundAnswers(m); err != nil {
				return err
			}
		}
	}
	return nil
}

func soundAnswers(m map[string]string) error {
	for k, v := range m {
		if !keyed(k) {
			return fault("handover.damaged", "", "")
		}
		if len(v) > maxValue {
			return fault("handover.large", "", "")
		}
	}
	return nil
}

// bundle is c with what is shown made safe.
func (c content) bundle() Bundle {
	out := Bundle{Created: c.Created, From: line(c.From), Note: lines(c.Note)}
	for _, x := range c.Connections {
		k := Carried{ID: x.ID, Type: x.Type, Name: line(x.Name), Description: lines(x.Description),
			Plain: maps.Clone(x.Plain), Secrets: veiled(x.Secrets), Issued: veiled(x.Issued), Dates: datesOf(x)}
		if k.Plain == nil {
			k.Plain = map[string]string{}
		}
		if x.Tested != nil {
			k.Tested = &Tested{State: link.State(line(string(x.Tested.State))), Account: line(x.Tested.Account), At: x.Tested.At}
		}
		out.Connections = append(out.Connections, k)
	}
	return out
}
