//go:build unix

package ftp

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestOddProFTPD(t *testing.T) {
	u := place(t)
	t.Run("one connection at a time", func(t *testing.T) {
		f := server.ProFTPD(t, u, "MaxClientsPerHost 1")
		session := conntest.Open(t, Type(), answersFor(f, "tls", "none"))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				sample, err := session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(u.Home+"/notes.txt"), 5)
				if err != nil || string(sample.Data) != "hello" {
					t.Errorf("%q %v", sample.Data, err)
				}
			})
		}
		all.Wait()
		_, err := openWith(t, answersFor(f, "tls", "none"))
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Throttled || e.Reason != "ftp.busy" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("no reading from the middle", func(t *testing.T) {
		f := server.ProFTPD(t, u, "AllowRetrieveRestart off")
		session := conntest.Open(t, Type(), answersFor(f, "tls", "none"))
		sample, err := session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(u.Home+"/numbers.txt"), 200_000)
		if err != nil || !strings.HasPrefix(string(sample.Data), "000000000\n000000001\n") {
			t.Errorf("%d bytes, %v", len(sample.Data), err)
		}
		file, err := storeOf(session).Open(t.Context(), u.Home+"/numbers.txt")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.ReadAt(t.Context(), make([]byte, 10), 500); err == nil || !strings.Contains(err.Error(), "beginning only") {
			t.Errorf("%v", err)
		}
		_ = file.Close()
	})
	t.Run("client certificate", func(t *testing.T) {
		f := server.ProFTPD(t, u, "TLSEngine on\nTLSRequired on\nTLSVerifyClient on\nTLSCACertificateFile DIR/ca.pem")
		mine := f.CA.Issue(t, server.Cert{Name: "practice client", Client: true})
		session := conntest.Open(t, Type(), answersFor(f, "client_cert", mine.Cert, "client_key", mine.Key))
		if _, err := session.Check(t.Context()); err != nil {
			t.Error(err)
		}
		_, err := openWith(t, answersFor(f))
		if e := connectors.Classify(err); e == nil || e.Code != connectors.AuthFailed && e.Code != connectors.Refused {
			t.Errorf("without one: %+v", e)
		}
	})
	t.Run("data from another machine", func(t *testing.T) {
		f := server.ProFTPD(t, u, "MasqueradeAddress 127.0.0.9")
		session := conntest.Open(t, Type(), answersFor(f, "tls", "none", "passive_address", "true"))
		_, err := session.Check(t.Context())
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Unreachable || e.Reason != "ftp.data" || !strings.HasPrefix(e.Target, "127.0.0.9:") {
			t.Errorf("%+v", e)
		}
		if _, err = conntest.Open(t, Type(), answersFor(f, "tls", "none")).Check(t.Context()); err != nil {
			t.Errorf("its address counts although nobody said so: %v", err)
		}
	})
	t.Run("folder that may not be listed", func(t *testing.T) {
		f := server.ProFTPD(t, u, "")
		server.Run(t, "chown", "root", u.Home)
		server.Run(t, "chmod", "711", u.Home)
		session := conntest.Open(t, Type(), answersFor(f, "tls", "none"))
		facts, err := session.Check(t.Context())
		if e := connectors.Classify(err); e == nil || !e.Partial || e.Code != connectors.Denied || len(facts) == 0 {
			t.Errorf("%v %+v", facts, e)
		}
	})
}

func TestAnonymousAtVsftpd(t *testing.T) {
	u := place(t)
	dir := filepath.Join(u.Home, "reports")
	t.Run("a folder that vsftpd thinks is not safe", func(t *testing.T) {
		f := server.Vsftpd(t, "anonymous_enable=YES\nftp_username="+u.Name+"\nanon_root="+dir+"\n")
		s := answersFor(f, "tls", "none", "auth", "anonymous")
		_, err := openWith(t, s)
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Refused || e.Reason != "ftp.failure" {
			t.Errorf("%+v", e)
		}
	})
	server.Run(t, "chown", "root", dir)
	server.WriteFile(t, dir, "open.csv", "a,b\n1,2\n", 0o644)
	f := server.Vsftpd(t, "anonymous_enable=YES\nftp_username="+u.Name+"\nanon_root="+dir+"\n")
	s := answersFor(f, "tls", "none", "auth", "anonymous")
	delete(s.Plain, "user")
	s.Secrets = nil
	session := conntest.Open(t, Type(), s)
	facts, err := session.Check(t.Context())
	if err != nil || facts[0].Text != "anonymous@127.0.0.1" {
		t.Errorf("%v %v", facts, err)
	}
	table, err := session.(connectors.Tabler).Table(t.Context(), "/open.csv", 5)
	if err != nil || len(table.Rows) != 1 {
		t.Errorf("%+v %v", table, err)
	}
}

// script is a server that greets and answers each command with the reply for its
// verb; what it was sent is kept. It is a stand-in for servers that cannot be had.
func script(t *testing.T, greeting string, answers map[string]string) (port string, sent func() string) {
	t.Helper()
	var mu sync.Mutex
	var got strings.Builder
	_, port = conntest.Serve(t, func(c net.Conn) {
		_, _ = fmt.Fprint(c, greeting)
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			mu.Lock()
			got.WriteString(line)
			mu.Unlock()
			verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			answer, ok := answers[verb]
			if !ok {
				answer = "502 no such command\r\n"
			}
			_, _ = fmt.Fprint(c, answer)
		}
	})
	return port, func() string { mu.Lock(); defer mu.Unlock(); return got.String() }
}

func scripted(port string, more ...string) connectors.Settings {
	n, _ := strconv.Atoi(port)
	return answersFor(&server.FTP{Port: n, CA: &server.CA{}}, append([]string{"tls", "none"}, more...)...)
}

func TestStandInServersAreExplained(t *testing.T) {
	for _, c := range []struct {
		name, greeting string
		answers        map[string]string
		code           connectors.Code
		reason, field  string
	}{
		{"SSH", "SSH-2.0-OpenSSH_9.2\r\n", nil, connectors.Refused, "ftp.is_ssh", "port"},
		{"web server", "HTTP/1.1 400 Bad Request\r\n\r\n", nil, connectors.Refused, "ftp.not_ftp", "port"},
		{"a line without an end", "220 " + strings.Repeat("x", 1<<20), nil, connectors.Refused, "ftp.not_ftp", "port"},
		{"lines without an end", strings.Repeat("220-x\r\n", 1000), nil, connectors.Refused, "ftp.not_ftp", "port"},
		{"too many", "421 too many users\r\n", nil, connectors.Throttled, "ftp.busy", ""},
		{"an account too", "220 x\r\n", map[string]string{"USER": "331 x\r\n", "PASS": "332 account?\r\n"}, connectors.Unsupported, "ftp.account", "user"},
		{"policy requires SSL", "220 x\r\n", map[string]string{"USER": "534 policy\r\n"}, connectors.Denied, "ftp.tls_required", "tls"},
		{"invalid user or password", "220 x\r\n", map[string]string{"USER": "331 x\r\n", "PASS": "430 no\r\n"}, connectors.AuthFailed, "ftp.sign_in", "password"},
		{"out of order", "220 x\r\n", map[string]string{"USER": "331 x\r\n", "PASS": "500 OOPS: writable root\r\n"}, connectors.Refused, "ftp.failure", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			port, _ := script(t, c.greeting, c.answers)
			_, err := openWith(t, scripted(port))
			e := connectors.Classify(err)
			if e == nil || e.Code != c.code || e.Reason != c.reason || e.Field != c.field || connectors.Explain(e).Hint == "" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestSecurity51_WithoutTLSNoPasswordIsSent(t *testing.T) {
	for name, answer := range map[string]string{"refused": "502 no\r\n", "not now": "431 later\r\n", "words after it": "234 go\r\n230 you are in\r\n"} {
		t.Run(name, func(t *testing.T) {
			port, sent := script(t, "220 x\r\n", map[string]string{"AUTH": answer, "USER": "331 x\r\n", "PASS": "230 x\r\n"})
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			_, err := Type().Open(ctx, conntest.NewWorld(t).Env, scripted(port, "tls", "explicit", "ca", ""))
			if err == nil || strings.Contains(sent(), "USER") || strings.Contains(sent(), password) {
				t.Errorf("%v, sent %q", err, sent())
			}
		})
	}
}

func TestThePasswordIsNotEchoed(t *testing.T) {
	port, _ := script(t, "220 x\r\n", map[string]string{"USER": "331 x\r\n", "PASS": "530 not " + password + "\r\n"})
	_, err := openWith(t, scripted(port))
	if e := connectors.Classify(err); e == nil || e.Code != connectors.AuthFailed || strings.Contains(fmt.Sprintf("%+v %+v", e, connectors.Explain(e)), password) {
		t.Errorf("%+v", e)
	}
}

// The data connection of a hostile server leads back to the server, not to where
// it would like to have this computer connect.
func TestSecurity52_DataComesFromTheServerAlone(t *testing.T) {
	port, _ := script(t, "220 x\r\n", map[string]string{"USER": "230 in\r\n", "PWD": "257 \"/\"\r\n", "TYPE": "200 x\r\n", "CWD": "250 x\r\n", "PASV": "227 (192,0,2,7,31,144)\r\n"})
	w := conntest.NewWorld(t)
	var mu sync.Mutex
	var dialled []string
	inner := w.Env.Dial
	w.Env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		dialled = append(dialled, addr)
		mu.Unlock()
		return inner(ctx, network, addr)
	}
	session, err := Type().Open(t.Context(), w.Env, scripted(port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	if _, err := session.Check(t.Context()); connectors.Classify(err) == nil || connectors.Classify(err).Reason != "ftp.data" {
		t.Errorf("%v", err)
	}
	if len(dialled) != 2 || dialled[1] != "127.0.0.1:8080" {
		t.Errorf("dialled %v", dialled)
	}
}

func TestTheImplicitPortIsKnownByItsSilence(t *testing.T) {
	host, port := conntest.Silent(t)
	w := conntest.NewWorld(t)
	inner := w.Env.Dial
	w.Env.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return inner(ctx, network, net.JoinHostPort(host, port))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Type().Open(ctx, w.Env, scripted("990"))
	conntest.WantError(t, err, connectors.TimedOut, "ftp.implicit_port", "tls")
}

// Latin-1 names from a server that knows no UTF-8.
func TestLatinNames(t *testing.T) {
	place(t)
	f := server.Vsftpd(t, "utf8_filesystem=NO\n")
	session := conntest.Open(t, Type(), answersFor(f, "tls", "none", "names", "latin1", "folder", "café"))
	for n, err := range session.(connectors.Browser).Children(t.Context(), "") {
		if err != nil || n.Name != "naïve.txt" {
			t.Fatalf("%+v %v", n, err)
		}
		sample, err := session.(connectors.Sampler).Sample(t.Context(), n.ID, 5)
		if err != nil || string(sample.Data) != "latin" {
			t.Errorf("%q %v", sample.Data, err)
		}
	}
}
