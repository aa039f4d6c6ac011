package fill

import "strings"

var secretWords = []string{"key", "token", "secret", "auth", "pass", "pwd", "session", "signature", "credential", "cookie", "private", "jwt", "bearer", "apikey", "login", "code", "assertion"}

// SecretName reports whether what is named so is likely a secret: a header, a
// parameter, a variable. In doubt it is.
func SecretName(name string) bool {
	n := strings.ToLower(name)
	if n == "sig" || n == "pin" || n == "sid" || strings.HasSuffix(n, "-sig") || strings.HasSuffix(n, "_sig") {
		return true
	}
	for _, w := range secretWords {
		if strings.Contains(n, w) {
			return true
		}
	}
	return false
}
