package nats

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"jackfield/connectors"
)

// A person is what a server tells about who is signed in (servers since 2.10
// answer $SYS.REQ.USER.INFO).
type person struct {
	User        string        `json:"user"`
	Account     string        `json:"account"`
	AccountName string        `json:"account_name"`
	UserName    string        `json:"user_name"`
	Expires     time.Duration `json:"expires"`
	Permissions *struct {
		Publish   permission `json:"publish"`
		Subscribe permission `json:"subscribe"`
	} `json:"permissions"`
	known bool
}

type permission struct {
	Allow []string `json:"allow"`
	Deny  []string `json:"deny"`
}

// whoami asks who is signed in; servers that do not tell leave it unknown.
func (s *session) whoami(ctx context.Context) person {
	short, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	var out struct {
		Data *person `json:"data"`
	}
	m, err := s.request(short, "$SYS.REQ.USER.INFO", nil)
	if err != nil || json.Unmarshal(m.Data, &out) != nil || out.Data == nil {
		return person{}
	}
	out.Data.known = true
	return *out.Data
}

// may says whether a permission covers a subject; where there is none, all is allowed.
func (p permission) may(subject string) bool {
	covered := func(list []string) bool {
		for _, one := range list {
			pattern, _, _ := strings.Cut(one, " ") // a queue group may follow
			if covers(pattern, subject) {
				return true
			}
		}
		return false
	}
	return (len(p.Allow) == 0 || covered(p.Allow)) && !covered(p.Deny)
}

// covers reports whether every subject that s means is one that pattern means:
// https://docs.nats.io/nats-concepts/subjects#wildcards
func covers(pattern, s string) bool {
	p, q := strings.Split(pattern, "."), strings.Split(s, ".")
	for i, part := range p {
		switch {
		case part == ">":
			return len(q) > i
		case i >= len(q):
			return false
		case part == "*" && q[i] != ">":
		case part != q[i]:
			return false
		}
	}
	return len(p) == len(q)
}

// publishes and subscribes are the rights as far as they are known.
func (p person) publishes(subject string) connectors.Access {
	if !p.known {
		return ""
	}
	if p.Permissions == nil || p.Permissions.Publish.may(subject) {
		return connectors.AccessReadable
	}
	return connectors.AccessListed
}

func (p person) subscribes(subject string) connectors.Access {
	if !p.known {
		return ""
	}
	if p.Permissions == nil || p.Permissions.Subscribe.may(subject) {
		return connectors.AccessReadable
	}
	return connectors.AccessDenied
}

func (p person) facts() []connectors.Fact {
	var out []connectors.Fact
	if !p.known {
		return nil
	}
	account := p.Account
	if p.AccountName != "" {
		account = p.AccountName
	}
	if account != "" {
		out = append(out, connectors.Fact{Label: "NATS account", Text: connectors.Clean(account, 200)})
	}
	if p.Permissions == nil {
		return append(out, connectors.Fact{Label: "Rights", Text: "everything in the account"})
	}
	return append(out, connectors.Fact{Label: "May publish", Text: p.Permissions.Publish.words()}, connectors.Fact{Label: "May subscribe", Text: p.Permissions.Subscribe.words()})
}

func (p permission) words() string {
	text := "everything"
	if len(p.Allow) > 0 {
		text = strings.Join(p.Allow, ", ")
	}
	if len(p.Deny) > 0 {
		text += "; not " + strings.Join(p.Deny, ", ")
	}
	return connectors.Clean(text, 400)
}

// claims are the user JWT of the .creds file, nil where there is none.
func claims(c config) *jwt.UserClaims {
	if c.Auth != byCreds {
		return nil
	}
	token, err := nkeys.ParseDecoratedJWT([]byte(c.Creds.Reveal()))
	if err != nil {
		return nil
	}
	u, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return nil
	}
	return u
}

// expires is when the user JWT runs out, zero where it does not.
func expires(c config) time.Time {
	if u := claims(c); u != nil && u.Expires > 0 {
		return time.Unix(u.Expires, 0)
	}
	return time.Time{}
}

// account is whom the answers name.
func (c config) account() string {
	switch c.Auth {
	case byPassword:
		return c.User
	case byToken:
		return "bearer of the token"
	case byCertificate:
		return "client certificate"
	case byNKey:
		if public, err := publicKey(c.Seed); err == nil {
			return public
		}
	case byCreds:
		if u := claims(c); u != nil {
			if u.Name != "" {
				return connectors.Clean(u.Name, 200)
			}
			return u.Subject
		}
	}
	return "anonymous"
}
