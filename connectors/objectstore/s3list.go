package objectstore

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// allBuckets is the answer to ListBuckets
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html).
type allBuckets struct {
	XMLName xml.Name `xml:"ListAllMyBucketsResult"`
	Next    string   `xml:"ContinuationToken"`
	Owner   struct {
		ID          string `xml:"ID"`
		DisplayName string `xml:"DisplayName"`
	} `xml:"Owner"`
	Buckets []struct {
		Name    string `xml:"Name"`
		Created string `xml:"CreationDate"`
		Region  string `xml:"BucketRegion"`
	} `xml:"Buckets>Bucket"`
}

func (s *s3) buckets(ctx context.Context, token string) (page, error) {
	query := url.Values{}
	if s.vendor == vendorAmazon {
		query.Set("max-buckets", strconv.Itoa(pageSize)) // without it no region is told
	}
	if token != "" {
		query.Set("continuation-token", token)
	}
	q := question{act: listBuckets, query: query}
	res, err := s.ask(ctx, q)
	if err != nil {
		return page{}, err
	}
	var all allBuckets
	if xml.Unmarshal(res.Body, &all) != nil {
		return page{}, s.notS3(q, res)
	}
	out := page{next: all.Next}
	for _, b := range all.Buckets {
		i := item{name: b.Name, folder: true}
		if at, err := time.Parse(time.RFC3339, b.Created); err == nil {
			i.facts = append(i.facts, connectors.Fact{Label: "Created", Text: stamp(at)})
		}
		if b.Region != "" {
			i.facts = append(i.facts, connectors.Fact{Label: "Region", Text: b.Region})
			if s.found(ctx, q, b.Region) != "" {
				s.learn(b.Name, b.Region)
			}
		}
		out.items = append(out.items, i)
	}
	return out, nil
}

// inBucket is the answer to ListObjectsV2, and to its first version where a
// server knows no other
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
type inBucket struct {
	XMLName   xml.Name   `xml:"ListBucketResult"`
	Encoding  string     `xml:"EncodingType"`
	Truncated bool       `xml:"IsTruncated"`
	Next      string     `xml:"NextContinuationToken"`
	Marker    string     `xml:"NextMarker"`
	Contents  []s3Object `xml:"Contents"`
	Folders   []struct {
		Prefix string `xml:"Prefix"`
	} `xml:"CommonPrefixes"`
}

// markers tells a marker of the first version from a continuation token.
const markers = "marker:"

func (s *s3) objects(ctx context.Context, bucket, prefix, token string, most int) (page, error) {
	query := url.Values{"list-type": {"2"}, "delimiter": {"/"}, "max-keys": {strconv.Itoa(most)}, "encoding-type": {"url"}}
	if prefix != "" {
		query.Set("prefix", prefix)
	}
	if marker, is := strings.CutPrefix(token, markers); is {
		query.Set("marker", marker)
	} else if token != "" {
		query.Set("continuation-token", token)
	}
	q := question{act: listObjects, bucket: bucket, key: "", query: query}
	if s.vendor == vendorAmazon {
		q.header = http.Header{"X-Amz-Optional-Object-Attributes": {"RestoreStatus"}}
	}
	res, err := s.ask(ctx, q)
	if err != nil {
		return page{}, err
	}
	var in inBucket
	if xml.Unmarshal(res.Body, &in) != nil {
		return page{}, s.notS3(q, res)
	}
	return in.page(), nil
}

// An s3Object is one of an answer's Contents.
type s3Object struct {
	Key      string `xml:"Key"`
	Modified string `xml:"LastModified"`
	ETag     string `xml:"ETag"`
	Size     int64  `xml:"Size"`
	Class    string `xml:"StorageClass"`
	Restored *struct {
		Running bool   `xml:"IsRestoreInProgress"`
		Until   string `xml:"RestoreExpiryDate"`
	} `xml:"RestoreStatus"`
}

// plain is a name as it is: it comes percent-encoded where the server says so,
// because XML has no place for control characters.
func (in *inBucket) plain(v string) string {
	if in.Encoding != "url" || !strings.ContainsAny(v, "%+") {
		return v
	}
	if out, err := url.QueryUnescape(v); err == nil {
		return out
	}
	return v
}

func (in *inBucket) page() page {
	out := page{next: in.Next, items: make([]item, 0, len(in.Folders)+len(in.Contents))}
	for _, f := range in.Folders {
		out.items = append(out.items, item{name: in.plain(f.Prefix), folder: true})
	}
	for i := range in.Contents {
		o := in.Contents[i].item()
		o.name = in.plain(in.Contents[i].Key)
		out.items = append(out.items, o)
	}
	if out.next == "" && in.Truncated {
		out.next = in.marker(out.items)
	}
	return out
}

// marker is where the next page of the first version begins: as told, or else
// after the last name, in the order of their bytes.
func (in *inBucket) marker(items []item) string {
	last := in.plain(in.Marker)
	if last == "" {
		for _, i := range items {
			last = max(last, i.name)
		}
	}
	if last == "" {
		return ""
	}
	return markers + last
}

// item has everything but the name.
func (c *s3Object) item() item {
	o := item{size: c.Size}
	o.modified, _ = time.Parse(time.RFC3339, c.Modified)
	if c.Class != "" {
		o.facts = append(o.facts, connectors.Fact{Label: "Storage class", Text: c.Class})
	}
	if c.Class == "GLACIER" || c.Class == "DEEP_ARCHIVE" {
		state := "archived, has to be restored before it can be read"
		o.access = connectors.AccessListed
		if c.Restored != nil && c.Restored.Running {
			state = "archived, is being restored"
		} else if c.Restored != nil && c.Restored.Until != "" {
			o.access, state = connectors.AccessReadable, "restored until "+c.Restored.Until
		}
		o.facts = append(o.facts, connectors.Fact{Label: "State", Text: state})
	}
	if tag := strings.Trim(c.ETag, `"`); tag != "" {
		o.facts = append(o.facts, connectors.Fact{Label: "ETag", Text: tag})
	}
	return o
}

func (s *s3) read(ctx context.Context, bucket, key string, off int64, n int) (*httpx.Response, error) {
	return s.ask(ctx, question{act: readObject, bucket: bucket, key: key, header: http.Header{"Range": {rangeOf(off, n)}}, most: n})
}

// may asks for an object's head, which needs the same right as its content
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
func (s *s3) may(ctx context.Context, bucket, key string) (bool, error) {
	_, err := s.ask(ctx, question{method: http.MethodHead, act: readObject, bucket: bucket, key: key, most: 1})
	return allowed(err)
}

// allowed turns a refusal into an answer.
func allowed(err error) (bool, error) {
	if e := connectors.Classify(err); e != nil {
		if e.Code == connectors.Denied {
			return false, nil
		}
		return false, err
	}
	return true, nil
}

// versioned says whether the bucket keeps old versions, "" where that may not
// be asked.
func (s *s3) versioned(ctx context.Context, bucket string) string {
	res, err := s.ask(ctx, question{act: readObject, bucket: bucket, query: url.Values{"versioning": {""}}})
	if err != nil {
		return ""
	}
	var v struct {
		XMLName xml.Name `xml:"VersioningConfiguration"`
		Status  string   `xml:"Status"`
	}
	if xml.Unmarshal(res.Body, &v) != nil {
		return ""
	}
	switch v.Status {
	case "Enabled":
		return "on; the newest versions are shown"
	case "Suspended":
		return "suspended; the newest versions are shown"
	}
	return "off"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
