package exports

import (
	"archive/zip"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"io"
	"strings"

	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/internal/jsonx"
)

// dbeaver reads data-sources.json without the passwords, which are in another file.
func dbeaver(l *list, root jsonx.Value) (part.Found, bool) { return l.dbeaver(root, nil) }

func (l *list) dbeaver(root, secrets jsonx.Value) (part.Found, bool) {
	all := object(root, "connections")
	if all == nil || len(all.Keys) > 0 && !has(all.Members[all.Keys[0]], "provider") {
		return part.Found{}, false
	}
	for _, id := range all.Keys {
		c := all.Members[id]
		conf := jsonx.At(c, "configuration")
		r := record.New(str(c, "name"), "")
		r.Type = first(record.TypeOf(l.in.Types, str(c, "provider")), record.TypeOf(l.in.Types, str(c, "driver")))
		if str(c, "provider") == "generic" {
			r.Type = ""
		}
		r.Put("host", str(conf, "host"))
		r.Put("port", str(conf, "port"))
		if database := str(conf, "database"); r.Type == "oracle" && str(conf, "provider-properties.@dbeaver-sid-service@") == "SID" {
			r.Put("sid", database)
		} else if r.Type == "oracle" {
			r.Put("service", database)
		} else {
			r.Put("database", database)
		}
		if r.Get("host") == "" {
			r.Put("url", str(conf, "url"))
		}
		own := dbeaverOwn(secrets, id)
		r.Put("user", first(str(own, "user"), str(conf, "user")))
		r.Put("password", str(own, "password"))
		if !r.Has("password") {
			r.Leave("password", "DBeaver keeps it in credentials-config.json beside this file. Choose the whole folder, or a project export.")
		}
		if str(conf, "handlers.ssh_tunnel.enabled") == "true" {
			r.Leave("ssh_tunnel", "Make a connection of the type SSH jump host, and choose it under the way to the server.")
		}
		l.add(r)
	}
	return l.done("DBeaver's connections", "connection")
}

func dbeaverOwn(secrets jsonx.Value, id string) jsonx.Value {
	o, _ := secrets.(*jsonx.Object)
	if o == nil {
		return nil
	}
	entry, _ := o.Members[id].(*jsonx.Object)
	if entry == nil {
		return nil
	}
	return entry.Members["#connection"]
}

// dbeaverSecrets is credentials-config.json that is not encrypted.
func dbeaverSecrets(l *list, root jsonx.Value) (part.Found, bool) {
	o, ok := root.(*jsonx.Object)
	if !ok || len(o.Keys) == 0 || dbeaverOwn(o, o.Keys[0]) == nil {
		return part.Found{}, false
	}
	for _, id := range o.Keys {
		own := dbeaverOwn(o, id)
		r := record.New(id, "")
		r.Put("user", str(own, "user"))
		r.Put("password", str(own, "password"))
		r.Note("The server's name is in data-sources.json beside this file. Choose both, or the whole folder.")
		l.add(r)
	}
	return l.done("DBeaver's passwords", "sign-in")
}

// DBeaver reads the two files of a project together; secrets may be nil.
func DBeaver(in part.Input, sources, secrets []byte, address Address) (part.Found, bool) {
	root, ok := parseJSON(string(sources))
	if !ok {
		return part.Found{}, false
	}
	var opened jsonx.Value
	if text, ok := dbeaverOpened(secrets); ok {
		opened, _ = parseJSON(text)
	}
	return newList(in, address).dbeaver(root, opened)
}

// DBeaverSecrets reads credentials-config.json alone.
func DBeaverSecrets(in part.Input) (part.Found, bool) {
	text, ok := dbeaverOpened(in.Data)
	if !ok {
		return part.Found{}, false
	}
	root, ok := parseJSON(text)
	if !ok {
		return part.Found{}, false
	}
	return dbeaverSecrets(newList(in, nil), root)
}

// dbeaverOpened reveals credentials-config.json: AES-128-CBC with a key that is
// the same in every DBeaver and public in its source, the first block being the
// vector. A master password changes the key; then it does not open.
// https://github.com/dbeaver/dbeaver/blob/devel/plugins/org.jkiss.dbeaver.registry/src/org/jkiss/dbeaver/registry/BaseProjectImpl.java
func dbeaverOpened(data []byte) (string, bool) {
	if len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 || len(data) > maxMember {
		return "", false
	}
	block, err := aes.NewCipher([]byte{0xba, 0xbb, 0x4a, 0x9f, 0x77, 0x4a, 0xb8, 0x53, 0xc9, 0x6c, 0x2d, 0x65, 0x3d, 0xfe, 0x54, 0x4a})
	if err != nil {
		return "", false
	}
	out := make([]byte, len(data)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(out, data[aes.BlockSize:])
	pad := int(out[len(out)-1])
	if pad < 1 || pad > aes.BlockSize || !bytes.HasPrefix(bytes.TrimSpace(out), []byte("{")) {
		return "", false
	}
	return string(out[:len(out)-pad]), true
}

const maxMember = 4 << 20

// Project reads a project export of DBeaver (.dbp): a ZIP file with the two
// files of each project.
func Project(in part.Input, address Address) (part.Found, bool) {
	if !bytes.HasPrefix(in.Data, []byte("PK\x03\x04")) {
		return part.Found{}, false
	}
	z, err := zip.NewReader(bytes.NewReader(in.Data), int64(len(in.Data)))
	if err != nil || len(z.File) > 10_000 {
		return part.Found{}, false
	}
	out, known, budget := part.Found{}, false, int64(4*maxMember)
	for _, f := range z.File {
		folder, ok := strings.CutSuffix(f.Name, "data-sources.json")
		if !ok {
			continue
		}
		sources := member(z, f.Name, &budget)
		found, ok := DBeaver(in, sources, member(z, folder+"credentials-config.json", &budget), address)
		if ok {
			known = true
			out.Items = append(out.Items, found.Items...)
			out.Left = append(out.Left, found.Left...)
		}
	}
	if !known {
		return part.Found{}, false
	}
	out.What = "a project export of DBeaver"
	return out, true
}

// member is a file within a ZIP file, within what is left of the budget.
func member(z *zip.Reader, name string, budget *int64) []byte {
	for _, f := range z.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil
		}
		data, err := io.ReadAll(io.LimitReader(r, min(maxMember, *budget)+1))
		_ = r.Close()
		*budget -= int64(len(data))
		if err != nil || len(data) > maxMember || *budget < 0 {
			return nil
		}
		return data
	}
	return nil
}
