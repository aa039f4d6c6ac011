package keys

import (
	"strconv"
	"strings"
	"time"
)

// words are the sentences of findings and of what to install; $1, $2 … are filled in.
// A sentence that begins with a name keeps its case.
func words() map[string]string {
	return map[string]string{
		"large":       "a file that is larger than any key or certificate",
		"name":        "The file's name ends in $1, but by its content it is $2. The content counts.",
		"with":        "One of the other files could not be read: $1",
		"not_opened":  "$1",
		"unencrypted": "This private key is not protected by a passphrase. Whoever gets the file can use it: keep it to yourself, or save it with a passphrase.",
		"aws_clear":   "The secret access key stands in this file in the clear. Whoever gets the file can use it.",
		"temporary":   "This is a temporary key of AWS: it ends after some hours.",

		"key_matches": "The private key belongs to the certificate of $1.",
		"key_other":   "The private key does not belong to any of the certificates. Look for the key that was made together with the certificate request.",

		"valid":          "The certificate of $1 is valid until $2, which is in $3.",
		"expires_soon":   "The certificate of $1 expires in $2, on $3. Ask for a new one now.",
		"expired":        "The certificate of $1 expired on $2. Ask for a new one.",
		"not_yet":        "The certificate of $1 is not valid before $2. If that day has passed, the clock of this computer is wrong.",
		"weak_signature": "The certificate is signed with $1, which up-to-date programs refuse. Ask for a new one that is signed with SHA-256.",
		"server_only":    "This certificate is for servers. Most servers refuse it when somebody signs in with it.",
		"client_only":    "This certificate is for signing in. A server cannot use it.",
		"no_tls":         "This certificate is neither for servers nor for signing in. It is for: $1.",
		"names":          "It is for these names: $1.",
		"no_names":       "It has no alternative names, and programs do not look at the common name any more. As a server's certificate it will be refused.",

		"request_names":     "It asks for a certificate for these names: $1.",
		"request_no_names":  "It asks for no alternative names. A server's certificate without them will be refused, unless the authority adds them.",
		"request_signature": "The request's own signature is wrong, so an authority will refuse it. Make a new one.",
		"revocations":       "It lists $1 revoked certificates of $2.",
		"list_old":          "The list should have been replaced by $1. Get a new one.",

		"collection":        "These are $1 certificates that do not belong to one chain, such as the authorities that a program trusts.",
		"chain_order":       "The certificates are not in the order in which servers send them. The right order is: the own certificate first, then the one that issued it, and so on.",
		"chain_broken":      "The certificate of $1 names $2 as its issuer, but was not signed with that key. One of the two is an older or a newer one.",
		"chain_others":      "These certificates are not part of the chain: $1.",
		"chain_expired":     "The certificate of the authority $1 has expired. Ask for the new one.",
		"issuer_missing":    "The chain is not complete: the certificate that issued $1 is missing. It is that of $2.",
		"trusted":           "It leads to $1, which is trusted here. Whether it has been revoked cannot be told offline.",
		"self_signed":       "It is signed with its own key, so nobody trusts it unless it is given to them.",
		"private_root":      "$1 is an authority of its own that is not trusted here, such as a company's. Give it to the programs that shall trust it.",
		"private_authority": "It was issued by $1, which is not trusted here, such as a company's own authority. Who connects needs that authority's certificate.",
		"untrusted":         "The chain does not hold: an authority in it may not issue this certificate.",
		"trust_unknown":     "A key in the chain is so large that the signatures were not checked.",

		"revoked":   "This line says that the key must not be trusted any more.",
		"authority": "Servers that match $1 are trusted when this authority has signed their key.",
		"hashed":    "The name of the server is hashed, so it cannot be told from the file.",
	}
}

// moreWords are those about weak keys and about where things go.
func moreWords() map[string]string {
	return map[string]string{
		"weak_rsa":           "RSA with $1 bits is too short: it is refused by up-to-date programs. Make a new key with 3072 bits, or Ed25519.",
		"weak_dsa":           "This is a DSA key ($1 bits), a kind that is not accepted any more. Make a new key: Ed25519, or RSA with 3072 bits.",
		"weak_curve":         "The curve $1 is too small. Make a new key on P-256, or Ed25519.",
		"weak_etype":         "The keytab has a key of the kind $1, which has been given up. Ask for a keytab with AES keys.",
		"rsa_huge":           "RSA with $1 bits is more than any program uses. This is probably no real key.",
		"rsa_one":            "The key's exponent is 1, so it encrypts nothing at all and anybody can sign with it. Make a new key.",
		"rsa_exponent":       "The key's exponent is an even number, which no RSA key has. Make a new key.",
		"rsa_small_exponent": "The key's exponent is $1, which some programs refuse. The usual one is 65537.",
		"rsa_factor":         "The key's modulus has a small factor, so the private key can be computed. Make a new key.",
		"roca":               "This key was made by a faulty chip (ROCA, CVE-2017-15361): the private key can be computed from the public one. Make a new key on another device.",
		"close_primes":       "The two primes of this key are next to each other (CVE-2022-26320): anybody can compute the private key within seconds. Make a new key with another program.",
		"known_key":          "The private half of this key is published: $1. Everybody has it. Make a new key, and remove this one from every server.",

		"install_ssh_where":         "On the server, in ~/.ssh/authorized_keys",
		"install_ssh":               "Add this as one line at the end of the file .ssh/authorized_keys in the home folder of the account that signs in. The folder .ssh needs the rights 700 and the file 600, and both must belong to that account.",
		"install_pem_where":         "Where a service asks for a public key as PEM",
		"install_pem":               "Paste it with its first and last line, for example where tokens (JWT) are checked with it.",
		"install_line_where":        "Where a service asks for a public key in one line",
		"install_line":              "The same without its first and last line, as Snowflake wants it: ALTER USER name SET RSA_PUBLIC_KEY='…';",
		"install_certificate_where": "Where a service asks for your certificate",
		"install_certificate":       "Upload the certificate with those that issued it, in this order. The private key is not uploaded.",
		"install_request_where":     "To the authority that issues certificates",
		"install_request":           "Send this request to the authority, or paste it into its form. The private key stays with you; the authority sends a certificate back.",
		"install_age_where":         "To whoever shall encrypt for you",
		"install_age":               "Give them this line, which is your recipient. It opens nothing.",
	}
}

// say fills in a sentence.
func say(id string, args ...string) string {
	text, ok := words()[id]
	if !ok {
		text = moreWords()[id]
	}
	for n := len(args); n > 0; n-- {
		text = strings.ReplaceAll(text, "$"+strconv.Itoa(n), args[n-1])
	}
	return text
}

func date(t time.Time) string { return t.UTC().Format("2 January 2006") }

func count64(n int) string { return strconv.Itoa(n) }

func days64(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}
