package link

import (
	"context"
	"crypto"
	"slices"

	"jackfield/connectors"
	"jackfield/connectors/internal/reach"
	"jackfield/connectors/keys"
)

// keyIdentity names the saved connection whose user and secrets are used where
// the form itself has none.
const keyIdentity = "identity"

// A certificate chain may be kept as one file with its key.
const (
	keyBundle     = "certificate_file"
	keyCert       = "client_cert"
	keyKey        = "client_key"
	keyPassphrase = "client_key_passphrase"
)

// bundled reports whether the answers are those of a certificate chain in one file.
func bundled(from connectors.Settings) bool {
	return from.Plain["source"] == "file" && !from.Secrets[keyBundle].Empty()
}

// unpacked has the parts of such a file as PEM, in the order in which they are
// presented. Its errors are about the account that lends it.
func unpacked(from connectors.Settings) (connectors.Settings, error) {
	if !bundled(from) {
		return from, nil
	}
	from = from.Clone()
	items, err := keys.Use([]byte(from.Secrets[keyBundle].Reveal()), from.Secrets[keyPassphrase])
	if err != nil {
		return from, keys.In(err, keyIdentity, keyIdentity)
	}
	delete(from.Secrets, keyBundle)
	own := keys.First(items)
	delete(from.Secrets, keyKey)
	if own != nil && own.Err != nil {
		return from, keys.In(own.Err, keyIdentity, keyIdentity)
	}
	var public crypto.PublicKey
	if own != nil {
		if text, ok := own.Private.PEM(); ok {
			from.Secrets[keyKey], public = text, own.Public
			delete(from.Secrets, keyPassphrase)
		}
	}
	from.Plain[keyCert] = keys.ChainPEM(keys.Order(keys.Certificates(items), public).Certificates)
	return from, nil
}

// lent are the answers that one connection may take from another. Those of a
// row mean the same.
func lent() [][]string {
	return [][]string{
		{"password"}, {"key", "private_key"}, {"passphrase"}, {"client_key", keyBundle}, {"client_key_passphrase"}, {"keytab"},
		{"secret_key", "secret_access_key"}, {"session_token"}, {"service_account", "google_key", "key_file", "key_json"}, {"token"},
		{"user", "username"}, {"domain"}, {"realm"}, {"principal"}, {"certificate"}, {"client_cert"}, {"access_key", "access_key_id"},
	}
}

func rowOf(key string) []string {
	rows := lent()
	i := slices.IndexFunc(rows, func(row []string) bool { return slices.Contains(row, key) })
	if i < 0 {
		return nil
	}
	return rows[i]
}

// Extended is t with the questions that any connection is asked: whose sign-in
// it uses, and the way to the server.
func Extended(t connectors.Type) connectors.Type {
	fields := slices.Clone(t.Form.Fields)
	if i := slices.IndexFunc(fields, func(f connectors.Field) bool { return rowOf(f.Key) != nil && !f.Advanced }); i >= 0 && takes(t) {
		fields = slices.Insert(fields, i, connectors.Field{Key: keyIdentity, Label: "Use the sign-in of", Kind: connectors.Reference, Lends: connectors.LendsSignIn, Section: fields[i].Section,
			Help: "Another saved account. What is left empty here is taken from there, also when it changes."})
	}
	if !t.Offline {
		fields = append(fields, reach.Fields()...)
	}
	t.Form = connectors.Form{Fields: fields}
	return t
}

// takes reports whether a form of t has a place for another account's secret; an
// account of its own, which opens nothing, takes none.
func takes(t connectors.Type) bool {
	return !t.Offline && slices.ContainsFunc(t.Form.Fields, func(f connectors.Field) bool { return f.Kind.Secret() && rowOf(f.Key) != nil })
}

// CanLend reports whether the saved connection c has what the Reference f of a
// form of type t asks for.
func (b *Book) CanLend(t connectors.Type, f connectors.Field, c Connection) bool {
	if f.Lends == connectors.LendsTunnel {
		from, ok := b.types.Find(c.Type)
		return ok && from.Tunnel != nil
	}
	if c.Practice {
		return false
	}
	for _, x := range t.Form.Fields {
		row := rowOf(x.Key)
		if row != nil && x.Kind.Secret() && slices.ContainsFunc(c.SecretKeys, func(k string) bool { return slices.Contains(row, k) }) {
			return true
		}
	}
	return false
}

// Lend fills the empty answers of s with those of the connection c, for telling
// what is still missing: its secrets are marks, not what they are.
func Lend(t connectors.Type, s connectors.Settings, c Connection) connectors.Settings {
	from := connectors.Settings{Plain: c.Plain, Secrets: map[string]connectors.Secret{}}
	for _, k := range c.SecretKeys {
		from.Secrets[k] = connectors.NewSecret("stored")
	}
	if bundled(from) {
		from = from.Clone()
		from.Plain[keyCert] = "stored"
	}
	return lend(t, s, from)
}

func lend(t connectors.Type, s, from connectors.Settings) connectors.Settings {
	s = s.Clone()
	for _, f := range t.Form.Fields {
		for _, k := range rowOf(f.Key) {
			switch {
			case f.Kind.Secret() && s.Secrets[f.Key].Empty() && !from.Secrets[k].Empty():
				s.Secrets[f.Key] = from.Secrets[k]
			case !f.Kind.Secret() && s.Plain[f.Key] == "" && from.Plain[k] != "":
				s.Plain[f.Key] = from.Plain[k]
			}
		}
	}
	return s
}

// Whole are a connection's answers with its secrets, and with what it takes from
// another account. This opens the keychain.
func (b *Book) Whole(ctx context.Context, id string) (connectors.Settings, error) {
	c, err := b.Get(ctx, id)
	if err != nil {
		return connectors.Settings{}, err
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return connectors.Settings{}, err
	}
	s, err := b.Settings(ctx, id)
	if err != nil {
		return s, err
	}
	return b.whole(ctx, t, t.Form.Tidied(s))
}

// whole is s with what it takes from another account.
func (b *Book) whole(ctx context.Context, t connectors.Type, s connectors.Settings) (connectors.Settings, error) {
	id := s.Plain[keyIdentity]
	if id == "" || !takes(t) {
		return s, nil
	}
	c, err := b.Get(ctx, id)
	if err != nil {
		return s, &connectors.Error{Code: connectors.BadInput, Reason: "link.no_identity", Op: connectors.StageForm, Field: keyIdentity, Err: err}
	}
	from, err := b.Settings(ctx, c.ID)
	if err != nil {
		return s, err
	}
	if from, err = unpacked(from); err != nil {
		return s, err
	}
	return lend(t, s, from), nil
}

// resolved has the id of a connection where the person typed its name.
func (b *Book) resolved(ctx context.Context, t connectors.Type, s connectors.Settings) (connectors.Settings, error) {
	return resolved(t, s, func(name string) (string, error) {
		c, err := b.ByName(ctx, name)
		return c.ID, err
	})
}

func resolved(t connectors.Type, s connectors.Settings, find func(name string) (id string, err error)) (connectors.Settings, error) {
	for _, f := range t.Form.Fields {
		name := s.Plain[f.Key]
		if f.Kind != connectors.Reference || name == "" {
			continue
		}
		id, err := find(name)
		if err != nil {
			return s, &connectors.Error{Code: connectors.BadInput, Reason: "link.no_connection", Op: connectors.StageForm, Field: f.Key, Target: name, Err: err}
		}
		s.Plain[f.Key] = id
	}
	return s, nil
}

// UsedBy are the connections of all that sign in with the account id, and those
// that go through it.
func UsedBy(all []Connection, id string) (signIn, through []Connection) {
	for _, c := range all {
		if c.ID == id {
			continue
		}
		if c.Plain[keyIdentity] == id {
			signIn = append(signIn, c)
		}
		if reach.Of(connectors.Settings{Plain: c.Plain}).JumpHost() == id {
			through = append(through, c)
		}
	}
	return signIn, through
}

// CheckDependents checks the connections that sign in with the account id, one
// after the other, and stops at the first that is refused: the same wrong
// password at every one of them would lock the account. done is told each result;
// false from it stops too. left are those that were not tried.
func (b *Book) CheckDependents(ctx context.Context, id string, w Watcher, done func(Connection, *Result) bool) (left []Connection, err error) {
	list, err := b.List(ctx)
	all, _ := UsedBy(list, id)
	for i, c := range all {
		r := b.Check(ctx, c.ID, w)
		if !done(c, r) || ctx.Err() != nil {
			return all[i+1:], err
		}
		switch connectors.CodeOf(r.Err) {
		case connectors.AuthFailed, connectors.Expired, connectors.SignInAgain, connectors.Throttled:
			return all[i+1:], err
		}
	}
	return nil, err
}
