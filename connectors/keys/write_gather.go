package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"jackfield/connectors"
)

// maxModulus is in bits: arithmetic on larger RSA keys takes minutes.
const maxModulus = 16384

// material is what a format is written from.
type material struct {
	want   Wanted
	items  []Item
	item   *Item // whose key it is; nil for certificates alone
	key    crypto.PrivateKey
	public crypto.PublicKey
	chain  []*x509.Certificate
	whole  Chain // what Order said of them
	extra  int   // certificates that are left out
	notes  []string
}

func (m *material) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

// eligible reports whether an item can be the chosen key of a format.
func (s spec) eligible(i Item) bool {
	switch s.need {
	case needPrivate, needBoth, needStore:
		return i.Kind == PrivateKey
	}
	return i.Public != nil || i.SSH != nil
}

// gather chooses the key and the certificates.
func (s spec) gather(items []Item, w Wanted) (*material, error) {
	m := &material{want: w, items: items}
	var err error
	switch s.need {
	case needPrivate:
		err = s.takePrivate(m)
	case needPublic, needAllPublic:
		err = s.takePublic(m)
	case needChain, needLeaf:
		err = s.takeChain(m)
	case needBoth:
		if err = s.takePrivate(m); err == nil {
			err = s.takeOwnChain(m)
		}
	case needStore:
		err = s.takeStore(m)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (s spec) takePrivate(m *material) error {
	i, err := s.chosen(m, func(i Item) bool { return i.Kind == PrivateKey })
	if err != nil {
		return err
	}
	switch {
	case i == nil:
		return refuse("keys.write_no_private", FieldKey, "")
	case i.Private == nil && i.Err != nil:
		return i.Err
	case i.Private == nil:
		return refuse("keys.write_no_private", FieldKey, "")
	}
	m.item, m.public = i, i.Public
	if kind := kindOfKey(i.Public); !slices.Contains(s.fits, kind) {
		return unfit(fmt.Sprintf("The form %s has no place for this kind of key (%s). Choose %s.", s.info.Name, orUnknown(kind), s.other))
	}
	m.key = i.Private.Key()
	return nil
}

// chosen is the item at Wanted.Key, or the only key among those that fit; nil
// where there is none. Items of one key pair count as one.
func (s spec) chosen(m *material, fit func(Item) bool) (*Item, error) {
	if n := m.want.Key; n >= 0 {
		if n >= len(m.items) || !fit(m.items[n]) {
			return nil, refuse("keys.write_choice", FieldKey, "")
		}
		return &m.items[n], nil
	}
	var found *Item
	for n := range m.items {
		i := &m.items[n]
		switch {
		case !fit(*i):
		case found == nil:
			found = i
		case !Same(found.Public, i.Public):
			return nil, refuse("keys.write_several", FieldKey, "")
		case found.Private == nil && i.Private != nil:
			found = i
		}
	}
	return found, nil
}

// takePublic prefers the halves of private keys to public keys, these to
// requests, and these to certificates.
func (s spec) takePublic(m *material) error {
	for _, kind := range []Kind{PrivateKey, PublicKey, KnownHosts, Request, Certificate} {
		if s.need == needAllPublic && m.want.Key < 0 {
			kind = ""
		}
		if kind == Certificate && m.want.Key < 0 {
			return s.publicOfLeaf(m)
		}
		i, err := s.chosen(m, func(i Item) bool {
			return (i.Public != nil || i.SSH != nil) && (m.want.Key >= 0 || kind == "" || i.Kind == kind)
		})
		if err != nil && s.need == needAllPublic && m.want.Key < 0 {
			return nil // a set takes all of them
		}
		if err != nil {
			return err
		}
		if i != nil {
			m.item, m.public = i, i.Public
			return nil
		}
	}
	return refuse("keys.write_nothing", FieldData, "")
}

// publicOfLeaf is for certificates alone: their issuers' keys are of no use.
func (s spec) publicOfLeaf(m *material) error {
	leaf, _, err := m.leaf()
	if err != nil {
		return err
	}
	if leaf == nil {
		return refuse("keys.write_nothing", FieldData, "")
	}
	m.public = leaf.PublicKey
	return nil
}

// leaf is the certificate at Wanted.Certificate, else that of the chosen or only
// private key, else one that issued none of the others; nil where there is none.
// With it are all certificates, each once.
func (m *material) leaf() (*x509.Certificate, []*x509.Certificate, error) {
	all := certificatesOf(m.items)
	if len(all) > maxCertificates {
		return nil, nil, fault("keys.large", "")
	}
	if n := m.want.Certificate; n >= 0 {
		if n >= len(m.items) || m.items[n].Certificate == nil {
			return nil, nil, refuse("keys.write_choice", FieldCertificate, "")
		}
		return m.items[n].Certificate, all, nil
	}
	if own := newest(all, m.ownPublic()); own != nil {
		return own, all, nil
	}
	if len(all) == 0 {
		return nil, nil, nil
	}
	return Order(all, nil).Certificates[0], all, nil
}

// newest is the certificate of a key that is valid longest, where there are
// several because it was renewed.
func newest(all []*x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	var out *x509.Certificate
	for _, c := range all {
		if public != nil && Same(c.PublicKey, public) && (out == nil || c.NotAfter.After(out.NotAfter)) {
			out = c
		}
	}
	return out
}

func certificatesOf(items []Item) []*x509.Certificate {
	var out []*x509.Certificate
	seen := map[string]bool{}
	for _, i := range items {
		if i.Certificate != nil && !seen[string(i.Certificate.Raw)] {
			seen[string(i.Certificate.Raw)] = true
			out = append(out, i.Certificate)
		}
	}
	return out
}

// ownPublic is the public half of the chosen key, else of the only one; nil
// where there is none or there are several.
func (m *material) ownPublic() crypto.PublicKey {
	if m.public != nil {
		return m.public
	}
	i, err := spec{}.chosen(m, func(i Item) bool { return i.Kind == PrivateKey })
	if err != nil || i == nil {
		return nil
	}
	return i.Public
}

// takeChain orders the certificates. What is not of the chain follows it, unless
// a key or a certificate was chosen, or there is a key that says which is meant.
func (s spec) takeChain(m *material) error {
	if n := m.want.Key; n >= 0 {
		if n >= len(m.items) || m.items[n].Public == nil {
			return refuse("keys.write_choice", FieldKey, "")
		}
		m.public = m.items[n].Public
	}
	leaf, all, err := m.leaf()
	if err != nil {
		return err
	}
	if leaf == nil {
		return refuse("keys.write_no_certificates", FieldData, "")
	}
	own := m.ownPublic()
	m.order(leaf, all)
	switch {
	case m.want.Certificate >= 0, own != nil && Same(own, leaf.PublicKey):
		m.extra = len(all) - len(m.chain)
	case len(all) > len(m.chain):
		for _, c := range all {
			if !slices.ContainsFunc(m.chain, c.Equal) {
				m.chain = append(m.chain, c)
			}
		}
	}
	if own != nil && !Same(own, leaf.PublicKey) {
		m.note("None of the certificates belongs to the private key.")
	}
	m.public = leaf.PublicKey
	if s.need == needLeaf {
		m.extra, m.chain = len(all)-1, m.chain[:1]
	}
	return nil
}

// maxLine is how many certificates Order takes at most.
const maxLine = 100

// order is Order for a leaf and those that, by their names, can be above it.
func (m *material) order(leaf *x509.Certificate, all []*x509.Certificate) {
	above := []*x509.Certificate{leaf}
	for n := 0; n < len(above); n++ {
		for _, c := range all {
			issuer := !SelfSigned(above[n]) && bytes.Equal(c.RawSubject, above[n].RawIssuer)
			if issuer && len(above) < maxLine && !slices.ContainsFunc(above, c.Equal) {
				above = append(above, c)
			}
		}
	}
	m.whole = Order(above, leaf.PublicKey)
	m.chain = m.whole.Certificates
	kept := slices.DeleteFunc(slices.Clone(all), func(c *x509.Certificate) bool { return !slices.ContainsFunc(m.chain, c.Equal) })
	m.whole.Reordered = reordered(kept, m.chain)
}

// takeOwnChain is the chain of the key that was taken.
func (s spec) takeOwnChain(m *material) error {
	leaf, all, err := m.leaf()
	if err != nil {
		return err
	}
	switch {
	case leaf == nil:
		return refuse("keys.write_no_certificate", FieldCertificate, "")
	case !Same(leaf.PublicKey, m.public):
		return refuse("keys.write_mismatch", FieldCertificate, Subject(leaf))
	}
	m.order(leaf, all)
	m.extra = len(all) - len(m.chain)
	return nil
}

// takeStore is a key with its chain; certificates alone are taken as trusted ones.
func (s spec) takeStore(m *material) error {
	if m.want.Key >= 0 || slices.ContainsFunc(m.items, func(i Item) bool { return i.Kind == PrivateKey }) {
		if err := s.takePrivate(m); err != nil {
			return err
		}
		return s.takeOwnChain(m)
	}
	return s.takeChain(m)
}

// sound is a key that writers can rely on: two primes, and the numbers that are
// computed from them.
func sound(key crypto.PrivateKey) (crypto.PrivateKey, error) {
	k, ok := key.(*rsa.PrivateKey)
	if !ok {
		return key, nil
	}
	if len(k.Primes) != 2 || k.N.BitLen() > maxModulus {
		return nil, unfit("RSA keys are written that have two primes and at most 16384 bits.")
	}
	again := &rsa.PrivateKey{PublicKey: k.PublicKey, D: k.D, Primes: slices.Clone(k.Primes)}
	if again.Validate() != nil {
		return nil, damaged("the numbers of the RSA key")
	}
	again.Precompute()
	return again, nil
}

// kindOfKey is the algorithm, for ECDSA the curve.
func kindOfKey(public crypto.PublicKey) string {
	if k, ok := public.(*ecdsa.PublicKey); ok {
		return k.Params().Name
	}
	name, _, _ := Describe(public)
	return name
}

func orUnknown(kind string) string {
	if kind == "" {
		return "unknown"
	}
	return kind
}

// comment is the wanted one, else the key's own, in one line.
func (m *material) comment() string {
	text := m.want.Comment
	if text == "" && m.item != nil {
		text = m.item.Name
	}
	return oneLine(text, maxComment)
}

// alias is the wanted one, else that of the item; "" where there is none.
func (m *material) alias() string {
	text := m.want.Alias
	if text == "" && m.item != nil && (m.item.Format == "JKS" || m.item.Format == "JWK") {
		text = m.item.Name
	}
	return oneLine(text, maxAlias)
}

// oneLine leaves nothing that could begin another line or hide what follows.
func oneLine(text string, limit int) string {
	return connectors.Clean(strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " "), limit)
}
