package rows

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// A Charset is how a file's bytes become text.
type Charset struct {
	Name string            // as people know it: "UTF-8", "Windows-1252"
	mark int               // bytes of the byte order mark
	unit int               // bytes of the smallest piece
	enc  encoding.Encoding // nil for UTF-8
}

// marked are the byte order marks (Unicode 16, section 23.8). The long ones stand
// first: UTF-32's begins with UTF-16's.
func marked(head []byte) (Charset, bool) {
	for _, m := range []struct {
		mark string
		set  Charset
	}{
		{"\xff\xfe\x00\x00", Charset{"UTF-32", 4, 4, utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)}},
		{"\x00\x00\xfe\xff", Charset{"UTF-32", 4, 4, utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)}},
		{"\xef\xbb\xbf", Charset{"UTF-8", 3, 1, nil}},
		{"\xff\xfe", Charset{"UTF-16", 2, 2, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)}},
		{"\xfe\xff", Charset{"UTF-16", 2, 2, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)}},
	} {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return m.set, true
		}
	}
	return Charset{}, false
}

// Detect tells how the beginning of a file is written; false means that it is no
// text. A mark decides, then valid UTF-8, then UTF-16 without a mark, Shift JIS
// and GBK where nearly every character speaks for them, and at last Windows-1252
// for what has nothing that Windows-1252 lacks. cut says that more follows, so that
// the last character need not be whole.
func Detect(head []byte, cut bool) (Charset, bool) {
	if set, ok := marked(head); ok {
		return set, true
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return unmarked16(head)
	}
	whole := head
	if cut {
		whole = wholeRunes(head)
	}
	switch {
	case controls(head):
		return Charset{}, false
	case utf8.Valid(whole):
		return Charset{Name: "UTF-8", unit: 1}, true
	case shiftJIS(head):
		return Charset{"Shift JIS", 0, 1, japanese.ShiftJIS}, true
	case gbk(head):
		return Charset{"GBK", 0, 1, simplifiedchinese.GB18030}, true
	case bytes.ContainsAny(latin(head), "\u0081\u008d\u008f\u0090\u009d"):
		return Charset{}, false
	}
	return Charset{"Windows-1252", 0, 1, charmap.Windows1252}, true
}

// latin widens bytes to the characters of the same numbers.
func latin(head []byte) []byte {
	out := make([]byte, 0, len(head)*2)
	for _, b := range head {
		out = utf8.AppendRune(out, rune(b))
	}
	return out
}

// controls reports whether there are characters that no text has.
func controls(head []byte) bool {
	n := 0
	for _, b := range head {
		// Tab, line feed, form feed and return; 0x1a ends old DOS files; 0x1b
		// begins a colour; 1, 0x1c…0x1f and 2 separate fields of some exports.
		if b < 0x20 && b != '\t' && b != '\n' && b != '\f' && b != '\r' && b != 0x1a && b != 0x1b && b > 2 && b < 0x1c {
			n++
		}
	}
	return n > 0 && n*200 >= len(head)
}

// unmarked16 knows UTF-16 by the zero bytes of its Latin letters.
func unmarked16(head []byte) (Charset, bool) {
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i&1]++
		}
	}
	half := len(head) / 2
	switch {
	case half < 4:
	case zeros[0] == 0 && zeros[1]*10 >= half*7:
		return Charset{"UTF-16", 0, 2, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)}, true
	case zeros[1] == 0 && zeros[0]*10 >= half*7:
		return Charset{"UTF-16", 0, 2, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)}, true
	}
	return Charset{}, false
}

// wholeRunes leaves out a character that the end of a sample cuts.
func wholeRunes(data []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(data); i++ {
		if tail := data[len(data)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return data[:len(data)-i]
			}
			break
		}
	}
	return data
}

// shiftJIS wants every high byte to fit (JIS X 0208 annex 1), and a fifth of the
// pairs to be kana: no Japanese text is without, and hardly any other has them.
func shiftJIS(head []byte) bool {
	pairs, kana := 0, 0
	for i := 0; i < len(head); i++ {
		b := head[i]
		switch {
		case b < 0x80, b >= 0xa1 && b <= 0xdf:
			continue
		case b == 0x80 || b == 0xa0 || b > 0xfc:
			return false
		case i+1 == len(head):
			continue
		}
		i++
		t := head[i]
		if t < 0x40 || t == 0x7f || t > 0xfc {
			return false
		}
		if isKana(b, t) {
			kana++
		}
		pairs++
	}
	return kana >= 4 && kana*5 >= pairs
}

func isKana(lead, trail byte) bool {
	return lead == 0x82 && trail >= 0x9f || lead == 0x83 && trail <= 0x96
}

// gbk wants every high byte to be half of a pair, and nearly all pairs to be the
// common characters and punctuation of GB 2312 level 1.
func gbk(head []byte) bool {
	pairs, common := 0, 0
	for i := 0; i < len(head); i++ {
		b := head[i]
		if b < 0x80 {
			continue
		}
		if b == 0x80 || b == 0xff {
			return false
		}
		if i+1 == len(head) {
			break
		}
		i++
		t := head[i]
		if t < 0x40 || t == 0x7f || t == 0xff {
			return false
		}
		if t >= 0xa1 && (b >= 0xb0 && b <= 0xd7 || b >= 0xa1 && b <= 0xa3) {
			common++
		}
		pairs++
	}
	return pairs >= 8 && common*10 >= pairs*9
}

// Reader decodes a file that is read from its first byte on.
func (c Charset) Reader(r io.Reader) io.Reader {
	if c.mark > 0 {
		r = &skipper{r: r, left: c.mark}
	}
	if c.enc == nil {
		return r
	}
	return transform.NewReader(r, c.enc.NewDecoder())
}

// Decode makes text of a file's beginning; a character that its end cuts is left out.
func (c Charset) Decode(head []byte) (string, error) {
	head = head[min(c.mark, len(head)):]
	if c.enc == nil {
		return string(wholeRunes(head)), nil
	}
	out, err := c.enc.NewDecoder().Bytes(head[:len(head)-len(head)%c.unit])
	return string(out), err
}

// Plain reports whether the bytes are the text, without a mark.
func (c Charset) Plain() bool { return c.enc == nil && c.mark == 0 }

// A skipper leaves out a mark.
type skipper struct {
	r    io.Reader
	left int
}

func (s *skipper) Read(p []byte) (int, error) {
	for s.left > 0 {
		var mark [4]byte
		n, err := s.r.Read(mark[:s.left])
		s.left -= n
		if err != nil {
			return 0, err
		}
	}
	return s.r.Read(p)
}
