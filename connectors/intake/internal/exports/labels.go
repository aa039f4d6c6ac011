package exports

import (
	"regexp"
	"strings"

	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
)

// maxLabelLines bounds what is read as text for people.
const maxLabelLines = 2000

var (
	nested  = regexp.MustCompile(`(?m)^([ \t]*)[\w.-]+:[ \t]*\n(?:[ \t]*\n)*[ \t]+[\w.-]+:`)
	columns = regexp.MustCompile(`(?i)^(parameter|key|field|name|setting|feld|schlüssel|einstellung)?[\s|]*(value|wert|valeur|valor)?[\s|-]*$`)
	request = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S+ HTTP/`)
)

// Labels reads what people write to each other: lines such as "Host:
// db.example.com" in English, German, French or Spanish, copied tables of two
// columns, and a label with its value below. It wants a place and who signs in.
func Labels(in part.Input, address Address) (part.Found, bool) {
	return labels(in, address, false)
}

// Prose is Labels for text that nothing else understood: also an address in a
// paragraph, "=" between label and value, and enumerations in a sentence.
func Prose(in part.Input, address Address) (part.Found, bool) {
	return labels(in, address, true)
}

func labels(in part.Input, address Address, prose bool) (part.Found, bool) {
	text := strings.TrimSpace(in.Text)
	if text == "" || len(text) > 256<<10 || strings.Count(text, "\n") > maxLabelLines || request.MatchString(text) {
		return part.Found{}, false
	}
	if strings.HasPrefix(text, "<?") || strings.HasPrefix(text, "<!") || strings.Contains(text, "</") {
		return part.Found{}, false
	}
	if !prose && (nested.MatchString(text) || strings.HasPrefix(text, "{")) {
		return part.Found{}, false
	}
	t := &talk{list: newList(in, address), prose: prose}
	if strings.Contains(text, "define(") && strings.Contains(text, "DB_NAME") { // wp-config.php
		t.kind = "mysql"
	}
	t.lines(strings.Split(text, "\n"))
	return t.done()
}

// A talk is text on its way to becoming records.
type talk struct {
	*list
	prose    bool
	all      []*record.Record
	now      *record.Record
	kind     string // named by a headline, for what follows
	headline string
	product  string // one that there is no type for
	pairs    int
	stray    bool
}

// lines goes through the text; a label alone takes its value from below.
func (t *talk) lines(lines []string) {
	var waiting *said
	spaced := spacedPairs(t, lines)
	for _, line := range lines {
		if strings.TrimSpace(line) == "" || strings.TrimSpace(line) == ":" {
			continue
		}
		saids := lineOf(t.in.Types, line)
		if s, ok := spaced[line]; ok {
			saids = []said{s}
		}
		if waiting != nil {
			w := *waiting
			waiting = nil
			if !known(saids) {
				w.value = worded(line, w.key)
				t.take(w)
				continue
			}
		}
		for _, s := range saids {
			if w, ok := t.waits(s); ok {
				waiting = &w
				continue
			}
			t.take(s)
		}
	}
}

// waits reports whether a line is a label whose value has to come.
func (t *talk) waits(s said) (said, bool) {
	switch {
	case s.how == sayPair && s.value == "":
		return s, true
	case s.how != sayHeadline || len(strings.Fields(s.written)) > 4:
		return said{}, false
	}
	p := pairOf(t.in.Types, s.written, "")
	return p, p.how == sayPair && (p.kind == "" || t.now != nil)
}

func known(saids []said) bool {
	for _, s := range saids {
		if s.how == sayPair && s.value != "" || s.how == sayAddress {
			return true
		}
	}
	return false
}

// spacedPairs are "Host db.example.com" lines, where one of them is a password:
// an OpenSSH configuration has none.
func spacedPairs(t *talk, lines []string) map[string]said {
	out, password := map[string]said{}, false
	for _, line := range lines {
		if w := strings.Fields(line); len(w) == 2 && !strings.HasSuffix(w[0], ":") {
			if s := pairOf(t.in.Types, w[0], w[1]); s.how == sayPair && s.key != "type" && s.key != "name" {
				out[line] = s
				password = password || s.key == "password"
			}
		}
	}
	if !password || len(out) < 3 {
		return nil
	}
	return out
}

func (t *talk) take(s said) {
	if s.soft && !t.prose {
		return
	}
	switch s.how {
	case sayHeadline:
		if !columns.MatchString(s.written) {
			t.heading(s.written)
		}
	case sayAddress:
		if (t.prose || t.now != nil) && !strings.HasPrefix(strings.ToLower(s.value), "file:") {
			t.place(said{how: sayPair, key: "url", written: "the address", value: s.value})
		}
	case sayUnknown:
		t.unknown(s)
	case sayPair:
		t.place(s)
	}
}

// unsupported are products that are asked for and have no type.
var unsupported = []string{"Snowflake", "Databricks", "BigQuery", "NetSuite", "Workday", "Teradata", "Db2", "SAP HANA", "Cassandra"}

func (t *talk) heading(text string) {
	t.names(text)
	if k := kindIn(t.in.Types, text); k != "" {
		t.kind = k
		return
	}
	if words := strings.Fields(text); len(words) > 3 || strings.HasSuffix(text, ",") || strings.HasSuffix(text, ".") || strings.HasSuffix(text, "!") {
		t.stray = true
		return
	}
	t.headline = text
}

// names looks for a product that there is no type for.
func (t *talk) names(text string) {
	for _, p := range unsupported {
		if strings.Contains(strings.ToLower(text), strings.ToLower(p)) {
			t.product = p
		}
	}
}

// unknown names a label that tells nothing. The value may be a secret.
func (t *talk) unknown(s said) {
	if columns.MatchString(s.written + " " + s.value) {
		return
	}
	if s.kind != "" {
		t.kind = s.kind
	}
	t.names(s.written + " " + s.value)
	t.headline = ""
	if s.value == "" {
		t.headline = s.written
		return
	}
	if t.now == nil || strings.ContainsAny(s.written, "0123456789") || len(s.value) > 200 {
		t.stray = true
		return
	}
	t.now.Leave(s.written, "")
}

// place puts a value into the record it belongs to.
func (t *talk) place(s said) {
	t.pairs++
	s = settledPair(s)
	where := s.key == "host" || s.key == "url" || s.key == "servers"
	if t.now == nil || where && t.now.Has("host", "url", "servers") && t.again(s) {
		t.now = record.New("", "")
		t.all = append(t.all, t.now)
		t.now.Name, t.headline = t.headline, ""
	}
	switch {
	case s.value == "":
		return
	case where || t.now.Type == "" && t.kind != "":
		if s.kind == "" {
			s.kind, t.kind = t.kind, ""
		}
	}
	if s.kind != "" && t.now.Type == "" {
		t.now.Type = s.kind
	}
	if placeholder(s.value) {
		t.now.Leave(s.written, "Its value stands elsewhere. Type it into the form.")
		return
	}
	if old := t.now.Get(s.key); old != "" && old != s.value {
		t.now.Leave("another "+s.written, "There is a place for one only.")
		return
	}
	putLabelled(t, s)
}

// again reports whether a second place is another connection's. A web address
// beside a host, or the other way round, is the same one's.
func (t *talk) again(s said) bool {
	if t.now.Has(s.key) {
		return t.now.Get(s.key) != s.value
	}
	return s.kind != "" && t.now.Type != "" && s.kind != t.now.Type
}

func putLabelled(t *talk, s said) {
	r := t.now
	switch s.key {
	case "tls":
		r.Put("tls", tlsWord(s.value))
	case "auth":
		if v := strings.ToLower(s.value); strings.Contains(v, "key") || strings.Contains(v, "schlüssel") {
			r.Put("auth", "key")
		}
		if k := kindIn(t.in.Types, s.value); k != "" && r.Type == "" {
			r.Type = k
		}
	case "type":
		if i := strings.LastIndexByte(s.value, '.'); i > 0 { // django.db.backends.postgresql
			s.value = s.value[i+1:]
		}
		put(t.in.Types, r, "type", s.value)
	case "name":
		if s.written == "NAME" {
			r.PutAs("database", s.written, s.value)
		} else if !strings.Contains(strings.ToLower(s.written), "connection") || r.Name == "" {
			r.Name = s.value
		}
	case "notes", "refused":
	case "security_protocol":
		r.PutAs(s.key, s.written, map[string]string{"SASL_SSL": "sasl_tls", "SSL": "tls", "SASL_PLAINTEXT": "sasl_plaintext", "PLAINTEXT": "plaintext"}[strings.ToUpper(s.value)])
	case "servers":
		r.Type = "kafka"
		r.PutAs("servers", s.written, strings.Join(strings.FieldsFunc(s.value, func(c rune) bool { return c == ',' || c == ' ' }), "\n"))
	case "password":
		r.PutAs(s.key, s.written, s.value)
	default:
		r.PutAs(s.key, s.written, strings.TrimSpace(s.value))
	}
}
