package served

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
)

// Proxy starts a proxy behind which the service stands under its vendor's
// names, for programs of their own: HTTPS_PROXY is its address, SSL_CERT_FILE a
// file with w.CA. Other hosts are refused.
func (w *World) Proxy(tb testing.TB) (address string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.tunnel(c) })
		}
	})
	tb.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return "http://" + l.Addr().String()
}

func (w *World) tunnel(c net.Conn) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	host, _, err := net.SplitHostPort(req.Host)
	if err != nil || req.Method != http.MethodConnect || !w.Stands(host) {
		_, _ = fmt.Fprint(c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return
	}
	to, err := net.Dial("tcp", w.addr)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	_, _ = fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(to, r)
		_ = to.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, to)
	_ = c.Close()
	<-done
}

// Browse is a person's browser behind the proxy: it follows link wherever it is
// sent. ca is w.CA.
func Browse(ctx context.Context, link, ca, proxy string) error {
	behind, err := url.Parse(proxy)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(ca))
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true, Proxy: func(r *http.Request) (*url.URL, error) {
		if ip := net.ParseIP(r.URL.Hostname()); ip != nil || r.URL.Hostname() == "localhost" {
			return nil, nil
		}
		return behind, nil
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
