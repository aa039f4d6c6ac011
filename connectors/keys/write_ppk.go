package keys

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/ssh"
)

// What deriving the key of a locked PPK file takes: a little more than
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
// asks of Argon2id, and no more than PuTTYgen's own files.
const (
	argonKB     = 19 << 10
	argonPasses = 6
	argonSalt   = 16 // bytes
)

// A ppk is a key file of PuTTY before it is written. The layout is that of
// https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html.
type ppk struct {
	version                     int
	algorithm, cipher, comment  string
	public, private, salt       []byte
	cipherKey, vector, macBytes []byte
}

func writePPK2(m *material) ([]byte, error) { return writePPK(m, 2) }
func writePPK3(m *material) ([]byte, error) { return writePPK(m, 3) }

func writePPK(m *material, version int) ([]byte, error) {
	public, err := ssh.NewPublicKey(m.public)
	if err != nil {
		return nil, unfit("")
	}
	private := ppkNumbers(m.key)
	if private == nil {
		return nil, unfit("")
	}
	p := &ppk{version: version, algorithm: public.Type(), cipher: "none", comment: m.comment(), public: public.Marshal(), private: private}
	if m.locked() {
		p.cipher = "aes256-cbc"
		p.pad()
	}
	p.derive(m.pass())
	mac := p.mac()
	if m.locked() {
		block, err := aes.NewCipher(p.cipherKey)
		if err != nil {
			return nil, unfit("")
		}
		cipher.NewCBCEncrypter(block, p.vector).CryptBlocks(p.private, p.private)
	}
	return p.text(mac), nil
}

// ppkNumbers are the private numbers of a key in SSH's encoding, nil for kinds
// that have none.
func ppkNumbers(key crypto.PrivateKey) []byte {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return ssh.Marshal(struct{ D, P, Q, Inverse *big.Int }{k.D, k.Primes[0], k.Primes[1], k.Precomputed.Qinv})
	case *ecdsa.PrivateKey:
		raw, err := k.Bytes()
		if err != nil {
			return nil
		}
		return ssh.Marshal(struct{ D *big.Int }{new(big.Int).SetBytes(raw)})
	case ed25519.PrivateKey:
		return ssh.Marshal(struct{ Seed []byte }{k.Seed()})
	}
	return nil
}

// pad fills up the last block as PuTTY does, with the hash of what stands before.
func (p *ppk) pad() {
	sum := sha1.Sum(p.private)
	if n := len(p.private) % aes.BlockSize; n > 0 {
		p.private = append(p.private, sum[:aes.BlockSize-n]...)
	}
}

// derive makes the keys from the passphrase. A file that is not locked has an
// empty one in version 2, and an empty MAC key in version 3.
func (p *ppk) derive(pass []byte) {
	switch {
	case p.version == 2:
		mac := sha1.Sum(append([]byte("putty-private-key-file-mac-key"), pass...))
		p.macBytes = mac[:]
		first := sha1.Sum(append([]byte{0, 0, 0, 0}, pass...))
		second := sha1.Sum(append([]byte{0, 0, 0, 1}, pass...))
		p.cipherKey = append(first[:], second[:]...)[:32]
		p.vector = make([]byte, aes.BlockSize)
	case p.cipher != "none":
		p.salt = make([]byte, argonSalt)
		_, _ = rand.Read(p.salt) // it never fails
		all := argon2.IDKey(pass, p.salt, argonPasses, argonKB, 1, 32+aes.BlockSize+sha256.Size)
		p.cipherKey, p.vector, p.macBytes = all[:32], all[32:48], all[48:]
	}
}

// mac covers the private numbers with their padding, before they are encrypted.
func (p *ppk) mac() []byte {
	h := hmac.New(sha256.New, p.macBytes)
	if p.version == 2 {
		h = hmac.New(sha1.New, p.macBytes)
	}
	h.Write(ssh.Marshal(struct {
		Algorithm, Cipher, Comment string
		Public, Private            []byte
	}{p.algorithm, p.cipher, p.comment, p.public, p.private}))
	return h.Sum(nil)
}

func (p *ppk) text(mac []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "PuTTY-User-Key-File-%d: %s\nEncryption: %s\nComment: %s\n", p.version, p.algorithm, p.cipher, p.comment)
	lines(&b, "Public-Lines", p.public)
	if len(p.salt) > 0 {
		fmt.Fprintf(&b, "Key-Derivation: Argon2id\nArgon2-Memory: %d\nArgon2-Passes: %d\nArgon2-Parallelism: 1\nArgon2-Salt: %x\n", argonKB, argonPasses, p.salt)
	}
	lines(&b, "Private-Lines", p.private)
	fmt.Fprintf(&b, "Private-MAC: %s\n", hex.EncodeToString(mac))
	return b.Bytes()
}

// lines is a header with the number of lines of base64 that follow it.
func lines(b *bytes.Buffer, name string, data []byte) {
	rows := folded(base64.StdEncoding.EncodeToString(data), 64)
	fmt.Fprintf(b, "%s: %d\n", name, len(rows))
	for _, row := range rows {
		b.WriteString(row + "\n")
	}
}

func folded(text string, width int) []string {
	var out []string
	for len(text) > width {
		out, text = append(out, text[:width]), text[width:]
	}
	return append(out, text)
}
