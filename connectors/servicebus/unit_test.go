package servicebus

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/amqpx"
)

func TestConnectionStringsArePasted(t *testing.T) {
	for in, want := range map[string]map[string]string{
		"Endpoint=sb://Contoso.servicebus.windows.net/;SharedAccessKeyName=owner;SharedAccessKey=a+b/c==": {"namespace": "contoso", "auth": "access_key", "key_name": "owner", "access_key": "a+b/c=="},
		" \"endpoint=sb://contoso.servicebus.chinacloudapi.cn:5671;sharedaccesskey=k=;SHAREDACCESSKEYNAME=n;EntityPath=site1/q;TransportType=AmqpWebSockets\"\n": {
			"namespace": "contoso.servicebus.chinacloudapi.cn", "port": "5671", "auth": "access_key", "key_name": "n", "access_key": "k=", "entity": "site1/q", "transport": "websocket"},
		"Endpoint=sb://localhost;SharedAccessKeyName=Root;SharedAccessKey=SAS;UseDevelopmentEmulator=true;":                  {"namespace": "localhost", "auth": "access_key", "key_name": "Root", "access_key": "SAS", "transport": "emulator"},
		"Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessSignature=SharedAccessSignature sr=x&sig=y%3D&se=1&skn=z": {"namespace": "contoso", "auth": "sas", "sas": "SharedAccessSignature sr=x&sig=y%3D&se=1&skn=z"},
		"contoso": nil, "SharedAccessKey=x": nil, "": nil, "Endpoint=;SharedAccessKey=x": nil,
	} {
		if got := splitConnection(in); !maps.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%q: %q", in, got)
		}
	}
	for in, want := range map[string]string{
		"Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=o;SharedAccessKey=practice": "contoso", "https://Contoso.servicebus.windows.net/": "contoso",
		"contoso.servicebus.usgovcloudapi.net": "contoso.servicebus.usgovcloudapi.net", " contoso ": "contoso", "sb://[::1]:5671": "::1",
	} {
		if got := tidyNamespace(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if got := tidyKey("Endpoint=sb://x/;SharedAccessKey=practice="); got != "practice=" {
		t.Error("the key is not taken out of a connection string")
	}
	for in, want := range map[string]string{"sr=a&sig=b": "SharedAccessSignature sr=a&sig=b", "Authorization: SharedAccessSignature  sr=a ": "SharedAccessSignature sr=a"} {
		if got := tidySAS(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for c, want := range map[config]string{
		{Namespace: "contoso", Suffix: publicCloud}:                                  "contoso.servicebus.windows.net 5671 https://contoso.servicebus.windows.net",
		{Namespace: "contoso.servicebus.chinacloudapi.cn", Transport: overWebSocket}: "contoso.servicebus.chinacloudapi.cn 443 https://contoso.servicebus.chinacloudapi.cn",
		{Namespace: "localhost", Transport: toEmulator}:                              "localhost 5672 http://localhost:5300",
		{Namespace: "::1", Port: 7}:                                                  "::1 7 https://[::1]",
	} {
		base, err := c.base()
		if err != nil || c.host()+" "+c.port()+" "+base.String() != want {
			t.Errorf("%s %s %v, want %s", c.host(), c.port(), base, want)
		}
	}
}

// What is written in a connection string or a URL stays what it is.
func TestSecurity60_KeysSurviveEveryCharacter(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	feed := &atomFeed{}
	for _, key := range []string{`'"@/#?%\:`, "a+b/c==", "x' host='evil.example", "é"} {
		for _, policy := range []string{"owner", "a&b=c d+é"} {
			s := signer{policy: policy, key: connectors.NewSecret(key), now: func() time.Time { return now }}
			token, ends := s.token("https://Contoso.servicebus.windows.net/site1/Q")
			about, err := readSAS(token.Reveal())
			if err != nil || about.policy != policy || about.entity() != "site1/q" || !about.ends.Equal(ends) || ends.Sub(now) != lifetime {
				t.Errorf("%q %q: %+v %v", key, policy, about, err)
			}
			s.now = time.Now
			token, _ = s.token("https://contoso.servicebus.windows.net/site1")
			feed.policies = policies()
			feed.policies[policy] = owner(key)
			if status, said := feed.allowed(token.Reveal(), "site1/q"); status != 0 {
				t.Errorf("%q %q: %s", key, policy, said)
			}
			if strings.Contains(token.Reveal(), key) || strings.ContainsAny(token.Reveal()[len(sasScheme):], " \r\n") {
				t.Errorf("%q %q is in the token as it is", key, policy)
			}
		}
	}
}

func TestTokensThatCannotBeAreSaidSo(t *testing.T) {
	for _, in := range []string{"", "x", "SharedAccessSignature ", "SharedAccessSignature sr=a&sig=b&se=1", "SharedAccessSignature sr=a&sig=b&se=x&skn=n", "SharedAccessSignature sr=%zz&sig=b&se=1&skn=n",
		"SharedAccessSignature sr=a&sig=b&se=99999999999999999999&skn=n", "SharedAccessSignature sr=a &sig=practice-only&se=1&skn=n", "SharedAccessSignature sr=a&sig=b&se=-1&skn=n"} {
		_, err := readSAS(in)
		if err == nil || !strings.HasSuffix(err.Error(), ".") || strings.Contains(err.Error(), "practice-only") {
			t.Errorf("%q: %v", in, err)
		}
	}
	c := config{Auth: bySAS, SAS: connectors.NewSecret(tokenFor("http://h/a/b", "n", "k", time.Unix(5, 0)))}
	_, _, err := newSigner(conntest.NewWorld(t).Env, c)
	conntest.WantError(t, err, connectors.Expired, "servicebus.sas_expired", "sas")
	if said := connectors.Classify(err).Said; said != "1970-01-01T00:00:05Z" {
		t.Error(said)
	}
}

func FuzzPastes(f *testing.F) {
	f.Add("Endpoint=sb://contoso.servicebus.windows.net/;SharedAccessKeyName=o;SharedAccessKey=practice")
	f.Add("SharedAccessSignature sr=a&sig=b&se=1&skn=n")
	f.Fuzz(func(_ *testing.T, v string) {
		splitConnection(v)
		_, _ = tidyNamespace(v), tidyKey(v)
		_, _ = readSAS(tidySAS(v))
		_, _ = parsePlace(connectors.NodeID(v))
	})
}

func TestPlacesAreFoundAgain(t *testing.T) {
	for id, want := range map[connectors.NodeID]string{
		"queues/orders": "orders", "queues/a%2Fb/dead-letter": "a/b/$deadletterqueue", "topics/t/s": "t/Subscriptions/s", "topics/t/s/transfer-dead-letter/messages/7": "t/Subscriptions/s/$transfer/$deadletterqueue",
		"named/t%2FSubscriptions%2Fs/messages": "t/Subscriptions/s", "queues/dead-letter": "dead-letter", "topics/t/messages": "t/Subscriptions/messages",
	} {
		if p, ok := parsePlace(id); !ok || !p.readable() || p.path() != want {
			t.Errorf("%s: %+v %q", id, p, p.path())
		}
	}
	if p, ok := parsePlace("topics/t"); !ok || p.readable() {
		t.Errorf("%+v", p)
	}
	if topic, sub, ok := subscriptionOf("a/b/subscriptions/s"); !ok || topic != "a/b" || sub != "s" {
		t.Errorf("%q %q", topic, sub)
	}
}

// The sentences are those of the documentation and of threads about the service.
func TestRefusals_DocsShaped(t *testing.T) {
	s := &session{c: config{Namespace: "contoso", Suffix: publicCloud, Auth: byKey}, entity: "insurance-claims"}
	for _, one := range []struct {
		status          int
		condition, said string
		code            connectors.Code
		reason          string
	}{
		{401, "", "InvalidSignature: The token has an invalid signature. TrackingId:1", connectors.AuthFailed, "servicebus.signature"},
		{401, "", "SubCode=40103: Invalid authorization token signature", connectors.AuthFailed, "servicebus.signature"},
		{401, "", "InvalidAudience: Invalid authorization token audience.", connectors.AuthFailed, "servicebus.audience"},
		{401, "", "MalformedToken: The token is malformed.", connectors.AuthFailed, "servicebus.auth"},
		{401, "", "claim is empty or token is invalid. TrackingId:1", connectors.Denied, "servicebus.claims"},
		{401, "", "Manage,EntityRead claims required for this operation.", connectors.Denied, "servicebus.needs_manage"},
		{0, "amqp:unauthorized-access", "Unauthorized access. 'Listen' claim(s) are required to perform this operation. Resource: 'sb://contoso/insurance-claims'.", connectors.Denied, "servicebus.needs_listen"},
		{0, "amqp:unauthorized-access", "Unauthorized access. 'Send' claim(s) are required to perform this operation.", connectors.Denied, "servicebus.claims"},
		{0, "amqp:unauthorized-access", "Ip has been prevented to connect to the endpoint.", connectors.Denied, "servicebus.firewall"},
		{404, "", "The messaging entity 'sb://contoso/insurance-claims' could not be found.", connectors.NotFound, "servicebus.not_found"},
		{0, "amqp:not-found", "", connectors.NotFound, "servicebus.not_found"},
		{0, "com.microsoft:auth-failed", "ExpiredToken: The token is expired. Expiration time: '2019-04-11 21:12:56Z'", connectors.Expired, "servicebus.clock"},
		{0, "com.microsoft:entity-disabled", "", connectors.Denied, "servicebus.disabled"},
		{0, "com.microsoft:server-busy", "The request was terminated because the entity is being throttled. Error code: 50009.", connectors.Throttled, "servicebus.busy"},
		{0, "com.microsoft:timeout", "", connectors.TimedOut, "servicebus.busy"},
		{400, "", "SubCode=40000. The operation is not supported because the namespace 'contoso' is using 'Basic' tier.", connectors.Unsupported, "servicebus.tier"},
		{400, "", "Bad Request.", connectors.Refused, "servicebus.refused"},
		{http.StatusTooManyRequests, "", "", connectors.Throttled, "servicebus.busy"}, {503, "", "", connectors.Unreachable, "servicebus.down"}, {500, "", "disabled claim is empty", connectors.Unreachable, "servicebus.down"},
		{403, "", "Forbidden", connectors.Denied, "servicebus.claims"},
	} {
		e := s.refusal(one.status, one.condition, one.said, "insurance-claims", connectors.StageData)
		if e.Code != one.code || e.Reason != one.reason || strings.Contains(e.Said, "TrackingId") || !connectors.English().Has(e.Reason) {
			t.Errorf("%d %s %s: %+v", one.status, one.condition, one.said, e)
		}
		if e.Field != "" {
			if _, ok := Type().Form.Field(e.Field); !ok {
				t.Errorf("no field %s", e.Field)
			}
		}
	}
	gone := s.reached(&connectors.Error{Code: connectors.Unreachable, Reason: "dns.not_found", Field: "host"})
	conntest.WantError(t, gone, connectors.Unreachable, "servicebus.no_namespace", "namespace")
	if wrong := s.reached(errors.New("x")); wrong.Target != "contoso.servicebus.windows.net" {
		t.Errorf("%+v", wrong)
	}
}

func packed(t *testing.T, n int64, m *amqp.Message) map[string]any {
	t.Helper()
	m.Annotations = amqp.Annotations{"x-opt-sequence-number": n}
	data, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"message": data}
}

func TestSecurity71_HostileMessagesAreBounded(t *testing.T) {
	many := map[string]any{}
	for i := range 500 {
		many["\u202e"+strings.Repeat("n", 500)+strconv.Itoa(i)] = strings.Repeat("\x1b", 5000)
	}
	id := strings.Repeat("é", 5000)
	big := &amqp.Message{Data: [][]byte{[]byte(strings.Repeat("é", 100_000))}, ApplicationProperties: many, Properties: &amqp.MessageProperties{MessageID: "id", Subject: &id}}
	list := []any{1, map[string]any{}, map[string]any{"message": []byte{0, 1, 2}}, map[string]any{"message": "text"}, packed(t, 5, big), packed(t, 2, &amqp.Message{Value: "old"})}
	got := unpack(map[string]any{"messages": list}, 3, len(list))
	if len(got) != 1 || got[0].sequence != 5 {
		t.Fatalf("%d messages", len(got))
	}
	for i, c := range row(got[0]) {
		if text, is := c.(string); is && len(text) > amqpx.MaxCell+3 {
			t.Errorf("column %d has %d bytes", i, len(text))
		}
	}
	for _, f := range facts(got[0].message) {
		if utf8.RuneCountInString(f.Text) > maxFact+1 || utf8.RuneCountInString(f.Label) > 101 || connectors.Clean(f.Label+f.Text, 0) != f.Label+f.Text {
			t.Errorf("%.40q: %.40q", f.Label, f.Text)
		}
	}
	if n := len(facts(got[0].message)); n > maxProperties+25 {
		t.Errorf("%d facts", n)
	}
	for _, v := range []any{nil, 7, map[string]any{}, map[string]any{"messages": "x"}, []any{1}} {
		if got := unpack(v, 0, 5); len(got) != 0 {
			t.Errorf("%v: %v", v, got)
		}
	}
	if n := len(unpack(map[string]any{"messages": slices.Repeat([]any{packed(t, 1, &amqp.Message{})}, 50)}, 0, 3)); n != 3 {
		t.Errorf("%d of 3 that were asked for", n)
	}
}
