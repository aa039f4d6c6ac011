package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/ssh"
)

// iterations of PBKDF2 with SHA-256: what
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
// asks for, and under what this package opens (maxIterations).
const iterations = 600_000

func pemOf(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func (m *material) pass() []byte { return []byte(m.want.Passphrase.Reveal()) }

func (m *material) locked() bool { return !m.want.Passphrase.Empty() }

// writeOpenSSH locks with AES-256-CTR and bcrypt, as ssh-keygen does.
func writeOpenSSH(m *material) ([]byte, error) {
	var block *pem.Block
	var err error
	if m.locked() {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(m.key, m.comment(), m.pass())
	} else {
		block, err = ssh.MarshalPrivateKey(m.key, m.comment())
	}
	if err != nil {
		return nil, unfit("")
	}
	return pem.EncodeToMemory(block), nil
}

// pkcs8DER is RFC 5958, locked with PBES2 (RFC 8018): AES-256-CBC, PBKDF2 with
// SHA-256.
func pkcs8DER(m *material) ([]byte, error) {
	der, err := pkcs8.MarshalPrivateKey(m.key, m.pass(), &pkcs8.Opts{
		Cipher:  pkcs8.AES256CBC,
		KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: iterations, HMACHash: crypto.SHA256},
	})
	if err != nil {
		return nil, unfit("")
	}
	return der, nil
}

func writePKCS8(m *material) ([]byte, error) {
	der, err := pkcs8DER(m)
	if err != nil {
		return nil, err
	}
	if m.locked() {
		return pemOf("ENCRYPTED PRIVATE KEY", der), nil
	}
	return pemOf("PRIVATE KEY", der), nil
}

func writePKCS1(m *material) ([]byte, error) {
	k, ok := m.key.(*rsa.PrivateKey)
	if !ok {
		return nil, unfit("")
	}
	return pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k)), nil
}

func writeSEC1(m *material) ([]byte, error) {
	k, ok := m.key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, unfit("")
	}
	der, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		return nil, unfit("")
	}
	return pemOf("EC PRIVATE KEY", der), nil
}

func writeBoth(m *material) ([]byte, error) {
	key, err := writePKCS8(m)
	if err != nil {
		return nil, err
	}
	return append(key, ChainPEM(m.chain)...), nil
}
