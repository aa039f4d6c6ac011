package web

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
)

// service is one catalogue file. See catalogue/twilio.yaml for an example, and
// "jf catalog new" for one with every part explained.
type service struct {
	ID       string            `yaml:"id"`
	Name     string            `yaml:"name"`
	Group    connectors.Group  `yaml:"group"`
	Summary  string            `yaml:"summary"`
	Tile     string            `yaml:"tile"`
	Keywords []string          `yaml:"keywords"`
	Where    []string          `yaml:"where"`
	Guide    guide             `yaml:"guide"`
	Fields   []field           `yaml:"fields"`
	Base     string            `yaml:"base"`
	Hosts    []string          `yaml:"hosts"` // further hosts that requests go to: "content.example.com", "*.example.com"
	Headers  map[string]string `yaml:"headers"`
	Before   []before          `yaml:"before"` // asked before the sign-in, without it
	SignIn   []signIn          `yaml:"sign_in"`
	TLS      certificate       `yaml:"tls"`
	Spec     spec              `yaml:",inline"`
}

// certificate names the fields of a client certificate.
type certificate struct {
	Cert       string `yaml:"cert"` // a plain field: PEM
	Bundle     string `yaml:"bundle"`
	Key        string `yaml:"key"`
	Passphrase string `yaml:"passphrase"`
}

type guide struct {
	Steps       []string `yaml:"steps"`
	Rights      string   `yaml:"rights"`
	Admin       string   `yaml:"admin"`
	Account     string   `yaml:"account"` // on using an account of its own
	Network     string   `yaml:"network"` // allow lists
	Notes       []string `yaml:"notes"`   // lifetimes, and what surprises people
	RedirectURI string   `yaml:"redirect_uri"`
	Links       []struct {
		Text string `yaml:"text"`
		URL  string `yaml:"url"`
	} `yaml:"links"`
	Unverified []string `yaml:"unverified"` // what rests on no documentation that was read; for maintainers
}

func (g guide) made(name string) connectors.Guide {
	out := connectors.Guide{Steps: g.Steps, Rights: g.Rights, Admin: g.Admin, Account: g.Account, Network: g.Network, Notes: g.Notes, RedirectURI: g.RedirectURI}
	for _, l := range g.Links {
		out.Links = append(out.Links, connectors.Link{Text: l.Text, URL: l.URL})
	}
	if out.Network == "" {
		out.Network = "If " + name + " or your company lets only certain addresses in, add the one with which this computer reaches the internet."
	}
	return out
}

type field struct {
	Key      string              `yaml:"key"`
	Label    string              `yaml:"label"`
	Help     string              `yaml:"help"`
	Example  string              `yaml:"example"`
	Section  string              `yaml:"section"`
	Kind     connectors.Kind     `yaml:"kind"`
	Options  []option            `yaml:"options"`
	Default  string              `yaml:"default"`
	Required bool                `yaml:"required"`
	Advanced bool                `yaml:"advanced"`
	Short    bool                `yaml:"short"`
	Show     map[string][]string `yaml:"show"`
	Pattern  string              `yaml:"pattern"` // the whole answer must match
	Wrong    string              `yaml:"wrong"`   // the sentence for an answer that does not
	Not      []notThis           `yaml:"not"`     // answers that belong elsewhere, each with its own sentence
	Prefixes []string            `yaml:"prefixes"`
	Host     string              `yaml:"host"`   // of a URL: the end of its host, such as ".service-now.com|.servicenowservices.com"
	Secure   bool                `yaml:"secure"` // of a URL: https only, this computer excepted
	Take     string              `yaml:"take"`   // a regular expression whose first group is the answer in a pasted text
	Swap     []swap              `yaml:"swap"`   // puts right what people paste, after Tidy and Take
	Tidy     string              `yaml:"tidy"`   // host, name (the first label of a pasted address), origin, pem, secret, json, none
}

// notThis tells apart answers that have a shape of their own but the wrong one.
type notThis struct {
	Pattern string `yaml:"pattern"`
	Wrong   string `yaml:"wrong"`
}

type option struct {
	Value string `yaml:"value"`
	Label string `yaml:"label"`
	Help  string `yaml:"help"`
}

func (f field) made() (connectors.Field, error) {
	out := connectors.Field{Key: f.Key, Label: f.Label, Help: f.Help, Example: f.Example, Section: f.Section, Kind: f.Kind, Default: f.Default, Required: f.Required, Advanced: f.Advanced, Short: f.Short}
	for _, o := range f.Options {
		out.Options = append(out.Options, connectors.Option{Value: o.Value, Label: o.Label, Help: o.Help})
	}
	for _, k := range slices.Sorted(maps.Keys(f.Show)) {
		out.Show = append(out.Show, connectors.Cond{Key: k, Is: f.Show[k]})
	}
	var rules []func(string) error
	switch f.Kind {
	case connectors.URL:
		out.Tidy = tidyURL
		rules = append(rules, validURL, f.hosted)
		if f.Secure || f.Host != "" {
			rules = append(rules, validSecureURL)
		}
	case connectors.SecretText:
		if f.Tidy == "none" {
			break
		}
		prefixes := f.Prefixes
		if prefixes == nil {
			prefixes = []string{"Bearer "}
		}
		out.Tidy = answers.TidySecret(prefixes...)
		rules = append(rules, validHeaderValue)
	case connectors.SecretLines:
		out.Tidy = answers.TidyPEM
	}
	if err := f.tidied(&out); err != nil {
		return out, err
	}
	if err := f.swapped(&out); err != nil {
		return out, err
	}
	more, err := f.patterns()
	if err != nil {
		return out, err
	}
	rules = append(more, rules...)
	if len(rules) > 0 {
		out.Valid = func(v string) error {
			for _, rule := range rules {
				if err := rule(v); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return out, nil
}

func (f field) patterns() ([]func(string) error, error) {
	var out []func(string) error
	add := func(pattern, wrong string, want bool) error {
		shape, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return err
		}
		if !strings.HasSuffix(wrong, ".") {
			return errors.New("a pattern needs a sentence in wrong")
		}
		out = append(out, func(v string) error {
			if shape.MatchString(v) != want {
				return errors.New(wrong)
			}
			return nil
		})
		return nil
	}
	for _, n := range f.Not {
		if err := add(n.Pattern, n.Wrong, false); err != nil {
			return nil, err
		}
	}
	if f.Pattern != "" {
		if err := add(f.Pattern, f.Wrong, true); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f field) tidied(out *connectors.Field) error {
	switch f.Tidy {
	case "", "none":
	case "pem":
		out.Tidy = answers.TidyPEM
	case "secret":
		out.Tidy = answers.TidySecret()
	case "json":
		out.Tidy = strings.TrimSpace
	case "host":
		out.Tidy = answers.TidyHost
	case "name":
		out.Tidy = func(v string) string {
			name, _, _ := strings.Cut(answers.TidyHost(v), ".")
			return name
		}
	case "origin":
		out.Tidy = tidyOrigin
	default:
		return errors.New("tidy is host, name, origin, pem, secret, json or none")
	}
	if f.Take == "" {
		return nil
	}
	shape, err := regexp.Compile(f.Take)
	if err != nil || shape.NumSubexp() < 1 {
		return errors.New("take needs a regular expression with a group")
	}
	before := out.Tidy
	out.Tidy = func(v string) string {
		if m := shape.FindStringSubmatch(v); m != nil {
			return m[1]
		}
		if before != nil {
			return before(v)
		}
		return strings.TrimSpace(v)
	}
	return nil
}

// hosted wants one of the vendor's own hosts, or this computer.
func (f field) hosted(v string) error {
	if f.Host == "" || local(v) {
		return nil
	}
	h := strings.ToLower(answers.TidyHost(v))
	for end := range strings.SplitSeq(f.Host, "|") {
		if strings.HasSuffix(h, end) && (strings.HasPrefix(end, ".") || h == end) {
			return nil
		}
	}
	return errors.New(orElse(f.Wrong, "This is not an address of this service. It ends with "+strings.ReplaceAll(f.Host, "|", " or ")+"."))
}
