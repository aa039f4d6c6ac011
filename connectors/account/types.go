// Package account holds connection types for what is used by other connections:
// passwords, keys, certificates and tokens. They are inspected offline: linking
// one reads it and says what it is, for whom, how long and how good, and never
// uses the network.
package account

import (
	"jackfield/connectors"
)

// Types are all of them, in gallery order.
func Types() []connectors.Type {
	return []connectors.Type{userPassword(), privateKey(), publicKey(), secretKey(), certificateChain(), keytab(), googleKey(), awsKeyPair(), jwtToken()}
}

// common fills in what all types have alike.
func common(t connectors.Type) connectors.Type {
	t.Group, t.Offline = connectors.GroupServices, true
	t.Guide.Rights = "None. It is read on this computer, and nothing is sent anywhere."
	return t
}

// passphraseField asks for what a key or a file is locked with.
func passphraseField(label string) connectors.Field {
	return connectors.Field{Key: "passphrase", Label: label, Kind: connectors.SecretText, Help: "Only when it is locked with one."}
}

// noteField asks where the thing is used.
func noteField() connectors.Field {
	return connectors.Field{Key: "used_for", Label: "Used for", Kind: connectors.Text, Section: "Notes", Example: "Nightly upload to the bank",
		Help: "For you: where it is used, and who gave it to you.", Advanced: true}
}

type sentence string

func (s sentence) Error() string { return string(s) }
