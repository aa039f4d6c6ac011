package kerberosx

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
)

// maxKeytab is far above what ktutil, ktpass or msktutil write.
const maxKeytab = 1 << 20

// errKeytab stands for every parser's error: gokrb5 quotes the bytes that it
// could not read, and those are keys.
var errKeytab = errors.New("kerberos: this is no keytab")

// An Entry is one key of a keytab, without the key.
type Entry struct {
	Principal string // "HTTP/www.example.com"
	Realm     string
	KVNO      uint32 // the key's version
	Etype     string // "aes256-cts-hmac-sha1-96"
	Time      time.Time
}

// ReadKeytab lists what is in a keytab file's content, or its base64. Nothing
// of a key is in the entries or in the error.
func ReadKeytab(data []byte) ([]Entry, error) {
	keys, err := readKeys(data)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, e := range keys.entries {
		out = append(out, Entry{Principal: e.name(), Realm: e.realm, KVNO: e.kvno, Etype: etypeName(e.key.KeyType), Time: e.time})
	}
	return out, nil
}

// A key is one of a keytab's entries.
type key struct {
	parts []string
	realm string
	kvno  uint32
	time  time.Time
	key   types.EncryptionKey
}

func (k key) name() string { return strings.Join(k.parts, "/") }

type keys struct{ entries []key }

func readKeys(data []byte) (out *keys, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, errKeytab
		}
	}()
	if len(data) > maxKeytab*4/3 {
		return nil, errKeytab
	}
	if !bytes.HasPrefix(data, []byte{5}) {
		text := strings.Join(strings.Fields(string(data)), "")
		if data, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errKeytab
		}
	}
	var kt keytab.Keytab
	if len(data) > maxKeytab || kt.Unmarshal(data) != nil {
		return nil, errKeytab
	}
	out = &keys{}
	for _, e := range kt.Entries {
		p := e.Principal
		if p.Realm == "" || len(p.Components) == 0 || len(p.Components) != int(p.NumComponents) || len(e.Key.KeyValue) == 0 {
			return nil, errKeytab
		}
		out.entries = append(out.entries, key{parts: p.Components, realm: p.Realm, kvno: e.KVNO, time: e.Timestamp, key: e.Key})
	}
	if len(out.entries) == 0 {
		return nil, errKeytab
	}
	return out, nil
}

// only is the keytab's principal where it has one alone, of the realm if one is given.
func (k *keys) only(realm string) (name, itsRealm string) {
	for _, e := range k.entries {
		switch {
		case realm != "" && e.realm != realm:
		case name == "":
			name, itsRealm = e.name(), e.realm
		case name != e.name() || itsRealm != e.realm:
			return "", realm
		}
	}
	return name, or(itsRealm, realm)
}

// of are one principal's usable keys.
func (k *keys) of(name types.PrincipalName, realm, field string) (secret, error) {
	var out secret
	others := false
	for _, e := range k.entries {
		if e.realm != realm || !slices.Equal(e.parts, name.NameString) {
			continue
		}
		others = true
		if slices.Contains(etypes(), e.key.KeyType) {
			out.keys = append(out.keys, e)
		}
	}
	switch {
	case len(out.keys) > 0:
		return out, nil
	case others:
		return out, &connectors.Error{Code: connectors.Unsupported, Reason: "kerberos.keytab_etype", Op: connectors.StageForm, Field: field}
	}
	return out, bad("kerberos.keytab_principal", field, strings.Join(k.names(), ", "))
}

// names are the principals, each once, the first eight.
func (k *keys) names() []string {
	var out []string
	for _, e := range k.entries {
		if name := e.name() + "@" + e.realm; !slices.Contains(out, name) {
			out = append(out, name)
		}
		if len(out) == 8 {
			break
		}
	}
	return out
}

func etypeName(id int32) string {
	switch id {
	case etypeID.AES256_CTS_HMAC_SHA1_96:
		return "aes256-cts-hmac-sha1-96"
	case etypeID.AES128_CTS_HMAC_SHA1_96:
		return "aes128-cts-hmac-sha1-96"
	case etypeID.AES256_CTS_HMAC_SHA384_192:
		return "aes256-cts-hmac-sha384-192"
	case etypeID.AES128_CTS_HMAC_SHA256_128:
		return "aes128-cts-hmac-sha256-128"
	case etypeID.RC4_HMAC:
		return "arcfour-hmac"
	case etypeID.DES3_CBC_SHA1_KD:
		return "des3-cbc-sha1"
	}
	return fmt.Sprintf("etype %d", id)
}
