package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/kayrus/putty"
	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/jwtx"
)

// What a file may ask of its key derivation. ssh-keygen makes 16 or 24 rounds of
// bcrypt; PuTTYgen takes 8 MB and as many passes as fit into a tenth of a second.
const (
	maxRounds   = 512
	maxArgonKB  = maxMemory >> 10
	maxArgon    = 1 << 20 // KB times passes
	maxArgonPar = 16
)

func (b block) privateItem(pass connectors.Secret) Item {
	i := Item{Kind: PrivateKey, Format: formatOf(b)}
	locked := func() bool { return i.Locked != "" }
	var costly bool
	switch {
	case b.label == "OPENSSH PRIVATE KEY":
		costly = i.openSSH(b.bytes)
	case b.headers["DEK-Info"] != "":
		cipher, _, _ := strings.Cut(b.headers["DEK-Info"], ",")
		i.Locked = cipher + ", MD5 once (the old encryption of PEM)"
	default:
		s := lookInto(b.bytes)
		i.Locked, costly = s.locked(), s.costly()
		if s.prf != "" {
			i.Err = unsupported("keys.cipher", "PBKDF2 with "+s.prf)
		}
	}
	switch {
	case costly:
		i.Err = fault("keys.costly", "")
	case i.Err != nil:
	case locked() && pass.Empty():
		i.Err = needed()
	default:
		i.unlock(b, pass)
	}
	return i
}

func formatOf(b block) string {
	switch b.label {
	case "OPENSSH PRIVATE KEY":
		return "OpenSSH"
	case "RSA PRIVATE KEY":
		return "PKCS#1"
	case "EC PRIVATE KEY":
		return "SEC 1"
	case "DSA PRIVATE KEY":
		return "OpenSSL's for DSA"
	}
	return "PKCS#8"
}

// unlock opens the key and fills in what it is.
func (i *Item) unlock(b block, pass connectors.Secret) {
	text := pem.EncodeToMemory(&pem.Block{Type: b.label, Headers: b.headers, Bytes: b.bytes})
	signer, err := jwtx.ReadKey(string(text), pass)
	if err == nil {
		i.have(signer)
		return
	}
	e := connectors.Classify(err)
	if e.Reason != "jwt.key_kind" {
		i.Err = translated(err)
		return
	}
	i.foreign(b, text, pass, e.Said)
}

func (i *Item) have(key crypto.PrivateKey) {
	if p, ok := key.(*ed25519.PrivateKey); ok {
		key = *p
	}
	i.Private = &Private{key}
	switch k := key.(type) {
	case *ecdh.PrivateKey:
		i.own(k.PublicKey())
	case crypto.Signer:
		i.own(k.Public())
	default:
		i.own(dsaPublic(key))
	}
}

// foreign is for keys that are read but cannot sign tokens: DSA, X25519, and
// kinds that the standard library does not know.
func (i *Item) foreign(b block, text []byte, pass connectors.Secret, said string) {
	if i.Locked == "" {
		if raw, err := x509.ParsePKCS8PrivateKey(b.bytes); err == nil {
			i.have(raw)
			return
		}
		if m, _ := members(b.bytes); len(m) > 1 {
			if name := algorithmName(m[1].FullBytes); name != "" {
				said = name
			}
		}
	}
	var raw any
	err := errors.New("not in a form that SSH has")
	if strings.Contains(i.Format, "SSH") || strings.Contains(i.Format, "DSA") {
		if i.Locked != "" {
			raw, err = ssh.ParseRawPrivateKeyWithPassphrase(text, []byte(pass.Reveal()))
		} else {
			raw, err = ssh.ParseRawPrivateKey(text)
		}
	}
	if err == nil {
		i.have(raw)
		return
	}
	i.Algorithm = said
	i.Err = unsupported("keys.kind", said)
}

// openSSH reads the part of OpenSSH's form that is never encrypted. See
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key.
func (i *Item) openSSH(data []byte) (costly bool) {
	data, ok := bytes.CutPrefix(data, []byte("openssh-key-v1\x00"))
	var head struct {
		Cipher, KDF, Options string
		N                    uint32
		Public, Private      []byte
		Rest                 []byte `ssh:"rest"`
	}
	if !ok || ssh.Unmarshal(data, &head) != nil {
		i.Err = damaged("the OpenSSH key")
		return false
	}
	if head.N != 1 {
		i.Err = unsupported("keys.kind", "several keys in one file")
		return false
	}
	public, err := ssh.ParsePublicKey(head.Public)
	if err != nil {
		i.Err = damaged("the public half of the OpenSSH key")
		return false
	}
	half := sshItem(public, "", "")
	i.SSH, i.Algorithm, i.Bits, i.Curve, i.Public = public, half.Algorithm, half.Bits, half.Curve, half.Public
	if head.Cipher != "none" {
		var options struct {
			Salt   string
			Rounds uint32
		}
		if head.KDF == "bcrypt" && ssh.Unmarshal([]byte(head.Options), &options) != nil {
			i.Err = damaged("the OpenSSH key")
			return false
		}
		i.Locked = fmt.Sprintf("%s, %s with %d rounds", head.Cipher, head.KDF, options.Rounds)
		costly = options.Rounds > maxRounds
	} else {
		i.Name = openSSHComment(head.Private)
	}
	switch {
	case strings.HasPrefix(public.Type(), "sk-"):
		i.Err = unsupported("keys.security_key", "")
	case public.Type() == "ssh-dss": // golang.org/x/crypto/ssh reads the private half in PEM alone
		i.Err = unsupported("keys.kind", "DSA")
	case head.Cipher != "none" && head.Cipher != "aes256-ctr" && head.Cipher != "aes256-cbc":
		i.Err = unsupported("keys.cipher", head.Cipher)
	}
	return costly
}

// openSSHComment skips the check numbers, the key's type and its numbers, which
// are strings all of them, and reads the string after them.
func openSSHComment(data []byte) string {
	if len(data) < 8 {
		return ""
	}
	data = data[8:]
	skip := -1
	for {
		var one struct {
			Text string
			Rest []byte `ssh:"rest"`
		}
		if ssh.Unmarshal(data, &one) != nil {
			return ""
		}
		switch {
		case skip == 0:
			return one.Text
		case skip < 0:
			skip = map[string]int{"ssh-rsa": 7, "ssh-dss": 6, "ssh-ed25519": 3}[one.Text]
			if strings.HasPrefix(one.Text, "ecdsa-") {
				skip = 4
			}
			if skip == 0 {
				return ""
			}
		}
		skip--
		data = one.Rest
	}
}

// ppkItem reads PuTTY's form, versions 2 and 3. See
// https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html.
func ppkItem(text string, pass connectors.Secret) (Item, error) {
	if len(text) > 20<<10 {
		return Item{}, fault("keys.large", "")
	}
	k, err := putty.New([]byte(text))
	if err != nil {
		return Item{}, damaged("the PuTTY key")
	}
	public, err := ssh.ParsePublicKey(k.PublicKey)
	if err != nil {
		return Item{}, damaged("the public half of the PuTTY key")
	}
	i := sshItem(public, k.Comment, fmt.Sprintf("PuTTY version %d", k.Version))
	i.Kind = PrivateKey
	if k.Encryption != "none" {
		i.Locked = k.Encryption + ", SHA-1 once"
		if k.Version >= 3 {
			i.Locked = fmt.Sprintf("%s, %s with %d KB and %d passes", k.Encryption, k.KeyDerivation, k.Argon2Memory, k.Argon2Passes)
		}
	}
	switch {
	case i.Locked != "" && k.Version >= 3 && (k.Argon2Memory > maxArgonKB || k.Argon2Parallelism > maxArgonPar || uint64(k.Argon2Memory)*uint64(k.Argon2Passes) > maxArgon):
		i.Err = fault("keys.costly", "")
	case i.Locked != "" && pass.Empty():
		i.Err = needed()
	default:
		i.unlockPPK(k, text, pass)
	}
	return i, nil
}

func (i *Item) unlockPPK(k *putty.Key, text string, pass connectors.Secret) {
	signer, err := jwtx.ReadKey(text, pass)
	if err == nil {
		i.have(signer)
		return
	}
	if connectors.Classify(err).Reason != "jwt.key_kind" || k.Algo != "ssh-dss" {
		i.Err = translated(err)
		return
	}
	var phrase []byte
	if i.Locked != "" {
		phrase = []byte(pass.Reveal())
	}
	raw, err := k.ParseRawPrivateKey(phrase)
	if err != nil {
		i.Err = damaged("the PuTTY key")
		return
	}
	i.have(raw)
}

// derItem is a private key without PEM around it.
func derItem(der []byte, pass connectors.Secret) Item {
	label := "PRIVATE KEY"
	if m, _ := members(der); len(m) == 2 {
		label = "ENCRYPTED PRIVATE KEY"
	}
	i := block{label: label, bytes: der}.privateItem(pass)
	m, _ := members(der)
	switch {
	case len(m) > 3 && i.Algorithm == "RSA":
		i.Format = "PKCS#1"
	case len(m) > 2 && m[1].Tag == asn1.TagOctetString:
		i.Format = "SEC 1"
	}
	return i
}

func binaryText(der []byte) string { return base64.StdEncoding.EncodeToString(der) }
