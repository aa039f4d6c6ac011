package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/web"
	"jackfield/platform/paths"
)

func (a *app) catalog() *cobra.Command {
	c := &cobra.Command{Use: "catalog", Short: "Connection types of your own: a file for each web service",
		Long: "A web service is described by one YAML file. Files in the catalogue folder are read at the start,\nand their types stand beside the built-in ones, here and in the window.",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(
		&cobra.Command{Use: "check FILE", Short: "Say what a file makes, or the line that is wrong; needs no network", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return a.checkFile(args[0]) }},
		&cobra.Command{Use: "new [FILE]", Short: "Write an example with every part explained to FILE, or to standard output", Args: cobra.MaximumNArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return a.newFile(args) }},
	)
	return c
}

// The JSON shapes of catalog check: add, never rename.
type (
	wayJSON struct {
		Kind string              `json:"kind"`
		When map[string][]string `json:"when,omitempty"`
	}
	branchJSON struct {
		Name  string       `json:"name,omitempty"`
		Kind  string       `json:"kind,omitempty"`
		Each  bool         `json:"each,omitempty"` // one for each item that the service lists
		Below []branchJSON `json:"below,omitempty"`
	}
	madeJSON struct {
		File        string           `json:"file"`
		OK          bool             `json:"ok"`
		ID          string           `json:"id"`
		Name        string           `json:"name"`
		Group       connectors.Group `json:"group"`
		Fields      []fieldJSON      `json:"fields"`
		Ways        []wayJSON        `json:"ways"`
		RedirectURI string           `json:"redirect_uri"`
		Tree        []branchJSON     `json:"tree"`
		Folder      string           `json:"folder"`
		InUse       bool             `json:"in_use"` // it is in the folder
	}
	wrongJSON struct {
		File   string `json:"file"`
		OK     bool   `json:"ok"`
		Line   int    `json:"line"` // 0: the file as a whole
		Reason string `json:"reason"`
		Folder string `json:"folder"`
	}
)

func (a *app) checkFile(name string) error {
	folder, err := paths.Catalogue()
	if err != nil {
		return err
	}
	name, err = filepath.Abs(name)
	if err != nil {
		return misuse{err}
	}
	t, err := web.FromFile(name)
	if err != nil {
		fault := wire.Fault(err)
		fault.File = name
		return a.faulty(fault, folder)
	}
	types, _ := wire.Types()
	have, taken := types.Find(t.ID)
	if taken && have.Origin == "" {
		return a.faulty(wire.Unusable{File: name, Reason: fmt.Sprintf("there is a built-in type %q; choose another id", t.ID)}, folder)
	}
	ways, tree := outline(name)
	made := madeJSON{File: name, OK: true, ID: t.ID, Name: t.Name, Group: t.Group, Fields: fieldsJSON(t.Form), Ways: ways, RedirectURI: t.Guide.RedirectURI, Tree: tree,
		Folder: folder, InUse: filepath.Dir(name) == folder}
	if a.json {
		return a.document(made)
	}
	a.madeWords(t, made)
	if taken && have.Origin != name && filepath.Base(have.Origin) != filepath.Base(name) {
		_, _ = fmt.Fprintf(a.out, "  There %s has the same id; of the two only one can be used.\n", filepath.Base(have.Origin))
	}
	return nil
}

func (a *app) faulty(u wire.Unusable, folder string) error {
	if a.json {
		if err := a.document(wrongJSON{File: u.File, Line: u.Line, Reason: u.Reason, Folder: folder}); err != nil {
			return err
		}
	} else {
		_, _ = fmt.Fprintf(a.err, "jf: %s\n", u)
	}
	return exit{exitWrongUse}
}

func (a *app) madeWords(t connectors.Type, m madeJSON) {
	_, _ = fmt.Fprintf(a.out, "This file can be used. It makes:\n  %s (%s), among %s\n  %s\n\nFields\n", connectors.Clean(t.Name, 100), t.ID, t.Group, connectors.Clean(t.Summary, 200))
	_ = table(a.out, nil, func(yield func([]string) bool) {
		for _, f := range t.Form.Fields {
			if !yield([]string{"  " + f.Key, f.Label, strings.Join(notes(f), ", ")}) {
				return
			}
		}
	})
	_, _ = fmt.Fprintln(a.out, "\nWays to sign in")
	for _, w := range m.Ways {
		var when []string
		for _, k := range slices.Sorted(maps.Keys(w.When)) {
			when = append(when, k+" is "+strings.Join(w.When[k], " or "))
		}
		line := w.Kind
		if len(when) > 0 {
			line += ", when " + strings.Join(when, " and ")
		}
		_, _ = fmt.Fprintf(a.out, "  %s\n", connectors.Clean(line, 200))
	}
	if m.RedirectURI != "" {
		_, _ = fmt.Fprintf(a.out, "\nRedirect address\n  %s\n", connectors.Clean(m.RedirectURI, 300))
	}
	if len(m.Tree) > 0 {
		_, _ = fmt.Fprintln(a.out, "\nWhat it opens")
		a.treeWords(m.Tree, "  ")
	}
	if m.InUse {
		_, _ = fmt.Fprintf(a.out, "\nIt is in the catalogue folder: jf and the window use it. Next: jf new %s NAME\n", t.ID)
		return
	}
	_, _ = fmt.Fprintf(a.out, "\nTo use it, put it into the catalogue folder:\n  %s\n", m.Folder)
}

func (a *app) treeWords(list []branchJSON, indent string) {
	for _, b := range list {
		line := b.Name
		switch {
		case b.Each:
			line = "each " + b.Kind
		case b.Kind != "":
			line += " (" + b.Kind + ")"
		}
		_, _ = fmt.Fprintln(a.out, indent+connectors.Clean(line, 100))
		a.treeWords(b.Below, indent+"  ")
	}
}

// outline reads what a sound file says of its ways and its tree; a type does
// not tell them.
func outline(name string) ([]wayJSON, []branchJSON) {
	type shape struct {
		Kind  string   `yaml:"kind"`
		Each  *shape   `yaml:"each"`
		Kinds []shape  `yaml:"kinds"`
		Name  string   `yaml:"name"`
		Nodes []*shape `yaml:"nodes"`
	}
	var file struct {
		SignIn []wayJSON `yaml:"sign_in"`
		Tree   []*shape  `yaml:"tree"`
	}
	ways, tree := []wayJSON{}, []branchJSON{}
	data, err := readFile(name)
	if err != nil || yaml.Unmarshal(data, &file) != nil {
		return ways, tree
	}
	var below func(s *shape) []branchJSON
	below = func(s *shape) []branchJSON {
		var out []branchJSON
		for _, n := range s.Nodes {
			out = append(out, branchJSON{Name: n.Name, Kind: n.Kind, Below: below(n)})
		}
		if s.Each == nil {
			return out
		}
		for _, e := range append([]shape{*s.Each}, s.Each.Kinds...) {
			if e.Kind != "" {
				out = append(out, branchJSON{Kind: e.Kind, Each: true, Below: below(&e)})
			}
		}
		return out
	}
	return append(ways, file.SignIn...), append(tree, below(&shape{Nodes: file.Tree})...)
}

func (a *app) newFile(args []string) error {
	if len(args) == 0 {
		_, err := a.out.Write(web.Example())
		return err
	}
	// O_EXCL: what is there is somebody's work.
	f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return misuse{fmt.Errorf("%s is there already, and nothing is overwritten", args[0])}
	}
	if err != nil {
		return misuse{err}
	}
	return errors.Join(a.write(f, args[0]), f.Close())
}

func (a *app) write(f io.Writer, name string) error {
	if _, err := f.Write(web.Example()); err != nil {
		return &connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err}
	}
	_, _ = fmt.Fprintf(a.err, "Wrote %s. Change it, then: jf catalog check %s\n", name, name)
	return nil
}
