package reach

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"jackfield/connectors"
)

// A proxy passes connections on.
type proxy struct {
	kind     string // wayHTTP or waySOCKS
	addr     string
	user     string
	password connectors.Secret
}

// connect reaches the proxy itself.
func (p *proxy) connect(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: 2 * perAddress}
	conn, err := d.DialContext(ctx, "tcp", p.addr)
	if err == nil {
		return conn, nil
	}
	e := *connectors.Classify(err)
	e.Op, e.Target, e.Field = connectors.StageReach, p.addr, keyProxy
	if e.Code == connectors.Unreachable {
		e.Reason = "reach.proxy"
	}
	return nil, &e
}

// ask has the proxy connect to addr. conn is closed when it does not.
func (p *proxy) ask(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	talk := p.connectHTTP
	if p.kind == waySOCKS {
		talk = p.connectSOCKS
	}
	out, err := talk(conn, addr)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return out, nil
}

func (p *proxy) fault(code connectors.Code, reason, field, target, said string, err error) error {
	return &connectors.Error{Code: code, Reason: reason, Op: connectors.StageConnect, Field: field, Target: target, Said: said, Err: err}
}

// broken is for an exchange that ended early.
func (p *proxy) broken(addr string, err error) error {
	e := *connectors.Classify(err)
	switch e.Code {
	case connectors.Refused:
		e.Reason = "reach.not_a_proxy"
	case connectors.TimedOut:
		e.Reason = "reach.proxy_silent"
	}
	e.Op, e.Field, e.Target = connectors.StageConnect, keyProxy, p.addr
	return &e
}

// greeting is how long a proxy may take for its first two bytes.
const greeting = 8 * time.Second

// answerBytes bounds a proxy's answer.
const answerBytes = 64 << 10

// connectHTTP is the CONNECT method (RFC 9110 section 9.3.6).
func (p *proxy) connectHTTP(conn net.Conn, addr string) (net.Conn, error) {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{"User-Agent": {"jackfield"}}}
	if p.user != "" {
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password.Reveal())))
	}
	if err := req.Write(conn); err != nil {
		return nil, p.broken(addr, err)
	}
	in := bufio.NewReaderSize(io.LimitReader(conn, answerBytes), 4<<10)
	res, err := http.ReadResponse(in, req)
	if err != nil {
		return nil, p.broken(addr, err)
	}
	defer func() { _ = res.Body.Close() }()
	said := connectors.Clean(res.Status, 100)
	switch code := res.StatusCode; {
	case code == http.StatusProxyAuthRequired, code == http.StatusUnauthorized: // tinyproxy says 401 to a wrong password
		return nil, p.fault(connectors.AuthFailed, "reach.proxy_auth", keyUser, p.addr, said, nil)
	case code == http.StatusForbidden, code == http.StatusMethodNotAllowed:
		return nil, p.fault(connectors.Denied, "reach.proxy_denies", "", addr, said, nil)
	case code == http.StatusBadGateway, code == http.StatusGatewayTimeout, code == http.StatusServiceUnavailable, code == http.StatusNotFound, code == http.StatusInternalServerError:
		return nil, p.fault(connectors.Unreachable, "reach.beyond_proxy", "host", addr, said, nil)
	case code < 200 || code > 299:
		return nil, p.fault(connectors.Refused, "reach.proxy_says", keyProxy, p.addr, said, nil)
	}
	if n := in.Buffered(); n > 0 {
		first, err := in.Peek(n)
		return &begun{Conn: conn, first: append([]byte(nil), first...)}, err
	}
	return conn, nil
}

// begun is a connection whose first bytes were read along with the proxy's answer.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.first)
	b.first = b.first[n:]
	return n, nil
}

// The numbers of SOCKS5 (RFC 1928, RFC 1929).
const (
	socksVersion  = 5
	socksNoAuth   = 0
	socksPassword = 2
	socksName     = 3
	socksIPv4     = 1
	socksIPv6     = 4
)

// connectSOCKS has the proxy look the name up, as it may know names that this
// network does not.
func (p *proxy) connectSOCKS(conn net.Conn, addr string) (net.Conn, error) {
	methods := []byte{socksVersion, 1, socksNoAuth}
	if p.user != "" {
		methods = []byte{socksVersion, 2, socksNoAuth, socksPassword}
	}
	// An HTTP proxy waits for more; a SOCKS5 proxy answers this at once.
	var two [2]byte
	early := time.AfterFunc(greeting, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err := exchange(conn, methods, two[:])
	if !early.Stop() && err == nil {
		err = os.ErrDeadlineExceeded
	}
	if err != nil {
		return nil, p.broken(addr, err)
	}
	switch {
	case two[0] != socksVersion:
		return nil, p.fault(connectors.Refused, "reach.not_a_proxy", keyProxy, p.addr, "", nil)
	case two[1] == socksPassword && p.user != "":
		if err := p.signInSOCKS(conn, addr); err != nil {
			return nil, err
		}
	case two[1] != socksNoAuth:
		return nil, p.fault(connectors.AuthFailed, "reach.proxy_auth", keyUser, p.addr, "it wants to know who asks", nil)
	}
	request, err := socksRequest(addr)
	if err != nil {
		return nil, p.fault(connectors.BadInput, "", "host", addr, err.Error(), err)
	}
	var head [4]byte
	if err := exchange(conn, request, head[:]); err != nil {
		return nil, p.broken(addr, err)
	}
	if err := p.socksReply(head[1], addr); err != nil {
		return nil, err
	}
	return conn, skipBound(conn, head[3])
}

// signInSOCKS is RFC 1929.
func (p *proxy) signInSOCKS(conn net.Conn, addr string) error {
	password := p.password.Reveal()
	if len(p.user) > 255 || len(password) > 255 {
		return p.fault(connectors.BadInput, "", keyUser, p.addr, "a SOCKS5 user or password has at most 255 bytes", nil)
	}
	out := append([]byte{1, byte(len(p.user))}, p.user...)
	out = append(append(out, byte(len(password))), password...)
	var two [2]byte
	if err := exchange(conn, out, two[:]); err != nil {
		return p.broken(addr, err)
	}
	if two[1] != 0 {
		return p.fault(connectors.AuthFailed, "reach.proxy_auth", keyUser, p.addr, "", nil)
	}
	return nil
}

func exchange(conn net.Conn, out, in []byte) error {
	if _, err := conn.Write(out); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, in)
	return err
}

func socksRequest(addr string) ([]byte, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %s: %w", portText, err)
	}
	out := []byte{socksVersion, 1, 0}
	ip := net.ParseIP(host)
	switch {
	case ip == nil && len(host) > 255:
		return nil, fmt.Errorf("host: a name has at most 255 bytes")
	case ip == nil:
		out = append(append(out, socksName, byte(len(host))), host...)
	case ip.To4() != nil:
		out = append(append(out, socksIPv4), ip.To4()...)
	default:
		out = append(append(out, socksIPv6), ip...)
	}
	return append(out, byte(port>>8), byte(port)), nil
}

// socksReply maps RFC 1928 section 6.
func (p *proxy) socksReply(code byte, addr string) error {
	texts := []string{"", "general failure", "connection not allowed by ruleset", "network unreachable", "host unreachable", "connection refused", "time to live expired", "command not supported", "address type not supported"}
	said := fmt.Sprintf("reply %d", code)
	if int(code) < len(texts) {
		said = texts[code]
	}
	switch code {
	case 0:
		return nil
	case 2:
		return p.fault(connectors.Denied, "reach.proxy_denies", "", addr, said, nil)
	case 1, 3, 4, 6:
		return p.fault(connectors.Unreachable, "reach.beyond_proxy", "host", addr, said, nil)
	case 5:
		return p.fault(connectors.Unreachable, "connect.refused", "port", addr, said, nil)
	}
	return p.fault(connectors.Refused, "reach.proxy_says", keyProxy, p.addr, said, nil)
}

// skipBound reads the address from which the proxy connects.
func skipBound(conn net.Conn, kind byte) error {
	n := map[byte]int64{socksIPv4: 4, socksIPv6: 16}[kind]
	if kind == socksName {
		var one [1]byte
		if _, err := io.ReadFull(conn, one[:]); err != nil {
			return err
		}
		n = int64(one[0])
	}
	_, err := io.CopyN(io.Discard, conn, n+2)
	return err
}
