package handover

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

const (
	profileVersion = "profile/1"
	maxProfile     = 256 << 10 // bytes
)

// A Sheet is a profile as it was read: a connection without its secrets.
type Sheet struct {
	Type, Name, Description string
	Plain                   map[string]string
	Secrets                 map[string]bool // key → it was stored where the profile comes from
}

// Bundle is the sheet as something to import.
func (s Sheet) Bundle() Bundle {
	return Bundle{Connections: []Carried{{ID: "1", Type: s.Type, Name: s.Name, Description: s.Description, Plain: s.Plain}}}
}

// Profile is c as YAML for tickets and version control, in the order of the
// form: no secret, nothing that a server issued, and nothing that a check found.
// The same connection gives the same text.
func Profile(t connectors.Type, c link.Connection) string {
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(root, "jackfield", profileVersion, "")
	put(root, "type", c.Type, line(t.Name))
	put(root, "name", c.Name, "")
	if c.Description != "" {
		put(root, "description", c.Description, "")
	}
	answers := &yaml.Node{Kind: yaml.MappingNode}
	for _, k := range order(t, c.Plain) {
		f, ok := t.Form.Field(k)
		if ok && f.Kind.Secret() || c.Plain[k] == "" {
			continue
		}
		v, label := c.Plain[k], line(f.Label)
		if f.Kind == connectors.URL {
			v = withoutPassword(v)
		}
		if f.Kind == connectors.Reference {
			label += ": another connection, by its id"
		}
		put(answers, k, v, label)
	}
	section(root, "answers", answers)
	secrets := &yaml.Node{Kind: yaml.MappingNode}
	visible := connectors.Settings{Plain: c.Plain}
	for _, f := range t.Form.Fields {
		stored := slices.Contains(c.SecretKeys, f.Key)
		// An optional secret that is folded away is not worth a line when it is empty.
		if !f.Kind.Secret() || !stored && (f.Advanced || !t.Form.Visible(f.Key, visible)) {
			continue
		}
		put(secrets, f.Key, map[bool]string{true: "stored", false: "missing"}[stored], line(f.Label))
	}
	section(root, "secrets", secrets)
	return print(root)
}

func section(root *yaml.Node, key string, m *yaml.Node) {
	if len(m.Content) > 0 {
		root.Content = append(root.Content, scalar(key), m)
	}
}

func put(m *yaml.Node, key, value, comment string) {
	k, v := scalar(key), scalar(value)
	if comment != "" {
		k.HeadComment = "# " + comment
	}
	m.Content = append(m.Content, k, v)
}

// scalar is text that every YAML reader reads as the same text.
func scalar(v string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.ToValidUTF8(v, "\uFFFD")}
	switch {
	case blockable(v):
		n.Style = yaml.LiteralStyle
	case !wordy(v):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// blockable reports whether v reads well, and unchanged, as a block: several
// lines, none of them indented or ending in a space.
func blockable(v string) bool {
	if !strings.Contains(v, "\n") || strings.HasPrefix(v, "\n") || strings.HasSuffix(v, "\n\n") || !printable(strings.ReplaceAll(v, "\n", "")) {
		return false
	}
	for l := range strings.Lines(v) {
		l = strings.TrimSuffix(l, "\n")
		if strings.TrimSpace(l) != l || strings.HasPrefix(l, "#") {
			return false
		}
	}
	return true
}

func printable(v string) bool {
	return utf8.ValidString(v) && connectors.Clean(v, 0) == v && !strings.ContainsAny(v, "\u0085\u2028\u2029\ufeff\ufffd")
}

// wordy reports whether v can stand without quotes or leaves the choice of them
// to the encoder.
func wordy(v string) bool {
	switch strings.ToLower(v) { // YAML 1.1 has these as true and false: https://yaml.org/type/bool.html
	case "", "y", "n", "yes", "no", "on", "off":
		return false
	}
	// Numbers, times, and 22:30, which YAML 1.1 counts to the base of 60.
	return !strings.ContainsRune("0123456789+-.", rune(v[0])) && printable(v) && strings.TrimSpace(v) == v
}

func print(root *yaml.Node) string {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return "" // only for nodes of a wrong kind
	}
	_ = e.Close()
	return out.String()
}

// withoutPassword is an address without the password that somebody wrote into it.
func withoutPassword(v string) string {
	u, err := url.Parse(v)
	if err != nil || u.User == nil {
		return v
	}
	if _, has := u.User.Password(); !has {
		return v
	}
	u.User = url.User(u.User.Username())
	return u.String()
}

// ReadProfile reads what Profile wrote. It comes from anywhere: no anchor, no tag
// and no second document is accepted, and at most 256 KB are read.
func ReadProfile(data []byte) (Sheet, error) {
	if len(data) > maxProfile {
		return Sheet{}, fault("handover.large", "", "")
	}
	root, err := oneMapping(data)
	if err != nil {
		return Sheet{}, fault("handover.profile", "", connectors.Clean(err.Error(), 200))
	}
	out := Sheet{Plain: map[string]string{}, Secrets: map[string]bool{}}
	top, err := pairs(root)
	if err != nil || top["jackfield"] == nil {
		return Sheet{}, fault("handover.kind.profile", "", "")
	}
	kind, err := text(top["jackfield"])
	if v, ok := strings.CutPrefix(kind, "profile/"); err != nil || !ok {
		return Sheet{}, fault("handover.kind.profile", "", "")
	} else if kind != profileVersion {
		return Sheet{}, fault("handover.version", "", line(v))
	}
	if err := out.read(top); err != nil {
		return Sheet{}, fault("handover.profile", "", connectors.Clean(err.Error(), 200))
	}
	return out, nil
}

func (s *Sheet) read(top map[string]*yaml.Node) error {
	typ, e1 := text(top["type"])
	name, e2 := text(top["name"])
	description, e3 := text(top["description"])
	answers, e4 := texts(top["answers"])
	secrets, e5 := texts(top["secrets"])
	if err := errors.Join(e1, e2, e3, e4, e5); err != nil {
		return err
	}
	if !typeID(typ) {
		return errors.New("it has no type")
	}
	s.Type, s.Name, s.Description, s.Plain = typ, line(name), lines(description), answers
	for k, v := range secrets {
		s.Secrets[k] = v == "stored"
	}
	return nil
}

var errShape = errors.New("a part of it is not as a profile has it")

// oneMapping parses data and refuses what makes a small text a large value.
func oneMapping(data []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document in it")
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errShape
	}
	return doc.Content[0], plain(doc.Content[0])
}

// plain refuses anchors, and what refers to them, anywhere.
func plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return errors.New("there are anchors in it")
	}
	for _, c := range n.Content {
		if err := plain(c); err != nil {
			return err
		}
	}
	return nil
}

func pairs(n *yaml.Node) (map[string]*yaml.Node, error) {
	out := map[string]*yaml.Node{}
	if n == nil {
		return out, nil
	}
	if n.Kind != yaml.MappingNode || len(n.Content) > 2*maxAnswers {
		return nil, errShape
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, err := text(n.Content[i])
		if err != nil || !keyed(k) || out[k] != nil {
			return nil, errShape
		}
		out[k] = n.Content[i+1]
	}
	return out, nil
}

func texts(n *yaml.Node) (map[string]string, error) {
	all, err := pairs(n)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(all))
	for k, v := range all {
		if out[k], err = text(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// text is a scalar as it is written: 22, true and no are text here.
func text(n *yaml.Node) (string, error) {
	switch {
	case n == nil:
		return "", nil
	case n.Kind != yaml.ScalarNode || n.Tag == "!!binary":
		return "", errShape
	case n.Tag == "!!null":
		return "", nil
	}
	return n.Value, nil
}
