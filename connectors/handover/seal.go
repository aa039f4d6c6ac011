package handover

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

const (
	// maxWork is the largest scrypt work factor, log₂ N, that is computed for a
	// file: the one that age itself writes. Each step more doubles time and memory.
	maxWork = 18
	// maxHeader is how much of a file's header is read, in bytes, and maxStanzas
	// how many recipients it may have: each costs an attempt with each key.
	maxHeader  = 256 << 10
	maxStanzas = 2 * maxKeys

	intro = "age-encryption.org/v1"
	// stanzaRequest marks an answer with the id of its request. The age format has
	// readers ignore the kinds of stanza that they do not know, and authenticates them.
	stanzaRequest = "jackfield-request"
	stanzaScrypt  = "scrypt"
)

// Sort is what a file is.
type Sort string

// The sorts of file. Other age files are sorted as bundles are: what is inside
// shows only when they are opened.
const (
	SortNone       Sort = "no"
	SortPassphrase Sort = "passphrase" // sealed with a passphrase
	SortKeys       Sort = "keys"       // sealed for keys
	SortRequest    Sort = "request"
	SortAnswer     Sort = "answer"
)

// Seal writes b so that only those of to can read it, as a binary age file or
// with the text armor that survives mail and chat. Nothing is written when it fails.
func Seal(w io.Writer, b Bundle, to Recipients, armored bool) error {
	if len(b.Connections) == 0 {
		return fault("handover.nothing", "", "")
	}
	list, err := to.age()
	if err != nil {
		return err
	}
	return b.content().seal(w, list, armored)
}

func (c content) seal(w io.Writer, to []age.Recipient, armored bool) error {
	data, err := c.encode()
	if err != nil {
		return err
	}
	if err := c.sound(); err != nil {
		return err
	}
	var out bytes.Buffer
	var under io.Writer = &out
	var text io.WriteCloser
	if armored {
		text = armor.NewWriter(&out)
		under = text
	}
	sealed, err := age.Encrypt(under, to...)
	if err == nil {
		_, err = sealed.Write(data)
	}
	if err == nil {
		err = sealed.Close()
	}
	if err == nil && text != nil {
		err = text.Close()
	}
	if err != nil {
		return err
	}
	if out.Len() > MaxSize {
		return fault("handover.large", "", "")
	}
	_, err = w.Write(out.Bytes())
	return err
}

// Unseal opens what Seal, or the age program, wrote. It reads MaxSize bytes at
// most and never spends more than scrypt with 2¹⁸ on a passphrase.
func Unseal(r io.Reader, with Opener) (Bundle, error) {
	data, err := limited(r)
	if err != nil {
		return Bundle{}, err
	}
	plain, err := opened(data, with)
	if err != nil {
		return Bundle{}, err
	}
	c, err := parse(plain, kindBundle)
	if err != nil {
		return Bundle{}, err
	}
	return c.bundle(), nil
}

func limited(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, fault("handover.large", "", "")
	}
	return data, nil
}

// opened is the content of an age file.
func opened(data []byte, with Opener) ([]byte, error) {
	h, ok := peek(data)
	if !ok {
		if isRequest(data) {
			return nil, fault("handover.kind.request", "", "")
		}
		return nil, fault("handover.kind", "", "")
	}
	if h.costly() {
		return nil, fault("handover.costly", "", "")
	}
	ids, problem := with.keysFor(h)
	if len(ids) == 0 {
		return nil, problem
	}
	src := io.Reader(bytes.NewReader(data))
	if armored(data) {
		src = armor.NewReader(src)
	}
	plain, err := age.Decrypt(src, ids...)
	if err != nil {
		return nil, h.refusal(err, problem)
	}
	out, err := io.ReadAll(io.LimitReader(plain, MaxSize+1))
	if err != nil {
		return nil, fault("handover.damaged", "", "")
	}
	if len(out) > MaxSize {
		return nil, fault("handover.large", "", "")
	}
	return out, nil
}

// keysFor is what of o a file with the header h can be opened with. Some keys
// may do although the error tells of another.
func (o Opener) keysFor(h header) ([]age.Identity, error) {
	if h.passphrase() {
		pass := typed(o.Passphrase)
		if pass == "" {
			return nil, fault("handover.needs_passphrase", "", "")
		}
		id, err := age.NewScryptIdentity(pass)
		if err != nil {
			return nil, fault("handover.needs_passphrase", "", "")
		}
		id.SetMaxWorkFactor(maxWork)
		return []age.Identity{id}, nil
	}
	ids, err := o.identities()
	if len(ids) == 0 && err == nil {
		err = fault("handover.needs_key", "", "")
	}
	return ids, err
}

// refusal is why age did not open the file.
func (h header) refusal(err, problem error) error {
	var nobody *age.NoIdentityMatchError
	switch {
	case !errors.As(err, &nobody):
		return fault("handover.damaged", "", "")
	case problem != nil:
		return problem
	case h.passphrase():
		return fault("handover.wrong", "", "")
	}
	return fault("handover.not_for_you", "", "")
}

// Sealed tells what a file is from its content.
func Sealed(data []byte) Sort {
	h, ok := peek(data)
	switch {
	case !ok && isRequest(data):
		return SortRequest
	case !ok || len(h.stanzas) == 0:
		return SortNone
	case h.request() != "":
		return SortAnswer
	case h.passphrase():
		return SortPassphrase
	}
	return SortKeys
}

// header is what stands readable at the beginning of an age file.
type header struct {
	stanzas [][]string // type and arguments of each
	long    bool       // there is more than is read
}

func armored(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte(armor.Header))
}

// peek reads the header; false when data is no age file.
func peek(data []byte) (header, bool) {
	src := io.Reader(bytes.NewReader(data))
	if armored(data) {
		src = armor.NewReader(src)
	}
	var h header
	all := bufio.NewScanner(io.LimitReader(src, maxHeader))
	all.Buffer(make([]byte, 0, 4096), maxHeader+1)
	if !all.Scan() || all.Text() != intro {
		return h, false
	}
	read := len(intro)
	for all.Scan() {
		l := all.Text()
		read += len(l) + 1
		if strings.HasPrefix(l, "---") {
			return h, true
		}
		if rest, ok := strings.CutPrefix(l, "-> "); ok {
			h.stanzas = append(h.stanzas, strings.Split(rest, " "))
		}
		if len(h.stanzas) > maxStanzas {
			break
		}
	}
	h.long = len(h.stanzas) > maxStanzas || read >= maxHeader-1
	return h, true
}

func (h header) passphrase() bool {
	for _, s := range h.stanzas {
		if s[0] == stanzaScrypt {
			return true
		}
	}
	return false
}

// request is the id of the request that the file answers, or empty.
func (h header) request() string {
	for _, s := range h.stanzas {
		if s[0] == stanzaRequest && len(s) == 2 {
			return s[1]
		}
	}
	return ""
}

// costly reports whether opening the file asks for more work than is done.
func (h header) costly() bool {
	if h.long {
		return true
	}
	for _, s := range h.stanzas {
		if s[0] != stanzaScrypt || len(s) != 3 {
			continue
		}
		n, err := strconv.ParseUint(s[2], 10, 64)
		if n > maxWork || errors.Is(err, strconv.ErrRange) {
			return true
		}
	}
	return false
}
