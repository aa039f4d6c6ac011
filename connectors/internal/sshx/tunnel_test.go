package sshx

import (
	"crypto/ed25519"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

// A server that is there and answers nothing any more is given up by the
// heartbeat: the call that waits for it ends, although nobody bounded it.
func TestAHeartbeatGivesUpASilentServer(t *testing.T) {
	before := goleak.IgnoreCurrent()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed([]byte(strings.Repeat("s", ed25519.SeedSize))))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &ssh.ServerConfig{NoClientAuth: true}
	cfg.AddHostKey(host)
	served := make(chan *ssh.ServerConn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			close(served)
			return
		}
		conn, _, _, err := ssh.NewServerConn(c, cfg) // requests and channels are left lying
		if err != nil {
			t.Error(err)
		}
		served <- conn
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, chans, reqs, err := ssh.NewClientConn(raw, "practice", &ssh.ClientConfig{User: "mira", HostKeyCallback: ssh.FixedHostKey(host.PublicKey())})
	if err != nil {
		t.Fatal(err)
	}
	tunnel := newTunnel(&Client{Client: ssh.NewClient(conn, chans, reqs), conn: raw}, 50*time.Millisecond)
	_, err = tunnel.DialContext(t.Context(), "tcp", "db.internal:5432")
	if e := connectors.Classify(err); e == nil || e.Reason != "ssh.tunnel_lost" || e.Code != connectors.Refused {
		t.Errorf("%+v", e)
	}
	if err := tunnel.Close(); err != nil {
		t.Error(err)
	}
	_ = (<-served).Close()
	_ = l.Close()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}
