package use

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
)

// nasty are passwords that some language or other reads anything into.
var nasty = []string{
	"practice-only",
	`x' host='evil.example' sslmode='disable`,
	"'\"@/#?%\\:$`{} end",
	" lead and trail ",
	"${HOME}$HOME`id`$(id)%{if true}%(user)s%h",
	"pässwörd ☃ 漢字",
	"}};{;PWD=x}",
	"%41+%2B&a=b",
	`\`, `"`, `'`, `a"b'c\d`, `\'`, `{x}`, `#x`, `;x`, `=x`, `!x`, `-x`, `$${x}`, `$$`, `<&>`,
	"two\nlines\tand tab",
}

func as(tb testing.TB, id string, answers ...string) Given {
	tb.Helper()
	typ, s := typeOf(tb, id), connectors.NewSettings()
	for i := 0; i+1 < len(answers); i += 2 {
		f, ok := typ.Form.Field(answers[i])
		if !ok || f.Kind.Secret() {
			s.Secrets[answers[i]] = connectors.NewSecret(answers[i+1])
		} else {
			s.Plain[answers[i]] = answers[i+1]
		}
	}
	return Given{Type: typ, Name: "Shop of Ann", Settings: s}
}

// held writes with the secrets; held is false where the format refuses the
// answer to field, which must be said.
func held(tb testing.TB, format string, g Given, o Options, fields ...string) (Text, bool) {
	tb.Helper()
	o.Secrets = Reveal
	text, err := Write(format, g, o)
	if err == nil {
		return text, true
	}
	var e *connectors.Error
	if !errors.As(err, &e) || e.Reason != "use.cannot_hold" || e.Said == "" || len(fields) > 0 && !strings.Contains(strings.Join(fields, " "), e.Field) {
		tb.Fatalf("%s: %v", format, err)
	}
	return text, false
}

// saved writes a text and its files into a folder; it returns the body's path.
func saved(tb testing.TB, dir, name string, text Text) string {
	tb.Helper()
	for _, f := range text.Files {
		server.WriteFile(tb, dir, f.Name, f.Body.Reveal(), os.FileMode(f.Mode))
	}
	return server.WriteFile(tb, dir, name, text.Body.Reveal(), 0o600)
}

// tool runs a program with nothing of the caller's environment but PATH.
func tool(tb testing.TB, dir string, env []string, stdin string, name string, args ...string) (string, error) {
	tb.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=/usr/bin:/bin:/usr/sbin", "HOME=" + dir, "LC_ALL=C.UTF-8"}, env...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// python is Debian's, whose packages the tests need.
func python(tb testing.TB, dir string, env []string, script string, args ...string) (string, error) {
	tb.Helper()
	return tool(tb, dir, env, "", "/usr/bin/python3", append([]string{server.WriteFile(tb, dir, "check.py", script, 0o600)}, args...)...)
}

func sqlText(v string) string { return "'" + strings.ReplaceAll(v, "'", "''") + "'" }
func sqlName(v string) string { return `"` + strings.ReplaceAll(v, `"`, `""`) + `"` }

func typeOf(tb testing.TB, id string) connectors.Type {
	tb.Helper()
	t, ok := connectors.Find(all.All(), id)
	if !ok {
		tb.Fatal(id)
	}
	return t
}
