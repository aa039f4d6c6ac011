package reach

import (
	"context"
	"errors"
	"net"
	"net/url"

	"golang.org/x/net/http/httpproxy"

	"jackfield/connectors"
)

// A Dial connects to host:port.
type Dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// An Opener signs in to the saved connection that is a jump host. It returns the
// name that the person gave it.
type Opener func(ctx context.Context, id string) (t connectors.Tunnel, name string, err error)

// Through returns a dial func that takes the way w, each part of which is a rung
// on env, and a func that lets go of it. direct connects without any of it. The
// jump host is signed in to once and kept while connections go through it.
func Through(env *connectors.Env, w Way, direct Dial, open Opener) Dial {
	switch w.kind {
	case wayHTTP:
		return proxied(env, func(string) (*proxy, error) { return &proxy{w.kind, w.proxy, w.user, w.password}, nil }, direct)
	case waySOCKS:
		return proxied(env, func(string) (*proxy, error) { return &proxy{w.kind, w.proxy, w.user, w.password}, nil }, direct)
	case waySystem:
		return proxied(env, systemProxy, direct)
	case waySSH:
		return newJump(env, w.via, open).dial
	}
	return direct
}

// proxied asks find for the proxy of each address; nil is none.
func proxied(env *connectors.Env, find func(addr string) (*proxy, error), direct Dial) Dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		p, err := find(addr)
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Reason: "reach.system", Op: connectors.StageReach, Field: keyWay, Said: err.Error(), Err: err}
		}
		if p == nil {
			return direct(ctx, network, addr)
		}
		var conn net.Conn
		err = env.Climb(ctx, connectors.StageReach, p.kind+" proxy "+p.addr, func(ctx context.Context) (string, error) {
			conn, err = p.connect(ctx)
			return "", err
		})
		if err != nil {
			return nil, err
		}
		err = env.Climb(ctx, connectors.StageConnect, addr, func(ctx context.Context) (string, error) {
			conn, err = p.ask(ctx, conn, addr)
			return addr + " through the proxy", err
		})
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
}

// systemProxy is the proxy that this computer has for an address: of the
// environment (ALL_PROXY, HTTPS_PROXY, NO_PROXY), else of the system.
func systemProxy(addr string) (*proxy, error) {
	cfg := httpproxy.FromEnvironment()
	all := environment("ALL_PROXY", "all_proxy")
	if all != "" {
		cfg.HTTPSProxy = all
	}
	if cfg.HTTPSProxy == "" {
		found, err := settings()
		if err != nil {
			return nil, err
		}
		cfg.HTTPSProxy = found
	}
	u, err := cfg.ProxyFunc()(&url.URL{Scheme: "https", Host: addr})
	if err != nil || u == nil {
		return nil, err
	}
	return proxyOf(u)
}

func proxyOf(u *url.URL) (*proxy, error) {
	p := &proxy{kind: wayHTTP, addr: u.Host}
	usual := "80"
	switch u.Scheme {
	case "socks5", "socks5h", "socks":
		p.kind, usual = waySOCKS, "1080"
	case "http":
	default:
		return nil, errors.New("the proxy " + u.Scheme + "://" + u.Host + " is of a kind that cannot be used")
	}
	if u.Port() == "" {
		p.addr = net.JoinHostPort(u.Hostname(), usual)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		p.user, p.password = u.User.Username(), connectors.NewSecret(password)
	}
	return p, nil
}
