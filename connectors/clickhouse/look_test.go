package clickhouse

import (
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func mustOpen(t *testing.T, s connectors.Settings) *session {
	t.Helper()
	return conntest.Open(t, Type(), s).(*session)
}

func (f *fixture) tree(t *testing.T) {
	s := mustOpen(t, f.settings())
	facts, err := s.Check(t.Context())
	if err != nil || conntest.Fact(facts, "Account") != "reader" || !strings.HasPrefix(conntest.Fact(facts, "Server"), "ClickHouse 18.") {
		t.Errorf("%v %v", facts, err)
	}
	if dbs := conntest.Below(t, s, ""); !dbs["shop"].Branch || dbs["system"].ID != "" {
		t.Errorf("%+v", dbs)
	}
	if only := conntest.Below(t, mustOpen(t, f.settings("database", "shop")), ""); len(only) != 1 {
		t.Errorf("%+v", only)
	}
}

func (f *fixture) tables(t *testing.T) {
	s := mustOpen(t, f.settings())
	tables := conntest.Below(t, s, "shop")
	if n := tables["orders"]; n.Kind != "table" || n.Views[0] != connectors.ViewRows || conntest.Fact(n.Facts, "Engine") != "MergeTree" || n.ID != "shop/orders" {
		t.Errorf("%+v", n)
	}
	if tables["big"].Kind != "view" {
		t.Errorf("%+v", tables)
	}
	if columns := conntest.Below(t, s, "shop/orders"); len(columns) != 6 || conntest.Fact(columns["n"].Facts, "Type") != "Nullable(Int32)" {
		t.Errorf("%+v", columns)
	}
	for _, id := range []connectors.NodeID{"a//b", "a/b/c"} {
		for _, err := range s.Children(t.Context(), id) {
			conntest.WantError(t, err, connectors.NotFound, "clickhouse.no_table", "")
		}
	}
}

func (f *fixture) rows(t *testing.T) {
	s := mustOpen(t, f.settings())
	got, err := s.Table(t.Context(), "shop/orders", 5)
	if err != nil || len(got.Rows) != 5 || !got.Truncated || len(got.Columns) != 5 {
		t.Fatalf("%+v %v", got, err)
	}
	if r := got.Rows[1]; r[0] != int64(1) || r[1] != "Customer 1" || r[2] != "1.50" || r[3] != `["a","b"]` || r[4] != nil || !got.Columns[0].Numeric {
		t.Errorf("%+v", r)
	}
	if got, err = s.Table(t.Context(), "shop/big", 1000); err != nil || len(got.Rows) != 49 || got.Truncated {
		t.Errorf("%+v %v", got, err)
	}
	for _, n := range conntest.Below(t, s, "shop") {
		if strings.HasPrefix(n.Name, "odd") {
			if got, err = s.Table(t.Context(), n.ID, 5); err != nil || got.Columns[0].Name != "a b" {
				t.Errorf("%s: %+v %v", n.ID, got, err)
			}
		}
	}
}

func (f *fixture) refused(t *testing.T) {
	s := mustOpen(t, f.settings())
	_, err := s.Table(t.Context(), "shop/nope", 5)
	conntest.WantError(t, err, connectors.NotFound, "clickhouse.no_table", "")
	_, err = s.Table(t.Context(), "other/x", 5)
	conntest.WantError(t, err, connectors.Denied, "clickhouse.denied", "")
	_, err = mustOpen(t, f.settings("user", "slow")).Table(t.Context(), "shop/forever", 5)
	conntest.WantError(t, err, connectors.TimedOut, "clickhouse.slow", "")
	broad, err := mustOpen(t, f.settings("user", "writer")).Table(t.Context(), "shop/broad", 500)
	if err != nil || !broad.Truncated || len(broad.Rows) == 0 || len(broad.Rows[0][0].(string)) > 8<<10 {
		t.Errorf("TestSecurity63: 50 MB of rows: %v", err)
	}
}

func (f *fixture) password(t *testing.T) {
	if _, err := mustOpen(t, f.settings("user", "awkward", "password", awkward)).Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// onlyReads sends what would write, for a user who may.
func (f *fixture) onlyReads(t *testing.T) {
	for _, free := range []freedom{all, none} {
		s := mustOpen(t, f.settings("user", "writer"))
		s.freedom.Store(int32(free))
		_, err := s.query(t.Context(), "CREATE TABLE shop.wrote (a UInt8) ENGINE = Memory", "shop.wrote")
		conntest.WantError(t, err, connectors.Denied, "clickhouse.readonly", "")
	}
	if out := f.Run(t, "EXISTS TABLE shop.wrote"); out != "0\n" {
		t.Error("something was written")
	}
}
