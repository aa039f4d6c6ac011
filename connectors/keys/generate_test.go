package keys

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/sethvargo/go-diceware/diceware"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

func TestGenerate(t *testing.T) {
	for _, a := range Algorithms() {
		i, err := Generate(a.ID, "carol@\npractice")
		if err != nil || i.Private == nil || i.Kind != PrivateKey || i.Name != "carol@ practice" || KeyStrength(i.Public).Level != Strong {
			t.Errorf("%s: %+v, %v", a.ID, i, err)
		}
		if again, _ := Generate(a.ID, ""); a.ID == "ed25519" && Same(again.Public, i.Public) {
			t.Error("the same key twice")
		}
	}
	if i, err := Generate("rsa1024", ""); reason(err) != "keys.generate_algorithm" || i.Private != nil {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestRequestsAreReadByOpenSSL(t *testing.T) {
	b := newBench(t)
	for _, algorithm := range []string{"rsa2048", "ecdsa256", "ecdsa384", "ecdsa521", "ed25519"} {
		key := practiceKey(t, algorithm)
		text, err := NewRequest(key, RequestFor{CommonName: "www.practice.example", Organization: "Practice & Söhne, Inc.", Unit: "IT", Locality: "Köln", Province: "NRW", Country: "de",
			DNS: []string{"*.practice.example", "bücher.example"}, IPs: []string{"192.0.2.7", "2001:db8::7"}, Emails: []string{"alice@practice.example"}})
		if err != nil {
			t.Fatal(err)
		}
		path := b.file(t, "csr", []byte(text))
		got := server.Run(t, b.openssl, "req", "-in", path, "-verify", "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")
		for _, want := range []string{"verify OK", "CN=www.practice.example", "O=Practice & Söhne, Inc.", "C=DE", "DNS:www.practice.example", "DNS:*.practice.example", "DNS:xn--bcher-kva.example", "IP Address:192.0.2.7", "IP Address:2001:DB8:0:0:0:0:0:7", "email:alice@practice.example"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", algorithm, want, got)
			}
		}
		items := mustRead(t, []byte(text), connectors.Secret{})
		if len(items) != 1 || items[0].Kind != Request || !Same(items[0].Public, key.Public) {
			t.Errorf("%+v", items)
		}
	}
}

func TestSelfSignedCertificates(t *testing.T) {
	b := newBench(t)
	now := time.Now()
	for _, algorithm := range []string{"rsa2048", "ecdsa256", "ed25519"} {
		i, err := NewSelfSigned(practiceKey(t, algorithm), RequestFor{DNS: []string{"www.practice.example"}}, 30*24*time.Hour, now)
		if err != nil {
			t.Fatal(err)
		}
		path := b.file(t, "own", mustWrite(t, []Item{i}, Want(PEMChain)).Data)
		if out := server.Run(t, b.openssl, "verify", "-purpose", "sslserver", "-verify_hostname", "www.practice.example", "-CAfile", path, path); !strings.Contains(out, "OK") {
			t.Error(out)
		}
		if c := i.Certificate; c.IsCA || !SelfSigned(c) || c.NotAfter.Sub(now) > 30*24*time.Hour || c.SerialNumber.BitLen() < 64 {
			t.Errorf("%s: %+v", algorithm, c)
		}
	}
}

func TestRequestsThatCannotBe(t *testing.T) {
	key := practiceKey(t, "ed25519")
	half := Item{Kind: PublicKey}
	half.own(key.Public)
	for name, c := range map[string]struct {
		r             RequestFor
		reason, field string
	}{
		"nobody":               {RequestFor{Organization: "Practice"}, "keys.request_name", FieldCommonName},
		"long":                 {RequestFor{CommonName: strings.Repeat("a", 65)}, "keys.request_text", FieldCommonName},
		"lines":                {RequestFor{CommonName: "a", Organization: "b\nc"}, "keys.request_text", FieldOrganization},
		"noise":                {RequestFor{CommonName: "a", Unit: "\xff"}, "keys.request_text", FieldUnit},
		"a country's name":     {RequestFor{CommonName: "a", Country: "Germany"}, "keys.request_country", FieldCountry},
		"a web address":        {RequestFor{DNS: []string{"https://www.practice.example/"}}, "keys.request_dns", FieldDNS},
		"an address in DNS":    {RequestFor{DNS: []string{"192.0.2.1"}}, "keys.request_dns", FieldDNS},
		"a star in the middle": {RequestFor{DNS: []string{"www.*.example"}}, "keys.request_dns", FieldDNS},
		"a name in IPs":        {RequestFor{IPs: []string{"www"}}, "keys.request_ip", FieldIPs},
		"a name in e-mail":     {RequestFor{Emails: []string{"Alice <alice@practice.example>"}}, "keys.request_email", FieldEmails},
		"many":                 {RequestFor{DNS: strings.Fields(strings.Repeat("a.example ", 101))}, "keys.request_many", FieldDNS},
	} {
		text, err := NewRequest(key, c.r)
		if e := connectors.Classify(err); e == nil || e.Reason != c.reason || e.Field != c.field || text != "" {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if _, err := NewRequest(half, RequestFor{CommonName: "a"}); reason(err) != "keys.write_no_private" {
		t.Error(reason(err))
	}
	for _, valid := range []time.Duration{0, -time.Hour, 11 * 366 * 24 * time.Hour} {
		if _, err := NewSelfSigned(key, RequestFor{CommonName: "a"}, valid, time.Now()); reason(err) != "keys.request_time" {
			t.Errorf("%v: %s", valid, reason(err))
		}
	}
	// A common name that is a person's is no host name.
	text, err := NewRequest(key, RequestFor{CommonName: "Alice Example"})
	if err != nil || len(mustRead(t, []byte(text), connectors.Secret{})[0].Request.DNSNames) != 0 {
		t.Errorf("%v", err)
	}
}

func TestRandomSecrets(t *testing.T) {
	for alphabet, set := range map[string]string{"letters": letters, "hex": "0123456789abcdef", "base64url": letters + "-_"} {
		seen := map[string]bool{}
		for _, n := range []int{16, 32, 1024} {
			s, err := RandomSecret(n, alphabet)
			if err != nil || len(s.Reveal()) != n || strings.Trim(s.Reveal(), set) != "" || seen[s.Reveal()] {
				t.Errorf("%s %d: %v", alphabet, n, err)
			}
			seen[s.Reveal()] = true
		}
		// Each byte once: each character comes as often as every other one.
		all := make([]byte, 256)
		for n := range all {
			all[n] = byte(n)
		}
		counts := map[byte]int{}
		for _, c := range drawn(all, set, 256) {
			counts[c]++
		}
		for n := range len(set) {
			if counts[set[n]] != 256/len(set) {
				t.Errorf("%s: %q comes %d times", alphabet, set[n], counts[set[n]])
			}
		}
	}
	for _, n := range []int{-1, 0, 15, 1025, 1 << 40} {
		if s, err := RandomSecret(n, "hex"); reason(err) != "keys.generate_length" || !s.Empty() {
			t.Errorf("%d: %v", n, err)
		}
	}
	if _, err := RandomSecret(32, "emoji"); reason(err) != "keys.generate_alphabet" {
		t.Error(reason(err))
	}
}

func TestWords(t *testing.T) {
	known, hyphens := map[string]bool{}, 0
	list := diceware.WordListEffLarge()
	for n := range 7776 {
		roll := 0
		for range 5 {
			roll, n = roll*10+n%6+1, n/6
		}
		known[list.WordAt(roll)] = true
		hyphens += strings.Count(list.WordAt(roll), "-")
	}
	if len(known) != 7776 || hyphens != 4 {
		t.Fatalf("the list has %d words and %d hyphens", len(known), hyphens)
	}
	for n := minWords; n <= maxWords; n++ {
		s, err := Words(n)
		words := strings.Split(s.Reveal(), "-")
		if err != nil || len(words) != n {
			t.Errorf("%d words: %v", len(words), err)
		}
		for _, w := range words {
			if !known[w] {
				t.Error("a word that is not in the list")
			}
		}
	}
	for _, n := range []int{-1, 3, 13, 1 << 40} {
		if _, err := Words(n); reason(err) != "keys.generate_words" {
			t.Errorf("%d: %s", n, reason(err))
		}
	}
}

// What was encrypted to the recipient by age is opened by age with the identity.
func TestAgeKeysAreUsedByAge(t *testing.T) {
	program, keygen := server.Program(t, "age", "age"), server.Program(t, "age-keygen", "age")
	identity, recipient, err := NewAge()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	path := b.file(t, "identity", []byte(identity.Reveal()+"\n"))
	if got := strings.TrimSpace(server.Run(t, keygen, "-y", path)); got != recipient {
		t.Errorf("%s, age-keygen says %s", recipient, got)
	}
	sealed := output(t, []byte("practice"), program, "-r", recipient)
	cmd := exec.Command(program, "-d", "-i", path)
	cmd.Stdin = strings.NewReader(sealed)
	if out, err := cmd.Output(); err != nil || string(out) != "practice" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := age.ParseX25519Recipient(recipient); err != nil {
		t.Error(err)
	}
}
