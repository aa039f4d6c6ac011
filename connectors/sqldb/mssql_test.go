package sqldb

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// accounts are the users of the stand-in and what becomes of their sign-in.
func accounts() map[string]tdsError {
	return map[string]tdsError{
		"untrusted":  {number: 18452, text: "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication."},
		"disabled":   {number: 18470, text: "Login failed for user 'disabled'. Reason: The account is disabled."},
		"locked":     {number: 18486, text: "Login failed for user 'locked' because the account is currently locked out. The system administrator can unlock it."},
		"expired":    {number: 18487, text: "Login failed for user 'expired'.  Reason: The password of the account has expired."},
		"mustchange": {number: 18488, text: "Login failed for user 'mustchange'.  Reason: The password of the account must be changed."},
		"triggered":  {number: 17892, text: "Logon failed for login 'triggered' due to trigger execution."},
		"outside":    {number: 40615, text: "Cannot open server 'acme' requested by the login. Client with IP address '203.0.113.5' is not allowed to access the server."},
		"paused":     {number: 40613, text: "Database 'Sales' on server 'acme' is not currently available."},
		"busy":       {number: 40501, text: "The service is currently busy."},
		"nameless":   {number: 40532, text: "Cannot open server \"\" requested by the login. The login failed."},
		"private":    {number: 47073, text: "An instance-specific error occurred: Deny Public Network Access is set to Yes."},
		"homeless":   {number: 18456, text: "Login failed for user 'homeless'.", before: []tdsError{{number: 4064, text: "Cannot open user default database. Login failed."}}},
		"crowded":    {number: 17809, text: "Could not connect because the maximum number of '10' user connections has already been reached."},
	}
}

// signInWith lets in reader with its password, and nobody into databases that
// are not there.
func signInWith(passwords map[string]string) func(*tdsConn, login7) *tdsError {
	return func(c *tdsConn, in login7) *tdsError {
		if e, ok := accounts()[in.user]; ok {
			return &e
		}
		if want, ok := passwords[in.user]; !ok || want != in.password {
			return &tdsError{number: 18456, text: "Login failed for user '" + in.user + "'."}
		}
		if c.db != "master" && c.db != "Sales" {
			return &tdsError{number: 18456, text: "Login failed for user 'reader'.", before: []tdsError{{number: 4060, text: "Cannot open database \"" + c.db + "\" requested by the login. The login failed."}}}
		}
		return nil
	}
}

// shop answers the statements of the dialect as SQL Server's catalogue would.
func shop(db, query string, args []string) tdsResult {
	seven := []string{"name", "", "", "", "", "", ""}
	node := func(name, kind string, branch bool, rows, access, extra, comment any) []any {
		return []any{name, kind, branch, rows, access, extra, comment}
	}
	switch {
	case strings.HasPrefix(query, "SELECT 1"):
		return tdsResult{columns: []string{""}, rows: [][]any{{int64(1)}}}
	case strings.Contains(query, "FROM sys.databases"):
		return tdsResult{columns: seven, rows: [][]any{node("Closed", "database", true, nil, "denied", nil, nil), node("Sales", "database", true, nil, "readable", nil, nil)}}
	case strings.Contains(query, "FROM sys.schemas s"):
		return tdsResult{columns: seven, rows: [][]any{node("dbo", "schema", true, nil, nil, nil, nil), node("many", "schema", true, nil, nil, nil, nil)}}
	case strings.Contains(query, "LEFT JOIN (SELECT object_id, SUM(rows)"):
		out := tdsResult{columns: seven}
		if args[0] == "many" {
			for i := range 2000 {
				out.rows = append(out.rows, node("t"+strconv.Itoa(i), "table", true, strconv.Itoa(i), "readable", nil, nil))
			}
			return out
		}
		out.rows = [][]any{node("odd \u202e name\x01", "table", true, "0", "readable", nil, nil), node("orders", "table", true, "500", "readable", nil, "what was bought"), node("salaries", "table", true, "2", "listed", nil, nil), node("secret", "table", true, nil, "denied", nil, nil)}
		return out
	case strings.Contains(query, "'column'"):
		return tdsResult{columns: seven, rows: [][]any{node("id", "column", false, nil, "readable", "Type=int", nil), node("customer", "column", false, nil, "readable", "Type=nvarchar(80)", "who buys")}}
	case strings.Contains(query, "SELECT c.name, CAST(HAS_PERMS_BY_NAME"):
		rows := [][]any{{"id", true}, {"customer", true}, {"raw", true}}
		if args[1] == "salaries" {
			rows = [][]any{{"id", true}, {"pay", false}, {"none", nil}}
		}
		if args[1] == "secret" {
			rows = [][]any{{"a", false}}
		}
		return tdsResult{columns: []string{"name", ""}, rows: rows}
	case strings.HasPrefix(query, "SELECT TOP"):
		if db != "Sales" || !strings.Contains(query, "FROM [dbo].[orders]") && !strings.Contains(query, "FROM [dbo].[salaries]") {
			return tdsResult{err: &tdsError{number: 208, text: "Invalid object name."}}
		}
		var out tdsResult
		out.columns = []string{"id", "customer", "raw"}
		for i := range 11 {
			out.rows = append(out.rows, []any{int64(i), "Customer", []byte{0xff, byte(i)}})
		}
		return out
	case strings.Contains(query, "SERVERPROPERTY"):
		return tdsResult{columns: make([]string, 6), rows: [][]any{{"reader", "16.0.4135.4", db, "Developer Edition (64-bit)", "SQL", false}}}
	case strings.Contains(query, "LOGINPROPERTY"):
		return tdsResult{columns: []string{""}, rows: [][]any{{int64(30)}}}
	}
	return tdsResult{}
}

func sqlserverAt(s *tdsServer, user, password string, more ...string) connectors.Settings {
	out := connectors.NewSettings()
	out.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(s.port), "user": user, "ca": s.ca.PEM}
	if password != "" {
		out.Secrets["password"] = connectors.NewSecret(password)
	}
	for i := 0; i+1 < len(more); i += 2 {
		out.Plain[more[i]] = more[i+1]
	}
	return out
}

func passwords() map[string]string {
	return map[string]string{"reader": "practice-only-reader", "awkward": awkward}
}

func TestSQLServerStandIn(t *testing.T) {
	s := (&tdsServer{encrypt: encryptOn, signIn: signInWith(passwords()), answer: shop}).start(t)
	plain := (&tdsServer{encrypt: encryptNotSup, ca: s.ca, signIn: signInWith(passwords()), answer: shop}).start(t)
	with := func(user, password string, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return sqlserverAt(s, user, password, more...) }
	}
	good := with("reader", "practice-only-reader")
	faults := []conntest.Fault{
		{Name: "wrong password", Settings: with("reader", "practice-only-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		{Name: "no such database", Settings: with("reader", "practice-only-reader", "database", "Nowhere"), Code: connectors.Denied, Field: "database"},
		{Name: "unknown authority", Settings: with("reader", "practice-only-reader", "ca", server.NewCA(t).PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
		{Name: "wrong name", Settings: with("reader", "practice-only-reader", "tls_name", "db.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
		{Name: "another certificate than the pinned one", Settings: with("reader", "practice-only-reader", "tls_pin", "SHA256:"+strings.Repeat("A", 43)), Code: connectors.HostChanged, Stage: connectors.StageSecure, Field: "tls_pin"},
		{Name: "no encryption there", Settings: func(testing.TB) connectors.Settings { return sqlserverAt(plain, "reader", "practice-only-reader") }, Code: connectors.Unsupported, Stage: connectors.StageSecure, Field: "tls"},
		{Name: "wrong host", Settings: with("reader", "practice-only-reader", "host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
		{Name: "another protocol", Settings: func(t testing.TB) connectors.Settings {
			host, port := conntest.Speaks(t, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nServer: nothing of Microsoft's\r\n\r\n")
			return sqlserverAt(s, "reader", "practice-only-reader", "host", host, "port", port)
		}, Code: connectors.Refused, Field: "port"},
		{Name: "NTLM without a domain", Settings: with("reader", "practice-only-reader", "auth", "ntlm"), Code: connectors.BadInput, Field: "user"},
		{Name: "NTLM in the open", Settings: with(`CORP\reader`, "practice-only-reader", "auth", "ntlm", "tls", "optional"), Code: connectors.BadInput, Field: "tls"},
	}
	wants := map[string]conntest.Fault{
		"untrusted": {Code: connectors.AuthFailed, Field: "auth"}, "disabled": {Code: connectors.Denied, Field: "user"}, "locked": {Code: connectors.Denied, Field: "user"},
		"expired": {Code: connectors.Expired, Field: "password"}, "mustchange": {Code: connectors.Expired, Field: "password"}, "triggered": {Code: connectors.Denied, Field: "user"},
		"outside": {Code: connectors.Denied}, "paused": {Code: connectors.Throttled}, "busy": {Code: connectors.Throttled}, "nameless": {Code: connectors.AuthFailed, Field: "host"},
		"private": {Code: connectors.Denied, Field: "host"}, "homeless": {Code: connectors.Denied, Field: "database"}, "crowded": {Code: connectors.Throttled},
	}
	for user := range accounts() {
		f := wants[user]
		f.Name, f.Settings, f.Stage = user, with(user, "practice-only-reader"), connectors.StageSignIn
		faults = append(faults, f)
	}
	conntest.Run(t, conntest.Suite{Type: sqlserverType(), Good: good, Faults: faults, Inside: true,
		Big:     &conntest.Big{Settings: good, Parent: "Sales.many", Count: 2000},
		Hostile: &conntest.Place{Settings: good, Node: "Sales.dbo"},
	})
	t.Run("what is seen", func(t *testing.T) { salesSeen(t, conntest.Open(t, sqlserverType(), good(t))) })
	if !s.saw("Sales: SET LOCK_TIMEOUT 2000; SET TEXTSIZE 16384") {
		t.Error("no bounds were set")
	}
}

func salesSeen(t *testing.T, s connectors.Session) {
	t.Helper()
	facts, err := s.Check(t.Context())
	if err != nil || facts[0].Text != "reader" || facts[1].Text != "SQL Server 16.0.4135.4 Developer Edition (64-bit)" {
		t.Errorf("%v %v", facts, err)
	}
	if n := conntest.Below(t, s, "")["Closed"]; n.Access != connectors.AccessDenied {
		t.Errorf("%+v", n)
	}
	nodes := conntest.Below(t, s, "Sales.dbo")
	says(t, nodes["orders"], "Comment", "what was bought")
	says(t, nodes["orders"], "Rows", "about 500")
	if nodes["secret"].Access != connectors.AccessDenied || nodes["salaries"].Access != connectors.AccessListed {
		t.Errorf("%+v", nodes)
	}
	says(t, conntest.Below(t, s, "Sales.dbo.orders")["customer"], "Type", "nvarchar(80)")
	table, err := s.(connectors.Tabler).Table(t.Context(), "Sales.dbo.orders", 10)
	if err != nil || len(table.Rows) != 10 || !table.Truncated || table.Rows[1][0] != int64(1) || table.Rows[1][2] != "0xff01 (2 bytes)" {
		t.Errorf("%+v %v", table, err)
	}
	table, err = s.(connectors.Tabler).Table(t.Context(), "Sales.dbo.salaries", 10)
	if err != nil || table.Note != "2 more columns may not be read" {
		t.Errorf("%+v %v", table, err)
	}
	for node, want := range map[connectors.NodeID]connectors.Code{"Sales.dbo.secret": connectors.Denied, "Sales.dbo.gone": connectors.NotFound, "Nowhere.dbo.orders": connectors.Denied} {
		if _, err := s.(connectors.Tabler).Table(t.Context(), node, 5); connectors.CodeOf(err) != want {
			t.Errorf("%s: %v", node, err)
		}
	}
}

func TestSQLServerEncryptionStandIn(t *testing.T) {
	signIn := signInWith(passwords())
	normal := (&tdsServer{encrypt: encryptOff, signIn: signIn, answer: shop}).start(t)
	demands := (&tdsServer{encrypt: encryptReq, ca: normal.ca, signIn: signIn, answer: shop}).start(t)
	without := (&tdsServer{encrypt: encryptNotSup, ca: normal.ca, signIn: signIn, answer: shop}).start(t)
	eight := (&tdsServer{strict: true, ca: normal.ca, signIn: signIn, answer: shop}).start(t)
	for name, c := range map[string]struct {
		s    *tdsServer
		tls  string
		ca   string
		want connectors.Code
	}{
		"required, offered":             {normal, verify, normal.ca.PEM, ""},
		"required, demanded":            {demands, verify, normal.ca.PEM, ""},
		"optional, for the sign-in":     {normal, optional, normal.ca.PEM, ""},
		"optional, demanded":            {demands, optional, normal.ca.PEM, ""},
		"optional, none":                {without, optional, normal.ca.PEM, ""},
		"optional is verified, too":     {normal, optional, server.NewCA(t).PEM, connectors.Untrusted},
		"strict":                        {eight, strict, normal.ca.PEM, ""},
		"strict is verified":            {eight, strict, server.NewCA(t).PEM, connectors.Untrusted},
		"strict, but the server is old": {normal, strict, normal.ca.PEM, connectors.Refused},
	} {
		err := try(t, sqlserverType(), sqlserverAt(c.s, "reader", "practice-only-reader", "tls", c.tls, "ca", c.ca))
		if connectors.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecurity60_SQLServerPasswordIsNoTextStandIn(t *testing.T) {
	s := (&tdsServer{encrypt: encryptOn, signIn: signInWith(passwords()), answer: shop}).start(t)
	if err := try(t, sqlserverType(), sqlserverAt(s, "awkward", awkward)); err != nil {
		t.Error(err)
	}
	c := sqlserver{Host: "127.0.0.1", Port: 1, Auth: byPassword, User: awkward, Database: awkward, TLS: verify}
	cfg, err := c.config(&leash{}, c.Database)
	if err != nil || cfg.Host != "127.0.0.1" || cfg.User != awkward || cfg.Database != awkward || cfg.TrustServerCertificate || len(cfg.FailOverPartner) > 0 {
		t.Errorf("%+v %v", cfg, err)
	}
}

// TestTheStandInIsTDS lets FreeTDS, which is nobody's here, speak with it.
func TestTheStandInIsTDS(t *testing.T) {
	program := server.Program(t, "tsql", "freetds-bin")
	s := (&tdsServer{encrypt: encryptOn, signIn: signInWith(passwords()), answer: shop}).start(t)
	dir := t.TempDir()
	ca := server.WriteFile(t, dir, "ca.pem", s.ca.PEM, 0o600)
	conf := server.WriteFile(t, dir, "freetds.conf", fmt.Sprintf("[standin]\nhost = 127.0.0.1\nport = %d\ntds version = 7.4\nencryption = require\nca file = %s\ncheck certificate hostname = no\n", s.port, ca), 0o600)
	ask := func(password string) string {
		cmd := exec.Command(program, "-S", "standin", "-U", "reader", "-P", password, "-D", "Sales")
		cmd.Env = append(os.Environ(), "FREETDSCONF="+conf, "HOME="+dir, "TDSDUMP="+filepath.Join(dir, "dump"))
		cmd.Stdin = strings.NewReader("SELECT name FROM sys.databases\ngo\nSELECT TOP (5) * FROM [dbo].[gone]\ngo\nexit\n")
		out, _ := cmd.CombinedOutput() // its exit code is 0 either way
		return string(out)
	}
	out := ask("practice-only-reader")
	if !strings.Contains(out, "Sales\tdatabase") || !strings.Contains(out, "Msg 208") {
		dump, _ := os.ReadFile(filepath.Join(dir, "dump"))
		t.Errorf("%s\n%.4000s", out, dump)
	}
	if out := ask("practice-only-wrong"); !strings.Contains(out, "Login failed for user 'reader'") {
		t.Error(out)
	}
}

func TestSQLServerTokenStandIn(t *testing.T) {
	// {"alg":"none"} and {"exp":1795000000}
	const token = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3OTUwMDAwMDB9.practice"
	s := (&tdsServer{encrypt: encryptOn, answer: shop, signIn: func(_ *tdsConn, in login7) *tdsError {
		if in.token != token || in.user != "" || in.password != "" {
			return &tdsError{number: 18456, text: "Login failed for user '<token-identified principal>'."}
		}
		return nil
	}}).start(t)
	settings := sqlserverAt(s, "", "", "auth", "token", "database", "Sales")
	settings.Secrets["access_token"] = connectors.NewSecret("Bearer " + token + "\n")
	session := conntest.Open(t, sqlserverType(), settings)
	facts, err := session.Check(t.Context())
	if last := facts[len(facts)-1]; err != nil || last.Label != "Expires" || last.Text != time.Unix(1795000000, 0).UTC().Format(time.RFC3339) {
		t.Errorf("%v %v", facts, err)
	}
	settings.Secrets["access_token"] = connectors.NewSecret(token + "x")
	if e := connectors.Classify(try(t, sqlserverType(), settings)); e == nil || e.Code != connectors.AuthFailed || e.Field != "access_token" {
		t.Errorf("%v", e)
	}
}

func TestAnInstancesPortIsAskedForStandIn(t *testing.T) {
	s := (&tdsServer{encrypt: encryptOn, signIn: signInWith(passwords()), answer: shop}).start(t)
	browser, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		in := make([]byte, 100)
		for {
			n, from, err := browser.ReadFrom(in)
			if err != nil {
				return
			}
			if string(in[:n]) != "\x04DEV\x00" {
				continue
			}
			text := fmt.Sprintf("ServerName;SQL1;InstanceName;DEV;IsClustered;No;Version;16.0.1000.6;tcp;%d;;", s.port)
			_, _ = browser.WriteTo(append([]byte{5, byte(len(text)), 0}, text...), from)
		}
	}()
	t.Cleanup(func() { _ = browser.Close(); <-stopped })
	for name, c := range map[string]struct {
		instance string
		udp      bool
		works    bool
	}{"known": {"DEV", true, true}, "unknown": {"PROD", true, false}, "a way without UDP": {"DEV", false, false}} {
		w := conntest.NewWorld(t)
		w.Env.Dial = through(w.Env.Dial, browser.LocalAddr().String(), c.udp)
		settings := sqlserverAt(s, "reader", "practice-only-reader", "port", "", "instance", c.instance)
		session, err := sqlserverType().Open(t.Context(), w.Env, settings)
		if err == nil {
			_ = session.Close()
		}
		if e := connectors.Classify(err); (err == nil) != c.works || err != nil && (e.Reason != "mssql.instance" || e.Field != "port") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAServerThatStopsAnsweringIsLeftStandIn(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	s := (&tdsServer{encrypt: encryptOn, signIn: signInWith(passwords()), answer: func(db, query string, args []string) tdsResult {
		if strings.Contains(query, "FROM sys.databases") {
			<-stuck
		}
		return shop(db, query, args)
	}}).start(t)
	session := conntest.Open(t, sqlserverType(), sqlserverAt(s, "reader", "practice-only-reader"))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	for _, err := range session.(connectors.Browser).Children(ctx, "") {
		if connectors.CodeOf(err) != connectors.TimedOut {
			t.Errorf("%v", err)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, err := session.Check(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
