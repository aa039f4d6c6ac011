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

// theirs is what the other side has to do.
func (l *look) theirs() {
	l.publicHalf()
	l.certificate()
	grants := rights.For(l.t, l.s)
	for n, g := range grants {
		if strings.HasPrefix(g.Title, "Variant") {
			continue
		}
		text := strings.Join(append([]string{g.Where}, g.Notes...), " ")
		l.them(Item{ID: "their.rights." + strconv.Itoa(n+1), Title: g.Title, Text: strings.TrimSpace(text), Copy: g.Text})
	}
	if uri := l.redirect(); uri != "" {
		l.them(Item{ID: "their.redirect", Title: "Register this redirect address", Text: "In the settings of the application that the client ID is of.", Copy: uri})
	}
	g := l.t.Guide
	// Where the guide has a command, the grants above have the one for these answers.
	if command := len(grants) > 0 && (l.t.Group == connectors.GroupDatabases || !strings.HasSuffix(g.Admin, ".")); g.Admin != "" && !command {
		l.them(Item{ID: "their.admin", Title: "What an administrator does", Text: g.Admin})
	}
	if !l.t.Offline {
		l.them(Item{ID: "their.network", Title: "Let this computer in", Text: strings.TrimSpace(g.Network + " Their firewall sees this computer's public address, or that of your company: ask your IT which one it is.")})
	}
	if len(g.Notes) > 0 {
		l.add(Item{ID: "their.notes", State: Theirs, Title: "Good to know", Text: strings.Join(g.Notes, " ")})
	}
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
