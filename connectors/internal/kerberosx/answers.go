package kerberosx

import (
	"net"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/keytabx"
)

// realmShape is narrower than RFC 4120 section 6.1: it is what domain-style
// realms consist of, and nothing that a configuration file would read otherwise.
var realmShape = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,253}[A-Za-z0-9_])?$`)

// spnShape is service/host, as RFC 4120 section 6.2.1 has it for hosts.
var spnShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}/[A-Za-z0-9_]([A-Za-z0-9._:-]{0,253}[A-Za-z0-9_])?$`)

// maxKDCs bounds how many are asked, typed or from the DNS.
const maxKDCs = 8

func newClient(cfg Config) (*Client, error) {
	c := &Client{cfg: cfg, turn: make(chan struct{}, 1)}
	name, realm, err := c.who()
	if err != nil {
		return nil, err
	}
	var own *keys
	if !cfg.Keytab.Empty() {
		entries, err := keytabx.Read([]byte(cfg.Keytab.Reveal()))
		if err != nil {
			return nil, bad("kerberos.keytab", cfg.Fields.keytab(), "")
		}
		own = &keys{entries}
		if name == "" {
			name, realm = own.only(realm)
		}
	}
	if err := c.settle(name, realm); err != nil {
		return nil, err
	}
	if own == nil {
		if cfg.Password.Empty() {
			return nil, bad("kerberos.password_missing", cfg.Fields.password(), "")
		}
		c.secret = secret{password: cfg.Password}
		return c, nil
	}
	if c.secret, err = own.of(c.name, c.realm, cfg.Fields.keytab()); err != nil {
		return nil, err
	}
	return c, nil
}

// who takes user and realm apart.
func (c *Client) who() (name, realm string, err error) {
	name, realm = strings.TrimSpace(c.cfg.User), strings.TrimSpace(c.cfg.Realm)
	i := strings.LastIndexByte(name, '@')
	if i < 0 {
		return name, realm, nil
	}
	if realm == "" {
		return name[:i], name[i+1:], nil
	}
	if !strings.EqualFold(name[i+1:], realm) {
		return "", "", bad("kerberos.user", c.cfg.Fields.user(), "")
	}
	return name[:i], realm, nil
}

// settle checks the answers before anything is made of them.
func (c *Client) settle(name, realm string) error {
	f := c.cfg.Fields
	if !realmShape.MatchString(realm) {
		return bad("kerberos.realm_shape", f.realm(), "")
	}
	if !validName(name) {
		return bad("kerberos.user", f.user(), "")
	}
	for _, host := range c.typedKDCs() {
		if !validAddr(host) {
			return bad("kerberos.kdc_shape", f.kdc(), "")
		}
	}
	c.name, c.realm = types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, name), realm
	if c.cfg.SPN != "" {
		if _, ok := c.spn(""); !ok {
			return bad("kerberos.spn_shape", f.spn(), "")
		}
	}
	return nil
}

func validName(name string) bool {
	if len(name) > 256 || strings.ContainsAny(name, `\@`) || strings.ContainsFunc(name, unicode.IsControl) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.TrimSpace(part) != part || part == "" {
			return false
		}
	}
	return true
}

// typedKDCs are the host:port pairs of the answer, whether they are right or not.
func (c *Client) typedKDCs() []string {
	var out []string
	for part := range strings.SplitSeq(c.cfg.KDC, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(part); err != nil {
			part = net.JoinHostPort(strings.Trim(part, "[]"), "88")
		}
		out = append(out, part)
	}
	return out[:min(len(out), maxKDCs)]
}

func validAddr(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	return err == nil && answers.ValidHost(host) == nil && answers.ValidPort(port) == nil
}

// spn is the service's name without its realm: the answer, or HTTP and the
// origin's host.
func (c *Client) spn(origin string) (string, bool) {
	spn := strings.TrimSpace(c.cfg.SPN)
	if spn == "" {
		u, err := url.Parse(origin)
		if err != nil {
			return "", false
		}
		spn = "HTTP/" + strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	}
	spn = strings.TrimSuffix(spn, "@"+c.realm)
	return spn, spnShape.MatchString(spn)
}

func bad(reason, field, said string) *connectors.Error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Field: field, Said: said}
}
