package kerberosx_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/keytabx"
)

func der(v any) []byte {
	out, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

func madeKeytab(tb testing.TB, kinds ...int32) []byte {
	tb.Helper()
	kt := keytab.New()
	for _, kind := range kinds {
		if err := kt.AddEntry("alice", "EXAMPLE.TEST", password, time.Unix(1700000000, 0), 3, kind); err != nil {
			tb.Fatal(err)
		}
	}
	data, err := kt.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestAKeytabOfMITsIsListed(t *testing.T) {
	data := server.KDC(t).Keytab(t, "HTTP/www.example.test")
	for name, in := range map[string][]byte{
		"content": data, "base64": []byte(base64.StdEncoding.EncodeToString(data)),
		"base64 in lines": []byte(strings.ReplaceAll(base64.StdEncoding.EncodeToString(data), "A", "A\r\n ")),
	} {
		got, err := keytabx.List(in)
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		for i, etype := range []string{"aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96"} {
			e := got[i]
			if e.Principal != "HTTP/www.example.test" || e.Realm != "EXAMPLE.TEST" || e.KVNO != 2 || e.Etype != etype || time.Since(e.Time) > time.Hour {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
}

func TestAKeytabThatDoesNotFitSaysWhy(t *testing.T) {
	cfg := alice
	cfg.KDC = "127.0.0.1:1"
	cfg.Keytab = base64Of(madeKeytab(t, etypeID.RC4_HMAC, etypeID.DES3_CBC_SHA1_KD))
	_, err := open(t, cfg)
	wants(t, err, connectors.Unsupported, "kerberos.keytab_etype", "keytab")

	cfg.Keytab, cfg.User = base64Of(madeKeytab(t, etypeID.AES256_CTS_HMAC_SHA1_96)), "bob"
	_, err = open(t, cfg)
	wants(t, err, connectors.BadInput, "kerberos.keytab_principal", "keytab")
	if said := connectors.Explain(err).Said; said != "alice@EXAMPLE.TEST" {
		t.Errorf("said %q", said)
	}
}

// gokrb5's own errors quote what it could not read.
func TestSecurity59_ABrokenKeytabIsRefusedAndNeverQuoted(t *testing.T) {
	good := madeKeytab(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	canary := []byte("practice-only-key-bytes-practice")
	held := bytes.Clone(good)
	copy(held[len(held)-4-len(canary):], canary)
	if !bytes.Contains(held, canary) {
		t.Fatal("the key is elsewhere")
	}
	broken := map[string][]byte{
		"empty": {}, "short": {5}, "version": {5, 3, 0, 0}, "no entries": {5, 2}, "a hole alone": {5, 2, 0, 0, 0, 0},
		"a ticket cache":                {5, 4, 0, 0},
		"cut off":                       held[:len(held)-6],
		"an entry longer than the file": append(bytes.Clone(held), 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4),
		"an endless hole":               {5, 2, 0x80, 0, 0, 0, 1, 2, 3, 4},
		"a backward hole":               {5, 2, 0xff, 0xff, 0xff, 0xfe, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xf8},
		"large":                         append([]byte{5, 2}, make([]byte, 2<<20)...),
		"negative component":            mustHex(t, "050200000014ffff0001580001610000000100000000010012000100"),
	}
	for name, data := range broken {
		t.Run(name, func(t *testing.T) {
			got, err := keytabx.List(data)
			if err == nil {
				t.Fatalf("read as %+v", got)
			}
			if strings.Contains(err.Error(), "practice-only-key") {
				t.Error("the error quotes the key")
			}
			cfg := alice
			cfg.KDC, cfg.Keytab = "127.0.0.1:1", base64Of(data)
			if len(data) == 0 {
				return // no keytab at all
			}
			_, err = open(t, cfg)
			wants(t, err, connectors.BadInput, "kerberos.keytab", "keytab")
			if strings.Contains(err.Error(), "practice-only-key") {
				t.Error("the error quotes the key")
			}
		})
	}
}

func mustHex(tb testing.TB, text string) []byte {
	tb.Helper()
	out, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func FuzzReadKeytab(f *testing.F) {
	good := madeKeytab(f, etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96)
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte(base64.StdEncoding.EncodeToString(good)))
	f.Add([]byte{5, 1, 1, 0, 0, 0})
	f.Add([]byte{5, 2, 0x80, 0, 0, 0})
	f.Add([]byte{5, 4, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := keytabx.List(data)
		if (err == nil) != (len(got) > 0) {
			t.Errorf("%d entries and %v", len(got), err)
		}
		for _, e := range got {
			if e.Realm == "" || e.Etype == "" {
				t.Errorf("%+v", e)
			}
		}
	})
}
