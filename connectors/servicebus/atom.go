package servicebus

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// apiVersion is the management interface's
// (https://learn.microsoft.com/rest/api/servicebus/).
const apiVersion = "2021-05"

// pageSize is the most that one page may have.
const pageSize = 100

// atom asks the management interface, which answers in Atom feeds. It only reads.
type atom struct {
	s      *session
	client *http.Client
	base   *url.URL
}

func newAtom(env *connectors.Env, s *session) (*atom, error) {
	base, err := s.c.base()
	if err != nil {
		return nil, err
	}
	spec := connectors.HTTP{NoRedirects: true}
	if base.Scheme == "https" {
		spec.TLS = s.c.Spec()
	}
	client, err := env.HTTP(spec)
	if err != nil {
		return nil, err
	}
	return &atom{s: s, client: client, base: base}, nil
}

func (a *atom) close() { a.client.CloseIdleConnections() }

// An entity is a queue, topic or subscription as the interface describes it
// (https://learn.microsoft.com/rest/api/servicebus/queues).
type entity struct {
	Name          string
	Kind          string
	Status        string
	SizeInBytes   *int64
	MaxSize       *int64 `xml:"MaxSizeInMegabytes"`
	Subscriptions *int64 `xml:"SubscriptionCount"`
	Sessions      string `xml:"RequiresSession"`
	Partitioned   string `xml:"EnablePartitioning"`
	Duplicates    string `xml:"RequiresDuplicateDetection"`
	MaxDelivery   *int64 `xml:"MaxDeliveryCount"`
	Lock          string `xml:"LockDuration"`
	Lives         string `xml:"DefaultMessageTimeToLive"`
	ForwardTo     string
	DeadTo        string `xml:"ForwardDeadLetteredMessagesTo"`
	Created       string `xml:"CreatedAt"`
	Accessed      string `xml:"AccessedAt"`
	Counts        counts `xml:"CountDetails"`
}

type counts struct {
	Active       *int64 `xml:"ActiveMessageCount"`
	Dead         *int64 `xml:"DeadLetterMessageCount"`
	Scheduled    *int64 `xml:"ScheduledMessageCount"`
	Transfer     *int64 `xml:"TransferMessageCount"`
	TransferDead *int64 `xml:"TransferDeadLetterMessageCount"`
}

// A namespace is what $namespaceinfo tells
// (https://learn.microsoft.com/rest/api/servicebus/get-namespace-info).
type namespace struct {
	Name  string `xml:"Name"`
	Tier  string `xml:"MessagingSKU"`
	Kind  string `xml:"NamespaceType"`
	Units int    `xml:"MessagingUnits"`
}

// The kinds of entities.
const (
	queueKind        = "queue"
	topicKind        = "topic"
	subscriptionKind = "subscription"
)

type entry struct {
	Title   string `xml:"title"`
	Content struct {
		Queue        *entity    `xml:"QueueDescription"`
		Topic        *entity    `xml:"TopicDescription"`
		Subscription *entity    `xml:"SubscriptionDescription"`
		Namespace    *namespace `xml:"NamespaceInfo"`
	} `xml:"content"`
}

// entity is the described one, nil when it is of no known kind.
func (e entry) entity() *entity {
	for kind, one := range map[string]*entity{queueKind: e.Content.Queue, topicKind: e.Content.Topic, subscriptionKind: e.Content.Subscription} {
		if one != nil {
			one.Name, one.Kind = e.Title, kind
			return one
		}
	}
	return nil
}

// A page is the answer: a feed of entries, or one entry.
type page struct {
	XMLName xml.Name
	Entries []entry `xml:"entry"`
	entry
}

func (a *atom) namespace(ctx context.Context) (namespace, error) {
	p, err := a.get(ctx, "$namespaceinfo", nil, "")
	if err != nil {
		return namespace{}, err
	}
	if p.Content.Namespace == nil {
		return namespace{}, a.strange()
	}
	return *p.Content.Namespace, nil
}

// entity describes one entity by its path. What does not exist is answered with
// an empty feed.
func (a *atom) entity(ctx context.Context, path string) (*entity, error) {
	p, err := a.get(ctx, path, nil, path)
	if err != nil {
		return nil, err
	}
	one := p.entity()
	if p.XMLName.Local == "feed" || one == nil {
		return nil, a.s.refusal(http.StatusNotFound, "", "", path, connectors.StageData)
	}
	return one, nil
}

// list yields all entities of a collection, page by page.
func (a *atom) list(ctx context.Context, collection, entityPath string) iter.Seq2[*entity, error] {
	return func(yield func(*entity, error) bool) {
		for skip := 0; ; skip += pageSize {
			p, err := a.get(ctx, collection, url.Values{"$skip": {strconv.Itoa(skip)}, "$top": {strconv.Itoa(pageSize)}}, entityPath)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, one := range p.Entries {
				if ctx.Err() != nil {
					yield(nil, connectors.Classify(context.Cause(ctx)))
					return
				}
				if found := one.entity(); found != nil && !yield(found, nil) {
					return
				}
			}
			if len(p.Entries) < pageSize {
				return
			}
		}
	}
}

// get asks for a path below the namespace with a token for what it is about.
func (a *atom) get(ctx context.Context, path string, query url.Values, about string) (*page, error) {
	u := *a.base
	u.Path = "/" + path
	if query == nil {
		query = url.Values{}
	}
	query.Set("api-version", apiVersion)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "namespace", Err: err}
	}
	token, _ := a.s.signer.token("https://" + hostPart(a.s.c.host()) + "/" + about)
	req.Header.Set("Authorization", token.Reveal())
	res, err := httpx.Do(a.client, req, 0)
	if err != nil {
		e := a.s.reached(err)
		if e.Field == "port" || e.Code == connectors.Unreachable {
			e.Field = "management"
		}
		return nil, e
	}
	if e := res.Err(""); e != nil {
		if res.Status >= 300 && res.Status < 400 {
			e.Field = "management"
			return nil, e
		}
		return nil, a.s.refusal(res.Status, "", detail(res.Body), about, connectors.StageData)
	}
	out := &page{}
	if res.Truncated || decode(res.Body, out) != nil || out.XMLName.Local != "feed" && out.XMLName.Local != "entry" {
		return nil, a.strange()
	}
	return out, nil
}

func (a *atom) strange() error {
	return &connectors.Error{Code: connectors.Refused, Reason: "servicebus.not_management", Op: connectors.StageData, Target: a.base.Host, Field: "management"}
}

// decode reads XML. encoding/xml expands no entities of a document's own.
func decode(body []byte, into any) error {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return d.Decode(into)
}

// detail is the service's own words in an error's body:
// <Error><Code>401</Code><Detail>…</Detail></Error>.
func detail(body []byte) string {
	var e struct {
		Detail string `xml:"Detail"`
	}
	if decode(body, &e) != nil {
		return ""
	}
	return e.Detail
}

// day shortens a time, "" where there is none: it is the year 1 for what was
// never used.
func day(v string) string {
	at, err := time.Parse(time.RFC3339Nano, v)
	if err != nil || at.Year() < 1900 {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}
