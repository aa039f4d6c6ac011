package kerberosx

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/messages"

	"jackfield/connectors"
)

const (
	perKDC   = 10 * time.Second // so that a silent one leaves time for the others
	maxReply = 256 << 10        // Windows stops at tickets of 48,000 bytes
)

// send asks the realm's KDCs in turn until one answers. What a KDC refuses
// comes as said.
func (c *Client) send(ctx context.Context, realm string, data []byte) (answer []byte, said *messages.KRBError, err error) {
	addrs, err := c.kdcs(ctx, realm)
	if err != nil {
		return nil, nil, err
	}
	for _, addr := range addrs {
		if answer, err = c.ask(ctx, addr, data); err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil, nil, c.ended(ctx, err)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	var refusal messages.KRBError
	if refusal.Unmarshal(answer) == nil {
		return nil, &refusal, nil
	}
	return answer, nil, nil
}

// kdcs are the addresses of a realm's KDCs: the answer for the own realm, else
// the DNS's (RFC 4120 section 7.2.3).
func (c *Client) kdcs(ctx context.Context, realm string) ([]string, error) {
	if typed := c.typedKDCs(); realm == c.realm && len(typed) > 0 {
		return typed, nil
	}
	look := c.cfg.LookupSRV
	if look == nil {
		look = net.DefaultResolver.LookupSRV
	}
	var out []string
	var failed error
	for _, proto := range []string{"tcp", "udp"} {
		_, found, err := look(ctx, "kerberos", proto, realm)
		if err != nil {
			failed = err
			continue
		}
		for _, srv := range found {
			addr := net.JoinHostPort(strings.TrimSuffix(srv.Target, "."), strconv.Itoa(int(srv.Port)))
			if validAddr(addr) && len(out) < maxKDCs {
				out = append(out, addr)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
	if ctx.Err() != nil {
		return nil, c.ended(ctx, failed)
	}
	return nil, &connectors.Error{Code: connectors.Unreachable, Reason: "kerberos.kdc_lookup", Op: connectors.StageResolve, Target: realm, Field: c.cfg.Fields.kdc(), Err: failed}
}

// ask exchanges one message over TCP: each goes after its length in four bytes
// (RFC 4120 section 7.2.2).
func (c *Client) ask(ctx context.Context, addr string, data []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, perKDC)
	defer cancel()
	dial := c.cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, c.unreachable(addr, err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...)); err != nil {
		return nil, c.silent(ctx, addr, err)
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, c.silent(ctx, addr, err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxReply {
		return nil, c.fail(connectors.Refused, "kerberos.reply", addr, c.cfg.Fields.kdc())
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, c.silent(ctx, addr, err)
	}
	return answer, nil
}

func (c *Client) unreachable(addr string, err error) error {
	found := *connectors.Classify(err)
	if found.Code == connectors.Refused || found.Reason == "" {
		found.Code, found.Reason = connectors.Unreachable, "kerberos.kdc"
	}
	found.Target, found.Field, found.Err = addr, c.cfg.Fields.kdc(), err
	if found.Op == "" {
		found.Op = connectors.StageConnect
	}
	return &found
}

// silent is a KDC that was reached and does not answer.
func (c *Client) silent(ctx context.Context, addr string, err error) error {
	out := c.fail(connectors.Refused, "kerberos.reply", addr, c.cfg.Fields.kdc())
	if ctx.Err() != nil {
		out.Code, out.Reason = connectors.TimedOut, "kerberos.kdc_silent"
	}
	out.Err = err
	return out
}
