package account

import (
	"errors"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

const (
	mediaText = "text/plain; charset=utf-8"
	mediaPEM  = "application/x-pem-file"
	mediaJSON = "application/json"
)

// read calls keys.Read and gives its errors the form's field names.
func read(field, text string, passphrase connectors.Secret) ([]keys.Item, []keys.Repair, error) {
	items, repairs, err := keys.Read([]byte(text), passphrase)
	return items, repairs, named(err, field)
}

// named renames the field of the data; the one of the passphrase has the name
// that forms give it.
func named(err error, field string) error { return renamed(err, keys.FieldData, field) }

func renamed(err error, from, to string) error {
	var e *connectors.Error
	if !errors.As(err, &e) || e.Field != from {
		return err
	}
	out := *e
	out.Field = to
	return &out
}

// kindError says what was given instead of what was wanted.
func kindError(field string, is keys.Kind) error {
	return &connectors.Error{Code: connectors.BadInput, Reason: "account.other." + string(is), Field: field, Said: is.Name()}
}

// instead turns "this holds no key" into "this is X, and here goes Y".
func instead(err error, field, text string) error {
	var e *connectors.Error
	if errors.As(err, &e) && strings.HasPrefix(e.Reason, "keys.other") {
		return kindError(field, keys.Identify([]byte(text)))
	}
	return err
}

func pick(items []keys.Item, kinds ...keys.Kind) []keys.Item {
	var out []keys.Item
	for _, i := range items {
		for _, k := range kinds {
			if i.Kind == k {
				out = append(out, i)
			}
		}
	}
	return out
}

func repaired(f *facts, repairs []keys.Repair) {
	var texts []string
	for _, r := range repairs {
		texts = append(texts, r.Text)
	}
	f.add("Put right", strings.Join(texts, "; "))
}

// day is how a date is told in a sentence.
func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// keyFacts describe a key by its public half.
func keyFacts(f *facts, i keys.Item) {
	f.add("Kind", algorithm(i))
	s := keys.KeyStrength(i.Public)
	f.add("Strength", string(s.Level))
	f.add("Note", strings.Join(s.Notes, "; "))
	f.add("Format", i.Format)
	f.add("Encrypted with", i.Locked)
	f.add("Comment", i.Name)
	p := keys.KeyFingerprints(i.Public)
	f.add("Fingerprint", p.SSH)
	f.add("MD5 fingerprint", p.SSHMD5)
	f.add("SPKI fingerprint (SHA-256)", p.SPKI)
}

// algorithm is "RSA, 2048 bits", "ECDSA, P-256", "Ed25519".
func algorithm(i keys.Item) string {
	size := ""
	switch {
	case i.Curve != "":
		size = ", " + i.Curve
	case i.Bits > 0 && (i.Algorithm == "RSA" || i.Algorithm == "DSA"):
		size = ", " + digits(i.Bits) + " bits"
	}
	return i.Algorithm + size
}

// publicParts are the forms of a public key, ready to copy.
func publicParts(i keys.Item) []*thing {
	line := ""
	if i.Public != nil {
		line = keys.SSHLine(i.Public, i.Name)
	}
	if line != "" {
		line += "\n"
	}
	var out []*thing
	for _, t := range []*thing{
		document("openssh", "Public key for OpenSSH (authorized_keys)", "public key", mediaText, line),
		document("pem", "Public key as PEM", "public key", mediaPEM, keys.PublicPEM(i.Public)),
	} {
		if t != nil {
			out = append(out, t)
		}
	}
	return out
}

// weakKey is a reservation about a key that services refuse.
func weakKey(w *found, field string, s keys.Strength) {
	if s.Level == keys.Weak {
		w.warn(&connectors.Error{Code: connectors.Refused, Reason: "account.weak", Field: field, Said: strings.Join(s.Notes, "; ")})
	}
}
