package webdav

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

const (
	dav      = "DAV:"
	maxEntry = 1 << 20 // bytes of XML that one resource may take
)

var (
	errXML   = errors.New("the answer is no WebDAV multistatus")
	errLarge = errors.New("the server's answer about one resource is too large")
)

// asked are the properties of RFC 4918 section 15, RFC 3744 and RFC 4331, and
// what Nextcloud and ownCloud tell of rights. An unknown one costs a line.
const asked = `<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><d:resourcetype/><d:getcontentlength/><d:getlastmodified/><d:getcontenttype/><d:getetag/><d:creationdate/><d:current-user-privilege-set/><d:quota-used-bytes/><d:quota-available-bytes/><oc:permissions/><oc:owner-display-name/></d:prop></d:propfind>`

// A response is one resource of a multistatus (RFC 4918 section 14.24).
type response struct {
	Href     []string   `xml:"DAV: href"`
	Status   string     `xml:"DAV: status"`
	Propstat []propstat `xml:"DAV: propstat"`
}

type propstat struct {
	Status string `xml:"DAV: status"`
	Prop   props  `xml:"DAV: prop"`
}

type props struct {
	Type       *resourceType `xml:"DAV: resourcetype"`
	Length     string        `xml:"DAV: getcontentlength"`
	Modified   string        `xml:"DAV: getlastmodified"`
	Created    string        `xml:"DAV: creationdate"`
	Media      string        `xml:"DAV: getcontenttype"`
	ETag       string        `xml:"DAV: getetag"`
	Used       string        `xml:"DAV: quota-used-bytes"`
	Available  string        `xml:"DAV: quota-available-bytes"`
	Privileges *privileges   `xml:"DAV: current-user-privilege-set"`
	Letters    string        `xml:"http://owncloud.org/ns permissions"`
	Owner      string        `xml:"http://owncloud.org/ns owner-display-name"`
}

type resourceType struct {
	Collection *struct{} `xml:"DAV: collection"`
}

type privileges struct {
	Each []struct {
		All  *struct{} `xml:"DAV: all"`
		Read *struct{} `xml:"DAV: read"`
	} `xml:"DAV: privilege"`
}

// allowance lets so much be read until it is renewed.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errLarge
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

// responses decodes a multistatus one resource at a time. yield false ends it.
func responses(r io.Reader, yield func(response) bool) error {
	limit := &allowance{r: r, left: maxEntry}
	d := xml.NewDecoder(limit)
	root, err := next(d)
	if err != nil {
		return broken(err)
	}
	if root == nil || root.Name != (xml.Name{Space: dav, Local: "multistatus"}) {
		return errXML
	}
	for {
		el, err := next(d)
		if err != nil {
			return broken(err)
		}
		if el == nil {
			return nil
		}
		if el.Name != (xml.Name{Space: dav, Local: "response"}) { // responsedescription, sync-token
			if err := d.Skip(); err != nil {
				return broken(err)
			}
			continue
		}
		var one response
		if err := d.DecodeElement(&one, el); err != nil {
			return broken(err)
		}
		limit.left = maxEntry
		if !yield(one) {
			return nil
		}
	}
}

// next is the element that begins next, nil where the one around it ends.
func next(d *xml.Decoder) (*xml.StartElement, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch el := token.(type) {
		case xml.StartElement:
			return &el, nil
		case xml.EndElement:
			return nil, nil
		}
	}
}

func broken(err error) error {
	var syntax *xml.SyntaxError
	if errors.Is(err, io.EOF) || errors.As(err, &syntax) && syntax.Msg == "unexpected EOF" {
		return io.ErrUnexpectedEOF
	}
	if errors.As(err, &syntax) {
		return errors.Join(errXML, err)
	}
	return err
}

// A resource is what a response says.
type resource struct {
	href   string
	status int // 0 where the properties tell
	props
}

func (r response) resource() resource {
	out := resource{status: statusOf(r.Status)}
	if len(r.Href) > 0 {
		out.href = strings.TrimSpace(r.Href[0])
	}
	for _, p := range r.Propstat {
		if code := statusOf(p.Status); code == http.StatusOK || code == 0 {
			out.props = p.Prop
			break
		}
	}
	return out
}

// statusOf reads "HTTP/1.1 404 Not Found".
func statusOf(line string) int {
	words := strings.Fields(line)
	if len(words) < 2 {
		return 0
	}
	n, err := strconv.Atoi(words[1])
	if err != nil {
		return 0
	}
	return n
}

func (p props) folder() bool { return p.Type != nil && p.Type.Collection != nil }

func (p props) size() int64 { return number(p.Length) }

func number(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func (p props) modified() time.Time {
	t, err := http.ParseTime(strings.TrimSpace(p.Modified))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// access is what the server says of this account's rights: the privileges of RFC
// 3744 section 5.4, or Nextcloud's letters, of which G is for reading
// (https://docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/basic.html).
func (r resource) access() connectors.Access {
	switch {
	case r.status == http.StatusForbidden || r.status == http.StatusUnauthorized:
		return connectors.AccessDenied
	case r.Privileges != nil:
		for _, each := range r.Privileges.Each {
			if each.All != nil || each.Read != nil {
				return connectors.AccessReadable
			}
		}
		return connectors.AccessDenied
	case strings.Contains(r.Letters, "G"):
		return connectors.AccessReadable
	}
	return ""
}
