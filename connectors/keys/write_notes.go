package keys

import (
	"crypto"
	"fmt"
	"strings"
)

// notes are the sentences about what was left out or changed, and about who may
// not be able to read it.
func (s spec) notes(m *material) []string {
	s.noteKeys(m)
	s.noteCertificates(m)
	s.noteLock(m)
	s.noteReaders(m)
	return m.notes
}

func (s spec) noteKeys(m *material) {
	private := len(distinct(m.items, func(i Item) bool { return i.Kind == PrivateKey }))
	switch {
	case m.key == nil && private > 0:
		m.note("The private key is not in it.")
	case m.key != nil && private > 1:
		m.note("%s left out: a file takes one.", many(private-1, "other private key was", "other private keys were"))
	}
	if m.key == nil {
		if m.item != nil && m.item.Format == "OpenSSH certificate" {
			m.note("The certificate for SSH is not in it, only its key.")
		}
		return
	}
	if comment := m.comment(); comment != "" && s.need == needPrivate && !s.comments() {
		m.note("This form has no place for the comment %q.", comment)
	}
}

// comments reports whether a form has a place for the key's comment.
func (s spec) comments() bool {
	switch s.info.ID {
	case OpenSSH, PPK2, PPK3:
		return true
	case JWK: // its kid is the alias
		return true
	}
	return false
}

func (s spec) noteCertificates(m *material) {
	switch n := len(certificatesOf(m.items)); s.need {
	case needPrivate, needPublic:
		if n > 0 && m.item != nil && m.item.Certificate == nil {
			m.note("%s left out: this form holds the key alone.", many(n, "certificate was", "certificates were"))
		}
	case needLeaf:
		if m.extra > 0 {
			m.note("%s left out: this form holds one.", many(m.extra, "other certificate was", "other certificates were"))
		}
	case needChain, needBoth, needStore:
		m.noteChain()
	}
}

func (m *material) noteChain() {
	if m.extra > 0 {
		m.note("%s left out, because this certificate was not issued with their help.", many(m.extra, "certificate was", "certificates were"))
	}
	if follow := len(m.chain) - len(m.whole.Certificates); follow > 0 {
		m.note("%s not part of the first chain and come after it.", many(follow, "certificate is", "certificates are"))
	}
	if m.whole.Reordered {
		m.note("The certificates were put into the right order.")
	}
	for _, at := range m.whole.Broken {
		m.note("The signature of %q was not made by the issuer that follows it.", Subject(m.whole.Certificates[at]))
	}
	if m.key != nil && m.whole.Missing != "" {
		m.note("The issuer %q is not among the certificates; whoever reads this may ask for it, unless it is a public root.", oneLine(m.whole.Missing, maxComment))
	}
}

func (s spec) noteLock(m *material) {
	switch {
	case m.key == nil || m.locked():
	case s.info.Locks:
		m.note("It is not locked with a passphrase: whoever has the file has the key.")
	default:
		m.note("This form cannot be locked with a passphrase: whoever has the file has the key.")
	}
}

// noteReaders: for PKCS#8 see https://www.openssh.com/txt/release-9.6, for PFX see https://pkg.go.dev/software.sslmate.com/src/go-pkcs12,
// for PuTTY https://www.chiark.greenend.org.uk/~sgtatham/putty/changes.html.
func (s spec) noteReaders(m *material) {
	switch s.info.ID {
	case PKCS8:
		if kindOfKey(m.public) == "Ed25519" {
			m.note("SSH programs may not read Ed25519 keys in this form; choose the OpenSSH form for those.")
		}
	case PFXFile:
		m.note("It is encrypted with AES: Windows Server 2016, Java 11 and older ones may not open it.")
		m.noteStore()
		if m.key != nil && m.want.Alias != "" {
			m.note("The entry has no alias; Java calls it 1.")
		}
	case JKS:
		m.note("JKS protects keys with an outdated method (SHA-1); prefer PFX where the program can read it.")
		m.noteStore()
		if m.want.Alias != strings.ToLower(m.want.Alias) {
			m.note("Java writes aliases in small letters.")
		}
	case PPK3:
		m.note("PuTTY before 0.75 cannot read it; choose version 2 for those.")
	case PPK2:
		if m.locked() {
			m.note("Version 2 protects short passphrases badly; choose version 3 for PuTTY 0.75 and newer.")
		}
	}
}

func (m *material) noteStore() {
	if m.key == nil {
		m.note("It holds certificates to be trusted, in the way that Java reads them.")
	}
}

// distinct are the public halves of the items that count, each once.
func distinct(items []Item, counts func(Item) bool) []crypto.PublicKey {
	var out []crypto.PublicKey
	for _, i := range items {
		if counts(i) && !contains(out, i.Public) {
			out = append(out, i.Public)
		}
	}
	return out
}

func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
