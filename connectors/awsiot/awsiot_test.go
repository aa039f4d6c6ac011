package awsiot

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/awsx"
)

func TestMain(m *testing.M) { conntest.Main(m, Type()) }

// settings are with keys; more are further answers.
func (s *standIn) settings(more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"endpoint", practiceEndpoint, "access_key", practiceKey, "secret_key", practiceSecret, "key_name", "Plant dashboard", "ca", s.ca.PEM}, more...)
}

func (s *standIn) certificate(c server.Issued, more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"endpoint", practiceEndpoint, "auth", "certificate", "client_cert", c.Cert, "client_key", c.Key, "ca", s.ca.PEM}, more...)
}

func TestStandInOfAWSWithKeys(t *testing.T) {
	s := startStandIn(t)
	s.publish(t, "plant/a", "21.5")
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return s.settings(more...) }
	}
	conntest.Run(t, conntest.Suite{Type: Type(), Good: set(), World: s.within, Aim: s.aim,
		Big:     &conntest.Big{Settings: set(), Parent: "things", Count: manyThings},
		Hostile: &conntest.Place{Settings: set(), Node: "retained"},
		Faults: []conntest.Fault{
			{Name: "unknown access key", Settings: set("access_key", "AKIAPRACTICEONLY9999"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "access_key"},
			{Name: "wrong secret", Settings: set("secret_key", "practice-only-other"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "secret_key"},
			{Name: "the secret as the access key", Settings: set("access_key", strings.Repeat("x", 40)), Code: connectors.BadInput, Field: "access_key"},
			{Name: "temporary key without its token", Settings: set("access_key", temporaryKey), Code: connectors.BadInput, Field: "session_token"},
			{Name: "expired token", Settings: set("access_key", temporaryKey, "session_token", expiredToken), Code: connectors.Expired, Stage: connectors.StageSignIn, Field: "session_token"},
			{Name: "actions denied", Settings: set("access_key", narrowKey), Code: connectors.Denied, Stage: connectors.StageRights, Field: "-"},
			{Name: "endpoint of another account", Settings: set("endpoint", otherEndpoint), Code: connectors.BadInput, Stage: connectors.StageRights, Field: "endpoint"},
			{Name: "a region that is not there", Settings: set("endpoint", "a1practice-ats.iot.eu-west-7.amazonaws.com"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "endpoint"},
			{Name: "region typed and another one in the endpoint", Settings: set("region", "us-east-1"), Code: connectors.BadInput, Field: "region"},
			{Name: "an endpoint of one's own without a region", Settings: set("endpoint", "iot.example.com"), Code: connectors.BadInput, Field: "region"},
			{Name: "the control plane's endpoint", Settings: set("endpoint", "iot.eu-west-1.amazonaws.com"), Code: connectors.BadInput, Field: "endpoint"},
			{Name: "unsigned by a foreign authority", Settings: func(tb testing.TB) connectors.Settings {
				return s.certificate(s.client, "ca", server.NewCA(tb).PEM)
			}, Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
		}})
}

func TestStandInOfAWSWithACertificate(t *testing.T) {
	s := startStandIn(t)
	for _, way := range []string{"8883", "443"} {
		set := func(c server.Issued, more ...string) func(testing.TB) connectors.Settings {
			return func(testing.TB) connectors.Settings { return s.certificate(c, append(more, "way", way)...) }
		}
		foreign := server.NewCA(t).Issue(t, server.Cert{Client: true})
		suite := conntest.Suite{Type: Type(), Good: set(s.client), World: s.within, Aim: s.aim,
			Faults: []conntest.Fault{
				{Name: "unknown certificate", Settings: set(foreign), Code: connectors.AuthFailed, Field: "client_cert"},
				{Name: "another key", Settings: set(s.client, "client_key", foreign.Key), Code: connectors.BadInput, Field: "client_key"},
				{Name: "a client ID that the policy denies", Settings: set(s.client, "client_id", "pump", "exact_id", "true"), Code: connectors.Denied, Stage: connectors.StageSignIn, Field: "client_id"},
				{Name: "the same in MQTT 3.1.1", Settings: set(s.client, "client_id", "pump", "protocol", "3.1.1"), Code: connectors.Denied, Stage: connectors.StageSignIn, Field: "exact_id"},
			}}
		if way == "443" {
			suite.Faults = append(suite.Faults, conntest.Fault{Name: "certificate that is not active", Settings: set(s.off), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "client_cert"})
		}
		t.Run("port "+way, func(t *testing.T) { conntest.Run(t, suite) })
	}
}

func (s *standIn) open(t *testing.T, in connectors.Settings) connectors.Session {
	t.Helper()
	return conntest.OpenIn(t, s.world(t), Type(), in)
}

func ids(list []connectors.Node) string {
	var out []string
	for _, n := range list {
		out = append(out, string(n.ID))
	}
	return strings.Join(out, " ")
}

func TestStandInTheTreeOpens(t *testing.T) {
	s := startStandIn(t)
	s.publish(t, "plant/a", "21.5")
	s.publish(t, "$aws/things/sensor-1/shadow/update/documents", "{}")
	session := s.open(t, s.settings("access_key", temporaryKey, "session_token", practiceToken))
	for parent, want := range map[connectors.NodeID]string{
		"": "things types groups retained live", "types": "types/pump", "types/pump": "things/sensor-0", "groups": "groups/hall%20one",
		"groups/hall%20one": "things/sensor-1 things/sensor-2", "things/sensor-1": "live/$aws/things/sensor-1/shadow shadow/sensor-1/ shadow/sensor-1/config",
		"retained": "retained/plant%2Fa retained/plant%2F%E2%80%AEgpj", "live": "live/plant", "live/plant": "live/plant/a",
		"live/$aws/things/sensor-9/shadow": "",
	} {
		if got := ids(conntest.List(t, session, parent)); got != want {
			t.Errorf("%q: %q, want %q", parent, got, want)
		}
	}
	for end := time.Now().Add(20 * time.Second); ids(conntest.List(t, session, "live/$aws/things/sensor-1/shadow")) != "live/$aws/things/sensor-1/shadow/update"; {
		if time.Now().After(end) {
			t.Fatal("a thing's own topics are not heard")
		}
	}
	if f := conntest.List(t, session, "types/pump")[0].Facts; len(f) != 4 || f[1].Label != "floor" || f[2].Text != "0" {
		t.Errorf("%+v", f)
	}
	for id, want := range map[connectors.NodeID]string{"shadow/sensor-1/config": "\"interval\": 60", "shadow/sensor-1/": "\"degrees\": 21.5", "retained/plant%2Fa": "21.5", "live/plant/a": "21.5"} {
		sample, err := session.(connectors.Sampler).Sample(t.Context(), id, 1000)
		if err != nil || !strings.Contains(string(sample.Data), want) {
			t.Errorf("%s: %s %v", id, sample.Data, err)
		}
	}
	_, err := session.(connectors.Sampler).Sample(t.Context(), "shadow/sensor-2/", 1000)
	if e := connectors.Classify(err); e == nil || e.Reason != "awsiot.no_shadow" {
		t.Errorf("%v", err)
	}
	for e, err := range session.(connectors.Streamer).Watch(t.Context(), "live/plant") {
		if err != nil || strings.Join(e.Path, "/") != "live/plant/a" || string(e.Body) != "21.5" {
			t.Errorf("%+v %v", e, err)
		}
		break
	}
	parts, err := session.(connectors.Actor).Act(t.Context(), "live/plant/b", "publish", "x")
	if err != nil || len(parts) != 1 || session.(connectors.Actor).Actions("things/sensor-1") != nil {
		t.Errorf("%v %v", parts, err)
	}
	if got := slices.Compact(slices.Sorted(slices.Values(s.signed))); strings.Join(got, " ") != "iot iotdata iotdevicegateway sts" {
		t.Errorf("signed for %q", got)
	}
}

// Each listing may be denied alone; what was denied names the action.
func TestStandInDeniedListingsAreShown(t *testing.T) {
	s := startStandIn(t)
	session := s.open(t, s.settings("access_key", narrowKey))
	facts, err := session.Check(t.Context())
	e := connectors.Classify(err)
	if e == nil || !e.Partial || e.Code != connectors.Denied || e.Target != "Things, Thing groups, Retained messages" || !strings.Contains(fmt.Sprint(facts), "iot:ListThings") {
		t.Fatalf("%v %+v", facts, e)
	}
	if p := connectors.Explain(err); !strings.Contains(p.Hint, "iot:ListThings") {
		t.Errorf("%+v", p)
	}
	var denied []string
	for _, n := range conntest.List(t, session, "") {
		if n.Access == connectors.AccessDenied {
			denied = append(denied, n.Name)
		}
	}
	if strings.Join(denied, ", ") != e.Target || ids(conntest.List(t, session, "types")) != "types/pump" {
		t.Errorf("%q", denied)
	}
	for _, err := range session.(connectors.Browser).Children(t.Context(), "live") {
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || e.Reason != "awsiot.websocket_denied" || e.Said != "403 Forbidden" {
			t.Errorf("%+v", e)
		}
	}
}

func TestStandInAPolicyThatNamesTheClientIsSaid(t *testing.T) {
	s := startStandIn(t)
	for _, version := range []string{"5", "3.1.1"} {
		session := s.open(t, s.settings("client_id", "pump", "exact_id", "true", "protocol", version))
		for _, err := range session.(connectors.Browser).Children(t.Context(), "live") {
			if e := connectors.Classify(err); e == nil || e.Reason != "awsiot.connect_denied" || e.Field != "client_id" {
				t.Errorf("%s: %+v", version, e)
			}
		}
	}
}

func TestStandInACertificateSaysThatListingNeedsKeys(t *testing.T) {
	s := startStandIn(t)
	session := s.open(t, s.certificate(s.client))
	for _, n := range conntest.List(t, session, "") {
		if (n.Access == connectors.AccessDenied) != (n.ID != "live") {
			t.Errorf("%+v", n)
		}
	}
	for _, err := range session.(connectors.Browser).Children(t.Context(), "things") {
		if e := connectors.Classify(err); e == nil || e.Reason != "awsiot.keys_needed" || e.Field != "auth" {
			t.Errorf("%+v", e)
		}
	}
}

func TestSecurity69_StandInClockSkewAndThrottlingAreSaid(t *testing.T) {
	s := startStandIn(t)
	s.skew = 30 * time.Minute
	_, err := Type().Open(t.Context(), s.world(t).Env, s.settings())
	if e := connectors.Classify(err); e == nil || e.Reason != "aws.clock" || e.Said != "30 minutes behind" || e.Op != connectors.StageSignIn {
		t.Errorf("%+v", e)
	}
	s.skew, s.slow = 0, true
	_, err = Type().Open(t.Context(), s.world(t).Env, s.settings())
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Throttled {
		t.Errorf("%+v", e)
	}
}

// Keys come from the form alone, and the role gets the external ID as typed.
func TestSecurity29_StandInARoleIsTakenOnWithItsExternalID(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAPRACTICEONLYENV0")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "practice-only-environment")
	t.Setenv("AWS_REGION", "us-east-1")
	s := startStandIn(t)
	s.publish(t, "plant/a", "21.5")
	session := s.open(t, s.settings("role_arn", practiceRole, "external_id", practiceExternal))
	facts, err := session.Check(t.Context())
	if err != nil || !slices.ContainsFunc(facts, func(f connectors.Fact) bool { return f.Label == "Expires" }) {
		t.Errorf("%v %v", facts, err)
	}
	if got := ids(conntest.List(t, session, "live")); got != "live/plant" {
		t.Error(got)
	}
	_, err = Type().Open(t.Context(), s.world(t).Env, s.settings("role_arn", practiceRole, "external_id", "another"))
	conntest.WantError(t, err, connectors.Denied, "aws.assume", "role_arn")
	if _, err := Type().Open(t.Context(), s.world(t).Env, s.settings("access_key", "")); connectors.CodeOf(err) != connectors.BadInput {
		t.Errorf("without keys: %v", err)
	}
}

// The address is signed anew for each attempt, and found in no log or error.
func TestSecurity65_StandInAnAddressIsSignedForEachAttempt(t *testing.T) {
	s := startStandIn(t)
	session := s.open(t, s.settings("access_key", temporaryKey, "session_token", practiceToken)).(*session)
	first, err := session.live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	time.Sleep(1100 * time.Millisecond) // the signature has whole seconds
	second, err := session.live(t.Context())
	if err != nil || first == second {
		t.Fatalf("%v", err)
	}
	if len(s.upgrade) != 2 || s.upgrade[0] == s.upgrade[1] {
		t.Errorf("%q", s.upgrade)
	}
}

func TestSecurity65_TheTokenIsAddedAfterSigning(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	keys := awsx.Credentials{AccessKey: temporaryKey, Secret: connectors.NewSecret(practiceSecret)}
	bare, err := signedURL(t.Context(), practiceEndpoint, practiceRegion, keys, at)
	if err != nil {
		t.Fatal(err)
	}
	keys.Token = connectors.NewSecret(practiceToken)
	with, err := signedURL(t.Context(), practiceEndpoint, practiceRegion, keys, at)
	if err != nil {
		t.Fatal(err)
	}
	if with.Query().Get("X-Amz-Security-Token") != practiceToken || with.Query().Get("X-Amz-Signature") != bare.Query().Get("X-Amz-Signature") || with.Scheme != "wss" || with.Path != "/mqtt" {
		t.Errorf("%s", with.Redacted())
	}
	if got := with.Query().Get("X-Amz-SignedHeaders"); got != "host" {
		t.Error(got)
	}
}

// A canary: what is signed with is in no error, whatever the endpoint answers.
func TestSecurity67_StandInErrorsHoldNoSignedAddress(t *testing.T) {
	s := startStandIn(t)
	session := s.open(t, s.settings("access_key", temporaryKey, "session_token", practiceToken)).(*session)
	session.c.Endpoint = otherEndpoint // answers 403: it signs for nobody
	_, err := session.live(t.Context())
	text := fmt.Sprintf("%v %+v %#v", err, connectors.Explain(err), connectors.Explain(err))
	for inner := err; inner != nil; {
		text += inner.Error()
		u, ok := inner.(interface{ Unwrap() error })
		if !ok {
			break
		}
		inner = u.Unwrap()
	}
	if err == nil || strings.Contains(text, practiceToken) || strings.Contains(text, url.QueryEscape(practiceToken)) || strings.Contains(text, "X-Amz-Signature") {
		t.Errorf("%s", text)
	}
}

func TestEndpoints(t *testing.T) {
	for in, want := range map[string]string{
		"wss://A1practice-ats.iot.eu-west-1.amazonaws.com:443/mqtt": practiceEndpoint, " " + practiceEndpoint + ":8883 ": practiceEndpoint, "https://" + practiceEndpoint + "/": practiceEndpoint,
	} {
		if got := tidyEndpoint(in); got != want || validEndpoint(got) != nil {
			t.Errorf("%s: %s", in, got)
		}
	}
	for _, bad := range []string{"c1.credentials.iot.eu-west-1.amazonaws.com", "iot.eu-west-1.amazonaws.com", "data-ats.iot.eu-west-1.amazonaws.com", "a1practice", "a b.c"} {
		if validEndpoint(bad) == nil {
			t.Errorf("%s passes", bad)
		}
	}
	for endpoint, want := range map[string]string{practiceEndpoint: "eu-west-1", "a1.iot.cn-north-1.amazonaws.com.cn": "cn-north-1", "a1-ats.iot.us-gov-west-1.amazonaws.com": "us-gov-west-1"} {
		if got, err := (config{Endpoint: endpoint}).region(); got != want || err != nil {
			t.Errorf("%s: %s %v", endpoint, got, err)
		}
	}
}
