package keys

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/pkcs8x"
)

// The bounds of a Java key store.
const (
	maxEntries = 2000
	maxPart    = 64 << 10 // bytes of one key or certificate
)

// A stored is an entry of a Java key store, still locked.
type stored struct {
	alias   string
	made    time.Time
	private []byte // an EncryptedPrivateKeyInfo
	secret  *sealed
	certs   [][]byte
}

// storeItems reads JKS and JCEKS. The layout is that of OpenJDK's
// sun.security.provider.JavaKeyStore and com.sun.crypto.provider.JceKeyStore.
func storeItems(data []byte, pass attempt) ([]Item, error) {
	entries, rest, err := walkStore(data)
	if err != nil {
		return nil, err
	}
	// Without a password a store of certificates alone can be read all the same.
	locked := slices.ContainsFunc(entries, func(e stored) bool { return e.private != nil || e.secret != nil })
	switch {
	case pass.Empty() && locked:
		return nil, needed()
	case pass.Empty():
	case len(rest) != 20:
		return nil, damaged("the Java key store")
	case !bytes.Equal(pkcs8x.StoreSum(data[:len(data)-20], []byte(pass.Reveal())), rest):
		return nil, wrong()
	}
	format := "JKS"
	if data[0] == 0xce {
		format = "JCEKS"
	}
	var out []Item
	work := int64(0)
	for _, e := range entries {
		if work = sum(work, e.work()); work > pass.most.bundle {
			return nil, fault("keys.costly", "")
		}
		items, err := e.items(format, pass)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	if len(out) == 0 {
		return nil, fault("keys.store_empty", "")
	}
	return out, nil
}

func (e stored) work() int64 {
	if e.secret != nil {
		return e.secret.work
	}
	return lookInto(e.private).work
}

func (e stored) items(format string, pass attempt) ([]Item, error) {
	var out []Item
	if e.private != nil {
		i := Item{Kind: PrivateKey, Format: format, Name: e.alias, Created: e.made}
		i.fromStore(e.private, pass)
		out = append(out, i)
	}
	if e.secret != nil {
		out = append(out, e.secret.item(e, format, pass))
	}
	for _, der := range e.certs {
		c, err := certificateItem(der, format)
		if err != nil {
			return nil, err
		}
		c.Name, c.Created = e.alias, e.made
		out = append(out, c)
	}
	if e.private != nil && out[0].Public == nil && len(out) > 1 {
		out[0].own(out[1].Public)
	}
	return out, nil
}

func (i *Item) fromStore(der []byte, pass attempt) {
	s := lookInto(der)
	i.Locked = s.locked()
	if s.costly(pass.most) {
		i.Err = fault("keys.costly", "")
		return
	}
	plain, err := pkcs8x.Open(der, []byte(pass.Reveal()))
	switch {
	case errors.Is(err, pkcs8x.ErrPassphrase):
		i.Err = ownPassword(i.Name)
	case err != nil:
		i.Err = opened(err)
	default:
		i.plainDER(plain)
	}
}

// ownPassword is for an entry that the store's password, which is right, does not open.
func ownPassword(alias string) error {
	return &connectors.Error{Code: connectors.AuthFailed, Reason: "keys.entry_password", Field: FieldPassphrase, Said: alias}
}

// A cursor reads numbers and strings with lengths; after the end everything is zero.
type cursor struct {
	data []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.data) {
		c.bad, c.data = true, nil
		return make([]byte, min(max(n, 0), 8))
	}
	out := c.data[:n]
	c.data = c.data[n:]
	return out
}

func (c *cursor) number() int  { return int(binary.BigEndian.Uint32(c.take(4))) }
func (c *cursor) text() string { return string(c.take(int(binary.BigEndian.Uint16(c.take(2))))) }

func (c *cursor) part() []byte {
	n := c.number()
	if n > maxPart {
		c.bad = true
		return []byte{}
	}
	return c.take(n)
}

// walkStore checks every length and count before anything is allocated for it,
// and returns what follows the entries.
func walkStore(data []byte) ([]stored, []byte, error) {
	bad := damaged("the Java key store")
	c := &cursor{data: data[4:]}
	version, n := c.number(), c.number()
	if c.bad || version < 1 || version > 2 || n > maxEntries {
		return nil, nil, bad
	}
	var out []stored
	for range n {
		e, ok := c.entry(version, data[0] == 0xce)
		if !ok || c.bad {
			return nil, nil, bad
		}
		out = append(out, e)
	}
	return out, c.data, nil
}

func (c *cursor) entry(version int, jceks bool) (stored, bool) {
	tag := c.number()
	e := stored{alias: c.text()}
	e.made = time.UnixMilli(int64(binary.BigEndian.Uint64(c.take(8)))).UTC() //nolint:gosec // Java's long
	chain := 1
	switch {
	case tag == 1:
		e.private = c.part()
		chain = c.number()
	case tag == 3 && jceks:
		var ok bool
		e.secret, ok = c.sealed()
		return e, ok
	case tag != 2:
		return e, false
	}
	if c.bad || chain > maxCertificates {
		return e, false
	}
	for range chain {
		if version == 2 {
			c.text()
		}
		e.certs = append(e.certs, c.part())
	}
	return e, !c.bad
}
