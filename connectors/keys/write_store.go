package keys

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// The iterations of each of the three derivations of a PFX. .NET refuses files
// that ask for more than 600,000 in all, and for fewer where no password is given:
// https://support.microsoft.com/en-us/topic/kb5025823-change-in-how-net-applications-import-x-509-certificates-bf81c936-af2b-446e-9f7a-016f4713b46b
const (
	pfxIterations  = 100_000
	openIterations = 2_000 // they protect nothing
)

// minStore is how long keytool wants a store's password to be, in characters.
const minStore = 6

// writePFX locks with PBES2 (AES-256-CBC, PBKDF2 with SHA-256) and has a MAC with
// SHA-256. Without a passphrase it is locked with an empty one: Windows and
// OpenSSL open such files without asking, and files without a MAC they refuse.
func writePFX(m *material) ([]byte, error) {
	encoder := pkcs12.Modern2023.WithIterations(pfxIterations)
	if !m.locked() {
		encoder = pkcs12.Modern2023.WithIterations(openIterations)
	}
	var der []byte
	var err error
	if m.key != nil {
		der, err = encoder.Encode(m.key, m.chain[0], m.chain[1:], m.want.Passphrase.Reveal())
	} else {
		var entries []pkcs12.TrustStoreEntry
		for n, c := range m.chain {
			entries = append(entries, pkcs12.TrustStoreEntry{Cert: c, FriendlyName: m.trustedAlias(c, n)})
		}
		der, err = encoder.EncodeTrustStoreEntries(entries, m.want.Passphrase.Reveal())
	}
	if err != nil {
		// The key's kind was looked at before: what is left are letters that the
		// format's UCS-2 does not have.
		return nil, refuse("keys.write_passphrase_letters", FieldPassphrase, "")
	}
	return der, nil
}

// trustedAlias is the n-th entry's name in a store of certificates.
func (m *material) trustedAlias(c *x509.Certificate, n int) string {
	name := m.want.Alias
	for _, i := range m.items {
		if name == "" && i.Certificate != nil && i.Certificate.Equal(c) {
			name = i.Name
		}
	}
	if name == "" {
		name = Subject(c)
	}
	if n > 0 {
		name += fmt.Sprintf(" %d", n+1)
	}
	return oneLine(name, maxAlias)
}

// writeJKS writes Java's own form. The key has the store's password, as keytool
// and most programs expect it.
func writeJKS(m *material) ([]byte, error) {
	pass := m.pass()
	switch {
	case len(pass) == 0:
		return nil, refuse("keys.write_passphrase_needed", FieldPassphrase, "")
	case len(pass) < minStore:
		return nil, refuse("keys.write_passphrase_short", FieldPassphrase, "")
	case bytes.ContainsFunc(pass, func(r rune) bool { return r < ' ' || r > '~' }):
		// The package keystore takes bytes for characters, and keytool does not.
		return nil, refuse("keys.write_passphrase_letters", FieldPassphrase, "")
	}
	store := keystore.New(keystore.WithOrderedAliases())
	var err error
	if m.key != nil {
		err = m.keyEntry(store, pass)
	} else {
		err = m.trustedEntries(store)
	}
	var out bytes.Buffer
	if err != nil || store.Store(&out, pass) != nil {
		return nil, damaged("the entries")
	}
	return out.Bytes(), nil
}

func (m *material) keyEntry(store keystore.KeyStore, pass []byte) error {
	der, err := x509.MarshalPKCS8PrivateKey(m.key)
	if err != nil {
		return err
	}
	alias := m.alias()
	if alias == "" {
		alias = "mykey" // keytool's own default
	}
	entry := keystore.PrivateKeyEntry{CreationTime: m.created(m.item.Created), PrivateKey: der}
	for _, c := range m.chain {
		entry.CertificateChain = append(entry.CertificateChain, x509Entry(c))
	}
	return store.SetPrivateKeyEntry(alias, entry, pass)
}

func (m *material) trustedEntries(store keystore.KeyStore) error {
	for n, c := range m.chain {
		entry := keystore.TrustedCertificateEntry{CreationTime: m.created(time.Time{}), Certificate: x509Entry(c)}
		if err := store.SetTrustedCertificateEntry(strings.ToLower(m.trustedAlias(c, n)), entry); err != nil {
			return err
		}
	}
	return nil
}

func (m *material) created(before time.Time) time.Time {
	if before.IsZero() {
		return time.Now()
	}
	return before
}

func x509Entry(c *x509.Certificate) keystore.Certificate {
	return keystore.Certificate{Type: "X.509", Content: c.Raw}
}
