// Package use writes a saved connection for other tools: as an address, a
// configuration file, a command or environment variables. It opens nothing and
// reads nothing but what it is handed.
package use

import (
	"slices"
	"strings"

	"jackfield/connectors"
)

// Given is a saved connection. Settings are whole: with its secrets, and with
// what another connection lends.
type Given struct {
	Type     connectors.Type
	Name     string
	Settings connectors.Settings
}

// A Format is a language in which a connection can be written.
type Format struct {
	ID     string
	Name   string
	For    string   // one line: who reads it
	File   string   // where it belongs: "~/.pgpass"; "" where it is no file
	Mode   uint32   // of the file
	Syntax string   // for highlighting: "ini", "shell", "json" …
	Clear  bool     // it holds the secret in the clear
	Group  string   // one of Groups
	Needs  []string // what has to be answered before it can be written, as keys of the form
	// Missing are the labels of Needs.
	Missing []string
}

// The groups of formats.
const (
	GroupCommands  = "commands"
	GroupAddresses = "addresses"
	GroupFiles     = "files"
	GroupVariables = "variables"
)

// Groups lists the groups in the order in which they are shown.
func Groups() []string { return []string{GroupCommands, GroupAddresses, GroupFiles, GroupVariables} }

// A Mode says how secrets are written.
type Mode int

// The modes. Placeholder writes <PASSWORD>, or leaves it to the tool to ask;
// Variable writes $JACKFIELD_PASSWORD, which a shell fills in, and elsewhere a
// program such as envsubst.
const (
	Placeholder Mode = iota
	Reveal
	Variable
)

// Options say how to write.
type Options struct {
	Secrets Mode
	Profile string // the name under which the target knows it; made of the connection's name when empty
	Folder  string // where Files will be saved; their names alone are written when empty
}

// Text is a written connection.
type Text struct {
	Format   Format
	Body     connectors.Secret // it may hold one
	Files    []File            // further ones that the body names
	Warnings []string          // sentences
	Left     []string          // what the target cannot express, as sentences
}

// A File is one that a Text names.
type File struct {
	Name string
	Mode uint32
	Body connectors.Secret
}

// A Var is an environment variable.
type Var struct {
	Name  string
	Value connectors.Secret
}

// writer writes one format.
type writer struct {
	Format
	public bool               // it is of use without the secrets
	whole  bool               // it holds every answer as it is, so nothing is left out and nothing has to be there
	can    string             // of what not every target can express: "proxy pin name client"; see plan.leave
	fits   func(p *plan) bool // judged by the type and the answers
	write  func(*plan) string // problems go into the plan
}

func writers() []writer {
	return slices.Concat(commands(), addresses(), connectionStrings(), sqlFiles(), awsFiles(), fileTools(), messageFiles(), plainFiles())
}

// Formats lists what fits g's type and answers, in the order of Groups. Where an
// answer is missing that a format needs, Needs and Missing say which.
func Formats(g Given) []Format {
	var out []Format
	p := newPlan(g, Options{})
	for _, group := range Groups() {
		for _, w := range writers() {
			if w.Group == group && w.fits(p) {
				out = append(out, w.filled(p, true))
			}
		}
	}
	return out
}

// filled is the format with what is missing.
func (w writer) filled(p *plan, secrets bool) Format {
	f := w.Format
	if w.whole {
		return f
	}
	for _, key := range p.form.Missing(p.s) {
		field, _ := p.form.Field(key)
		if strings.HasPrefix(key, "via_") || field.Kind.Secret() && (w.public || !w.Clear || !secrets) {
			continue
		}
		f.Needs = append(f.Needs, key)
		f.Missing = append(f.Missing, field.Label)
	}
	return f
}

// Write writes g. Its errors are *connectors.Error: what is missing
// (use.missing), what the format cannot hold (use.cannot_hold, with the field),
// or a format that does not fit (use.unfit). They hold no secret.
func Write(format string, g Given, o Options) (Text, error) {
	p := newPlan(g, o)
	all := writers()
	i := slices.IndexFunc(all, func(w writer) bool { return w.ID == format })
	if i < 0 {
		return Text{}, &connectors.Error{Code: connectors.BadInput, Reason: "use.unknown", Op: connectors.StageForm, Target: format}
	}
	w := all[i]
	p.format = w.Format
	if !w.fits(p) {
		return Text{}, &connectors.Error{Code: connectors.Unsupported, Reason: "use.unfit", Op: connectors.StageForm, Target: w.Name, Said: g.Type.Name}
	}
	f := w.filled(p, o.Secrets == Reveal)
	if len(f.Needs) > 0 {
		return Text{}, &connectors.Error{Code: connectors.BadInput, Reason: "use.missing", Op: connectors.StageForm, Target: w.Name, Field: f.Needs[0], Said: f.Missing[0]}
	}
	if !w.whole {
		p.certificate()
	}
	body := w.write(p)
	if p.err != nil {
		return Text{}, p.err
	}
	if !w.whole {
		p.leave(w.can)
	}
	p.converted()
	p.warn()
	return Text{Format: f, Body: connectors.NewSecret(body), Files: p.files, Warnings: p.warnings, Left: p.left}, nil
}
