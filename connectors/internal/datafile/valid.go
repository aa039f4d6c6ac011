package datafile

import "errors"

// ValidKey says offline whether text is a private key of OpenPGP.
func ValidKey(text string) error {
	if _, err := readKeys(text); err != nil {
		return errors.New("This is no private key of PGP. It begins with -----BEGIN PGP PRIVATE KEY BLOCK-----; export it with gpg --armor --export-secret-keys.")
	}
	return nil
}
