package account

import (
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/keys"
)

type publicConfig struct {
	Key     string `field:"public_key"`
	UsedFor string `field:"used_for"`
}

func publicKey() connectors.Type {
	return connectors.Define(common(connectors.Type{
		ID: "public_key", Name: "Public key", Tile: "PU",
		Summary:  "The half of a key that may be given away, in every form",
		Where:    []string{"used_for"},
		Keywords: []string{"ssh", "authorized_keys", "id_rsa.pub", "pem", "jwk", "fingerprint", "ssh2"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "public_key", Label: "Public key", Kind: connectors.Lines, Required: true, Section: "Key", Valid: validPublic, Tidy: answers.TidyPEM,
				Help: "An OpenSSH line, PEM, SSH2, a JWK, or a certificate. Paste it or choose its file."},
			noteField(),
		}},
		Guide: connectors.Guide{
			Steps: []string{"Paste what you were given, such as the file id_ed25519.pub.", "After linking, the same key is there in the other forms, ready to copy."},
			Notes: []string{"Compare the fingerprint with its owner's before you trust it."},
		},
	}), offline(readPublic))
}

// validPublic keeps private keys out of an answer that is not stored as a secret.
func validPublic(v string) error {
	switch keys.Identify([]byte(v)) {
	case keys.PrivateKey, keys.PFX, keys.ServiceAccount, keys.JavaStore, keys.SharedKey, keys.Keytab:
		return sentence("This holds a private key. It does not belong here: paste its public half, or use the type “Private key”.")
	}
	return nil
}

func readPublic(c publicConfig, now time.Time) (*found, error) {
	const field = "public_key"
	items, repairs, err := read(field, c.Key, connectors.Secret{})
	if err != nil {
		return nil, instead(err, field, c.Key)
	}
	public := pick(items, keys.PublicKey, keys.Certificate, keys.Request)
	if len(public) == 0 {
		return nil, kindError(field, keys.Identify([]byte(c.Key)))
	}
	first := public[0]
	f := &found{said: algorithm(first) + " public key"}
	f.facts.add("Account", accountOf(first))
	keyFacts(&f.facts, first)
	if cert, ok := first.SSH.(*ssh.Certificate); ok {
		sshValidity(f, field, cert, now)
	}
	if len(public) > 1 {
		f.facts.count("Keys", len(public))
	}
	repaired(&f.facts, repairs)
	f.facts.add("Used for", c.UsedFor)
	weakKey(f, field, keys.KeyStrength(first.Public))
	for n, i := range public {
		f.things = append(f.things, itemThing(n, i))
	}
	return f, nil
}

// certificateFacts are those of OpenSSH's own certificates. See
// https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.certkeys.
func certificateFacts(f *facts, c *ssh.Certificate) {
	f.add("Certificate", map[uint32]string{ssh.UserCert: "for a user", ssh.HostCert: "for a server"}[c.CertType])
	f.add("Key ID", c.KeyId)
	f.add("Principals", strings.Join(c.ValidPrincipals, ", "))
	f.time("Valid from", sshTime(c.ValidAfter))
	f.time("Expires", sshTime(c.ValidBefore))
	if c.SignatureKey != nil {
		f.add("Signed by", ssh.FingerprintSHA256(c.SignatureKey))
	}
}

// sshTime is zero for "forever" and "always".
func sshTime(seconds uint64) time.Time {
	if seconds == 0 || seconds >= 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

func sshValidity(f *found, field string, c *ssh.Certificate, now time.Time) {
	certificateFacts(&f.facts, c)
	from, until := sshTime(c.ValidAfter), sshTime(c.ValidBefore)
	validity(f, field, c.KeyId, from, until, now)
}

// validity warns about what is too old or too new.
func validity(f *found, field, what string, from, until, now time.Time) {
	switch {
	case !until.IsZero() && now.After(until):
		f.warn(&connectors.Error{Code: connectors.Expired, Reason: "account.expired", Field: field, Target: what, Said: day(until)})
	case !from.IsZero() && now.Before(from):
		f.warn(&connectors.Error{Code: connectors.Expired, Reason: "account.not_yet", Field: field, Target: what, Said: day(from)})
	}
}
