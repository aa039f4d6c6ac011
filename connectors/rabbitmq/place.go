package rabbitmq

import (
	"net/url"
	"strings"

	"jackfield/connectors"
)

// The levels of the tree. The ids of the connection's own virtual host are
// "queues/NAME", "exchanges/NAME" and "exchanges/NAME/KEY"; those of others have
// "vhosts/NAME/" before them.
const (
	inQueues    = "queues"
	inExchanges = "exchanges"
	inVhosts    = "vhosts"
)

// arrow begins the last part of a binding's id.
const arrow = "→"

// defaultExchange is what the exchange without a name is called, as on the
// management page.
const defaultExchange = "(AMQP default)"

// A place is a node's id, taken apart.
type place struct {
	vhost  string // "" for the connection's own
	kind   string // inQueues, inExchanges, inVhosts, or "" for a virtual host itself or the root
	name   string // of the queue or exchange
	named  bool   // name is given; the default exchange's is ""
	key    string // a routing key below an exchange
	keyed  bool
	nobody bool // an id that nothing can have
}

var partEscape = strings.NewReplacer("%", "%25", "/", "%2F")

// part is a name as one part of an id; a lone % stands for the empty name.
func part(name string) string {
	if name == "" {
		return "%"
	}
	return partEscape.Replace(name)
}

func unpart(p string) (string, bool) {
	if p == "%" {
		return "", true
	}
	name := strings.NewReplacer("%25", "%", "%2F", "/").Replace(p)
	return name, p != "" && part(name) == p
}

func parsePlace(id connectors.NodeID) place {
	if id == "" {
		return place{}
	}
	parts := strings.Split(string(id), "/")
	var p place
	sound := true
	if parts[0] == inVhosts {
		if len(parts) == 1 {
			return place{kind: inVhosts}
		}
		p.vhost, sound = unpart(parts[1])
		parts = parts[2:]
	}
	if !sound || len(parts) > 3 || len(parts) > 0 && parts[0] != inQueues && parts[0] != inExchanges {
		return place{nobody: true}
	}
	for i, text := range parts {
		v, ok := text, true
		if i > 0 {
			v, ok = unpart(text)
		}
		switch i {
		case 0:
			p.kind = v
		case 1:
			p.name, p.named = v, true
		case 2:
			p.key, p.keyed = v, true
		}
		if !ok {
			return place{nobody: true}
		}
	}
	return p
}

// in is the virtual host that the place belongs to.
func (p place) in(own string) string {
	if p.vhost == "" {
		return own
	}
	return p.vhost
}

// prefix is what the ids below the place's virtual host begin with.
func (p place) prefix() string {
	if p.vhost == "" {
		return ""
	}
	return inVhosts + "/" + part(p.vhost) + "/"
}

func (p place) child(name string) connectors.NodeID {
	return connectors.NodeID(p.prefix() + p.kind + "/" + part(name))
}

// escaped is a name in a path of the management API. "." and ".." would be taken
// for steps.
func escaped(name string) string {
	if name == "." || name == ".." {
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return url.PathEscape(name)
}

func unknown(id connectors.NodeID) error {
	return &connectors.Error{Code: connectors.NotFound, Reason: "rabbitmq.not_found", Op: connectors.StageData, Target: string(id)}
}
