package pkcs8x

import (
	"bytes"
	"crypto/des"
	"crypto/md5"  //nolint:gosec // it is Java's method
	"crypto/sha1" //nolint:gosec // it is Java's method
	"encoding/binary"
	"unicode/utf16"
)

// javaChars is a password as Java's stores hash it: UTF-16 without a mark.
func javaChars(passphrase []byte) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(string(passphrase))) {
		out = binary.BigEndian.AppendUint16(out, u)
	}
	return out
}

// StoreSum is the checksum at the end of a JKS or JCEKS store, 20 bytes, of what
// comes before it. See OpenJDK's sun.security.provider.JavaKeyStore.
func StoreSum(data, passphrase []byte) []byte {
	h := sha1.New() //nolint:gosec // it is Java's method
	h.Write(javaChars(passphrase))
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(data)
	return h.Sum(nil)
}

// sunJKS is how JKS protects a key: a stream of SHA-1 sums, and one over the
// plain key. See OpenJDK's sun.security.provider.KeyProtector.
func sunJKS(data, passphrase []byte) ([]byte, error) {
	if len(data) < 2*sha1.Size {
		return nil, ErrDamaged
	}
	chars := javaChars(passphrase)
	salt, body, check := data[:sha1.Size], data[sha1.Size:len(data)-sha1.Size], data[len(data)-sha1.Size:]
	out := make([]byte, len(body))
	for at := 0; at < len(body); at += sha1.Size {
		sum := sha1.Sum(append(bytes.Clone(chars), salt...)) //nolint:gosec // it is Java's method
		salt = sum[:]
		for i := at; i < min(at+sha1.Size, len(body)); i++ {
			out[i] = body[i] ^ sum[i-at]
		}
	}
	sum := sha1.Sum(append(bytes.Clone(chars), out...)) //nolint:gosec // it is Java's method
	if !bytes.Equal(sum[:], check) {
		return nil, ErrPassphrase
	}
	return out, nil
}

// sunTripleDES is PBEWithMD5AndTripleDES, by which JCEKS protects keys: each half
// of the salt is hashed with the password on its own. See OpenJDK's
// com.sun.crypto.provider.PBES1Core, deriveCipherKey.
func sunTripleDES(p pbeParams, data, passphrase []byte) ([]byte, error) {
	if len(p.Salt) != 8 {
		return nil, ErrDamaged
	}
	salt := bytes.Clone(p.Salt)
	if bytes.Equal(salt[:4], salt[4:]) {
		// Java means to turn the first half round, and writes to its third byte twice.
		for i := range 2 {
			was := salt[i]
			salt[i] = salt[3-i]
			salt[2] = was
		}
	}
	var out []byte
	for half := range 2 {
		sum := bytes.Clone(salt[4*half : 4*half+4])
		h := md5.New() //nolint:gosec // it is Java's method
		for range p.Iterations {
			h.Reset()
			h.Write(sum)
			h.Write(passphrase)
			sum = h.Sum(sum[:0])
		}
		out = append(out, sum...)
	}
	block, err := des.NewTripleDESCipher(out[:24]) //nolint:gosec // it is Java's method
	if err != nil {
		return nil, ErrCipher
	}
	return cbc(block, out[24:], data)
}
