package datafile

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"jackfield/connectors"
)

// The packets that may stand before encrypted data (RFC 9580 section 5).
const (
	tagPublicKeySession = 1
	tagPasswordSession  = 3
)

// maxRecipients is how many of those packets are read: each costs an attempt.
const maxRecipients = 64

// maxPasswords is how many of them are tried: one takes up to a third of a second.
const maxPasswords = 3

// maxArgon is the exponent of the KiB that a password's derivation may take
// (RFC 9580 section 3.7.1.4): 32 MiB, half of what its section 3.7.1.4 calls the
// choice for small machines.
const maxArgon = 15

// A packetHead is the begin of one packet: where its body lies and how long it is.
type packetHead struct {
	tag, head, size int
}

// readHead reads a packet's header (RFC 9580 section 4.2); false for what is none,
// or of a length that the session packets never have.
func readHead(b []byte) (packetHead, bool) {
	if len(b) < 2 || b[0]&0x80 == 0 {
		return packetHead{}, false
	}
	if b[0]&0x40 == 0 { // the legacy format
		h := packetHead{tag: int(b[0]>>2) & 15}
		switch b[0] & 3 {
		case 0:
			h.head, h.size = 2, int(b[1])
		case 1:
			if len(b) < 3 {
				return packetHead{}, false
			}
			h.head, h.size = 3, int(binary.BigEndian.Uint16(b[1:]))
		default:
			return packetHead{}, false
		}
		return h, true
	}
	h := packetHead{tag: int(b[0] & 63), head: 2, size: int(b[1])}
	if b[1] >= 192 && b[1] < 224 && len(b) > 2 {
		h.head, h.size = 3, (int(b[1])-192)<<8+int(b[2])+192
	} else if b[1] >= 192 {
		return packetHead{}, false
	}
	return h, true
}

// sealed reports whether binary content begins like an OpenPGP message that is
// encrypted for a key or with a password.
func sealed(b []byte) bool {
	h, ok := readHead(b)
	if !ok || len(b) < h.head+12 || h.size < 4 {
		return false
	}
	body := b[h.head:]
	switch h.tag {
	case tagPublicKeySession:
		// version 3 with a known algorithm after the key's id, or version 6
		known := body[0] == 3 && slices.Contains([]byte{1, 2, 16, 18, 25, 26, 35, 36}, body[9])
		return h.size > 20 && (known || body[0] == 6)
	case tagPasswordSession:
		// version, cipher, and how the password becomes a key
		known := slices.Contains([]byte{4, 5}, body[0]) && body[1] >= 1 && body[1] <= 13
		return h.size < 200 && (known || body[0] == 6)
	}
	return false
}

// recipients are for whom a message is encrypted.
type recipients struct {
	keys     []string // ids, as gpg shows them; "" stands for one that is hidden
	password bool
	heavy    bool // a password would need too much memory or time
}

// recipientsOf reads the packets before the encrypted data.
func recipientsOf(b []byte) recipients {
	var out recipients
	passwords := 0
	for range maxRecipients {
		h, ok := readHead(b)
		if !ok || h.tag != tagPublicKeySession && h.tag != tagPasswordSession || len(b) < h.head+h.size {
			break
		}
		body := b[h.head : h.head+h.size]
		if h.tag == tagPublicKeySession {
			out.keys = append(out.keys, keyID(body))
		} else {
			out.password = true
			passwords++
			out.heavy = out.heavy || heavy(body) || passwords > maxPasswords
		}
		b = b[h.head+h.size:]
	}
	return out
}

// keyID reads for which key a session key is (RFC 9580 section 5.1).
func keyID(body []byte) string {
	switch {
	case len(body) > 9 && body[0] == 3 && !bytes.Equal(body[1:9], make([]byte, 8)):
		return fmt.Sprintf("%016X", body[1:9])
	case len(body) > 23 && body[0] == 6 && body[1] == 21 && body[2] == 4:
		return fmt.Sprintf("%016X", body[15:23])
	case len(body) > 11 && body[0] == 6 && body[1] == 33 && body[2] == 6:
		return fmt.Sprintf("%016X", body[3:11])
	}
	return ""
}

// heavy reports whether Argon2 is asked for with more memory than a preview gets
// (RFC 9580 sections 5.3 and 3.7.1.4): the derivation's type, 16 bytes of salt,
// passes, threads, and the exponent.
func heavy(body []byte) bool {
	if len(body) == 0 {
		return true
	}
	at := map[byte]int{4: 2, 5: 3, 6: 5}[body[0]]
	if at == 0 || len(body) <= at {
		return body[0] != 4
	}
	if body[at] != 4 {
		return false
	}
	return len(body) < at+20 || body[at+19] > maxArgon || body[at+17] > 16
}

// decrypt opens an OpenPGP message. What comes out is not yet proven to be whole:
// that is known at the end, which a preview seldom reads.
func (f *file) decrypt([]byte) (io.Reader, error) {
	in := bufio.NewReaderSize(reader(f.ctx, f.src), block)
	if first, err := in.Peek(1); err != nil || first[0]&0x80 == 0 {
		b, err := armor.Decode(in)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReaderSize(b.Body, block)
	}
	start, err := in.Peek(32 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	to := recipientsOf(start)
	if len(to.keys)+1 > maxRecipients {
		return nil, f.fail("files.many", "")
	}
	keys, err := f.keyring(to)
	if err != nil {
		return nil, err
	}
	limit := int64(unpackBytes)
	asked := false
	prompt := func(_ []openpgp.Key, symmetric bool) ([]byte, error) {
		if asked || !symmetric || f.o.PGPPassphrase.Empty() || to.heavy {
			return nil, pgperrors.ErrKeyIncorrect
		}
		asked = true
		return []byte(f.o.PGPPassphrase.Reveal()), nil
	}
	m, err := openpgp.ReadMessage(in, ring{keys}, prompt, &packet.Config{MaxDecompressedMessageSize: &limit})
	if err != nil {
		return nil, f.refused(err, asked, to, keys)
	}
	return &opened{r: m.UnverifiedBody, refused: func(err error) error { return f.refused(err, asked, to, keys) }}, nil
}

// nonsense is how many bytes a wrong password may bring out before it shows.
const nonsense = 64

// An opened message that gives next to nothing but an error was not opened.
type opened struct {
	r       io.Reader
	given   int
	refused func(error) error
}

func (o *opened) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	o.given += n
	var wrong pgperrors.DecryptWithSessionKeyError
	if err != nil && !errors.Is(err, io.EOF) && (o.given == 0 || o.given < nonsense && errors.As(err, &wrong)) {
		err = o.refused(err)
	}
	return n, err
}

// A ring also offers primary keys where a message hides for whom it is: some
// encrypt with these.
type ring struct{ openpgp.EntityList }

func (r ring) DecryptionKeys() []openpgp.Key {
	keys := r.EntityList.DecryptionKeys()
	for _, e := range r.EntityList {
		if e.PrivateKey != nil {
			keys = append(keys, openpgp.Key{Entity: e, PublicKey: e.PrimaryKey, PrivateKey: e.PrivateKey})
		}
	}
	return keys
}

// keyring reads the private key of the form, and says what is missing before
// anything is tried.
func (f *file) keyring(to recipients) (openpgp.EntityList, error) {
	if f.o.PGPKey.Empty() {
		switch {
		case !to.password:
			return nil, f.pgp(connectors.Denied, "files.pgp_needs_key", "pgp_key", ids(to))
		case f.o.PGPPassphrase.Empty():
			return nil, f.pgp(connectors.Denied, "files.pgp_needs_password", "pgp_passphrase", "")
		}
		return nil, nil
	}
	keys, err := readKeys(f.o.PGPKey.Reveal())
	if err != nil {
		return nil, f.pgp(connectors.BadInput, "files.pgp_no_key", "pgp_key", "")
	}
	for _, e := range keys {
		if err := f.unlock(e, to); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// unlock opens those private keys that the file is for.
func (f *file) unlock(e *openpgp.Entity, to recipients) error {
	all := []*packet.PrivateKey{e.PrivateKey}
	for _, s := range e.Subkeys {
		all = append(all, s.PrivateKey)
	}
	for _, k := range all {
		if k == nil || !k.Encrypted || !slices.Contains(to.keys, fmt.Sprintf("%016X", k.KeyId)) && !slices.Contains(to.keys, "") {
			continue
		}
		if f.o.PGPPassphrase.Empty() {
			return f.pgp(connectors.BadInput, "files.pgp_locked", "pgp_passphrase", "")
		}
		if err := k.Decrypt([]byte(f.o.PGPPassphrase.Reveal())); err != nil {
			return f.pgp(connectors.BadInput, "files.pgp_passphrase", "pgp_passphrase", "")
		}
	}
	return nil
}

// readKeys reads an armored key, or the base64 of a binary one.
func readKeys(text string) (openpgp.EntityList, error) {
	var keys openpgp.EntityList
	var err error
	if strings.Contains(text, "-----BEGIN") {
		keys, err = openpgp.ReadArmoredKeyRing(strings.NewReader(text))
	} else {
		var raw []byte
		if raw, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
			keys, err = openpgp.ReadKeyRing(bytes.NewReader(raw))
		}
	}
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(keys, func(e *openpgp.Entity) bool {
		return e.PrivateKey != nil || slices.ContainsFunc(e.Subkeys, func(s openpgp.Subkey) bool { return s.PrivateKey != nil })
	}) {
		return nil, errors.New("only public keys")
	}
	return keys, nil
}

// refused says why a message does not open. One wrong password in twenty looks
// right until nonsense comes out.
func (f *file) refused(err error, asked bool, to recipients, keys openpgp.EntityList) error {
	if f.stored.failed != nil {
		return f.stored.failed
	}
	if !errors.Is(err, pgperrors.ErrKeyIncorrect) && !asked {
		return err
	}
	switch {
	case to.heavy && len(keys) == 0:
		return f.fail("files.pgp_heavy", "")
	case len(keys) == 0 || to.password && len(to.keys) == 0:
		if f.o.PGPPassphrase.Empty() {
			return f.pgp(connectors.Denied, "files.pgp_needs_password", "pgp_passphrase", "")
		}
		return f.pgp(connectors.AuthFailed, "files.pgp_password", "pgp_passphrase", "")
	}
	return f.pgp(connectors.AuthFailed, "files.pgp_wrong_key", "pgp_key", ids(to))
}

// ids are the recipients as people compare them.
func ids(to recipients) string {
	var out []string
	for _, id := range to.keys[:min(len(to.keys), 8)] {
		if id == "" {
			id = "a hidden key"
		}
		out = append(out, id)
	}
	if len(to.keys) > 8 {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}

func (f *file) pgp(code connectors.Code, reason, field, said string) error {
	return &connectors.Error{Code: code, Reason: reason, Op: connectors.StageData, Target: f.name, Field: field, Said: said}
}
