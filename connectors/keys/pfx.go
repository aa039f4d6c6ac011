package keys

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"

	"jackfield/connectors"
	"jackfield/connectors/internal/keytabx"
	"jackfield/connectors/internal/pkcs8x"
)

// The bounds of a PFX. Windows and OpenSSL put one key and its chain into it.
const (
	maxBags     = 600
	maxBagDepth = 4
)

// The structures of RFC 7292 section 4.
type (
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	pfxFile struct {
		Version  int
		AuthSafe contentInfo
		MAC      pkcs8x.MAC `asn1:"optional"`
	}
	encryptedData struct {
		Version int
		Info    struct {
			Type      asn1.ObjectIdentifier
			Algorithm pkix.AlgorithmIdentifier
			Data      []byte `asn1:"tag:0,optional"`
		}
	}
	safeBag struct {
		ID         asn1.ObjectIdentifier
		Value      asn1.RawValue  `asn1:"tag:0,explicit"`
		Attributes []bagAttribute `asn1:"set,optional"`
	}
	bagAttribute struct {
		ID     asn1.ObjectIdentifier
		Values asn1.RawValue
	}
	typedValue struct {
		ID    asn1.ObjectIdentifier
		Value []byte `asn1:"tag:0,explicit"`
	}
)

const (
	idData          = "1.2.840.113549.1.7.1"
	idEncryptedData = "1.2.840.113549.1.7.6"
	idBag           = "1.2.840.113549.1.12.10.1."
	idX509          = "1.2.840.113549.1.9.22.1"
)

// A pfxReader goes through a file's parts, and adds up what they ask for.
type pfxReader struct {
	pass    attempt
	work    int64 // iterations
	lanes   int64 // bytes of scrypt
	bags    int
	private []Item
	others  []Item
}

// pfxItems opens a PFX: its keys, then the certificates and all else in the order
// of the file. The MAC tells a wrong passphrase; a file without one is tried
// with the passphrase, and without.
func pfxItems(der []byte, pass attempt) ([]Item, error) {
	var f pfxFile
	if _, err := asn1.Unmarshal(der, &f); err != nil || f.Version != 3 {
		return nil, fault("keys.pfx", "")
	}
	s := lookInto(der)
	if s.costly(pass.most) || s.work > pass.most.bundle {
		return nil, fault("keys.costly", "")
	}
	safe, ok := octets(f.AuthSafe)
	if !ok {
		return nil, fault("keys.pfx", "")
	}
	if f.MAC.Digest.Algorithm.Algorithm != nil {
		if int64(f.MAC.Iterations) > pass.most.bundle {
			return nil, fault("keys.costly", "")
		}
		if err := f.MAC.Check(safe, []byte(pass.Reveal())); err != nil {
			return nil, pfxError(err, pass)
		}
	}
	r := &pfxReader{pass: pass}
	err := r.safe(safe)
	if errors.Is(err, pkcs8x.ErrPassphrase) && f.MAC.Digest.Algorithm.Algorithm == nil && !pass.Empty() {
		r = &pfxReader{pass: attempt{most: pass.most}}
		if r.safe(safe) == nil {
			err = nil
		}
	}
	if err != nil {
		return nil, pfxError(err, pass)
	}
	return append(r.private, r.others...), nil
}

func pfxError(err error, pass attempt) error {
	switch {
	case errors.As(err, new(*connectors.Error)):
		return err
	case errors.Is(err, pkcs8x.ErrPassphrase) && pass.Empty():
		return needed()
	case errors.Is(err, pkcs8x.ErrDamaged):
		return fault("keys.pfx", "")
	}
	return opened(err)
}

// octets is the content of ContentInfo's type data.
func octets(c contentInfo) ([]byte, bool) {
	var out []byte
	if c.Type.String() != idData {
		return nil, false
	}
	_, err := asn1.Unmarshal(c.Content.Bytes, &out)
	return out, err == nil
}

func (r *pfxReader) safe(der []byte) error {
	var parts []contentInfo
	if _, err := asn1.Unmarshal(der, &parts); err != nil {
		return pkcs8x.ErrDamaged
	}
	for _, part := range parts {
		if plain, ok := octets(part); ok {
			if err := r.contents(plain, "", 0); err != nil {
				return err
			}
			continue
		}
		var e encryptedData
		if _, err := asn1.Unmarshal(part.Content.Bytes, &e); err != nil || part.Type.String() != idEncryptedData {
			return fault("keys.pfx", "")
		}
		if !r.affords(part.Content.Bytes) {
			return fault("keys.costly", "")
		}
		plain, err := pkcs8x.Decrypt(e.Info.Algorithm, e.Info.Data, []byte(r.pass.Reveal()))
		if err != nil {
			return err
		}
		if err := r.contents(plain, lookInto(part.Content.Bytes).locked(), 0); err != nil {
			return err
		}
	}
	return nil
}

// affords adds up what the file has asked for so far. It is asked right before
// each derivation: nothing around that could hide it.
func (r *pfxReader) affords(der []byte) bool {
	s := lookInto(der)
	r.work, r.lanes = sum(r.work, s.work), sum(r.lanes, s.lanes)
	most := r.pass.most
	return !s.costly(most) && r.work <= most.bundle && r.lanes <= 4*most.memory
}

// contents reads SafeContents; locked is how they were encrypted.
func (r *pfxReader) contents(der []byte, locked string, depth int) error {
	var list asn1.RawValue
	if _, err := asn1.Unmarshal(der, &list); err != nil || list.Tag != asn1.TagSequence || depth > maxBagDepth {
		return pkcs8x.ErrDamaged
	}
	for rest := list.Bytes; len(rest) > 0; {
		var bag safeBag
		var err error
		if rest, err = asn1.Unmarshal(rest, &bag); err != nil {
			return pkcs8x.ErrDamaged
		}
		if r.bags++; r.bags > maxBags {
			return fault("keys.large", "")
		}
		if err := r.bag(bag, locked, depth); err != nil {
			return err
		}
	}
	return nil
}

func (r *pfxReader) bag(bag safeBag, locked string, depth int) error {
	const format = "PFX (PKCS#12)"
	kind, _ := strings.CutPrefix(bag.ID.String(), idBag)
	switch kind {
	case "1", "2":
		i := Item{Kind: PrivateKey, Format: format, Name: bag.name(), Locked: locked}
		if kind == "1" {
			i.plainDER(bag.Value.Bytes)
		} else {
			if !r.affords(bag.Value.Bytes) {
				return fault("keys.costly", "")
			}
			i.fromPFX(bag.Value.Bytes, r.pass)
		}
		if reasonOf(i.Err) == "keys.passphrase_wrong" {
			return pkcs8x.ErrPassphrase
		}
		r.private = append(r.private, i)
	case "3":
		var c typedValue
		if _, err := asn1.Unmarshal(bag.Value.Bytes, &c); err != nil {
			return pkcs8x.ErrDamaged
		}
		if c.ID.String() != idX509 {
			return nil // a certificate of SDSI
		}
		i, err := certificateItem(c.Value, format)
		if err != nil {
			return err
		}
		i.Name = bag.name()
		r.others = append(r.others, i)
	case "4":
		var c typedValue
		if _, err := asn1.Unmarshal(bag.Value.Bytes, &c); err != nil {
			return pkcs8x.ErrDamaged
		}
		i, err := revocationItem(c.Value, format)
		if err != nil {
			return err
		}
		r.others = append(r.others, i)
	case "5":
		r.others = append(r.others, Item{Kind: SharedKey, Format: format, Name: bag.name(), Algorithm: "shared secret", Locked: locked})
	case "6":
		return r.contents(bag.Value.Bytes, locked, depth+1)
	}
	return nil
}

// fromPFX opens a shrouded key. Unlike elsewhere no passphrase is a passphrase,
// the empty one: the MAC has been checked with it.
func (i *Item) fromPFX(der []byte, pass attempt) {
	i.Locked = lookInto(der).locked()
	plain, err := pkcs8x.Open(der, []byte(pass.Reveal()))
	if err != nil {
		i.Err = opened(err)
		return
	}
	i.plainDER(plain)
}

// name is the bag's friendlyName, a BMPString (RFC 2985 section 5.5.1).
func (b safeBag) name() string {
	for _, a := range b.Attributes {
		var v asn1.RawValue
		if a.ID.String() != "1.2.840.113549.1.9.20" {
			continue
		}
		if _, err := asn1.Unmarshal(a.Values.Bytes, &v); err != nil {
			return ""
		}
		var units []uint16
		for at := 0; at+1 < min(len(v.Bytes), 512); at += 2 {
			units = append(units, binary.BigEndian.Uint16(v.Bytes[at:]))
		}
		return string(bytes.ToValidUTF8([]byte(string(utf16.Decode(units))), nil))
	}
	return ""
}

func reasonOf(err error) string {
	var e *connectors.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func revocationItem(der []byte, format string) (Item, error) {
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return Item{}, damaged("the revocation list")
	}
	return Item{Kind: Revocations, Format: format, Name: l.Issuer.String(), Created: l.ThisUpdate, Revocations: l}, nil
}

func keytabItems(data []byte) ([]Item, error) {
	entries, err := keytabx.List(data)
	if err != nil {
		return nil, damaged("the keytab")
	}
	var out []Item
	for _, e := range entries {
		e.Etype = etypeName(e.Etype)
		out = append(out, Item{Kind: Keytab, Format: "keytab", Name: e.Principal + "@" + e.Realm, Algorithm: e.Etype, Created: e.Time, Entry: &e})
	}
	return out, nil
}

// etypeName names the encryption types that have been given up (RFC 6649,
// RFC 8429) and that kerberosx knows by number alone.
func etypeName(name string) string {
	switch name {
	case "etype 1":
		return "des-cbc-crc"
	case "etype 2":
		return "des-cbc-md4"
	case "etype 3":
		return "des-cbc-md5"
	case "etype 24":
		return "arcfour-hmac-exp"
	case "etype 25":
		return "camellia128-cts-cmac"
	case "etype 26":
		return "camellia256-cts-cmac"
	}
	return name
}
