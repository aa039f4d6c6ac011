package readiness

import (
	"crypto"
	"crypto/x509"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// soon is how long before its end something is warned of.
const soon = 30 * 24 * time.Hour

// passphraseOf names the field that opens another one.
func passphraseOf(key string) string {
	switch key {
	case "client_key", "client_pfx", "certificate_file":
		return "client_key_passphrase"
	case "jwt_key":
		return "jwt_passphrase"
	case "assertion_key", "client_key_jwt":
		return "assertion_passphrase"
	case "keystore", "truststore":
		return key + "_password"
	case "pgp_key":
		return "pgp_passphrase"
	}
	return "passphrase"
}

// looked are the kinds of content that keys can say something about.
func looked(k keys.Kind) bool {
	switch k {
	case keys.PrivateKey, keys.PublicKey, keys.Certificate, keys.PFX, keys.PKCS7, keys.JavaStore, keys.Keytab, keys.ServiceAccount, keys.Request:
		return true
	}
	return false
}

// material looks into every key, certificate and store of the form.
func (l *look) material() {
	own := map[string]crypto.PublicKey{} // of the certificates and requests
	private := map[string]crypto.PublicKey{}
	for _, f := range l.t.Form.Fields {
		text := l.content(f)
		if text == "" || f.Key == "pgp_key" {
			continue
		}
		if !looked(keys.Identify([]byte(text))) {
			continue
		}
		open := passphraseOf(f.Key)
		items, repairs, err := keys.Read([]byte(text), l.s.Secrets[open])
		if err != nil {
			l.unread(f, open, err)
			continue
		}
		if len(repairs) > 0 {
			l.add(Item{ID: "repair." + f.Key, State: Warning, Field: f.Key, Title: f.Label + " was put right", Text: "Pasting had changed it. What was repaired: " + repairWords(repairs) + "."})
		}
		leaf, public := l.each(f, open, items)
		own[f.Key], private[f.Key] = l.request(f, items), public
		if leaf != nil {
			own[f.Key] = leaf.PublicKey
		} else if c := sshCertificate(items); c != nil {
			own[f.Key] = cryptoKey(c)
			l.sshDates(f, c)
		}
	}
	l.pairs(own, private)
}

// content is the text of a visible answer that has several lines.
func (l *look) content(f connectors.Field) string {
	if f.Kind != connectors.SecretLines && f.Kind != connectors.Lines || !l.t.Form.Visible(f.Key, l.s) || !l.readable(f) {
		return ""
	}
	if f.Kind.Secret() {
		return l.s.Secrets[f.Key].Reveal()
	}
	return l.s.Plain[f.Key]
}

func repairWords(all []keys.Repair) string {
	var out []string
	for _, r := range all {
		out = append(out, strings.TrimSuffix(r.Text, "."))
	}
	return strings.Join(out, "; ")
}

// unread says why something could not be opened.
func (l *look) unread(f connectors.Field, open string, err error) {
	e := connectors.Classify(err)
	if e.Field != keys.FieldPassphrase {
		l.add(Item{ID: "key.wrong." + f.Key, State: Wrong, Field: f.Key, Title: f.Label + " cannot be read", Text: connectors.Explain(err).Hint})
		return
	}
	phrase, ok := l.t.Form.Field(open)
	switch {
	case !ok:
		l.add(Item{ID: "key.locked." + f.Key, State: Wrong, Field: f.Key, Title: f.Label + " is locked", Text: "This form has no place for a passphrase. Use the key without one."})
	case l.s.Secrets[open].Empty():
		l.add(Item{ID: "key.locked." + f.Key, State: Missing, Field: open, Title: phrase.Label + " is missing", Text: f.Label + " is locked with a passphrase."})
	case l.readable(phrase):
		l.add(Item{ID: "key.passphrase." + f.Key, State: Wrong, Field: open, Title: phrase.Label + " does not fit", Text: f.Label + " is locked with another passphrase."})
	}
}

// each judges what was found in one field. It returns the first certificate of
// its own and the public half of its private key.
func (l *look) each(f connectors.Field, open string, items []keys.Item) (leaf *x509.Certificate, public crypto.PublicKey) {
	var certs []*x509.Certificate
	principals := []string{}
	for _, i := range items {
		switch {
		case i.Err != nil:
			l.unread(f, open, i.Err)
		case i.Certificate != nil:
			certs = append(certs, i.Certificate)
		case i.Entry != nil:
			principals = append(principals, i.Name)
		case i.Kind == keys.PrivateKey:
			public = i.Public
			l.strength(f, i)
		}
	}
	if len(principals) > 0 {
		l.add(Item{ID: "keytab." + f.Key, State: Done, Field: f.Key, Title: f.Label + " can be read", Text: "It has " + counted(len(principals)) + ". A keytab has no end date; a new password makes it useless."})
	}
	if len(certs) > 0 {
		leaf = l.chain(f, certs, public)
	}
	return leaf, public
}

func counted(keys int) string {
	if keys == 1 {
		return "one key"
	}
	return strconv.Itoa(keys) + " keys"
}

func (l *look) strength(f connectors.Field, i keys.Item) {
	kind := i.Algorithm
	if i.Bits > 0 {
		kind += ", " + strconv.Itoa(i.Bits) + " bits"
	}
	if s := keys.KeyStrength(i.Public); s.Level == keys.Weak {
		l.add(Item{ID: "key.weak." + f.Key, State: Warning, Field: f.Key, Title: f.Label + " is weak", Text: sentence(kind + ": " + strings.Join(s.Notes, "; "))})
		return
	}
	l.add(Item{ID: "key.read." + f.Key, State: Done, Field: f.Key, Title: f.Label + " can be read", Text: sentence(kind)})
}

// chain judges certificates: their order, gaps and dates.
func (l *look) chain(f connectors.Field, certs []*x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	if f.Key == "ca" || f.Key == "truststore" {
		l.authorities(f, certs)
		return nil
	}
	order := keys.Order(certs, public)
	if len(order.Certificates) == 0 {
		return nil
	}
	leaf := order.Certificates[0]
	if order.Reordered {
		l.add(Item{ID: "chain.order." + f.Key, State: Warning, Field: f.Key, Title: f.Label + " is in another order", Text: "The certificate itself comes first, then its issuer, and so on. It is sent in that order."})
	}
	if len(order.Broken) > 0 {
		l.add(Item{ID: "chain.broken." + f.Key, State: Wrong, Field: f.Key, Title: f.Label + " does not hold together", Text: "A certificate was not signed by the one that follows. Ask for the whole chain again."})
	}
	if order.Missing != "" && len(order.Certificates) > 0 && !keys.SelfSigned(leaf) {
		l.add(Item{ID: "chain.gap." + f.Key, State: Warning, Field: f.Key, Title: f.Label + " ends before the root", Text: "The issuer " + connectors.Clean(order.Missing, 200) + " is not there. That is usual where it is a root that the server knows; otherwise add it."})
	}
	if s := keys.CertificateStrength(leaf); s.Level == keys.Weak {
		l.add(Item{ID: "certificate.weak." + f.Key, State: Warning, Field: f.Key, Title: f.Label + " is weak", Text: sentence(strings.Join(s.Notes, "; "))})
	}
	l.ends("certificate."+f.Key, f, "The certificate "+keys.Subject(leaf), leaf.NotBefore, leaf.NotAfter)
	return leaf
}

// sshCertificate is the first one of OpenSSH's kind.
func sshCertificate(items []keys.Item) *ssh.Certificate {
	for _, i := range items {
		if c, is := i.SSH.(*ssh.Certificate); is {
			return c
		}
	}
	return nil
}

// cryptoKey is the key that an SSH certificate is for.
func cryptoKey(c *ssh.Certificate) crypto.PublicKey {
	if k, ok := c.Key.(ssh.CryptoPublicKey); ok {
		return k.CryptoPublicKey()
	}
	return nil
}

func (l *look) sshDates(f connectors.Field, c *ssh.Certificate) {
	if c.ValidBefore == ssh.CertTimeInfinity || c.ValidBefore > math.MaxInt64 || c.ValidAfter > math.MaxInt64 {
		return
	}
	l.ends("certificate."+f.Key, f, "The SSH certificate "+c.KeyId, time.Unix(int64(c.ValidAfter), 0), time.Unix(int64(c.ValidBefore), 0))
}

// ends says until when something is good. A zero from or to is not looked at.
func (l *look) ends(id string, f connectors.Field, what string, from, to time.Time) {
	what = connectors.Clean(what, 200)
	day := to.UTC().Format("2 January 2006")
	i := Item{ID: "ends." + id, Field: f.Key, State: Done, Title: what + " is good until " + day}
	switch {
	case from.After(l.o.Now):
		i.State, i.Title = Warning, what+" is not good before "+from.UTC().Format("2 January 2006")
	case !to.After(l.o.Now):
		i.State, i.Title, i.Text = Wrong, what+" ended on "+day, "Ask for a new one."
	case to.Sub(l.o.Now) < soon:
		i.State, i.Title, i.Text = Warning, what+" ends on "+day, "Ask for a new one in time."
	}
	l.add(i)
}

func sentence(v string) string {
	v = strings.TrimSpace(v)
	if v == "" || strings.HasSuffix(v, ".") {
		return v
	}
	return v + "."
}
