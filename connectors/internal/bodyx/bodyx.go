// Package bodyx makes one kind of value of an HTTP answer, whatever its media
// type: what reads JSON then reads XML, CSV and forms too. It bounds depth and
// numbers, and opens, fetches and expands nothing that an answer names.
package bodyx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"jackfield/connectors/internal/jsonx"
)

// A Format is what an answer turned out to be.
type Format string

// The formats. They are fit to be shown.
const (
	JSON  Format = "JSON"
	Lines Format = "JSON lines"
	XML   Format = "XML"
	CSV   Format = "CSV"
	Form  Format = "form"
	HTML  Format = "HTML"
	Text  Format = "text"
)

// The ways in which an answer is no data, or none that is read. What is nested
// too deeply is jsonx.ErrDeep in every format.
var (
	ErrHTML    = errors.New("a web page stands where data should")
	ErrNotData = errors.New("neither JSON, XML, CSV nor a form")
	ErrCut     = errors.New("ends too early")
	ErrMany    = errors.New("more parts than are read")
	ErrDoctype = errors.New("has a DOCTYPE, which is not read")
)

// Parse makes a value of an answer. media is its Content-Type with or without
// parameters, and may be empty. The bytes have the last word where services are
// known to say the wrong type: a web page is HTML whatever it is called, and JSON
// is read under any name but CSV's. With an error the Format is what the answer
// seems to be; an empty answer is ErrNotData.
//
//   - JSON (RFC 8259): skips a byte order mark and the prefix )]}' that guards
//     against inclusion as a script. Several values, each on its own line, are Lines.
//   - Lines (NDJSON, JSON lines, RFC 7464): a list.
//   - XML: an object with one member, named as the root element.
//     An element with text alone is that text without the space around it, "" when
//     it is empty. Any other is an object: its attributes are "@name", its text
//     "#text" when there is some, its children the rest, a list where a name
//     repeats. Of names only the local part is kept, and of two attributes that
//     are then the same the first. A DOCTYPE is refused, so nothing is expanded.
//   - CSV (RFC 4180), separated by comma, semicolon, tab or bar: a list of objects
//     named by the first record. All values are text, and stay as they are:
//     whoever exports them guards the cells that begin a formula.
//   - Form (application/x-www-form-urlencoded): an object; a name that repeats has a list.
func Parse(media string, body []byte) (jsonx.Value, Format, error) {
	kind, params := split(media)
	text, sure := decode(body, params["charset"])
	v, f, err := sniff(bytes.TrimSpace(text), sure, kind)
	if errors.Is(err, errUndecided) {
		f = formatOf(kind)
		v, err = parseAs(f, text, sure, params)
	}
	switch {
	case err == nil:
		return v, f, nil
	case errors.Is(err, ErrHTML):
		return nil, HTML, ErrHTML
	case errors.Is(err, ErrNotData):
		return nil, Text, ErrNotData
	}
	return nil, f, explain(f, err)
}

func parseAs(format Format, text []byte, sure bool, params map[string]string) (jsonx.Value, error) {
	switch format {
	case JSON:
		return jsonx.Parse(text)
	case Lines:
		return lines(text)
	case XML:
		return parseXML(text, sure)
	case CSV:
		return parseCSV(text, params)
	case Form:
		return parseForm(text)
	case HTML:
		return nil, ErrHTML
	}
	return nil, ErrNotData
}

// split takes a media type apart; parameters that break the rules are left out.
func split(media string) (string, map[string]string) {
	kind, params, err := mime.ParseMediaType(media)
	if err != nil {
		kind, _, _ = strings.Cut(media, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	return kind, params
}

// formatOf is what a media type says; Text where it says nothing.
func formatOf(kind string) Format {
	switch kind {
	case "application/json", "text/json", "application/x-json", "text/x-json":
		return JSON
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl",
		"application/jsonlines", "application/x-jsonlines", "application/json-seq":
		return Lines
	case "application/xml", "text/xml":
		return XML
	case "text/csv", "application/csv", "text/x-csv", "text/comma-separated-values", tabs:
		return CSV
	case "application/x-www-form-urlencoded":
		return Form
	case "text/html", "application/xhtml+xml":
		return HTML
	}
	switch {
	case strings.HasSuffix(kind, "+json"):
		return JSON
	case strings.HasSuffix(kind, "+xml"):
		return XML
	}
	return Text
}

// errUndecided is sniff's: the media type must decide.
var errUndecided = errors.New("it may be anything")

func sniff(text []byte, sure bool, kind string) (jsonx.Value, Format, error) {
	format := formatOf(kind)
	switch {
	case len(text) == 0:
		return nil, Text, ErrNotData
	case looksHTML(text):
		return nil, HTML, ErrHTML
	case format == CSV, format == Lines:
		return nil, format, errUndecided
	case bytes.HasPrefix(text, []byte("<?xml")):
		v, err := parseXML(text, sure)
		return v, XML, err
	}
	text, guarded := unguard(text)
	if format != JSON && !guarded && !mayBeJSON(text, kind) {
		return nil, format, errUndecided
	}
	v, f, err := parseJSON(text)
	switch {
	case format == JSON, errors.Is(err, jsonx.ErrDeep), errors.Is(err, jsonx.ErrMany):
		return v, f, err
	case err != nil, f == Lines && !structured(v):
		return nil, format, errUndecided
	}
	return v, f, nil
}

// mayBeJSON is true for what begins as an object or a list does, and for
// anything where the media type says nothing.
func mayBeJSON(text []byte, kind string) bool {
	switch kind {
	case "", "text/plain", "application/octet-stream", "binary/octet-stream":
		return true
	}
	return text[0] == '{' || text[0] == '['
}

// unguard drops the prefix that makes JSON useless as a script.
func unguard(text []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(text, []byte(")]}'"))
	if !ok {
		return text, false
	}
	return bytes.TrimPrefix(rest, []byte(",")), true
}

func parseJSON(text []byte) (jsonx.Value, Format, error) {
	v, err := jsonx.Parse(text)
	if !errors.Is(err, jsonx.ErrAfter) {
		return v, JSON, err
	}
	if list, lineErr := lines(text); lineErr == nil {
		return list, Lines, nil
	} else if !errors.Is(lineErr, jsonx.ErrLine) {
		return nil, Lines, lineErr
	}
	return nil, JSON, err
}

func lines(text []byte) (jsonx.Value, error) {
	list, err := jsonx.Lines(text)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// structured tells lines of JSON from text that happens to be numbers or words
// in quotes.
func structured(v jsonx.Value) bool {
	list, _ := v.([]jsonx.Value)
	for _, e := range list {
		switch e.(type) {
		case *jsonx.Object, []jsonx.Value:
		default:
			return false
		}
	}
	return true
}

func looksHTML(text []byte) bool {
	head := strings.ToLower(string(text[:min(len(text), 32)]))
	for _, tag := range []string{"<!doctype html", "<html"} {
		if rest, ok := strings.CutPrefix(head, tag); ok && (rest == "" || strings.ContainsAny(rest[:1], " \t\r\n/>")) {
			return true
		}
	}
	return false
}

// explain names the format, and keeps the end of the text apart from the end of
// a connection, which io.EOF would be taken for.
func explain(f Format, err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = ErrCut
	case errors.Is(err, jsonx.ErrMany):
		err = ErrMany
	}
	return fmt.Errorf("%s: %w", f, err)
}
