package jsonx

import (
	"bytes"
	"errors"
)

// separator may stand before each value of a JSON text sequence (RFC 7464).
const separator = "\x1e"

// ErrLine is returned by Lines for two values on one line.
var ErrLine = errors.New("there is text after the JSON value on its line")

// Lines reads values that stand each on a line, or on several, of its own (JSON
// lines, NDJSON), or in a JSON text sequence (RFC 7464). Without any it returns
// an empty list. The bounds hold for all of them together.
func Lines(data []byte) ([]Value, error) {
	if bytes.HasPrefix(data, []byte(separator)) {
		data = bytes.ReplaceAll(data, []byte(separator), []byte("\n"))
	}
	data = bytes.TrimSpace(data)
	r := newReader(data)
	list := []Value{}
	for end := 0; end < len(data); {
		if rest := bytes.TrimLeft(data[end:], " \t\r"); end > 0 && rest[0] != '\n' {
			return nil, ErrLine
		}
		v, err := r.next(0)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		end = int(r.d.InputOffset())
	}
	return list, nil
}
