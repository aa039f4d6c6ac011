package keys

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // version 2 uses it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/ssh"
)

// The bounds of a PuTTY file, beside the limits.
const (
	maxPPK      = 64 << 10 // bytes of text
	maxArgonPar = 16
)

// A ppkFile is PuTTY's form, versions 2 and 3. See
// https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html.
type ppkFile struct {
	version                    int
	algorithm, cipher, comment string
	public, private            []byte
	derivation                 string
	memory, passes, parallel   uint64
	salt, mac                  []byte
}

// parsePPK reads the lines. Numbers beyond 2⁶³ are errors, as are lines that come twice.
func parsePPK(text string) (*ppkFile, bool) {
	f := &ppkFile{}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	seen := map[string]bool{}
	for len(lines) > 0 {
		name, value, ok := strings.Cut(lines[0], ":")
		value = strings.TrimPrefix(value, " ")
		lines = lines[1:]
		if !ok || seen[name] {
			return nil, false
		}
		seen[name] = true
		if name == "Public-Lines" || name == "Private-Lines" {
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > len(lines) {
				return nil, false
			}
			data, err := base64.StdEncoding.DecodeString(strings.Join(lines[:n], ""))
			if err != nil {
				return nil, false
			}
			if lines = lines[n:]; name == "Public-Lines" {
				f.public = data
			} else {
				f.private = data
			}
			continue
		}
		if !f.header(name, value) {
			return nil, false
		}
	}
	return f, f.version != 0 && len(f.public) > 0 && len(f.private) > 0 && len(f.mac) > 0
}

func (f *ppkFile) header(name, value string) bool {
	var err error
	switch name {
	case ppkPrefix + "2", ppkPrefix + "3":
		f.version, f.algorithm = int(name[len(name)-1]-'0'), value
	case "Encryption":
		f.cipher = value
	case "Comment":
		f.comment = value
	case "Key-Derivation":
		f.derivation = value
	case "Argon2-Memory":
		f.memory, err = strconv.ParseUint(value, 10, 63)
	case "Argon2-Passes":
		f.passes, err = strconv.ParseUint(value, 10, 63)
	case "Argon2-Parallelism":
		f.parallel, err = strconv.ParseUint(value, 10, 63)
	case "Argon2-Salt":
		f.salt, err = hex.DecodeString(value)
	case "Private-MAC", "Private-Hash":
		f.mac, err = hex.DecodeString(value)
	default:
		return false
	}
	return err == nil
}

func (f *ppkFile) costly(most limits) bool {
	if f.version < 3 {
		return false
	}
	return f.memory > uint64(most.memory>>10) || f.parallel > maxArgonPar || f.passes > most.argon || max(f.memory, 8)*f.passes > most.argon //nolint:gosec // limits are positive
}

func (f *ppkFile) locked() string {
	switch {
	case f.cipher == "none":
		return ""
	case f.version < 3:
		return f.cipher + ", SHA-1 once"
	}
	return fmt.Sprintf("%s, %s with %d KB and %d passes", f.cipher, f.derivation, f.memory, f.passes)
}

func ppkItem(text string, pass attempt) (Item, error) {
	if len(text) > maxPPK {
		return Item{}, fault("keys.large", "")
	}
	f, ok := parsePPK(text)
	if !ok {
		return Item{}, damaged("the PuTTY key")
	}
	i := Item{Kind: PrivateKey, Name: f.comment, Format: fmt.Sprintf("PuTTY version %d", f.version), Locked: f.locked()}
	if f.algorithm == "ssh-ed448" {
		i.Algorithm, i.Err = "Ed448", unsupported("keys.kind", "Ed448")
		return i, nil
	}
	public, err := ssh.ParsePublicKey(f.public)
	if err != nil || public.Type() != f.algorithm {
		return Item{}, damaged("the public half of the PuTTY key")
	}
	half := sshItem(public, f.comment, "")
	i.SSH, i.Algorithm, i.Bits, i.Curve, i.Public = half.SSH, half.Algorithm, half.Bits, half.Curve, half.Public
	i.unlockPPK(f, pass)
	return i, nil
}

func (i *Item) unlockPPK(f *ppkFile, pass attempt) {
	switch {
	case f.cipher != "none" && f.cipher != "aes256-cbc":
		i.Err = unsupported("keys.cipher", f.cipher)
	case i.Locked != "" && f.costly(pass.most):
		i.Err = fault("keys.costly", "")
	case i.Locked != "" && pass.Empty():
		i.Err = needed()
	case i.Locked != "" && f.version == 3 && (f.memory == 0 || f.passes == 0 || f.parallel == 0 || len(f.salt) == 0):
		i.Err = damaged("the PuTTY key")
	default:
		plain, err := f.open(pass)
		if err != nil {
			i.Err = err
			return
		}
		key := ppkKey(i.Public, plain)
		if key == nil {
			i.Err = damaged("the PuTTY key")
			return
		}
		i.have(key)
	}
}

// open decrypts the private half and checks the MAC, which covers everything.
func (f *ppkFile) open(pass attempt) ([]byte, error) {
	var phrase []byte
	failed := damaged("the PuTTY key, whose checksum does not fit")
	if f.cipher != "none" {
		phrase, failed = []byte(pass.Reveal()), wrong()
	}
	key, iv, mac, err := f.derive(phrase)
	if err != nil {
		return nil, err
	}
	plain := bytes.Clone(f.private)
	if f.cipher != "none" {
		block, err := aes.NewCipher(key)
		if err != nil || len(plain)%aes.BlockSize != 0 {
			return nil, damaged("the PuTTY key")
		}
		cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, plain)
	}
	h := hmac.New(sha256.New, mac)
	if f.version < 3 {
		h = hmac.New(sha1.New, mac)
	}
	h.Write(ssh.Marshal(struct {
		Algorithm, Cipher, Comment string
		Public, Private            []byte
	}{f.algorithm, f.cipher, f.comment, f.public, plain}))
	if !hmac.Equal(h.Sum(nil), f.mac) {
		return nil, failed
	}
	return plain, nil
}

// derive returns the keys of the cipher and of the MAC.
func (f *ppkFile) derive(phrase []byte) (key, iv, mac []byte, err error) {
	if f.version < 3 {
		sum := sha1.Sum(append([]byte("putty-private-key-file-mac-key"), phrase...)) //nolint:gosec // version 2 uses it
		for n := range 2 {
			part := sha1.Sum(append([]byte{0, 0, 0, byte(n)}, phrase...)) //nolint:gosec // version 2 uses it
			key = append(key, part[:]...)
		}
		return key[:32], make([]byte, aes.BlockSize), sum[:], nil
	}
	if f.cipher == "none" {
		return nil, nil, nil, nil
	}
	passes, memory, threads := uint32(f.passes), uint32(f.memory), uint8(f.parallel) //nolint:gosec // costly bounds them
	const n = 32 + aes.BlockSize + 32
	var all []byte
	switch f.derivation {
	case "Argon2id":
		all = argon2.IDKey(phrase, f.salt, passes, memory, threads, n)
	case "Argon2i":
		all = argon2.Key(phrase, f.salt, passes, memory, threads, n)
	case "Argon2d":
		all = argon2d(phrase, f.salt, passes, memory, threads, n)
	default:
		return nil, nil, nil, unsupported("keys.cipher", f.derivation)
	}
	return all[:32], all[32:48], all[48:], nil
}

// ppkKey puts the halves together, nil where they do not fit. Padding may follow
// the private numbers.
func ppkKey(public crypto.PublicKey, plain []byte) crypto.PrivateKey {
	first, err := sshStrings(plain, 1)
	if err != nil {
		return nil
	}
	x := new(big.Int).SetBytes(first[0])
	switch k := public.(type) {
	case *rsa.PublicKey:
		return ppkRSA(k, plain)
	case *ecdsa.PublicKey:
		if len(first[0]) > 67 {
			return nil
		}
		key, err := ecdsa.ParseRawPrivateKey(k.Curve, x.FillBytes(make([]byte, (k.Params().N.BitLen()+7)/8+1))[1:])
		if err != nil || !key.PublicKey.Equal(k) {
			return nil
		}
		return key
	case ed25519.PublicKey:
		if len(first[0]) > ed25519.SeedSize {
			return nil
		}
		seed := make([]byte, ed25519.SeedSize)
		copy(seed, first[0])
		if key := ed25519.NewKeyFromSeed(seed); slices.Equal(key.Public().(ed25519.PublicKey), k) {
			return key
		}
		return nil
	}
	return dsaWith(public, x)
}

func ppkRSA(public *rsa.PublicKey, plain []byte) crypto.PrivateKey {
	parts, err := sshStrings(plain, 4)
	if err != nil || public.N.BitLen() > 16384 {
		return nil
	}
	number := func(n int) *big.Int { return new(big.Int).SetBytes(parts[n]) }
	key := &rsa.PrivateKey{PublicKey: *public, D: number(0), Primes: []*big.Int{number(1), number(2)}}
	for _, n := range append(key.Primes, key.D) {
		if n.Cmp(big.NewInt(1)) <= 0 || n.Cmp(public.N) >= 0 {
			return nil
		}
	}
	if key.Validate() != nil {
		return nil
	}
	key.Precompute()
	return key
}
