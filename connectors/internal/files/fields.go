package files

import (
	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/datafile"
)

// Fields are the advanced questions that match Answers.
func Fields() []connectors.Field {
	return []connectors.Field{
		{Key: "pgp_key", Label: "PGP private key", Kind: connectors.SecretLines, Section: "Encrypted files", Advanced: true,
			Help: "Opens files that end with .pgp, .gpg or .asc. Paste it or choose its file.", Tidy: answers.TidyPEM, Valid: datafile.ValidKey},
		{Key: "pgp_passphrase", Label: "PGP passphrase", Kind: connectors.SecretText, Advanced: true,
			Help: "Of that key when it is locked, or of files that are encrypted with a password."},
	}
}
