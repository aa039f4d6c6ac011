package redis

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func mustOpen(t *testing.T, s connectors.Settings) *session {
	t.Helper()
	return conntest.Open(t, Type(), s).(*session)
}

func below(t *testing.T, s *session, id connectors.NodeID) map[connectors.NodeID]connectors.Node {
	t.Helper()
	out := map[connectors.NodeID]connectors.Node{}
	for _, n := range conntest.List(t, s, id) {
		if _, twice := out[n.ID]; twice {
			t.Errorf("%s: %s is told twice", id, n.ID)
		}
		out[n.ID] = n
	}
	return out
}

func (f *fixture) tree(t *testing.T) {
	s := mustOpen(t, settings(f, "user", "boss", "password", "practice-only-boss"))
	if dbs := below(t, s, ""); len(dbs) != 2 || conntest.Fact(dbs["3"].Facts, "Keys") != "1" || !dbs["0"].Branch {
		t.Errorf("%+v", dbs)
	}
	root := below(t, s, "0")
	if n := root["0/app:*"]; n.Name != "app:" || n.Kind != "folder" || !n.Branch {
		t.Errorf("%+v", n)
	}
	if n := root["0/app"]; n.Kind != "string" || n.Branch || n.Views[0] != connectors.ViewContent || conntest.Fact(n.Facts, "Bytes") != "35" {
		t.Errorf("%+v", n)
	}
	if at, err := time.Parse(time.RFC3339, conntest.Fact(root["0/lives"].Facts, "Expires")); err != nil || time.Until(at) < time.Hour {
		t.Errorf("%+v", root["0/lives"])
	}
	app := below(t, s, "0/app:*")
	want := []connectors.NodeID{"0/app:", "0/app:1", "0/app:a%2Fb%25", "0/app:bytes", "0/app:hash", "0/app:json", "0/app:list", "0/app:set", "0/app:star%2A", "0/app:stream", "0/app:zset"}
	if got := slices.Sorted(maps.Keys(app)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for id, size := range map[connectors.NodeID]string{"0/app:hash": "3 Fields", "0/app:list": "3 Entries", "0/app:set": "3 Members", "0/app:zset": "2 Members", "0/app:stream": "2 Messages"} {
		n := app[id]
		number, unit, _ := strings.Cut(size, " ")
		if conntest.Fact(n.Facts, unit) != number || n.Views[0] != connectors.ViewRows || n.Access != connectors.AccessReadable {
			t.Errorf("%+v", n)
		}
	}
}

func (f *fixture) parts(t *testing.T) {
	s := mustOpen(t, settings(f, "user", "boss", "password", "practice-only-boss"))
	if third := below(t, s, "3"); len(third) != 1 || third["3/third"].Kind != "string" {
		t.Errorf("%+v", third)
	}
	if only := below(t, mustOpen(t, settings(f, "database", "3", "user", "boss", "password", "practice-only-boss")), ""); len(only) != 1 || only["3"].Name != "Database 3" {
		t.Errorf("%+v", only)
	}
	if prefixed := below(t, mustOpen(t, settings(f, "prefix", "app:s")), "0"); len(prefixed) != 3 {
		t.Errorf("%+v", prefixed)
	}
	for _, err := range s.Children(t.Context(), "nonsense/x") {
		conntest.WantError(t, err, connectors.NotFound, "redis.missing", "")
	}
}

func (f *fixture) values(t *testing.T) {
	s := mustOpen(t, settings(f))
	rows := func(id connectors.NodeID, limit int) *connectors.Table {
		t.Helper()
		got, err := s.Table(t.Context(), id, limit)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		return got
	}
	if got := rows("0/app:hash", 10); len(got.Rows) != 3 || got.Columns[0].Name != "Field" || !slices.ContainsFunc(got.Rows, func(r []any) bool { return r[0] == "bytes" && r[1] == "0xff00 (2 bytes)" }) {
		t.Errorf("%+v", got)
	}
	if got := rows("0/app:list", 2); len(got.Rows) != 2 || !got.Truncated || got.Rows[1][0] != "b" {
		t.Errorf("%+v", got)
	}
	if got := rows("0/app:list", 3); len(got.Rows) != 3 || got.Truncated {
		t.Errorf("%+v", got)
	}
	if got := rows("0/app:set", 10); len(got.Rows) != 3 {
		t.Errorf("%+v", got)
	}
	if got := rows("0/app:zset", 10); got.Rows[0][0] != "one" || got.Rows[0][1] != 1.5 || !got.Columns[1].Numeric {
		t.Errorf("%+v", got)
	}
	got := rows("0/app:stream", 10)
	if len(got.Columns) != 4 || got.Rows[0][0] != "1-2" || got.Rows[0][2] != "late" || got.Rows[0][3] != nil || got.Rows[1][3] != "12" {
		t.Errorf("%+v", got)
	}
}

func (f *fixture) strings(t *testing.T) {
	s := mustOpen(t, settings(f))
	for id, want := range map[connectors.NodeID]string{"0/app:1": "text/plain; charset=utf-8", "0/app:json": "application/json", "0/app:bytes": "application/octet-stream", "0/app:star%2A": "text/plain; charset=utf-8"} {
		if sample, err := s.Sample(t.Context(), id, 1000); err != nil || sample.MediaType != want || sample.Truncated {
			t.Errorf("%s: %+v %v", id, sample, err)
		}
	}
	if sample, err := s.Sample(t.Context(), "0/app:1", 2); err != nil || string(sample.Data) != "he" || !sample.Truncated || sample.Size != 5 {
		t.Errorf("%+v %v", sample, err)
	}
	_, err := s.Table(t.Context(), "0/app:nothing", 5)
	conntest.WantError(t, err, connectors.NotFound, "redis.missing", "")
	_, err = s.Sample(t.Context(), "0/app:hash", 5)
	conntest.WantError(t, err, connectors.Unsupported, "redis.kind", "")
}

// rights are those of a user who may read some keys, and not even send PING.
func (f *fixture) rights(t *testing.T) {
	facts, err := mustOpen(t, settings(f)).Check(t.Context())
	if err != nil || conntest.Fact(facts, "Account") != "reader" || !strings.HasPrefix(conntest.Fact(facts, "Server"), "Redis ") || conntest.Fact(facts, "Encryption") != "none" {
		t.Errorf("%v %v", facts, err)
	}
	least := mustOpen(t, settings(f, "user", "least", "password", "practice-only-least"))
	if facts, err = least.Check(t.Context()); err != nil || conntest.Fact(facts, "Account") != "least" {
		t.Errorf("%v %v", facts, err)
	}
	if n := below(t, least, "")["0"]; n.Name != "Database 0" {
		t.Errorf("%+v", n)
	}
	if n := below(t, least, "0/other:*")["0/other:secret"]; n.Access != connectors.AccessDenied || len(n.Views) > 0 {
		t.Errorf("%+v", n)
	}
	_, err = least.Sample(t.Context(), "0/other:secret", 10)
	conntest.WantError(t, err, connectors.Denied, "redis.noperm", "")
}

func (f *fixture) named(t *testing.T) {
	named := mustOpen(t, settings(f, "user", "keyed", "password", "practice-only-keyed", "known", "app:1\nother:secret\nnowhere"))
	facts, err := named.Check(t.Context())
	conntest.WantError(t, err, connectors.Denied, "redis.no_scan", "known")
	if e := connectors.Classify(err); !e.Partial || len(facts) == 0 {
		t.Errorf("%+v %v", e, facts)
	}
	if keys := below(t, named, "0"); len(keys) != 3 || keys["0/app:1"].Access != connectors.AccessReadable || keys["0/other:secret"].Access != connectors.AccessDenied {
		t.Errorf("%+v", keys)
	}
	boss, err := mustOpen(t, settings(f, "user", "boss", "password", "practice-only-boss")).Check(t.Context())
	if err != nil || conntest.Fact(boss, "Commands") != "+@all" || conntest.Fact(boss, "Key patterns") != "~*" {
		t.Errorf("%v %v", boss, err)
	}
}

func (f *fixture) password(t *testing.T) {
	facts, err := mustOpen(t, settings(f, "user", "awkward", "password", awkward)).Check(t.Context())
	if err != nil || conntest.Fact(facts, "Account") != "awkward" {
		t.Errorf("%v %v", facts, err)
	}
}

func (f *fixture) bounded(t *testing.T) {
	s := mustOpen(t, settings(f, "user", "boss", "password", "practice-only-boss"))
	if sample, err := s.Sample(t.Context(), "0/large", 1000); err != nil || len(sample.Data) != 1000 || sample.Size != 9_000_000 {
		t.Errorf("%d of %d, %v", len(sample.Data), sample.Size, err)
	}
	if got, err := s.Table(t.Context(), "0/wide", 100); err != nil || len(got.Rows) != 100 || !got.Truncated {
		t.Errorf("%v %v", got, err)
	}
	if got, err := s.Table(t.Context(), "0/fat", 10); err != nil || len(got.Rows) != 10 || len(got.Rows[0][0].(string)) > keepCell {
		t.Errorf("%v", err)
	}
	_, err := s.Table(t.Context(), "0/fat", 30) // 90 MB
	conntest.WantError(t, err, connectors.Unsupported, "redis.too_large", "")
	if _, err = s.Check(t.Context()); err != nil {
		t.Errorf("after too much: %v", err)
	}
}

// onlyReads asks the server which commands it has got from everything that a
// session can do.
func (f *fixture) onlyReads(t *testing.T) {
	f.Feed(t, "CONFIG RESETSTAT")
	s := mustOpen(t, settings(f))
	if _, err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id := range below(t, s, "0/app:*") {
		_, _ = s.Table(t.Context(), id, 10)
		_, _ = s.Sample(t.Context(), id, 10)
	}
	below(t, s, "")
	writes := strings.Fields(f.Feed(t, "COMMAND LIST FILTERBY ACLCAT write"))
	sent := 0
	for line := range strings.Lines(f.Feed(t, "INFO commandstats")) {
		name, rest, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		if !ok || !strings.HasPrefix(rest, "calls=") {
			continue
		}
		sent++
		if slices.Contains(writes, name) || slices.Contains([]string{"keys", "xreadgroup", "monitor", "eval"}, name) {
			t.Errorf("it sent %s", name)
		}
	}
	if sent < 10 {
		t.Errorf("only %d commands were counted", sent)
	}
}

func (f *fixture) reconnects(t *testing.T) {
	s := mustOpen(t, settings(f))
	f.Feed(t, "CLIENT KILL USER reader")
	_, err := s.Check(t.Context())
	conntest.WantError(t, err, connectors.Unreachable, "redis.lost", "")
	if _, err := s.Check(t.Context()); err != nil {
		t.Errorf("after the connection was lost: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range s.Children(ctx, "0") {
		cancel()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if _, err := s.Check(t.Context()); err != nil {
		t.Errorf("after a cancelled listing: %v", err)
	}
	_ = s.Close()
	if _, err := s.Check(t.Context()); connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("after Close: %v", err)
	}
}

func dialTo(t *testing.T, port int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestStates are servers that are there and do not answer as they should.
func TestStates(t *testing.T) {
	at := func(r *server.Redis, more ...string) connectors.Settings {
		return conntest.Settings(Type(), []string{"host", "127.0.0.1", "port", strconv.Itoa(r.Port), "auth", byNothing, "security", "none"}, more...)
	}
	first := func(s connectors.Settings) error {
		opened, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, s)
		if err != nil {
			return err
		}
		defer func() { _ = opened.Close() }()
		for n, err := range opened.(*session).Children(t.Context(), "0") {
			if err != nil {
				return err
			}
			_, err = opened.(*session).Table(t.Context(), n.ID, 5)
			return err
		}
		return nil
	}
	t.Run("too many clients", func(t *testing.T) {
		r := server.StartRedis(t, server.RedisConf{})
		r.Feed(t, "CONFIG SET maxclients 1")
		mustOpen(t, at(r))
		_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, at(r))
		conntest.WantError(t, err, connectors.Throttled, "redis.max_clients", "")
	})
	t.Run("replica without its primary", func(t *testing.T) {
		r := server.StartRedis(t, server.RedisConf{Conf: "replicaof 127.0.0.1 " + strconv.Itoa(server.FreePort(t)) + "\nreplica-serve-stale-data no"})
		conntest.WantError(t, first(at(r)), connectors.Unreachable, "redis.masterdown", "")
	})
	t.Run("busy with a script", func(t *testing.T) {
		r := server.StartRedis(t, server.RedisConf{Conf: "busy-reply-threshold 10"})
		s := mustOpen(t, at(r))
		endless := dialTo(t, r.Port)
		_, _ = endless.Write([]byte("EVAL \"while true do end\" 0\r\n"))
		var err error
		for range 100 { // until the script runs
			if _, err = s.Check(t.Context()); err != nil {
				break
			}
		}
		conntest.WantError(t, err, connectors.Unreachable, "redis.busy", "")
		r.Feed(t, "SCRIPT KILL")
	})
	t.Run("sentinel", func(t *testing.T) {
		r := server.StartRedis(t, server.RedisConf{Sentinel: true, Conf: "sentinel monitor practice 127.0.0.1 7777 1"})
		_, err := mustOpen(t, at(r)).Check(t.Context())
		conntest.WantError(t, err, connectors.Refused, "redis.sentinel", "host")
		if said := connectors.Classify(err).Said; said != "practice at 127.0.0.1 port 7777" {
			t.Error(said)
		}
	})
	t.Run("cluster", func(t *testing.T) {
		conf := "cluster-enabled yes"
		one, two := server.StartRedis(t, server.RedisConf{Conf: conf}), server.StartRedis(t, server.RedisConf{Conf: conf})
		one.Feed(t, "CLUSTER ADDSLOTSRANGE 0 8191")
		_, err := mustOpen(t, at(one)).Table(t.Context(), "0/here", 5)
		conntest.WantError(t, err, connectors.Unreachable, "redis.cluster_down", "")
		two.Feed(t, "CLUSTER ADDSLOTSRANGE 8192 16383\nCLUSTER MEET 127.0.0.1 "+strconv.Itoa(one.Port))
		s := mustOpen(t, at(two))
		for range 300 { // until both know each other
			_, err = s.Table(t.Context(), "0/b", 5) // slot 3300
			if connectors.Classify(err).Reason != "redis.cluster_down" {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		conntest.WantError(t, err, connectors.NotFound, "redis.moved", "host")
		facts, err := s.Check(t.Context())
		if err != nil || !strings.Contains(conntest.Fact(facts, "Kind"), "cluster") {
			t.Errorf("%v %v", facts, err)
		}
		_, err = Type().Open(t.Context(), conntest.NewWorld(t).Env, at(one, "database", "1"))
		conntest.WantError(t, err, connectors.Unsupported, "redis.cluster_database", "database")
	})
	t.Run("loading", func(t *testing.T) {
		conf := "dir " + t.TempDir()
		before := server.StartRedis(t, server.RedisConf{Conf: conf})
		before.Feed(t, "EVAL \"for i=1,3000 do redis.call('SET',i,i) end\" 0\nSAVE")
		r := server.StartRedis(t, server.RedisConf{Conf: conf + "\nkey-load-delay 2000\nloading-process-events-interval-bytes 1024"})
		conntest.WantError(t, first(at(r)), connectors.Unreachable, "redis.loading", "")
	})
	t.Run("protected mode", func(t *testing.T) {
		r := server.StartRedis(t, server.RedisConf{Conf: "bind 0.0.0.0"})
		w := conntest.NewWorld(t)
		w.Env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			elsewhere := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
			return elsewhere.DialContext(ctx, network, addr)
		}
		_, err := Type().Open(t.Context(), w.Env, at(r))
		conntest.WantError(t, err, connectors.Refused, "redis.protected", "host")
	})
}
