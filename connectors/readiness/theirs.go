package readiness

import (
	"encoding/pem"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/keys"
	"jackfield/connectors/readiness/rights"
)

// theirs is what the other side has to do, in the order in which it is done.
func (l *look) theirs() {
	g, grants := l.t.Guide, rights.For(l.t, l.s)
	// Where the guide has a command, the grants below have the one for these answers.
	if command := len(grants) > 0 && (l.t.Group == connectors.GroupDatabases || !strings.HasSuffix(g.Admin, ".")); g.Admin != "" && !command {
		l.them(Item{ID: "their.admin", Title: "What an administrator does", Text: g.Admin})
	}
	l.publicHalf()
	l.certificate()
	for n, grant := range grants {
		if !strings.HasPrefix(grant.Title, "Variant") {
			l.them(granted(n+1, grant, g.Rights))
		}
	}
	if uri := l.redirect(); uri != "" {
		l.them(Item{ID: "their.redirect", Title: "Register this redirect address", Text: "In the settings of the application that the client ID is of.", Copy: uri})
	}
	l.network()
	if len(g.Notes) > 0 {
		l.add(Item{ID: "their.notes", State: Theirs, Title: "Before linking and after", Text: strings.Join(g.Notes, " ")})
	}
}

// granted is a grant as an item; sentences are to be read, not to be copied.
func granted(n int, g rights.Grant, sentences string) Item {
	i := Item{ID: "their.rights." + strconv.Itoa(n), Title: g.Title, Text: strings.TrimSpace(strings.Join(append([]string{g.Where}, g.Notes...), " ")), Copy: g.Text}
	if sentences != "" && strings.TrimSpace(g.Text) == strings.TrimSpace(sentences) {
		i.Text, i.Copy = sentence(sentences), ""
	}
	return i
}

// network is about firewalls: a service on the internet has none that keeps
// people out, unless its guide says so.
func (l *look) network() {
	g := l.t.Guide
	service := l.t.Group == connectors.GroupServices
	if l.t.Offline || service && g.Network == "" {
		return
	}
	text := g.Network
	if !service {
		text += " The connection comes from the public address of the computer that links, or of its company; the IT there knows it."
	}
	l.them(Item{ID: "their.network", Title: "Let the connection in", Text: strings.TrimSpace(text)})
}

func (l *look) them(i Item) {
	i.State, i.Who = Theirs, Them
	l.add(i)
}

// publicHalf is what they install of the private keys that are here.
func (l *look) publicHalf() {
	if key, ok := l.t.Form.Field("key"); ok && l.readable(key) {
		if line := rights.PublicLine(l.t, l.s); line != "" {
			l.them(Item{ID: "their.key", Field: key.Key, Title: "Install this public key", Text: "Add this line to ~/.ssh/authorized_keys of the user. It is no secret; the private key stays here.", Copy: line})
			return
		}
	}
	for _, name := range []string{"private_key", "jwt_key", "client_key_jwt", "assertion_key"} {
		f, ok := l.t.Form.Field(name)
		if !ok || l.t.Offline || l.content(f) == "" {
			continue
		}
		items, _, err := keys.Read([]byte(l.content(f)), l.s.Secrets[passphraseOf(name)])
		if err != nil {
			continue
		}
		i := slices.IndexFunc(items, func(i keys.Item) bool { return i.Kind == keys.PrivateKey && i.Public != nil })
		if i < 0 {
			continue
		}
		if text := keys.PublicPEM(items[i].Public); text != "" {
			l.them(Item{ID: "their.key", Field: name, Title: "Register this public key", Text: "In the settings of the application. It is no secret; the private key stays here.", Copy: text})
			return
		}
	}
}

// certificate is the one that they have to know, without anything else that
// stood in the same answer.
func (l *look) certificate() {
	f, ok := l.t.Form.Field("client_cert")
	if !ok || l.t.Offline || l.content(f) == "" {
		return
	}
	items, _, err := keys.Read([]byte(l.content(f)), connectors.Secret{})
	if err != nil {
		return
	}
	for _, i := range items {
		if i.Certificate != nil {
			l.them(Item{ID: "their.certificate", Field: f.Key, Title: "Trust this certificate for the account", Text: "It is no secret; its key stays here.",
				Copy: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate.Raw}))})
			return
		}
	}
}

// redirect is the address that a browser comes back to, "" where no browser is used.
func (l *look) redirect() string {
	uri := l.t.Guide.RedirectURI
	way := l.answer("auth")
	if g := l.answer("grant"); g != "" {
		if g != "code" {
			return ""
		}
		way = "browser"
	}
	if way != "" && !slices.Contains([]string{"browser", "oauth", "user"}, way) || l.answer("client_id") == "" && l.answer("integration_key") == "" {
		return ""
	}
	if host, port := l.answer("redirect_host"), l.answer("redirect_port"); host != "" {
		if port != "" {
			port = ":" + port
		}
		return "http://" + host + port + "/callback"
	}
	return uri
}
