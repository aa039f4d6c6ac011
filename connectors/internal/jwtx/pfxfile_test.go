package jwtx

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"unicode/utf16"
)

// The structures of RFC 7292 section 4, as far as they say what work there is.
type (
	pfxFile struct {
		Version  int
		AuthSafe contentInfo
		Mac      pfxMac `asn1:"optional"`
	}
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	pfxMac struct {
		Digest struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}
		Salt       []byte
		Iterations int `asn1:"optional,default:1"`
	}
	encryptedData struct {
		Version int
		Info    struct {
			Type      asn1.ObjectIdentifier
			Algorithm pkix.AlgorithmIdentifier
			Data      []byte `asn1:"tag:0,optional"`
		}
	}
	encryptedKeyInfo struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
)

func dataOf(octets []byte) contentInfo {
	der, err := asn1.Marshal(octets)
	if err != nil {
		return contentInfo{}
	}
	return contentInfo{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, Content: explicit(der)}
}

func explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
}

// macOf is RFC 7292 appendix B.2 with SHA-256, one iteration and a salt of one
// block, which leaves one hash: the purpose, the salt, the password repeated.
func macOf(text, salt, password []byte) []byte {
	h := sha256.New()
	h.Write(bytes.Repeat([]byte{3}, sha256.BlockSize))
	h.Write(salt)
	if len(password) > 0 {
		size := (len(password) + sha256.BlockSize - 1) / sha256.BlockSize * sha256.BlockSize
		h.Write(bytes.Repeat(password, size/len(password)+1)[:size])
	}
	mac := hmac.New(sha256.New, h.Sum(nil))
	mac.Write(text)
	return mac.Sum(nil)
}

// bmp is a password as RFC 7292 appendix B.1 has it.
func bmp(password string) []byte {
	var out []byte
	for _, u := range append(utf16.Encode([]rune(password)), 0) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}
