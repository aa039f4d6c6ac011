package keys

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"
)

func (in *inspector) add(id, what string) {
	if what != "" {
		in.r.Install = append(in.r.Install, Install{Where: say(id + "_where"), Text: say(id), Copy: what})
	}
}

// install says where the public halves go. Of many keys those of the first are told.
func (in *inspector) install() {
	for _, i := range in.r.Items {
		switch {
		case i.Request != nil:
			in.add("install_request", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: i.Request.Raw})))
			return
		case i.Kind == Age:
			in.add("install_age", i.Name)
			return
		case i.Kind == PrivateKey, i.Kind == PublicKey:
			in.installKey(i)
			in.installCertificates(i)
			return
		case i.Certificate != nil && !i.Certificate.IsCA:
			in.installCertificates(Item{Public: i.Public})
			return
		}
	}
}

func (in *inspector) installKey(i Item) {
	line := ""
	if i.SSH != nil {
		line = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(i.SSH)))
		if name := strings.Join(strings.Fields(i.Name), " "); name != "" {
			line += " " + name
		}
	} else if i.Public != nil {
		line = SSHLine(i.Public, i.Name)
	}
	if _, certificate := i.SSH.(*ssh.Certificate); certificate {
		line = ""
	}
	in.add("install_ssh", line)
	in.add("install_pem", PublicPEM(i.Public))
	if _, ok := i.Public.(*rsa.PublicKey); ok {
		if der, err := x509.MarshalPKIXPublicKey(i.Public); err == nil {
			in.add("install_line", base64.StdEncoding.EncodeToString(der))
		}
	}
}

func (in *inspector) installCertificates(i Item) {
	certs := in.certs()
	if len(certs) == 0 || len(certs) > maxChain {
		return
	}
	chain := Order(certs, i.Public).Certificates
	if i.Public != nil && !Same(chain[0].PublicKey, i.Public) {
		return
	}
	for len(chain) > 1 && SelfSigned(chain[len(chain)-1]) { // servers have the root already
		chain = chain[:len(chain)-1]
	}
	in.add("install_certificate", ChainPEM(chain))
}
