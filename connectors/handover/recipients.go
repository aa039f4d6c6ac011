package handover

import (
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// Recipients are who can open a file: whoever knows the passphrase, or whoever
// has one of the keys; never both, as age files have it. Keys are lines: age1…,
// "ssh-ed25519 …", "ssh-rsa …".
type Recipients struct {
	Passphrase connectors.Secret
	Keys       []string
}

// An Opener is what somebody has to open a file with.
type Opener struct {
	Passphrase connectors.Secret
	Identities []connectors.Secret // age identities, or private keys as OpenSSH, PEM and PuTTY write them
	Locked     connectors.Secret   // the passphrase of a locked private key
}

const (
	maxKeys = 100      // of a file, and of an Opener
	maxLine = 16 << 10 // bytes of one recipient's line
	// passphraseWords is how many words a passphrase has: of 7776 each, 77 bits.
	passphraseWords = 6
	minRSA          = 2048 // bits that agessh asks for
)

// NewPassphrase makes a passphrase of words to be read out on the telephone.
func NewPassphrase() (connectors.Secret, error) {
	return keys.Words(passphraseWords)
}

// typed is a passphrase as it was typed, without the line end of a paste.
func typed(s connectors.Secret) string { return strings.TrimRight(s.Reveal(), "\r\n") }

func (r Recipients) age() ([]age.Recipient, error) {
	var list []string
	for _, k := range r.Keys {
		for l := range strings.Lines(k) {
			if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
				list = append(list, l)
			}
		}
	}
	pass := typed(r.Passphrase)
	switch {
	case pass != "" && len(list) > 0:
		return nil, fault("handover.either", "", "")
	case len(list) > maxKeys:
		return nil, fault("handover.large", "", "")
	case pass != "":
		s, err := age.NewScryptRecipient(pass)
		return []age.Recipient{s}, err
	case len(list) == 0:
		return nil, fault("handover.no_recipient", "", "")
	}
	var out []age.Recipient
	for i, l := range list {
		one, err := recipient(l, fmt.Sprintf("key %d", i+1))
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// recipient reads one line; name tells it from the others in a refusal, which
// never repeats what may be a private key.
func recipient(l, name string) (age.Recipient, error) {
	switch {
	case len(l) > maxLine:
		return nil, fault("handover.recipient", name, "")
	case strings.Contains(strings.ToUpper(l), "PRIVATE KEY") || strings.HasPrefix(strings.ToUpper(l), "AGE-SECRET-KEY-"):
		return nil, fault("handover.recipient_private", name, "")
	case strings.HasPrefix(l, "age1"):
		r, err := age.ParseX25519Recipient(l)
		if err != nil && strings.Count(l, "1") > 1 && !strings.HasPrefix(l, "age1pq1") {
			return nil, fault("handover.recipient", name, "")
		}
		if err != nil {
			return nil, fault("handover.recipient_kind", name, connectors.Clean(strings.SplitAfterN(l, "1", 3)[0], 40))
		}
		return r, nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(l))
	if err != nil {
		return nil, fault("handover.recipient", name, "")
	}
	return sshRecipient(public, name)
}

func sshRecipient(public ssh.PublicKey, name string) (age.Recipient, error) {
	switch public.Type() {
	case ssh.KeyAlgoED25519:
		if r, err := agessh.NewEd25519Recipient(public); err == nil {
			return r, nil
		}
		return nil, fault("handover.recipient", name, "")
	case ssh.KeyAlgoRSA:
		if c, ok := public.(ssh.CryptoPublicKey); ok {
			if k, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok && k.N.BitLen() < minRSA {
				return nil, fault("handover.recipient_short", name, fmt.Sprintf("%d bits", k.N.BitLen()))
			}
		}
		if r, err := agessh.NewRSARecipient(public); err == nil {
			return r, nil
		}
		return nil, fault("handover.recipient", name, "")
	}
	return nil, fault("handover.recipient_kind", name, connectors.Clean(public.Type(), 60))
}

// identities are the keys of o that could be read. The error tells of the first
// that could not; another one may still open the file.
func (o Opener) identities() ([]age.Identity, error) {
	var out []age.Identity
	var first error
	for i, s := range o.Identities {
		if i == maxKeys {
			break
		}
		found, err := o.identity(s)
		out = append(out, found...)
		if first == nil {
			first = err
		}
	}
	return out, first
}

func (o Opener) identity(s connectors.Secret) ([]age.Identity, error) {
	text := s.Reveal()
	if len(text) > keys.MaxSize {
		return nil, fault("handover.identity", "", "")
	}
	if strings.Contains(text, "AGE-SECRET-KEY-") {
		found, err := age.ParseIdentities(strings.NewReader(strings.TrimSpace(text)))
		if err != nil {
			return nil, fault("handover.identity", "", "") // its words may quote the key
		}
		return found, nil
	}
	items, _, err := keys.Read([]byte(text), o.Locked)
	if err != nil {
		return nil, withoutField(err)
	}
	err = fault("handover.identity", "", "")
	for _, item := range items {
		if item.Err != nil {
			return nil, withoutField(item.Err)
		}
		if item.Private == nil {
			continue
		}
		id, e := sshIdentity(item.Private)
		if e == nil {
			return []age.Identity{id}, nil
		}
		err = e
	}
	return nil, err
}

func sshIdentity(p *keys.Private) (age.Identity, error) {
	switch k := p.Key().(type) {
	case ed25519.PrivateKey:
		return agessh.NewEd25519Identity(k)
	case *rsa.PrivateKey:
		return agessh.NewRSAIdentity(k)
	}
	return nil, fault("handover.identity", "", "")
}

// withoutField is err without the field of the keys' own form.
func withoutField(err error) error {
	var known *connectors.Error
	if !errors.As(err, &known) {
		return fault("handover.identity", "", "")
	}
	out := *known
	out.Field = ""
	return &out
}
