// Package part is what the readers of pasted things hand back: connections as
// far as they were understood.
package part

import (
	"slices"

	"jackfield/connectors"
)

// An Input is what was pasted, dropped or named.
type Input struct {
	Name string // of the file, without its folder; "" for pasted text
	Data []byte // as it came
	Text string // Data as text without a byte order mark and with \n for line ends; "" where it is no text
	// Types are the connection types that may be proposed.
	Types []connectors.Type
	// Passphrase opens what is locked; empty until the person was asked.
	Passphrase connectors.Secret
}

// Type finds a type that may be proposed.
func (in Input) Type(id string) (connectors.Type, bool) { return connectors.Find(in.Types, id) }

// A Found is what an input is, and the connections in it.
type Found struct {
	What  string // in words with the article: "a PostgreSQL address", "an rclone.conf with 3 remotes"
	Items []Item
	Left  []Left // of the whole
	// Locked says that a passphrase is needed to read it: Items may be empty.
	Locked bool
}

// An Item is one connection.
type Item struct {
	Name     string    // proposed for the connection: "files.example.com"
	Where    string    // its place in the input: "[remote]", "line 12"; "" where there is only one
	Readings []Reading // likeliest first; with more than one the person chooses
}

// A Reading is an item as a connection of one type.
type Reading struct {
	Type     string // its id
	Settings connectors.Settings
	Left     []Left
	Notes    []string // sentences on what the person should know: "The password stood in the address."
}

// A Left is something that was not understood, or has no place in the form. It
// never has a value that may be a secret.
type Left struct {
	Name string // as it was written: "sslcompression"
	Why  string // a sentence; "" for: not known here
}

// As is a reading as the type with that id, with no answers yet.
func As(typeID string) Reading {
	return Reading{Type: typeID, Settings: connectors.NewSettings()}
}

// Set answers a plain field; an empty value is no answer.
func (r *Reading) Set(key, value string) {
	if value != "" {
		r.Settings.Plain[key] = value
	}
}

// SetSecret answers a secret field; an empty value is no answer.
func (r *Reading) SetSecret(key, value string) {
	if value != "" {
		r.Settings.Secrets[key] = connectors.NewSecret(value)
	}
}

// Note adds a sentence, once.
func (r *Reading) Note(text string) {
	if !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
	}
}

// Leave names something that was not understood.
func (r *Reading) Leave(name, why string) {
	if name != "" && !slices.Contains(r.Left, Left{name, why}) {
		r.Left = append(r.Left, Left{name, why})
	}
}
