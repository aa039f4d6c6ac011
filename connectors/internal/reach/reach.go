// Package reach connects to a service: it climbs the rungs resolve and connect.
package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"jackfield/connectors"
)

// perAddress bounds one address's attempt, so that a dead first address of
// several leaves time for the others.
const perAddress = 5 * time.Second

// Direct returns a dial func that looks the name up and connects, showing both
// as rungs on env. Errors are *connectors.Error with the host as Target.
func Direct(env *connectors.Env) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "host", Said: "host and port are needed", Err: err}
		}
		var ips []string
		err = env.Climb(ctx, connectors.StageResolve, host, func(ctx context.Context) (string, error) {
			ips, err = lookUp(ctx, host)
			return list(ips), err
		})
		if err != nil {
			return nil, err
		}
		var conn net.Conn
		err = env.Climb(ctx, connectors.StageConnect, addr, func(ctx context.Context) (string, error) {
			conn, err = dialAny(ctx, network, ips, port)
			if err != nil {
				e := *connectors.Classify(err)
				e.Target = addr
				return "", &e
			}
			return conn.RemoteAddr().String(), nil
		})
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
}

func lookUp(ctx context.Context, host string) ([]string, error) {
	if net.ParseIP(host) != nil {
		return []string{host}, nil
	}
	ips, err := net.DefaultResolver.LookupHost(ctx, host)
	if err == nil && len(ips) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	return ips, err
}

func dialAny(ctx context.Context, network string, ips []string, port string) (net.Conn, error) {
	var errs []error
	for _, ip := range ips {
		d := net.Dialer{Timeout: perAddress}
		if len(ips) == 1 {
			d.Timeout = 0
		}
		conn, err := d.DialContext(ctx, network, net.JoinHostPort(ip, port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func list(ips []string) string {
	switch len(ips) {
	case 0:
		return ""
	case 1:
		return ips[0]
	}
	return fmt.Sprintf("%s and %d more", ips[0], len(ips)-1)
}
