package readiness

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// partners are the fields with the key of a certificate, by the certificate's. Other
// keys of a form, such as one that signs assertions, belong to no certificate of it.
func partners() map[string][]string {
	return map[string][]string{"client_cert": {"client_key", "private_key"}, "certificate": {"private_key", "client_key", "key"}}
}

// pairs holds certificates and requests against the keys that belong to them.
func (l *look) pairs(own, private map[string]crypto.PublicKey) {
	for _, cert := range slices.Sorted(maps.Keys(partners())) {
		of := partners()[cert]
		i := slices.IndexFunc(of, func(k string) bool { return private[k] != nil })
		if own[cert] == nil || i < 0 {
			continue
		}
		if keys.Same(own[cert], private[of[i]]) {
			l.add(Item{ID: "pair." + cert, State: Done, Field: cert, Title: "Certificate and key belong together"})
			continue
		}
		l.add(Item{ID: "pair." + cert, State: Wrong, Field: of[i], Title: "Certificate and key do not belong together", Text: "The certificate was made for another key. Find the key it was requested with, or have a new certificate issued."})
	}
}

// request is about a certificate request, which holds the place of the
// certificate until somebody issues it. It returns the key that it is for.
func (l *look) request(f connectors.Field, items []keys.Item) crypto.PublicKey {
	if slices.ContainsFunc(items, func(i keys.Item) bool { return i.Certificate != nil }) {
		return nil
	}
	for _, i := range items {
		if i.Request == nil {
			continue
		}
		who := connectors.Clean(i.Request.Subject.String(), 200)
		if who != "" {
			who = " for " + who
		}
		if partners()[f.Key] != nil && f.Verify(l.content(f)) == nil {
			l.add(Item{ID: "request." + f.Key, State: Missing, Field: f.Key, Title: f.Label + " is a request so far", Text: "Send the request to the other side, and put the certificate that comes back in its place."})
		}
		l.them(Item{ID: "their.request." + f.Key, Field: f.Key, Title: "Issue a certificate" + who, Text: "This is the certificate request. It is no secret; its key stays here. Send back the certificate, with those of its issuers.",
			Copy: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: i.Request.Raw}))})
		return i.Request.PublicKey
	}
	return nil
}

// authorities judges those who are trusted: one that ended matters only to
// servers that it has issued certificates for.
func (l *look) authorities(f connectors.Field, certs []*x509.Certificate) {
	if len(certs) == 1 {
		l.ends("certificate."+f.Key, f, "The authority "+keys.Subject(certs[0]), certs[0].NotBefore, certs[0].NotAfter)
		return
	}
	var ended int
	var first time.Time
	for _, c := range certs {
		switch {
		case !c.NotAfter.After(l.o.Now):
			ended++
		case first.IsZero() || c.NotAfter.Before(first):
			first = c.NotAfter
		}
	}
	i := Item{ID: "ends.certificate." + f.Key, State: Done, Field: f.Key, Title: fmt.Sprintf("%s has %d authorities, all of them good until %s", f.Label, len(certs), first.UTC().Format("2 January 2006"))}
	switch {
	case ended == len(certs):
		i.State, i.Title, i.Text = Wrong, fmt.Sprintf("All %d authorities of %s have ended", ended, f.Label), "Ask for the ones that are in use now."
	case ended > 0:
		i.State, i.Title, i.Text = Warning, fmt.Sprintf("%d of the %d authorities of %s have ended", ended, len(certs), f.Label), "That is harmless unless the server's certificate comes from one of them."
	case first.Sub(l.o.Now) < soon:
		i.State, i.Title, i.Text = Warning, fmt.Sprintf("The first of the %d authorities of %s ends on %s", len(certs), f.Label, first.UTC().Format("2 January 2006")), "Ask for the next one in time."
	}
	l.add(i)
}
