package keys

import (
	"encoding/asn1"
	"fmt"
	"math"
	"slices"
	"strings"

	"jackfield/connectors"
)

// An attempt is a passphrase, and how much may be done to try it.
type attempt struct {
	connectors.Secret
	most limits
}

// limits is what opening something may cost.
type limits struct {
	iterations int64  // added up
	bundle     int64  // the same for a PFX or a key store, which can hold many keys
	memory     int64  // bytes
	rounds     uint32 // of bcrypt
	argon      uint64 // KB times passes
}

// reading is for what is only looked at, within about a second. OpenSSL makes
// 2,048 iterations, Java 10,000, password managers about 600,000; scrypt usually
// takes 16 MB; ssh-keygen makes 16 or 24 rounds; PuTTYgen takes 8 MB and as many
// passes as fit into a tenth of a second.
func reading() limits {
	return limits{iterations: 1_000_000, bundle: 1_000_000, memory: 64 << 20, rounds: 512, argon: 1 << 20}
}

// using is for a key that somebody signs in with, and has waited for before: a few seconds.
func using() limits {
	return limits{iterations: 10_000_000, bundle: 2_000_000, memory: maxMemory, rounds: 2048, argon: 4 << 20}
}

// maxMemory is the most that any limit has, in bytes.
const maxMemory = 256 << 20

// The bounds of a survey. A PFX nests about twelve levels deep.
const (
	maxDepth = 24
	maxNodes = 50_000
)

// A survey is what DER says about its own encryption, without opening any of it.
type survey struct {
	ciphers []string // in the order of their first appearance
	kdf     string   // "PBKDF2", "scrypt", "" for the older ones
	work    int64    // iterations, added up
	memory  int64    // bytes that scrypt wants
	lanes   int64    // the same times the parallelism, added up over all keys
	nodes   int
	tooDeep bool
}

// lookInto walks through DER, and through the octet strings that hold more of it.
func lookInto(der []byte) *survey {
	s := &survey{}
	s.walk(der, 0)
	return s
}

func (s *survey) costly(most limits) bool {
	return s.tooDeep || s.work > most.iterations || s.memory > most.memory || s.lanes > 4*most.memory
}

// locked says in words what was used: "AES-256-CBC, PBKDF2 with 2048 iterations".
func (s *survey) locked() string {
	if len(s.ciphers) == 0 {
		return ""
	}
	out := strings.Join(s.ciphers, " and ")
	switch {
	case s.kdf == "scrypt":
		out += fmt.Sprintf(", scrypt with %d MB", s.memory>>20)
	case s.kdf != "":
		out += fmt.Sprintf(", %s with %d iterations", s.kdf, s.work)
	case s.work > 0:
		out += fmt.Sprintf(", %d iterations", s.work)
	}
	return out
}

func (s *survey) walk(der []byte, depth int) {
	if depth > maxDepth {
		s.tooDeep = true
		return
	}
	for len(der) > 0 && !s.tooDeep {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			return
		}
		if s.nodes++; s.nodes > maxNodes {
			s.tooDeep = true
			return
		}
		der = rest
		s.visit(v, depth)
	}
}

func (s *survey) visit(v asn1.RawValue, depth int) {
	switch {
	case v.IsCompound:
		if v.Tag == asn1.TagSequence {
			s.note(v.Bytes)
		}
		s.walk(v.Bytes, depth+1)
	case v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString && len(v.Bytes) > 1 && v.Bytes[0] == 0x30:
		var inner asn1.RawValue
		if rest, err := asn1.Unmarshal(v.Bytes, &inner); err == nil && len(rest) == 0 {
			s.walk(v.Bytes, depth+1)
		}
	}
}

// note looks at one sequence: an algorithm, or a salt with a count after it,
// which every key derivation and MAC of RFC 7292 and RFC 8018 has. What cannot be
// read after them does not hide them: parsers do not look at it either.
func (s *survey) note(content []byte) {
	m, _ := firstOf(content)
	id := identifier(m)
	if name := cipherName(id.String()); name != "" && !slices.Contains(s.ciphers, name) {
		s.ciphers = append(s.ciphers, name)
	}
	switch id.String() {
	case "1.2.840.113549.1.5.12":
		s.kdf = "PBKDF2"
	case "1.3.6.1.4.1.11591.4.11":
		s.scrypt(m)
		return
	}
	at := slices.IndexFunc(m, func(v asn1.RawValue) bool { return v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString })
	if at < 0 || at > 1 || at+1 >= len(m) || m[at+1].Tag != asn1.TagInteger || at == 1 && m[0].Tag != asn1.TagSequence {
		return
	}
	s.work = sum(s.work, count(m[at+1]))
}

// scrypt reads salt, N, r and p (RFC 7914 section 7); it takes 128·N·r bytes.
func (s *survey) scrypt(m []asn1.RawValue) {
	if len(m) != 2 {
		return
	}
	p, _ := firstOf(m[1].Bytes)
	if len(p) < 4 {
		return
	}
	s.kdf = "scrypt"
	n, r, par := count(p[1]), count(p[2]), count(p[3])
	if n > maxMemory || r > maxMemory || par > 16 || 128*n*r*par > 4*maxMemory {
		s.memory = math.MaxInt64
		return
	}
	s.memory = max(s.memory, 128*n*r)
	s.lanes = sum(s.lanes, 128*n*r*par)
}

// count is an INTEGER; what is negative or enormous is the largest number.
func count(v asn1.RawValue) int64 {
	var n int64
	if v.Tag != asn1.TagInteger || v.Class != asn1.ClassUniversal {
		return 0
	}
	if _, err := asn1.Unmarshal(v.FullBytes, &n); err != nil || n < 0 {
		return math.MaxInt64
	}
	return n
}

func sum(a, b int64) int64 {
	if b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}

// cipherName is for the identifiers of RFC 8018 appendices A and B, RFC 7292
// appendix C and NIST's AES.
func cipherName(id string) string {
	if aes, ok := strings.CutPrefix(id, "2.16.840.1.101.3.4.1."); ok {
		return aesName(aes)
	}
	switch id {
	case "1.2.840.113549.3.7":
		return "3DES"
	case "1.2.840.113549.3.2":
		return "RC2"
	case "1.3.14.3.2.7":
		return "DES"
	case "1.2.840.113549.1.12.1.1":
		return "RC4-128 with SHA-1"
	case "1.2.840.113549.1.12.1.2":
		return "RC4-40 with SHA-1"
	case "1.2.840.113549.1.12.1.3":
		return "3DES with SHA-1"
	case "1.2.840.113549.1.12.1.4":
		return "2-key 3DES with SHA-1"
	case "1.2.840.113549.1.12.1.5":
		return "RC2-128 with SHA-1"
	case "1.2.840.113549.1.12.1.6":
		return "RC2-40 with SHA-1"
	case "1.2.840.113549.1.5.1", "1.2.840.113549.1.5.3":
		return "DES with MD2 or MD5"
	case "1.2.840.113549.1.5.4", "1.2.840.113549.1.5.6":
		return "RC2 with MD2 or MD5"
	case "1.2.840.113549.1.5.10", "1.2.840.113549.1.5.11":
		return "DES or RC2 with SHA-1"
	case "1.3.6.1.4.1.42.2.19.1":
		return "3DES with MD5 (Java's)"
	case "1.3.6.1.4.1.42.2.17.1.1":
		return "Java's own method with SHA-1"
	}
	return ""
}

func aesName(last string) string {
	switch last {
	case "2":
		return "AES-128-CBC"
	case "22":
		return "AES-192-CBC"
	case "42":
		return "AES-256-CBC"
	case "6":
		return "AES-128-GCM"
	case "26":
		return "AES-192-GCM"
	case "46":
		return "AES-256-GCM"
	}
	return ""
}

// algorithmName names the public-key algorithm that an AlgorithmIdentifier has,
// as far as the standard library does not know it.
func algorithmName(der []byte) string {
	m, id := members(der)
	switch id.String() {
	case "1.2.840.113549.1.1.10":
		return "RSA for PSS alone"
	case "1.2.840.10040.4.1":
		return "DSA"
	case "1.2.840.113549.1.3.1", "1.2.840.10046.2.1":
		return "Diffie-Hellman"
	case "1.3.101.110":
		return "X25519"
	case "1.3.101.111":
		return "X448"
	case "1.3.101.113":
		return "Ed448"
	case "1.2.840.10045.2.1":
		var curve asn1.ObjectIdentifier
		if len(m) < 2 {
			return "EC"
		}
		if _, err := asn1.Unmarshal(m[1].FullBytes, &curve); err != nil {
			return "EC with parameters of its own"
		}
		return "EC " + curveName(curve.String())
	}
	return ""
}

func curveName(id string) string {
	switch id {
	case "1.3.132.0.10":
		return "secp256k1"
	case "1.2.840.10045.3.1.1":
		return "P-192"
	case "1.3.36.3.3.2.8.1.1.7":
		return "brainpoolP256r1"
	case "1.3.36.3.3.2.8.1.1.11":
		return "brainpoolP384r1"
	case "1.3.36.3.3.2.8.1.1.13":
		return "brainpoolP512r1"
	}
	return "on the curve " + id
}
