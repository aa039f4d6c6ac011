package handover

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
	"github.com/sethvargo/go-diceware/diceware"

	"jackfield/connectors"
)

const (
	maxRequest = 1 << 20 // bytes of a request's file
	maxAsked   = 200     // connections in one request
	// requestWords is how many words two people compare: 77 bits, too many for
	// making another request with the same ones.
	requestWords = 6
)

// A Request asks a colleague for connections. Its file is readable JSON and holds
// no secret: what comes back can be opened only by whoever made the request.
type Request struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	From    string    `json:"from,omitempty"`
	Note    string    `json:"note,omitempty"`
	Key     string    `json:"key"` // age1… of the requester, made for this request alone
	Items   []Asked   `json:"items"`
}

// An Asked is one connection that is asked for.
type Asked struct {
	Type        string            `json:"type"`
	Name        string            `json:"name,omitempty"`
	Description string            `json:"description,omitempty"`
	Plain       map[string]string `json:"plain,omitempty"` // answers that are known already
	Ask         []string          `json:"ask,omitempty"`   // keys of the questions; empty: whatever is missing
	Note        string            `json:"note,omitempty"`
}

// tidied is r as it is written and read: two sides that see it have the same bytes.
func (r Request) tidied() Request {
	r.Created = r.Created.UTC().Truncate(time.Second)
	r.From, r.Note = line(r.From), lines(r.Note)
	r.Items = slices.Clone(r.Items)
	for i, a := range r.Items {
		a.Name, a.Description, a.Note = line(a.Name), lines(a.Description), lines(a.Note)
		if a.Name == "" {
			a.Name = a.Type
		}
		a.Plain = maps.Clone(a.Plain)
		for k, v := range a.Plain {
			a.Plain[k] = strings.ToValidUTF8(v, "\uFFFD")
			if v == "" {
				delete(a.Plain, k)
			}
		}
		r.Items[i] = a
	}
	return r
}

func (r Request) sound() error {
	if len(r.Items) == 0 {
		return fault("handover.nothing", "", "")
	}
	if len(r.Items) > maxAsked {
		return fault("handover.large", "", "")
	}
	if uuid.Validate(r.ID) != nil || len(r.ID) != 36 || r.Created.Year() > 9999 || r.Created.Year() < 0 {
		return fault("handover.damaged", "", "")
	}
	if _, err := age.ParseX25519Recipient(r.Key); err != nil {
		return fault("handover.damaged", "", "")
	}
	for _, a := range r.Items {
		if !typeID(a.Type) {
			return fault("handover.damaged", "", "")
		}
		if len(a.Plain)+len(a.Ask) > maxAnswers {
			return fault("handover.large", "", "")
		}
		if err := soundAnswers(a.Plain); err != nil {
			return err
		}
		if slices.ContainsFunc(a.Ask, func(k string) bool { return !keyed(k) }) {
			return fault("handover.damaged", "", "")
		}
	}
	return nil
}

type requestFile struct {
	head
	Request
}

// File is the request as it is sent.
func (r Request) File() []byte {
	data, err := json.MarshalIndent(requestFile{head{kindRequest, version}, r.tidied()}, "", "  ")
	if err != nil {
		return nil // only a time out of range, which sound refuses
	}
	return append(data, '\n')
}

// ReadRequest reads what File wrote.
func ReadRequest(data []byte) (Request, error) {
	if len(data) > maxRequest {
		return Request{}, fault("handover.large", "", "")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if _, ok := peek(data); ok {
		return Request{}, fault("handover.kind.sealed", "", "")
	}
	if err := headed(data, kindRequest); err != nil {
		return Request{}, err
	}
	var f requestFile
	if err := json.Unmarshal(data, &f); err != nil {
		return Request{}, fault("handover.damaged", "", "")
	}
	r := f.tidied()
	if err := r.sound(); err != nil {
		return Request{}, err
	}
	return r, nil
}

func isRequest(data []byte) bool {
	if len(data) > maxRequest || !bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("{")) {
		return false
	}
	var h head
	return json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &h) == nil && h.Jackfield == kindRequest
}

func (r Request) sum() [sha256.Size]byte { return sha256.Sum256(r.File()) }

// digest is of everything that the request says.
func (r Request) digest() string {
	sum := r.sum()
	return hex.EncodeToString(sum[:])
}

// Words are six words that are alike on both sides only when the key and all
// that is asked are: to be compared on the telephone.
func (r Request) Words() string {
	list := diceware.WordListEffLarge()
	sum := r.sum()
	n, six, word := new(big.Int).SetBytes(sum[:]), big.NewInt(6), new(big.Int)
	var out []string
	for range requestWords {
		index := 0
		for range list.Digits() {
			n.DivMod(n, six, word)
			index = index*10 + int(word.Int64()) + 1
		}
		out = append(out, list.WordAt(index))
	}
	return strings.Join(out, " ")
}

// A Wanted is an item of a request as the colleague sees it.
type Wanted struct {
	Asked
	Known    bool                // its type is offered here
	Form     connectors.Form     // all its questions: what is asked depends on the answers
	Settings connectors.Settings // the answers that came along
	Ask      []string            // keys of the questions to put, in form order
	Flags    []Flag              // where the answers that came along lead
}

// Check is what a colleague has to fill in, for each item of r. types are those
// of Book.Types. It is about data alone.
func Check(types []connectors.Type, r Request) []Wanted {
	out := make([]Wanted, 0, len(r.Items))
	for _, a := range r.Items {
		t, known := connectors.Find(types, a.Type)
		w := Wanted{Asked: a, Known: known, Settings: connectors.NewSettings()}
		if !known {
			w.Flags = flags(connectors.Type{ID: a.Type}, Carried{Plain: a.Plain})
			out = append(out, w)
			continue
		}
		w.Form = t.Form
		for k, v := range a.Plain {
			// A reference would name one of this person's own connections.
			if f, ok := t.Form.Field(k); ok && !f.Kind.Secret() && f.Kind != connectors.Reference {
				w.Settings.Plain[k] = v
			}
		}
		w.Settings = t.Form.Tidied(w.Settings)
		w.Flags = flags(t, Carried{Plain: w.Settings.Plain})
		w.Ask = toAsk(t, a, w.Settings)
		out = append(out, w)
	}
	return out
}

func toAsk(t connectors.Type, a Asked, s connectors.Settings) []string {
	missing := t.Form.Missing(s)
	var out []string
	for _, f := range t.Form.Fields {
		named := slices.Contains(a.Ask, f.Key)
		secret := len(a.Ask) == 0 && f.Kind.Secret() && !f.Advanced && t.Form.Visible(f.Key, s)
		if named || secret || slices.Contains(missing, f.Key) {
			out = append(out, f.Key)
		}
	}
	return out
}
