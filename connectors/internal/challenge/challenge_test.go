package challenge_test

import (
	"net/http"
	"net/url"
	"testing"

	"jackfield/connectors/internal/challenge"
)

func TestAnOfferIsFoundAmongOthersAndNotInsideOfQuotes(t *testing.T) {
	for _, c := range []struct {
		lines []string
		token string
		ok    bool
	}{
		{nil, "", false},
		{[]string{"NTLM"}, "", true},
		{[]string{"ntlm TlRMTVNTUAAC"}, "TlRMTVNTUAAC", true},
		{[]string{"Negotiate, NTLM"}, "", true},
		{[]string{`Basic realm="x"`, "Negotiate", "NTLM"}, "", true},
		{[]string{`Basic realm="a, NTLM, b"`}, "", false},
		{[]string{`Basic realm="a\", NTLM, b"`}, "", false},
		{[]string{`Basic realm="a\\", NTLM`}, "", true},
		{[]string{"NTLMv1"}, "", false},
		{[]string{`Basic realm="never closed, NTLM`}, "", false},
	} {
		h := http.Header{"Www-Authenticate": c.lines}
		if token, ok := challenge.Offered(h, "NTLM"); token != c.token || ok != c.ok {
			t.Errorf("%q: %q, %v", c.lines, token, ok)
		}
	}
}

func TestSecurity59_AnOriginIsSchemeHostAndPort(t *testing.T) {
	home := challenge.Origin("https://Www.Example.Test/some/path?q")
	for address, want := range map[string]bool{
		"https://www.example.test/":                  true,
		"https://WWW.example.test:443/x":             true,
		"http://www.example.test/":                   false,
		"https://www.example.test:8443/":             false,
		"https://example.test/":                      false,
		"https://www.example.test.evil.test/":        false,
		"https://www.example.test@evil.test/":        false,
		"https://evil.test/https://www.example.test": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if challenge.Within(home, u) != want {
			t.Errorf("%s: %v", address, !want)
		}
		for _, none := range []string{"", "www.example.test", "ftp://www.example.test", "https://", "https://\n"} {
			if challenge.Within(challenge.Origin(none), u) {
				t.Errorf("%q has %s within", none, address)
			}
		}
	}
}
