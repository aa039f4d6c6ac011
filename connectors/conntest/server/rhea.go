package server

import (
	_ "embed"
	"encoding/json"
	"os/exec"
	"strconv"
	"testing"
)

// rheaVersion is the npm package whose AMQP 1.0 engine the stand-in runs on.
const rheaVersion = "rhea@3.0.5"

//go:embed rhea.mjs
var rheaScript string

//go:embed servicebus.mjs
var busScript string

// A RheaConf says how the AMQP 1.0 stand-in behaves. It is no broker that anybody
// runs: the protocol is by rhea, the queues are a hundred lines of script.
type RheaConf struct {
	Users     map[string]string
	Anonymous bool
	Queues    map[string][]map[string]any // messages as rhea has them: {"body": …, "subject": …}
	Deaf      bool                        // hands messages out for good, whatever is asked for
	CA        *CA                         // speaks TLS with a certificate of this authority
	// ServiceBus adds what Azure Service Bus has: $cbs, and $management below each
	// of Queues; nil for none.
	ServiceBus *RheaServiceBus
}

// A RheaServiceBus says who may do what, and what goes wrong.
type RheaServiceBus struct {
	Policies map[string]RheaPolicy `json:"policies"`
	Ahead    int                   `json:"ahead"` // seconds by which its clock is ahead
	// Refuse answers every token so, where Status is not 0.
	Refuse RheaAnswer `json:"refuse"`
	// Answers are instead of messages, by queue.
	Answers map[string]RheaAnswer `json:"answers"`
}

// A RheaPolicy is a shared access policy; with an Entity, of that one alone.
type RheaPolicy struct {
	Key    string   `json:"key"`
	Rights []string `json:"rights"`
	Entity string   `json:"entity"`
}

// A RheaAnswer is a refusal as nodes write it.
type RheaAnswer struct {
	Status    int    `json:"status"`
	Said      string `json:"said"`
	Condition string `json:"condition"`
}

// Rhea starts the stand-in and returns its port. The address "$state" hands out a
// message with what happened so far, as JSON.
func Rhea(tb testing.TB, conf RheaConf) int {
	tb.Helper()
	node := Program(tb, "node", "nodejs")
	npm := Program(tb, "npm", "npm")
	home := Cached(tb, rheaVersion, func(dir string) {
		Run(tb, npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, rheaVersion)
	})
	port := FreePort(tb)
	options := map[string]any{"port": port, "home": home, "users": conf.Users, "anonymous": conf.Anonymous, "queues": conf.Queues, "deaf": conf.Deaf, "servicebus": conf.ServiceBus}
	if conf.CA != nil {
		mine := conf.CA.Issue(tb, Cert{})
		options["tls"] = map[string]string{"cert": mine.Cert, "key": mine.Key}
	}
	data, err := json.Marshal(options)
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	script := WriteFile(tb, dir, "rhea.mjs", rheaScript, 0o600)
	WriteFile(tb, dir, "servicebus.mjs", busScript, 0o600)
	settings := WriteFile(tb, dir, "rhea.json", string(data), 0o600)
	p := Start(tb, exec.Command(node, script, settings), "127.0.0.1:"+strconv.Itoa(port))
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("rhea: %s", p.Output())
		}
	})
	return port
}
