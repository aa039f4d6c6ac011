package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"jackfield/connectors"
)

// An info is the answer to INFO (https://redis.io/docs/latest/commands/info/).
type info map[string]string

func parseInfo(text string) info {
	out := info{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok && !strings.HasPrefix(line, "#") {
			out[key] = value
		}
	}
	return out
}

// server is product and version. Valkey says redis_version for programs that do
// not know it.
func (i info) server() string {
	switch {
	case i["valkey_version"] != "":
		return "Valkey " + i["valkey_version"]
	case i["dragonfly_version"] != "":
		return "Dragonfly " + i["dragonfly_version"]
	case i["redis_version"] != "":
		return "Redis " + i["redis_version"]
	}
	return ""
}

// databases are the numbers of those that have keys, and what is known of each.
func (i info) databases() map[int]string {
	out := map[int]string{}
	for key, value := range i {
		if n, err := strconv.Atoi(strings.TrimPrefix(key, "db")); err == nil && strings.HasPrefix(key, "db") {
			out[n] = value
		}
	}
	return out
}

// part is one figure of "keys=2,expires=0,avg_ttl=0".
func part(text, name string) string {
	for p := range strings.SplitSeq(text, ",") {
		if v, ok := strings.CutPrefix(p, name+"="); ok {
			return v
		}
	}
	return ""
}

// Check asks who this is and what it may; what the account may not ask is left out.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	n, _ := s.c.number()
	answers, err := s.do(ctx, n, maxLine, cmd("ACL", "WHOAMI"), cmd("INFO"), cmd("DBSIZE"), cmd("SCAN", "0", "COUNT", "1"))
	if err != nil {
		return nil, err
	}
	about := parseInfo(answers[1].text)
	account := s.c.account()
	if answers[0].text != "" {
		account = answers[0].text
	}
	facts := []connectors.Fact{{Label: "Account", Text: account}}
	add := func(label, text string) {
		if text != "" {
			facts = append(facts, connectors.Fact{Label: label, Text: connectors.Clean(text, 300)})
		}
	}
	server := about.server()
	if server == "" {
		server = s.c.addr()
	}
	add("Server", server)
	add("Encryption", s.secured)
	add("Kind", kind(about))
	if answers[2].isNum {
		add("Keys in database "+strconv.Itoa(n), strconv.FormatInt(answers[2].num, 10))
	}
	add("Memory", about["used_memory_human"])
	facts = append(facts, s.rights(ctx, account)...)
	if about["redis_mode"] == "sentinel" {
		return facts, s.sentinel(ctx)
	}
	if err := answers[3].err; err != nil {
		return facts, s.noScan(err)
	}
	return facts, nil
}

func kind(about info) string {
	var out []string
	if about["cluster_enabled"] == "1" {
		out = append(out, "one node of a cluster: only its own keys are seen")
	}
	switch about["role"] {
	case "master":
		out = append(out, "primary")
	case "slave":
		out = append(out, "replica of "+about["master_host"])
	}
	return strings.Join(out, ", ")
}

// rights are the account's own rules, where it may read them.
func (s *session) rights(ctx context.Context, account string) []connectors.Fact {
	answer, err := s.do(ctx, 0, maxLine, cmd("ACL", "GETUSER", account))
	if err != nil || answer[0].err != nil {
		return []connectors.Fact{{Label: "Rights", Text: "reading only; the server does not tell this account its rules"}}
	}
	facts := []connectors.Fact{{Label: "Rights", Text: "reading only, whatever the account may do besides"}}
	list := answer[0].list
	for i := 0; i+1 < len(list); i += 2 {
		label := map[string]string{"commands": "Commands", "keys": "Key patterns"}[list[i].text]
		if label == "" {
			continue
		}
		text := list[i+1].text
		for _, p := range list[i+1].list { // before Redis 7 a list
			text += " " + p.text
		}
		facts = append(facts, connectors.Fact{Label: label, Text: connectors.Clean(strings.TrimSpace(text), 300)})
	}
	return facts
}

// noScan says that keys cannot be listed. Keys that the form names can be looked
// at all the same.
func (s *session) noScan(err error) error {
	e := connectors.Classify(s.refused(err, s.c.addr(), connectors.StageRights))
	out := *e
	out.Partial = true
	if denied(err) {
		out.Reason, out.Field = "redis.no_scan", "known"
	}
	return &out
}

// sentinel says where the servers are that this one watches.
func (s *session) sentinel(ctx context.Context) error {
	e := &connectors.Error{Code: connectors.Refused, Reason: "redis.sentinel", Op: connectors.StageRights, Target: s.c.addr(), Field: "host"}
	answer, err := s.do(ctx, 0, maxLine, cmd("SENTINEL", "MASTERS"))
	if err != nil {
		return err
	}
	if answer[0].err != nil {
		e.Err = errors.New("the sentinel does not tell")
		return e
	}
	var said []string
	for _, m := range answer[0].list {
		named := map[string]string{}
		for i := 0; i+1 < len(m.list); i += 2 {
			named[m.list[i].text] = m.list[i+1].text
		}
		said = append(said, named["name"]+" at "+named["ip"]+" port "+named["port"])
	}
	e.Said = connectors.Clean(strings.Join(said, "; "), 300)
	return e
}
