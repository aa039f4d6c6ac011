package web

import (
	"context"
	"crypto/md5"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/oidc"
	"jackfield/connectors/conntest/server"
)

const practicePassword = "practice-only-password"

// wrongWay proves what a person is told when one answer is wrong.
func wrongWay(t *testing.T, s connectors.Settings, code connectors.Code, field string) {
	t.Helper()
	w := conntest.NewWorld(t)
	session, err := HTTP().Open(t.Context(), w.Env, s)
	if err == nil {
		_ = session.Close()
		t.Fatal("it worked")
	}
	e := connectors.Classify(err)
	if e.Code != code || e.Field != field {
		t.Errorf("%s at %q, want %s at %q: %+v", e.Code, e.Field, code, field, connectors.Explain(err))
	}
	if f, ok := HTTP().Form.Field(e.Field); e.Field != "" && (!ok || !HTTP().Form.Visible(f.Key, s)) {
		t.Errorf("the field %q is not in sight", e.Field)
	}
	for key, secret := range s.Secrets {
		if v := secret.Reveal(); len(v) >= 6 && strings.Contains(fmt.Sprintf("%v %+v %s", err, connectors.Explain(err), w.Log()), v) {
			t.Errorf("the secret %s is in the error or the log", key)
		}
	}
}

// opened proves that the way works, and returns the first facts.
func openedWay(t *testing.T, s connectors.Settings, fact string) {
	t.Helper()
	session := conntest.Open(t, HTTP(), s)
	facts, err := session.Check(t.Context())
	if err != nil || !strings.Contains(fmt.Sprint(facts), fact) {
		t.Errorf("%+v, want %q: %v", facts, fact, err)
	}
	if _, err := session.(connectors.Tabler).Table(t.Context(), "/", 10); connectors.CodeOf(err) == connectors.AuthFailed {
		t.Error(err)
	}
}

func TestHTTPDigestAgainstApache(t *testing.T) {
	dir := t.TempDir()
	sum := md5.Sum([]byte("mira:practice:" + practicePassword))
	users := server.WriteFile(t, dir, "users", fmt.Sprintf("mira:practice:%x\n", sum), 0o644)
	open(t, dir)
	addr := server.Apache(t, fmt.Sprintf("<Location />\nAuthType Digest\nAuthName practice\nAuthDigestProvider file\nAuthUserFile %q\nRequire valid-user\n</Location>\n", users), "auth_digest", "authn_file")
	with := func(password string) connectors.Settings {
		return httpSettings("http://"+addr, map[string]string{"auth": "digest", "user": "mira"}, "password", password)
	}
	openedWay(t, with(practicePassword), addr)
	wrongWay(t, with("practice-only-wrong"), connectors.AuthFailed, "password")
}

// open lets servers that run as another user reach a folder.
func open(t *testing.T, dir string) {
	t.Helper()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHTTPNTLMAgainstApacheWithGSSNTLMSSP(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	t.Setenv("NTLM_USER_FILE", server.WriteFile(t, dir, "users", "PRACTICE:mira:"+practicePassword+"\n", 0o644))
	t.Setenv("NETBIOS_DOMAIN_NAME", "PRACTICE")
	t.Setenv("NETBIOS_COMPUTER_NAME", "PRACTICE1")
	addr := server.Apache(t, "<Location \"/\">\nAuthType GSSAPI\nAuthName practice\nGssapiAllowedMech ntlmssp\nGssapiConnectionBound On\nRequire valid-user\n</Location>\n", "auth_gssapi")
	with := func(user, domain, password string) connectors.Settings {
		return httpSettings("http://"+addr, map[string]string{"auth": "ntlm", "user": user, "domain": domain}, "password", password)
	}
	openedWay(t, with(`PRACTICE\mira`, "", practicePassword), addr)
	openedWay(t, with("mira", "PRACTICE", practicePassword), addr)
	wrongWay(t, with("mira", "PRACTICE", "practice-only-wrong"), connectors.AuthFailed, "password")
}

func TestHTTPKerberosAgainstMITAndApache(t *testing.T) {
	r := server.KDC(t)
	t.Setenv("KRB5_CONFIG", r.Conf)
	dir := t.TempDir()
	open(t, dir)
	keytab := server.WriteFile(t, dir, "keytab", string(r.Keytab(t, "HTTP/localhost")), 0o644)
	addr := server.Apache(t, fmt.Sprintf("<Location \"/\">\nAuthType GSSAPI\nAuthName practice\nGssapiCredStore keytab:%s\nGssapiAllowedMech krb5\nRequire valid-user\n</Location>\n", keytab), "auth_gssapi")
	base := "http://localhost:" + addr[strings.LastIndexByte(addr, ':')+1:]
	r.AddUser(t, "mira", practicePassword)
	plain := func(more ...string) map[string]string {
		out := map[string]string{"auth": "kerberos", "user": "mira", "realm": r.Name, "kdc": r.Addr}
		for i := 0; i+1 < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	openedWay(t, httpSettings(base, plain(), "kerberos_password", practicePassword), "mira@"+r.Name)
	file := connectors.FileText(r.Keytab(t, "batch"))
	openedWay(t, httpSettings(base, plain("user", "batch", "kerberos_with", "keytab"), "keytab", file), "batch@"+r.Name)
	wrongWay(t, httpSettings(base, plain(), "kerberos_password", "practice-only-wrong"), connectors.AuthFailed, "kerberos_password")
	wrongWay(t, httpSettings(base, plain("user", "nobody"), "kerberos_password", practicePassword), connectors.AuthFailed, "user")
	wrongWay(t, httpSettings(base, plain("spn", "HTTP/another.example.com"), "kerberos_password", practicePassword), connectors.NotFound, "spn")
	wrongWay(t, httpSettings(base, plain("user", "batch", "kerberos_with", "keytab"), "keytab", base64.StdEncoding.EncodeToString([]byte("no keytab"))), connectors.BadInput, "keytab")
}

func TestSecurity52_HTTPClientCertificatesAgainstNginx(t *testing.T) {
	ca := server.NewCA(t)
	base := "https://" + server.Nginx(t, ca)
	mine := ca.Issue(t, server.Cert{Name: "mira", Client: true})
	other := server.NewCA(t).Issue(t, server.Cert{Name: "mira", Client: true})
	with := func(i server.Issued, key string, more ...string) connectors.Settings {
		plain := map[string]string{"ca": ca.PEM, "certificate": "pem", "client_cert": i.Cert, "test_path": "/"}
		for j := 0; j+1 < len(more); j += 2 {
			plain[more[j]] = more[j+1]
		}
		return httpSettings(base, plain, "client_key", key, "key", "practice-only-key")
	}
	openedWay(t, with(mine, mine.Key), "CN=mira")
	session := conntest.Open(t, HTTP(), with(mine, mine.Key, "auth", "key"))
	if rows := fmt.Sprint(rowsOf(t, session, "/").Rows); !strings.Contains(rows, "practice-only-key") {
		t.Errorf("a certificate together with a key: %s", rows)
	}
	wrongWay(t, with(mine, other.Key), connectors.BadInput, "client_key")
	wrongWay(t, httpSettings(base, map[string]string{"ca": ca.PEM}), connectors.AuthFailed, "certificate")
	pfx := filepath.Join(t.TempDir(), "mira.pfx")
	dir := t.TempDir()
	cert, key := mine.Write(t, dir, "")
	server.Run(t, server.Program(t, "openssl", "openssl"), "pkcs12", "-export", "-in", cert, "-inkey", key, "-out", pfx, "-passout", "pass:"+practicePassword)
	data, err := os.ReadFile(pfx)
	if err != nil {
		t.Fatal(err)
	}
	bundle := func(pass string) connectors.Settings {
		return httpSettings(base, map[string]string{"ca": ca.PEM, "certificate": "pfx", "test_path": "/"}, "client_pfx", connectors.FileText(data), "client_key_passphrase", pass)
	}
	openedWay(t, bundle(practicePassword), "CN=mira")
	wrongWay(t, bundle("practice-only-wrong"), connectors.BadInput, "client_key_passphrase")
}

// A storage service sends a file's reader elsewhere; that origin asks for a
// certificate too and gets none, nor any other credential.
func TestSecurity67_AFileFromElsewhereIsReadWithoutCredentials(t *testing.T) {
	ca := server.NewCA(t)
	mine := ca.Issue(t, server.Cert{Name: "mira", Client: true})
	away := presented(t, ca)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			http.Redirect(w, r, away.url+"/data", http.StatusFound)
			return
		}
		answer(w, 200, m{"login": "mira", "certificates": len(r.TLS.PeerCertificates)})
	}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, server.Cert{}).TLS(t)}, ClientAuth: tls.RequestClientCert}
	srv.StartTLS()
	defer srv.Close()
	o := &opening{env: conntest.NewWorld(t).Env, vars: map[string]string{}, secrets: map[string]connectors.Secret{"key": connectors.NewSecret("practice-only-key")}}
	svc := service{Base: srv.URL, SignIn: []signIn{{Kind: "bearer", Secret: "key"}}}
	svc.Spec.Check.Request.Get = "/me"
	svc.Spec.Tree = []node{{ID: "file", Name: "File", Kind: "file", Content: &content{Request: request{Get: "/file"}}}}
	opened, err := svc.connect(t.Context(), o, connectors.HTTP{TLS: connectors.TLS{CA: ca.PEM, Cert: mine.Cert, Key: connectors.NewSecret(mine.Key)}}, svc.SignIn[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	if _, err := opened.(connectors.Sampler).Sample(t.Context(), "file", 100); err != nil || away.certificates() != 0 || away.credentials() != 0 {
		t.Errorf("%d certificates and %d credentials went elsewhere: %v", away.certificates(), away.credentials(), err)
	}
}

func TestHTTPOAuthGrantsAgainstOIDCProvider(t *testing.T) {
	issuer := oidc.Start(t, oidc.Options{})
	with := func(grant, client, auth string, more ...string) map[string]string {
		out := map[string]string{"auth": "oauth", "grant": grant, "client_id": client, "client_auth": auth, "test_path": "/api/customers",
			"auth_url": issuer + "/auth", "token_url": issuer + "/token", "device_url": issuer + "/device/auth"}
		for i := 0; i+1 < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	machine := httpSettings(issuer, with("client_credentials", "machine", "basic"), "client_secret", oidc.Secret)
	if table := rowsOf(t, conntest.Open(t, HTTP(), machine), "/api/customers"); len(table.Rows) != 25 {
		t.Errorf("%+v", table)
	}
	wrongWay(t, httpSettings(issuer, with("client_credentials", "machine", "basic"), "client_secret", "practice-only-wrong"), connectors.AuthFailed, "client_secret")
	wrongWay(t, httpSettings(issuer, with("code", "desktop", "none", "scopes", "openid,profile")), connectors.BadInput, "scopes")
	for _, grant := range []struct {
		name, client string
		more         []string
	}{{"code", "desktop", []string{"scopes", "openid offline_access", "test_path", "/api/customers"}}, {"device", "television", []string{"scopes", "openid"}}} {
		w := newLinkWorld(t)
		w.Env.Ask.ShowCode = func(ctx context.Context, d connectors.DeviceCode) error {
			_, err := oidc.Visit(ctx, d.URL, false, false)
			return err
		}
		session, err := HTTP().Open(t.Context(), w.Env, httpSettings(issuer, with(grant.name, grant.client, "none", grant.more...)))
		if err != nil {
			t.Errorf("%s: %v %+v", grant.name, err, connectors.Explain(err))
			continue
		}
		if len(rowsOf(t, session, "/api/customers").Rows) != 25 || w.Kept()["oauth_token"].Empty() {
			t.Errorf("%s reads nothing, or keeps nothing", grant.name)
		}
		_ = session.Close()
	}
}

// What is behind the JWT verifies it with a second library.
func TestHTTPJWTBearerIsVerified(t *testing.T) {
	secret := strings.Repeat("practice-only-", 5)
	base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := jwt.ParseSigned(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), []jose.SignatureAlgorithm{jose.HS256, jose.RS256})
		var claims jwt.Claims
		if err != nil || token.Claims([]byte(secret), &claims) != nil || claims.Validate(jwt.Expected{Issuer: "mira", Time: time.Now()}) != nil || claims.ID == "" {
			w.Header().Set("Date", r.Header.Get("X-Date"))
			answer(w, 401, m{"message": "no"})
			return
		}
		answer(w, 200, m{"login": claims.Issuer})
	}))
	payload := `{"iss": "mira", "iat": "{now}", "exp": "{now+5m}", "jti": "{uuid}"}`
	with := func(more ...string) map[string]string {
		out := map[string]string{"auth": "jwt", "jwt_method": "HS256", "jwt_payload": payload, "test_path": "/me"}
		for i := 0; i+1 < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	openedWay(t, httpSettings(base, with(), "jwt_secret", secret), "mira")
	openedWay(t, httpSettings(base, with("jwt_base64", "true"), "jwt_secret", base64.StdEncoding.EncodeToString([]byte(secret))), "mira")
	wrongWay(t, httpSettings(base, with(), "jwt_secret", "short"), connectors.BadInput, "jwt_secret")
	wrongWay(t, httpSettings(base, with(), "jwt_secret", strings.Repeat("practice-wrong-", 5)), connectors.AuthFailed, "jwt_secret")
	wrongWay(t, httpSettings(base, with("jwt_payload", "{"), "jwt_secret", secret), connectors.BadInput, "jwt_payload")
	wrongWay(t, httpSettings(base, with("jwt_headers", "[]"), "jwt_secret", secret), connectors.BadInput, "jwt_headers")
	dir := t.TempDir()
	ec := filepath.Join(dir, "ec.pem")
	server.Run(t, server.Program(t, "openssl", "openssl"), "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", ec)
	key, err := os.ReadFile(ec)
	if err != nil {
		t.Fatal(err)
	}
	wrongWay(t, httpSettings(base, with("jwt_method", "RS256"), "jwt_key", string(key)), connectors.BadInput, "jwt_key")
	late := httpSettings(base, with("headers", "X-Date: "+time.Now().Add(-10*time.Minute).UTC().Format(http.TimeFormat)), "jwt_secret", strings.Repeat("practice-wrong-", 5))
	_, err = HTTP().Open(t.Context(), conntest.NewWorld(t).Env, late)
	if p := connectors.Explain(err); p == nil || !strings.Contains(p.Title, "clock") || !strings.Contains(p.Hint, "10 minutes ahead") {
		t.Errorf("a clock that is ten minutes off: %+v", p)
	}
}

func TestTheDraftShowsTheTokenWithoutItsSignature(t *testing.T) {
	ty := HTTP()
	s := httpSettings("https://api.example.com", map[string]string{"auth": "jwt", "jwt_method": "HS256", "jwt_payload": `{"iss":"mira","exp":"{now+5m}"}`}, "jwt_secret", strings.Repeat("practice-only-", 5))
	parts, err := ty.Draft(s, time.Unix(1_800_000_000, 0))
	if err != nil || len(parts) != 4 {
		t.Fatalf("%+v %v", parts, err)
	}
	all := fmt.Sprint(parts)
	for _, want := range []string{`"iss": "mira"`, `"exp": 1800000300`, `"alg": "HS256"`, "Authorization: Bearer ey"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is missing in %s", want, all)
		}
	}
	if last := parts[3].Text; strings.Count(last, ".") != 2 || !strings.HasSuffix(last, ".…") {
		t.Errorf("sent as %q", last)
	}
	s.Plain["jwt_payload"] = "{"
	if _, err := ty.Draft(s, time.Now()); connectors.Classify(err).Field != "jwt_payload" {
		t.Errorf("%v", err)
	}
	s.Plain["auth"] = "key"
	if parts, err := ty.Draft(s, time.Now()); parts != nil || err != nil {
		t.Errorf("%v %v", parts, err)
	}
}

func TestHTTPTokenRequestOfTheServicesOwn(t *testing.T) {
	asked := 0
	base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/auth/login":
			body := make([]byte, 200)
			n, _ := r.Body.Read(body)
			if !strings.Contains(string(body[:n]), practicePassword) {
				answer(w, 400, m{"message": "wrong user or password"})
				return
			}
			asked++
			answer(w, 200, m{"data": m{"token": fmt.Sprintf("practice-token-%d", asked)}})
		case r.Header.Get("Authorization") != "Bearer practice-token-2":
			answer(w, 401, m{"message": "expired"})
		default:
			answer(w, 200, m{"login": "mira"})
		}
	}))
	with := func(body, path string) connectors.Settings {
		return httpSettings(base, map[string]string{"auth": "token", "ask_url": base + "/auth/login", "answer_path": path, "test_path": "/me"}, "ask_body", body)
	}
	openedWay(t, with(`{"user":"mira","password":"`+practicePassword+`"}`, "data.token"), "mira")
	wrongWay(t, with(`{"user":"mira","password":"practice-only-wrong"}`, "data.token"), connectors.AuthFailed, "ask_body")
	wrongWay(t, with(`{"user":"mira","password":"`+practicePassword+`"}`, "token"), connectors.Refused, "answer_path")
}

// presenting is an origin that asks every client for a certificate.
type presenting struct {
	url  string
	seen func() (certificates, credentials int)
}

func (p presenting) certificates() int { n, _ := p.seen(); return n }
func (p presenting) credentials() int  { _, n := p.seen(); return n }

func presented(t *testing.T, ca *server.CA) presenting {
	t.Helper()
	var mu sync.Mutex
	n, keys := 0, 0
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n += len(r.TLS.PeerCertificates)
		keys += len(r.Header["Authorization"])
		mu.Unlock()
		answer(w, 200, m{})
	}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, server.Cert{}).TLS(t)}, ClientAuth: tls.RequestClientCert}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return presenting{srv.URL, func() (int, int) { mu.Lock(); defer mu.Unlock(); return n, keys }}
}

// STS and the service answer as their documentation says; awsx checks the
// signatures against AWS's published vectors.
func TestHTTPAWSDocsShaped(t *testing.T) {
	base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		auth := r.Header.Get("Authorization")
		switch {
		case r.URL.Path == "/sts":
			body, _ := io.ReadAll(r.Body)
			if !strings.Contains(string(body), "ExternalId=partner-4711") {
				w.WriteHeader(403)
				_, _ = fmt.Fprint(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>`)
				return
			}
			_, _ = fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIAPRACTICEONLY0000</AccessKeyId><SecretAccessKey>practice-only-role</SecretAccessKey><SessionToken>practice-only-session</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		case strings.Contains(auth, "Credential=AKIAPRACTICEONLY0000/") && strings.Contains(auth, "/eu-west-1/execute-api/aws4_request"):
			answer(w, 200, m{"login": "keys"})
		case strings.Contains(auth, "Credential=ASIAPRACTICEONLY0000/") && r.Header.Get("X-Amz-Security-Token") == "practice-only-session":
			answer(w, 200, m{"login": "role"})
		default:
			w.Header().Set("X-Amzn-Errortype", "UnrecognizedClientException")
			answer(w, 403, m{"message": "The security token included in the request is invalid."})
		}
	}))
	with := func(key string, more ...string) connectors.Settings {
		plain := map[string]string{"auth": "aws", "access_key": key, "region": "eu-west-1", "aws_service": "execute-api", "test_path": "/me"}
		for i := 0; i+1 < len(more); i += 2 {
			plain[more[i]] = more[i+1]
		}
		return httpSettings(base, plain, "secret_key", "practice-only-secret")
	}
	role := []string{"role_arn", "arn:aws:iam::123456789012:role/reader", "sts_url", base + "/sts"}
	openedWay(t, with("AKIAPRACTICEONLY0000"), "keys")
	openedWay(t, with("AKIAPRACTICEONLY0000", append(role, "external_id", "partner-4711")...), "role")
	wrongWay(t, with("AKIAPRACTICEONLY9999"), connectors.AuthFailed, "access_key")
	wrongWay(t, with("AKIAPRACTICEONLY0000", append(role, "external_id", "another")...), connectors.Denied, "role_arn")
	wrongWay(t, with("ASIAPRACTICEONLY0000"), connectors.BadInput, "session_token")
}
