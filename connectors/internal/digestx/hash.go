package digestx

import (
	"crypto/md5" // what old servers ask for
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
)

// hash is H() of RFC 7616 section 3.3 with the challenge's algorithm.
func (o *offer) hash(s string) string {
	var h hash.Hash
	switch o.base {
	case "SHA-256":
		h = sha256.New()
	case "SHA-512":
		h = sha512.New()
	case "SHA-512-256":
		h = sha512.New512_256()
	default:
		h = md5.New()
	}
	_, _ = h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}
