package keys

import (
	"crypto/sha512"
	"encoding/binary"

	"golang.org/x/crypto/blowfish" //nolint:staticcheck // bcrypt is made of it
)

// bcryptBlock is how much bcrypt makes at a time, in bytes.
const bcryptBlock = 32

// bcryptKey derives n bytes, n at most 1024, as OpenBSD's bcrypt_pbkdf(3) does: PBKDF2 with
// bcrypt in the place of an HMAC, and the bytes of the blocks spread over the key.
func bcryptKey(passphrase, salt []byte, rounds, n int) []byte {
	blocks := (n + bcryptBlock - 1) / bcryptBlock
	pass := sha512.Sum512(passphrase)
	out := make([]byte, n)
	for block := range blocks {
		salted := sha512.Sum512(binary.BigEndian.AppendUint32(append([]byte{}, salt...), uint32(block+1))) //nolint:gosec // at most 32
		next := bcryptHash(pass[:], salted[:])
		sum := next
		for range rounds - 1 {
			salted = sha512.Sum512(next[:])
			next = bcryptHash(pass[:], salted[:])
			for i := range sum {
				sum[i] ^= next[i]
			}
		}
		for i, b := range sum {
			if at := i*blocks + block; at < n {
				out[at] = b
			}
		}
	}
	return out
}

// bcryptHash is bcrypt with a cost of 6 and a text of its own.
func bcryptHash(pass, salt []byte) [bcryptBlock]byte {
	var out [bcryptBlock]byte
	c, err := blowfish.NewSaltedCipher(pass, salt)
	if err != nil {
		return out // only for an empty key
	}
	for range 64 {
		blowfish.ExpandKey(salt, c)
		blowfish.ExpandKey(pass, c)
	}
	copy(out[:], "OxychromaticBlowfishSwatDynamite")
	for range 64 {
		for at := 0; at < bcryptBlock; at += 8 {
			c.Encrypt(out[at:at+8], out[at:at+8])
		}
	}
	for at := 0; at < bcryptBlock; at += 4 { // the words come out with their low byte first
		binary.LittleEndian.PutUint32(out[at:], binary.BigEndian.Uint32(out[at:]))
	}
	return out
}
