package objectstore

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// A vault is Azurite's account and a writer of it.
type vault struct {
	endpoint string
	b        *blobs
}

func startAzurite(tb testing.TB, ca *server.CA) *vault {
	tb.Helper()
	v := &vault{endpoint: server.Azurite(tb, ca)}
	base, err := url.Parse(v.endpoint)
	if err != nil {
		tb.Fatal(err)
	}
	key, _ := base64.StdEncoding.DecodeString(server.AzuriteKey)
	v.b = &blobs{base: base, name: server.AzuriteAccount, key: key, now: time.Now}
	if ca != nil {
		return v
	}
	v.put(tb, "/reports", "restype=container", "")
	v.put(tb, "/empty", "restype=container", "")
	v.put(tb, "/reports/people.csv", "", people)
	v.put(tb, "/reports/2026/june/sum.txt", "", "sum of june")
	v.put(tb, "/reports/empty.txt", "", "")
	v.put(tb, "/reports/big.bin", "", strings.Repeat("0123456789", 30_000))
	for _, name := range append(odd(), "/lead.txt", "two//slashes.txt") {
		v.put(tb, "/reports/odd/"+name, "", "content of "+name)
	}
	return v
}

// put is signed by hand: the type itself signs nothing that writes.
func (v *vault) put(tb testing.TB, path, query, body string) {
	tb.Helper()
	req, err := http.NewRequest(http.MethodPut, v.endpoint, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.URL.Path += path
	req.URL.RawPath = escapedPath(req.URL.Path)
	req.URL.RawQuery = query
	at := time.Now().UTC().Format(http.TimeFormat)
	req.Header.Set("X-Ms-Date", at)
	req.Header.Set("X-Ms-Version", azureVersion)
	req.Header.Set("X-Ms-Blob-Type", "BlockBlob")
	length, extra := "", ""
	if len(body) > 0 {
		length = strconv.Itoa(len(body))
	}
	if query != "" {
		extra = "\nrestype:container"
	}
	text := "PUT\n\n\n" + length + "\n\n\n\n\n\n\n\n\n" + "x-ms-blob-type:BlockBlob\nx-ms-date:" + at + "\nx-ms-version:" + azureVersion + "\n/" + v.b.name + req.URL.EscapedPath() + extra
	mac := hmac.New(sha256.New, v.b.key)
	mac.Write([]byte(text))
	req.Header.Set("Authorization", "SharedKey "+v.b.name+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	send(tb, req)
}

// sas makes a signature for a container, or for the account when container is ""
// (https://learn.microsoft.com/rest/api/storageservices/create-service-sas, …/create-account-sas).
func (v *vault) sas(container, permissions string, from, to time.Time) string {
	layout := "2006-01-02T15:04:05Z"
	st, se := from.UTC().Format(layout), to.UTC().Format(layout)
	q := url.Values{"sv": {"2020-08-04"}, "sp": {permissions}, "st": {st}, "se": {se}}
	var text string
	if container != "" {
		q.Set("sr", "c")
		text = strings.Join([]string{permissions, st, se, "/blob/" + v.b.name + "/" + container, "", "", "", "2020-08-04", "c", "", "", "", "", "", ""}, "\n")
	} else {
		q.Set("ss", "b")
		q.Set("srt", "sco")
		text = strings.Join([]string{v.b.name, permissions, "b", "sco", st, se, "", "", "2020-08-04", ""}, "\n")
	}
	mac := hmac.New(sha256.New, v.b.key)
	mac.Write([]byte(text))
	q.Set("sig", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return q.Encode()
}

func (v *vault) answers(more ...string) []string {
	return with([]string{"account", server.AzuriteAccount, "account_key", server.AzuriteKey, "endpoint", v.endpoint}, more...)
}

func TestAzurite(t *testing.T) {
	ty := azure()
	v := startAzurite(t, nil)
	ca := server.NewCA(t)
	secure := startAzurite(t, ca)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(ty, v.answers(more...)...) }
	}
	other := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("practice", 8)))
	hour := time.Hour
	now := time.Now()
	signed := func(container, permissions string, from, to time.Duration) []string {
		return []string{"auth", "sas", "sas", v.sas(container, permissions, now.Add(from), now.Add(to))}
	}
	conntest.Run(t, conntest.Suite{Type: ty, Good: set(), Aim: func(s connectors.Settings, host, port string) connectors.Settings {
		s = aim(s, host, port)
		s.Plain["endpoint"] += "/" + server.AzuriteAccount
		return s
	},
		Hostile: &conntest.Place{Settings: set("container", "reports"), Node: "odd/"},
		Faults: []conntest.Fault{
			{Name: "wrong key", Settings: set("account_key", other), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "account_key"},
			{Name: "no such container", Settings: set("container", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "container"},
			{Name: "no such folder", Settings: set("container", "reports", "folder", "2031"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "expired SAS", Settings: set(append(signed("reports", "rl", -2*hour, -hour), "container", "reports")...), Code: connectors.Expired, Stage: connectors.StageSignIn, Field: "sas"},
			{Name: "SAS of tomorrow", Settings: set(append(signed("reports", "rl", 24*hour, 25*hour), "container", "reports")...), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "sas"},
			{Name: "SAS whose signature is wrong", Settings: set("auth", "sas", "container", "reports", "sas", strings.Replace(v.sas("reports", "rl", now, now.Add(hour)), "sp=rl", "sp=rwl", 1)), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "sas"},
			{Name: "SAS without List", Settings: set(append(signed("reports", "r", -hour, hour), "container", "reports")...), Code: connectors.Denied, Stage: connectors.StageRights, Field: "sas"},
			{Name: "SAS of a container, which is not named", Settings: set(signed("reports", "rl", -hour, hour)...), Code: connectors.BadInput, Field: "container"},
			{Name: "SAS over HTTP elsewhere", Settings: set(append(signed("reports", "rl", -hour, hour), "container", "reports", "endpoint", "http://storage.example.com/a")...), Code: connectors.BadInput, Field: "sas"},
			{Name: "HTTP to an HTTPS port", Settings: set("endpoint", strings.Replace(secure.endpoint, "https:", "http:", 1)), Code: connectors.Refused, Field: "endpoint"},
			{Name: "HTTPS to an HTTP port", Settings: set("endpoint", strings.Replace(v.endpoint, "http:", "https:", 1)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "endpoint"},
			{Name: "unknown authority", Settings: set("endpoint", secure.endpoint), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "unknown account", Settings: set("endpoint", "", "account", "practicenosuch", "endpoint_suffix", "no-such-cloud.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "account"},
			{Name: "a connection string without a key", Settings: set("auth", "connection", "connection_string", "AccountName=practice;EndpointSuffix=core.windows.net"), Code: connectors.BadInput, Field: "connection_string"},
			{Name: "a connection string with another key", Settings: set("auth", "connection", "connection_string", "AccountName=devstoreaccount1;AccountKey="+other+";BlobEndpoint="+v.endpoint), Code: connectors.AuthFailed, Field: "connection_string"},
		}})
	t.Run("what is in a container", func(t *testing.T) { whatIsInAContainer(t, v) })
	t.Run("TLS", func(t *testing.T) {
		if _, err := conntest.Open(t, ty, settings(ty, v.answers("endpoint", secure.endpoint, "ca", ca.PEM)...)).Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func whatIsInAContainer(t *testing.T, v *vault) {
	ty := azure()
	connection := "DefaultEndpointsProtocol=http;AccountName=" + server.AzuriteAccount + ";AccountKey=" + server.AzuriteKey + ";BlobEndpoint=" + v.endpoint + ";"
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	account := v.sas("", "rl", time.Now().Add(-time.Hour), until)
	one := v.sas("reports", "rl", time.Now().Add(-time.Hour), until)
	for name, answers := range map[string][]string{
		"account key":                  v.answers(),
		"connection string":            {"auth", "connection", "connection_string", connection},
		"connection string with a SAS": {"auth", "connection", "connection_string", "BlobEndpoint=" + v.endpoint + ";SharedAccessSignature=" + account},
		"account SAS":                  {"auth", "sas", "sas", "?" + account, "account", server.AzuriteAccount, "endpoint", v.endpoint},
	} {
		t.Run(name, func(t *testing.T) {
			s := conntest.Open(t, ty, settings(ty, answers...))
			if got := names(conntest.List(t, s, "")); got != "empty/|reports/" {
				t.Error(got)
			}
			facts, err := conntest.Facts(t, s)
			if err != nil || facts["Account"] != server.AzuriteAccount {
				t.Errorf("%v %v", facts, err)
			}
			if strings.HasSuffix(name, "SAS") && (facts["Expires"] != until.UTC().Format(time.RFC3339) || facts["Rights"] != "read, list" || facts["Scope"] != "account: blobs (service, containers, objects)") {
				t.Errorf("%v", facts)
			}
			if got := names(conntest.List(t, s, "reports")); got != "2026/|big.bin|empty.txt|odd/|people.csv" {
				t.Error(got)
			}
			table, err := s.(connectors.Tabler).Table(t.Context(), "reports/people.csv", 10)
			if err != nil || len(table.Rows) != 2 {
				t.Errorf("%+v %v", table, err)
			}
		})
	}
	t.Run("SAS link of a container", func(t *testing.T) {
		s := conntest.Open(t, ty, settings(ty, "auth", "sas", "sas", v.endpoint+"/reports?"+one))
		facts, err := conntest.Facts(t, s)
		if err != nil || facts["Scope"] != "one container" || facts["Container"] != "reports" || facts["Expires"] == "" {
			t.Errorf("%v %v", facts, err)
		}
		if got := content(t, s, "2026/june/sum.txt"); got != "sum of june" {
			t.Error(got)
		}
	})
	t.Run("odd names", func(t *testing.T) {
		s := conntest.Open(t, ty, settings(ty, v.answers("container", "reports")...))
		var read func(parent connectors.NodeID) int
		read = func(parent connectors.NodeID) int {
			n := 0
			for _, node := range conntest.List(t, s, parent) {
				if node.Branch {
					n += read(node.ID)
					continue
				}
				n++
				if got, want := content(t, s, node.ID), "content of "+strings.TrimPrefix(string(node.ID), "odd/"); got != want {
					t.Errorf("%q has %q", node.ID, got)
				}
			}
			return n
		}
		if n := read("odd/"); n != len(odd())+2 {
			t.Errorf("%d odd names", n)
		}
		if got := content(t, s, "empty.txt"); got != "" {
			t.Error(got)
		}
		f, err := s.(*session).store.Open(t.Context(), "big.bin")
		if err != nil {
			t.Fatal(err)
		}
		p := make([]byte, 100_000)
		if n, err := f.ReadAt(t.Context(), p, 150_005); n != len(p) || err != nil || p[0] != '5' || f.Size() != 300_000 {
			t.Errorf("%d %v %d", n, err, f.Size())
		}
	})
}
