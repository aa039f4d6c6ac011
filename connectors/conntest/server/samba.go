//go:build unix

package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"
)

// The one domain that Samba tests use. A domain controller's ports cannot be
// chosen, so there is never more than one.
const (
	sambaDomain   = "jack.test"
	sambaBase     = "DC=jack,DC=test"
	sambaHost     = "dc1.jack.test"
	sambaPassword = "practice-only-Adm1n"
	layout        = "3" // to be counted up with every change of provision
)

// A Domain is a running Samba Active Directory domain controller on 127.0.0.1:
// LDAP on 389 and 636, the global catalog on 3268 and 3269, Kerberos on 88, and
// SMB on 445 where DomainSpec.Services has "s3fs".
type Domain struct {
	Name     string // "jack.test"
	NetBIOS  string // "JACK"
	Realm    string // "JACK.TEST"
	Base     string // "DC=jack,DC=test"
	Host     string // "dc1.jack.test", which no DNS knows; it has the SPNs ldap/, HOST/ and cifs/ with this name
	Admin    string // "Administrator"
	Password string // of Admin
	CA       *CA    // issued the certificate for Host, localhost and 127.0.0.1
	KDC      string // "127.0.0.1:88"

	dir     string
	process *Process
	stdin   io.Closer
	lock    *os.File
}

// A DomainSpec is what a domain holds and how it is started.
type DomainSpec struct {
	// LDIF are entries that are made before it starts, after Base and the usual
	// containers. UnicodePwd writes a password. What is made of it is kept
	// between runs, so nothing in it may depend on the time.
	LDIF string
	// Old are the DNs of users whose password was set in 2012, and so has expired.
	Old []string
	// Services are added to ldap, cldap, kdc and rpc: "s3fs" and "winbindd" for file shares.
	Services []string
	// Global are further lines of smb.conf's [global].
	Global string
	// Sections are further sections of smb.conf: a share is
	// "[docs]\npath = /folder\nread only = no\n". Its folder must be open to everybody.
	Sections string
}

// Samba starts a domain controller and stops it when the test ends; Stop ends
// it sooner. Tests of other processes that want one wait until this one is
// gone, so one domain should serve all tests of a package. A password's policy
// is: any of them will do, none expires for 900 days, three wrong ones lock the
// account.
//
// For a test of file shares: Services "s3fs" and "winbindd", Sections with the
// shares, users in LDIF, and //127.0.0.1/docs as JACK\name, by NTLM or, with the
// SPN cifs/ and Host, by Kerberos.
func Samba(tb testing.TB, spec DomainSpec) *Domain {
	tb.Helper()
	program := Program(tb, "samba", "samba")
	d := &Domain{
		Name: sambaDomain, NetBIOS: "JACK", Realm: strings.ToUpper(sambaDomain), Base: sambaBase, Host: sambaHost,
		Admin: "Administrator", Password: sambaPassword, CA: NewCA(tb), KDC: "127.0.0.1:88",
		dir: filepath.Join(tb.TempDir(), "dc"), lock: alone(tb),
	}
	tb.Cleanup(d.Stop)
	sum := sha256.Sum256([]byte(layout + spec.LDIF + strings.Join(spec.Old, "\n")))
	ready := Cached(tb, "samba-"+hex.EncodeToString(sum[:8]), func(dir string) { provision(tb, dir, spec) })
	Run(tb, "cp", "-a", "--sparse=always", filepath.Join(ready, "dc"), d.dir)
	d.configure(tb, spec)
	cmd := exec.Command(program, "-F", "--no-process-group", "-M", "single", "-s", d.conf())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // file shares have processes of their own
	stdin, err := cmd.StdinPipe()                         // at its end Samba ends too, even if this test is killed
	if err != nil {
		tb.Fatal(err)
	}
	d.stdin = stdin
	d.process = Start(tb, cmd, "127.0.0.1:636")
	ports := []string{"88", "389", "3268", "3269"}
	if slices.Contains(spec.Services, "s3fs") {
		ports = append(ports, "445")
	}
	for _, port := range ports {
		if err := d.process.await("127.0.0.1:" + port); err != nil {
			tb.Fatalf("samba: %v\n%s", err, d.process.Output())
		}
	}
	return d
}

// alone waits until no other test has a domain controller.
func alone(tb testing.TB) *os.File {
	tb.Helper()
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "jackfield-samba.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return f
		}
		if time.Now().After(end) {
			_ = f.Close()
			tb.Fatalf("another test keeps its domain controller: %v", err)
		}
	}
}

// provision makes a domain with everything in it, except what depends on where
// it lies.
func provision(tb testing.TB, dir string, spec DomainSpec) {
	tb.Helper()
	tool := Program(tb, "samba-tool", "samba-ad-dc samba-ad-provision winbind")
	dc := filepath.Join(dir, "dc")
	// Without a file of its own it copies what the distribution configured.
	blank := WriteFile(tb, dir, "init.conf", "[global]\n", 0o600)
	Run(tb, tool, "domain", "provision", "--configfile="+blank, "--server-role=dc", "--use-rfc2307", "--dns-backend=SAMBA_INTERNAL",
		"--realm="+strings.ToUpper(sambaDomain), "--domain=JACK", "--adminpass="+sambaPassword, "--targetdir="+dc, "--host-name=dc1", "--host-ip=127.0.0.1")
	conf := filepath.Join(dc, "etc", "smb.conf")
	Run(tb, tool, "domain", "passwordsettings", "set", "--complexity=off", "--min-pwd-length=0", "--history-length=0", "--min-pwd-age=0",
		"--max-pwd-age=900", "--account-lockout-threshold=3", "-H", filepath.Join(dc, "private", "sam.ldb"), "-s", conf)
	offline(tb, dc, "add", spec.LDIF)
	// The SPNs that a controller registers by itself once it has found its DNS.
	var changes strings.Builder
	fmt.Fprintf(&changes, "dn: CN=DC1,OU=Domain Controllers,%s\nchangetype: modify\nadd: servicePrincipalName\n", sambaBase)
	for _, service := range []string{"ldap", "cifs"} {
		fmt.Fprintf(&changes, "servicePrincipalName: %s/%s\n", service, sambaHost)
	}
	for _, dn := range spec.Old {
		fmt.Fprintf(&changes, "\ndn: %s\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 130000000000000000\n", dn)
	}
	offline(tb, dc, "modify", changes.String())
}

// offline changes the database of a domain that is not running.
func offline(tb testing.TB, dc, how, ldif string) {
	tb.Helper()
	if ldif == "" {
		return
	}
	// The control (PASSWORD_BYPASS_LAST_SET) lets a modification say when a password was set.
	const script = `import sys
from samba.samdb import SamDB
from samba.param import LoadParm
from samba.auth import system_session
lp = LoadParm()
lp.load(sys.argv[1] + "/etc/smb.conf")
db = SamDB(url=sys.argv[1] + "/private/sam.ldb", session_info=system_session(), lp=lp)
db.transaction_start()
if sys.argv[2] == "add":
    db.add_ldif(sys.stdin.read())
else:
    db.modify_ldif(sys.stdin.read(), controls=["local_oid:1.3.6.1.4.1.7165.4.3.20:0"])
db.transaction_commit()
`
	cmd := exec.Command("/usr/bin/python3", "-c", script, dc, how) // python3-samba, which samba-ad-dc brings
	cmd.Stdin = strings.NewReader(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("making the domain's entries: %v\n%s", err, out)
	}
}

func (d *Domain) conf() string { return filepath.Join(d.dir, "etc", "smb.conf") }

func (d *Domain) configure(tb testing.TB, spec DomainSpec) {
	tb.Helper()
	cert, key := d.CA.Issue(tb, Cert{Name: d.Host, Names: []string{d.Host, "localhost"}, IPs: []string{"127.0.0.1"}}).Write(tb, d.dir, "")
	ca := WriteFile(tb, d.dir, "ca.pem", d.CA.PEM, 0o644)
	services := strings.Join(append([]string{"ldap", "cldap", "kdc", "rpc"}, spec.Services...), ", ")
	WriteFile(tb, filepath.Join(d.dir, "etc"), "smb.conf", fmt.Sprintf(`[global]
netbios name = DC1
realm = %[2]s
workgroup = %[3]s
server role = active directory domain controller
idmap_ldb:use rfc2307 = yes
private dir = %[1]s/private
state directory = %[1]s/state
cache directory = %[1]s/cache
lock directory = %[1]s
pid directory = %[1]s
ncalrpc dir = %[1]s/ncalrpc
binddns dir = %[1]s/bind-dns
log file = %[1]s/log
interfaces = lo
bind interfaces only = yes
server services = %[4]s
ldap server require strong auth = allow_sasl_over_tls
tls enabled = yes
tls certfile = %[5]s
tls keyfile = %[6]s
tls cafile = %[7]s
%[8]s

%[9]s
`, d.dir, d.Realm, d.NetBIOS, services, cert, key, ca, spec.Global, spec.Sections), 0o600)
}

// Stop ends the domain controller and lets others have the ports. It may be
// called twice.
func (d *Domain) Stop() {
	if d.stdin != nil {
		_ = d.stdin.Close()
	}
	if d.process != nil {
		select {
		case <-d.process.done:
		case <-time.After(5 * time.Second):
		}
		_ = syscall.Kill(-d.process.Cmd.Process.Pid, syscall.SIGKILL)
		<-d.process.done
		d.endServices()
		d.process = nil
	}
	_ = d.lock.Close()
}

// endServices ends smbd and winbindd, which lead process groups of their own,
// and removes what they still write to.
func (d *Domain) endServices() {
	for _, name := range []string{"smbd", "winbindd"} {
		text, err := os.ReadFile(filepath.Join(d.dir, name+".pid"))
		if err != nil {
			continue
		}
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && pid > 1 {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
	}
	for range 50 {
		if os.RemoveAll(d.dir) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Tool runs samba-tool on the domain's database while it runs: "user",
// "disable", "ann". It takes a second; what many tests need belongs into the LDIF.
func (d *Domain) Tool(tb testing.TB, args ...string) string {
	tb.Helper()
	return Run(tb, Program(tb, "samba-tool", "samba-ad-dc"), append(args, "-s", d.conf())...)
}

// Keytab is a keytab of a user's or computer's present keys, as base64.
func (d *Domain) Keytab(tb testing.TB, principal string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "keytab")
	d.Tool(tb, "domain", "exportkeytab", path, "--principal="+principal)
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(data)
}

// UnicodePwd is the LDIF line that gives an entry its password (MS-ADTS 3.1.1.3.1.5).
func UnicodePwd(password string) string {
	var raw []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		raw = append(raw, byte(unit), byte(unit>>8))
	}
	return "unicodePwd:: " + base64.StdEncoding.EncodeToString(raw)
}
