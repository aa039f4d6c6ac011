package use

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	javaprops "github.com/magiconair/properties"
	yaml "go.yaml.in/yaml/v3"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"jackfield/connectors"
)

// language is a quote and how its tool reads it.
type language struct {
	quote quote
	read  func(string) (string, error)
}

// languages reads with the tool's own library where Go has it, else with a reader
// written after the page that the quote names.
func languages() map[string]language {
	return map[string]language{
		"percent":    {percent, url.PathUnescape},
		"shell":      {shellWord, readShell},
		"dotenv, sh": {dotenv, readShell},
		"keyword":    {keyword, readKeyword},
		"properties": {properties, readProperties},
		"go mysql":   {verbatim, readGoMySQL},
		"json":       {jsonText, func(v string) (out string, err error) { err = json.Unmarshal([]byte(v), &out); return out, err }},
		"base64":     {base64Text, func(v string) (string, error) { b, err := base64.StdEncoding.DecodeString(v); return string(b), err }},
		"yaml": {base64Text, func(v string) (string, error) {
			var s string
			err := yaml.Unmarshal([]byte(v), &s)
			b, _ := base64.StdEncoding.DecodeString(s)
			return string(b), err
		}},
		"option file": {optionFile, readBackslashes},
		"braces":      {braces, doubled('{', '}')},
		"ado":         {adoNet, doubled('"', '"')},
		"pgpass":      {pgpass, func(v string) (string, error) { return strings.NewReplacer(`\\`, `\`, `\:`, ":").Replace(v), nil }},
		"hcl":         {hcl, readHCL},
		"ssh":         {sshWord(false), readBackslashes},
		"obscured":    {obscured, revealed},
	}
}

// readShell keeps a carriage return, as shells do and this library does not.
func readShell(v string) (string, error) {
	const stand = "\ue00d"
	if !strings.Contains(v, stand) {
		v = strings.ReplaceAll(v, "\r", stand)
		out, err := readWord(v)
		return strings.ReplaceAll(out, stand, "\r"), err
	}
	return readWord(v)
}

func readWord(v string) (string, error) {
	f, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader("x "+v+"\n"), "")
	if err != nil {
		return "", err
	}
	out, err := expand.Fields(&expand.Config{Env: expand.ListEnviron()}, f.Stmts[0].Cmd.(*syntax.CallExpr).Args[1:]...)
	return strings.Join(out, "?"), err
}

func readKeyword(v string) (string, error) {
	c, err := pgconn.ParseConfig("host=h user=u sslmode=disable password=" + v)
	if err != nil {
		return "", err
	}
	return c.Password, nil
}

// readProperties puts the halves of signs beyond 16 bits together, as Java does
// and this library does not.
func readProperties(v string) (string, error) {
	v = regexp.MustCompile(`\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|.)`).ReplaceAllStringFunc(v, func(pair string) string {
		var high, low rune
		if _, err := fmt.Sscanf(pair, `\u%04x\u%04x`, &high, &low); err == nil {
			return string(utf16.DecodeRune(high, low))
		}
		return pair
	})
	p, err := (&javaprops.Loader{Encoding: javaprops.UTF8, DisableExpansion: true}).LoadBytes([]byte("x=" + v + "\n"))
	if err != nil {
		return "", err
	}
	return p.GetString("x", ""), nil
}

func readGoMySQL(v string) (string, error) {
	c, err := mysql.ParseDSN("user:" + v + "@tcp(127.0.0.1:3306)/shop?parseTime=true&tls=true")
	if err != nil {
		return "", err
	}
	return c.Passwd, nil
}

// readBackslashes reads a text in double quotes with \n, \r, \t and \x for x.
func readBackslashes(v string) (string, error) {
	v = v[1 : len(v)-1]
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
			if at := strings.IndexByte("nrt", v[i]); at >= 0 {
				b.WriteByte("\n\r\t"[at])
				continue
			}
		}
		b.WriteByte(v[i])
	}
	return b.String(), nil
}

// readHCL also undoes \u0024 and fails where an expression would begin.
func readHCL(v string) (string, error) {
	if strings.Contains(v, "${") || strings.Contains(v, "%{") {
		return "", connectors.ErrNobody
	}
	// A number after a backslash that is itself no escape.
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && strings.HasPrefix(v[i:], `\u0024`) || strings.HasPrefix(v[i:], `\u0025`) {
			b.WriteByte(map[byte]byte{'4': '$', '5': '%'}[v[i+5]])
			i += 5
			continue
		}
		b.WriteByte(v[i])
		if v[i] == '\\' && i+1 < len(v) {
			i++
			b.WriteByte(v[i])
		}
	}
	return readBackslashes(b.String())
}

func doubled(open, shut byte) func(string) (string, error) {
	return func(v string) (string, error) {
		if v[0] != open || v[len(v)-1] != shut {
			return "", connectors.ErrNobody
		}
		s := string(shut)
		return strings.ReplaceAll(v[1:len(v)-1], s+s, s), nil
	}
}

// FuzzQuoting: what a language takes comes back as it was.
func FuzzQuoting(f *testing.F) {
	for _, v := range nasty {
		f.Add(v)
	}
	f.Add("")
	f.Add("a\r\nb\x00c\xff")
	f.Add("\r\n")
	f.Add("X\x13D\U000ab4e7.")
	f.Add("A\U0001f44d\\ud83d\\udc4d")
	f.Fuzz(func(t *testing.T, v string) {
		for name, l := range languages() {
			out, err := l.quote(v)
			if err != nil {
				continue
			}
			if strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
				t.Fatalf("%s takes what is no text", name)
			}
			if back, err := l.read(out); err != nil || back != v {
				t.Fatalf("%s: %q became %q, which is read as %q (%v)", name, v, out, back, err)
			}
		}
	})
}
