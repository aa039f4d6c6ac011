package server

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A ClickHouseConf says what server to start. The user default, without a
// password, may do everything.
type ClickHouseConf struct {
	Users    string // further elements of <users>, of which the quota is "default"
	Profiles string // further elements of <profiles>
	CA       *CA    // opens an HTTPS port, which asks for no client certificate
}

// A ClickHouse is a running ClickHouse server with a folder of its own.
type ClickHouse struct {
	HTTP, Native int
	HTTPS        int // 0 without a CA
}

// StartClickHouse starts a server and returns once it takes HTTP.
func StartClickHouse(tb testing.TB, conf ClickHouseConf) *ClickHouse {
	tb.Helper()
	program := Program(tb, "clickhouse-server", "clickhouse-server")
	dir := tb.TempDir()
	for _, sub := range []string{"data", "tmp", "files", "schemas"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	c := &ClickHouse{HTTP: FreePort(tb), Native: FreePort(tb)}
	secure := ""
	if conf.CA != nil {
		c.HTTPS = FreePort(tb)
		cert, key := conf.CA.Issue(tb, Cert{}).Write(tb, dir, "server-")
		secure = fmt.Sprintf("<https_port>%d</https_port><openSSL><server><certificateFile>%s</certificateFile><privateKeyFile>%s</privateKeyFile><verificationMode>none</verificationMode><loadDefaultCAFile>false</loadDefaultCAFile></server></openSSL>", c.HTTPS, cert, key)
	}
	WriteFile(tb, dir, "users.xml", `<yandex><profiles><default/>`+conf.Profiles+`</profiles><quotas><default/></quotas>
<users><default><password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default>`+conf.Users+`</users></yandex>`, 0o600)
	path := WriteFile(tb, dir, "config.xml", fmt.Sprintf(`<yandex>
<logger><level>warning</level><console>true</console></logger>
<listen_host>127.0.0.1</listen_host><tcp_port>%d</tcp_port><http_port>%d</http_port>%s
<path>%[4]s/data/</path><tmp_path>%[4]s/tmp/</tmp_path><user_files_path>%[4]s/files/</user_files_path><format_schema_path>%[4]s/schemas/</format_schema_path>
<users_config>users.xml</users_config><mark_cache_size>100000000</mark_cache_size><default_profile>default</default_profile><default_database>default</default_database>
</yandex>`, c.Native, c.HTTP, secure, dir), 0o600)
	cmd := exec.Command(program, "--config-file="+path)
	cmd.Dir = dir
	p := Start(tb, cmd, "127.0.0.1:"+strconv.Itoa(c.HTTP))
	showLog(tb, "clickhouse-server", p)
	return c
}

// Run runs statements as the user default.
func (c *ClickHouse) Run(tb testing.TB, statements ...string) string {
	tb.Helper()
	out := ""
	for _, q := range statements {
		res, err := http.Post("http://127.0.0.1:"+strconv.Itoa(c.HTTP)+"/", "text/plain", strings.NewReader(q))
		if err != nil {
			tb.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			tb.Fatalf("%s: %v %s", q, err, body)
		}
		out = string(body)
	}
	http.DefaultClient.CloseIdleConnections()
	return out
}
