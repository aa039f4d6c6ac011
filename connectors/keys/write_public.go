package keys

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/ssh"
)

func writeChain(m *material) ([]byte, error) { return []byte(ChainPEM(m.chain)), nil }

func writeCertificateDER(m *material) ([]byte, error) { return bytes.Clone(m.chain[0].Raw), nil }

// writeP7B is a SignedData (RFC 2315 section 9.1) that nobody signed and that has
// certificates alone.
func writeP7B(m *material) ([]byte, error) {
	var certs []byte
	for _, c := range m.chain {
		certs = append(certs, c.Raw...)
	}
	type content struct{ Type asn1.ObjectIdentifier }
	empty := asn1.RawValue{Tag: asn1.TagSet, IsCompound: true}
	inner, err := asn1.Marshal(struct {
		Version      int
		Digests      asn1.RawValue
		Inner        content
		Certificates asn1.RawValue
		Signers      asn1.RawValue
	}{1, empty, content{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}}, context0(certs), empty})
	if err != nil {
		return nil, damaged("the certificates")
	}
	der, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}, context0(inner)})
	if err != nil {
		return nil, damaged("the certificates")
	}
	return pemOf("PKCS7", der), nil
}

func context0(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: der}
}

// sshKey is the public half in SSH's form. That of a security key is known in
// this form alone.
func (m *material) sshKey() (ssh.PublicKey, error) {
	if m.item != nil && m.item.SSH != nil {
		if _, cert := m.item.SSH.(*ssh.Certificate); !cert {
			return m.item.SSH, nil
		}
	}
	key, err := ssh.NewPublicKey(m.public)
	if err != nil {
		return nil, unfit("SSH has no form for this kind of key. Choose a PEM public key.")
	}
	return key, nil
}

func writeSSHPublic(m *material) ([]byte, error) {
	key, err := m.sshKey()
	if err != nil {
		return nil, err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	return []byte(strings.TrimSpace(line+" "+m.comment()) + "\n"), nil
}

// writeSSH2Public keeps lines under 72 bytes, and the comment in one of them
// (RFC 4716 section 3).
func writeSSH2Public(m *material) ([]byte, error) {
	key, err := m.sshKey()
	if err != nil {
		return nil, err
	}
	out := ssh2Begin + "\n"
	if comment := asciiOnly(m.comment()); comment != "" {
		const room = 72 - len(`Comment: ""`)
		out += `Comment: "` + strings.TrimSpace(comment[:min(len(comment), room)]) + "\"\n"
	}
	for _, row := range folded(base64.StdEncoding.EncodeToString(key.Marshal()), 70) {
		out += row + "\n"
	}
	return []byte(out + "---- END SSH2 PUBLIC KEY ----\n"), nil
}

// asciiOnly leaves away what other programs may take for the end of a value.
func asciiOnly(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, text)
}

// onDevice reports whether a key is one of a security key, whose signatures are
// SSH's own.
func onDevice(i *Item) bool {
	return i != nil && i.SSH != nil && strings.HasPrefix(i.SSH.Type(), "sk-")
}

func writePublicPEM(m *material) ([]byte, error) {
	if onDevice(m.item) {
		return nil, unfit("The key of a security key is for SSH alone. Choose an SSH public key.")
	}
	text := PublicPEM(m.public)
	if text == "" {
		return nil, unfit("PEM has no form for this kind of public key here. Choose an SSH public key.")
	}
	return []byte(text), nil
}

func writeJWK(m *material) ([]byte, error) {
	key := jose.JSONWebKey{Key: m.key, KeyID: m.alias()}
	if key.KeyID == "" {
		key.KeyID = thumbprint(m.public)
	}
	return webJSON(key)
}

func writePublicJWK(m *material) ([]byte, error) {
	if onDevice(m.item) {
		return nil, unfit("The key of a security key is for SSH alone. Choose an SSH public key.")
	}
	return webJSON(webKeyOf(m.public, m.alias()))
}

// writeJWKS is a set of public halves (RFC 7517 section 5): what a service
// publishes never has a private one in it.
func writeJWKS(m *material) ([]byte, error) {
	var set jose.JSONWebKeySet
	if m.item != nil && m.want.Key >= 0 {
		m.items = []Item{*m.item}
	}
	var seen []crypto.PublicKey
	for n := range m.items {
		i := &m.items[n]
		if i.Public == nil || onDevice(i) || contains(seen, i.Public) || i.Certificate != nil && i.Certificate.IsCA {
			continue
		}
		one := &material{want: m.want, item: i}
		key := webKeyOf(i.Public, one.alias())
		if !key.Valid() {
			continue
		}
		seen = append(seen, i.Public)
		if m.want.Alias != "" && len(set.Keys) > 0 {
			key.KeyID = thumbprint(i.Public)
		}
		set.Keys = append(set.Keys, key)
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxWebKeys {
		return nil, unfit("A key set takes from 1 to 100 keys of the kinds RSA, P-256, P-384, P-521 and Ed25519. Choose a PEM public key.")
	}
	return webJSON(set)
}

func contains(all []crypto.PublicKey, one crypto.PublicKey) bool {
	for _, k := range all {
		if Same(k, one) {
			return true
		}
	}
	return false
}

// webKeyOf has the thumbprint of RFC 7638 for an identifier where there is no other.
func webKeyOf(public crypto.PublicKey, id string) jose.JSONWebKey {
	if id == "" {
		id = thumbprint(public)
	}
	return jose.JSONWebKey{Key: public, KeyID: id}
}

func thumbprint(public crypto.PublicKey) string {
	key := jose.JSONWebKey{Key: public}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

func webJSON(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, unfit("A JSON Web Key has no form for this kind of key. Choose PEM.")
	}
	return append(data, '\n'), nil
}
