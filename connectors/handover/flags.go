package handover

import (
	"maps"
	"path"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// A Flag is something in a foreign connection to look at before agreeing.
type Flag struct {
	Field, Label string
	Kind         string
	Value        string // made safe to show; of a secret only what is no secret
	Text         string // a sentence
}

// The kinds of flag.
const (
	FlagPath     = "path"             // names a file or folder of this computer
	FlagProxy    = "proxy"            // everything goes through somebody's proxy
	FlagPin      = "pin"              // whom to trust was decided elsewhere, or the check is weaker
	FlagWay      = "way"              // through another connection, or not directly
	FlagPlain    = "plain_http"       // sent unencrypted
	FlagInternal = "internal_address" // this computer, its network, a metadata service
	FlagOwnTypes = "own_types"        // the type itself is from a file of a person's own
	FlagSignIn   = "sign_in"          // a sign-in that was made elsewhere comes along
)

func shown(v string) string { return connectors.Clean(strings.TrimSpace(v), 120) }

// flags looks through everything that would be stored, asked at present or not:
// what is hidden now is in use after one click.
func flags(t connectors.Type, c Carried) []Flag {
	var out []Flag
	if t.Origin != "" {
		out = append(out, Flag{Kind: FlagOwnTypes, Value: shown(t.Origin), Text: "Its type is one of your own (" + shown(t.Origin) + "): the answers are used as that file says."})
	}
	s := connectors.Settings{Plain: c.Plain}
	for _, k := range order(t, c.Plain) {
		f, ok := t.Form.Field(k)
		if !ok {
			f = connectors.Field{Key: k, Label: k, Kind: connectors.Text}
		}
		if v := c.Plain[k]; v != "" && f.Kind != connectors.Reference {
			out = append(out, plainFlags(t, f, v, s)...)
		}
	}
	for _, k := range order(t, c.Secrets) {
		f, ok := t.Form.Field(k)
		if !ok {
			f = connectors.Field{Key: k, Label: k, Kind: connectors.SecretText}
		}
		out = append(out, secretFlags(f, c.Secrets[k].Reveal())...)
	}
	for _, k := range slices.Sorted(maps.Keys(c.Issued)) {
		if k == issuedTrust {
			out = append(out, Flag{Field: k, Label: k, Kind: FlagPin, Text: "The server's keys come along as the other side trusted them. Compare them with what the server's administrator says."})
			continue
		}
		out = append(out, Flag{Field: k, Label: k, Kind: FlagSignIn, Text: "A sign-in that was made elsewhere comes along. While both sides use it, they may lock each other out."})
	}
	return out
}

// order is the keys of m as the form asks them, the others after those.
func order[V any](t connectors.Type, m map[string]V) []string {
	var out []string
	for _, f := range t.Form.Fields {
		if _, ok := m[f.Key]; ok {
			out = append(out, f.Key)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if _, ok := t.Form.Field(k); !ok {
			out = append(out, k)
		}
	}
	return out
}

func plainFlags(t connectors.Type, f connectors.Field, v string, s connectors.Settings) []Flag {
	var out []Flag
	add := func(kind, value, text string) {
		out = append(out, Flag{Field: f.Key, Label: f.Label, Kind: kind, Value: value, Text: text})
	}
	if choice, ok := choices()[f.Key]; ok && (f.Kind == connectors.Choice || f.Kind == connectors.Toggle) {
		if text := choice.of[v]; text != "" && (f.Key != "via" || t.Form.Visible("via", s)) {
			add(choice.kind, shown(v), text)
		}
	}
	if f.Kind == connectors.Choice || f.Kind == connectors.Toggle || f.Kind == connectors.Integer {
		return out
	}
	if f.Kind == connectors.File || t.Offline && f.Key == "path" || !remote(f.Key) && local(v) || local(v) && !strings.HasPrefix(strings.TrimSpace(v), "/") {
		add(FlagPath, shown(v), "“"+f.Label+"” names a file or folder on this computer: "+shown(v)+".")
	}
	if text := pinned(f.Key); text != "" {
		add(FlagPin, pinValue(v), text)
	}
	if f.Key == "via_proxy" || f.Key == "proxy" {
		add(FlagProxy, shown(v), "Everything that is sent goes through the proxy "+shown(v)+".")
	}
	return append(out, addressFlags(f, v, true)...)
}

// secretFlags never has any of a secret in it but a path or a server's name.
func secretFlags(f connectors.Field, v string) []Flag {
	var out []Flag
	if f.Kind == connectors.SecretLines && len(v) <= 255 && local(v) {
		out = append(out, Flag{Field: f.Key, Label: f.Label, Kind: FlagPath, Value: shown(v), Text: "“" + f.Label + "” names a file on this computer, which is not read: " + shown(v) + "."})
	}
	if text := pinned(f.Key); text != "" && f.Kind == connectors.SecretLines {
		out = append(out, Flag{Field: f.Key, Label: f.Label, Kind: FlagPin, Text: text})
	}
	return append(out, addressFlags(f, v, false)...)
}

func addressFlags(f connectors.Field, v string, bare bool) []Flag {
	var out []Flag
	seen := map[string]bool{}
	host := bare && hosts(f)
	for _, a := range addresses(v, bare) {
		if seen[a.text] || len(out) >= maxFound {
			continue
		}
		seen[a.text] = true
		value := shown(a.text)
		if a.scheme == "http" || a.scheme == "ws" {
			out = append(out, Flag{Field: f.Key, Label: f.Label, Kind: FlagPlain, Value: value, Text: "“" + f.Label + "” is an address without encryption: " + value + ". Others on the way can read what is sent."})
		}
		if what := inside(a.host, host || a.scheme != ""); what != "" {
			out = append(out, Flag{Field: f.Key, Label: f.Label, Kind: FlagInternal, Value: value, Text: "“" + f.Label + "” leads to " + what + ": " + value + "."})
		}
	}
	return out
}

// hosts reports whether a number alone in the field f is an address.
func hosts(f connectors.Field) bool {
	if f.Kind == connectors.URL {
		return true
	}
	switch f.Key {
	case "host", "servers", "members", "server", "endpoint", "hostname", "kdc", "via_proxy", "proxy", "namespace":
		return true
	}
	return false
}

// local reports whether a value, on any of its lines, is a path in the form that
// Unix or Windows have it.
func local(v string) bool {
	if strings.Contains(v, "-----BEGIN") {
		return false // a line of base64 may begin with /
	}
	if len(v) > maxScanned {
		v = v[:maxScanned]
	}
	for l := range strings.Lines(v) {
		l = strings.ToLower(strings.TrimSpace(l))
		drive := len(l) > 2 && l[0] >= 'a' && l[0] <= 'z' && l[1] == ':' && (l[2] == '\\' || l[2] == '/')
		if strings.HasPrefix(l, "file:") || strings.HasPrefix(l, "~") || strings.HasPrefix(l, `\\`) || drive {
			return true
		}
		if strings.HasPrefix(l, "/") && !strings.HasPrefix(l, "//") && path.Clean(l) != "/" {
			return true
		}
	}
	return false
}

// remote are the keys whose values are paths on the server.
func remote(key string) bool {
	switch key {
	case "folder", "path", "paths", "test_path", "prefix", "share", "vhost", "answer_path", "success_path", "fail_path", "topic", "topics", "query", "headers", "graphql_query", "test_body":
		return true
	}
	return false
}

// pinned is the sentence for a field that decides whom to trust.
func pinned(key string) string {
	switch key {
	case "tls_pin", "host_key", "ca_fingerprint":
		return "It trusts the server with this fingerprint, whoever vouches for it. Compare it with what the server's administrator says."
	case "ca", "truststore":
		return "It trusts every server that this certificate vouches for. Compare it with what the server's administrator says."
	case "known_hosts_file":
		return "It trusts the server with these keys. Compare them with what the server's administrator says."
	case "tls_name":
		return "It accepts a certificate for another name than the server's."
	}
	return ""
}

// pinValue is who is trusted: a certificate's subject, or the fingerprint.
func pinValue(v string) string {
	if !strings.Contains(v, "CERTIFICATE") {
		return shown(v)
	}
	items, _, err := keys.Read([]byte(v), connectors.Secret{})
	if err != nil {
		return ""
	}
	for _, i := range items {
		if i.Certificate != nil {
			return shown(keys.Subject(i.Certificate))
		}
	}
	return ""
}

type choice struct {
	kind string
	of   map[string]string // value → sentence
}

// choices are the options that weaken or redirect a connection.
func choices() map[string]choice {
	const open = "What is sent is not encrypted; others on the way can read it."
	none := map[string]string{"none": open, "off": open, "plaintext": open, "sasl_plaintext": open, "tcp": open, "ws": open, "emulator": open,
		"optional": "Encryption is used only when the server offers it, and its identity is not checked."}
	return map[string]choice{
		"security":        {FlagPlain, none},
		"tls":             {FlagPlain, none},
		"transport":       {FlagPlain, none},
		"legacy":          {FlagPin, map[string]string{"true": "It allows old algorithms that are no longer safe."}},
		"passive_address": {FlagWay, map[string]string{"true": "The server may name another address to connect to."}},
		"reach":           {FlagWay, map[string]string{"proxy": "It is reached through a proxy."}},
		"via": {FlagWay, map[string]string{"system": "It is reached through this computer's proxy.", "http": "It is reached through an HTTP proxy.",
			"socks5": "It is reached through a SOCKS5 proxy.", "ssh": "It is reached through an SSH jump host."}},
	}
}
