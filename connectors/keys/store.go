package keys

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"

	"jackfield/connectors"
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
	private bool
	certs   [][]byte
}

// storeItems reads JKS and JCEKS. The layout is that of OpenJDK's
// sun.security.provider.JavaKeyStore. The keys of JCEKS are listed and not opened.
func storeItems(data []byte, pass connectors.Secret) ([]Item, error) {
	jceks := data[0] == 0xce
	entries, err := walkStore(data)
	if err != nil {
		return nil, err
	}
	var open keystore.KeyStore
	if !jceks {
		if open, err = loadStore(data, entries, pass); err != nil {
			return nil, err
		}
	}
	var out []Item
	for _, e := range entries {
		items, err := e.items(jceks, open, pass)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	return out, nil
}

// loadStore checks the password. Without one, a store of certificates alone can
// be read all the same.
func loadStore(data []byte, entries []stored, pass connectors.Secret) (keystore.KeyStore, error) {
	open := keystore.New(keystore.WithCaseExactAliases())
	if pass.Empty() {
		for _, e := range entries {
			if e.private {
				return open, needed()
			}
		}
		return open, nil
	}
	if open.Load(bytes.NewReader(data), []byte(pass.Reveal())) != nil {
		return open, wrong()
	}
	return open, nil
}

func (e stored) items(jceks bool, open keystore.KeyStore, pass connectors.Secret) ([]Item, error) {
	format := "JKS"
	if jceks {
		format = "JCEKS"
	}
	var out []Item
	if e.private {
		i := Item{Kind: PrivateKey, Format: format, Name: e.alias, Created: e.made, Locked: "Java's own method with SHA-1"}
		if jceks {
			i.Locked = "3DES with MD5"
			i.Err = unsupported("keys.jceks", "")
		} else {
			i.fromStore(open, pass)
		}
		out = append(out, i)
	}
	for _, der := range e.certs {
		c, err := certificateItem(der, format)
		if err != nil {
			return nil, err
		}
		c.Name, c.Created = e.alias, e.made
		out = append(out, c)
	}
	if e.private && out[0].Public == nil && len(out) > 1 {
		out[0].own(out[1].Public)
	}
	return out, nil
}

func (i *Item) fromStore(open keystore.KeyStore, pass connectors.Secret) {
	entry, err := open.GetPrivateKeyEntry(i.Name, []byte(pass.Reveal()))
	if err != nil {
		// The store's password is right: the entry has one of its own.
		i.Err = &connectors.Error{Code: connectors.AuthFailed, Reason: "keys.entry_password", Field: FieldPassphrase, Said: i.Name}
		return
	}
	key := derItem(entry.PrivateKey, connectors.Secret{})
	i.Private, i.Err = key.Private, key.Err
	i.Algorithm, i.Bits, i.Curve, i.Public = key.Algorithm, key.Bits, key.Curve, key.Public
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
		return nil
	}
	return c.take(n)
}

// walkStore checks every length and count before anything is allocated for it.
func walkStore(data []byte) ([]stored, error) {
	c := &cursor{data: data[4:]}
	version, n := c.number(), c.number()
	if c.bad || version < 1 || version > 2 || n > maxEntries {
		return nil, damaged("the Java key store")
	}
	var out []stored
	for range n {
		tag := c.number()
		if tag == 3 && data[0] == 0xce {
			return out, nil // a serialized object, whose length is not told
		}
		e := stored{alias: c.text(), private: tag == 1}
		e.made = time.UnixMilli(int64(binary.BigEndian.Uint64(c.take(8)))).UTC()
		chain := 1
		if e.private {
			c.part()
			chain = c.number()
		}
		if c.bad || tag < 1 || tag > 2 || chain > maxCertificates {
			return nil, damaged("the Java key store")
		}
		for range chain {
			if version == 2 {
				c.text()
			}
			e.certs = append(e.certs, c.part())
		}
		if c.bad {
			return nil, damaged("the Java key store")
		}
		out = append(out, e)
	}
	return out, nil
}
