package account

import (
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/keys"
)

type privateConfig struct {
	Key        connectors.Secret `field:"private_key"`
	Passphrase connectors.Secret `field:"passphrase"`
	UsedFor    string            `field:"used_for"`
}

func privateKey() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "private_key", Name: "Private key", Tile: "PK",
		Summary:  "An SSH or TLS key: its kind, strength, fingerprints and public half",
		Where:    []string{"used_for"},
		Keywords: []string{"ssh", "rsa", "ed25519", "ecdsa", "pem", "ppk", "putty", "pkcs8", "jwk", "pfx", "id_rsa"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "private_key", Label: "Private key", Kind: connectors.SecretLines, Required: true, Section: "Key", Tidy: answers.TidyPEM,
				Help: "OpenSSH, PEM, PuTTY (.ppk), JWK or PFX. Paste it or choose its file."},
			passphraseField("Passphrase of the key"),
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"Choose the private half, such as id_ed25519 or key.pem; the public half often ends in .pub.", "Copy the public half from what is shown after linking, and give it to whoever runs the service."},
			Notes: []string{"Keys with fewer than 2048 bits of RSA, and all DSA keys, are refused by up-to-date servers."},
			Links: []connectors.Link{{Text: "How to make a key (OpenSSH)", URL: "https://man.openbsd.org/ssh-keygen"}},
		},
	}), offline(readPrivate))
}

func readPrivate(c privateConfig, _ time.Time) (*found, error) {
	const field = "private_key"
	text := c.Key.Reveal()
	items, repairs, err := read(field, text, c.Passphrase)
	if err != nil {
		return nil, instead(err, field, text)
	}
	private := pick(items, keys.PrivateKey)
	if len(private) == 0 {
		return nil, kindError(field, keys.Identify([]byte(text)))
	}
	first := private[0]
	f := &found{said: algorithm(first) + " private key"}
	if first.Err != nil {
		// A kind that cannot be used is still described by its public half.
		e := *connectors.Classify(named(first.Err, field))
		if e.Code != connectors.Unsupported || first.Public == nil {
			return nil, &e
		}
		f.warn(&e)
	}
	f.facts.add("Account", accountOf(first))
	keyFacts(&f.facts, first)
	repaired(&f.facts, repairs)
	f.facts.add("Used for", c.UsedFor)
	weakKey(f, field, keys.KeyStrength(first.Public))
	for n, i := range items {
		f.things = append(f.things, itemThing(n, i))
	}
	return f, nil
}

// accountOf is the comment, which names a person and a computer as a rule, else
// the kind and the fingerprint.
func accountOf(i keys.Item) string {
	if i.Name != "" {
		return i.Name
	}
	p := keys.KeyFingerprints(i.Public)
	switch {
	case p.SSH != "":
		return algorithm(i) + " " + p.SSH
	case p.SPKI != "":
		return algorithm(i) + " " + p.SPKI
	}
	return algorithm(i)
}

// itemThing is one key or certificate as a node.
func itemThing(n int, i keys.Item) *thing {
	if i.Kind == keys.Certificate {
		return certificateThing(n, i.Certificate)
	}
	var f facts
	keyFacts(&f, i)
	if cert, ok := i.SSH.(*ssh.Certificate); ok {
		certificateFacts(&f, cert)
	}
	f.time("Created", i.Created)
	kind := map[keys.Kind]string{keys.PrivateKey: "private key", keys.PublicKey: "public key", keys.SharedKey: "shared key", keys.Request: "certificate request"}[i.Kind]
	name := i.Name
	if name == "" {
		name = algorithm(i) + " " + kind
	}
	return branch("key-"+digits(n+1), name, kind, f, publicParts(i)...)
}
