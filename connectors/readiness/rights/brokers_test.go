package rights_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// first waits for one message at a node, and reports whether one came or why none.
func first(t *testing.T, id string, s connectors.Settings, node func(connectors.Session) connectors.NodeID, publish func()) string {
	t.Helper()
	session, err := conntest.Try(t, typeOf(t, id), s)
	if err != nil {
		return failure(err)
	}
	defer func() { _ = session.Close() }()
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				publish()
			}
		}
	}()
	defer func() { close(stop); <-ended }()
	for e, err := range session.(connectors.Streamer).Watch(t.Context(), node(session)) {
		if err != nil {
			return failure(err)
		}
		return "got " + string(e.Body)
	}
	return "nothing"
}

func TestRabbitMQTakesTheCommands(t *testing.T) {
	t.Parallel()
	admin := server.RabbitUser("admin", "admin-practice", "administrator")
	r := server.RabbitMQ(t, server.RabbitConf{Plugins: []string{"rabbitmq_management"}, Definitions: map[string]any{
		"users": []any{admin}, "vhosts": []any{map[string]any{"name": "sh'op"}},
		"permissions": []any{map[string]any{"user": "admin", "vhost": "sh'op", "configure": ".*", "write": ".*", "read": ".*"}},
		"exchanges":   []any{map[string]any{"name": "eve.nts", "vhost": "sh'op", "type": "topic", "durable": true, "auto_delete": false, "arguments": map[string]any{}}},
		"queues":      []any{map[string]any{"name": "orders", "vhost": "sh'op", "durable": true, "auto_delete": false, "arguments": map[string]any{}}},
	}})
	as := func(user string) connectors.Settings {
		return settings(t, "rabbitmq", "host", "127.0.0.1", "port", strconv.Itoa(r.Port), "security", "none", "vhost", "sh'op", "user", user, "password", newPassword,
			"management", "url", "management_url", "http://127.0.0.1:"+strconv.Itoa(r.Management), "known", "topic exchange: eve.nts")
	}
	ctl := func(lines string) {
		for line := range strings.Lines(lines) {
			run(t, r, line)
		}
	}
	list := grant(t, "rabbitmq", as("rea'der"), 0)
	ctl(list)
	listed := look(t, "rabbitmq", as("rea'der"))
	wants(t, listed, "queue orders", "eve.nts")
	publish := func(user, password string) (int, error) {
		req, err := http.NewRequest("POST", fmt.Sprintf("http://127.0.0.1:%d/api/exchanges/sh%%27op/eve.nts/publish", r.Management), strings.NewReader(`{"properties":{},"routing_key":"a","payload":"hello","payload_encoding":"string"}`))
		if err != nil {
			return 0, err
		}
		req.SetBasicAuth(user, password)
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	watch := func(user string) string {
		return first(t, "rabbitmq", as(user), func(s connectors.Session) connectors.NodeID { return find(t, s, "eve.nts") }, func() {
			if code, err := publish("admin", "admin-practice"); code != 200 || err != nil {
				t.Errorf("the administrator cannot publish: %d %v", code, err)
			}
		})
	}
	if got := watch("rea'der"); !strings.HasPrefix(got, "denied") {
		t.Errorf("messages are seen with the first grant alone: %s", got)
	}
	live := grant(t, "rabbitmq", as("rea'der"), 1)
	ctl(live)
	if got := watch("rea'der"); got != "got hello" {
		t.Errorf("watching: %s", got)
	}
	if code, err := publish("rea'der", newPassword); err != nil || code == 200 {
		t.Errorf("it can publish: %d %v", code, err)
	}
	for n := 1; n < 3; n++ {
		user := fmt.Sprintf("less%d", n)
		ctl(without(grant(t, "rabbitmq", as(user), 0), n))
		if got := look(t, "rabbitmq", as(user)); got == listed {
			t.Errorf("nothing is missed without line %d of %s", n, list)
		}
	}
	for n, less := range []string{`^$`, `^amq\.gen.*`} { // configure and write, then read of the exchange
		part := []string{"set_permissions", "-p", "sh'op", "rea'der", less, `^amq\.gen.*`, `^amq\.gen.*`}
		if n == 0 {
			part[6] += `|^(eve\.nts)$`
		}
		r.Ctl(t, part...)
		if got := watch("rea'der"); !strings.HasPrefix(got, "denied") {
			t.Errorf("nothing is missed with %q: %s", part, got)
		}
	}
}

// run runs a line of a grant as a shell does, with the broker's own tool.
func run(t *testing.T, r *server.Rabbit, line string) {
	t.Helper()
	// The words as a shell parts them, one a line.
	cmd := exec.Command("sh", "-c", `rabbitmqctl() { for w; do printf '%s\n' "$w"; done; }; `+line)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sh: %v", err)
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if words[0] == "add_user" {
		words = append(words, newPassword)
	}
	r.Ctl(t, words...)
}

// find is the node with the name, at most three levels down.
func find(t *testing.T, s connectors.Session, name string) connectors.NodeID {
	t.Helper()
	for _, group := range conntest.List(t, s, "") {
		if group.Name == name {
			return group.ID
		}
		if !group.Branch {
			continue
		}
		if n, ok := conntest.Below(t, s, group.ID)[name]; ok {
			return n.ID
		}
	}
	t.Fatalf("%s is not listed", name)
	return ""
}

func TestMosquittoTakesTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pw := filepath.Join(dir, "pw")
	passwd := server.Program(t, "mosquitto_passwd", "mosquitto")
	server.Run(t, passwd, "-c", "-b", pw, "reader", newPassword)
	server.Run(t, passwd, "-b", pw, "admin", "admin-practice")
	server.Run(t, "chmod", "644", pw)
	port := server.FreePort(t)
	s := settings(t, "mqtt", "host", "127.0.0.1", "port", strconv.Itoa(port), "transport", "tcp", "user", "reader", "password", newPassword, "topic", "plant/+/heat\norders/#", "protocol", "5")
	broker := func(acl string) {
		file := server.WriteFile(t, dir, "acl"+strconv.Itoa(port), acl+"\nuser admin\ntopic readwrite #\n", 0o644)
		conf := server.WriteFile(t, dir, "conf"+strconv.Itoa(port), fmt.Sprintf("user root\nlistener %d 127.0.0.1\nallow_anonymous false\npassword_file %s\nacl_file %s\n", port, pw, file), 0o644)
		server.Start(t, exec.Command(server.Program(t, "mosquitto", "mosquitto"), "-c", conf), "127.0.0.1:"+strconv.Itoa(port))
	}
	acl := grant(t, "mqtt", s, 0)
	broker(acl)
	send := func(user, password, topic string) []string {
		return []string{"-h", "127.0.0.1", "-p", strconv.Itoa(port), "-u", user, "-P", password, "-t", topic, "-m", "hello", "-r", "-q", "1", "-V", "mqttv5"}
	}
	pub := server.Program(t, "mosquitto_pub", "mosquitto-clients")
	for _, topic := range []string{"plant/1/heat", "orders/new", "secret/x"} {
		server.Run(t, pub, send("admin", "admin-practice", topic)...)
	}
	top := func() string {
		return strings.Join(seenTopics(t, s), " ")
	}
	all := top()
	if !strings.Contains(all, "plant") || !strings.Contains(all, "orders") || strings.Contains(all, "secret") {
		t.Errorf("topics: %s", all)
	}
	refused(t, "not authorized", nil, "", pub, send("reader", newPassword, "orders/new")...)
	port = server.FreePort(t)
	s.Plain["port"] = strconv.Itoa(port)
	broker(strings.Replace(acl, "topic read orders/#\n", "", 1))
	for _, topic := range []string{"plant/1/heat", "orders/new"} {
		server.Run(t, pub, send("admin", "admin-practice", topic)...)
	}
	if got := top(); strings.Contains(got, "orders") {
		t.Errorf("nothing is missed without a line: %s", got)
	}
}

// seenTopics are the topics of the retained messages.
func seenTopics(t *testing.T, s connectors.Settings) []string {
	t.Helper()
	session, err := conntest.Try(t, typeOf(t, "mqtt"), s)
	if err != nil {
		return []string{failure(err)}
	}
	defer func() { _ = session.Close() }()
	var out []string
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end) && len(out) < 2; time.Sleep(100 * time.Millisecond) {
		out = out[:0]
		for n := range session.(connectors.Browser).Children(t.Context(), "") {
			out = append(out, n.Name)
		}
	}
	return out
}

func TestNATSTakesTheUser(t *testing.T) {
	t.Parallel()
	s := settings(t, "nats", "transport", "tcp", "user", `rea"der`, "password", newPassword, "subjects", "orders.>", "servers", "127.0.0.1:4222")
	block := grant(t, "nats", s, 0)
	url := startNATS(t, block)
	s.Plain["servers"] = strings.TrimPrefix(url, "nats://")
	admin, err := client.Connect(url, client.UserInfo("admin", "admin-practice"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	js, err := admin.JetStream()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.AddStream(&client.StreamConfig{Name: "ORDERS", Subjects: []string{"orders.*"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish("orders.new", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	wants(t, look(t, "nats", s), "stream ORDERS")
	got := first(t, "nats", s, func(x connectors.Session) connectors.NodeID { return find(t, x, "orders.>") }, func() { _ = admin.Publish("orders.new", []byte("hello")) })
	if got != "got hello" {
		t.Errorf("watching: %s", got)
	}
	reader, err := client.Connect(url, client.UserInfo(`rea"der`, newPassword), client.ErrorHandler(func(*client.Conn, *client.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, subject := range []string{"orders.new", "$JS.API.STREAM.DELETE.ORDERS", "$JS.API.STREAM.PURGE.ORDERS", "$JS.API.CONSUMER.CREATE.ORDERS"} {
		if err := reader.Publish(subject, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		if err := reader.Flush(); err != nil {
			t.Fatal(err)
		}
		if said := reader.LastError(); said == nil || !strings.Contains(strings.ToLower(said.Error()), "permissions violation for publish to \""+strings.ToLower(subject)) {
			t.Errorf("publishing to %s: %v", subject, said)
		}
	}
}

func startNATS(t *testing.T, user string) string {
	t.Helper()
	dir := t.TempDir()
	conf := fmt.Sprintf("host: 127.0.0.1\nport: -1\njetstream { store_dir: %q }\naccounts { APP { jetstream: enabled, users: [\n{ user: admin, password: admin-practice }\n%s ] } }\n", dir, user)
	opts, err := natsd.ProcessConfigFile(server.WriteFile(t, dir, "nats.conf", conf, 0o600))
	if err != nil {
		t.Fatalf("%v\n%s", err, conf)
	}
	opts.NoSigs, opts.NoLog = true, true
	s, err := natsd.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	return s.ClientURL()
}
