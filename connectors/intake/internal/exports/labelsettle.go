package exports

import (
	"regexp"
	"strings"

	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
)

var (
	bareHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:\d{1,5})?$`)
	sharing  = regexp.MustCompile(`^\\\\([^\\]+)\\([^\\]+)\\?(.*)$`)
	hidden   = regexp.MustCompile(`^(?:<[^<>@]{1,40}>|\[(?i:your|my|the)[^\]]{0,40}\]|\*{3,}|•{3,}|\.{3}|…|x{4,}|X{4,}|\{\{.*\}\})$`)
)

// placeholder reports whether a value only stands for one.
func placeholder(value string) bool { return hidden.MatchString(strings.TrimSpace(value)) }

// settledPair puts a value under the name that its content has.
func settledPair(s said) said {
	switch s.key {
	case "url":
		if !strings.Contains(s.value, "=") && bareHost.MatchString(s.value) && !strings.HasSuffix(s.value, ".service-now.com") {
			s.key = "host"
			if strings.Contains(s.value, ".iot.") && strings.Contains(s.value, "amazonaws.com") {
				s.kind = "aws_iot"
			}
		}
	case "host":
		if m := addressIn.FindString(s.value); m != "" {
			s.key, s.value = "url", m
		}
	}
	if s.key == "url" || s.key == "host" {
		if m := addressIn.FindString(s.value); m != "" && strings.ContainsAny(s.value, " ") {
			s.value = strings.TrimRight(m, ".,;)'—")
		}
	}
	return s
}

func tlsWord(value string) string {
	v := strings.ToLower(value)
	switch {
	case strings.Contains(v, "starttls"):
		return "start"
	case sslMode(v) == "off", v == "nein", v == "disabled", v == "non":
		return "off"
	}
	return "on"
}

// done checks that the text has a place and who signs in, and not only words.
func (t *talk) done() (part.Found, bool) {
	t.shared()
	enough := false
	for _, r := range t.all {
		splitShare(r)
		placed(t.in, r)
		enough = enough || t.enough(r)
	}
	if !enough {
		if t.product != "" && t.pairs > 1 {
			t.found.Left = append(t.found.Left, part.Left{Name: t.product, Why: "There is no connection type for it here."})
			return t.told()
		}
		return part.Found{}, false
	}
	for _, r := range t.all {
		if !t.enough(r) {
			continue
		}
		t.named(r)
		t.add(r)
	}
	return t.told()
}

func (t *talk) told() (part.Found, bool) {
	if t.stray && len(t.found.Items) > 0 {
		t.found.Left = append(t.found.Left, part.Left{Name: "the sentences around it", Why: "Only addresses and lines such as “Host: …” were read."})
	}
	if len(t.found.Items) == 0 {
		return t.list.done("text with sign-in data", "")
	}
	return t.list.done("text", "connection")
}

// enough wants what no sentence has by chance.
func (t *talk) enough(r *record.Record) bool {
	who := r.Has("user", "password", "token", "api_key", "client_id", "access_key", "private_key", "email")
	switch {
	case t.product != "":
		return false
	case r.Has("host", "url", "servers", "share"):
		address := r.Has("url") && !strings.HasPrefix(strings.ToLower(r.Get("url")), "http")
		return who && t.pairs > 1 || t.prose && address || r.Has("host") && r.Has("port", "base_dn", "topic") && t.pairs > 2
	case r.Has("client_id"):
		return r.Has("client_secret", "tenant")
	case r.Has("access_key"):
		return r.Has("secret_key")
	case r.Has("account_sid"):
		return r.Has("token")
	case r.Has("subdomain"):
		return who
	}
	return false
}

// shared gives a sign-in that stands once, below several places, to all of them.
func (t *talk) shared() {
	if len(t.all) < 2 {
		return
	}
	with := 0
	for _, r := range t.all {
		if r.Has("user", "password") {
			with++
		}
	}
	last := t.all[len(t.all)-1]
	if with != 1 || !last.Has("user", "password") {
		return
	}
	for _, r := range t.all[:len(t.all)-1] {
		if strings.Contains(r.Get("url"), "@") {
			continue
		}
		r.Put("user", last.Get("user"))
		r.Put("password", last.Get("password"))
		r.Note("The sign-in is written once for all of them.")
	}
}

// named keeps a headline only where it tells several apart.
func (t *talk) named(r *record.Record) {
	if r.Name == "" {
		return
	}
	host, _, _ := strings.Cut(r.Get("host"), ":")
	switch {
	case len(t.all) == 1 && r.Has("host", "url"):
		r.Name = ""
	case host != "" && !strings.Contains(r.Name, host):
		r.Name += " " + host
	}
}

// splitShare takes \\server\share\folder apart.
func splitShare(r *record.Record) {
	for _, k := range []string{"share", "url", "host", "folder"} {
		if m := sharing.FindStringSubmatch(r.Get(k)); m != nil {
			r.Drop(k)
			r.Drop("share")
			r.Type = "smb"
			r.Put("host", m[1])
			r.Put("share", m[2])
			r.Put("folder", m[3])
			return
		}
	}
}

// placed turns host and address into each other, where the type has but one.
func placed(in part.Input, r *record.Record) {
	if h, p, ok := strings.Cut(r.Get("host"), ","); ok && !strings.Contains(h, " ") { // SQL Server's way
		r.Drop("host")
		r.Put("host", strings.TrimSpace(h))
		r.Put("port", strings.TrimSpace(p))
		if r.Type == "" {
			r.Type = "sqlserver"
		}
	}
	t, ok := in.Type(r.Type)
	if !ok {
		return
	}
	_, host := t.Form.Field("host")
	_, base := t.Form.Field("base_url")
	web := regexp.MustCompile(`^https?://([^/?#@]+)`).FindStringSubmatch(r.Get("url"))
	switch {
	case host && !base && web != nil && !r.Has("host"):
		r.Drop("url")
		h, p, _ := strings.Cut(web[1], ":")
		r.Put("host", h)
		r.Put("port", p)
	case base && !host && r.Has("host") && !r.Has("url"):
		address := "https://" + r.Get("host")
		if p := r.Get("port"); p != "" && p != "443" && !strings.Contains(r.Get("host"), ":") {
			address += ":" + p
		}
		r.Drop("host")
		r.Drop("port")
		r.Put("url", address)
	}
}
