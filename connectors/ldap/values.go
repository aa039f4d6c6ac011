package ldap

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxCell is how many bytes of one value are shown.
const maxCell = 4 << 10

// withheld stands where a value is never shown.
const withheld = "(not shown)"

// hidden reports whether an attribute holds something that opens an account:
// passwords, their hashes and histories, keys, recovery codes. Directories keep
// such things under many names, so anything that sounds like one counts.
func hidden(name string) bool {
	name = bare(name)
	switch name {
	case "unicodepwd", "dbcspwd", "ntpwdhistory", "lmpwdhistory", "supplementalcredentials", "pwdhistory", "olcrootpw", "nsslapd-rootpw",
		"userpkcs12", "krb5key", "krbprincipalkey", "krbmkey", "krbpwdhistory", "ipanthash", "ms-mcs-admpwd", "msfve-keypackage",
		"trustauthincoming", "trustauthoutgoing", "initialauthincoming", "initialauthoutgoing", "currentvalue", "priorvalue",
		"oathsecret", "ipatokenotpkey", "ipasshprivkey", "msds-keycredentiallink", "olcdbbindpw":
		return true
	case "badpasswordtime", "badpwdcount", "passwordexpirationtime", "pwdlastset", "msds-userpasswordexpirytimecomputed", "sambapwdlastset",
		"krbpasswordexpiration", "krblastpwdchange", "passwordexpwarned", "passwordgraceusertime", "passwordretrycount", "msds-resultantpso":
		return false
	}
	for _, sound := range []string{"password", "passwd", "passphrase", "secret", "privatekey", "credential", "otpkey", "recoverykey"} {
		if strings.Contains(name, sound) {
			return true
		}
	}
	return false
}

// bare is an attribute's name without its options (RFC 4512 section 2.5), in lower case.
func bare(name string) string {
	name, _, _ = strings.Cut(name, ";")
	return strings.ToLower(name)
}

// isBinary names the attributes whose values are no text even where they read as such.
func isBinary(name string) bool {
	return strings.Contains(strings.ToLower(name), ";binary") || slices.Contains([]string{
		"jpegphoto", "photo", "thumbnailphoto", "thumbnaillogo", "audio", "usercertificate", "cacertificate", "usersmimecertificate",
		"certificaterevocationlist", "authorityrevocationlist", "crosscertificatepair", "logonhours", "ntsecuritydescriptor", "dnsrecord",
		"replpropertymetadata", "msexchmailboxsecuritydescriptor", "userparameters",
	}, bare(name))
}

// cell is a value as a person reads it; name is its attribute's.
func cell(name string, v []byte) string {
	switch {
	case hidden(name):
		return withheld
	case isBinary(name):
		return size(v)
	}
	switch key := bare(name); key {
	case "objectguid", "msexchmailboxguid", "ms-ds-consistencyguid", "schemaidguid", "invocationid":
		return either(v, guid)
	case "objectsid", "sidhistory", "securityidentifier", "tokengroups", "ms-ds-creatorsid":
		return either(v, sid)
	case "useraccountcontrol", "msds-user-account-control-computed":
		return accountControl(string(v))
	case "accountexpires", "pwdlastset", "lastlogon", "lastlogontimestamp", "lastlogoff", "badpasswordtime", "lockouttime", "msds-userpasswordexpirytimecomputed":
		if at, ok := ticks(string(v)); ok {
			return moment(at)
		}
	case "whencreated", "whenchanged", "createtimestamp", "modifytimestamp", "pwdchangedtime", "pwdaccountlockedtime", "pwdfailuretime", "authtimestamp", "pwdgraceusetime":
		if at, err := time.Parse("20060102150405Z0700", string(v)); err == nil { // GeneralizedTime, RFC 4517 section 3.3.13
			return moment(at)
		}
	}
	if !utf8.Valid(v) || strings.ContainsRune(string(v), 0) {
		return size(v)
	}
	return cut(string(v))
}

// either is what decode makes of v, or how large it is.
func either(v []byte, decode func([]byte) (string, bool)) string {
	if text, ok := decode(v); ok {
		return text
	}
	return size(v)
}

func moment(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

func size(v []byte) string {
	if len(v) == 1 {
		return "1 byte"
	}
	return strconv.Itoa(len(v)) + " bytes"
}

func cut(s string) string {
	if len(s) <= maxCell {
		return s
	}
	end := maxCell
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// guid is the text of MS-DTYP 2.3.4.2: the first three parts are little-endian.
func guid(v []byte) (string, bool) {
	if len(v) != 16 {
		return "", false
	}
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(v), binary.LittleEndian.Uint16(v[4:]), binary.LittleEndian.Uint16(v[6:]), v[8:10], v[10:]), true
}

// sid is the text of MS-DTYP 2.4.2.1, such as S-1-5-21-….
func sid(v []byte) (string, bool) {
	if len(v) < 8 || v[0] != 1 || len(v) != 8+4*int(v[1]) {
		return "", false
	}
	var authority uint64
	for _, b := range v[2:8] {
		authority = authority<<8 | uint64(b)
	}
	out := "S-1-" + strconv.FormatUint(authority, 10)
	for rest := v[8:]; len(rest) > 0; rest = rest[4:] {
		out += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(rest)), 10)
	}
	return out, true
}

// ticks reads Active Directory's times: 100 ns since 1601 in UTC (MS-DTYP
// 2.3.3). 0 and the largest number mean never, which is the zero time.
func ticks(text string) (time.Time, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false
	}
	if n == 0 || n == 1<<63-1 {
		return time.Time{}, true
	}
	const to1970 = 11_644_473_600
	return time.Unix(n/10_000_000-to1970, n%10_000_000*100).UTC(), true
}

// controlDisabled is the bit of userAccountControl that locks everybody out.
const controlDisabled = 0x2

// accountControl names the bits of MS-ADTS 2.2.16 that say whether one can sign in.
func accountControl(text string) string {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return cut(text)
	}
	var is []string
	for _, bit := range []struct {
		mask int64
		text string
	}{
		{controlDisabled, "disabled"}, {0x10, "locked out"}, {0x20, "no password needed"}, {0x200, "normal account"}, {0x800, "trust"},
		{0x1000, "computer"}, {0x2000, "domain controller"}, {0x10000, "password never expires"}, {0x40000, "smart card needed"}, {0x800000, "password expired"},
	} {
		if n&bit.mask != 0 {
			is = append(is, bit.text)
		}
	}
	if len(is) == 0 {
		return text
	}
	return text + " (" + strings.Join(is, ", ") + ")"
}
