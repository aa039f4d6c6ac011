package keys

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"
)

const maxLines = 1000

// sshBlob reports whether data begins with the name of an SSH key type, as
// RFC 4253 section 6.6 has it.
func sshBlob(data []byte) bool {
	if len(data) < 8 {
		return false
	}
	n := binary.BigEndian.Uint32(data)
	if n < 7 || n > 64 || int(n) > len(data)-4 {
		return false
	}
	name := string(data[4 : 4+n])
	return strings.HasPrefix(name, "ssh-") || strings.HasPrefix(name, "ecdsa-") || strings.HasPrefix(name, "sk-")
}

// publicLines reads OpenSSH's one-line keys, also those of authorized_keys, and
// SSH2's blocks (RFC 4716). Lines of other kinds are left out.
func publicLines(text string) []Item {
	if strings.HasPrefix(text, ssh2Begin) {
		return ssh2Items(text)
	}
	var out []Item
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > maxLines {
			break
		}
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || isHostLine(line) {
			continue
		}
		key, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil {
			continue
		}
		out = append(out, sshItem(key, comment, "OpenSSH"))
	}
	return out
}

func ssh2Items(text string) []Item {
	var out []Item
	for part := range strings.SplitSeq(text, ssh2Begin) {
		body, _, _ := strings.Cut(part, "---- END")
		comment := ""
		var data strings.Builder
		lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(body), "\\\n", ""), "\n")
		for _, l := range lines[:min(len(lines), maxLines)] {
			if name, value, ok := strings.Cut(l, ":"); ok {
				if strings.EqualFold(strings.TrimSpace(name), "comment") {
					comment = strings.Trim(strings.TrimSpace(value), `"`)
				}
				continue
			}
			data.WriteString(strings.TrimSpace(l))
		}
		blob, err := base64.StdEncoding.DecodeString(data.String())
		if err != nil {
			continue
		}
		if key, err := ssh.ParsePublicKey(blob); err == nil {
			out = append(out, sshItem(key, comment, "SSH2 (RFC 4716)"))
		}
	}
	return out
}

func sshItem(key ssh.PublicKey, comment, format string) Item {
	i := Item{Kind: PublicKey, Format: format, Name: comment, SSH: key}
	if cert, ok := key.(*ssh.Certificate); ok {
		i.Format = "OpenSSH certificate"
		key = cert.Key
	}
	i.own(cryptoOf(key))
	if i.Algorithm == "" {
		i.Algorithm = key.Type()
	}
	if strings.HasPrefix(key.Type(), "sk-") {
		i.Algorithm += " on a security key"
	}
	return i
}

func cryptoOf(key ssh.PublicKey) crypto.PublicKey {
	k, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return nil
	}
	return k.CryptoPublicKey()
}

// publicDER reads a SubjectPublicKeyInfo (RFC 5280) or PKCS#1.
func publicDER(der []byte) (Item, error) {
	i := Item{Kind: PublicKey, Format: "SubjectPublicKeyInfo"}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		i.own(key)
		return i, nil
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		i.Format = "PKCS#1"
		i.own(key)
		return i, nil
	}
	if m, _ := members(der); len(m) == 2 {
		if name := algorithmName(m[0].FullBytes); name != "" {
			i.Algorithm = name
			return i, nil
		}
	}
	return i, damaged("the public key")
}

// SSHLine is a public key as ~/.ssh/authorized_keys has it, without a line end;
// "" for keys that SSH has no form for.
func SSHLine(public crypto.PublicKey, comment string) string {
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return ""
	}
	line := string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(key)))
	if comment = strings.Join(strings.Fields(comment), " "); comment != "" {
		line += " " + comment
	}
	return line
}

// PublicPEM is a public key as PEM ("PUBLIC KEY"), "" for keys that the standard
// library cannot write.
func PublicPEM(public crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
