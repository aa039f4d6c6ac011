package elastic

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// The action that was not allowed, as Elasticsearch and OpenSearch name it, and the
// privileges that would allow it.
var (
	actionShape  = regexp.MustCompile(`(?:action|permissions for) \[([^\]]{1,200})\]`)
	grantedShape = regexp.MustCompile(`granted by the (?:index|cluster) privileges \[([^\]]{1,200})\]`)
)

// transportPort is usually the one that the servers speak to each other on; it
// answers HTTP with a line of text and hangs up.
const transportPort = 9300

func (c config) notThis(said string) error {
	return &connectors.Error{Code: connectors.Refused, Reason: "elastic.not_this", Op: connectors.StageSignIn, Target: c.addr(), Field: "port", Said: said}
}

// unreached maps what kept an answer from coming. The port is the same with and
// without encryption.
func (c config) unreached(err error) error {
	e := *connectors.Classify(err)
	switch {
	case c.Port == transportPort && e.Code == connectors.Refused:
		e.Reason, e.Field, e.Target = "elastic.transport_port", "port", c.addr()
	case !c.secure() && (e.Reason == "connect.closed" || e.Reason == "http.protocol"):
		e.Reason, e.Field, e.Target = "elastic.maybe_tls", "security", c.addr()
	case c.secure() && e.Reason == "tls.not_tls":
		e.Reason, e.Field, e.Target = "elastic.no_tls", "security", c.addr()
	case e.Code == connectors.Untrusted && e.Field == "":
		e.Field = "ca"
	case e.Field == "client_cert" && !c.secure():
		e.Field = ""
	}
	return &e
}

// refused maps an answer that is no success; nil for one that is.
func (c config) refused(res *httpx.Response) error {
	body, err := jsonx.Parse(res.Body)
	kind, reason := jsonx.Text(body, "error.type"), jsonx.Text(body, "error.reason|error|message|Message")
	e := res.Err("")
	if e == nil {
		return nil
	}
	e.Op, e.Said = connectors.StageData, connectors.Clean(strings.TrimSpace(kind+" "+reason), 300)
	switch {
	case res.Header.Get("Kbn-Name") != "" || res.Header.Get("Osd-Name") != "":
		return &connectors.Error{Code: connectors.Refused, Reason: "elastic.kibana", Op: connectors.StageSignIn, Target: c.addr(), Field: "port"}
	case res.Status == http.StatusUnauthorized:
		e.Op, e.Reason, e.Field, e.Target = connectors.StageSignIn, "elastic.auth."+c.Auth, c.secretField(), c.addr()
	case res.Status == http.StatusForbidden:
		c.forbidden(e, kind, reason)
	case res.Status == http.StatusNotFound:
		c.missing(e, kind, reason, err == nil)
	case res.Status == http.StatusTooManyRequests:
		e.Reason = "elastic.busy"
	case res.Status == http.StatusServiceUnavailable && (kind != "" || bytes.Contains(res.Body, []byte("not initialized"))):
		e.Reason, e.Target = "elastic.not_ready", c.addr()
	default:
		return c.otherwise(res, e, kind, err == nil)
	}
	return e
}

// otherwise keeps what a proxy answers: a redirect, or that what it leads to is down.
func (c config) otherwise(res *httpx.Response, e *connectors.Error, kind string, isJSON bool) error {
	switch {
	case kind == "" && (res.Status < http.StatusBadRequest || res.Status >= http.StatusInternalServerError):
	case kind == "" && !isJSON:
		return c.notThis(res.Media())
	default:
		e.Reason = "elastic.other"
	}
	return e
}

func (c config) forbidden(e *connectors.Error, kind, reason string) {
	e.Op, e.Reason, e.Target = connectors.StageRights, "elastic.denied", c.addr()
	switch {
	case kind == "cluster_block_exception":
		e.Code, e.Reason = connectors.Refused, "elastic.blocked"
	case kind == "" && strings.Contains(reason, "es:ESHttp"):
		e.Code, e.Reason, e.Op = connectors.Unsupported, "elastic.iam", connectors.StageSignIn
	case kind == "":
		e.Reason, e.Op = "elastic.forbidden", connectors.StageSignIn
	}
	if m := actionShape.FindStringSubmatch(reason); m != nil {
		e.Said = m[1]
		if g := grantedShape.FindStringSubmatch(reason); g != nil {
			e.Said += " (granted by " + strings.ReplaceAll(g[1], ",", ", ") + ")"
		}
	}
}

func (c config) missing(e *connectors.Error, kind, reason string, isJSON bool) {
	switch {
	case kind == "index_not_found_exception":
		e.Reason = "elastic.no_index"
		_, e.Target, _ = strings.Cut(strings.TrimSuffix(reason, "]"), "[")
	case strings.Contains(reason, "Unknown resource"):
		e.Reason, e.Op, e.Field, e.Target = "elastic.no_deployment", connectors.StageSignIn, "host", c.Host
	case !isJSON:
		found := connectors.Classify(c.notThis(""))
		*e = *found
	}
}
