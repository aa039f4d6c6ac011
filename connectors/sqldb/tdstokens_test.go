package sqldb

import (
	"encoding/binary"
	"unicode/utf16"
)

func (r tdsResult) tokens() []byte {
	if r.columns == nil {
		return nil
	}
	out := []byte{0x81}
	out = binary.LittleEndian.AppendUint16(out, uint16(len(r.columns)))
	kinds := make([]any, len(r.columns))
	for i, name := range r.columns {
		for _, row := range r.rows {
			if kinds[i] == nil {
				kinds[i] = row[i]
			}
		}
		out = append(out, 0, 0, 0, 0, 9, 0) // user type; nullable and computed
		switch kinds[i].(type) {
		case bool:
			out = append(out, 0x68, 1)
		case int64:
			out = append(out, 0x26, 8)
		case []byte:
			out = append(out, 0xa5, 0x40, 0x1f)
		default:
			out = append(out, 0xe7, 0x40, 0x1f, 9, 4, 0xd0, 0, 0x34)
		}
		out = append(out, byte(len(utf16.Encode([]rune(name)))))
		out = append(out, ucs2Of(name)...)
	}
	for _, row := range r.rows {
		out = append(out, 0xd1)
		for i, v := range row {
			out = cell(out, kinds[i], v)
		}
	}
	return out
}

func cell(out []byte, kind, v any) []byte {
	switch x := v.(type) {
	case bool:
		if x {
			return append(out, 1, 1)
		}
		return append(out, 1, 0)
	case int64:
		return binary.LittleEndian.AppendUint64(append(out, 8), uint64(x))
	case []byte:
		return append(binary.LittleEndian.AppendUint16(out, uint16(len(x))), x...)
	case string:
		text := ucs2Of(x)
		return append(binary.LittleEndian.AppendUint16(out, uint16(len(text))), text...)
	}
	switch kind.(type) {
	case bool, int64:
		return append(out, 0)
	}
	return append(out, 0xff, 0xff)
}

func (e *tdsError) tokens() []byte {
	var out []byte
	for _, one := range append(e.before, tdsError{number: e.number, text: e.text}) {
		body := binary.LittleEndian.AppendUint32(nil, uint32(one.number))
		body = append(body, 1, 14)
		text := ucs2Of(one.text)
		body = binary.LittleEndian.AppendUint16(body, uint16(len(text)/2))
		body = append(body, text...)
		body = append(body, 4)
		body = append(body, ucs2Of("SQL1")...)
		body = append(body, 0, 1, 0, 0, 0) // no procedure; line 1
		out = append(out, 0xaa)
		out = binary.LittleEndian.AppendUint16(out, uint16(len(body)))
		out = append(out, body...)
	}
	return out
}

func done(token byte, status, rows int) []byte {
	out := []byte{token, byte(status), 0, 0xc1, 0}
	return binary.LittleEndian.AppendUint64(out, uint64(rows))
}

func envChange(kind byte, now, before string) []byte {
	body := []byte{kind}
	for _, s := range []string{now, before} {
		body = append(body, byte(len(s)))
		body = append(body, ucs2Of(s)...)
	}
	return append(binary.LittleEndian.AppendUint16([]byte{0xe3}, uint16(len(body))), body...)
}

func loginAck() []byte {
	name := "Microsoft SQL Server"
	body := append([]byte{1, 0x74, 0, 0, 4, byte(len(name))}, ucs2Of(name)...)
	body = append(body, 16, 0, 16, 0)
	return append(binary.LittleEndian.AppendUint16([]byte{0xad}, uint16(len(body))), body...)
}

func ucs2(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

func ucs2Of(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}
