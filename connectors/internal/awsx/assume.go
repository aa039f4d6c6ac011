package awsx

import (
	"context"
	"encoding/xml"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

const (
	// early is how long before their end credentials are renewed.
	early = 5 * time.Minute
	// answerBytes is more than STS ever says; session tokens have a few kB.
	answerBytes = 256 << 10
	session     = "jackfield"
)

// A Role is what to take on with the keys at hand.
type Role struct {
	ARN         string
	ExternalID  string        // sent exactly as it stands here; "" sends none
	SessionName string        // what the account's log shows; "jackfield" when empty
	Duration    time.Duration // of one session; 0 leaves it to AWS: one hour
	Endpoint    string        // where STS is; "" is the region's own
}

// An Assumer gives the credentials of a role, and new ones before they end. Its
// methods may be called concurrently.
type Assumer struct {
	client *http.Client
	region string
	base   Credentials
	role   Role
	now    func() time.Time

	mu      sync.Mutex
	has     Credentials
	running *assuming
}

// assuming is the one request under way, that all wait for.
type assuming struct {
	done  chan struct{}
	got   Credentials
	err   error
	ended bool // because its caller went away
}

// NewAssumer asks STS through client, signing with base. now is the wall clock.
func NewAssumer(client *http.Client, region string, base Credentials, role Role, now func() time.Time) *Assumer {
	return &Assumer{client: httpx.WithoutRedirects(client), region: region, base: base, role: role, now: now}
}

// Credentials are good for at least five minutes, or for as long as STS gives
// them. Errors are *connectors.Error; nothing is remembered of a failure.
func (a *Assumer) Credentials(ctx context.Context) (Credentials, error) {
	for {
		run, mine := a.join()
		if run == nil {
			return a.kept(), nil
		}
		if mine {
			a.run(ctx, run)
			return run.got, run.err
		}
		select {
		case <-run.done:
			if !run.ended {
				return run.got, run.err
			}
		case <-ctx.Done():
			return Credentials{}, connectors.Classify(context.Cause(ctx))
		}
	}
}

// join returns the request under way, whether the caller has to make it, and
// nil when none is needed.
func (a *Assumer) join() (run *assuming, mine bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.has.AccessKey != "" && a.now().Before(a.has.Expires.Add(-early)) {
		return nil, false
	}
	if a.running != nil {
		return a.running, false
	}
	a.running = &assuming{done: make(chan struct{}), ended: true}
	return a.running, true
}

func (a *Assumer) kept() Credentials {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.has
}

func (a *Assumer) run(ctx context.Context, run *assuming) {
	defer func() {
		a.mu.Lock()
		a.running = nil
		if run.err == nil && run.got.AccessKey != "" {
			a.has = run.got
		}
		a.mu.Unlock()
		close(run.done)
	}()
	run.got, run.err = a.assume(ctx)
	run.ended = run.err != nil && ctx.Err() != nil
}

func (a *Assumer) assume(ctx context.Context) (Credentials, error) {
	req, err := a.request(ctx)
	if err != nil {
		return Credentials{}, err
	}
	res, err := httpx.Do(a.client, req, answerBytes)
	if err != nil {
		return Credentials{}, err
	}
	if e := a.refused(res); e != nil {
		e.Op = connectors.StageSignIn
		return Credentials{}, e
	}
	return readAssumed(res)
}

// request is an AssumeRole call of the Query protocol
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
func (a *Assumer) request(ctx context.Context) (*http.Request, error) {
	place, err := a.endpoint()
	if err != nil {
		return nil, err
	}
	form := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleArn": {a.role.ARN}, "RoleSessionName": {a.role.SessionName}}
	if a.role.SessionName == "" {
		form.Set("RoleSessionName", session)
	}
	if a.role.ExternalID != "" {
		form.Set("ExternalId", a.role.ExternalID)
	}
	if a.role.Duration > 0 {
		form.Set("DurationSeconds", strconv.Itoa(int(a.role.Duration/time.Second)))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, place, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, wrong(FieldSTSEndpoint, "the address of STS cannot be read")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return req, Signer{Region: a.region, Service: "sts"}.Sign(ctx, req, a.base, a.now())
}

// endpoint is https, or http to this computer: the answer holds a secret.
func (a *Assumer) endpoint() (string, error) {
	if a.role.Endpoint == "" {
		if err := ValidRegion(a.region); err != nil {
			return "", wrong(FieldRegion, err.Error())
		}
		return "https://sts." + a.region + "." + Domain(a.region) + "/", nil
	}
	u, err := url.Parse(a.role.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !here(u.Hostname())) {
		return "", wrong(FieldSTSEndpoint, "the address of STS must begin with https://")
	}
	return a.role.Endpoint, nil
}

func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (a *Assumer) refused(res *httpx.Response) *connectors.Error {
	e := Refused(res, a.now())
	if e == nil {
		return res.Err("")
	}
	if e.Code == connectors.Denied && e.Reason == "" {
		e.Reason, e.Field = "aws.assume", FieldRole
	}
	return e
}

func readAssumed(res *httpx.Response) (Credentials, error) {
	var answer struct {
		XMLName xml.Name `xml:"AssumeRoleResponse"`
		Key     string   `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret  string   `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token   string   `xml:"AssumeRoleResult>Credentials>SessionToken"`
		Until   string   `xml:"AssumeRoleResult>Credentials>Expiration"`
	}
	err := xml.Unmarshal(res.Body, &answer)
	until, untilErr := time.Parse(time.RFC3339, answer.Until)
	if err != nil || untilErr != nil || answer.Key == "" || answer.Secret == "" || answer.Token == "" {
		return Credentials{}, &connectors.Error{Code: connectors.Refused, Reason: "aws.not_sts", Op: connectors.StageSignIn, Target: res.URL.Host}
	}
	return Credentials{AccessKey: answer.Key, Secret: connectors.NewSecret(answer.Secret), Token: connectors.NewSecret(answer.Token), Expires: until}, nil
}
