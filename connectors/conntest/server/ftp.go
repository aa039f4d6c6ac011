//go:build unix

package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// An FTP server on 127.0.0.1.
type FTP struct {
	Port    int
	CA      *CA // issued its certificate, for localhost and 127.0.0.1
	Process *Process
}

// ProFTPD starts ProFTPD, which lists with MLSD. conf are further directives; TLS
// begins with "TLSEngine on" there.
func ProFTPD(tb testing.TB, u Account, conf string) *FTP {
	tb.Helper()
	program := Program(tb, "proftpd", "proftpd-core proftpd-mod-crypto")
	f := &FTP{Port: FreePort(tb), CA: NewCA(tb)}
	dir := tb.TempDir()
	cert, key := f.CA.Issue(tb, Cert{}).Write(tb, dir, "")
	WriteFile(tb, dir, "ca.pem", f.CA.PEM, 0o644)
	users := WriteFile(tb, dir, "users", u.Line(tb), 0o600)
	groups := WriteFile(tb, dir, "groups", fmt.Sprintf("%s:x:%s:\n", u.Name, u.GID), 0o600)
	path := WriteFile(tb, dir, "proftpd.conf", fmt.Sprintf(`ModulePath /usr/lib/proftpd
LoadModule mod_tls.c
ServerName practice
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
Port %[1]d
UseIPv6 off
PidFile %[2]s/pid
ScoreboardFile %[2]s/scoreboard
SystemLog %[2]s/log
WtmpLog off
TransferLog none
UseReverseDNS off
RequireValidShell off
AuthOrder mod_auth_file.c
AuthUserFile %[3]s
AuthGroupFile %[7]s
DelayEngine off
TimeoutLinger 1
TLSECCertificateFile %[4]s
TLSECCertificateKeyFile %[5]s
TLSLog %[2]s/tls.log
%[6]s
`, f.Port, dir, users, cert, key, strings.ReplaceAll(conf, "DIR", dir), groups), 0o644)
	f.Process = Start(tb, exec.Command(program, "-n", "-q", "-c", path), "127.0.0.1:"+strconv.Itoa(f.Port))
	tb.Cleanup(func() {
		if tb.Failed() {
			for _, name := range []string{"log", "tls.log"} {
				text, _ := os.ReadFile(filepath.Join(dir, name))
				tb.Logf("proftpd %s: %s", name, text[max(0, len(text)-3000):])
			}
		}
	})
	return f
}

// Vsftpd starts vsftpd, which knows no MLSD. conf are further settings; TLS
// begins with "ssl_enable=YES" there. Its Debian package cannot be installed
// beside ProFTPD's, so it is unpacked into a folder of its own.
func Vsftpd(tb testing.TB, conf string) *FTP {
	tb.Helper()
	unpacked := Cached(tb, "vsftpd", func(dir string) {
		get := exec.Command("apt-get", "download", "vsftpd")
		get.Dir = dir
		if out, err := get.CombinedOutput(); err != nil {
			tb.Fatalf("apt-get download vsftpd: %v\n%s", err, out)
		}
		found, err := filepath.Glob(filepath.Join(dir, "vsftpd_*.deb"))
		if err != nil || len(found) != 1 {
			tb.Fatalf("vsftpd's package: %v %v", found, err)
		}
		Run(tb, "dpkg", "-x", found[0], dir)
	})
	f := &FTP{Port: FreePort(tb), CA: NewCA(tb)}
	dir := tb.TempDir()
	cert, key := f.CA.Issue(tb, Cert{}).Write(tb, dir, "")
	WriteFile(tb, dir, "ca.pem", f.CA.PEM, 0o644)
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		tb.Fatal(err)
	}
	path := WriteFile(tb, dir, "vsftpd.conf", fmt.Sprintf(`listen=YES
listen_address=127.0.0.1
listen_port=%[1]d
background=NO
local_enable=YES
anonymous_enable=NO
pam_service_name=other
secure_chroot_dir=%[2]s
seccomp_sandbox=NO
isolate_network=NO
isolate=NO
ssl_tlsv1=YES
rsa_cert_file=%[3]s
rsa_private_key_file=%[4]s
ssl_ciphers=HIGH
delay_failed_login=0
log_ftp_protocol=YES
syslog_enable=NO
vsftpd_log_file=%[6]s/log
%[5]s
`, f.Port, empty, cert, key, strings.ReplaceAll(conf, "DIR", dir), dir), 0o600)
	f.Process = Start(tb, exec.Command(filepath.Join(unpacked, "usr/sbin/vsftpd"), path), "127.0.0.1:"+strconv.Itoa(f.Port))
	tb.Cleanup(func() {
		if tb.Failed() {
			text, _ := os.ReadFile(filepath.Join(dir, "log"))
			tb.Logf("vsftpd: %s\n%s", f.Process.Output(), text[max(0, len(text)-3000):])
		}
	})
	return f
}
