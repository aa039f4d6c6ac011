package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // old files are read
	"crypto/subtle"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/poly1305" //nolint:staticcheck // OpenSSH's cipher does not use the AEAD of RFC 8439
	"golang.org/x/crypto/ssh"
)

// An openSSHFile is the form of
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key.
type openSSHFile struct {
	Cipher, KDF, Options string
	N                    uint32
	Public, Private      []byte
	Rest                 []byte `ssh:"rest"` // the tag of ciphers that have one
}

// openSSH fills in the public half, which is never encrypted, and opens the private one.
func (i *Item) openSSH(data []byte, pass attempt) {
	data, ok := bytes.CutPrefix(data, openSSHMagic)
	var f openSSHFile
	if !ok || ssh.Unmarshal(data, &f) != nil {
		i.Err = damaged("the OpenSSH key")
		return
	}
	if f.N != 1 {
		i.Err = unsupported("keys.kind", "several keys in one file")
		return
	}
	public, err := ssh.ParsePublicKey(f.Public)
	if err != nil {
		i.Err = damaged("the public half of the OpenSSH key")
		return
	}
	half := sshItem(public, "", "")
	i.SSH, i.Algorithm, i.Bits, i.Curve, i.Public = public, half.Algorithm, half.Bits, half.Curve, half.Public
	if f.Cipher == "none" {
		i.openSSHKey(f, f.Private)
		return
	}
	var options struct {
		Salt   string
		Rounds uint32
	}
	if f.KDF == "bcrypt" && ssh.Unmarshal([]byte(f.Options), &options) != nil {
		i.Err = damaged("the OpenSSH key")
		return
	}
	i.Locked = fmt.Sprintf("%s, %s with %d rounds", f.Cipher, f.KDF, options.Rounds)
	plan, known := sshCiphers()[f.Cipher]
	switch {
	case options.Rounds > pass.most.rounds:
		i.Err = fault("keys.costly", "")
	case !known || f.KDF != "bcrypt":
		i.Err = unsupported("keys.cipher", f.Cipher)
	case options.Rounds == 0 || len(options.Salt) == 0:
		i.Err = damaged("the OpenSSH key")
	case pass.Empty():
		i.Err = needed()
	default:
		key := bcryptKey([]byte(pass.Reveal()), []byte(options.Salt), int(options.Rounds), plan.key+plan.iv)
		plain, err := plan.open(key[:plan.key], key[plan.key:], f.Private, f.Rest)
		if err != nil {
			i.Err = err
			return
		}
		i.openSSHKey(f, plain)
	}
}

// openSSHKey reads the private half once it is in the clear. The two check
// numbers are the format's own test of the passphrase.
func (i *Item) openSSHKey(f openSSHFile, plain []byte) {
	if len(plain) < 8 || !bytes.Equal(plain[:4], plain[4:8]) {
		i.Err = damaged("the OpenSSH key")
		if i.Locked != "" {
			i.Err = wrong()
		}
		return
	}
	i.Name = openSSHComment(plain)
	if strings.HasPrefix(i.SSH.Type(), "sk-") {
		i.Err = unsupported("keys.security_key", "")
		return
	}
	if i.SSH.Type() == "ssh-dss" {
		i.openSSHDSA(plain[8:])
		return
	}
	f.Cipher, f.KDF, f.Options, f.Private, f.Rest = "none", "none", "", plain, nil
	file := append(bytes.Clone(openSSHMagic), ssh.Marshal(f)...)
	raw, err := ssh.ParseRawPrivateKey(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: file}))
	if err != nil {
		i.Err = damaged("the OpenSSH key")
		if strings.Contains(err.Error(), "unhandled key type") {
			i.Err = unsupported("keys.kind", i.SSH.Type())
		}
		return
	}
	public := i.Public
	i.have(raw)
	if public != nil && !Same(public, i.Public) {
		i.Private, i.Err = nil, damaged("the OpenSSH key, whose halves do not belong together")
	}
}

// A sshCipher is one of those that ssh-keygen -Z takes (ssh_config(5), "Ciphers").
type sshCipher struct {
	key, iv int // bytes
	open    func(key, iv, data, tag []byte) ([]byte, error)
}

func sshCiphers() map[string]sshCipher {
	return map[string]sshCipher{
		"aes128-ctr": {16, 16, openCTR}, "aes192-ctr": {24, 16, openCTR}, "aes256-ctr": {32, 16, openCTR},
		"aes128-cbc": {16, 16, openCBC}, "aes192-cbc": {24, 16, openCBC}, "aes256-cbc": {32, 16, openCBC},
		"rijndael-cbc@lysator.liu.se": {32, 16, openCBC},
		"3des-cbc":                    {24, 8, openTripleDES},
		"aes128-gcm@openssh.com":      {16, 12, openGCM}, "aes256-gcm@openssh.com": {32, 12, openGCM},
		"chacha20-poly1305@openssh.com": {64, 0, openChaCha},
	}
}

func openCTR(key, iv, data, _ []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, damaged("the OpenSSH key")
	}
	out := make([]byte, len(data))
	cipher.NewCTR(block, iv).XORKeyStream(out, data)
	return out, nil
}

func openCBC(key, iv, data, _ []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	return blocksOf(block, err, iv, data)
}

func openTripleDES(key, iv, data, _ []byte) ([]byte, error) {
	block, err := des.NewTripleDESCipher(key) //nolint:gosec // old files are read
	return blocksOf(block, err, iv, data)
}

func blocksOf(block cipher.Block, err error, iv, data []byte) ([]byte, error) {
	if err != nil || len(data)%block.BlockSize() != 0 {
		return nil, damaged("the OpenSSH key")
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	return out, nil
}

func openGCM(key, iv, data, tag []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, damaged("the OpenSSH key")
	}
	g, err := cipher.NewGCM(block)
	if err != nil || len(tag) != g.Overhead() {
		return nil, damaged("the OpenSSH key")
	}
	out, err := g.Open(nil, iv, append(bytes.Clone(data), tag...), nil)
	if err != nil {
		return nil, wrong()
	}
	return out, nil
}

// openChaCha is the cipher of
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.chacha20poly1305
// for packet 0 without a length before it.
func openChaCha(key, _, data, tag []byte) ([]byte, error) {
	var nonce [12]byte
	c, err := chacha20.NewUnauthenticatedCipher(key[:32], nonce[:])
	if err != nil || len(tag) != poly1305.TagSize {
		return nil, damaged("the OpenSSH key")
	}
	var once [32]byte
	c.XORKeyStream(once[:], once[:])
	var sum [poly1305.TagSize]byte
	poly1305.Sum(&sum, data, &once)
	if subtle.ConstantTimeCompare(sum[:], tag) != 1 {
		return nil, wrong()
	}
	c.SetCounter(1)
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out, nil
}

var errShort = errors.New("the data ends too early")

// sshStrings are the strings of RFC 4251 section 5 at the beginning of data, n of them.
func sshStrings(data []byte, n int) ([][]byte, error) {
	out := make([][]byte, 0, n)
	for range n {
		if len(data) < 4 {
			return nil, errShort
		}
		size := binary.BigEndian.Uint32(data)
		if uint64(size) > uint64(len(data)-4) {
			return nil, errShort
		}
		out = append(out, data[4:4+size])
		data = data[4+size:]
	}
	return out, nil
}

// openSSHComment skips the check numbers, the key's type and its numbers, and
// reads the string after them.
func openSSHComment(data []byte) string {
	kind, err := sshStrings(data[8:], 1)
	if err != nil {
		return ""
	}
	n := map[string]int{"ssh-rsa": 7, "ssh-dss": 6, "ssh-ed25519": 3}[string(kind[0])]
	if strings.HasPrefix(string(kind[0]), "ecdsa-") {
		n = 4
	}
	all, err := sshStrings(data[8:], n+1)
	if n == 0 || err != nil {
		return ""
	}
	return string(all[n])
}
