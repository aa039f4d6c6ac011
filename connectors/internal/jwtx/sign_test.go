package jwtx

import (
	"crypto"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

var (
	noon = time.Unix(1_800_000_000, 0)
	none = connectors.Secret{}
)

// A vector is an example of RFC 7515 appendix A or RFC 7520 section 4; source says which.
type vector struct {
	Source, Method, Secret, Input, Signature string
	Key                                      json.RawMessage
}

func vectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var out []vector
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// The examples of the RFCs: where the algorithm is deterministic, the same
// signature; for the others another implementation verifies ours and theirs.
func TestPublishedSignatures(t *testing.T) {
	for _, v := range vectors(t) {
		var key crypto.Signer
		var secret []byte
		var public any
		var err error
		if v.Secret != "" {
			secret, err = fromBase64(v.Secret)
			public = secret
		} else if key, err = ReadKey(string(v.Key), none); err == nil {
			public = key.Public()
			err = fit(v.Method, key)
		}
		if err != nil {
			t.Fatalf("%s: %v", v.Source, err)
		}
		raw, err := signature(v.Method, key, secret, []byte(v.Input))
		if err != nil {
			t.Fatalf("%s: %v", v.Source, err)
		}
		ours := base64.RawURLEncoding.EncodeToString(raw)
		if fixed := v.Method[:2] == "HS" || v.Method[:2] == "RS"; fixed != (ours == v.Signature) {
			t.Errorf("%s: %s", v.Source, ours)
		}
		for who, s := range map[string]string{"ours": ours, "theirs": v.Signature} {
			verified(t, v.Source+", "+who, v.Input+"."+s, v.Method, public)
		}
	}
}

func verified(t *testing.T, name, token, method string, public any) {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(method)})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if _, err := parsed.Verify(public); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// keyFor makes the kind of key that a method takes, as PKCS#8.
func keyFor(t *testing.T, openssl, dir, method string) (path string) {
	t.Helper()
	path = filepath.Join(dir, method+".pem")
	args := map[string][]string{
		"ES256": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, "ES384": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"},
		"ES512": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"}, "EdDSA": {"-algorithm", "ed25519"},
	}[method]
	if args == nil {
		args = []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}
	}
	server.Run(t, openssl, append([]string{"genpkey", "-out", path}, args...)...)
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every method, signed here and verified by OpenSSL.
func TestOpenSSLVerifiesEveryMethod(t *testing.T) {
	openssl := server.Program(t, "openssl", "openssl")
	dir := t.TempDir()
	secret := strings.Repeat("practice-only-", 6)
	for _, method := range Methods() {
		spec := Spec{Method: method, Secret: connectors.NewSecret(secret), Payload: `{"iss":"practice","exp":"{now+300}"}`}
		var path string
		if !HMAC(method) {
			path = keyFor(t, openssl, dir, method)
			spec.Key = connectors.NewSecret(read(t, path))
		}
		token, expires, err := spec.Sign(noon)
		if err != nil || !expires.Equal(noon.Add(5*time.Minute)) {
			t.Fatalf("%s: %v, %v", method, expires, err)
		}
		opensslVerifies(t, openssl, dir, method, path, secret, token)
	}
}

// opensslVerifies fails the test when OpenSSL does not find the signature good.
func opensslVerifies(t *testing.T, openssl, dir, method, key, secret, token string) {
	t.Helper()
	cut := strings.LastIndexByte(token, '.')
	raw, err := base64.RawURLEncoding.DecodeString(token[cut+1:])
	if err != nil {
		t.Fatal(err)
	}
	hash := "-sha" + method[2:]
	input := server.WriteFile(t, dir, "input", token[:cut], 0o600)
	if HMAC(method) {
		if said := server.Run(t, openssl, "dgst", hash, "-hmac", secret, input); !strings.Contains(said, hex.EncodeToString(raw)) {
			t.Errorf("%s: openssl makes %s of it", method, said)
		}
		return
	}
	public := filepath.Join(dir, "public.pem")
	server.Run(t, openssl, "pkey", "-in", key, "-pubout", "-out", public)
	if method[:2] == "ES" {
		half := len(raw) / 2
		raw, err = asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
		if err != nil {
			t.Fatal(err)
		}
	}
	sig := server.WriteFile(t, dir, "sig", string(raw), 0o600)
	switch method[:2] {
	case "Ed":
		server.Run(t, openssl, "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", input, "-sigfile", sig)
	case "PS":
		server.Run(t, openssl, "dgst", hash, "-verify", public, "-signature", sig, "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest", input)
	default:
		server.Run(t, openssl, "dgst", hash, "-verify", public, "-signature", sig, input)
	}
}

// Padded to the curve's size: about one ECDSA signature in 128 has a short number.
func TestShortNumbersOfECDSAAreFilledUp(t *testing.T) {
	der, err := asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(1), big.NewInt(2)})
	if err != nil {
		t.Fatal(err)
	}
	for method, size := range map[string]int{"ES256": 64, "ES384": 96, "ES512": 132} {
		raw, err := fixed(der, curveBits(method))
		if err != nil || len(raw) != size || raw[size/2-1] != 1 || raw[size-1] != 2 {
			t.Errorf("%s: %x, %v", method, raw, err)
		}
	}
	for _, broken := range []string{"", "x", string(der) + "x", "\x30\x06\x02\x01\xff\x02\x01\x01"} {
		if _, err := fixed([]byte(broken), 256); err == nil {
			t.Errorf("%x was taken", broken)
		}
	}
}
