package commands

import "strings"

// An opt is one option with its value, or an argument of its own (name "").
type opt struct{ name, value string }

// A grammar says how a program's options are written.
type grammar struct {
	values string // options that take a value, space separated, with their dashes
	single bool   // -option is one word, as in openssl and Java programs; otherwise -ab is -a -b
	glued  string // letters whose value may follow at once only, as in mysql -pSECRET
}

func (g grammar) takes(name string) bool { return strings.Contains(" "+g.values+" ", " "+name+" ") }

// options reads args as GNU getopt does; "--" ends the options.
func (g grammar) options(args []string) []opt {
	var out []opt
	for i := 0; i < len(args); i++ {
		a := args[i]
		next := func() string {
			if i+1 < len(args) {
				i++
				return args[i]
			}
			return ""
		}
		switch {
		case a == "--":
			for _, rest := range args[i+1:] {
				out = append(out, opt{"", rest})
			}
			return out
		case len(a) < 2 || a[0] != '-':
			out = append(out, opt{"", a})
		case a[1] == '-' || g.single:
			name, value, has := strings.Cut(a, "=")
			if !has && g.takes(name) {
				value = next()
			}
			out = append(out, opt{name, value})
		default:
			out = g.bundle(out, a[1:], next)
		}
	}
	return out
}

// bundle reads -abVALUE.
func (g grammar) bundle(out []opt, letters string, next func() string) []opt {
	for j := range len(letters) {
		name, rest := "-"+letters[j:j+1], letters[j+1:]
		switch {
		case strings.Contains(g.glued, letters[j:j+1]):
			return append(out, opt{name, rest})
		case g.takes(name) && rest != "":
			return append(out, opt{name, rest})
		case g.takes(name):
			return append(out, opt{name, next()})
		case letters[j] >= 0x80:
			return append(out, opt{"an option", ""})
		}
		out = append(out, opt{name, ""})
	}
	return out
}
