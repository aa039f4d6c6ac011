package keys

import (
	"slices"
	"strings"
)

// A Format is a form that keys and certificates are written in.
type Format string

// The formats. They are typed in the terminal and never change.
const (
	OpenSSH        Format = "openssh"
	PKCS8          Format = "pkcs8"
	PKCS8DER       Format = "pkcs8_der"
	PKCS1          Format = "pkcs1"
	SEC1           Format = "sec1"
	PPK3           Format = "ppk3"
	PPK2           Format = "ppk2"
	JWK            Format = "jwk"
	PFXFile        Format = "pfx"
	JKS            Format = "jks"
	PEMBoth        Format = "pem_both"
	PEMChain       Format = "pem_chain"
	CertificateDER Format = "certificate_der"
	P7B            Format = "p7b"
	SSHPublic      Format = "ssh_public"
	SSH2Public     Format = "ssh2_public"
	PublicKeyPEM   Format = "public_pem"
	PublicJWK      Format = "public_jwk"
	JWKS           Format = "jwks"
)

// FormatInfo describes a format.
type FormatInfo struct {
	ID     Format
	Name   string // for people
	File   string // the usual ending of a file's name, such as ".pem"; "" for none
	Text   bool   // it can be shown and pasted
	Secret bool   // it can hold a private key
	Locks  bool   // it can be encrypted with a passphrase
	For    string // who reads it, a sentence
}

// A need is what a format is made of.
type need int

const (
	needPrivate need = iota
	needPublic
	needAllPublic // of every key that is there
	needChain
	needLeaf
	needBoth  // a private key and its certificates
	needStore // that, or certificates alone, which are then trusted
)

// A spec is a format with the way to write it.
type spec struct {
	info   FormatInfo
	need   need
	stem   string // of the file's name
	fits   []string
	other  string // what to choose for keys that do not fit
	encode func(*material) ([]byte, error)
}

// The kinds of keys, as kindOfKey names them, that SSH and the standards of web
// keys have a form for.
func common() []string { return []string{"RSA", "P-256", "P-384", "P-521", "Ed25519"} }

func specs() []spec {
	pkcs8 := append(common(), "P-224", "X25519")
	return slices.Concat([]spec{
		{FormatInfo{OpenSSH, "OpenSSH private key", "", true, true, true, "For ssh, sftp, scp, Git, and most SFTP programs."},
			needPrivate, "id", common(), "PKCS#8 (PEM)", writeOpenSSH},
		{FormatInfo{PKCS8, "PEM private key (PKCS#8)", ".pem", true, true, true, "For OpenSSL, web servers, Java, Python, Node.js and most cloud services."},
			needPrivate, "key", pkcs8, "another key", writePKCS8},
		{FormatInfo{PKCS8DER, "DER private key (PKCS#8)", ".der", false, true, true, "For Java programs and devices that ask for DER."},
			needPrivate, "key", pkcs8, "another key", pkcs8DER},
		{FormatInfo{PKCS1, "PEM RSA key (PKCS#1)", ".pem", true, true, false, "For older programs that ask for BEGIN RSA PRIVATE KEY."},
			needPrivate, "key", []string{"RSA"}, "PKCS#8 (PEM) or OpenSSH", writePKCS1},
		{FormatInfo{SEC1, "PEM EC key (SEC 1)", ".pem", true, true, false, "For older programs that ask for BEGIN EC PRIVATE KEY."},
			needPrivate, "key", []string{"P-224", "P-256", "P-384", "P-521"}, "PKCS#8 (PEM) or OpenSSH", writeSEC1},
		{FormatInfo{PPK3, "PuTTY key, version 3", ".ppk", true, true, true, "For PuTTY 0.75 and newer, and programs that read its keys."},
			needPrivate, "key", common(), "PKCS#8 (PEM)", writePPK3},
		{FormatInfo{PPK2, "PuTTY key, version 2", ".ppk", true, true, true, "For PuTTY before 0.75, and older programs that read its keys."},
			needPrivate, "key", common(), "PKCS#8 (PEM)", writePPK2},
		{FormatInfo{JWK, "JSON Web Key, private", ".json", true, true, false, "For programs that sign tokens (OAuth, OpenID Connect)."},
			needPrivate, "key", common(), "PKCS#8 (PEM)", writeJWK},
	}, storeSpecs(), publicSpecs())
}

func storeSpecs() []spec {
	store := append(common(), "P-224")
	return []spec{
		{FormatInfo{PFXFile, "PFX file (PKCS#12)", ".pfx", false, true, true, "For Windows, browsers, Java, and services that take a certificate with its key."},
			needStore, "key", store, "PKCS#8 (PEM)", writePFX},
		{FormatInfo{JKS, "Java key store (JKS)", ".jks", false, true, true, "For older Java programs; newer ones read PFX files as well."},
			needStore, "key", store, "PKCS#8 (PEM)", writeJKS},
		{FormatInfo{PEMBoth, "PEM private key and certificates in one file", ".pem", true, true, true, "For MongoDB, HAProxy, stunnel, and services with one field for both."},
			needBoth, "key-and-certificate", store, "PKCS#8 (PEM)", writeBoth},
	}
}

func publicSpecs() []spec {
	return []spec{
		{FormatInfo{PEMChain, "PEM certificates", ".pem", true, false, false, "For web servers, OpenSSL and most services: the certificate first, then its issuers."},
			needChain, "certificates", nil, "", writeChain},
		{FormatInfo{CertificateDER, "DER certificate", ".cer", false, false, false, "For Windows, Java and devices that take one certificate."},
			needLeaf, "certificate", nil, "", writeCertificateDER},
		{FormatInfo{P7B, "P7B certificates (PKCS#7)", ".p7b", true, false, false, "For Windows, Java and Tomcat: certificates without the key."},
			needChain, "certificates", nil, "", writeP7B},
		{FormatInfo{SSHPublic, "SSH public key in one line", ".pub", true, false, false, "For authorized_keys on SSH servers, GitHub, GitLab and cloud consoles."},
			needPublic, "id", nil, "PEM public key", writeSSHPublic},
		{FormatInfo{SSH2Public, "SSH2 public key (RFC 4716)", ".pub", true, false, false, "For commercial SSH servers, such as Tectia, that ask for this form."},
			needPublic, "key", nil, "PEM public key", writeSSH2Public},
		{FormatInfo{PublicKeyPEM, "PEM public key", ".pem", true, false, false, "For Snowflake, Salesforce, OpenSSL, and services that check signatures."},
			needPublic, "public", nil, "SSH public key", writePublicPEM},
		{FormatInfo{PublicJWK, "JSON Web Key, public", ".json", true, false, false, "For services that check tokens."},
			needPublic, "public", nil, "PEM public key", writePublicJWK},
		{FormatInfo{JWKS, "JSON Web Key Set, public halves", ".json", true, false, false, "For the address from which services fetch the keys that check tokens (jwks_uri)."},
			needAllPublic, "jwks", nil, "PEM public key", writeJWKS},
	}
}

func specOf(id Format) (spec, bool) {
	all := specs()
	at := slices.IndexFunc(all, func(s spec) bool { return s.info.ID == id })
	if at < 0 {
		return spec{}, false
	}
	return all[at], true
}

// Formats lists every format, those with a private key first.
func Formats() []FormatInfo {
	var out []FormatInfo
	for _, s := range specs() {
		out = append(out, s.info)
	}
	return out
}

// FormatsFor lists the formats that items can be written as, also where one of
// several keys has to be chosen first; of these it looks at the first hundred. It
// derives nothing from passphrases and is quick.
func FormatsFor(items []Item) []FormatInfo {
	var out []FormatInfo
	for _, s := range specs() {
		if s.possible(items) {
			out = append(out, s.info)
		}
	}
	return out
}

func (s spec) possible(items []Item) bool {
	for n := Choose; n < min(len(items), 100); n++ {
		if n >= 0 && !s.eligible(items[n]) {
			continue
		}
		w := Want(s.info.ID)
		w.Key = n
		m, err := s.gather(items, w)
		if err != nil {
			continue
		}
		if m.key != nil { // what the private forms can hold is known from fits
			return true
		}
		if s.info.Locks {
			return true // the password for certificates is still to come
		}
		if _, err = s.encode(m); err == nil {
			return true
		}
	}
	return false
}

// fileName keeps to fixed names: nothing that stood in a file becomes one.
func (s spec) fileName(m *material) string {
	stem := s.stem
	switch {
	case stem == "id":
		name, _, _ := Describe(m.public)
		stem = "id_" + strings.ToLower(name)
		if name == "" {
			stem = "id_key"
		}
	case s.need == needStore && m.key == nil:
		stem = "trusted"
	}
	return stem + s.info.File
}
