package main

import (
	"fmt"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

type (
	keyJSON struct {
		Kind         keys.Kind `json:"kind"`
		Format       string    `json:"format,omitempty"`
		Name         string    `json:"name,omitempty"`
		Locked       string    `json:"locked,omitempty"`
		Algorithm    string    `json:"algorithm,omitempty"`
		Bits         int       `json:"bits,omitempty"`
		Curve        string    `json:"curve,omitempty"`
		Fingerprints []string  `json:"fingerprints,omitempty"`
		Subject      string    `json:"subject,omitempty"`
		Issuer       string    `json:"issuer,omitempty"`
		Expires      string    `json:"expires,omitempty"`
		Problem      string    `json:"problem,omitempty"`
	}
	findingJSON struct {
		ID    string `json:"id"`
		Grade string `json:"grade"`
		Text  string `json:"text"`
		Item  int    `json:"item"`
	}
	installJSON struct {
		Where string `json:"where"`
		Text  string `json:"text"`
		Copy  string `json:"copy,omitempty"`
	}
	reportJSON struct {
		Kind     keys.Kind     `json:"kind"`
		What     string        `json:"what"`
		Items    []keyJSON     `json:"items"`
		Repairs  []string      `json:"repairs"`
		Findings []findingJSON `json:"findings"`
		Install  []installJSON `json:"install"`
	}
)

func reportOf(r keys.Report) reportJSON {
	out := reportJSON{Kind: r.Kind, What: r.What, Items: []keyJSON{}, Repairs: []string{}, Findings: []findingJSON{}, Install: []installJSON{}}
	for _, i := range r.Items {
		out.Items = append(out.Items, keyOf(i))
	}
	for _, x := range r.Repairs {
		out.Repairs = append(out.Repairs, x.Text)
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, findingJSON{f.ID, string(f.Grade), f.Text, f.Item})
	}
	for _, i := range r.Install {
		out.Install = append(out.Install, installJSON{i.Where, i.Text, i.Copy})
	}
	return out
}

func keyOf(i keys.Item) keyJSON {
	k := keyJSON{Kind: i.Kind, Format: i.Format, Name: connectors.Clean(i.Name, 200), Locked: i.Locked, Algorithm: i.Algorithm, Bits: i.Bits, Curve: i.Curve}
	switch {
	case i.Certificate != nil:
		k.Subject, k.Issuer = connectors.Clean(i.Certificate.Subject.String(), 200), connectors.Clean(i.Certificate.Issuer.String(), 200)
		k.Expires = stamp(i.Certificate.NotAfter)
		sum256, _ := keys.CertificateFingerprints(i.Certificate)
		k.Fingerprints = []string{sum256}
	case i.Request != nil:
		k.Subject = connectors.Clean(i.Request.Subject.String(), 200)
	case i.Public != nil:
		if f := keys.KeyFingerprints(i.Public); f.SSH != "" {
			k.Fingerprints = []string{f.SSH, f.SSHMD5}
		}
	}
	if i.Err != nil {
		k.Problem = connectors.Explain(i.Err).Title
	}
	return k
}

func (a *app) reportWords(r keys.Report) {
	_, _ = fmt.Fprintf(a.out, "This is %s.\n", connectors.Clean(r.What, 300))
	for _, x := range r.Repairs {
		_, _ = fmt.Fprintf(a.out, "  put right: %s\n", x.Text)
	}
	for n, i := range r.Items {
		k := keyOf(i)
		_, _ = fmt.Fprintf(a.out, "\n%d. %s%s\n", n+1, i.Kind.Name(), quoted(k.Name))
		for _, row := range [][2]string{{"format", k.Format}, {"algorithm", strength(k)}, {"locked with", k.Locked}, {"subject", k.Subject}, {"issuer", k.Issuer}, {"expires", k.Expires}, {"fingerprint", strings.Join(k.Fingerprints, "\n               ")}, {"problem", k.Problem}} {
			if row[1] != "" {
				_, _ = fmt.Fprintf(a.out, "   %-12s%s\n", row[0], row[1])
			}
		}
	}
	if len(r.Findings) > 0 {
		_, _ = fmt.Fprintln(a.out)
	}
	for _, f := range r.Findings {
		_, _ = fmt.Fprintf(a.out, "%-4s %s\n", mark(string(f.Grade)), connectors.Clean(f.Text, 500))
	}
	for _, i := range r.Install {
		_, _ = fmt.Fprintf(a.out, "\n%s: %s\n", i.Where, i.Text)
		if i.Copy != "" {
			_, _ = fmt.Fprintln(a.out, strings.TrimRight(i.Copy, "\n"))
		}
	}
}

func quoted(name string) string {
	if name == "" {
		return ""
	}
	return " “" + name + "”"
}

func strength(k keyJSON) string {
	switch {
	case k.Curve != "":
		return k.Algorithm + ", " + k.Curve
	case k.Bits > 0 && k.Algorithm != "Ed25519":
		return k.Algorithm + ", " + strconv.Itoa(k.Bits) + " bits"
	}
	return k.Algorithm
}

func mark(grade string) string {
	switch grade {
	case "good", "done", "linked":
		return "ok"
	case "bad", "wrong":
		return "NO"
	case "warning", "missing":
		return "!"
	}
	return "-"
}
