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

// apacheModules lies where Debian's apache2-bin puts its modules.
const apacheModules = "/usr/lib/apache2/modules/"

// Apache starts an Apache HTTP Server and returns its host:port. conf are further
// directives of its main configuration, such as a <Location>; modules are the
// further modules that they need, by their names ("auth_digest"). A page at "/"
// says "ok". The listening process serves several connections at once, as
// www-data where the tests run as root: tb.TempDir is opened to it, so the files
// named in conf may lie in one, but must be readable by everybody themselves.
func Apache(tb testing.TB, conf string, modules ...string) (addr string) {
	tb.Helper()
	program := Program(tb, "apache2", "apache2")
	dir := tb.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	pages := filepath.Join(dir, "pages")
	if err := os.Mkdir(pages, 0o755); err != nil {
		tb.Fatal(err)
	}
	WriteFile(tb, pages, "index.html", "ok", 0o644)
	addr = "127.0.0.1:" + strconv.Itoa(FreePort(tb))
	path := WriteFile(tb, dir, "apache.conf", apacheConf(dir, addr, modules)+conf+"\n", 0o644)
	p := Start(tb, exec.Command(program, "-X", "-f", path), addr)
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("apache2: %s", p.Output())
		}
	})
	return addr
}

// apacheConf is what every server needs. mpm_event, because with -X there is one
// process, and mpm_prefork's answers one connection at a time.
func apacheConf(dir, addr string, modules []string) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "ServerRoot %q\nServerName localhost\nListen %s\nPidFile %q\n", dir, addr, filepath.Join(dir, "apache.pid"))
	_, _ = fmt.Fprintf(&b, "DefaultRuntimeDir %q\nDocumentRoot %q\nErrorLog /dev/stderr\nLogLevel warn\n", dir, filepath.Join(dir, "pages"))
	loaded := map[string]bool{}
	for _, name := range append([]string{"mpm_event", "authn_core", "authz_core", "authz_user", "dir"}, modules...) {
		if !loaded[name] {
			_, _ = fmt.Fprintf(&b, "LoadModule %s_module %smod_%s.so\n", name, apacheModules, name)
		}
		loaded[name] = true
	}
	if os.Getuid() == 0 {
		b.WriteString("User www-data\nGroup www-data\n")
	}
	b.WriteString("DirectoryIndex index.html\n")
	return b.String()
}
