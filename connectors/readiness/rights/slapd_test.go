package rights_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors/conntest/server"
)

const (
	company = "dc=example,dc=test"
	reader  = `cn=rea\22der,` + company // has a quotation mark
)

// startSlapd has its configuration in cn=config, and denies everything to everybody.
func startSlapd(t *testing.T) int {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"data", "conf"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	old := server.WriteFile(t, dir, "slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
database config
rootdn "cn=config"
rootpw admin-practice
database mdb
dbnosync
suffix "%[2]s"
rootdn "cn=admin,%[2]s"
rootpw admin-practice
directory %[1]s/data
access to attrs=userPassword by anonymous auth by * none
access to * by * none
`, dir, company), 0o600)
	entry := func(dn, more string) string {
		return "dn: " + dn + "\n" + more + "\nuserPassword: " + newPassword + "\n\n"
	}
	seed := "dn: " + company + "\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n" +
		"dn: ou=People," + company + "\nobjectClass: organizationalUnit\nou: People\n\n" +
		entry(reader, "objectClass: person\ncn: rea\"der\nsn: Reader") + entry("cn=ann,ou=People,"+company, "objectClass: person\ncn: ann\nsn: Ann")
	server.Run(t, server.Program(t, "slapadd", "slapd"), "-q", "-f", old, "-l", server.WriteFile(t, dir, "seed.ldif", seed, 0o600))
	server.Run(t, server.Program(t, "slaptest", "slapd"), "-f", old, "-F", filepath.Join(dir, "conf"))
	port := server.FreePort(t)
	addr := "127.0.0.1:" + strconv.Itoa(port)
	server.Start(t, exec.Command(server.Program(t, "slapd", "slapd"), "-d", "0", "-F", filepath.Join(dir, "conf"), "-h", "ldap://"+addr), addr)
	return port
}

func TestSlapdTakesTheChange(t *testing.T) {
	t.Parallel()
	port := startSlapd(t)
	s := settings(t, "ldap", "host", "127.0.0.1", "port", strconv.Itoa(port), "security", "none", "user", reader, "password", newPassword, "base_dn", company)
	before := look(t, "ldap", s)
	if strings.Contains(before, "ann") {
		t.Fatalf("everything is open to everybody:\n%s", before)
	}
	url := "ldap://127.0.0.1:" + strconv.Itoa(port)
	change := exec.Command(server.Program(t, "ldapmodify", "ldap-utils"), "-x", "-H", url, "-D", "cn=config", "-w", "admin-practice")
	change.Stdin = strings.NewReader(grant(t, "ldap", s, 1))
	if out, err := change.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Log(server.Run(t, "ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", url, "-D", "cn=config", "-w", "admin-practice", "-b", "olcDatabase={1}mdb,cn=config", "-s", "base", "olcAccess"))
	after := look(t, "ldap", s)
	if !strings.Contains(after, "ann") || strings.Contains(after, "not opened") || strings.Contains(after, "check:") {
		t.Errorf("with the change:\n%s", after)
	}
	found := server.Run(t, server.Program(t, "ldapsearch", "ldap-utils"), "-x", "-LLL", "-H", url, "-D", reader, "-w", newPassword, "-b", company, "(cn=ann)")
	if strings.Contains(found, "userPassword") || !strings.Contains(found, "sn: Ann") {
		t.Errorf("it sees\n%s", found)
	}
	write := "dn: cn=ann,ou=People," + company + "\nchangetype: modify\nreplace: sn\nsn: Other\n"
	refused(t, "insufficient access", nil, write, server.Program(t, "ldapmodify", "ldap-utils"), "-x", "-H", url, "-D", reader, "-w", newPassword)
}
