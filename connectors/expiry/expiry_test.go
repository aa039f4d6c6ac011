package expiry_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"jackfield/connectors"
	"jackfield/connectors/expiry"
	"jackfield/connectors/link"
)

func TestCertificatesOfOpenSSL(t *testing.T) {
	a := newAuthority(t)
	now := time.Now().UTC().Truncate(time.Second)
	for name, c := range map[string]struct {
		end   time.Time
		level expiry.Level
	}{
		"yesterday": {now.AddDate(0, 0, -1), expiry.Expired},
		"tomorrow":  {now.Add(23 * time.Hour), expiry.Day},
		"six":       {now.AddDate(0, 0, 6), expiry.Week},
		"twenty":    {now.AddDate(0, 0, 20), expiry.Month},
		"leapday":   {time.Date(2032, 2, 29, 23, 59, 59, 0, time.UTC), expiry.Later},
		"general":   {time.Date(2051, 2, 28, 12, 0, 0, 0, time.UTC), expiry.Later}, // GeneralizedTime
	} {
		cert, key := a.issue(name, c.end)
		items := of(t, now, now, "mqtt", "host", "b.example.com", "auth", "certificate", "client_cert", cert+a.ca(), "client_key", key, "ca", a.ca())
		got := byField(items)
		i := got["client_cert"]
		if !i.When.Equal(c.end) || i.Level != c.level || i.Kind != expiry.Certificate || i.Subject != name || i.Basis != expiry.Read || !i.Sure {
			t.Errorf("%s: %+v", name, i)
		}
		if ca := got["ca"]; ca.Kind != expiry.Authority || ca.Subject != "Practice CA" || ca.Level != expiry.Later {
			t.Errorf("%s: %+v", name, ca)
		}
		if k, there := got["client_key"]; there {
			t.Errorf("%s: the certificate's end is the key's: %+v", name, k)
		}
	}
	cert, key := a.issue("forever", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	got := byField(of(t, now, now, "mqtt", "host", "b.example.com", "auth", "certificate", "client_cert", cert, "client_key", key))
	if i, there := got["client_cert"]; there {
		t.Errorf("a certificate without an end has one: %+v", i)
	}
	if k := got["client_key"]; k.Kind != expiry.KeyAge || k.Sure || !k.When.Equal(now.Add(expiry.Reminder)) {
		t.Errorf("%+v", k)
	}
}

func (a authority) ca() string { return file(a.t, a.dir, "ca.pem") }

// TestAChainEndsWithItsFirstCertificate puts an issuer that ends before the leaf
// under it.
func TestAChainEndsWithItsFirstCertificate(t *testing.T) {
	a := newAuthority(t)
	now := time.Now().UTC()
	end := now.AddDate(0, 0, 5).Truncate(time.Second)
	cert, key := a.issue("leaf", now.AddDate(1, 0, 0))
	run(t, a.dir, "openssl", "req", "-new", "-config", "ca.conf", "-key", "ca.key", "-out", "short.csr", "-subj", "/CN=Practice CA")
	run(t, a.dir, "openssl", "req", "-x509", "-config", "ca.conf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root", "-days", "3650")
	run(t, a.dir, "openssl", "ca", "-batch", "-config", "ca.conf", "-cert", "root.pem", "-keyfile", "root.key", "-in", "short.csr", "-out", "short.pem", "-notext", "-startdate", "20200101000000Z", "-enddate", end.Format("20060102150405Z"))
	got := byField(of(t, now, now, "mqtt", "host", "h", "auth", "certificate", "client_cert", file(t, a.dir, "short.pem")+cert, "client_key", key))["client_cert"]
	if !got.When.Equal(end) || got.Subject != "Practice CA" || got.Level != expiry.Week {
		t.Errorf("%+v", got)
	}
}

func TestAStoreIsOpenedWithItsPassphrase(t *testing.T) {
	a := newAuthority(t)
	now := time.Now().UTC()
	end := now.AddDate(0, 0, 12).Truncate(time.Second)
	a.issue("stored", end)
	run(t, a.dir, "openssl", "pkcs12", "-export", "-in", "stored.pem", "-inkey", "stored.key", "-out", "stored.p12", "-passout", "pass:"+canary)
	store := base64.StdEncoding.EncodeToString([]byte(file(t, a.dir, "stored.p12")))
	for field, answers := range map[string][]string{
		"keystore":   {"kafka", "security", "tls", "certificate", "store", "keystore", store, "keystore_password", canary},
		"client_pfx": {"http", "certificate", "pfx", "client_pfx", store, "client_key_passphrase", canary},
	} {
		if i := byField(of(t, now, now, answers[0], answers[1:]...))[field]; i.Kind != expiry.Certificate || !i.When.Equal(end) || i.Subject != "stored" {
			t.Errorf("%s: %+v", field, i)
		}
		answers[len(answers)-1] = "another"
		if i := byField(of(t, now, now, answers[0], answers[1:]...))[field]; i.Kind != expiry.KeyAge {
			t.Errorf("%s with another passphrase: %+v", field, i)
		}
	}
}

func TestSSHCertificates(t *testing.T) {
	dir := t.TempDir()
	now := time.Now().UTC()
	run(t, dir, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ca")
	run(t, dir, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "id")
	key := file(t, dir, "id")
	for valid, want := range map[string]time.Duration{"-1h:+20d": 20 * 24 * time.Hour, "-2d:-1d": -24 * time.Hour, "-1h:+10m": 10 * time.Minute} {
		run(t, dir, "ssh-keygen", "-q", "-s", "ca", "-I", "mira@desk", "-n", "mira", "-V", valid, "id.pub")
		i := byField(of(t, now, now, "sftp", "host", "h", "user", "mira", "auth", "key", "key", key, "certificate", file(t, dir, "id-cert.pub")))["certificate"]
		if i.Kind != expiry.SSHCertificate || i.Subject != "mira@desk" || i.When.Sub(now.Add(want)).Abs() > time.Minute {
			t.Errorf("%s: %+v", valid, i)
		}
	}
	run(t, dir, "ssh-keygen", "-q", "-s", "ca", "-I", "mira@desk", "-n", "mira", "id.pub") // forever
	if i, there := byField(of(t, now, now, "sftp", "host", "h", "user", "mira", "auth", "key", "key", key, "certificate", file(t, dir, "id-cert.pub")))["certificate"]; there {
		t.Errorf("%+v", i)
	}
}

func signed(t testing.TB, end time.Time) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat(canary, 3))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.Claims{Subject: "mira"}
	if !end.IsZero() {
		claims.Expiry = jwt.NewNumericDate(end)
	}
	out, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTokens(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	end := now.Add(3 * 24 * time.Hour)
	for name, text := range map[string]string{
		"a token":          signed(t, end),
		"with Bearer":      "Bearer " + signed(t, end),
		"the first of two": signed(t, end.AddDate(1, 0, 0)) + "\n" + signed(t, end),
		"within JSON":      `{"token": "` + signed(t, end) + `"}`,
	} {
		i := byField(of(t, now, now, "jwt_token", "token", text))["token"]
		if i.Kind != expiry.JWT || !i.When.Equal(end) || i.Level != expiry.Week {
			t.Errorf("%s: %+v", name, i)
		}
	}
	for name, text := range map[string]string{"without an end": signed(t, time.Time{}), "encrypted": "eyJhbGciOiJkaXIifQ..a.b.c", "damaged": "eyJ!.eyJ.x", "in the year 12000": signed(t, time.Unix(316516204800, 0))} {
		if i := byField(of(t, now, now, "jwt_token", "token", text))["token"]; i.Kind != expiry.KeyAge {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

func TestSignaturesOfAzureAndAWS(t *testing.T) {
	now := time.Date(2028, 2, 28, 23, 30, 0, 0, time.UTC)
	blob := func(se string) string {
		return "sv=2024-11-04&ss=b&srt=sco&sp=rl&spr=https&se=" + url.QueryEscape(se) + "&sig=" + url.QueryEscape(canary+"=")
	}
	for se, want := range map[string]time.Time{
		"2028-02-29T12:30:00Z":      time.Date(2028, 2, 29, 12, 30, 0, 0, time.UTC), // a leap day
		"2028-02-29T12:30Z":         time.Date(2028, 2, 29, 12, 30, 0, 0, time.UTC),
		"2028-03-01":                time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC),
		"2028-02-29T14:30:00+02:00": time.Date(2028, 2, 29, 12, 30, 0, 0, time.UTC),
	} {
		i := byField(of(t, now, now, "azure_blob", "auth", "sas", "sas", blob(se)))["sas"]
		if i.Kind != expiry.SAS || !i.When.Equal(want) || i.Level != expiry.Day && want.Sub(now) < 24*time.Hour {
			t.Errorf("%s: %+v", se, i)
		}
	}
	if i := byField(of(t, now, now, "azure_blob", "auth", "sas", "sas", blob("2027-02-29T00:00Z")))["sas"]; i.Kind != expiry.KeyAge {
		t.Errorf("there was no such day: %+v", i)
	}
	azurite := "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;SharedAccessSignature=se=2028-02-29T12%3A30%3A00Z&sp=rl&sig=" + canary
	if i := byField(of(t, now, now, "azure_blob", "auth", "connection", "connection_string", azurite))["connection_string"]; i.Kind != expiry.SAS || !i.When.Equal(time.Date(2028, 2, 29, 12, 30, 0, 0, time.UTC)) {
		t.Errorf("%+v", i)
	}
	bus := fmt.Sprintf("SharedAccessSignature sr=x.example&sig=%s&se=%d&skn=reader", canary, now.Add(time.Hour).Unix())
	if i := byField(of(t, now, now, "azure_service_bus", "auth", "sas", "sas", bus))["sas"]; !i.When.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v", i)
	}
	// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
	signedURL := "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20280228T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=" + canary
	if i := byField(of(t, now, now, "http", "base_url", signedURL))["base_url"]; i.Kind != expiry.PresignedURL || !i.When.Equal(time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", i)
	}
	items := of(t, now, now, "s3", "auth", "keys", "access_key", "ASIAPRACTICEONLY", "secret_key", canary, "session_token", canary)
	if i := byField(items)["session_token"]; i.Kind != expiry.AWSSession || i.Sure || !i.When.Equal(now.Add(36*time.Hour)) {
		t.Errorf("%+v", i)
	}
}

func TestASignInInTheBrowser(t *testing.T) {
	now := time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)
	box, month := typeOf(t, "box"), now.AddDate(0, 0, -40)
	kept := func(refresh string) connectors.Settings {
		s := connectors.NewSettings()
		data, _ := json.Marshal(map[string]any{"access_token": canary, "refresh_token": refresh, "issued": month, "expiry": month.Add(time.Hour)})
		s.Secrets["oauth_token"] = connectors.NewSecret(string(data))
		return s
	}
	c := link.Connection{ID: "b", Type: "box", Name: "Box", Created: month, State: link.OK, Checked: month}
	items := expiry.Of(box, c, kept(canary), now)
	if len(items) != 1 || items[0].Kind != expiry.RefreshToken || items[0].Basis != expiry.Estimated || !items[0].When.Equal(month.AddDate(0, 0, 60)) || items[0].Level != expiry.Month {
		t.Errorf("%+v", items)
	}
	if items := expiry.Of(box, c, kept(""), now); len(items) != 0 {
		t.Errorf("a token that is made anew by itself is nobody's concern: %+v", items)
	}
	c.Facts = []connectors.Fact{{Label: "Sign-in until", Text: month.Add(time.Hour).Format("2006-01-02 15:04:05 UTC")}}
	if items := expiry.Of(box, c, kept(""), now); len(items) != 1 || items[0].Kind != expiry.AccessToken || items[0].Level != expiry.Expired {
		t.Errorf("%+v", items)
	}
}

// TestTypedDates is the day that a person noted, in every zone.
func TestTypedDates(t *testing.T) {
	clock := time.Date(2027, 1, 10, 12, 0, 0, 0, time.UTC)
	b := newBook(t, func() time.Time { return clock })
	c := save(t, b, "dynamics365", "CRM", "auth", "app", "base_url", "https://x.crm.dynamics.com", "client_id", "1", "client_secret", canary)
	for _, zone := range []int{-12, 0, 14} {
		day := time.Date(2027, 1, 31, 23, 59, 0, 0, time.FixedZone("", zone*3600))
		var err error
		if c, err = b.SetDate(t.Context(), c.ID, "client_secret", day); err != nil {
			t.Fatal(err)
		}
		s, _ := b.Settings(t.Context(), c.ID)
		i := byField(expiry.Of(typeOf(t, c.Type), c, s, clock))["client_secret"]
		if i.Kind != expiry.ClientSecret || i.Basis != expiry.Typed || !i.AllDay || expiry.Stamp(i) != "2027-01-31" || i.Level != expiry.Month {
			t.Fatalf("%+v", i)
		}
		for _, z := range []int{-11, 0, 13} {
			if on := expiry.DayOf(i, time.FixedZone("", z*3600)); on.Format(time.DateOnly) != "2027-01-31" {
				t.Errorf("in %d it is %s", z, on)
			}
		}
		if l := expiry.LevelOf(i, time.Date(2027, 1, 31, 22, 0, 0, 0, time.UTC)); l != expiry.Day {
			t.Errorf("on the day itself it is %s", l)
		}
		if l := expiry.LevelOf(i, time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)); l != expiry.Expired {
			t.Errorf("after it, it is %s", l)
		}
	}
	// A new secret has another end.
	clock = clock.AddDate(0, 0, 1)
	c = resave(t, b, c, "client_secret", canary+"2")
	s, _ := b.Settings(t.Context(), c.ID)
	if i := byField(expiry.Of(typeOf(t, c.Type), c, s, clock))["client_secret"]; i.Kind != expiry.KeyAge || !i.When.Equal(clock.Add(expiry.Reminder)) {
		t.Errorf("%+v", i)
	}
	_, err := b.SetDate(t.Context(), c.ID, "no_such", clock)
	if p := connectors.Explain(err); p == nil || !strings.Contains(p.Title, "no_such") {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoSecretHasNoAge(t *testing.T) {
	now := time.Now()
	for _, i := range of(t, now, now.AddDate(-2, 0, 0), "mqtt", "host", "h", "auth", "password", "user", "mira", "password", canary) {
		if i.Field != "password" || i.Kind != expiry.KeyAge || i.Level != expiry.Expired {
			t.Errorf("%+v", i)
		}
	}
	typ := typeOf(t, "mqtt")
	s := secretly(t, typ, "host", "h", "user", "mira", "password", canary)
	for name, r := range map[string]*expiry.Radar{"never": {Remind: -1}, "soon": {Remind: time.Hour}} {
		items := r.Of(typ, link.Connection{ID: "1", Plain: s.Plain, Created: now}, s, now)
		if (len(items) == 1) != (name == "soon") {
			t.Errorf("%s: %+v", name, items)
		}
	}
	if items := (&expiry.Radar{}).Of(typ, link.Connection{ID: "1", Practice: true, Created: now}, s, now); len(items) != 0 {
		t.Errorf("%+v", items)
	}
}

func TestNoSecretIsInAnItem(t *testing.T) {
	now := time.Now()
	items := of(t, now, now, "jwt_token", "token", signed(t, now.Add(time.Hour)))
	items = append(items, of(t, now, now, "azure_blob", "auth", "sas", "sas", "sv=1&se=2030-01-01&sig="+canary)...)
	data, err := json.Marshal(items)
	if err != nil {
		t.Fatal(err)
	}
	out := string(data) + string(expiry.CSV(items)) + string(expiry.Calendar(items, expiry.English(), time.UTC, now))
	if len(items) != 2 || strings.Contains(out, canary) || strings.Contains(out, "eyJ") {
		t.Error(out)
	}
}

func TestEveryKindHasWords(t *testing.T) {
	for _, k := range expiry.Kinds() {
		if !connectors.English().Has("expiry." + string(k)) {
			t.Errorf("%s has no words", k)
		}
	}
}

func TestDays(t *testing.T) {
	for text, want := range map[string]string{"2027-01-31": "2027-01-31", " 2028-2-29 ": "2028-02-29", "31.1.2027": "2027-01-31", "2027年1月31日": "2027-01-31", "31 Jan 2027": "2027-01-31",
		"2027-02-29": "", "31/01/2027": "", "soon": "", "": "", "9999-12-31": "", "0001-01-01": ""} {
		got, err := expiry.ParseDay(text)
		if (err != nil) != (want == "") || err == nil && got.Format(time.DateOnly) != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.eyJleHAiOjF9.", "se=2027-01-01&sig=x", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----")
	f.Fuzz(func(t *testing.T, token, sas, cert string) {
		now := time.Unix(1_800_000_000, 0)
		of(t, now, now, "jwt_token", "token", token)
		of(t, now, now, "azure_blob", "auth", "sas", "sas", sas)
		for _, i := range of(t, now, now, "mqtt", "auth", "certificate", "client_cert", cert, "client_key", cert) {
			if i.When.Year() >= 9999 || i.When.Year() < 1970 {
				t.Errorf("%+v", i)
			}
		}
	})
}
