package amqp1

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// The consoles' answers are shaped as Jolokia's and the brokers' documentation
// has them; no real one was to be had.
func TestConsole_DocsShaped(t *testing.T) {
	classic := `[{"status":200,"value":{
		"org.apache.activemq:brokerName=localhost,destinationName=orders,destinationType=Queue,type=Broker":{"Name":"orders","QueueSize":3,"ConsumerCount":1},
		"org.apache.activemq:brokerName=localhost,destinationName=news,destinationType=Topic,type=Broker":{"Name":"news","QueueSize":0,"ConsumerCount":0}}},
		{"status":404,"error_type":"javax.management.InstanceNotFoundException","error":"none"}]`
	artemis := `[{"status":404},{"status":200,"value":{
		"org.apache.activemq.artemis:address=\"eu\",broker=\"b\",component=addresses,queue=\"orders\",routing-type=\"anycast\",subcomponent=queues":{"Name":"orders","Address":"eu","RoutingType":"ANYCAST","MessageCount":7,"ConsumerCount":0}}}]`
	for name, one := range map[string]struct{ path, answer, want string }{
		"ActiveMQ": {"/api/jolokia/", classic, "queue://orders 3 1, topic://news  0"},
		"Artemis":  {"/console/jolokia/", artemis, "eu::orders 7 0"},
	} {
		var asked string
		w := consoleOf(t, func(rw http.ResponseWriter, r *http.Request) {
			user, secret, _ := r.BasicAuth()
			if r.URL.Path != one.path {
				rw.WriteHeader(http.StatusNotFound)
				return
			}
			if user != "reader" || secret != password || r.Header.Get("Origin") == "" || r.Method != http.MethodPost {
				rw.WriteHeader(http.StatusForbidden)
				return
			}
			body, _ := io.ReadAll(r.Body)
			asked = string(body)
			_, _ = io.WriteString(rw, one.answer)
		})
		var got []string
		for n, err := range w.list(t.Context()) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, string(n.ID)+" "+conntest.Fact(n.Facts, "Messages")+" "+conntest.Fact(n.Facts, "Consumers"))
		}
		if strings.Join(got, ", ") != one.want {
			t.Errorf("%s: %v", name, got)
		}
		if strings.Count(asked, `"type":"read"`) != 2 || strings.Contains(asked, "exec") {
			t.Errorf("%s: asked %s", name, asked)
		}
	}
}

func TestConsoleRefusals_DocsShaped(t *testing.T) {
	for reason, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"amqp1.console_auth":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"amqp1.console_not_this": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"http.not_found":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
	} {
		_, err := consoleOf(t, answer).count(t.Context())
		e := connectors.Classify(err)
		if e == nil || e.Reason != reason || e.Field == "" {
			t.Errorf("%s: %+v", reason, e)
		}
	}
}

func consoleOf(t *testing.T, answer http.HandlerFunc) *console {
	t.Helper()
	srv := httptest.NewServer(answer)
	w, err := newConsole(conntest.NewWorld(t).Env, config{Host: "127.0.0.1", Console: srv.URL + "/", User: "reader", Password: connectors.NewSecret(password)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.close(); srv.Close() })
	return w
}
