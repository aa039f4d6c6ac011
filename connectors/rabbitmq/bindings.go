package rabbitmq

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"

	"jackfield/connectors"
)

type binding struct {
	Source          string          `json:"source"`
	Destination     string          `json:"destination"`
	DestinationType string          `json:"destination_type"`
	RoutingKey      string          `json:"routing_key"`
	PropertiesKey   string          `json:"properties_key"`
	Arguments       json.RawMessage `json:"arguments"`
}

// bindings lists what an exchange sends where, and what a queue gets from where.
func (a *api) bindings(ctx context.Context, p place, own string) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for b, err := range a.bound(ctx, p, own) {
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			if !yield(b.node(p), nil) {
				return
			}
		}
	}
}

func (a *api) bound(ctx context.Context, p place, own string) iter.Seq2[binding, error] {
	path := p.kind + "/" + escaped(p.in(own)) + "/"
	switch {
	case p.kind == inQueues:
		path += escaped(p.name) + "/bindings"
	case p.name == "":
		path += "amq.default/bindings/source"
	default:
		path += escaped(p.name) + "/bindings/source"
	}
	return list[binding](ctx, a, path)
}

// list reads an answer that has no pages one element at a time: one that is cut
// still shows its beginning.
func list[T any](ctx context.Context, a *api, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		res, err := a.do(ctx, http.MethodGet, path, nil, true)
		if err == nil {
			err = a.refusal(res)
		}
		if err != nil {
			yield(none, err)
			return
		}
		d := json.NewDecoder(bytes.NewReader(res.Body))
		_, err = d.Token()
		for err == nil && d.More() {
			var one T
			if err = d.Decode(&one); err == nil && !yield(one, nil) {
				return
			}
		}
		switch {
		case res.Truncated:
			yield(none, &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.many_bindings", Op: connectors.StageData, Target: path})
		case err != nil:
			yield(none, &connectors.Error{Code: connectors.Refused, Reason: "rabbitmq.management_not_this", Op: connectors.StageData, Target: a.base, Field: a.field(), Err: err})
		}
	}
}

func (b binding) node(p place) connectors.Node {
	other, label := b.Destination, "To"
	text := keyWords(b.RoutingKey) + " " + arrow + " " + other
	if p.kind == inQueues {
		other, label = b.Source, "From"
		if other == "" {
			other = defaultExchange
		}
		text = other + " " + arrow + " " + keyWords(b.RoutingKey)
	}
	id := string(p.child(p.name)) + "/" + part(arrow+b.Source+arrow+b.DestinationType+arrow+b.Destination+arrow+b.PropertiesKey)
	n := connectors.Node{ID: connectors.NodeID(id), Name: text, Kind: "binding"}
	f := &facts{}
	f.text("Routing key", b.RoutingKey)
	f.text(label, other)
	if p.kind == inExchanges {
		f.text("Leads to", "a "+b.DestinationType)
	}
	f.text("Arguments", arguments(b.Arguments))
	n.Facts = f.list
	return n
}

func keyWords(key string) string {
	if key == "" {
		return "(no key)"
	}
	return key
}
