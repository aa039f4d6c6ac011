package redis

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/pathid"
)

// The bounds of a listing.
const (
	scanCount  = 1000      // keys that the server looks at in one step; it is a hint
	maxSteps   = 5_000     // of SCAN
	maxNodes   = 1_000_000 // names remembered so that none is told twice
	maxKeyName = 64 << 10  // longer names are left out
)

// delimiter parts a key's name into levels; it is a custom, not a rule.
const delimiter = ":"

// A place is a node: a database, what begins with a prefix, or a key.
type place struct {
	db     int
	prefix string // of a folder
	key    string
	isKey  bool
}

// folderID is a pattern, as a person writes it: "0/app:*".
func folderID(db int, prefix string) connectors.NodeID {
	return connectors.NodeID(strconv.Itoa(db) + "/" + pathid.Escape(prefix) + "*")
}

// keyID is the key's name. A star at its end is escaped: it is no pattern.
func keyID(db int, key string) connectors.NodeID {
	name := pathid.Escape(key)
	if rest, star := strings.CutSuffix(name, "*"); star {
		name = rest + pathid.Byte('*')
	}
	return connectors.NodeID(strconv.Itoa(db) + "/" + name)
}

func parsePlace(id connectors.NodeID) (place, error) {
	number, rest, below := strings.Cut(string(id), "/")
	db, err := strconv.Atoi(number)
	unknown := &connectors.Error{Code: connectors.NotFound, Reason: "redis.missing", Op: connectors.StageData, Target: string(id)}
	if err != nil || validNumber(number) != nil {
		return place{}, unknown
	}
	if !below {
		return place{db: db}, nil
	}
	rest, folder := strings.CutSuffix(rest, "*")
	name, ok := pathid.Unescape(rest)
	if !ok {
		return place{}, unknown
	}
	if folder {
		return place{db: db, prefix: name}, nil
	}
	return place{db: db, key: name, isKey: true}, nil
}

// Children lists databases, then keys grouped by what stands before a colon.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		fail := func(err error) { yield(connectors.Node{}, err) }
		if ctx.Err() != nil {
			fail(connectors.Classify(context.Cause(ctx)))
			return
		}
		if parent == "" {
			s.databases(ctx, yield)
			return
		}
		p, err := parsePlace(parent)
		if err != nil {
			fail(err)
			return
		}
		if p.isKey {
			return
		}
		if p.prefix == "" {
			p.prefix = s.c.Prefix
		}
		if known := s.c.known(); len(known) > 0 && p.prefix == s.c.Prefix {
			s.named(ctx, p.db, known, yield)
			return
		}
		l := &listing{s: s, ctx: ctx, place: p, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}, yield: yield}
		if err := l.run(); err != nil {
			fail(err)
		}
	}
}

// databases lists those that have keys, or the one that the form names.
func (s *session) databases(ctx context.Context, yield func(connectors.Node, error) bool) {
	chosen, one := s.c.number()
	answer, err := s.do(ctx, chosen, maxLine, cmd("INFO", "keyspace"))
	if err != nil {
		yield(connectors.Node{}, err)
		return
	}
	known := parseInfo(answer[0].text).databases()
	numbers := []int{chosen}
	if !one {
		for n := range known {
			if n != 0 {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		node := connectors.Node{ID: connectors.NodeID(strconv.Itoa(n)), Name: "Database " + strconv.Itoa(n), Kind: "database", Branch: true}
		for _, f := range []struct{ label, name string }{{"Keys", "keys"}, {"With a lifetime", "expires"}} {
			if v := part(known[n], f.name); v != "" {
				node.Facts = append(node.Facts, connectors.Fact{Label: f.label, Text: v})
			}
		}
		if ctx.Err() != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		if !yield(node, nil) {
			return
		}
	}
}

// named lists the keys that the form names.
func (s *session) named(ctx context.Context, db int, keys []string, yield func(connectors.Node, error) bool) {
	for batch := range slices.Chunk(keys, scanCount) {
		nodes, err := s.look(ctx, db, "", batch)
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		for _, n := range nodes {
			if !yield(n, nil) {
				return
			}
		}
	}
}

// A listing is one walk through the keys with SCAN
// (https://redis.io/docs/latest/commands/scan/), which may tell a key twice.
type listing struct {
	s     *session
	ctx   context.Context
	place place
	seed  maphash.Seed
	seen  map[uint64]struct{}
	yield func(connectors.Node, error) bool
}

func (l *listing) run() error {
	cursor := "0"
	for range maxSteps {
		answer, err := l.s.one(l.ctx, l.place.db, maxKeyName+1, "", cmd("SCAN", cursor, "MATCH", pattern(l.place.prefix), "COUNT", strconv.Itoa(scanCount)))
		if err != nil {
			if e := connectors.Classify(err); e.Reason == "redis.noperm" {
				e.Reason, e.Field = "redis.no_scan", "known"
			}
			return err
		}
		if len(answer.list) != 2 {
			return l.s.lost(l.ctx, &wire{heard: true}, errNotRedis)
		}
		cursor = answer.list[0].text
		more, err := l.batch(answer.list[1].list)
		if err != nil || !more {
			return err
		}
		if cursor == "0" {
			return nil
		}
		if len(l.seen) > maxNodes {
			break
		}
	}
	return &connectors.Error{Code: connectors.Unsupported, Reason: "redis.many", Op: connectors.StageData, Target: "database " + strconv.Itoa(l.place.db), Field: "prefix", Partial: true}
}

// batch tells what one step has found.
func (l *listing) batch(found []reply) (more bool, err error) {
	var keys []string
	for _, r := range found {
		rest, below := strings.CutPrefix(r.text, l.place.prefix)
		if !below || r.size > maxKeyName {
			continue
		}
		head, _, folder := strings.Cut(rest, delimiter)
		if folder {
			rest = head + delimiter
		}
		if l.known(folder, rest) {
			continue
		}
		if !folder {
			keys = append(keys, r.text)
			continue
		}
		prefix := l.place.prefix + rest
		if !l.yield(connectors.Node{ID: folderID(l.place.db, prefix), Name: rest, Kind: "folder", Branch: true}, nil) {
			return false, nil
		}
	}
	nodes, err := l.s.look(l.ctx, l.place.db, l.place.prefix, keys)
	if err != nil {
		return false, err
	}
	for _, n := range nodes {
		if l.ctx.Err() != nil {
			return false, connectors.Classify(context.Cause(l.ctx))
		}
		if !l.yield(n, nil) {
			return false, nil
		}
	}
	return true, nil
}

// known remembers a name by its hash: two that share one of 64 bits are not to
// be expected.
func (l *listing) known(folder bool, name string) bool {
	var h maphash.Hash
	h.SetSeed(l.seed)
	_, _ = h.WriteString(strconv.FormatBool(folder) + name)
	sum := h.Sum64()
	_, twice := l.seen[sum]
	l.seen[sum] = struct{}{}
	return twice
}

// pattern matches what begins with prefix, whatever signs are in it.
func pattern(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(prefix) + "*"
}

// sizeOf is the command that tells how much a key holds, and of what.
func sizeOf(kind string) (command, unit string) {
	switch kind {
	case "string":
		return "STRLEN", "Bytes"
	case "hash":
		return "HLEN", "Fields"
	case "list":
		return "LLEN", "Entries"
	case "set":
		return "SCARD", "Members"
	case "zset":
		return "ZCARD", "Members"
	case "stream":
		return "XLEN", "Messages"
	}
	return "", ""
}

// look asks what keys are. One that is gone meanwhile is left out, and one that
// may not be read is denied.
func (s *session) look(ctx context.Context, db int, prefix string, keys []string) ([]connectors.Node, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var ask []command
	for _, k := range keys {
		ask = append(ask, cmd("TYPE", k), cmd("PTTL", k))
	}
	first, err := s.do(ctx, db, maxLine, ask...)
	if err != nil {
		return nil, err
	}
	ask = ask[:0]
	for i, k := range keys {
		if size, _ := sizeOf(first[2*i].text); size != "" {
			ask = append(ask, cmd(size, k))
		}
	}
	sizes := []reply{}
	if len(ask) > 0 {
		if sizes, err = s.do(ctx, db, maxLine, ask...); err != nil {
			return nil, err
		}
	}
	nodes := make([]connectors.Node, 0, len(keys))
	for i, k := range keys {
		var size *reply
		if name, _ := sizeOf(first[2*i].text); name != "" {
			size, sizes = &sizes[0], sizes[1:]
		}
		if first[2*i].text != "none" {
			nodes = append(nodes, s.node(db, prefix, k, first[2*i], first[2*i+1], size))
		}
	}
	return nodes, nil
}

func (s *session) node(db int, prefix, key string, kind, lifetime reply, size *reply) connectors.Node {
	n := connectors.Node{ID: keyID(db, key), Name: strings.TrimPrefix(key, prefix), Kind: kind.text}
	if n.Name == "" {
		n.Name = `""` // the key without a name, or named like its folder
		if key != "" {
			n.Name = key
		}
	}
	if kind.err != nil {
		n.Kind = "key"
		if denied(kind.err) && strings.Contains(kind.err.Error(), "key") {
			n.Access = connectors.AccessDenied
		}
		return n
	}
	_, unit := sizeOf(kind.text)
	switch {
	case unit == "": // of a module
		n.Access = connectors.AccessListed
	case size.err != nil && denied(size.err):
		n.Access = connectors.AccessListed
	case size.isNum:
		n.Access = connectors.AccessReadable
		n.Facts = append(n.Facts, connectors.Fact{Label: unit, Text: strconv.FormatInt(size.num, 10)})
	}
	if unit != "" && n.Access != connectors.AccessListed {
		n.Views = []connectors.View{connectors.ViewRows}
		if kind.text == "string" {
			n.Views = []connectors.View{connectors.ViewContent}
		}
	}
	if lifetime.isNum && lifetime.num >= 0 {
		ends := s.env.Time().Add(time.Duration(min(lifetime.num, 1<<42)) * time.Millisecond)
		n.Facts = append(n.Facts, connectors.Fact{Label: "Expires", Text: ends.UTC().Format(time.RFC3339)})
	}
	return n
}
