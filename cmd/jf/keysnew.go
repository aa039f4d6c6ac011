package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// What `jf keys generate` makes besides key pairs.
const (
	makeRequest = "request"
	makeAge     = "age"
	makeSecret  = "secret"
	makeWords   = "words"
)

type making struct {
	format, out, comment, key, alphabet string
	length                              int
	subject                             keys.RequestFor
	fresh, old                          secretFlag
}

func (a *app) keysGenerate() *cobra.Command {
	m := &making{fresh: secretFlag{name: "new-passphrase", title: "New passphrase"}, old: secretFlag{name: "passphrase", title: "Passphrase of the key"}}
	var kinds []string
	for _, x := range keys.Algorithms() {
		kinds = append(kinds, x.ID)
	}
	c := &cobra.Command{Use: "generate KIND", Short: "Make a key pair, a certificate request, a random secret or a passphrase", Args: cobra.ExactArgs(1),
		Long:    "KIND is a key pair (" + strings.Join(kinds, ", ") + "), request (a certificate request for --key), age (a key pair of age), secret (random characters) or words (a passphrase).\nOf a key pair the private half is written to --out, and the public half, which is to send, to standard output.",
		Example: "  jf keys generate ed25519 --out id_partner --comment mira@example.com\n  jf keys generate request --key client.key --cn client.example.com --out client.csr\n  jf keys generate words",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case makeRequest:
				return a.generateRequest(cmd, m)
			case makeAge:
				return a.generateAge(m)
			case makeSecret:
				s, err := keys.RandomSecret(m.length, m.alphabet)
				return a.plainSecret(m, s, err)
			case makeWords:
				s, err := keys.Words(m.length)
				return a.plainSecret(m, s, err)
			}
			return a.generatePair(cmd, m, args[0])
		}}
	f := c.Flags()
	f.StringVarP(&m.out, "out", "o", "", "the file to write (- for standard output)")
	f.StringVar(&m.format, "to", "openssh", "the private half's format; jf keys formats lists them")
	f.StringVar(&m.comment, "comment", "", "a comment that names the key")
	f.StringVar(&m.key, "key", "", "request: the private key's file")
	f.StringVar(&m.alphabet, "alphabet", "letters", "secret: letters (and digits), hex or base64url")
	f.IntVar(&m.length, "length", 0, "secret: characters (default 32); words: how many (default 6)")
	f.StringVar(&m.subject.CommonName, "cn", "", "request: common name")
	f.StringVar(&m.subject.Organization, "organization", "", "request: organization")
	f.StringVar(&m.subject.Unit, "unit", "", "request: organizational unit")
	f.StringVar(&m.subject.Locality, "locality", "", "request: town")
	f.StringVar(&m.subject.Province, "province", "", "request: state or province")
	f.StringVar(&m.subject.Country, "country", "", "request: two letters of the country")
	f.StringArrayVar(&m.subject.DNS, "dns", nil, "request: a host name that the certificate is for")
	f.StringArrayVar(&m.subject.IPs, "ip", nil, "request: an IP address that the certificate is for")
	f.StringArrayVar(&m.subject.Emails, "email", nil, "request: a mail address that the certificate is for")
	m.fresh.add(c, "what locks the private half; without it it is not locked")
	m.old.add(c, "request: what opens the locked key")
	c.PreRun = func(*cobra.Command, []string) {
		if m.length == 0 {
			m.length = 32
			if len(c.Flags().Args()) == 1 && c.Flags().Arg(0) == makeWords {
				m.length = 6
			}
		}
	}
	return c
}

func (a *app) generatePair(cmd *cobra.Command, m *making, algorithm string) error {
	if m.out == "" {
		return misuse{errors.New("say where the private half goes: --out FILE")}
	}
	pass, err := a.freshSecret(cmd, m.fresh)
	if err != nil {
		return err
	}
	item, err := keys.Generate(algorithm, m.comment)
	if err != nil {
		return onCommandLine(err)
	}
	private, err := keys.Write([]keys.Item{item}, keys.Wanted{Format: keys.Format(m.format), Passphrase: pass, Comment: m.comment, Key: -1, Certificate: -1})
	if err != nil {
		return onCommandLine(err)
	}
	public, err := keys.Write([]keys.Item{item}, keys.Wanted{Format: "ssh_public", Comment: m.comment, Key: -1, Certificate: -1})
	if err != nil {
		return onCommandLine(err)
	}
	if err := a.wrote(m.out, private); err != nil {
		return err
	}
	if pass.Empty() {
		_, _ = fmt.Fprintln(a.err, "It is not locked: whoever can read the file can use it. --new-passphrase ask locks one.")
	}
	_, _ = fmt.Fprintln(a.err, "Send this public line to whoever lets you in; the private half stays with you:")
	_, err = a.out.Write(public.Data)
	return err
}

func (a *app) generateRequest(cmd *cobra.Command, m *making) error {
	if m.key == "" || m.subject.CommonName == "" {
		return misuse{errors.New("a request needs --key FILE and --cn NAME; jf keys generate ecdsa256 --to pkcs8 --out FILE makes a key")}
	}
	data, err := a.content(m.key)
	if err != nil {
		return err
	}
	items, _, _, err := a.opened(cmd.Context(), cmd, data, m.old)
	if err != nil {
		return onCommandLine(err)
	}
	for _, i := range items {
		if i.Private != nil {
			text, err := keys.NewRequest(i, m.subject)
			if err != nil {
				return onCommandLine(err)
			}
			return a.deliver(m.out, []byte(text), false)
		}
		if i.Err != nil {
			return onCommandLine(i.Err)
		}
	}
	return misuse{fmt.Errorf("%s holds no private key", m.key)}
}

func (a *app) generateAge(m *making) error {
	if m.out == "" {
		return misuse{errors.New("say where the private half goes: --out FILE")}
	}
	identity, recipient, err := keys.NewAge()
	if err != nil {
		return err
	}
	if err := a.deliver(m.out, []byte("# public key: "+recipient+"\n"+identity.Reveal()+"\n"), true); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(a.err, "Send this public key to whoever seals something for you:")
	_, err = fmt.Fprintln(a.out, recipient)
	return err
}

// plainSecret shows a secret that was made to be seen.
func (a *app) plainSecret(m *making, s connectors.Secret, err error) error {
	if err != nil {
		return onCommandLine(err)
	}
	out := m.out
	if out == "" {
		out = "-"
	}
	return a.deliver(out, []byte(s.Reveal()+"\n"), true)
}
