package objectstore

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// azureVersion is the version of the interface that is asked for: the first in
// which names with characters that XML has no place for come encoded, 2021-02-12,
// or a little later
// (https://learn.microsoft.com/rest/api/storageservices/version-2021-04-10).
const azureVersion = "2021-04-10"

// blobs speaks the REST interface of Azure Blob Storage
// (https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api).
type blobs struct {
	client *http.Client // follows no redirect
	base   *url.URL     // of the account, without a slash at its end
	name   string
	key    []byte // of the account, nil with a SAS
	sas    signature
	now    func() time.Time
	secret string // the form's field that opens it
}

func openAzure(ctx context.Context, env *connectors.Env, c azureConfig) (connectors.Session, error) {
	a, err := c.account()
	if err != nil {
		return nil, err
	}
	secret := map[string]string{wayKey: "account_key", wayConnection: "connection_string", waySAS: "sas"}[c.Auth]
	wrong := func(field, said string) error {
		return &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: field, Said: said}
	}
	base, err := url.Parse(a.endpoint)
	if err != nil || base.Host == "" {
		return nil, wrong("endpoint", "this is no web address")
	}
	b := &blobs{base: base, name: a.name, now: env.Time, secret: secret}
	if field, said := b.opens(a); field != "" {
		return nil, wrong(field, said)
	}
	container, folder := c.Container, c.Folder
	if container == "" {
		container, folder = b.sas.container, firstOf(folder, b.sas.folder)
	}
	kind := b.sas.values.Get("sr")
	switch {
	case kind != "" && kind != "c" && kind != "d":
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "objectstore.azure.one_blob", Op: connectors.StageForm, Field: secret}
	case kind != "" && container == "":
		return nil, wrong("container", "this shared access signature is for one container: name it")
	}
	client, err := env.HTTP(connectors.HTTP{TLS: c.Spec()})
	if err != nil {
		return nil, err
	}
	b.client = httpx.WithoutRedirects(client)
	st := &store{cloud: b, kind: "container", bucket: container, folder: folder}
	return begin(ctx, env, &session{store: st, client: b.client, place: base.Host, alone: kind != ""}, c.Answers)
}

// opens takes the key or the signature, and says what is wrong with it.
func (b *blobs) opens(a azureAccount) (field, said string) {
	if a.sas.Empty() {
		key, ok := sound(a.key)
		if !ok {
			return b.secret, "the account key is not whole"
		}
		b.key = key
		return "", ""
	}
	s, err := readSAS(a.sas.Reveal())
	if err != nil {
		return b.secret, err.Error()
	}
	if b.base.Scheme != "https" && !here(b.base.Hostname()) {
		return b.secret, "over http:// others on the way could take the shared access signature"
	}
	b.sas = s
	return "", ""
}

// account is where the account is and what opens it.
func (c azureConfig) account() (azureAccount, error) {
	missing := func(field, said string) (azureAccount, error) {
		return azureAccount{}, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: field, Said: said}
	}
	a := azureAccount{name: c.Account, endpoint: c.Endpoint}
	switch c.Auth {
	case wayConnection:
		a, err := readConnection(c.Connection.Reveal())
		if err != nil {
			return missing("connection_string", err.Error())
		}
		return a, nil
	case waySAS:
		s, err := readSAS(c.SAS.Reveal())
		if err != nil {
			return missing("sas", err.Error())
		}
		a.sas, a.endpoint = c.SAS, firstOf(a.endpoint, s.endpoint)
	default:
		a.key = c.Key
	}
	if a.endpoint == "" && a.name == "" {
		return missing("account", "the storage account is needed")
	}
	if a.endpoint == "" {
		a.endpoint = azureEndpoint("https", a.name, c.Suffix)
	}
	a.name = firstOf(a.name, accountOf(a.endpoint))
	if a.name == "" {
		return missing("account", "the storage account is needed")
	}
	return a, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (b *blobs) ask(ctx context.Context, q question) (*httpx.Response, error) {
	for try := 1; ; try++ {
		req, err := b.request(ctx, q)
		if err != nil {
			return nil, err
		}
		res, err := httpx.Do(b.client, req, q.most)
		if err != nil {
			return nil, b.unsent(err)
		}
		if res.Status < 300 || q.key != "" && readable(res.Status) {
			return res, nil
		}
		if try == busyTries || !busy(res) {
			return nil, b.refused(q, res)
		}
		if err := pause(ctx, busyPause<<(try-1)); err != nil {
			return nil, err
		}
	}
}

func (b *blobs) request(ctx context.Context, q question) (*http.Request, error) {
	u := *b.base
	u.Path += "/"
	if q.bucket != "" {
		u.Path += q.bucket
	}
	if q.key != "" {
		u.Path += "/" + q.key
	}
	u.RawPath = escapedPath(u.Path)
	u.RawQuery = strings.ReplaceAll(q.query.Encode(), "+", "%20")
	if b.key == nil {
		// As it came: what is signed are its values, and one escaped anew may differ.
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+b.sas.query, "&")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base.String(), nil)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "endpoint", Said: "this is no web address"}
	}
	req.URL = &u
	for name, values := range q.header {
		req.Header[name] = values
	}
	req.Header.Set("X-Ms-Version", azureVersion)
	req.Header.Set("X-Ms-Date", b.now().UTC().Format(http.TimeFormat))
	if b.key != nil {
		req.Header.Set("Authorization", "SharedKey "+b.name+":"+b.sign(req))
	}
	return req, nil
}

// escapedPath escapes everything but what RFC 3986 section 2.3 leaves alone and
// slashes, so that what is signed and what is sent are the same text.
func escapedPath(p string) string {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
	}
	return strings.Join(parts, "/")
}

// sign makes the signature of a GET without a body
// (https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
func (b *blobs) sign(req *http.Request) string {
	var text strings.Builder
	text.WriteString(req.Method + strings.Repeat("\n", 11)) // the standard headers are not sent, Range neither
	text.WriteByte('\n')
	var names []string
	for name := range req.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		text.WriteString(name + ":" + strings.TrimSpace(req.Header.Get(name)) + "\n")
	}
	text.WriteString("/" + b.name + req.URL.EscapedPath())
	query := req.URL.Query()
	keys := make([]string, 0, len(query))
	for k := range query {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		text.WriteString("\n" + strings.ToLower(k) + ":" + strings.Join(query[k], ","))
	}
	mac := hmac.New(sha256.New, b.key)
	mac.Write([]byte(text.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// A blobName is a name that may come percent-encoded, where XML has no place
// for its characters.
type blobName struct {
	Text    string `xml:",chardata"`
	Encoded bool   `xml:"Encoded,attr"`
}

func (n blobName) plain() string {
	if !n.Encoded {
		return n.Text
	}
	if out, err := url.PathUnescape(n.Text); err == nil {
		return out
	}
	return n.Text
}

// enumeration is the answer to both listings
// (https://learn.microsoft.com/rest/api/storageservices/list-blobs).
type enumeration struct {
	XMLName    xml.Name `xml:"EnumerationResults"`
	Next       string   `xml:"NextMarker"`
	Containers []struct {
		Name     string `xml:"Name"`
		Modified string `xml:"Properties>Last-Modified"`
		Public   string `xml:"Properties>PublicAccess"`
		Lease    string `xml:"Properties>LeaseState"`
	} `xml:"Containers>Container"`
	Folders []struct {
		Name blobName `xml:"Name"`
	} `xml:"Blobs>BlobPrefix"`
	Blobs []struct {
		Name       blobName `xml:"Name"`
		Modified   string   `xml:"Properties>Last-Modified"`
		ETag       string   `xml:"Properties>Etag"`
		Size       int64    `xml:"Properties>Content-Length"`
		Media      string   `xml:"Properties>Content-Type"`
		Tier       string   `xml:"Properties>AccessTier"`
		Rehydrates string   `xml:"Properties>ArchiveStatus"`
		Kind       string   `xml:"Properties>BlobType"`
	} `xml:"Blobs>Blob"`
}

func (b *blobs) enumerate(ctx context.Context, q question, token string, most int) (enumeration, error) {
	q.query.Set("comp", "list")
	q.query.Set("maxresults", strconv.Itoa(most))
	if token != "" {
		q.query.Set("marker", token)
	}
	var out enumeration
	res, err := b.ask(ctx, q)
	if err != nil {
		return out, err
	}
	if xml.Unmarshal(res.Body, &out) != nil {
		return out, &connectors.Error{Code: connectors.Refused, Reason: "objectstore.not_azure", Op: connectors.StageSignIn, Field: b.endpointField(), Target: res.URL.Host}
	}
	return out, nil
}

func (b *blobs) buckets(ctx context.Context, token string) (page, error) {
	all, err := b.enumerate(ctx, question{act: listBuckets, query: url.Values{}}, token, pageSize)
	if err != nil {
		return page{}, err
	}
	out := page{next: all.Next}
	for _, c := range all.Containers {
		i := item{name: c.Name, folder: true}
		i.modified, _ = http.ParseTime(c.Modified)
		if c.Public != "" {
			i.facts = known("Public access", c.Public)
		}
		out.items = append(out.items, i)
	}
	return out, nil
}

func (b *blobs) objects(ctx context.Context, bucket, prefix, token string, most int) (page, error) {
	q := question{act: listObjects, bucket: bucket, query: url.Values{"restype": {"container"}, "delimiter": {"/"}}}
	if prefix != "" {
		q.query.Set("prefix", prefix)
	}
	all, err := b.enumerate(ctx, q, token, most)
	if err != nil {
		return page{}, err
	}
	out := page{next: all.Next, items: make([]item, 0, len(all.Folders)+len(all.Blobs))}
	for _, f := range all.Folders {
		out.items = append(out.items, item{name: f.Name.plain(), folder: true})
	}
	for _, x := range all.Blobs {
		i := item{name: x.Name.plain(), size: x.Size, media: x.Media}
		i.modified, _ = http.ParseTime(x.Modified)
		i.facts = known("Access tier", x.Tier, "Blob type", x.Kind, "ETag", strings.Trim(x.ETag, `"`))
		if x.Tier == "Archive" {
			i.access = connectors.AccessListed
			i.facts = append(i.facts, connectors.Fact{Label: "State", Text: archiveState(x.Rehydrates)})
		}
		out.items = append(out.items, i)
	}
	return out, nil
}

func archiveState(status string) string {
	if strings.HasPrefix(status, "rehydrate-pending") {
		return "archived, is being rehydrated"
	}
	return "archived, has to be rehydrated before it can be read"
}

func (b *blobs) read(ctx context.Context, bucket, key string, off int64, n int) (*httpx.Response, error) {
	// Range is signed where it is used; this header is one of those that are
	// signed anyway. Without Accept-Encoding net/http would unpack.
	return b.ask(ctx, question{act: readObject, bucket: bucket, key: key,
		header: http.Header{"X-Ms-Range": {rangeOf(off, n)}, "Accept-Encoding": {"identity"}}, most: n})
}

func (b *blobs) about(_ context.Context, bucket string, _ []item) []connectors.Fact {
	facts := known("Account", b.name, "Endpoint", b.base.Scheme+"://"+b.base.Host, "Container", bucket)
	if b.key != nil {
		return append(facts, connectors.Fact{Label: "Rights", Text: "everything in the storage account (account key)"})
	}
	return append(facts, b.sas.facts()...)
}
