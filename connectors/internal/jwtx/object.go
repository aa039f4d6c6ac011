package jwtx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"jackfield/connectors/internal/jsonx"
)

// maxObject bounds payload and headers in bytes: servers take far less in a header line.
const maxObject = 64 << 10

// An object is JSON as it was typed, without its white space.
type object struct {
	text    []byte
	members []member
}

type member struct {
	name  string
	value json.RawMessage
}

// readObject reads one JSON object whose placeholders are filled in. Members may
// stand in it only once (RFC 7519 section 4, RFC 7515 section 4). The reasons of
// its errors begin with reason.
func readObject(text, reason, field string, now time.Time) (*object, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if len(text) > maxObject {
		return nil, bad(reason+"_large", field, "", nil)
	}
	if !utf8.ValidString(text) {
		return nil, bad(reason, field, "it is not UTF-8 text", nil)
	}
	var whole json.RawMessage
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		return nil, bad(reason, field, place(text, err), err)
	}
	if _, err := jsonx.Parse([]byte(text)); err != nil {
		return nil, bad(reason, field, err.Error(), err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		return nil, bad(reason, field, "", err)
	}
	if b.Bytes()[0] != '{' {
		return nil, bad(reason+"_object", field, "", nil)
	}
	filled, wrong := fill(b.Bytes(), now)
	if wrong != "" {
		return nil, bad("jwt.placeholder", field, wrong, nil)
	}
	o := &object{text: filled}
	twice, err := o.split()
	if err != nil {
		return nil, bad(reason, field, "", err)
	}
	if twice != "" {
		return nil, bad("jwt.twice", field, twice, nil)
	}
	return o, nil
}

// place says in which line the fault is.
func place(text string, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return "line 1"
	}
	end := min(max(syntax.Offset-1, 0), int64(len(text)))
	return fmt.Sprintf("line %d, %s", 1+strings.Count(text[:end], "\n"), syntax.Error())
}

// split finds the members, and the name of one that stands there twice.
func (o *object) split() (twice string, err error) {
	d := json.NewDecoder(bytes.NewReader(o.text))
	if _, err := d.Token(); err != nil {
		return "", err
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		name, ok := t.(string)
		if !ok {
			return "", errors.New("a member has no name")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return "", err
		}
		if seen[name] {
			return name, nil
		}
		seen[name] = true
		o.members = append(o.members, member{name, value})
	}
	return "", nil
}

func (o *object) get(name string) json.RawMessage {
	for _, m := range o.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// maxTime tells seconds from milliseconds: as seconds it is the year 5138.
const maxTime = 1e11

// times checks that exp, nbf and iat are numbers of seconds (RFC 7519 section 2,
// NumericDate) and returns exp.
func (o *object) times() (expires time.Time, err error) {
	for _, name := range []string{"exp", "nbf", "iat"} {
		raw := o.get(name)
		if raw == nil {
			continue
		}
		at, ok := numericDate(raw)
		if !ok {
			return time.Time{}, bad("jwt.payload_time", fieldPayload, name, nil)
		}
		if name == "exp" {
			expires = at
		}
	}
	return expires, nil
}

// numericDate reads a number of seconds since 1970, with a fraction or not.
func numericDate(raw json.RawMessage) (time.Time, bool) {
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsNaN(n) || n < 0 || n >= maxTime {
		return time.Time{}, false
	}
	whole, part := math.Modf(n)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), true
}

var (
	literal     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	placeholder = regexp.MustCompile(`^"\{(?:uuid|now(?:([+-])([0-9]{1,9})([smhd]?))?)\}"$`)
	almost      = regexp.MustCompile(`(?i)^"\{\s*(now|uuid)\b[^}]*\}"$`)
)

// fill replaces the placeholders in compact JSON. wrong is one that is none.
func fill(text []byte, now time.Time) (out []byte, wrong string) {
	var b bytes.Buffer
	last := 0
	for _, at := range literal.FindAllIndex(text, -1) {
		s := text[at[0]:at[1]]
		if name := at[1] < len(text) && text[at[1]] == ':'; name || !almost.Match(s) {
			continue
		}
		value := expand(string(s), now)
		if value == "" {
			return nil, string(s)
		}
		b.Write(text[last:at[0]])
		b.WriteString(value)
		last = at[1]
	}
	b.Write(text[last:])
	return b.Bytes(), ""
}

func expand(s string, now time.Time) string {
	found := placeholder.FindStringSubmatch(s)
	if found == nil {
		return ""
	}
	if s == `"{uuid}"` {
		return `"` + uuid.NewString() + `"`
	}
	// The expression leaves no more than nine digits.
	n, _ := strconv.ParseInt("0"+found[2], 10, 64)
	n *= map[string]int64{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[3]]
	if found[1] == "-" {
		n = -n
	}
	return strconv.FormatInt(now.Unix()+n, 10)
}
