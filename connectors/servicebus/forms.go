package servicebus

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jackfield/connectors/internal/answers"
)

// The bounds of names and keys
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas).
const (
	maxEntity = 600 // a topic of 260 letters, a subscription of 50, and a dead-letter queue
	maxPolicy = 256
	maxKey    = 256
	maxSAS    = 4096
)

// connection takes a connection string apart. Its keys stand in any case and
// order; a key's own = signs are part of its value.
func connection(text string) map[string]string {
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.Trim(strings.TrimSpace(text), `"'`), ";") {
		if k, v, ok := strings.Cut(part, "="); ok {
			parts[strings.ToLower(strings.TrimSpace(k))] = strings.TrimSpace(v)
		}
	}
	if parts["endpoint"] == "" {
		return nil
	}
	return parts
}

// splitConnection answers the form from a connection string, pasted into any of
// its fields
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dotnet-get-started-with-queues).
func splitConnection(v string) map[string]string {
	parts := connection(v)
	if parts == nil {
		return nil
	}
	out := map[string]string{}
	put := func(key, v string) {
		if v != "" {
			out[key] = v
		}
	}
	host, port := endpoint(parts["endpoint"])
	put("namespace", host)
	put("port", port)
	put("key_name", parts["sharedaccesskeyname"])
	put("access_key", parts["sharedaccesskey"])
	put("entity", parts["entitypath"])
	if parts["sharedaccesskey"] != "" {
		out["auth"] = byKey
	} else if sas := parts["sharedaccesssignature"]; sas != "" {
		out["auth"], out["sas"] = bySAS, tidySAS(sas)
	}
	if strings.EqualFold(parts["usedevelopmentemulator"], "true") {
		out["transport"] = toEmulator
	} else if strings.EqualFold(parts["transporttype"], "AmqpWebSockets") {
		out["transport"] = overWebSocket
	}
	if out["namespace"] == "" {
		return nil
	}
	return out
}

// endpoint is host and port of sb://contoso.servicebus.windows.net/. The public
// cloud's own ending goes without saying.
func endpoint(v string) (host, port string) {
	if u, err := url.Parse(v); err == nil && u.Host != "" {
		v, port = u.Hostname(), u.Port()
	}
	return strings.TrimSuffix(strings.ToLower(answers.TidyHost(v)), "."+publicCloud), port
}

// tidyNamespace keeps the host alone: a key that was pasted with it may not stand
// among the plain answers.
func tidyNamespace(v string) string {
	if parts := connection(v); parts != nil {
		v = parts["endpoint"]
	}
	host, _ := endpoint(v)
	return host
}

func tidyKey(v string) string {
	if key := connection(v)["sharedaccesskey"]; key != "" {
		return key
	}
	return answers.TidySecret("SharedAccessKey=")(v)
}

// tidySAS takes off what a header or a connection string has before a token.
func tidySAS(v string) string {
	if sas := connection(v)["sharedaccesssignature"]; sas != "" {
		v = sas
	}
	v = answers.TidySecret("Authorization:", "SharedAccessSignature=")(v)
	if rest, found := strings.CutPrefix(v, sasScheme); found {
		return sasScheme + strings.TrimSpace(rest)
	}
	if strings.HasPrefix(v, " sr=") || strings.HasPrefix(v, "sr=") {
		return sasScheme + strings.TrimSpace(v)
	}
	return v
}

func tidyEntity(v string) string {
	v = strings.TrimSpace(v)
	if u, err := url.Parse(v); err == nil && u.Host != "" {
		v = u.Path
	}
	return strings.Trim(v, "/")
}

func validPolicy(v string) error {
	if len(v) > maxPolicy {
		return errors.New("A policy's name is not that long.")
	}
	return nil
}

func validKey(v string) error {
	switch {
	case strings.HasPrefix(v, sasScheme):
		return errors.New("This is a SAS token. Choose SAS token above and paste it there.")
	case strings.Contains(v, ";"), strings.HasPrefix(strings.ToLower(v), "endpoint="):
		return errors.New("This is a connection string without a SharedAccessKey. Copy the whole string of a policy.")
	case len(v) > maxKey, strings.ContainsAny(v, " \t\r\n"):
		return errors.New("A key has no spaces, and usually 44 letters. Copy it again.")
	}
	return nil
}

func validSAS(v string) error {
	if len(v) > maxSAS {
		return errors.New("This is too long for a SAS token.")
	}
	_, err := readSAS(v)
	return err
}

func validEntity(v string) error {
	if len(v) > maxEntity || !utf8.ValidString(v) || strings.ContainsAny(v, "?#\\@") || strings.Contains(v, "$management") {
		return errors.New("A name is expected here, such as orders or news/Subscriptions/audit.")
	}
	return nil
}

func validManagement(v string) error {
	if u, err := url.Parse(v); err != nil || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return errors.New("An address up to the port is expected here, for example https://contoso.servicebus.windows.net.")
	}
	return nil
}

// A sas is what a token says about itself.
type sas struct {
	resource string // without its scheme: host, or host/entity
	policy   string
	ends     time.Time
}

// entity is the one that the token is for, "" for the whole namespace.
func (s sas) entity() string {
	_, path, _ := strings.Cut(s.resource, "/")
	return strings.Trim(path, "/")
}

// readSAS reads a token. Its errors are sentences and hold nothing of it.
func readSAS(v string) (sas, error) {
	query, found := strings.CutPrefix(v, sasScheme)
	if !found {
		return sas{}, errors.New("A SAS token begins with SharedAccessSignature sr=. Copy it from there.")
	}
	if strings.ContainsAny(query, " \t\r\n") {
		return sas{}, errors.New("There are spaces or line ends in this SAS token. Copy it again, in one line.")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return sas{}, errors.New("This SAS token is damaged. Copy it again.")
	}
	for _, part := range []string{"sr", "sig", "se", "skn"} {
		if values.Get(part) == "" {
			return sas{}, errors.New("This SAS token is not whole: " + part + "= is missing. Copy it again.")
		}
	}
	seconds, err := strconv.ParseInt(values.Get("se"), 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return sas{}, errors.New("The end of this SAS token (se=) is no time. Copy it again.")
	}
	resource := values.Get("sr")
	if _, rest, found := strings.Cut(resource, "://"); found {
		resource = rest
	}
	return sas{resource: resource, policy: values.Get("skn"), ends: time.Unix(seconds, 0).UTC()}, nil
}
