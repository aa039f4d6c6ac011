package keys

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
)

func jwkModulus(t *testing.T, data []byte) string {
	t.Helper()
	var key struct{ N string }
	if err := json.Unmarshal(data, &key); err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(key.N)
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(raw).Text(16)
}

// What cannot be written is refused, with words and a zero result.
func TestWhatIsNotWritten(t *testing.T) {
	ed, ec := practiceKey(t, "ed25519"), practiceKey(t, "ecdsa256")
	half := Item{Kind: PublicKey}
	half.own(ed.Public)
	own, err := NewSelfSigned(ec, RequestFor{CommonName: "practice"}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	missing := Item{Kind: PrivateKey, Err: needed()}
	at := func(f Format, key, cert int) Wanted { return Wanted{Format: f, Key: key, Certificate: cert} }
	long, accent := connectors.NewSecret(strings.Repeat("practice", 200)), connectors.NewSecret("practice-only-é")
	for name, c := range map[string]struct {
		items         []Item
		want          Wanted
		reason, field string
	}{
		"no such format":          {[]Item{ed}, Want("xyz"), "keys.write_format", FieldFormat},
		"nothing":                 {nil, Want(SSHPublic), "keys.write_nothing", FieldData},
		"nothing private":         {nil, Want(PKCS8), "keys.write_no_private", FieldKey},
		"no certificate":          {[]Item{ed}, Want(PEMChain), "keys.write_no_certificates", FieldData},
		"a public half":           {[]Item{half}, Want(OpenSSH), "keys.write_no_private", FieldKey},
		"a certificate":           {[]Item{own}, Want(PKCS8), "keys.write_no_private", FieldKey},
		"locked":                  {[]Item{missing}, Want(PKCS8), "keys.passphrase_needed", FieldPassphrase},
		"two keys":                {[]Item{ed, ec}, Want(PKCS8), "keys.write_several", FieldKey},
		"two public keys":         {[]Item{ed, ec}, Want(PublicKeyPEM), "keys.write_several", FieldKey},
		"out of range":            {[]Item{ed}, at(PKCS8, 1, -1), "keys.write_choice", FieldKey},
		"not a key":               {[]Item{own}, at(PKCS8, 0, -1), "keys.write_choice", FieldKey},
		"not a certificate":       {[]Item{ec, own}, at(PFXFile, 0, 0), "keys.write_choice", FieldCertificate},
		"Ed25519 in PKCS#1":       {[]Item{ed}, Want(PKCS1), "keys.write_kind", FieldFormat},
		"ECDSA in PKCS#1":         {[]Item{ec}, Want(PKCS1), "keys.write_kind", FieldFormat},
		"Ed25519 in SEC 1":        {[]Item{ed}, Want(SEC1), "keys.write_kind", FieldFormat},
		"a lock on PKCS#1":        {[]Item{ed}, as(PKCS1, locked), "keys.write_lock", FieldPassphrase},
		"a lock on a JWK":         {[]Item{ed}, as(JWK, locked), "keys.write_lock", FieldPassphrase},
		"a lock on a public key":  {[]Item{ed}, as(SSHPublic, locked), "keys.write_lock", FieldPassphrase},
		"too long":                {[]Item{ed}, as(OpenSSH, long), "keys.write_passphrase_long", FieldPassphrase},
		"a PFX without":           {[]Item{ed}, as(PFXFile, locked), "keys.write_no_certificate", FieldCertificate},
		"a PFX with another's":    {[]Item{ed, own}, as(PFXFile, locked), "keys.write_mismatch", FieldCertificate},
		"JKS without a password":  {[]Item{ec, own}, Want(JKS), "keys.write_passphrase_needed", FieldPassphrase},
		"JKS with a short one":    {[]Item{ec, own}, as(JKS, connectors.NewSecret("short")), "keys.write_passphrase_short", FieldPassphrase},
		"JKS with an accent":      {[]Item{ec, own}, as(JKS, accent), "keys.write_passphrase_letters", FieldPassphrase},
		"PFX with a rare letter":  {[]Item{ec, own}, as(PFXFile, connectors.NewSecret("practice-\U0001F511")), "keys.write_passphrase_letters", FieldPassphrase},
		"a keytab's entry":        {[]Item{{Kind: Keytab}}, Want(PKCS8), "keys.write_no_private", FieldKey},
		"a kind that is not read": {[]Item{{Kind: PrivateKey, Err: unsupported("keys.kind", "Ed448")}}, Want(PKCS8), "keys.kind", FieldData},
	} {
		w, err := Write(c.items, c.want)
		e := connectors.Classify(err)
		if e == nil || e.Reason != c.reason || e.Field != c.field || w.Data != nil || w.Name != "" || w.Secret || w.Notes != nil {
			t.Errorf("%s: %+v, %+v", name, e, w)
			continue
		}
		p := connectors.Explain(err)
		if p.Hint == "" || !connectors.English().Has(c.reason) || strings.Contains(p.Title+p.Hint, "the server") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// Every reason in the files that write and generate has words.
func TestReasonsOfWritingHaveWords(t *testing.T) {
	files, _ := filepath.Glob("*.go")
	n := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(keys\.(?:write|generate|request)_[a-z_]+)"`).FindAllStringSubmatch(string(data), -1) {
			n++
			if !connectors.English().Has(m[1]) {
				t.Errorf("%s: %s has no words", name, m[1])
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d were found", n)
	}
}

// Neither a result nor an error shows a key.
func TestSecurity80_WrittenKeysNeverShow(t *testing.T) {
	key := practiceKey(t, "ed25519")
	for _, f := range []Format{PKCS8, OpenSSH, JWK, PKCS8DER, PPK3} {
		w := mustWrite(t, []Item{key}, Want(f))
		n := len(w.Data) / 2
		part := []byte(w.Data[n : n+6])
		hints := []string{string(w.Data[n : n+12]), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)), strings.Trim(fmt.Sprint([6]byte(part)), "[]")}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "written", w, "data", w.Data)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "written", &w, "all", []Written{w})
		out := log.String()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q"} {
			out += fmt.Sprintf(verb, w) + fmt.Sprintf(verb, &w) + fmt.Sprintf(verb, []Written{w}) + fmt.Sprintf(verb, w.Data)
		}
		for _, hint := range hints {
			if strings.Contains(out, hint) {
				t.Errorf("%s: the key is shown", f)
			}
		}
		if _, err := json.Marshal(w); err == nil {
			t.Errorf("%s marshals", f)
		}
		if _, err := json.Marshal(w.Data); err == nil {
			t.Errorf("%s: the data marshals", f)
		}
	}
	if out, err := json.Marshal(mustWrite(t, []Item{key}, Want(SSHPublic))); err != nil || !strings.Contains(string(out), "ssh_public") {
		t.Errorf("a public half does not marshal: %s, %v", out, err)
	}
}
