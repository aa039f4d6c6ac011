// Package keys reads and inspects keys and certificates offline: OpenSSH, PEM,
// DER, PuTTY, JWK, PFX, PKCS#7, Java key stores, keytabs, known_hosts, age, and the
// key files of Google and AWS. Nothing here uses the network or a file, and nothing
// that is read can make it work or take memory without bounds.
package keys

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/keytabx"
	"jackfield/connectors/internal/pemx"
)

// MaxSize is how much Read reads, in bytes. The largest trust stores in use have
// about 200 KB.
const MaxSize = 1 << 20

// The names that Error.Field has: the caller's form has its own.
const (
	FieldData       = "data"
	FieldPassphrase = "passphrase"
)

// An Item is one thing that was found. What is not known is zero.
type Item struct {
	// Kind is PrivateKey, PublicKey, SharedKey, Certificate, Request, Revocations, or one entry
	// of a Keytab, of KnownHosts, of AWS's files, of age's, or an OAuthClient.
	Kind      Kind
	Format    string // in which it was written: "OpenSSH", "PKCS#8"
	Name      string // a key's comment, an entry's alias, a JWK's kid; as it was written
	Locked    string // what it is encrypted with: "aes256-ctr, bcrypt with 16 rounds"; "" for not encrypted
	Algorithm string // "RSA", "ECDSA", "Ed25519", "DSA" …
	Bits      int    // of the modulus or the curve
	Curve     string // "P-256"
	Public    crypto.PublicKey
	Private   *Private
	// Err says why a private key has no Private: the passphrase is missing or wrong, or
	// its kind cannot be used here. It is an *connectors.Error whose Field is
	// FieldData or FieldPassphrase.
	Err         error
	SSH         ssh.PublicKey // for what stood in OpenSSH's form; an *ssh.Certificate for certificates of that kind
	Certificate *x509.Certificate
	Request     *x509.CertificateRequest
	Revocations *x509.RevocationList
	Entry       *Entry
	Host        *Host     // of a line of known_hosts
	AWS         *AWSKey   // of AWS's key files
	Created     time.Time // of a key store's entry, an age identity, a revocation list
}

// An Entry is one key of a keytab, without the key.
type Entry = keytabx.Entry

// A Repair is something that was put right before it could be read.
type Repair = pemx.Repair

// Private is a private key. It formats and logs as "[secret]" and refuses to marshal.
type Private struct{ key crypto.PrivateKey }

const veil = "[secret]"

// Key is the key as the standard library has it (ed25519.PrivateKey by value).
func (p Private) Key() crypto.PrivateKey { return p.key }

// Signer is the key where it can sign.
func (p Private) Signer() (crypto.Signer, bool) {
	s, ok := p.key.(crypto.Signer)
	return s, ok
}

func (p Private) String() string               { return veil }
func (p Private) GoString() string             { return veil }
func (p Private) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(veil)) }
func (p Private) LogValue() slog.Value         { return slog.StringValue(veil) }
func (p Private) MarshalText() ([]byte, error) { return nil, connectors.ErrSecretMarshal }
func (p Private) MarshalJSON() ([]byte, error) { return nil, connectors.ErrSecretMarshal }

// Read finds everything in a file's content, or in pasted text. What pasting
// does to it is repaired, and told. A locked key is an Item whose Err says so;
// the error is for content in which nothing at all can be read, and is an
// *connectors.Error whose Field is FieldData or FieldPassphrase.
func Read(data []byte, passphrase connectors.Secret) ([]Item, []Repair, error) {
	return read(data, attempt{passphrase, reading()})
}

func read(data []byte, pass attempt) ([]Item, []Repair, error) {
	if len(data) > MaxSize {
		return nil, nil, fault("keys.large", "")
	}
	c := open(data)
	items, err := c.read(pass)
	return items, c.repairs, err
}

func (c *content) read(pass attempt) ([]Item, error) {
	items, err := c.items(pass)
	if err == nil && len(items) == 0 {
		err = other(c.kind())
	}
	return items, err
}

// items dispatches by what the content is.
func (c *content) items(pass attempt) ([]Item, error) {
	if c.binary != nil {
		return binaryItems(c.binary, pass)
	}
	switch k := c.kind(); {
	case k == Empty:
		return nil, fault("keys.empty", "")
	case len(c.blocks) > 0:
		return c.pemItems(pass)
	case c.isPPK():
		return single(ppkItem(c.text, pass))
	case c.isJSON():
		return jsonItems(c.text, pass)
	default:
		return c.lineItems()
	}
}

// lineItems are for what is written line by line.
func (c *content) lineItems() ([]Item, error) {
	switch c.kind() {
	case KnownHosts:
		return hostItems(c.text), nil
	case Age:
		return ageItems(c.text), nil
	case AWS:
		return awsItems(c.text), nil
	}
	return publicLines(c.text), nil
}

func single(i Item, err error) ([]Item, error) {
	if err != nil {
		return nil, err
	}
	return []Item{i}, nil
}

func (c *content) pemItems(pass attempt) ([]Item, error) {
	var out []Item
	if c.many {
		return nil, fault("keys.many", "")
	}
	for _, b := range c.blocks {
		if b.bytes == nil {
			return nil, damaged("the block " + b.label)
		}
		items, err := b.items(pass)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	return out, nil
}

// own fills in what the public half tells.
func (i *Item) own(public crypto.PublicKey) {
	if public == nil {
		return
	}
	i.Public = public
	i.Algorithm, i.Bits, i.Curve = Describe(public)
}

// Describe names a public key's algorithm, its size in bits and its curve.
func Describe(public crypto.PublicKey) (algorithm string, bits int, curve string) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return "RSA", k.N.BitLen(), ""
	case *ecdsa.PublicKey:
		p := k.Params()
		return "ECDSA", p.BitSize, p.Name
	case ed25519.PublicKey:
		return "Ed25519", 256, ""
	case *ecdh.PublicKey:
		name := fmt.Sprint(k.Curve())
		return name, 8 * len(k.Bytes()), ""
	}
	if n, ok := dsaBits(public); ok {
		return "DSA", n, ""
	}
	return "", 0, ""
}

// Same reports whether two public keys are one.
func Same(a, b crypto.PublicKey) bool {
	x, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && b != nil && x.Equal(b) || dsaSame(a, b)
}

// fault is a BadInput on the data.
func fault(reason, said string) error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Field: FieldData, Said: said}
}

func damaged(what string) error { return fault("keys.damaged", what) }

func unsupported(reason, said string) error {
	return &connectors.Error{Code: connectors.Unsupported, Reason: reason, Field: FieldData, Said: said}
}

// other is what a file is that holds nothing to read.
func other(k Kind) error {
	return &connectors.Error{Code: connectors.BadInput, Reason: "keys.other." + string(k), Field: FieldData, Said: k.Name()}
}

func needed() error {
	return &connectors.Error{Code: connectors.BadInput, Reason: "keys.passphrase_needed", Field: FieldPassphrase}
}

func wrong() error {
	return &connectors.Error{Code: connectors.AuthFailed, Reason: "keys.passphrase_wrong", Field: FieldPassphrase}
}
