package exports

import (
	"regexp"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/exports/record"
)

// How a line of text says something.
const (
	sayNothing  = iota
	sayPair     // "Host: db.example.com"
	sayUnknown  // "Cost centre: 4711"
	sayAddress  // an address somewhere in a sentence
	sayHeadline // "MySQL (read only)"
)

// A said is what one line says.
type said struct {
	how     int
	key     string // canonical
	written string // the label, or the headline
	kind    string // the type that the label names, as in "SFTP server"
	value   string
	soft    bool // with "=" or in a sentence: others may know better what it is
}

var (
	decoration = regexp.MustCompile(`^(?:[>\s|]+|[-*•–·▪+]\s+|\(?\d{1,2}[.)]\s+|#{1,4}\s+)+`)
	defined    = regexp.MustCompile(`^define\(\s*['"](\w+)['"]\s*,\s*['"](.*)['"]\s*\)\s*;?$`)
	labelShape = regexp.MustCompile(`^\pL[\pL\d _/&().'-]{0,48}$`)
	addressIn  = regexp.MustCompile(`(?i)(?:jdbc:[a-z0-9:]+|\b[a-z][a-z0-9+.-]{1,20}:)//[^\s<>"` + "`" + `]+`)
	emphasis   = strings.NewReplacer("**", "", "__", "")
	bracketed  = regexp.MustCompile(`\([^()]*\)`)
)

// lineOf understands one line on its own.
func lineOf(types []connectors.Type, line string) []said {
	line = strings.TrimSpace(decoration.ReplaceAllString(emphasis.Replace(strings.TrimSpace(line)), ""))
	line = strings.TrimSpace(strings.TrimSuffix(line, "|"))
	if line == "" || line == ":" {
		return nil
	}
	if m := defined.FindStringSubmatch(line); m != nil {
		return []said{pairOf(types, m[1], m[2])}
	}
	if s, ok := split(types, line); ok {
		return s
	}
	if m := addressIn.FindString(line); m != "" {
		return []said{{how: sayAddress, value: strings.TrimRight(m, ".,;)'—")}}
	}
	if key, _ := meaningOf(types, line); key != "" && len(strings.Fields(line)) < 5 {
		return []said{{how: sayHeadline, written: bare(line)}}
	}
	if s := sentence(types, line); len(s) > 0 {
		return s
	}
	return []said{{how: sayHeadline, written: bare(line)}}
}

// split parts a line at what stands between a label and its value.
func split(types []connectors.Type, line string) ([]said, bool) {
	at, between := -1, ""
	for _, b := range []string{"->", "=>", "→", "\t", "|", ":", "="} {
		if i := strings.Index(line, b); i > 0 && (at < 0 || i < at) {
			at, between = i, b
		}
	}
	if at < 0 {
		return nil, false
	}
	label, value := strings.TrimSpace(line[:at]), strings.TrimSpace(line[at+len(between):])
	label = strings.TrimSpace(strings.Trim(label, `'"*_`+"`"))
	if !labelShape.MatchString(label) || len(strings.Fields(label)) > 6 || between == ":" && strings.HasPrefix(value, "//") {
		return nil, false
	}
	if between == "\t" || between == "|" {
		value, _, _ = strings.Cut(value, between)
	}
	s := pairOf(types, label, value)
	s.soft = between == "=" || between == "=>"
	if s.how == sayUnknown {
		if m := addressIn.FindString(value); m != "" {
			return []said{{how: sayHeadline, written: label}, {how: sayAddress, value: strings.TrimRight(m, ".,;)'—")}}, true
		}
	}
	return []said{s}, true
}

// pairOf is a label with its value, known or not.
func pairOf(types []connectors.Type, label, value string) said {
	key, kind := meaningOf(types, label)
	s := said{how: sayPair, key: key, kind: kind, written: bare(label), value: worded(value, key)}
	if key == "" {
		s.how = sayUnknown
	}
	return s
}

// worded takes off what mails and source code put around a value.
func worded(value, key string) string {
	value = strings.TrimSpace(value)
	if strings.HasSuffix(value, `",`) || strings.HasSuffix(value, `',`) || key != "password" && strings.HasSuffix(value, ",") {
		value = strings.TrimSuffix(value, ",")
	}
	for _, q := range []string{`""`, "''", "``", "<>"} {
		if len(value) > 2 && value[0] == q[0] && value[len(value)-1] == q[1] && (q != "<>" || strings.ContainsAny(value, "@:/")) {
			return strings.TrimSpace(value[1 : len(value)-1])
		}
	}
	return value
}

func bare(text string) string { return strings.TrimSpace(strings.Trim(text, "*_`: ")) }

// meaningOf is what a label stands for, and the type that it names.
func meaningOf(types []connectors.Type, label string) (key, kind string) {
	if c := record.Canonical(label); c != "" {
		return c, kindIn(types, label)
	}
	if plain := strings.TrimSpace(bracketed.ReplaceAllString(label, " ")); plain != label && plain != "" {
		if c := record.Canonical(plain); c != "" {
			return c, kindIn(types, label)
		}
	}
	words := strings.FieldsFunc(label, func(r rune) bool { return strings.ContainsRune(" -_/()", r) })
	if len(words) < 2 {
		return "", kindIn(types, label)
	}
	var rest []string
	for _, w := range words {
		if k := namedKind(types, w); k != "" && kind == "" {
			kind = k
			continue
		}
		rest = append(rest, w)
	}
	if kind == "" || len(rest) == 0 {
		return "", kind
	}
	return record.Canonical(strings.Join(rest, " ")), kind
}

// kindIn is the type that words in a label or headline name.
func kindIn(types []connectors.Type, text string) string {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" -_/(),:;.*!?", r) }) {
		if k := namedKind(types, w); k != "" {
			return k
		}
	}
	low := strings.ToLower(text)
	for _, two := range [][2]string{{"sql server", "sqlserver"}, {"active directory", "ldap"}, {"domain controller", "ldap"}, {"service bus", "azure_service_bus"}, {"aws iot", "aws_iot"}} {
		if strings.Contains(low, two[0]) {
			return two[1]
		}
	}
	return ""
}

// tellingWords are names of products and protocols that mean nothing else in a
// sentence; "box", "folder" and "notion" are also words.
var tellingWords = " postgres postgresql mysql mariadb mssql oracle mongodb clickhouse redis valkey elasticsearch opensearch sftp ftp ftps webdav nextcloud smb minio ldap ldaps mqtt kafka rabbitmq nats smtp imap ssh salesforce servicenow dynamics coupa jira zendesk shopify twilio hubspot gitlab github okta auth0 sharepoint datadog docusign pipedrive mailchimp pagerduty airtable "

func namedKind(types []connectors.Type, word string) string {
	if !strings.Contains(tellingWords, " "+strings.ToLower(word)+" ") {
		return ""
	}
	return record.TypeOf(types, word)
}

var linking = strings.NewReplacer(" is ", " ", " ist ", " ", " lautet ", " ", " = ", " ", " and ", ", ", " und ", ", ")

// sentence reads "The server is db.example.com, port 5432, user reporting": a
// label's last word and one word as its value, in each part of the sentence.
func sentence(types []connectors.Type, line string) []said {
	var out []said
	parts := strings.Split(linking.Replace(strings.TrimRight(line, ".")), ", ")
	for _, p := range parts {
		words := strings.Fields(p)
		if len(words) < 2 || len(words) > 6 {
			continue
		}
		value, label := words[len(words)-1], words[len(words)-2]
		if s := pairOf(types, label, value); s.how == sayPair && s.key != "name" && s.key != "type" && s.key != "notes" && plausible(s) {
			s.soft = true
			out = append(out, s)
		}
	}
	if len(out) < len(parts) && len(out) < 3 {
		return nil
	}
	return out
}

// plausible is for sentences, in which a label is often followed by no value.
func plausible(s said) bool {
	switch s.key {
	case "host", "url":
		return strings.Contains(s.value, ".") || s.value == "localhost"
	case "port":
		return strings.Trim(s.value, "0123456789") == ""
	}
	return len(s.value) > 1
}
