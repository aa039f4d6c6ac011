package rights

import (
	"encoding/json"
	"strings"
	"testing"
)

// unquoted reads a name back as the dialect's lexer does: to the first sign that
// ends it, where a doubled or escaped one does not. rest is what would follow it.
func unquoted(v string, last byte, escape bool) (name, rest string) {
	var b strings.Builder
	for i := 1; i < len(v); i++ {
		switch {
		case escape && v[i] == '\\' && i+1 < len(v):
			i++
			b.WriteByte(v[i])
		case v[i] == last && !escape && i+1 < len(v) && v[i+1] == last:
			i++
			b.WriteByte(last)
		case v[i] == last:
			return b.String(), v[i+1:]
		default:
			b.WriteByte(v[i])
		}
	}
	return b.String(), "it does not end"
}

func FuzzGrantQuoting(f *testing.F) {
	for _, s := range []string{"reader", `sa"les`, "a`b", "a]b", `a\`, "a\\`b", `";DROP TABLE x;--`, "]]", "\x00", "ü'☃", "a_b%", "$(id)", `"READER"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		plain := noNUL(name)
		for _, at := range []struct {
			what, got string
			last      byte
			escape    bool
		}{{"double", double(name), '"', false}, {"back", back(name), '`', false}, {"bracketed", bracketed(name), ']', false}, {"slashed", slashed(name), '`', true}} {
			if back, rest := unquoted(at.got, at.last, at.escape); back != plain || rest != "" {
				t.Errorf("%s of %q is %s, read as %q and %q", at.what, name, at.got, back, rest)
			}
		}
		if _, rest := unquoted(oracleName(name), '"', false); rest != "" {
			t.Errorf("oracle: %q is %s", name, oracleName(name))
		}
		if one, rest := unquoted(whole(name), '`', false); rest != "" || strings.NewReplacer(`\\`, `\`, `\_`, "_", `\%`, "%").Replace(one) != plain {
			t.Errorf("whole: %q is %s", name, whole(name))
		}
		word := shell(name)
		if strings.HasPrefix(word, "'") {
			word = strings.ReplaceAll(word, `'\''`, "\x00")
			if strings.Count(word, "'") != 2 || strings.ReplaceAll(word[1:len(word)-1], "\x00", "'") != plain {
				t.Errorf("shell: %q is %s", name, shell(name))
			}
		} else if word != name || strings.ContainsAny(word, " $`\\\"'|&;<>()*?[]#~!{}\n") {
			t.Errorf("shell: %q is %s", name, word)
		}
		var read string
		if json.Unmarshal([]byte(quoted(strings.ToValidUTF8(name, ""))), &read) != nil || read != strings.ToValidUTF8(name, "") {
			t.Errorf("quoted: %q is %s", name, quoted(name))
		}
		if strings.ContainsAny(oneLine(name), "\n\r\x00\u2028") {
			t.Errorf("one line: %q", oneLine(name))
		}
	})
}
