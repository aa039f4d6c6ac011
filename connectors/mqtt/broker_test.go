package mqtt

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// A broker is mosquitto with a listener for each way to connect.
type broker struct {
	plain, tls, mutual, ws, open int
	wss, expired, strict         int
	version                      string // of the protocol, "" for the form's own
	ca                           *server.CA
	client                       server.Issued
	pub                          string
	process                      *server.Process
}

func startBroker(t testing.TB) *broker {
	t.Helper()
	daemon := server.Program(t, "mosquitto", "mosquitto")
	passwd := server.Program(t, "mosquitto_passwd", "mosquitto")
	dir := t.TempDir()
	b := &broker{ca: server.NewCA(t), pub: server.Program(t, "mosquitto_pub", "mosquitto-clients")}
	b.plain, b.tls, b.mutual, b.ws, b.open = server.FreePort(t), server.FreePort(t), server.FreePort(t), server.FreePort(t), server.FreePort(t)
	b.wss, b.expired, b.strict = server.FreePort(t), server.FreePort(t), server.FreePort(t)
	b.client = b.ca.Issue(t, server.Cert{Name: "reader", Client: true})
	cert, key := b.ca.Issue(t, server.Cert{}).Write(t, dir, "")
	oldCert, oldKey := b.ca.Issue(t, server.Cert{Expired: true}).Write(t, dir, "old-")
	ca := server.WriteFile(t, dir, "ca.pem", b.ca.PEM, 0o644)
	pw := filepath.Join(dir, "pw")
	server.Run(t, passwd, "-c", "-b", pw, "reader", "reader-practice")
	server.Run(t, passwd, "-b", pw, "plant", "plant-practice")
	server.Run(t, passwd, "-b", pw, "admin", "admin-practice")
	server.Run(t, "chmod", "644", pw)
	acl := server.WriteFile(t, dir, "acl", "user reader\ntopic readwrite #\nuser plant\ntopic read plant/#\nuser admin\ntopic read #\ntopic read $SYS/#\n", 0o644)
	auth := fmt.Sprintf("allow_anonymous false\npassword_file %s\nacl_file %s\n", pw, acl)
	files := fmt.Sprintf("cafile %s\ncertfile %s\nkeyfile %s\n", ca, cert, key)
	conf := fmt.Sprintf("per_listener_settings true\nuser root\nlistener %d 127.0.0.1\n%s\nlistener %d 127.0.0.1\n%s%s\nlistener %d 127.0.0.1\n%srequire_certificate true\nuse_identity_as_username true\nallow_anonymous false\nacl_file %s\n\nlistener %d 127.0.0.1\nprotocol websockets\nsocket_domain ipv4\n%s\nlistener %d 127.0.0.1\nallow_anonymous true\n",
		b.plain, auth, b.tls, auth, files, b.mutual, files, acl, b.ws, auth, b.open)
	conf += fmt.Sprintf("listener %d 127.0.0.1\nprotocol websockets\nsocket_domain ipv4\n%s%s\nlistener %d 127.0.0.1\n%scafile %s\ncertfile %s\nkeyfile %s\n", b.wss, auth, files, b.expired, auth, ca, oldCert, oldKey)
	file := server.WriteFile(t, dir, "m.conf", conf, 0o644)
	b.process = server.Start(t, exec.Command(daemon, "-c", file), "127.0.0.1:"+strconv.Itoa(b.expired)) // the listener that it opens last
	b.strict = strict(t, dir, auth)
	return b
}

// strict is the port of a second broker that lets in only some client IDs: that
// setting holds for all listeners.
func strict(t testing.TB, dir, auth string) int {
	t.Helper()
	port := server.FreePort(t)
	conf := server.WriteFile(t, dir, "strict.conf", fmt.Sprintf("user root\nclientid_prefixes thing-\nlistener %d 127.0.0.1\n%s", port, auth), 0o644)
	server.Start(t, exec.Command(server.Program(t, "mosquitto", "mosquitto"), "-c", conf), "127.0.0.1:"+strconv.Itoa(port))
	return port
}

// publish sends a message to the listener that lets everybody in; per-listener
// settings still share one tree of topics.
func (b *broker) publish(t testing.TB, topic, body string, retained bool) {
	t.Helper()
	args := []string{"-h", "127.0.0.1", "-p", strconv.Itoa(b.plain), "-u", "reader", "-P", "reader-practice", "-t", topic, "-m", body}
	if retained {
		args = append(args, "-r")
	}
	server.Run(t, b.pub, args...)
}

func (b *broker) settings(transport string, port int, more ...string) connectors.Settings {
	answers := []string{"host", "127.0.0.1", "port", strconv.Itoa(port), "transport", transport, "auth", "password", "user", "reader", "password", "reader-practice", "topic", "#"}
	if transport == "tls" || transport == "wss" {
		answers = append(answers, "ca", b.ca.PEM)
	}
	if b.version != "" {
		answers = append(answers, "protocol", b.version)
	}
	return conntest.Settings(Type(), answers, more...)
}

// plainly is over TCP, to a broker without certificates.
func (b *broker) plainly(more ...string) connectors.Settings {
	return b.settings("tcp", b.plain, more...)
}

func (b *broker) withCert(more ...string) connectors.Settings {
	return b.settings("tls", b.mutual, append([]string{"auth", "certificate", "client_cert", b.client.Cert, "client_key", b.client.Key}, more...)...)
}
