package server

import (
	"fmt"
	"os/exec"
	"strconv"
	"testing"
)

// Nginx starts nginx with TLS that lets in only who presents a certificate of
// ca, and returns its host:port. A page at "/" names the certificate's subject.
func Nginx(tb testing.TB, ca *CA) (addr string) {
	tb.Helper()
	program := Program(tb, "nginx", "nginx")
	dir := tb.TempDir()
	cert, key := ca.Issue(tb, Cert{}).Write(tb, dir, "server-")
	roots := WriteFile(tb, dir, "ca.pem", ca.PEM, 0o644)
	addr = "127.0.0.1:" + strconv.Itoa(FreePort(tb))
	conf := WriteFile(tb, dir, "nginx.conf", fmt.Sprintf(`daemon off;
pid %[1]s/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
  server {
    listen %[2]s ssl;
    ssl_certificate %[3]s;
    ssl_certificate_key %[4]s;
    ssl_client_certificate %[5]s;
    ssl_verify_client on;
    ssl_verify_depth 3;
    location / { default_type application/json; return 200 '{"login": "$ssl_client_s_dn", "token": "$http_x_api_key"}'; }
  }
}
`, dir, addr, cert, key, roots), 0o644)
	Start(tb, exec.Command(program, "-p", dir, "-c", conf), addr)
	return addr
}
