// Package commands reads pasted command lines: what curl, ssh, psql, mosquitto_sub
// and their like would have connected to. Nothing is executed or expanded, and no
// file is read.
package commands

import (
	"fmt"
	"regexp"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/part"
)

// An Address reads one connection address.
type Address func(types []connectors.Type, text string) (part.Item, bool)

// A reader makes connections out of one call.
type reader func(in part.Input, c call, address fill.Address) []part.Item

// Read reads one or several command lines; false where there is none of ours.
// The text may be for a Unix shell, the Windows command prompt or PowerShell.
func Read(in part.Input, address Address) (part.Found, bool) {
	text := fill.Unmarked(in.Text)
	if len(text) > maxText || !mentions(text) {
		return part.Found{}, false
	}
	text = unprompted(text)
	var out part.Found
	var names []string
	for _, c := range calls(text) {
		read, ok := readers()[c.program]
		if !ok {
			continue
		}
		items := read(in, c, fill.Address(address))
		if len(items) > 0 {
			names = append(names, c.program)
		}
		out.Items = append(out.Items, items...)
	}
	if len(out.Items) == 0 {
		return part.Found{}, false
	}
	if len(out.Items) > 1 {
		for i := range out.Items {
			out.Items[i].Where = fmt.Sprintf("command %d", i+1)
		}
	}
	out.What = "a command line for " + names[0]
	if len(names) > 1 {
		out.What = fmt.Sprintf("%d command lines", len(names))
	}
	return out, true
}

var (
	// A prompt is "$ ", "% ", "> ", "user@host:~$ ", "PS C:\> " or "C:\Users\me>".
	prompt    = regexp.MustCompile(`(?m)^[ \t]*(?:[$%>] |PS [^\n>]{0,200}> ?|[A-Za-z]:\\[^\n>"]{0,200}>|[\w.-]{1,60}@[\w.-]{1,60}[: ][^\n$#%]{0,100}[$#%] |\[[\w.-]{1,60}@[^\n\]]{1,100}\][$#] )`)
	psOnly    = regexp.MustCompile("(?i)\\b(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\\b|(?m:`$)")
	cmdOnly   = regexp.MustCompile(`(?m)\^"|\^$`)
	curlExe   = regexp.MustCompile(`(?i)^\s*(?:&\s*)?curl\.exe\b`)
	separator = regexp.MustCompile(`[\s;|&()\\/"'` + "`" + `]+`)
)

// mentions reports whether a program of ours is named at all.
func mentions(text string) bool {
	known := readers()
	for _, w := range separator.Split(text, -1) {
		if _, ok := known[program(w)]; ok {
			return true
		}
	}
	return false
}

func unprompted(text string) string {
	text = strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\u00a0", " ", "“", `"`, "”", `"`).Replace(text))
	if strings.HasPrefix(text, "```") {
		_, text, _ = strings.Cut(text, "\n")
		text = strings.TrimSuffix(strings.TrimSpace(text), "```")
	}
	return prompt.ReplaceAllString(text, "")
}

// calls reads the text as what it most likely was written for.
func calls(text string) []call {
	switch {
	case psOnly.MatchString(text) || curlExe.MatchString(text):
		return powershell(text)
	case cmdOnly.MatchString(text):
		return cmd(text)
	case strings.Count(text, "(")+strings.Count(text, "{")+strings.Count(text, "`")+strings.Count(text, "[") > maxNest || deep(text):
		return nil
	}
	return bash(text)
}

// deep reports many words that open something, which the parser nests.
func deep(text string) bool {
	n := strings.Count(text, "! ")
	for _, w := range []string{"if", "while", "until", "for", "case", "time", "coproc", "select", "<<"} {
		n += strings.Count(text, w)
	}
	return n > maxNest
}
