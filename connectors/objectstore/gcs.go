package objectstore

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jwtx"
	"jackfield/connectors/internal/oauthx"
)

const (
	googleHost  = "https://storage.googleapis.com"
	googleScope = "https://www.googleapis.com/auth/devstorage.read_only"
)

// gcs speaks the JSON interface of Cloud Storage
// (https://cloud.google.com/storage/docs/json_api/v1).
type gcs struct {
	client  *http.Client // follows no redirect
	base    string
	project string
	account string
	token   func(context.Context) (*oauth2.Token, error)
	stale   func(ctx context.Context, used string) error
}

func openGoogle(ctx context.Context, env *connectors.Env, c googleConfig) (connectors.Session, error) {
	base := c.Endpoint
	if base == "" {
		base = googleHost
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "endpoint", Said: "this is no web address"}
	}
	st := &store{kind: "bucket", bucket: c.Bucket, folder: c.Folder}
	s := &session{store: st, place: u.Host}
	if c.Auth == wayHMAC {
		x := &s3{vendor: vendorGoogle, base: u, region: "auto", now: env.Time, regions: map[string]string{}}
		if c.Project != "" {
			x.header = http.Header{"X-Amz-Project-Id": {c.Project}}
		}
		if err := x.connect(env, connectors.TLS{}, awsx.Credentials{AccessKey: c.AccessKey, Secret: c.SecretKey}, false, awsx.Role{}); err != nil {
			return nil, err
		}
		st.cloud, s.client = x, x.client
		return begin(ctx, env, s, c.Answers)
	}
	g := &gcs{base: base, project: c.Project}
	if err := g.signIn(ctx, env, c); err != nil {
		return nil, err
	}
	st.cloud, s.client = g, g.client
	return begin(ctx, env, s, c.Answers)
}

// signIn trades an assertion of the service account for a token
// (https://developers.google.com/identity/protocols/oauth2/service-account).
func (g *gcs) signIn(ctx context.Context, env *connectors.Env, c googleConfig) error {
	k, err := readKeyFile(c.KeyFile.Reveal())
	if err != nil {
		return &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "key_file", Said: err.Error()}
	}
	signer, err := jwtx.ReadKey(k.Key, connectors.Secret{})
	if err != nil {
		return googleKeyFields().Rename(err)
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "key_file", Said: "the key in this file cannot be used"}
	}
	thumb := sha256.Sum256(public)
	g.account = k.Email
	if g.project == "" {
		g.project = k.Project
	}
	client, err := env.HTTP(connectors.HTTP{})
	if err != nil {
		return err
	}
	g.client = httpx.WithoutRedirects(client)
	a := jwtx.Assertion{Method: "RS256", Key: signer, KeyID: k.KeyID, Issuer: k.Email, Audience: jwtx.GoogleToken, Scope: googleScope, Lifetime: 5 * time.Minute}
	config := oauthx.Config{Grant: oauthx.GrantAssertion, TokenURL: jwtx.GoogleToken, ClientAuth: oauthx.ClientNone, Scopes: []string{googleScope},
		SecretField: "key_file", GrantField: "key_file", Mark: k.Email + " " + k.KeyID + " " + hex.EncodeToString(thumb[:]),
		Assertion: func(_ context.Context, now time.Time) (string, error) { return a.Sign(now) }}
	return env.Climb(ctx, connectors.StageSignIn, "oauth2.googleapis.com", func(ctx context.Context) (string, error) {
		source, err := oauthx.Start(ctx, env, g.client, config, c.Token)
		if err != nil {
			g.client.CloseIdleConnections()
			return "", googleSaid(err)
		}
		g.token, g.stale = source.Token, source.Stale
		return k.Email, nil
	})
}

// googleSaid tells apart why Google refuses an assertion: its description says
// so, its code is invalid_grant for all of them
// (https://developers.google.com/identity/protocols/oauth2/service-account#jwt-error-codes).
func googleSaid(err error) error {
	e := connectors.Classify(err)
	if e.Reason != "oauth.assertion" {
		return err
	}
	out := *e
	said := strings.ToLower(e.Said)
	switch {
	case strings.Contains(said, "jwt signature"):
		out.Reason = "google.deleted"
	case strings.Contains(said, "account not found"):
		out.Reason = "google.account"
	case strings.Contains(said, "reasonable timeframe"):
		out.Reason, out.Field = "oauth.clock", ""
	}
	return &out
}

// ask sends one request, and once more with a new token where the one at hand
// is not taken any more.
func (g *gcs) ask(ctx context.Context, q question) (*httpx.Response, error) {
	renewed := false
	for try := 1; ; try++ {
		token, err := g.token(ctx)
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.base+"/storage/v1"+q.path()+"?"+q.query.Encode(), nil)
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "bucket", Said: "this cannot be part of an address"}
		}
		token.SetAuthHeader(req)
		for name, values := range q.header {
			req.Header[name] = values
		}
		res, err := httpx.Do(g.client, req, q.most)
		if err != nil {
			return nil, g.unsent(err)
		}
		switch {
		case res.Status < 300, q.key != "" && readable(res.Status):
			return res, nil
		case res.Status == http.StatusUnauthorized && !renewed:
			renewed = true
			if err := g.stale(ctx, token.AccessToken); err != nil {
				return nil, err
			}
			continue
		case try >= busyTries || !busy(res):
			return nil, googleRefused(q, res)
		}
		if err := pause(ctx, busyPause<<(try-1)); err != nil {
			return nil, err
		}
	}
}

// path is a question's place in the JSON interface; names are one segment each.
func (q question) path() string {
	switch {
	case q.bucket == "":
		return "/b"
	case q.key != "":
		return "/b/" + url.PathEscape(q.bucket) + "/o/" + strings.ReplaceAll(url.QueryEscape(q.key), "+", "%20")
	case q.act == listObjects:
		return "/b/" + url.PathEscape(q.bucket) + "/o"
	}
	return "/b/" + url.PathEscape(q.bucket) + "/iam/testPermissions"
}

func (g *gcs) buckets(ctx context.Context, token string) (page, error) {
	if g.project == "" {
		return page{}, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "project", Said: "the project is needed to list its buckets"}
	}
	q := question{act: listBuckets, query: url.Values{"project": {g.project}, "maxResults": {strconv.Itoa(pageSize)}, "projection": {"noAcl"},
		"fields": {"nextPageToken,items(name,location,storageClass,timeCreated,versioning)"}}}
	if token != "" {
		q.query.Set("pageToken", token)
	}
	var all struct {
		Next  string `json:"nextPageToken"`
		Items []struct {
			Name       string    `json:"name"`
			Location   string    `json:"location"`
			Class      string    `json:"storageClass"`
			Created    time.Time `json:"timeCreated"`
			Versioning struct {
				Enabled bool `json:"enabled"`
			} `json:"versioning"`
		} `json:"items"`
	}
	if err := g.get(ctx, q, &all); err != nil {
		return page{}, err
	}
	out := page{next: all.Next}
	for _, b := range all.Items {
		i := item{name: b.Name, folder: true, facts: known("Region", b.Location, "Storage class", b.Class)}
		if !b.Created.IsZero() {
			i.facts = append(i.facts, connectors.Fact{Label: "Created", Text: stamp(b.Created)})
		}
		if b.Versioning.Enabled {
			i.facts = append(i.facts, connectors.Fact{Label: "Versioning", Text: "on; the newest versions are shown"})
		}
		out.items = append(out.items, i)
	}
	return out, nil
}

// known makes facts of pairs, without those whose text is empty.
func known(pairs ...string) []connectors.Fact {
	var out []connectors.Fact
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, connectors.Fact{Label: pairs[i], Text: pairs[i+1]})
		}
	}
	return out
}

func (g *gcs) objects(ctx context.Context, bucket, prefix, token string, most int) (page, error) {
	q := question{act: listObjects, bucket: bucket, query: url.Values{"delimiter": {"/"}, "maxResults": {strconv.Itoa(most)}, "projection": {"noAcl"},
		"fields": {"nextPageToken,prefixes,items(name,size,updated,contentType,storageClass,etag)"}}}
	if prefix != "" {
		q.query.Set("prefix", prefix)
	}
	if token != "" {
		q.query.Set("pageToken", token)
	}
	var in struct {
		Next    string   `json:"nextPageToken"`
		Folders []string `json:"prefixes"`
		Items   []struct {
			Name    string    `json:"name"`
			Size    int64     `json:"size,string"`
			Updated time.Time `json:"updated"`
			Media   string    `json:"contentType"`
			Class   string    `json:"storageClass"`
			ETag    string    `json:"etag"`
		} `json:"items"`
	}
	if err := g.get(ctx, q, &in); err != nil {
		return page{}, err
	}
	out := page{next: in.Next, items: make([]item, 0, len(in.Folders)+len(in.Items))}
	for _, f := range in.Folders {
		out.items = append(out.items, item{name: f, folder: true})
	}
	for _, o := range in.Items {
		out.items = append(out.items, item{name: o.Name, size: o.Size, modified: o.Updated, media: o.Media, facts: known("Storage class", o.Class, "ETag", o.ETag)})
	}
	return out, nil
}

func (g *gcs) get(ctx context.Context, q question, into any) error {
	res, err := g.ask(ctx, q)
	if err != nil {
		return err
	}
	if json.Unmarshal(res.Body, into) != nil {
		return &connectors.Error{Code: connectors.Refused, Reason: "objectstore.not_google", Op: connectors.StageSignIn, Field: "endpoint", Target: res.URL.Host}
	}
	return nil
}

// read takes what is stored as it is: packed content would come unpacked, and
// without its range (https://cloud.google.com/storage/docs/transcoding).
func (g *gcs) read(ctx context.Context, bucket, key string, off int64, n int) (*httpx.Response, error) {
	return g.ask(ctx, question{act: readObject, bucket: bucket, key: key, query: url.Values{"alt": {"media"}},
		header: http.Header{"Range": {rangeOf(off, n)}, "Accept-Encoding": {"gzip"}}, most: n})
}

// about asks which of the rights the account has
// (https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions).
func (g *gcs) about(ctx context.Context, bucket string, _ []item) []connectors.Fact {
	facts := known("Account", g.account, "Endpoint", g.base, "Project", g.project, "Bucket", bucket)
	if bucket == "" {
		return append(facts, connectors.Fact{Label: "Rights", Text: "list buckets"})
	}
	q := question{bucket: bucket, query: url.Values{"permissions": {"storage.objects.list", "storage.objects.get", "storage.objects.create"}}}
	var has struct {
		Permissions []string `json:"permissions"`
	}
	if err := g.get(ctx, q, &has); err != nil || len(has.Permissions) == 0 {
		return append(facts, connectors.Fact{Label: "Rights", Text: "list"})
	}
	text := "list"
	if slices.Contains(has.Permissions, "storage.objects.get") {
		text = "list and read"
	}
	if slices.Contains(has.Permissions, "storage.objects.create") {
		text += " (the account could write as well; this sign-in asks to read alone)"
	}
	return append(facts, connectors.Fact{Label: "Rights", Text: text})
}

func (g *gcs) unsent(err error) error {
	out := *connectors.Classify(err)
	if out.Field == "host" || out.Field == "port" {
		out.Field = "endpoint"
	}
	return &out
}

// googleRefused reads the errors of the JSON interface
// (https://cloud.google.com/storage/docs/json_api/v1/status-codes).
func googleRefused(q question, res *httpx.Response) error {
	var body struct {
		Error struct {
			Message string `json:"message"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	unread := json.Unmarshal(res.Body, &body) != nil
	said := body.Error.Message
	if unread && res.Status == http.StatusNotFound && q.key != "" {
		said = string(res.Body) // alt=media answers with the words alone
	}
	e := res.Err(connectors.Clean(said, 300))
	e.Op = connectors.StageRights
	if q.key != "" {
		e.Op = connectors.StageData
	}
	reason := ""
	if len(body.Error.Errors) > 0 {
		reason = body.Error.Errors[0].Reason
	}
	switch {
	case googlePolicy(e, reason, strings.ToLower(said)):
	case unread && res.Status != http.StatusNotFound:
		e.Code, e.Reason, e.Field, e.Op = connectors.Refused, "objectstore.not_google", "endpoint", connectors.StageSignIn
	default:
		googleStatus(q, e, res.Status)
	}
	return e
}

// googlePolicy knows what only the words of a refusal tell.
func googlePolicy(e *connectors.Error, reason, said string) bool {
	switch {
	case reason == "accessNotConfigured" || strings.Contains(said, "has not been used in project"):
		e.Code, e.Reason = connectors.Denied, "objectstore.google.api"
	case strings.Contains(said, "vpc service controls") || strings.Contains(said, "organization's policy"):
		e.Code, e.Reason = connectors.Denied, "objectstore.google.perimeter"
	case strings.Contains(said, "billing account"):
		e.Code, e.Reason = connectors.Denied, "objectstore.google.billing"
	case strings.Contains(said, "requester pays"):
		e.Code, e.Reason = connectors.Unsupported, "objectstore.requester_pays"
	default:
		return false
	}
	return true
}

func googleStatus(q question, e *connectors.Error, status int) {
	switch {
	case status == http.StatusUnauthorized:
		e.Code, e.Reason, e.Field, e.Op = connectors.AuthFailed, "google.deleted", "key_file", connectors.StageSignIn
	case status == http.StatusForbidden && q.act == readObject:
		e.Reason, e.Target = "objectstore.denied.read", q.key
	case status == http.StatusForbidden:
		e.Reason, e.Target, e.Field = "objectstore.denied."+string(q.act), q.bucket, "bucket"
	case q.act == listBuckets && (status == http.StatusNotFound || status == http.StatusBadRequest):
		e.Code, e.Reason, e.Field, e.Target = connectors.NotFound, "objectstore.google.project", "project", q.query.Get("project")
	case status == http.StatusNotFound && q.key == "":
		e.Reason, e.Field, e.Target = "objectstore.no_bucket", "bucket", q.bucket
	case status == http.StatusNotFound:
		e.Reason, e.Target = "objectstore.no_object", q.key
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		e.Code, e.Reason = connectors.Throttled, "objectstore.busy"
	}
}
