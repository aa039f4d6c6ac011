package objectstore

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"jackfield/connectors"
)

// splitS3 understands s3://bucket/folder, the ARN of a bucket or its objects,
// and the addresses that AWS and its console have for both.
func splitS3(v string) map[string]string {
	v = strings.TrimSpace(v)
	if rest, is := strings.CutPrefix(v, "arn:aws:s3:::"); is {
		return placed(strings.TrimSuffix(rest, "*"), nil)
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" {
		return nil
	}
	switch u.Scheme {
	case "s3", "s3a", "s3n":
		return placed(u.Host+u.Path, nil)
	case "http", "https":
		return amazonAddress(u)
	}
	return nil
}

// amazonAddress reads bucket.s3.region.amazonaws.com/key,
// s3.region.amazonaws.com/bucket/key and the console's
// /s3/buckets/bucket?prefix=folder/.
func amazonAddress(u *url.URL) map[string]string {
	host := strings.ToLower(u.Hostname())
	rest, is := strings.CutSuffix(host, ".amazonaws.com")
	if !is {
		return consoleAddress(u, host)
	}
	labels := strings.Split(rest, ".")
	for i, label := range labels {
		if label != "s3" && !strings.HasPrefix(label, "s3-") {
			continue
		}
		region := ""
		if i+1 < len(labels) {
			region = labels[len(labels)-1]
		}
		bucket := strings.Join(labels[:i], ".")
		return placed(strings.TrimPrefix(bucket+u.Path, "/"), map[string]string{"region": region})
	}
	return nil
}

func consoleAddress(u *url.URL, host string) map[string]string {
	place, is := strings.CutPrefix(u.Path, "/s3/buckets/")
	if !is || host != "console.aws.amazon.com" && !strings.HasSuffix(host, ".console.aws.amazon.com") {
		return nil
	}
	name, _, _ := strings.Cut(place, "/")
	return placed(name+"/"+u.Query().Get("prefix"), map[string]string{"region": u.Query().Get("region")})
}

// splitGoogle understands gs://bucket/folder and the addresses of buckets.
func splitGoogle(v string) map[string]string {
	u, err := url.Parse(strings.TrimSpace(v))
	if err != nil || u.Host == "" {
		return nil
	}
	if u.Scheme == "gs" {
		return placed(u.Host+u.Path, nil)
	}
	switch u.Host {
	case "storage.googleapis.com", "storage.cloud.google.com":
		return placed(strings.TrimPrefix(u.Path, "/"), nil)
	case "console.cloud.google.com":
		if p, is := strings.CutPrefix(u.Path, "/storage/browser/"); is {
			p, _, _ = strings.Cut(strings.TrimPrefix(p, "_details/"), ";")
			return placed(p, map[string]string{"project": u.Query().Get("project")})
		}
	}
	if name, is := strings.CutSuffix(u.Host, ".storage.googleapis.com"); is {
		return placed(name+u.Path, nil)
	}
	return nil
}

// splitEndpoint takes the bucket off an address of Cloudflare R2, whose console
// shows both in one.
func splitEndpoint(v string) map[string]string {
	u, err := url.Parse(strings.TrimSpace(v))
	if err != nil || !strings.HasSuffix(u.Hostname(), ".r2.cloudflarestorage.com") || strings.Trim(u.Path, "/") == "" {
		return nil
	}
	return placed(strings.TrimPrefix(u.Path, "/"), map[string]string{"endpoint": u.Scheme + "://" + u.Host, "region": "auto"})
}

// placed splits "bucket/folder" and adds what else is known.
func placed(v string, more map[string]string) map[string]string {
	bucket, folder, _ := strings.Cut(v, "/")
	if bucket == "" {
		return nil
	}
	out := map[string]string{"bucket": bucket}
	if folder = tidyFolder(folder); folder != "" {
		out["folder"] = folder
	}
	for k, v := range more {
		if v != "" {
			out[k] = v
		}
	}
	return out
}

// splitAzure understands a connection string, a SAS link and the address of an
// account, pasted where the account's name is asked for.
func splitAzure(v string) map[string]string {
	v = strings.TrimSpace(v)
	if a, err := readConnection(v); err == nil {
		out := map[string]string{"auth": wayKey, "account": a.name, "account_key": a.key.Reveal()}
		if !a.sas.Empty() {
			out = map[string]string{"auth": waySAS, "account": a.name, "sas": a.sas.Reveal()}
		}
		out["endpoint"] = a.endpoint
		return out
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil
	}
	name, suffix, is := strings.Cut(strings.ToLower(u.Hostname()), ".blob.")
	if !is {
		return nil
	}
	container, folder, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	out := map[string]string{"account": name, "endpoint_suffix": suffix}
	if container != "" {
		out["container"] = container
	}
	if folder = tidyFolder(folder); folder != "" {
		out["folder"] = folder
	}
	if u.Query().Get("sig") != "" {
		out["auth"], out["sas"] = waySAS, u.RawQuery
	}
	return out
}

// An azureAccount is where an account is and what opens it.
type azureAccount struct {
	name     string
	endpoint string // without a slash at its end
	key      connectors.Secret
	sas      connectors.Secret // its query, without "?"
}

// The account that every Azurite and storage emulator has; its key is public
// (https://learn.microsoft.com/azure/storage/common/storage-connect-azurite).
const (
	emulated    = "devstoreaccount1"
	emulatedKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// readConnection reads a connection string
// (https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string).
// Its errors are sentences and hold nothing of it.
func readConnection(text string) (azureAccount, error) {
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimSpace(text), ";") {
		if k, v, ok := strings.Cut(part, "="); ok {
			parts[strings.ToLower(strings.TrimSpace(k))] = strings.TrimSpace(v)
		}
	}
	if parts["usedevelopmentstorage"] == "true" {
		return azureAccount{name: emulated, endpoint: "http://127.0.0.1:10000/" + emulated, key: connectors.NewSecret(emulatedKey)}, nil
	}
	a := azureAccount{name: tidyLower(parts["accountname"]), endpoint: tidyEndpoint(parts["blobendpoint"]), key: connectors.NewSecret(parts["accountkey"]),
		sas: connectors.NewSecret(strings.TrimPrefix(parts["sharedaccesssignature"], "?"))}
	if a.endpoint == "" && a.name != "" {
		a.endpoint = azureEndpoint(parts["defaultendpointsprotocol"], a.name, parts["endpointsuffix"])
	}
	if a.name == "" {
		a.name = accountOf(a.endpoint)
	}
	return a, a.whole()
}

// whole says what is missing in a connection string, or not right.
func (a azureAccount) whole() error {
	switch {
	case a.endpoint == "":
		return errors.New("AccountName= or BlobEndpoint= is missing. Copy the whole connection string.")
	case a.name != "" && validAccount(a.name) != nil:
		return errors.New("The AccountName in this connection string is not one: it has 3 to 24 small letters and digits.")
	case validEndpoint(a.endpoint) != nil:
		return errors.New("The BlobEndpoint in this connection string is no web address.")
	case a.sas.Empty() && a.key.Empty():
		return errors.New("AccountKey= or SharedAccessSignature= is missing. Copy the whole connection string.")
	case a.sas.Empty() && validAccountKey(a.key.Reveal()) != nil:
		return errors.New("The AccountKey in this connection string is not whole. Copy it again.")
	}
	return nil
}

func azureEndpoint(scheme, account, suffix string) string {
	if scheme != "http" {
		scheme = "https"
	}
	if suffix = tidySuffix(suffix); suffix == "" || strings.ContainsAny(suffix, "/?#@") {
		suffix = "core.windows.net"
	}
	return scheme + "://" + account + ".blob." + suffix
}

// accountOf is the account that an endpoint names: in its host, or in its path
// where the host is an address or a name of one label.
func accountOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	if name, _, is := strings.Cut(u.Hostname(), ".blob."); is {
		return name
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return name
}

// A signature is a SAS: its query, and what its parameters say
// (https://learn.microsoft.com/rest/api/storageservices/create-service-sas).
type signature struct {
	query     string // as it came
	endpoint  string // where it came in a link, without container
	container string
	folder    string
	values    url.Values
	starts    time.Time // zero where the signature does not say
	ends      time.Time
}

// readSAS reads a link or the query alone. Its errors are sentences and hold
// nothing of it.
func readSAS(text string) (signature, error) {
	text = strings.TrimSpace(text)
	s := signature{query: strings.TrimPrefix(text, "?")}
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
			return s, errors.New("This is no link. Copy it again, from https:// to its end.")
		}
		s.place(u)
	}
	s.query = signedPart(s.query)
	values, err := url.ParseQuery(s.query)
	if err != nil || values.Get("sig") == "" || values.Get("sv") == "" {
		return s, errors.New("A shared access signature has sv= and sig= in it. Copy the whole of it.")
	}
	s.values = values
	s.starts, s.ends = sasTime(values.Get("st")), sasTime(values.Get("se"))
	return s, nil
}

// signedPart leaves out what a link has beside its signature, such as
// comp=list, and escapes the plus signs of one that was pasted unescaped: no
// parameter of a SAS has a space.
func signedPart(query string) string {
	var keep []string
	for part := range strings.SplitSeq(query, "&") {
		switch name, _, _ := strings.Cut(part, "="); strings.ToLower(name) {
		case "", "comp", "restype", "prefix", "delimiter", "marker", "maxresults", "include", "timeout":
		default:
			keep = append(keep, strings.ReplaceAll(part, "+", "%2B"))
		}
	}
	return strings.Join(keep, "&")
}

// place takes endpoint, container and folder off a link.
func (s *signature) place(u *url.URL) {
	s.query = u.RawQuery
	p := strings.TrimPrefix(u.Path, "/")
	s.endpoint = u.Scheme + "://" + u.Host
	if !strings.Contains(u.Hostname(), ".blob.") {
		var name string
		name, p, _ = strings.Cut(p, "/")
		s.endpoint += "/" + name
	}
	var folder string
	s.container, folder, _ = strings.Cut(p, "/")
	if u.Query().Get("sr") != "b" {
		s.folder = tidyFolder(folder)
	}
}

// sasTime reads the three forms that a SAS may have
// (https://learn.microsoft.com/rest/api/storageservices/formatting-datetime-values).
func sasTime(v string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", "2006-01-02"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t
		}
	}
	return time.Time{}
}

// sound reports whether an account key can be used, and is its bytes.
func sound(key connectors.Secret) ([]byte, bool) {
	raw, err := base64.StdEncoding.DecodeString(key.Reveal())
	return raw, err == nil && len(raw) > 0
}
