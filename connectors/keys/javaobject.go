package keys

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"slices"

	"crypto/x509/pkix"

	"jackfield/connectors/internal/pkcs8x"
)

// The bounds of a serialized object. A SealedObject has two classes and four fields.
const (
	maxClasses  = 16
	maxFields   = 32
	maxHandles  = 200
	maxElements = 64 << 10 // bytes of an array
)

// A sealed is the secret key of a JCEKS store: a javax.crypto.SealedObject.
type sealed struct {
	params, data []byte
	algorithm    string
	work         int64
}

// sealed reads the object at the cursor and moves behind it.
func (c *cursor) sealed() (*sealed, bool) {
	r := &javaReader{cursor: cursor{data: c.data}}
	fields, ok := r.stream()
	if !ok {
		return nil, false
	}
	c.data = r.data
	s := &sealed{}
	s.params, _ = fields["encodedParams"].([]byte)
	s.data, _ = fields["encryptedContent"].([]byte)
	s.algorithm, _ = fields["sealAlg"].(string)
	s.work = lookInto(s.params).work
	return s, s.data != nil
}

func (s *sealed) item(e stored, format string, pass attempt) Item {
	i := Item{Kind: SharedKey, Format: format, Name: e.alias, Created: e.made, Algorithm: "shared secret", Locked: s.algorithm}
	if s.algorithm != "PBEWithMD5AndTripleDES" {
		i.Err = unsupported("keys.cipher", s.algorithm)
		return i
	}
	id := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 19, 1}
	plain, err := pkcs8x.Decrypt(pkix.AlgorithmIdentifier{Algorithm: id, Parameters: asn1.RawValue{FullBytes: s.params}}, s.data, []byte(pass.Reveal()))
	if err != nil {
		if i.Err = opened(err); reasonOf(i.Err) == "keys.passphrase_wrong" {
			i.Err = ownPassword(e.alias)
		}
		return i
	}
	fields, ok := (&javaReader{cursor: cursor{data: plain}}).stream()
	key, _ := fields["key"].([]byte) // of javax.crypto.spec.SecretKeySpec
	if key == nil {
		key, _ = fields["encoded"].([]byte) // of java.security.KeyRep
	}
	name, _ := fields["algorithm"].(string)
	if !ok || len(key) == 0 {
		i.Err = unsupported("keys.kind", "a Java object of another class")
		return i
	}
	i.Algorithm, i.Bits, i.Private = name, 8*len(key), &Private{key}
	return i
}

// A javaReader reads one serialized object (Java Object Serialization
// Specification, chapter 6), as far as its fields are strings, numbers and arrays of bytes.
// See https://docs.oracle.com/en/java/javase/21/docs/specs/serialization/protocol.html.
type javaReader struct {
	cursor
	handles []any
	left    int // classes that may still come
}

type javaClass struct {
	name   string
	flags  byte
	fields []javaField
	parent *javaClass
}

type javaField struct {
	kind byte
	name string
}

func (r *javaReader) byte() byte { return r.take(1)[0] }

func (r *javaReader) stream() (map[string]any, bool) {
	r.left = maxClasses
	if !bytes.Equal(r.take(4), []byte{0xac, 0xed, 0, 5}) || r.byte() != 0x73 {
		return nil, false
	}
	class := r.class()
	if class == nil {
		return nil, false
	}
	r.remember(nil)
	var line []*javaClass // the topmost parent's fields come first
	for c := class; c != nil; c = c.parent {
		line = append(line, c)
	}
	slices.Reverse(line)
	out := map[string]any{}
	for _, c := range line {
		for _, f := range c.fields {
			if !r.value(f, out) {
				return nil, false
			}
		}
		if c.flags&1 != 0 && r.byte() != 0x78 { // the class writes of its own accord
			return nil, false
		}
	}
	return out, !r.bad
}

func (r *javaReader) remember(v any) { r.handles = append(r.handles, v) }

// back is what a TC_REFERENCE stands for.
func (r *javaReader) back() any {
	n := r.number() - 0x7e0000
	if n < 0 || n >= len(r.handles) {
		r.bad = true
		return nil
	}
	return r.handles[n]
}

func (r *javaReader) class() *javaClass {
	switch r.byte() {
	case 0x71:
		c, _ := r.back().(*javaClass)
		return c
	case 0x72:
	default:
		return nil
	}
	if r.left--; r.left < 0 || r.bad || len(r.handles) > maxHandles {
		return nil
	}
	c := &javaClass{name: r.text()}
	r.take(8)
	r.remember(c)
	c.flags = r.byte()
	n := int(binary.BigEndian.Uint16(r.take(2)))
	if n > maxFields {
		return nil
	}
	for range n {
		f := javaField{kind: r.byte(), name: r.text()}
		if f.kind == 'L' || f.kind == '[' {
			if _, ok := r.text16(); !ok {
				return nil
			}
		}
		c.fields = append(c.fields, f)
	}
	if r.byte() != 0x78 || r.bad {
		return nil
	}
	return r.withParent(c)
}

// withParent reads the class above, which may not be one that came before.
func (r *javaReader) withParent(c *javaClass) *javaClass {
	if len(r.data) > 0 && r.data[0] == 0x70 {
		r.take(1)
		return c
	}
	if len(r.data) == 0 || r.data[0] != 0x72 {
		return nil
	}
	if c.parent = r.class(); c.parent == nil {
		return nil
	}
	return c
}

// text16 is a string, a reference to one, or null.
func (r *javaReader) text16() (string, bool) {
	switch r.byte() {
	case 0x74:
		s := r.text()
		r.remember(s)
		return s, !r.bad
	case 0x71:
		s, ok := r.back().(string)
		return s, ok
	case 0x70:
		return "", true
	}
	return "", false
}

func (r *javaReader) value(f javaField, out map[string]any) bool {
	switch f.kind {
	case 'B', 'Z':
		r.take(1)
	case 'C', 'S':
		r.take(2)
	case 'I', 'F':
		r.take(4)
	case 'J', 'D':
		r.take(8)
	case 'L':
		s, ok := r.text16()
		if out[f.name] = s; !ok {
			return false
		}
	case '[':
		return r.array(f, out)
	default:
		return false
	}
	return !r.bad
}

func (r *javaReader) array(f javaField, out map[string]any) bool {
	switch r.byte() {
	case 0x70:
		return true
	case 0x75:
	default:
		return false
	}
	class := r.class()
	if class == nil || class.name != "[B" {
		return false
	}
	n := r.number()
	if n > maxElements {
		return false
	}
	data := r.take(n)
	r.remember(nil)
	out[f.name] = data
	return !r.bad
}
