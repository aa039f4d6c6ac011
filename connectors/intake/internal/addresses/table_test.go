package addresses_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/intake/internal/addresses"
	"jackfield/connectors/intake/internal/part"
)

// An example is an address with what it is to be read as: name | type key=value
// key:‹secret› ~left !note | …
type example struct{ text, want string }

func examples(tb testing.TB) []example {
	tb.Helper()
	data, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var out []example
	text := ""
	for line := range strings.SplitSeq(string(data), "\n") {
		switch {
		case strings.HasPrefix(line, "\t"):
			out = append(out, example{text, line[1:]})
		case line != "" && !strings.HasPrefix(line, "# "):
			text = line
		}
	}
	return out
}

func read(types []connectors.Type, text string) (part.Found, bool) {
	return addresses.Read(part.Input{Types: types, Data: []byte(text), Text: text})
}

func render(f part.Found, ok bool) string {
	if !ok {
		return "none"
	}
	var b strings.Builder
	for _, it := range f.Items {
		b.WriteString(it.Name)
		for _, rd := range it.Readings {
			b.WriteString(" | " + reading(rd))
		}
	}
	if len(f.Items) == 0 {
		fmt.Fprintf(&b, "(%s)", f.What)
		for _, l := range f.Left {
			b.WriteString(" ~" + l.Name)
		}
	}
	return b.String()
}

func reading(rd part.Reading) string {
	out := rd.Type
	for _, k := range slices.Sorted(maps.Keys(rd.Settings.Plain)) {
		out += " " + k + "=" + strings.ReplaceAll(rd.Settings.Plain[k], "\n", "⏎")
	}
	for _, k := range slices.Sorted(maps.Keys(rd.Settings.Secrets)) {
		out += " " + k + ":‹" + rd.Settings.Secrets[k].Reveal() + "›"
	}
	for _, l := range rd.Left {
		out += " ~" + l.Name
	}
	for _, n := range rd.Notes {
		out += " !" + n[:min(len(n), 24)]
	}
	return out
}

func TestAddresses(t *testing.T) {
	types, list := all.All(), examples(t)
	if len(list) < 250 {
		t.Fatalf("%d examples", len(list))
	}
	for _, x := range list {
		if got := render(read(types, x.text)); got != x.want {
			t.Errorf("%s\n got %s\nwant %s", x.text, got, x.want)
		}
	}
}

// fits proves that a reading can be put into its type's form as it is.
func fits(t *testing.T, types []connectors.Type, rd part.Reading) {
	t.Helper()
	typ, ok := connectors.Find(types, rd.Type)
	if !ok {
		t.Fatalf("there is no type %q", rd.Type)
	}
	s := typ.Form.Tidied(rd.Settings)
	for k, v := range s.Plain {
		f, ok := typ.Form.Field(k)
		switch {
		case !ok || f.Kind.Secret():
			t.Errorf("%s: %s is no plain field", rd.Type, k)
		case f.Verify(v) != nil:
			t.Errorf("%s: %s does not take %q: %v", rd.Type, k, v, f.Verify(v))
		case !typ.Form.Visible(k, s):
			t.Errorf("%s: %s is not asked for", rd.Type, k)
		}
	}
	for k := range s.Secrets {
		if f, ok := typ.Form.Field(k); !ok || !f.Kind.Secret() || !typ.Form.Visible(k, s) {
			t.Errorf("%s: %s is no secret that is asked for", rd.Type, k)
		}
	}
}

func TestEveryAnswerFitsItsForm(t *testing.T) {
	types := all.All()
	seen := map[string]bool{}
	for _, x := range examples(t) {
		found, _ := read(types, x.text)
		for _, it := range found.Items {
			for _, rd := range it.Readings {
				seen[rd.Type] = true
				fits(t, types, rd)
			}
		}
	}
	if len(seen) < 45 {
		t.Errorf("the examples reach %d types only", len(seen))
	}
}

// secrets finds a secret in what is shown in the clear. Short ones are in any
// text, and what the notes say is fixed.
func secrets(t *testing.T, it part.Item) {
	t.Helper()
	for _, rd := range it.Readings {
		for key, s := range rd.Settings.Secrets {
			v := s.Reveal()
			if len(v) < 4 {
				continue
			}
			if strings.Contains(it.Name, v) {
				t.Errorf("%s is in the name", key)
			}
			for _, l := range rd.Left {
				if l.Name != "An option" && strings.Contains(l.Name, v) || !strings.HasSuffix(l.Why, ".") {
					t.Errorf("%s: left %q, %q", key, l.Name, l.Why)
				}
			}
		}
		for _, n := range rd.Notes {
			if !slices.Contains(addresses.NotesForTest(), n) {
				t.Errorf("an unknown note: %q", n)
			}
		}
	}
}

func TestSecretsStaySecret(t *testing.T) {
	types := all.All()
	for _, x := range examples(t) {
		found, _ := read(types, x.text)
		for _, it := range found.Items {
			secrets(t, it)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v", found, found.Left), "practice-only-1") {
			t.Errorf("%s: a password is shown", x.text)
		}
	}
}

// Any password survives, whichever way it is written.
func TestPasswordsSurvive(t *testing.T) {
	types := all.All()
	const hex = "0123456789ABCDEF"
	escaped := func(v string) string {
		out := ""
		for i := range len(v) {
			out += "%" + string(hex[v[i]>>4]) + string(hex[v[i]&15])
		}
		return out
	}
	for _, pw := range []string{`'`, `"`, `@`, `/`, `#`, `?`, `%`, `\`, `:`, `;`, `{}`, `}`, `=`, ` x y `, `a'"@/#?%\:;={}b`, `%41`, `%2541`, `+`, `ünï`, `p@ss@host`, `''""`, `}}`, `$&,`} {
		for name, text := range map[string]string{
			"url":       "postgres://mira:" + escaped(pw) + "@db.example.com/sales",
			"mongodb":   "mongodb://mira:" + escaped(pw) + "@db.example.com/sales",
			"sftp":      "sftp://mira:" + escaped(pw) + "@files.example.com/in",
			"dsn":       "host=db.example.com user=mira password='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(pw) + "'",
			"ado":       `Server=db.example.com;Initial Catalog=x;User Id=mira;Password="` + strings.ReplaceAll(pw, `"`, `""`) + `"`,
			"ado2":      `Server=db.example.com;Initial Catalog=x;User Id=mira;Password='` + strings.ReplaceAll(pw, `'`, `''`) + `'`,
			"odbc":      `Driver={ODBC Driver 18 for SQL Server};Server=db.example.com;Uid=mira;Pwd={` + strings.ReplaceAll(pw, `}`, `}}`) + `};Database=x`,
			"sqlserver": `jdbc:sqlserver://db.example.com;user=mira;password={` + strings.ReplaceAll(pw, `}`, `}}`) + `};databaseName=x`,
			"pgjdbc":    "jdbc:postgresql://db.example.com/sales?user=mira&password=" + escaped(pw),
		} {
			it, ok := addresses.Parse(types, text)
			if !ok {
				t.Errorf("%s: %s is not understood", name, text)
				continue
			}
			if got := it.Readings[0].Settings.Secrets["password"].Reveal(); got != pw {
				t.Errorf("%s: %q became %q", name, pw, got)
			}
		}
	}
	for _, raw := range []string{`p@ss`, `p/ss`, `p#ss`, `p?ss`, `p:ss`, `p@s/s#s?s`, `p%ss`, `p'"\ss`} {
		for _, scheme := range []string{"postgres", "mysql", "mongodb", "amqps", "rediss", "sftp", "ftp", "https", "smtp"} {
			it, ok := addresses.Parse(types, scheme+"://mira:"+raw+"@server.example.com")
			if !ok || it.Readings[0].Settings.Secrets["password"].Reveal() != raw {
				if scheme == "sftp" || scheme == "ftp" || scheme == "https" {
					if strings.Contains(raw, "@s/") { // there, a path may have an @
						continue
					}
				}
				t.Errorf("%s: %s is lost", scheme, raw)
				continue
			}
			if _, plain := map[string]bool{`p:ss`: true, `p'"\ss`: true}[raw]; !plain && len(it.Readings[0].Notes) < 2 {
				t.Errorf("%s: %s is not said to be doubtful", scheme, raw)
			}
		}
	}
}

func TestSeveralAddresses(t *testing.T) {
	types := all.All()
	found, ok := read(types, "# servers\npostgres://a.example.com/x\n\n  sftp://mira@b.example.com\nsnowflake://acme/x\n")
	if !ok || len(found.Items) != 2 || found.Items[0].Where != "line 2" || found.Items[1].Where != "line 4" || len(found.Left) != 1 || found.Left[0].Name != "line 5" || found.What != "3 addresses" {
		t.Errorf("%v %+v", ok, found)
	}
	found, ok = read(types, "# tns\nSALES =\n  (DESCRIPTION =\n    (ADDRESS = (PROTOCOL = TCP)(HOST = a.example.com)(PORT = 1521))\n    (CONNECT_DATA = (SERVICE_NAME = sales))\n  )\n\nHR=(DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)(HOST=b.example.com)(PORT=2484))(CONNECT_DATA=(SID=HR)))\n")
	if !ok || len(found.Items) != 2 || found.Items[0].Where != "line 2" || found.Items[1].Readings[0].Settings.Plain["sid"] != "HR" {
		t.Errorf("tnsnames.ora: %v %+v", ok, found)
	}
	if found, ok := read(types, "Server=sql.example.com;\nInitial Catalog=Sales;\nUser ID=mira;\nPassword=practice-only-1;"); !ok || len(found.Items) != 1 {
		t.Errorf("a wrapped string: %v %+v", ok, found)
	}
	for _, text := range []string{"postgres://a/x\nand some words", "Dear Mira,\nthe server is files.example.com.", "KEY=value\nOTHER=value", "[remote]\ntype = sftp\nhost = x", "a=b", "", "export X=1"} {
		if _, ok := read(types, text); ok {
			t.Errorf("%q is taken for an address", text)
		}
	}
}

// Without the type, what is recognized is said and nothing is proposed.
func TestTypesThatMayNotBeProposed(t *testing.T) {
	for _, text := range []string{"postgres://a.example.com/x", "tcps://db.example.com:2484/x", "Server=tcp:a,1433;Initial Catalog=x;User Id=y", "mira@files.example.com:x", "scott/tiger@//h:1521/x"} {
		found, ok := read(nil, text)
		if !ok || len(found.Items) != 0 || len(found.Left) != 1 || found.What == "" {
			t.Errorf("%s: %v %+v", text, ok, found)
		}
		if _, ok := addresses.Parse(nil, text); ok {
			t.Errorf("%s: an item without a type", text)
		}
	}
}

func TestHostileSizes(t *testing.T) {
	types := all.All()
	big := strings.Repeat("a", 1<<20+1)
	if _, ok := read(types, "postgres://"+big); ok {
		t.Error("more than 1 MB is taken")
	}
	for _, piece := range []string{"@", "?", "?@", "/", ";", "=", ";a=", "{", "}", "'", `"`, `\`, ",", "://", "(HOST=", "%", "&a=b", "postgres://a@b\n", "https://x.example.com\n", "x=(DESCRIPTION\n"} {
		for _, head := range []string{"postgres://u:", "https://", "host=", "Server=", "jdbc:oracle:thin:@", "Driver={", "sftp://", "a,b="} {
			text := head + strings.Repeat(piece, (1<<20-32)/len(piece))
			_, _ = read(types, text)
			_, _ = addresses.Parse(types, text[:64<<10])
		}
	}
}

func FuzzParse(f *testing.F) {
	types := all.All()
	for _, x := range examples(f) {
		f.Add(x.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := read(types, text)
		if !ok {
			return
		}
		if found.What == "" {
			t.Error("nothing is said on what it is")
		}
		for _, it := range found.Items {
			if len(it.Readings) == 0 || it.Name == "" {
				t.Errorf("an item without a reading or a name: %q", it.Name)
			}
			secrets(t, it)
			for _, rd := range it.Readings {
				fits(t, types, rd)
			}
		}
	})
}
