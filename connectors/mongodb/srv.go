package mongodb

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"strings"

	"jackfield/connectors"
)

// A resolver is the part of net.Resolver that a cluster's name needs.
type resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// A cluster is what a name's records say.
type cluster struct {
	hosts        []string
	authSource   string
	replicaSet   string
	loadBalanced bool
}

// lookUp follows the rules of
// https://github.com/mongodb/specifications/blob/master/source/initial-dns-seedlist-discovery/initial-dns-seedlist-discovery.md:
// the servers must lie in the name's own domain, and the text record may hold
// three options alone.
func lookUp(ctx context.Context, r resolver, name string) (cluster, error) {
	name = strings.TrimSuffix(name, ".")
	_, records, err := r.LookupSRV(ctx, "mongodb", "tcp", name)
	if err == nil && len(records) == 0 {
		err = &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	if err != nil {
		e := *connectors.Classify(err)
		if e.Reason == "dns.not_found" {
			e.Code, e.Reason = connectors.NotFound, "mongodb.no_record"
		}
		e.Target, e.Field = name, "host"
		return cluster{}, &e
	}
	domain := name
	if labels := strings.Split(name, "."); len(labels) > 2 {
		domain = strings.Join(labels[1:], ".")
	}
	var out cluster
	for _, s := range records {
		host := strings.TrimSuffix(s.Target, ".")
		if !strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(domain)) {
			return cluster{}, &connectors.Error{Code: connectors.Untrusted, Reason: "mongodb.foreign_record", Op: connectors.StageResolve, Target: name, Field: "host", Said: host}
		}
		out.hosts = append(out.hosts, net.JoinHostPort(host, strconv.Itoa(int(s.Port))))
	}
	texts, err := r.LookupTXT(ctx, name)
	if err != nil || len(texts) != 1 { // optional
		return out, nil
	}
	if q, err := url.ParseQuery(texts[0]); err == nil {
		out.authSource, out.replicaSet, out.loadBalanced = q.Get("authSource"), q.Get("replicaSet"), q.Get("loadBalanced") == "true"
	}
	return out, nil
}
