package pemx

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// base64Of decodes text that is nothing but base64, in either alphabet.
func base64Of(text string) ([]byte, bool) {
	text = strings.Join(strings.Fields(text), "")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	return data, err == nil && len(data) > 0
}

// bare gives base64 the lines of its kind, which its content tells: a key, a
// certificate, or text that is one. What has no form in text stays base64.
func (f *fixer) bare(text string) (string, bool) {
	if len(text) < 32 {
		return "", false
	}
	data, ok := base64Of(text)
	if !ok {
		return "", false
	}
	if label := Label(data); label != "" {
		f.did("bare")
		lines := append([]string{"-----BEGIN " + label + "-----"}, wrapped(base64.StdEncoding.EncodeToString(data), label)...)
		return strings.Join(append(lines, "-----END "+label+"-----", ""), "\n"), true
	}
	if kind := sshKind(data); kind != "" {
		f.did("kind")
		return kind + " " + base64.StdEncoding.EncodeToString(data) + "\n", true
	}
	inner, repairs, ok := Decode(data)
	if !ok || !strings.Contains(inner, "-----BEGIN ") && !strings.HasPrefix(inner, ppkStart) && !strings.HasPrefix(inner, "{") {
		return "", false
	}
	f.repairs = append(f.repairs, repairs...)
	f.did("base64")
	return f.right(inner, 1), true
}

// sshKind is the name that an SSH public key begins with (RFC 4253 section 6.6),
// "" for other data.
func sshKind(data []byte) string {
	if len(data) < 8 {
		return ""
	}
	n := binary.BigEndian.Uint32(data)
	if n < 7 || n > 64 || int(n) > len(data)-4 {
		return ""
	}
	name := string(data[4 : 4+n])
	if strings.HasPrefix(name, "ssh-") || strings.HasPrefix(name, "ecdsa-") || strings.HasPrefix(name, "sk-") {
		return name
	}
	return ""
}

// Label is the PEM label of what is in data, by the tags of its first members
// (RFC 7468 section 4 and those after it); "" for what has none.
func Label(data []byte) string {
	if bytes.HasPrefix(data, []byte("openssh-key-v1\x00")) {
		return "OPENSSH PRIVATE KEY"
	}
	tags, values := shape(data)
	const i, s, o, b = asn1.TagInteger, asn1.TagSequence, asn1.TagOctetString, asn1.TagBitString
	at := func(n int) int {
		if n < len(tags) {
			return tags[n]
		}
		return 0
	}
	switch {
	case at(0) == i && at(1) == s && at(2) == o:
		return "PRIVATE KEY"
	case at(0) == i && at(1) == o:
		return "EC PRIVATE KEY"
	case at(0) == i && at(1) == i && at(2) == i && len(tags) == 9:
		return "RSA PRIVATE KEY"
	case at(0) == i && at(1) == i && at(2) == i && len(tags) == 6:
		return "DSA PRIVATE KEY"
	case at(0) == s && at(1) == o && len(tags) == 2 && len(values[1]) > 15:
		return "ENCRYPTED PRIVATE KEY"
	case at(0) == s && at(1) == b && len(tags) == 2:
		return "PUBLIC KEY"
	case at(0) == i && at(1) == i && len(tags) == 2 && len(values[0]) > 32:
		return "RSA PUBLIC KEY"
	case at(0) == s && at(1) == s && at(2) == b && len(tags) == 3:
		return signedLabel(data)
	case at(0) == asn1.TagOID && bytes.Equal(values[0], []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}):
		return "PKCS7"
	}
	return ""
}

// signedLabel is for the three structures that are signed alike.
func signedLabel(der []byte) string {
	if _, err := x509.ParseCertificateRequest(der); err == nil {
		return "CERTIFICATE REQUEST"
	}
	if _, err := x509.ParseRevocationList(der); err == nil {
		return "X509 CRL"
	}
	return "CERTIFICATE"
}

// shape are the tags and contents of the first ten members of a sequence that
// is all of the data; those of other classes are negative.
func shape(data []byte) (tags []int, values [][]byte) {
	var outer asn1.RawValue
	if rest, err := asn1.Unmarshal(data, &outer); err != nil || len(rest) > 0 || outer.Tag != asn1.TagSequence {
		return nil, nil
	}
	for rest := outer.Bytes; len(rest) > 0 && len(tags) < 10; {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			return nil, nil
		}
		tag := v.Tag
		if v.Class != asn1.ClassUniversal {
			tag = -v.Tag - 1
		}
		tags, values = append(tags, tag), append(values, v.Bytes)
	}
	return tags, values
}
