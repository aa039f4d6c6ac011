// Package served plays web services that need accounts of their own to be
// spoken to. What they answer is written down from the vendors' documentation,
// one YAML file a service: these servers are shaped after the documentation and
// prove no more than that. They stand behind the vendors' real names, with
// certificates of an authority of the test.
package served

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A Service is how one service answers, and what a test expects to see of it.
type Service struct {
	Type   string   `yaml:"type"`   // the connection type's id
	Source []string `yaml:"source"` // the documentation that the answers are shaped after
	Hosts  []string `yaml:"hosts"`  // the names under which it stands
	Ways   []Way    `yaml:"ways"`   // each way to sign in, played in full
	Routes []Route  `yaml:"routes"`
	OAuth  OAuth    `yaml:"oauth"`

	Refused Answer `yaml:"refused"` // to credentials that are none of Ways' (401 when left out)
	Expired Answer `yaml:"expired"` // to a key or token that has run out
	Scope   Answer `yaml:"scope"`   // to a route marked scoped, when a right is missing (403 when left out)
	Slow    Answer `yaml:"slow"`    // to too many requests (429 with Retry-After when left out)

	Expect Expect `yaml:"expect"`
}

// A Way is a way to sign in: answers that work, and one that does not.
type Way struct {
	Name    string            `yaml:"name"`
	Plain   map[string]string `yaml:"plain"`
	Secrets map[string]string `yaml:"secrets"` // "$rsa" and "$google" stand for generated ones, "$google deleted" for one that is not known any more
	Accept  []Proof           `yaml:"accept"`  // left out for OAuth: then an access token is
	Browser bool              `yaml:"browser"` // a person signs in
	Wrong   Wrong             `yaml:"wrong"`
	Account string            `yaml:"account"` // where it is another than Expect.Account
	Nodes   []string          `yaml:"nodes"`   // likewise
	Looks   []Look            `yaml:"looks"`   // likewise
	Pages   Pages             `yaml:"pages"`   // likewise
	Scope   Lacking           `yaml:"scope"`   // likewise
	Lasting bool              `yaml:"lasting"` // what it issues cannot be taken back
	Expired Fault             `yaml:"expired"` // where it is another than Expect.Expired: a key runs out, a person signs in again
}

// Expected is what linking in that way must show.
func (s Service) Expected(w Way) Expect {
	e := s.Expect
	if w.Account != "" {
		e.Account = w.Account
	}
	if w.Nodes != nil {
		e.Nodes = w.Nodes
	}
	if w.Pages.Node != "" {
		e.Pages = w.Pages
	}
	if w.Scope.Node != "" {
		e.Scope = w.Scope
	}
	if w.Looks != nil {
		e.Looks = w.Looks
	}
	return e
}

// A Proof is what a request must carry.
type Proof struct {
	Basic  string            `yaml:"basic"` // user:password
	Bearer string            `yaml:"bearer"`
	Header map[string]string `yaml:"header"`
	Query  map[string]string `yaml:"query"`
}

// Wrong is an answer that must be refused, and how.
type Wrong struct {
	Plain   map[string]string `yaml:"plain"`
	Secrets map[string]string `yaml:"secrets"`
	Fault   `yaml:",inline"`
}

// A Fault is what the person is told: "" for any field, "-" for none.
type Fault struct {
	Code  string `yaml:"code"`
	Field string `yaml:"field"`
	Says  string `yaml:"says"` // a part of title or hint
}

// A Route is one request and its answer. The first that fits is used.
type Route struct {
	Get    string            `yaml:"get"`
	Post   string            `yaml:"post"`
	Delete string            `yaml:"delete"`
	Host   string            `yaml:"host"`
	Query  map[string]string `yaml:"query"`  // "" is a parameter that is missing or empty
	Body   []string          `yaml:"body"`   // parts of the request's body
	Header map[string]string `yaml:"header"` // of the request
	Open   bool              `yaml:"open"`   // needs no sign-in
	Scoped bool              `yaml:"scoped"` // refused when a right is missing
	Answer `yaml:",inline"`
	Empty  *Answer `yaml:"empty"` // of an empty account
	Repeat *Repeat `yaml:"repeat"`
}

// An Answer is a status, headers and a body: json or text.
type Answer struct {
	Status  int               `yaml:"status"`
	Headers map[string]string `yaml:"headers"`
	JSON    any               `yaml:"json"`
	Text    string            `yaml:"text"`
	Media   string            `yaml:"media"`
}

// Repeat makes many items, for services that page by number. {n} in Item is the
// item's number, from 1.
type Repeat struct {
	Count  int            `yaml:"count"`
	Item   map[string]any `yaml:"item"`
	Into   string         `yaml:"into"`   // the member of the answer that has them, "a.b" for one inside another; "" is the answer itself
	Offset string         `yaml:"offset"` // the parameter of the first item's number
	Page   string         `yaml:"page"`   // or of the page's, from 1
	Limit  string         `yaml:"limit"`  // the parameter of the page's size
	Within string         `yaml:"within"` // the parameter in whose words both stand: "startposition 1 maxresults 50"
	Begins *int           `yaml:"begins"` // the number of the first item or page, when it is not 0 or 1
	More   string         `yaml:"more"`   // a member that is true while there are more
	Total  string         `yaml:"total"`
}

// OAuth plays an authorization server: the person always agrees.
type OAuth struct {
	Host      string            `yaml:"host"`
	Authorize string            `yaml:"authorize"` // path
	Token     string            `yaml:"token"`
	Device    string            `yaml:"device"`
	Revoke    string            `yaml:"revoke"` // POST or DELETE to it is counted
	Extra     map[string]any    `yaml:"extra"`  // more members of the token answer
	Callback  map[string]string `yaml:"callback"`
	NoPKCE    bool              `yaml:"no_pkce"`
	Silent    bool              `yaml:"silent"` // no expires_in in the answer
	NoRefresh bool              `yaml:"no_refresh"`
	Client    string            `yaml:"client"`   // the client's id: another one is unknown
	Form      map[string]string `yaml:"form"`     // parameters that a token request must have
	Grant     string            `yaml:"grant"`    // of a client's own request, when it is none of the usual
	Redirect  string            `yaml:"redirect"` // what the redirect URI must begin with
	Params    map[string]string `yaml:"params"`   // that the authorization request must have
	Refused   Answer            `yaml:"refused"`
	Said      map[string]string `yaml:"said"` // the error_description of an error
}

// Expect is what linking must show.
type Expect struct {
	Account string   `yaml:"account"`
	Facts   []string `yaml:"facts"` // labels that must be there
	Nodes   []string `yaml:"nodes"` // ids at the root, in order
	Pages   Pages    `yaml:"pages"`
	Expired Fault    `yaml:"expired"`
	Scope   Lacking  `yaml:"scope"`
	Address Address  `yaml:"address"`
	Looks   []Look   `yaml:"looks"`
}

// Lacking is a node for which a right is missing.
type Lacking struct {
	Node  string `yaml:"node"`
	Fault `yaml:",inline"`
}

// Address is what is wrong with another address; without Plain the service has
// one address for everybody.
type Address struct {
	Plain map[string]string `yaml:"plain"` // a typo in the address
	Fault `yaml:",inline"`
}

// Pages names a node that takes three requests to read whole.
type Pages struct {
	Node  string `yaml:"node"`
	Count int    `yaml:"count"`
	Rows  bool   `yaml:"rows"`
	Whole bool   `yaml:"whole"` // the service knows no pages: one request
}

// A Look is one node that is opened: its children, rows, or content.
type Look struct {
	Node    string   `yaml:"node"`
	Names   []string `yaml:"names"`
	Columns []string `yaml:"columns"`
	Rows    int      `yaml:"rows"`
	Text    string   `yaml:"text"`
	Do      string   `yaml:"do"` // an action; Text is a part of what comes back
	Input   string   `yaml:"input"`
}

// Load reads a service's file.
func Load(data []byte) (Service, error) {
	var s Service
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		return s, err
	}
	if s.Type == "" || len(s.Hosts) == 0 || len(s.Ways) == 0 || len(s.Source) == 0 || s.Expect.Pages.Node == "" || s.Expect.Scope.Node == "" {
		return s, fmt.Errorf("%s: type, source, hosts, ways, expect.pages and expect.scope are needed", s.Type)
	}
	if !slices.ContainsFunc(s.Routes, func(r Route) bool { return r.Empty != nil || r.Repeat != nil }) {
		return s, fmt.Errorf("%s: nothing says what an empty account answers", s.Type)
	}
	return s, nil
}

// All reads the services of a folder, by name. There must be some.
func All(tb testing.TB, dir string) []Service {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(names) == 0 {
		tb.Fatalf("no services in %s: %v", dir, err)
	}
	var out []Service
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		s, err := Load(data)
		if err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		out = append(out, s)
	}
	return out
}
