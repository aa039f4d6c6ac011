package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// A Realm is a running MIT Kerberos KDC with a database of its own.
type Realm struct {
	Name string // "EXAMPLE.TEST"
	Addr string // host:port, over TCP and UDP
	Conf string // the path of a krb5.conf that knows this realm, readable by everybody

	dir   string
	env   []string
	admin string // kadmin.local
}

// KDC starts a KDC for the realm EXAMPLE.TEST, with nobody in it.
func KDC(tb testing.TB) *Realm {
	tb.Helper()
	return KDCFor(tb, "EXAMPLE.TEST", "")
}

// KDCFor starts a KDC for a realm. domains are the lines of krb5.conf's
// [domain_realm]: which realm a host belongs to, and so where a client is
// referred to.
func KDCFor(tb testing.TB, realm, domains string) *Realm {
	tb.Helper()
	program := Program(tb, "krb5kdc", "krb5-kdc")
	admin := Program(tb, "kadmin.local", "krb5-admin-server")
	util := Program(tb, "kdb5_util", "krb5-kdc")
	dir := tb.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	addr := "127.0.0.1:" + strconv.Itoa(FreePort(tb))
	conf := WriteFile(tb, dir, "krb5.conf", fmt.Sprintf(`[libdefaults]
 default_realm = %[1]s
 dns_lookup_kdc = false
 dns_lookup_realm = false
 rdns = false
[realms]
 %[1]s = {
  kdc = %[2]s
 }
[domain_realm]
%[3]s
`, realm, addr, domains), 0o644)
	profile := WriteFile(tb, dir, "kdc.conf", fmt.Sprintf(`[kdcdefaults]
 kdc_listen = %[2]s
 kdc_tcp_listen = %[2]s
[realms]
 %[1]s = {
  database_name = %[3]s/principal
  key_stash_file = %[3]s/stash
  acl_file = %[3]s/acl
  max_renewable_life = 7d
  supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
  default_principal_flags = +preauth
 }
[logging]
 kdc = STDERR
`, realm, addr, dir), 0o600)
	r := &Realm{
		Name: realm, Addr: addr, Conf: conf, dir: dir, admin: admin,
		env: append(os.Environ(), "KRB5_CONFIG="+conf, "KRB5_KDC_PROFILE="+profile),
	}
	r.run(tb, util, "-r", realm, "create", "-s", "-P", "practice-only-master")
	cmd := exec.Command(program, "-n", "-r", realm, "-P", filepath.Join(dir, "pid"))
	cmd.Env = r.env
	p := Start(tb, cmd, addr)
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("krb5kdc: %s", p.Output())
		}
	})
	return r
}

// AddUser makes a principal with a password. options are addprinc's, such as
// "-pwexpire yesterday".
func (r *Realm) AddUser(tb testing.TB, name, password string, options ...string) {
	tb.Helper()
	r.Admin(tb, append(append([]string{"addprinc"}, options...), "-pw", password, name)...)
}

// Keytab makes the principal where it is missing, gives it random keys, and
// returns a keytab that has them. options are ktadd's, such as
// "-e aes128-cts-hmac-sha1-96:normal".
func (r *Realm) Keytab(tb testing.TB, principal string, options ...string) []byte {
	tb.Helper()
	if err := r.try(r.admin, "-r", r.Name, "getprinc", principal); err != nil {
		r.Admin(tb, "addprinc", "-randkey", principal)
	}
	path := filepath.Join(tb.TempDir(), "keytab")
	r.Admin(tb, append(append([]string{"ktadd", "-k", path}, options...), principal)...)
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// Admin runs one query of kadmin.local.
func (r *Realm) Admin(tb testing.TB, query ...string) {
	tb.Helper()
	r.run(tb, r.admin, append([]string{"-r", r.Name}, query...)...)
}

func (r *Realm) run(tb testing.TB, name string, args ...string) {
	tb.Helper()
	if err := r.try(name, args...); err != nil {
		tb.Fatal(err)
	}
}

func (r *Realm) try(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir = r.env, r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
	}
	return nil
}
