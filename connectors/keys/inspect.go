package keys

import (
	"crypto"
	"crypto/x509"
	"time"

	"jackfield/connectors"
)

// Options of Inspect. The zero value inspects as of now, with the system's roots.
type Options struct {
	Name       string // of the file, where there is one; it decides nothing
	Passphrase connectors.Secret
	With       [][]byte // other files: the key of this certificate, the rest of its chain
	Now        time.Time
	Roots      *x509.CertPool // nil for those of this computer
}

// A Report says what a file is and what there is to know about it.
type Report struct {
	Kind     Kind
	What     string // "an encrypted OpenSSH private key", by its content
	Items    []Item
	Repairs  []Repair
	Findings []Finding
	Install  []Install
}

// A Grade is how good or bad a Finding is.
type Grade string

// The grades: a Bad one will be refused or is dangerous, a Warning is soon or often refused.
const (
	Good    Grade = "good"
	Note    Grade = "note"
	Warning Grade = "warning"
	Bad     Grade = "bad"
)

// A Finding is a sentence about an item.
type Finding struct {
	ID    string // "expired"; it never changes
	Grade Grade
	Text  string
	Item  int // in Report.Items; -1 for the whole
}

// An Install is a public half, and where it goes.
type Install struct {
	Where string // "Server"
	Text  string // sentences
	Copy  string // what to copy
}

// Inspect reads data and judges what is in it. Nothing is asked of the network.
// With an error, which is that of Read, the report has as much as can be told.
func Inspect(data []byte, o Options) (Report, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if len(data) > MaxSize {
		return Report{Kind: Binary, What: say("large")}, fault("keys.large", "")
	}
	c := open(data)
	items, err := c.read(attempt{o.Passphrase, reading()})
	r := Report{Kind: c.kind(), Items: items, Repairs: c.repairs}
	r.What = whatIs(r.Kind, items, err)
	in := &inspector{Options: o, r: &r}
	in.name()
	if err != nil {
		return r, err
	}
	in.gather()
	for n, i := range items {
		in.item(n, i)
	}
	in.whole()
	in.install()
	return r, nil
}

// An inspector fills in a report.
type inspector struct {
	Options
	r      *Report
	others []Item // of the files beside
}

func (in *inspector) find(item int, id string, grade Grade, text string) {
	in.r.Findings = append(in.r.Findings, Finding{id, grade, text, item})
}

// maxWith bounds how many other files are read.
const maxWith = 50

func (in *inspector) gather() {
	for _, data := range in.With[:min(len(in.With), maxWith)] {
		items, _, err := Read(data, in.Passphrase)
		if err != nil {
			in.find(-1, "with", Note, say("with", connectors.Explain(err).Title))
			continue
		}
		in.others = append(in.others, items...)
	}
}

func (in *inspector) item(n int, i Item) {
	if i.Err != nil {
		grade := Note
		if reasonOf(i.Err) == "keys.damaged" {
			grade = Bad
		}
		in.find(n, "not_opened", grade, say("not_opened", connectors.Explain(i.Err).Title))
	}
	if i.Kind == PrivateKey && i.Locked == "" && i.Private != nil {
		in.find(n, "unencrypted", Note, say("unencrypted"))
	}
	if i.Kind != KnownHosts || i.Host.Marker != "revoked" {
		in.key(n, i)
	}
	switch {
	case i.Certificate != nil:
		in.certificate(n, i.Certificate)
	case i.Request != nil:
		in.request(n, i.Request)
	case i.Revocations != nil:
		in.revocations(n, i.Revocations)
	case i.Host != nil:
		in.host(n, i)
	case i.Entry != nil:
		if Outdated(i.Entry.Etype) {
			in.find(n, "weak_etype", Bad, say("weak_etype", i.Entry.Etype))
		}
	case i.AWS != nil:
		in.aws(n, i)
	}
}

// Outdated reports whether a Kerberos encryption type has been given up (RFC 6649, RFC 8429).
func Outdated(etype string) bool {
	return len(etype) > 3 && (etype[:3] == "des" || etype[:4] == "arcf")
}

func (in *inspector) aws(n int, i Item) {
	if i.AWS.SessionToken {
		in.find(n, "temporary", Note, say("temporary"))
	}
	if i.Private != nil {
		in.find(n, "unencrypted", Note, say("aws_clear"))
	}
}

func (in *inspector) host(n int, i Item) {
	switch {
	case i.Host.Marker == "revoked":
		in.find(n, "revoked", Bad, say("revoked"))
	case i.Host.Marker == "cert-authority":
		in.find(n, "authority", Note, say("authority", i.Name))
	case i.Host.Hashed:
		in.find(n, "hashed", Note, say("hashed"))
	}
}

func (in *inspector) request(n int, c *x509.CertificateRequest) {
	if tooLarge(c.PublicKey) {
		return
	}
	if c.CheckSignature() != nil {
		in.find(n, "request_signature", Bad, say("request_signature"))
	}
	if names := RequestNames(c); len(names) > 0 {
		in.find(n, "names", Good, say("request_names", listed(names)))
	} else {
		in.find(n, "no_names", Warning, say("request_no_names"))
	}
}

func (in *inspector) revocations(n int, l *x509.RevocationList) {
	in.find(n, "revocations", Note, say("revocations", count64(len(l.RevokedCertificateEntries)), l.Issuer.String()))
	if !l.NextUpdate.IsZero() && in.Now.After(l.NextUpdate) {
		in.find(n, "expired", Warning, say("list_old", date(l.NextUpdate)))
	}
}

// key judges the public half.
func (in *inspector) key(n int, i Item) {
	for _, w := range weaknesses(i.Public) {
		in.find(n, w.id, w.grade, w.text)
	}
}

// certs are the certificates of the file and of the files beside it, each once.
func (in *inspector) certs() []*x509.Certificate {
	var out []*x509.Certificate
	seen := map[string]bool{}
	for _, list := range [][]Item{in.r.Items, in.others} {
		for _, i := range list {
			if i.Certificate != nil && !seen[string(i.Certificate.Raw)] {
				seen[string(i.Certificate.Raw)] = true
				out = append(out, i.Certificate)
			}
		}
	}
	return out
}

// private is the first private key's public half, of the file or of those beside it.
func (in *inspector) private() (item int, public crypto.PublicKey) {
	for n, i := range in.r.Items {
		if i.Kind == PrivateKey && i.Public != nil {
			return n, i.Public
		}
	}
	for _, i := range in.others {
		if i.Kind == PrivateKey && i.Public != nil {
			return -1, i.Public
		}
	}
	return -1, nil
}
