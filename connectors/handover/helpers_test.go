package handover_test

import "jackfield/connectors"

func veil(key, value string) map[string]connectors.Secret {
	return map[string]connectors.Secret{key: secret(value)}
}

func secrets(list ...string) []connectors.Secret {
	var out []connectors.Secret
	for _, s := range list {
		out = append(out, secret(s))
	}
	return out
}
