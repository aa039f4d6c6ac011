package keys

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// whatIs says in words what a file is: its form, what protects it and what is in it.
func whatIs(k Kind, items []Item, err error) string {
	if k == PrivateKey && len(items) > 0 && items[0].Kind == PrivateKey {
		return privateWhat(items)
	}
	name := k.Name()
	switch {
	case k == Age && len(items) > 0 && items[0].Private != nil:
		return "a private key of age (an identity)"
	case k == Age && len(items) > 0:
		return "a public key of age (a recipient)"
	case k == PublicKey && len(items) == 1 && items[0].Algorithm != "":
		return fmt.Sprintf("%s (%s)", name, items[0].Algorithm)
	case reasonOf(err) == "keys.passphrase_needed", reasonOf(err) == "keys.passphrase_wrong":
		return "an encrypted " + strings.TrimPrefix(name, "a ")
	case len(items) == 0, k == PublicKey, k == ServiceAccount, k == OAuthClient, k == AuthorizedUser:
		return name
	case k == Certificate && len(items) > 1:
		return tally(items)
	case k == PFX, k == JavaStore, k == PKCS7, k == KnownHosts, k == Keytab, k == AWS:
		return name + " with " + tally(items)
	}
	return name
}

func privateWhat(items []Item) string {
	i := items[0]
	article, locked := "a ", ""
	if i.Locked != "" {
		locked = "encrypted "
	}
	form := i.Format + " private key"
	if locked != "" || strings.ContainsAny(form[:1], "AEIO") {
		article = "an "
	}
	if locked == "" && strings.HasPrefix(form, "SEC") {
		article = "a "
	}
	out := article + locked + form
	if i.Algorithm != "" {
		out += " (" + i.Algorithm + ")"
	}
	if len(items) > 1 {
		out += " with " + tally(items[1:])
	}
	return out
}

// tally counts items by their kind.
func tally(items []Item) string {
	var order []string
	n := map[string]int{}
	for _, i := range items {
		name := itemName(i)
		if n[name]++; !slices.Contains(order, name) {
			order = append(order, name)
		}
	}
	var parts []string
	for _, name := range order {
		switch {
		case n[name] == 1:
			parts = append(parts, "1 "+name)
		case strings.HasSuffix(name, "y") && !strings.HasSuffix(name, "key"):
			parts = append(parts, fmt.Sprintf("%d %sies", n[name], strings.TrimSuffix(name, "y")))
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n[name], name))
		}
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func itemName(i Item) string {
	switch i.Kind {
	case PrivateKey:
		return "private key"
	case PublicKey:
		return "public key"
	case SharedKey:
		return "secret key"
	case Certificate:
		return "certificate"
	case Request:
		return "certificate request"
	case Revocations:
		return "revocation list"
	case KnownHosts:
		return "server key"
	case Keytab:
		return "key"
	case AWS:
		return "access key"
	}
	return "entry"
}

// name tells a file whose name says something else than its content.
func (in *inspector) name() {
	ext := strings.ToLower(filepath.Ext(in.Name))
	var fits []Kind
	switch ext {
	case ".pfx", ".p12":
		fits = []Kind{PFX}
	case ".jks", ".jceks":
		fits = []Kind{JavaStore}
	case ".keytab":
		fits = []Kind{Keytab}
	case ".p7b", ".p7c":
		fits = []Kind{PKCS7, Certificate}
	case ".crt", ".cer", ".der":
		fits = []Kind{Certificate}
	case ".csr":
		fits = []Kind{Request}
	case ".crl":
		fits = []Kind{Revocations}
	case ".pub":
		fits = []Kind{PublicKey}
	case ".ppk", ".key":
		fits = []Kind{PrivateKey}
	case ".pem":
		fits = []Kind{PrivateKey, PublicKey, Certificate, Request, Revocations, PKCS7, Parameters}
	default:
		return
	}
	if !slices.Contains(fits, in.r.Kind) {
		in.find(-1, "name", Note, say("name", ext, in.r.Kind.Name()))
	}
}
