package rabbitmq

import (
	"context"
	"regexp"
	"strings"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
)

// rights are what a user may do in a virtual host: a regular expression over
// names for each kind of access (https://www.rabbitmq.com/docs/access-control).
type rights struct {
	Configure string `json:"configure"`
	Write     string `json:"write"`
	Read      string `json:"read"`
	known     bool
}

// readRights asks for the AMQP user's rights. Only administrators are told;
// everybody else gets rights that are not known.
func (a *api) readRights(ctx context.Context) rights {
	var r rights
	if !a.tagged("administrator") || a.c.User == "" {
		return r
	}
	if err := a.get(ctx, "permissions/"+escaped(a.c.Vhost)+"/"+escaped(a.c.User), &r); err != nil {
		return rights{}
	}
	r.known = true
	return r
}

// access is what the rights say about reading a queue, or binding to an exchange.
func (r rights) access(name string) connectors.Access {
	if !r.known {
		return ""
	}
	readable, sure := allows(r.Read, name)
	switch {
	case !sure:
		return ""
	case readable:
		return connectors.AccessReadable
	}
	return connectors.AccessListed
}

// allows matches as the broker does: anywhere in the name; the empty expression
// allows nothing but the empty name. The broker's expressions are Perl's, so some
// are not understood here.
func allows(expression, name string) (yes, sure bool) {
	if expression == "" {
		return name == "", true
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return false, false
	}
	return re.MatchString(name), true
}

// words are the rights on one name: "configure, read".
func (r rights) words(name string) string {
	if !r.known {
		return ""
	}
	var out []string
	for _, one := range []struct{ expression, word string }{{r.Configure, "configure"}, {r.Write, "write"}, {r.Read, "read"}} {
		if yes, sure := allows(one.expression, name); yes {
			out = append(out, one.word)
		} else if !sure {
			return ""
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// overview asks the management API for what Check tells. An alarm is a fact: what
// is looked at here goes on while it lasts.
func (s *session) overview(ctx context.Context) ([]connectors.Fact, error) {
	a, err := s.management(ctx)
	if err != nil {
		return nil, err
	}
	var seen struct {
		Version string           `json:"management_version"`
		Totals  map[string]int64 `json:"object_totals"`
	}
	if err := a.get(ctx, "overview?columns=management_version,object_totals", &seen); err != nil {
		return nil, err
	}
	facts := []connectors.Fact{{Label: "Management page", Text: a.base + ", version " + connectors.Clean(seen.Version, 40)}, {Label: "Tags", Text: a.tagWords()}}
	if r := a.rights; r.known {
		facts = append(facts, connectors.Fact{Label: "Rights", Text: connectors.Clean("configure "+quoted(r.Configure)+", write "+quoted(r.Write)+", read "+quoted(r.Read), 400)})
	} else {
		facts = append(facts, connectors.Fact{Label: "Rights", Text: "told to administrators only"})
	}
	for _, label := range []string{"Queues", "Exchanges", "Connections", "Channels", "Consumers"} {
		if n, ok := seen.Totals[strings.ToLower(label)]; ok {
			facts = append(facts, connectors.Fact{Label: label, Text: humanize.Comma(n)})
		}
	}
	if alarm := a.alarms(ctx); alarm != "" {
		facts = append(facts, connectors.Fact{Label: "Alarm", Text: alarm})
	}
	return facts, ctx.Err()
}

func (a *api) tagWords() string {
	if len(a.tags) == 0 {
		return "none"
	}
	return connectors.Clean(strings.Join(a.tags, ", "), 200)
}

func quoted(expression string) string {
	if expression == "" {
		return "nothing"
	}
	return "“" + expression + "”"
}

// alarms says which resource runs short; such a broker takes no messages.
func (a *api) alarms(ctx context.Context) string {
	res, err := a.do(ctx, "GET", "health/checks/alarms", nil, true)
	if err != nil || res.Status != 503 {
		return "" // brokers before 3.8 have no such check
	}
	return "the broker takes no messages: " + connectors.Clean(complaint(res).Reason, 200)
}
