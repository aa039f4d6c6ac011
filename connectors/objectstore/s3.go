package objectstore

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/httpx"
)

// How a bucket's name goes into an address.
const (
	styleAuto    = "auto"
	stylePath    = "path"
	styleVirtual = "virtual"
)

// firstRegion is where a search for the right region begins: the one that
// answers for the names of all others.
const firstRegion = "us-east-1"

// The vendors differ in where they are and in the words for their refusals.
const (
	vendorAmazon = "aws"
	vendorOther  = "other"
	vendorGoogle = "google"
)

const (
	busyTries = 4
	busyPause = 250 * time.Millisecond
)

// s3 speaks the REST interface of S3
// (https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html).
type s3 struct {
	vendor string
	client *http.Client // follows no redirect
	base   *url.URL     // nil for Amazon's own
	region string       // "" to find it out
	keys   func(context.Context) (awsx.Credentials, error)
	now    func() time.Time
	header http.Header // of every request

	mu      sync.Mutex
	regions map[string]string // of buckets, as the server named them; "" for the service
	virtual bool
}

// A question is one request.
type question struct {
	method string // GET when empty
	act    act
	bucket string
	key    string
	query  url.Values
	header http.Header
	most   int // bytes of the answer
}

// ask sends a question, to the right region at once where the first one was
// wrong, and again after a pause where the server is busy. Errors are
// *connectors.Error.
func (s *s3) ask(ctx context.Context, q question) (*httpx.Response, error) {
	moved := false
	for try := 1; ; try++ {
		region := s.regionOf(q.bucket)
		res, err := s.send(ctx, q, region)
		if err != nil {
			return nil, s.unsent(q, err)
		}
		if e := s.refusal(q, res); e == nil {
			return res, nil
		} else if e.Reason == "aws.region" && !moved {
			if place := s.found(ctx, q, e.Said); place != "" && place != region {
				s.learn(q.bucket, place)
				s.settle(place)
				moved = true
				continue
			}
			return nil, s.explain(q, e)
		} else if s.turn(res) {
			continue
		} else if try == busyTries || !busy(res) {
			return nil, s.explain(q, e)
		}
		if err := pause(ctx, busyPause<<(try-1)); err != nil {
			return nil, err
		}
	}
}

// regionOf is where a bucket is, as far as that is known.
func (s *s3) regionOf(bucket string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{bucket, ""} {
		if r := s.regions[name]; r != "" {
			return r
		}
	}
	if s.region != "" {
		return s.region
	}
	return firstRegion
}

// learn keeps what the server named. It becomes part of a host name at Amazon.
func (s *s3) learn(bucket, region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.regions) < 10_000 {
		s.regions[bucket] = region
	}
}

// settle makes the first region that was found the one of the service too,
// where the form names none: some networks let only one region through.
func (s *s3) settle(region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.region == "" && s.regions[""] == "" {
		s.regions[""] = region
	}
}

// found is the region that a refusal names, or else the one that S3 says in the
// answer to a HEAD of the bucket, to whoever asks
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html).
func (s *s3) found(ctx context.Context, q question, named string) string {
	if named == "" && q.bucket != "" {
		u, err := s.address(question{bucket: q.bucket}, s.regionOf(q.bucket))
		if err != nil {
			return ""
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
		if err != nil {
			return ""
		}
		if res, err := httpx.Do(s.client, req, 1); err == nil {
			named = res.Header.Get("X-Amz-Bucket-Region")
		}
	}
	valid := awsx.ValidRegion
	if s.vendor != vendorAmazon {
		valid = validAnyRegion
	}
	if valid(named) != nil {
		return ""
	}
	return named
}

// turn changes over to names in the host where the server says that it takes no
// other, and reports whether it did: Alibaba, Tencent and Volcengine do.
func (s *s3) turn(res *httpx.Response) bool {
	switch s3Code(res) {
	case "SecondLevelDomainForbidden", "PathStyleDomainForbidden", "InvalidPathAccess", "VirtualHostStyleRequired":
	default:
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.virtual || s.base == nil {
		return false
	}
	s.virtual = true
	return true
}

func busy(res *httpx.Response) bool {
	return res.Status == http.StatusServiceUnavailable || res.Status == http.StatusInternalServerError || res.Status == http.StatusTooManyRequests
}

func pause(ctx context.Context, d time.Duration) error {
	if err := httpx.Sleep(ctx, d); err != nil {
		return connectors.Classify(err)
	}
	return nil
}

func (s *s3) send(ctx context.Context, q question, region string) (*httpx.Response, error) {
	keys, err := s.keys(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.address(q, region)
	if err != nil {
		return nil, err
	}
	u.RawQuery = q.query.Encode()
	method := q.method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "bucket", Said: "this cannot be part of an address"}
	}
	req.URL.Path = u.Path // String would take the second of two slashes at the beginning for a host
	for _, h := range []http.Header{s.header, q.header} {
		for name, values := range h {
			req.Header[name] = values
		}
	}
	if err := (awsx.Signer{Region: region, Service: "s3"}).Sign(ctx, req, keys, s.now()); err != nil {
		return nil, err
	}
	if s.vendor == vendorGoogle && q.act == readObject {
		// Else Google unpacks what is stored packed, and minds no range then
		// (https://cloud.google.com/storage/docs/transcoding). It changes this
		// header on the way in, so it may not be signed.
		req.Header.Set("Accept-Encoding", "gzip")
	}
	return httpx.Do(s.client, req, q.most)
}

// address is where a question goes. Names with a dot stay in the path at
// Amazon: no certificate is made out to two labels.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func (s *s3) address(q question, region string) (*url.URL, error) {
	s.mu.Lock()
	virtual := s.virtual
	s.mu.Unlock()
	u := &url.URL{Scheme: "https", Path: "/"}
	if s.base == nil {
		if err := awsx.ValidRegion(region); err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: awsx.FieldRegion, Said: err.Error()}
		}
		u.Host = "s3." + region + "." + awsx.Domain(region)
		virtual = !strings.Contains(q.bucket, ".")
	} else {
		u.Scheme, u.Host, u.Path = s.base.Scheme, s.base.Host, s.base.Path+"/"
	}
	switch {
	case q.bucket == "":
	case virtual:
		u.Host = q.bucket + "." + u.Host
		u.Path += q.key
	default:
		u.Path += q.bucket + "/" + q.key
	}
	return u, nil
}
