package account

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

type keytabConfig struct {
	Keytab  connectors.Secret `field:"keytab"`
	UsedFor string            `field:"used_for"`
}

func keytab() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "keytab", Name: "Kerberos keytab", Tile: "KT",
		Summary:  "Which principals it has keys for, of which version and encryption",
		Where:    []string{"used_for"},
		Keywords: []string{"kerberos", "active directory", "principal", "spn", "ktpass", "kvno", "gssapi"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "keytab", Label: "Keytab", Kind: connectors.SecretLines, Required: true, Section: "Keytab", Help: "Choose the file, or paste its content as base64."},
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"The administrator of the Kerberos realm makes the file, with ktpass on Windows or kadmin's ktadd."},
			Admin: "Make it with AES keys alone: ktpass /crypto AES256-SHA1, or ktadd -e aes256-cts-hmac-sha1-96:normal.",
			Notes: []string{"When the account's password changes, its keys get a new version number and old keytabs stop working.", "RC4 and DES keys are easy to break (RFC 6649, RFC 8429)."},
		},
	}), offline(readKeytab))
}

func readKeytab(c keytabConfig, _ time.Time) (*found, error) {
	const field = "keytab"
	text := c.Keytab.Reveal()
	items, _, err := read(field, text, connectors.Secret{})
	if err != nil {
		return nil, instead(err, field, text)
	}
	entries := pick(items, keys.Keytab)
	if len(entries) == 0 {
		return nil, kindError(field, keys.Identify([]byte(text)))
	}
	var names, realms, kinds, old []string
	inside := map[string][]*thing{}
	for _, i := range entries {
		e := i.Entry
		names, realms, kinds = once(names, i.Name), once(realms, e.Realm), once(kinds, i.Algorithm)
		if weakEtype(i.Algorithm) {
			old = once(old, i.Algorithm)
		}
		inside[i.Name] = append(inside[i.Name], entryThing(len(inside[i.Name]), i))
	}
	f := &found{said: names[0]}
	f.facts.add("Account", names[0])
	if len(names) > 1 {
		f.facts.count("Principals", len(names))
	}
	f.facts.add("Realm", strings.Join(realms, ", "))
	f.facts.count("Keys", len(entries))
	f.facts.add("Encryption", strings.Join(kinds, ", "))
	f.facts.add("Weak encryption", strings.Join(old, ", "))
	f.facts.add("Used for", c.UsedFor)
	if len(old) > 0 && len(old) == len(kinds) {
		f.warn(&connectors.Error{Code: connectors.Refused, Reason: "account.weak_keytab", Field: field, Said: strings.Join(old, ", ")})
	}
	for n, name := range names {
		f.things = append(f.things, branch(fmt.Sprintf("principal-%d", n+1), name, "principal", nil, inside[name]...))
	}
	return f, nil
}

func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// weakEtype goes by RFC 6649 (DES), RFC 8429 (3DES, RC4).
func weakEtype(name string) bool {
	return strings.HasPrefix(name, "des") || strings.HasPrefix(name, "arcfour")
}

func entryThing(n int, i keys.Item) *thing {
	var f facts
	f.add("Version (kvno)", fmt.Sprint(i.Entry.KVNO))
	f.add("Encryption", i.Algorithm)
	if weakEtype(i.Algorithm) {
		f.add("Strength", string(keys.Weak))
	}
	f.time("Written", i.Entry.Time)
	return branch("key-"+digits(n+1), fmt.Sprintf("%s, version %d", i.Algorithm, i.Entry.KVNO), "key", f)
}
