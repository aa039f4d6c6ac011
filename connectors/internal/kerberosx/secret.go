package kerberosx

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
	"jackfield/connectors/internal/keytabx"
)

// maxIterations of PBKDF2 is 32 times RFC 8009's default; a count in a KDC's
// answer may say four milliards, and nobody can interrupt them.
const maxIterations = 1 << 20

var errNoKey = errors.New("kerberos: no key of the kind that the KDC asks for")

// etypes are the encryption types that are spoken, the best known first. RC4 and
// DES are not among them: whoever may answer in the KDC's place could otherwise
// ask for a password's RC4, which is quickly guessed from (RFC 8429).
func etypes() []int32 {
	return []int32{
		etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96,
		etypeID.AES256_CTS_HMAC_SHA384_192, etypeID.AES128_CTS_HMAC_SHA256_128,
	}
}

// A secret is what the client proves itself with: keys, or else a password.
type secret struct {
	password connectors.Secret
	keys     []keytabx.Key
}

// etypes are those that there is a key for.
func (s secret) etypes() []int32 {
	if s.keys == nil {
		return etypes()
	}
	return slices.DeleteFunc(etypes(), func(e int32) bool {
		return !slices.ContainsFunc(s.keys, func(k keytabx.Key) bool { return k.Key.KeyType == e })
	})
}

// key returns the key of one encryption type. hints are the KDC's words about
// the salt; version is the wanted key's, 0 for the newest.
func (s secret) key(etype int32, version int, hints types.PADataSequence, name types.PrincipalName, realm string) (types.EncryptionKey, int, error) {
	if !slices.Contains(s.etypes(), etype) {
		return types.EncryptionKey{}, 0, errNoKey
	}
	if s.keys == nil {
		k, err := s.derive(etype, hints, name.GetSalt(realm))
		return k, 0, err
	}
	best := -1
	for i, k := range s.keys {
		if k.Key.KeyType != etype {
			continue
		}
		if version != 0 && k.KVNO == uint32(version) {
			return k.Key, version, nil
		}
		if best < 0 || k.KVNO > s.keys[best].KVNO {
			best = i
		}
	}
	return s.keys[best].Key, int(s.keys[best].KVNO), nil
}

// derive is string-to-key of RFC 3962 and RFC 8009.
func (s secret) derive(etype int32, hints types.PADataSequence, salt string) (types.EncryptionKey, error) {
	et, err := crypto.GetEtype(etype)
	if err != nil {
		return types.EncryptionKey{}, err
	}
	params := et.GetDefaultStringToKeyParams()
	for _, info := range infos(hints) {
		if info.EType != etype {
			continue
		}
		if info.Salt != "" {
			salt = info.Salt
		}
		if len(info.S2KParams) != 0 {
			if len(info.S2KParams) != 4 {
				return types.EncryptionKey{}, errReply
			}
			if n := binary.BigEndian.Uint32(info.S2KParams); n == 0 || n > maxIterations {
				return types.EncryptionKey{}, errReply
			}
			params = hex.EncodeToString(info.S2KParams)
		}
		break
	}
	value, err := et.StringToKey(s.password.Reveal(), salt, params)
	return types.EncryptionKey{KeyType: etype, KeyValue: value}, err
}

// infos are ETYPE-INFO2 (RFC 4120 section 5.2.7.5). ETYPE-INFO is for KDCs that
// speak nothing newer than DES and RC4.
func infos(hints types.PADataSequence) types.ETypeInfo2 {
	for _, pa := range hints {
		if pa.PADataType == patype.PA_ETYPE_INFO2 {
			if list, err := pa.GetETypeInfo2(); err == nil {
				return list
			}
		}
	}
	return nil
}
