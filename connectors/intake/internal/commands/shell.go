package commands

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"jackfield/connectors/intake/internal/configs/fill"
)

// A call is one program with its arguments, as it was written: nothing is
// executed or expanded, and a $VAR is fill.Marked.
type call struct {
	program string // without its folder and .exe, lower case
	env     map[string]string
	args    []string
	hashes  map[int][][2]string // of PowerShell: @{name = value} in the place of args[i]
}

// Bounds: parsing is recursive, and a nest of brackets has no use here.
const (
	maxText  = 256 << 10
	maxNest  = 3000
	maxCalls = 50
)

// bash reads the calls in a script for a Unix shell.
func bash(text string) []call {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if err != nil && (file == nil || len(file.Stmts) == 0) {
		return nil
	}
	var out []call
	env := map[string]string{}
	for _, s := range file.Stmts {
		out = statement(out, s, env, 0)
	}
	return out
}

func statement(out []call, s *syntax.Stmt, env map[string]string, depth int) []call {
	if s == nil || depth > 50 || len(out) >= maxCalls {
		return out
	}
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		return invoked(out, c, env)
	case *syntax.BinaryCmd:
		return statement(statement(out, c.X, env, depth+1), c.Y, env, depth+1)
	case *syntax.Subshell:
		for _, x := range c.Stmts {
			out = statement(out, x, env, depth+1)
		}
	case *syntax.Block:
		for _, x := range c.Stmts {
			out = statement(out, x, env, depth+1)
		}
	case *syntax.TimeClause:
		return statement(out, c.Stmt, env, depth+1)
	case *syntax.DeclClause:
		if c.Variant.Value == "export" {
			assign(env, c.Args)
		}
	}
	return out
}

func assign(env map[string]string, as []*syntax.Assign) {
	for _, a := range as {
		if a.Name != nil && a.Value != nil {
			env[a.Name.Value] = word(a.Value)
		}
	}
}

func invoked(out []call, c *syntax.CallExpr, shell map[string]string) []call {
	if len(c.Args) == 0 {
		assign(shell, c.Assigns) // known to what follows, as far as the person is concerned
		return out
	}
	env := map[string]string{}
	for k, v := range shell {
		env[k] = v
	}
	assign(env, c.Assigns)
	var args []string
	for _, w := range c.Args {
		args = append(args, word(w))
	}
	if made, ok := newCall(args, env); ok {
		out = append(out, made)
	}
	return out
}

// newCall passes over what only starts the program: sudo, env A=b, time.
func newCall(args []string, env map[string]string) (call, bool) {
	wrappers := []string{"sudo", "env", "time", "exec", "nohup", "command", "&", "call", "start", "winpty"}
	for len(args) > 0 {
		name, value, assigned := strings.Cut(args[0], "=")
		switch {
		case assigned && !strings.ContainsAny(name, "/ -:"):
			env[name] = value
		case slices.Contains(wrappers, args[0]):
		default:
			return call{program: program(args[0]), env: env, args: args[1:]}, true
		}
		args = args[1:]
	}
	return call{}, false
}

func program(path string) string {
	if i := strings.LastIndexAny(path, `/\`); i >= 0 {
		path = path[i+1:]
	}
	path = strings.ToLower(path)
	for _, end := range []string{".exe", ".sh", ".bat"} {
		path = strings.TrimSuffix(path, end)
	}
	return path
}

func word(w *syntax.Word) string {
	var b strings.Builder
	for _, p := range w.Parts {
		b.WriteString(piece(p))
	}
	return b.String()
}

func piece(p syntax.WordPart) string {
	switch p := p.(type) {
	case *syntax.Lit:
		return unescaped(p.Value, "")
	case *syntax.SglQuoted:
		if p.Dollar {
			return ansi(p.Value)
		}
		return p.Value
	case *syntax.DblQuoted:
		var b strings.Builder
		for _, x := range p.Parts {
			if l, ok := x.(*syntax.Lit); ok {
				b.WriteString(unescaped(l.Value, "$`\"\\"))
				continue
			}
			b.WriteString(piece(x))
		}
		return b.String()
	case *syntax.ParamExp:
		if p.Param != nil {
			return fill.Marked("$" + p.Param.Value)
		}
		return fill.Marked("a variable")
	case *syntax.CmdSubst:
		return fill.Marked("a command")
	}
	return fill.Marked("an expression")
}

// unescaped takes backslashes out; inside double quotes only those before one
// of only (POSIX 2.2.3), and a backslash with a line's end is nothing at all.
func unescaped(s, only string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case s[i+1] == '\n':
			i++
		case only == "" || strings.IndexByte(only, s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte('\\')
		}
	}
	return b.String()
}
