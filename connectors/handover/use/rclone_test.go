package use

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
)

// revealed undoes obscured as rclone reveal does.
func revealed(v string) (string, error) {
	data, err := base64.RawURLEncoding.DecodeString(v)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher([]byte(obscureKey))
	if err != nil {
		return "", err
	}
	out := make([]byte, len(data)-aes.BlockSize)
	cipher.NewCTR(block, data[:aes.BlockSize]).XORKeyStream(out, data[aes.BlockSize:])
	return string(out), nil
}
