package mail

import (
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
)

const (
	maxCell  = 2000 // bytes of a header in a listing
	maxParts = 50
	maxNest  = 8
)

func newestFirst(list []message) {
	slices.SortFunc(list, func(a, b message) int { return cmp.Compare(b.seq, a.seq) })
}

// capped cuts text at a character.
func capped(s string) string {
	if len(s) <= maxCell {
		return s
	}
	s = s[:maxCell]
	for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) && len(s) > maxCell-utf8.UTFMax {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// decodeHeader reads RFC 2047's encoded words; what cannot be read stays as it is.
func decodeHeader(s string) string {
	if len(s) > 4*maxCell {
		s = s[:4*maxCell]
	}
	d := mime.WordDecoder{CharsetReader: charsetReader}
	if out, err := d.DecodeHeader(s); err == nil {
		s = out
	}
	return capped(s)
}

func charsetReader(charset string, in io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return enc.NewDecoder().Reader(in), nil
}

// A shown message is gathered from its parts.
type shown struct {
	text   string // the first text part
	plain  bool   // it is text/plain; a text/html one gives way to it
	others []string
	parts  int
}

// showMessage writes the beginning of a message as people read it: who, when, the
// subject, the text. Nothing else is decoded, opened or followed; attachments are
// named. A message that is cut, or not well formed, is shown as far as it goes.
func showMessage(raw string) string {
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return strings.ToValidUTF8(raw, "\uFFFD")
	}
	var b strings.Builder
	for _, name := range []string{"Date", "From", "To", "Cc", "Reply-To", "Subject"} {
		if v := m.Header.Get(name); v != "" {
			_, _ = b.WriteString(name + ": " + decodeHeader(v) + "\n")
		}
	}
	var s shown
	s.part(part{m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), "", m.Body}, 0)
	_, _ = b.WriteString("\n" + strings.ReplaceAll(s.text, "\r\n", "\n"))
	if len(s.others) > 0 {
		_, _ = b.WriteString("\n\nAlso in this message:\n")
		for _, o := range s.others {
			_, _ = b.WriteString("- " + o + "\n")
		}
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

// A part is one piece of a message (RFC 2045).
type part struct {
	mediaType, encoding, disposition string
	body                             io.Reader
}

func (s *shown) part(p part, depth int) {
	if s.parts++; s.parts > maxParts || depth > maxNest {
		return
	}
	kind, params, err := mime.ParseMediaType(cmp.Or(p.mediaType, "text/plain"))
	if err != nil && kind == "" {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && params["boundary"] != "" {
		s.multipart(multipart.NewReader(p.body, params["boundary"]), depth)
		return
	}
	how, more, _ := mime.ParseMediaType(p.disposition)
	name := decodeHeader(cmp.Or(more["filename"], params["name"]))
	plain := kind == "text/plain"
	if how == "attachment" || !plain && kind != "text/html" || s.plain || s.text != "" && !plain {
		if kind != "text/html" || how == "attachment" {
			s.others = append(s.others, strings.TrimSpace(name+" ("+kind+")"))
		}
		return
	}
	s.text, s.plain = readText(p, params["charset"]), plain
}

func (s *shown) multipart(r *multipart.Reader, depth int) {
	for s.parts <= maxParts {
		p, err := r.NextRawPart()
		if err != nil {
			return
		}
		s.part(part{p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p.Header.Get("Content-Disposition"), p}, depth+1)
	}
}

// readText undoes the transfer encoding and the charset.
func readText(p part, charset string) string {
	body := p.body
	switch strings.ToLower(strings.TrimSpace(p.encoding)) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxContent))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && len(data) == 0 {
		return "(this text cannot be decoded)"
	}
	if charset == "" || utf8.Valid(data) && !strings.HasPrefix(strings.ToLower(charset), "iso-2022") {
		return string(data)
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return string(data)
	}
	out, err := enc.NewDecoder().Bytes(data)
	if err != nil {
		return string(data)
	}
	return string(out)
}
