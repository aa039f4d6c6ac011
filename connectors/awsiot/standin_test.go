package awsiot

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const (
	practiceRegion   = "eu-west-1"
	practiceEndpoint = "a1practice-ats.iot.eu-west-1.amazonaws.com"
	otherEndpoint    = "b2other-ats.iot.eu-west-1.amazonaws.com"
	aimedEndpoint    = "c3aimed-ats.iot.eu-west-9.amazonaws.com" // where the suite leads elsewhere
	practiceKey      = "AKIAPRACTICEONLY0000"
	narrowKey        = "AKIAPRACTICEONLY0001" // may list nothing but types
	temporaryKey     = "ASIAPRACTICEONLY0002"
	practiceSecret   = "practice-only-secret"
	practiceToken    = "practice-only/token+with=signs"
	expiredToken     = "practice-only-expired-token"
	practiceRole     = "arn:aws:iam::123456789012:role/reader"
	practiceExternal = "practice-7"
	manyThings       = 600
)

// A standIn plays AWS: it verifies signatures by its own reading of the
// documentation, answers in the documented shapes, and passes MQTT on to a real
// mosquitto.
type standIn struct {
	ca      *server.CA
	addr    string // of the HTTPS front
	mtls    int    // mosquitto with certificates
	plain   int    // mosquitto for the front of port 443 with certificates
	ws      int    // mosquitto for WebSockets
	pub     string
	client  server.Issued
	off     server.Issued // a certificate that is not active
	mu      sync.Mutex
	aimed   string
	skew    time.Duration
	slow    bool     // throttles
	signed  []string // services that were signed for
	upgrade []string // signatures of upgrades
}

func startStandIn(t testing.TB) *standIn {
	t.Helper()
	s := &standIn{ca: server.NewCA(t), pub: server.Program(t, "mosquitto_pub", "mosquitto-clients")}
	s.client, s.off = s.ca.Issue(t, server.Cert{Name: "sensor-7", Client: true}), s.ca.Issue(t, server.Cert{Name: "inactive", Client: true})
	names := []string{practiceEndpoint, otherEndpoint, "iot.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com"}
	issued := s.ca.Issue(t, server.Cert{Names: names})
	s.broker(t, issued)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(s.ca.PEM))
	srv := httptest.NewUnstartedServer(s)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{issued.TLS(t)}, NextProtos: []string{"http/1.1"}}
	withCert := srv.TLS.Clone()
	withCert.NextProtos, withCert.ClientAuth, withCert.ClientCAs = []string{alpn}, tls.RequireAndVerifyClientCert, roots
	srv.TLS.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(h.SupportedProtos, alpn) {
			return withCert, nil
		}
		return nil, nil
	}
	srv.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){alpn: func(_ *http.Server, c *tls.Conn, _ http.Handler) {
		if c.ConnectionState().PeerCertificates[0].Subject.CommonName != "inactive" {
			pipe(c, c, s.plain)
		}
		_ = c.Close()
	}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	s.addr = srv.Listener.Addr().String()
	return s
}

// broker is mosquitto; it lets in only client IDs that begin with "jackfield", as
// a policy would.
func (s *standIn) broker(t testing.TB, issued server.Issued) {
	dir := t.TempDir()
	s.mtls, s.ws, s.plain = server.FreePort(t), server.FreePort(t), server.FreePort(t)
	cert, key := issued.Write(t, dir, "")
	ca := server.WriteFile(t, dir, "ca.pem", s.ca.PEM, 0o644)
	conf := fmt.Sprintf("per_listener_settings true\nuser root\nclientid_prefixes jackfield\nlistener %d 127.0.0.1\nallow_anonymous true\nlistener %d 127.0.0.1\nprotocol websockets\nsocket_domain ipv4\nallow_anonymous true\n", s.plain, s.ws)
	conf += fmt.Sprintf("listener %d 127.0.0.1\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nuse_identity_as_username true\n", s.mtls, ca, cert, key)
	file := server.WriteFile(t, dir, filepath.Base("m.conf"), conf, 0o644)
	server.Start(t, exec.Command(server.Program(t, "mosquitto", "mosquitto"), "-c", file), "127.0.0.1:"+strconv.Itoa(s.mtls)) // the listener that it opens last
}

func (s *standIn) publish(t testing.TB, topic, body string) {
	server.Run(t, s.pub, "-i", "jackfield-pub", "-h", "127.0.0.1", "-p", strconv.Itoa(s.plain), "-t", topic, "-m", body, "-r")
}

// within makes env reach the stand-in under AWS's names.
func (s *standIn) within(w *conntest.World) {
	dial, client := w.Env.Dial, w.Env.HTTP
	w.Env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, _ := net.SplitHostPort(addr)
		s.mu.Lock()
		aimed := s.aimed
		s.mu.Unlock()
		switch {
		case strings.Contains(host, "eu-west-9"):
			return dial(ctx, network, aimed)
		case !strings.Contains(host, practiceRegion):
			return dial(ctx, network, net.JoinHostPort("no-such-region.invalid", port))
		case port == "8883":
			return dial(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(s.mtls)))
		}
		return dial(ctx, network, s.addr)
	}
	w.Env.HTTP = func(spec connectors.HTTP) (*http.Client, error) {
		spec.CA, spec.Proxy = s.ca.PEM, "direct"
		return client(spec)
	}
}

func (s *standIn) aim(in connectors.Settings, host, port string) connectors.Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aimed = net.JoinHostPort(host, port)
	in.Plain["endpoint"] = aimedEndpoint
	return in
}

func (s *standIn) world(t testing.TB) *conntest.World {
	w := conntest.NewWorld(t)
	s.within(w)
	return w
}

func pipe(c net.Conn, from io.Reader, port int) {
	b, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(b, from); _ = b.Close() }()
	_, _ = io.Copy(c, b)
	_ = c.Close()
	_ = b.Close()
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	now, slow := time.Now().Add(s.skew), s.slow
	s.mu.Unlock()
	service := map[string]string{practiceEndpoint: data, "iot.eu-west-1.amazonaws.com": control, "sts.eu-west-1.amazonaws.com": "sts"}[r.Host]
	if r.URL.Path == "/mqtt" && r.Host == practiceEndpoint {
		service = gateway
	}
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	key, code, said := verify(r, body, service, now)
	if code == "" && slow && service == control {
		code, said = "ThrottlingException", "Rate exceeded"
	}
	if code == "" && key == narrowKey && (service == control && r.URL.Path != "/thing-types" && r.URL.Path != "/endpoint" || service == data || service == gateway) {
		code, said = "AccessDeniedException", "User: arn:aws:iam::123456789012:user/narrow is not authorized to perform: iot:"+map[string]string{"/things": "ListThings", "/thing-groups": "ListThingGroups"}[r.URL.Path]
	}
	if code != "" {
		refuse(w, service, code, said)
		return
	}
	s.mu.Lock()
	s.signed = append(s.signed, service)
	if service == gateway {
		s.upgrade = append(s.upgrade, r.URL.Query().Get("X-Amz-Signature"))
	}
	s.mu.Unlock()
	if service == gateway {
		s.websocket(w, r)
		return
	}
	if strings.Contains(string(body), "Action=AssumeRole") {
		s.assume(w, string(body))
		return
	}
	s.answer(w, r, service)
}

// assume gives the role's keys to who knows its external ID.
func (s *standIn) assume(w http.ResponseWriter, body string) {
	q, _ := url.ParseQuery(body)
	if q.Get("RoleArn") != practiceRole || q.Get("ExternalId") != practiceExternal {
		refuse(w, "sts", "AccessDenied", "not authorized to perform: sts:AssumeRole")
		return
	}
	_, _ = fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
		temporaryKey, practiceSecret, practiceToken, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// refuse answers in the shape of each service: Query XML, REST JSON, plain.
func refuse(w http.ResponseWriter, service, code, said string) {
	switch service {
	case "sts":
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, code, said)
	case gateway:
		w.WriteHeader(http.StatusForbidden)
	case data:
		w.Header().Set("X-Amzn-Errortype", "ForbiddenException")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message":"Forbidden","traceId":"1"}`)
	default:
		w.Header().Set("X-Amzn-Errortype", code)
		status := http.StatusForbidden
		if code == "ThrottlingException" {
			status = http.StatusTooManyRequests
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"message":%q}`, said)
	}
}

func (s *standIn) websocket(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_ = conn.SetDeadline(time.Time{})
	r.Header.Del("Authorization")
	var head strings.Builder
	_, _ = fmt.Fprintf(&head, "GET /mqtt HTTP/1.1\r\nHost: broker\r\n")
	_ = r.Header.Write(&head)
	head.WriteString("\r\n")
	pipe(conn, io.MultiReader(strings.NewReader(head.String()), buffered(rw.Reader), conn), s.ws)
}

func buffered(r *bufio.Reader) io.Reader {
	p, _ := r.Peek(r.Buffered())
	return strings.NewReader(string(p))
}

func (s *standIn) answer(w http.ResponseWriter, r *http.Request, service string) {
	q := r.URL.Query()
	out, status := "", http.StatusOK
	switch path := r.URL.Path; {
	case service == "sts":
		out = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/reader</Arn><UserId>AIDAPRACTICEONLY0000</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`
	case path == "/endpoint":
		out = fmt.Sprintf(`{"endpointAddress":%q}`, practiceEndpoint)
	case path == "/things":
		out = things(q)
	case path == "/thing-types":
		out = `{"thingTypes":[{"thingTypeName":"pump","thingTypeArn":"arn:aws:iot:eu-west-1:123456789012:thingtype/pump"}]}`
	case path == "/thing-groups":
		out = `{"thingGroups":[{"groupName":"hall one","groupArn":"arn:aws:iot:eu-west-1:123456789012:thinggroup/hall one"}]}`
	case path == "/thing-groups/hall one/things":
		out = `{"things":["sensor-1","sensor-2"]}`
	case path == "/retainedMessage":
		out = `{"retainedTopics":[{"topic":"plant/a","payloadSize":4,"qos":0,"lastModifiedTime":1700000000000},{"topic":"plant/\u202egpj","payloadSize":1,"qos":1,"lastModifiedTime":1700000000000}]}`
	case path == "/retainedMessage/plant/a":
		out = fmt.Sprintf(`{"topic":"plant/a","payload":%q,"qos":0,"lastModifiedTime":1700000000000}`, base64.StdEncoding.EncodeToString([]byte("21.5")))
	case path == "/api/things/shadow/ListNamedShadowsForThing/sensor-1":
		out = `{"results":["config"],"timestamp":1700000000}`
	case path == "/things/sensor-1/shadow" && q.Get("name") == "config":
		out = `{"state":{"reported":{"interval":60}},"version":2}`
	case path == "/things/sensor-1/shadow":
		out = `{"state":{"reported":{"degrees":21.5}},"version":7}`
	default:
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		out, status = `{"message":"No shadow exists with name"}`, http.StatusNotFound
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, out)
}

// things are many, in pages of what is asked for.
func things(q url.Values) string {
	from, _ := strconv.Atoi(q.Get("nextToken"))
	most, _ := strconv.Atoi(q.Get("maxResults"))
	all := manyThings
	if q.Get("thingTypeName") != "" {
		all = 1
	}
	var list []string
	for i := from; i < min(all, from+most); i++ {
		list = append(list, fmt.Sprintf(`{"thingName":"sensor-%d","thingTypeName":"pump","thingArn":"arn:aws:iot:eu-west-1:123456789012:thing/sensor-%d","attributes":{"room":"%d","floor":"1"},"version":1}`, i, i, i))
	}
	next := "null"
	if from+most < all {
		next = strconv.Quote(strconv.Itoa(from + most))
	}
	return `{"things":[` + strings.Join(list, ",") + `],"nextToken":` + next + `}`
}

// verify reads Signature Version 4 as the IAM user guide describes it
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
func verify(r *http.Request, body []byte, service string, now time.Time) (key, code, said string) {
	q := r.URL.Query()
	p := parameters(r, q)
	scope := strings.Split(p["Credential"], "/")
	if len(scope) != 5 || scope[3] != service || scope[4] != "aws4_request" {
		return "", "IncompleteSignatureException", "not signed for " + service
	}
	if scope[2] != practiceRegion {
		return "", "SignatureDoesNotMatch", "Credential should be scoped to a valid region."
	}
	token := r.Header.Get("X-Amz-Security-Token") + q.Get("X-Amz-Security-Token")
	switch {
	case !slices.Contains([]string{practiceKey, narrowKey, temporaryKey}, scope[0]):
		return "", "InvalidClientTokenId", "The security token included in the request is invalid."
	case scope[0] == temporaryKey && token == expiredToken:
		return "", "ExpiredToken", "The security token included in the request is expired"
	case scope[0] == temporaryKey && token != practiceToken:
		return "", "InvalidClientTokenId", "The security token included in the request is invalid."
	}
	at, err := time.Parse("20060102T150405Z", p["Date"])
	if err != nil || at.Sub(now).Abs() > 5*time.Minute {
		return "", "SignatureDoesNotMatch", "Signature expired: " + p["Date"]
	}
	if !hmac.Equal([]byte(signature(r, q, body, p, scope)), []byte(p["Signature"])) {
		return "", "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."
	}
	return scope[0], "", ""
}

// parameters are in the header, or in the query where a URL is signed.
func parameters(r *http.Request, q url.Values) map[string]string {
	out := map[string]string{"Date": r.Header.Get("X-Amz-Date")}
	if q.Has("X-Amz-Signature") {
		for _, k := range []string{"Credential", "SignedHeaders", "Signature", "Date"} {
			out[k] = q.Get("X-Amz-" + k)
		}
		return out
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ", ") {
		k, v, _ := strings.Cut(part, "=")
		out[k] = v
	}
	return out
}

func signature(r *http.Request, q url.Values, body []byte, p map[string]string, scope []string) string {
	q.Del("X-Amz-Signature")
	if r.URL.Path == "/mqtt" {
		q.Del("X-Amz-Security-Token") // IoT leaves it out
	}
	var headers strings.Builder
	for name := range strings.SplitSeq(p["SignedHeaders"], ";") {
		v := r.Header.Get(name)
		switch name {
		case "host":
			v = r.Host
		case "content-length":
			v = strconv.FormatInt(r.ContentLength, 10)
		}
		headers.WriteString(name + ":" + strings.TrimSpace(v) + "\n")
	}
	path := strings.ReplaceAll(url.PathEscape(r.URL.EscapedPath()), "%2F", "/")
	sum := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	canonical := strings.Join([]string{r.Method, path, strings.ReplaceAll(q.Encode(), "+", "%20"), headers.String(), p["SignedHeaders"], sum(body)}, "\n")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", p["Date"], strings.Join(scope[1:], "/"), sum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + practiceSecret)
	for _, part := range append(slices.Clone(scope[1:]), text) {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return hex.EncodeToString(key)
}
