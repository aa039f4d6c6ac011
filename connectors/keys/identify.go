package keys

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"regexp"
	"strings"

	"jackfield/connectors/internal/pemx"
)

// Identify says by its content what a file or pasted text is. It opens nothing
// that is encrypted, and looks at the first MaxSize bytes alone.
func Identify(data []byte) Kind {
	if len(data) > MaxSize {
		data = data[:MaxSize]
	}
	return open(data).kind()
}

func (c *content) kind() Kind {
	switch {
	case c.binary != nil:
		return binaryKind(c.binary)
	case strings.TrimSpace(c.text) == "":
		return Empty
	case len(c.blocks) > 0:
		return blocksKind(c.blocks)
	case c.isPPK():
		return PrivateKey
	case c.isJSON():
		return jsonKind(c.text)
	case strings.HasPrefix(c.text, ssh2Begin):
		return PublicKey
	}
	return textKind(c.text)
}

// blocksKind goes by the block that is worth most: a file with a key and its
// certificate is a private key.
func blocksKind(blocks []block) Kind {
	found := Text
	for _, b := range blocks {
		switch k := b.kind(); {
		case k == PrivateKey:
			return k
		case found == Text || found == Parameters:
			found = k
		}
	}
	return found
}

func (b block) kind() Kind {
	switch l := b.label; {
	case strings.HasPrefix(l, "PGP "):
		return PGP
	case strings.HasPrefix(l, "AGE "):
		return Age
	case strings.HasSuffix(l, "PRIVATE KEY"):
		return PrivateKey
	case strings.HasSuffix(l, "PUBLIC KEY"):
		return PublicKey
	case strings.HasSuffix(l, "CERTIFICATE REQUEST"):
		return Request
	case strings.HasSuffix(l, "CERTIFICATE"):
		return Certificate
	case strings.HasSuffix(l, "PARAMETERS"):
		return Parameters
	case l == "X509 CRL", l == "CRL":
		return Revocations
	case l == "PKCS7", l == "CMS":
		return PKCS7
	case l == "PKCS12", l == "PFX":
		return PFX
	}
	return Text
}

// binaryKind goes by magic numbers and by the first members of DER.
func binaryKind(data []byte) Kind {
	switch {
	case len(data) == 0:
		return Empty
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}), bytes.HasPrefix(data, []byte{0xce, 0xce, 0xce, 0xce}):
		return JavaStore
	case len(data) > 2 && data[0] == 5 && (data[1] == 1 || data[1] == 2):
		return Keytab
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte{0x1f, 0x8b}), bytes.HasPrefix(data, []byte("7z\xbc\xaf")):
		return Archive
	case bytes.HasPrefix(data, []byte("age-encryption.org/")):
		return Age
	case sshBlob(data):
		return PublicKey
	case data[0] == 0x30:
		return derKind(data)
	case data[0] == 0x99 || data[0] == 0x95 || data[0] == 0xc5 || data[0] == 0xc6:
		return PGP
	}
	return Binary
}

// members are the first values in a DER sequence, at most four, and the object
// identifier that the sequence begins with.
func members(der []byte) ([]asn1.RawValue, asn1.ObjectIdentifier) {
	var outer asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(bytes.TrimSpace(rest)) > 0 || outer.Tag != asn1.TagSequence {
		return nil, nil
	}
	out, whole := firstOf(outer.Bytes)
	if !whole {
		return nil, nil
	}
	return out, identifier(out)
}

// firstOf are the first values of a sequence's content, at most four, up to what cannot be read.
func firstOf(content []byte) (out []asn1.RawValue, whole bool) {
	for rest := content; len(rest) > 0 && len(out) < 4; {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			return out, false
		}
		out = append(out, v)
	}
	return out, true
}

func identifier(out []asn1.RawValue) asn1.ObjectIdentifier {
	var id asn1.ObjectIdentifier
	if len(out) > 0 && out[0].Tag == asn1.TagOID {
		_, _ = asn1.Unmarshal(out[0].FullBytes, &id)
	}
	return id
}

const idSignedData = "1.2.840.113549.1.7.2"

// derKind tells the structures apart by the tags of their first members.
func derKind(der []byte) Kind {
	m, id := members(der)
	if len(m) == 0 {
		return Binary
	}
	if id.String() == idSignedData {
		return PKCS7
	}
	tags := make([]int, 4)
	for i, v := range m {
		tags[i] = v.Tag
		if v.Class != asn1.ClassUniversal {
			tags[i] = -v.Tag - 1
		}
	}
	const i, s, o, b = asn1.TagInteger, asn1.TagSequence, asn1.TagOctetString, asn1.TagBitString
	switch {
	case tags[0] == i && tags[1] == s && tags[2] == o, // PKCS#8
		tags[0] == i && tags[1] == o,                                         // SEC 1
		tags[0] == i && tags[1] == i && tags[2] == i && len(m[0].Bytes) <= 1, // PKCS#1, and DSA
		tags[0] == s && tags[1] == o && len(m) == 2 && len(m[1].Bytes) > 15:  // encrypted PKCS#8
		return PrivateKey
	case tags[0] == i && tags[1] == s && bytes.Equal(m[0].Bytes, []byte{3}):
		return PFX
	case tags[0] == s && tags[1] == b && len(m) == 2, tags[0] == i && tags[1] == i && len(m) == 2:
		return PublicKey
	case tags[0] == s && tags[1] == s && tags[2] == b:
		return signedKind(der)
	}
	return Binary
}

// signedKind is for the three structures that are signed alike.
func signedKind(der []byte) Kind {
	if _, err := x509.ParseCertificateRequest(der); err == nil {
		return Request
	}
	if _, err := x509.ParseRevocationList(der); err == nil {
		return Revocations
	}
	return Certificate
}

func jsonKind(text string) Kind {
	var o struct {
		Type       string          `json:"type"`
		PrivateKey string          `json:"private_key"`
		Installed  json.RawMessage `json:"installed"`
		Web        json.RawMessage `json:"web"`
		Kty        string          `json:"kty"`
		D          string          `json:"d"`
		Keys       []webKeyHead    `json:"keys"`
	}
	if json.Unmarshal([]byte(text), &o) != nil {
		_ = json.Unmarshal([]byte(pemx.Escaped(text)), &o)
	}
	switch {
	case o.Type == "authorized_user":
		return AuthorizedUser
	case o.Type == "service_account", o.PrivateKey != "":
		return ServiceAccount
	case len(o.Installed) > 0, len(o.Web) > 0:
		return OAuthClient
	case o.Kty != "":
		return webKeyHead{o.Kty, o.D}.kind()
	case len(o.Keys) > 0 && o.Keys[0].Kty != "":
		return o.Keys[0].kind()
	}
	return JSON
}

type webKeyHead struct {
	Kty string `json:"kty"`
	D   string `json:"d"`
}

func (w webKeyHead) kind() Kind {
	switch {
	case w.Kty == "oct":
		return SharedKey
	case w.D != "":
		return PrivateKey
	}
	return PublicKey
}

var (
	keyTypes   = `(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp[0-9]{3}|sk-[a-z0-9-]+@openssh\.com)(?:-cert-v01@openssh\.com)?`
	publicLine = regexp.MustCompile(`(?m)^(?:[^\n#]*[ ,"])?` + keyTypes + `[ \t]+AAAA[A-Za-z0-9+/]`)
	hostLine   = regexp.MustCompile(`(?m)^(?:@[a-z-]+ )?(?:\|1\|[A-Za-z0-9+/=|]+|[A-Za-z0-9*?!.\[\]:_,-]+) (?:ssh-|ecdsa-)[a-z0-9-]+ AAAA`)
	filePath   = regexp.MustCompile(`(?i)^(?:file://|~?/|\.{1,2}[/\\]|[a-z]:[/\\]|\\\\)[^\n]+$|^[^\n/\\]+\.(?:pem|key|ppk|pfx|p12|crt|cer|der|p7b|jks|keytab|json|pub)$`)
	webPage    = regexp.MustCompile(`(?i)^\s*(?:<!doctype html|<html|<head|<\?xml)`)
	tokenShape = regexp.MustCompile(`^(?i:bearer )?eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.`)
	awsBlock   = regexp.MustCompile(`(?i)\baws_(?:access_key_id|secret_access_key)\b`)
)

// options stand before a key in authorized_keys; a line that begins with a host
// name is of known_hosts.
func textKind(text string) Kind {
	head := text[:min(len(text), 64<<10)]
	switch {
	case webPage.MatchString(head):
		return WebPage
	case strings.HasPrefix(head, "AGE-SECRET-KEY-"), strings.HasPrefix(head, "age1"), strings.Contains(head, "\nage1"), strings.Contains(head, "\nAGE-SECRET-KEY-"), strings.HasPrefix(head, "age-encryption.org/"):
		return Age
	case tokenShape.MatchString(head):
		return Token
	case awsBlock.MatchString(head), awsHead(head):
		return AWS
	case len(publicLines(head)) > 0:
		return PublicKey
	case anyHostLine(head):
		return KnownHosts
	case publicLine.MatchString(head):
		return PublicKey
	case strings.HasPrefix(head, "http://"), strings.HasPrefix(head, "https://"):
		return Address
	case len(head) < 500 && filePath.MatchString(strings.TrimSpace(head)):
		return Path
	}
	return Text
}

func awsHead(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	return isAWSHead(line)
}

// isHostLine reports whether a line is of known_hosts. A line of authorized_keys
// may begin with options instead (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
func isHostLine(line string) bool {
	if !hostLine.MatchString(line) {
		return false
	}
	first, _, _ := strings.Cut(line, " ")
	for _, option := range strings.Split(first, ",") {
		switch {
		case strings.HasPrefix(option, "no-"), strings.HasSuffix(option, "-forwarding"), option == "restrict", option == "cert-authority", option == "pty", option == "user-rc":
			return false
		}
	}
	return true
}

func anyHostLine(text string) bool {
	for line := range strings.Lines(text) {
		if isHostLine(line) {
			return true
		}
	}
	return false
}
