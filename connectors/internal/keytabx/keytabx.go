// Package keytabx reads Kerberos keytabs: MIT's file format, as its content or as base64.
package keytabx

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"
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

// List lists what is in a keytab file's content, or its base64. Nothing of a key
// is in the entries or in the error.
func List(data []byte) ([]Entry, error) {
	keys, err := Read(data)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, e := range keys {
		out = append(out, Entry{Principal: e.Name(), Realm: e.Realm, KVNO: e.KVNO, Etype: etypeName(e.Key.KeyType), Time: e.Time})
	}
	return out, nil
}

// A Key is one of a keytab's entries, with the key.
type Key struct {
	Parts []string // of the principal's name
	Realm string
	KVNO  uint32
	Time  time.Time
	Key   types.EncryptionKey
}

// Name is the principal's name without its realm.
func (k Key) Name() string { return strings.Join(k.Parts, "/") }

// Read returns the keys, at least one. The error quotes nothing of them.
func Read(data []byte) (out []Key, err error) {
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
	for _, e := range kt.Entries {
		p := e.Principal
		if p.Realm == "" || len(p.Components) == 0 || len(p.Components) != int(p.NumComponents) || len(e.Key.KeyValue) == 0 {
			return nil, errKeytab
		}
		out = append(out, Key{Parts: p.Components, Realm: p.Realm, KVNO: e.KVNO, Time: e.Timestamp, Key: e.Key})
	}
	if len(out) == 0 {
		return nil, errKeytab
	}
	return out, nil
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
