package commands

import (
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
	"jackfield/connectors/intake/internal/part"
)

// A tool is a program whose options are answers of one type.
type tool struct {
	kind    string
	also    string // another type that the same answers make
	grammar grammar
	set     map[string]string    // option → key
	choose  map[string][2]string // option → key, value
	env     map[string]string    // variable → key
	secret  string               // options whose value stands in the history
	files   string               // options that name files
	quiet   string               // options that say nothing about the connection
	urls    string               // options whose value is an address
	more    func(d *fill.Draft, o opt) bool
	words   func(d *fill.Draft, words []string) // the arguments without a dash
	end     func(d *fill.Draft)
	needs   string // keys of which one has to be there
	home    string // the host where none was given
}

func listed(list, name string) bool { return strings.Contains(" "+list+" ", " "+name+" ") }

func (t tool) read(in part.Input, c call, address fill.Address) []part.Item {
	opts := t.grammar.options(c.args)
	first := t.draft(in, t.kind, c, opts, address)
	if first == nil || !t.enough(first) {
		return nil
	}
	drafts := []*fill.Draft{first}
	if t.also != "" {
		drafts = append(drafts, t.draft(in, t.also, c, opts, address))
	}
	if it, ok := fill.Item("", "", drafts...); ok {
		return []part.Item{it}
	}
	return nil
}

func (t tool) enough(d *fill.Draft) bool {
	if t.needs == "" {
		return true
	}
	for _, k := range strings.Fields(t.needs) {
		if d.Has(k) {
			return true
		}
	}
	return false
}

func (t tool) draft(in part.Input, kind string, c call, opts []opt, address fill.Address) *fill.Draft {
	d := t.addressed(in, kind, opts, address)
	if d == nil {
		return nil
	}
	for name, key := range t.env {
		d.Set(key, c.env[name], name)
	}
	var words []string
	for _, o := range opts {
		switch {
		case o.name == "" && strings.Contains(o.value, "://"), listed(t.urls, o.name) && o.name != "":
		case o.name == "":
			words = append(words, o.value)
		default:
			t.option(d, o)
		}
	}
	if t.words != nil {
		t.words(d, words)
	}
	if t.home != "" && !d.Has("host") {
		d.Set("host", t.home, "the host")
	}
	if t.end != nil {
		t.end(d)
	}
	return d
}

// addressed begins with the address among the arguments, where there is one.
func (t tool) addressed(in part.Input, kind string, opts []opt, address fill.Address) *fill.Draft {
	for _, o := range opts {
		if o.name == "" && strings.Contains(o.value, "://") || o.name != "" && listed(t.urls, o.name) && o.value != "" {
			it, ok := address(in.Types, o.value)
			if !ok || len(it.Readings) == 0 {
				break
			}
			for _, r := range it.Readings {
				if r.Type == kind {
					return fill.From(in.Types, r)
				}
			}
			return fill.From(in.Types, it.Readings[0])
		}
	}
	return fill.New(in.Types, kind)
}

func (t tool) option(d *fill.Draft, o opt) {
	if t.more != nil && t.more(d, o) {
		return
	}
	if c, ok := t.choose[o.name]; ok {
		d.Choose(c[0], c[1])
		return
	}
	switch key, ok := t.set[o.name]; {
	case ok:
		d.Set(key, o.value, o.name)
		if listed(t.secret, o.name) && o.value != "" && len(fill.Open(o.value)) == 0 {
			d.Note(fill.History)
		}
	case listed(t.files, o.name):
		d.File(o.name, o.value)
	case listed(t.quiet, o.name):
	default:
		d.Leave(o.name, "")
	}
}

// readers are the programs that are known.
func readers() map[string]reader {
	out := map[string]reader{"curl": web(curl), "wget": web(wget), "http": web(httpie), "https": web(httpie), "xh": web(httpie),
		"invoke-webrequest": web(invoke), "invoke-restmethod": web(invoke), "iwr": web(invoke), "irm": web(invoke),
		"sshpass": sshpass, "openssl": openssl, "rclone": rclone, "ssh": ssh, "autossh": ssh, "mosh": ssh, "scp": ssh, "sftp": ssh}
	for name, t := range databases() {
		out[name] = t.read
	}
	for name, t := range services2() {
		out[name] = t.read
	}
	return out
}
