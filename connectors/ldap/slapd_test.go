package ldap

import (
	"encoding/base64"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// A directory is a started slapd with a company's tree in it.
type directory struct {
	plain, secure int // ports
	ca            *server.CA
	dir           string
}

const (
	company = "dc=example,dc=test"
	people  = "ou=People," + company
	reader  = "cn=reader," + company
	admin   = "cn=admin," + company
)

// The practice passwords; the awkward one has what would break a filter, a DN or a URL.
const (
	readerPassword = ` x)(uid=*"@/#?%\:& `
	adminPassword  = "admin-practice"
)

// An option changes what slapd is started with.
type option struct {
	expired bool   // the certificate has run out
	more    string // configuration of the database
	many    int    // entries of ou=Many
}

func startSlapd(tb testing.TB, o option) *directory {
	tb.Helper()
	daemon := server.Program(tb, "slapd", "slapd")
	add := server.Program(tb, "slapadd", "slapd")
	dir := tb.TempDir()
	d := &directory{plain: server.FreePort(tb), secure: server.FreePort(tb), ca: server.NewCA(tb), dir: dir}
	cert, key := d.ca.Issue(tb, server.Cert{Expired: o.expired}).Write(tb, dir, "")
	ca := server.WriteFile(tb, dir, "ca.pem", d.ca.PEM, 0o644)
	server.Run(tb, "mkdir", filepath.Join(dir, "data"))
	conf := server.WriteFile(tb, dir, "slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile %[1]s/pid
TLSCertificateFile %[2]s
TLSCertificateKeyFile %[3]s
TLSCACertificateFile %[4]s
TLSVerifyClient try
sizelimit unlimited
database mdb
maxsize 1073741824
dbnosync
suffix "%[5]s"
rootdn "%[6]s"
rootpw %[7]s
directory %[1]s/data
index objectClass,entryCSN eq
access to dn.subtree="ou=Closed,%[5]s" attrs=children by * none
access to dn.subtree="ou=Closed,%[5]s" by users search by * none
access to dn.subtree="ou=Secret,%[5]s" by * none
access to attrs=userPassword by anonymous auth by dn="%[8]s" read by * none
access to * by users read by anonymous read
overlay ppolicy
ppolicy_default "cn=default,ou=Policies,%[5]s"
ppolicy_use_lockout
%[9]s
`, dir, cert, key, ca, company, admin, adminPassword, reader, o.more), 0o600)
	server.Run(tb, add, "-q", "-f", conf, "-l", server.WriteFile(tb, dir, "seed.ldif", seed(o.many), 0o600))
	addr := "127.0.0.1:" + strconv.Itoa(d.plain)
	// "-d 0" keeps it in the foreground.
	server.Start(tb, exec.Command(daemon, "-d", "0", "-f", conf, "-h", "ldap://"+addr+" ldaps://127.0.0.1:"+strconv.Itoa(d.secure)), addr)
	return d
}

func seed(many int) string {
	var b strings.Builder
	entry := func(dn string, lines ...string) {
		fmt.Fprintf(&b, "dn:: %s\n%s\n\n", base64.StdEncoding.EncodeToString([]byte(dn)), strings.Join(lines, "\n"))
	}
	secret := func(v string) string { return "userPassword:: " + base64.StdEncoding.EncodeToString([]byte(v)) }
	unit := func(name, below string) {
		entry("ou="+name+","+below, "objectClass: organizationalUnit", "ou: "+name, "description: The unit "+name)
	}
	person := func(uid, below string, more ...string) {
		entry("uid="+uid+","+below, append([]string{"objectClass: inetOrgPerson", "uid: " + uid, "cn: " + uid, "sn: Test", "mail: " + uid + "@example.test"}, more...)...)
	}
	entry(company, "objectClass: dcObject", "objectClass: organization", "dc: example", "o: Example")
	entry(reader, "objectClass: person", "cn: reader", "sn: Reader", secret(readerPassword))
	for _, name := range []string{"People", "Groups", "Strange", "Many", "Empty", "Closed", "Secret", "Policies"} {
		unit(name, company)
	}
	unit("Nested", people)
	person("ann", people, secret("ann-practice"), "jpegPhoto:: "+base64.StdEncoding.EncodeToString([]byte("just text, but a photo")), "title: Engineer")
	person("locked", people, secret("locked-practice"))
	person("old", people, secret("old-practice"), "pwdPolicySubentry: cn=old,ou=Policies,"+company, "pwdChangedTime: 20010101000000Z")
	person("reset", people, secret("reset-practice"), "pwdPolicySubentry: cn=reset,ou=Policies,"+company, "pwdReset: TRUE")
	person("grace", people, secret("grace-practice"), "pwdPolicySubentry: cn=grace,ou=Policies,"+company, "pwdChangedTime: 20010101000000Z")
	person("soon", people, secret("soon-practice"), "pwdPolicySubentry: cn=soon,ou=Policies,"+company, "pwdChangedTime: "+time.Now().UTC().Format("20060102150405Z"))
	person("bob", "ou=Nested,"+people)
	entry("cn=staff,ou=Groups,"+company, "objectClass: groupOfNames", "cn: staff", "member: uid=ann,"+people, "member: uid=bob,ou=Nested,"+people)
	entry("cn=device,ou=Groups,"+company, "objectClass: device", "cn: device")
	for i, name := range []string{"\u202egpj.exe", "line\nbreak", `a\,b\=c`, "zero\u200bwidth", `*)(uid=*))(|(uid=`} {
		dn := strings.NewReplacer("\n", `\0A`, "*", `\2a`, "(", `\28`, ")", `\29`).Replace(name)
		plain := strings.NewReplacer(`\,`, ",", `\=`, "=").Replace(name)
		entry("cn="+dn+",ou=Strange,"+company, "objectClass: person", "cn:: "+base64.StdEncoding.EncodeToString([]byte(plain)), fmt.Sprintf("sn: %d", i))
	}
	entry("cn=in,ou=Closed,"+company, "objectClass: person", "cn: in", "sn: Closed")
	entry("cn=in,ou=Secret,"+company, "objectClass: person", "cn: in", "sn: Secret")
	entry("ou=Elsewhere,"+company, "objectClass: referral", "objectClass: extensibleObject", "ou: Elsewhere", "ref: ldap://evil.invalid/ou=Elsewhere,"+company)
	policy := func(name string, more ...string) {
		entry("cn="+name+",ou=Policies,"+company, append([]string{"objectClass: device", "objectClass: pwdPolicy", "cn: " + name, "pwdAttribute: 2.5.4.35"}, more...)...)
	}
	policy("default", "pwdLockout: TRUE", "pwdMaxFailure: 3", "pwdMustChange: TRUE")
	policy("old", "pwdMaxAge: 60")
	policy("reset", "pwdMustChange: TRUE")
	policy("grace", "pwdMaxAge: 60", "pwdGraceAuthnLimit: 5")
	policy("soon", "pwdMaxAge: 864000", "pwdExpireWarning: 863999")
	for i := range many {
		name := fmt.Sprintf("p%06d", i)
		entry("uid="+name+",ou=Many,"+company, "objectClass: inetOrgPerson", "uid: "+name, "cn: "+name, "sn: Many", "description: One of many")
	}
	return b.String()
}

// settings are those of the reader over LDAPS; more are pairs that change them,
// password among them.
func (d *directory) settings(more ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(d.secure), "user": reader, "ca": d.ca.PEM}
	s.Secrets["password"] = connectors.NewSecret(readerPassword)
	for i := 0; i+1 < len(more); i += 2 {
		switch more[i] {
		case "password":
			s.Secrets["password"] = connectors.NewSecret(more[i+1])
		case "security":
			s.Plain["security"] = more[i+1]
			if more[i+1] != overTLS {
				s.Plain["port"] = strconv.Itoa(d.plain)
			}
		default:
			s.Plain[more[i]] = more[i+1]
		}
	}
	return s
}

func (d *directory) with(more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return d.settings(more...) }
}

func at(host, port string) []string { return []string{"host", host, "port", port} }
