package sqldb

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func makeSQLite(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop?a=b#c.db")
	db, err := sql.Open("sqlite", filepath.Join(filepath.Dir(path), "plain.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, q := range []string{
		"CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, amount REAL, doc BLOB)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500) INSERT INTO orders SELECT i, 'Customer ' || i, i*1.5, x'00ff' FROM n",
		"CREATE VIEW big AS SELECT * FROM orders WHERE id > 400",
		"CREATE TABLE \"odd \u202e \"\" name\" (a)",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(filepath.Dir(path), "plain.db"), path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSQLite(t *testing.T) {
	path := makeSQLite(t)
	at := func(p string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			s := connectors.NewSettings()
			s.Plain["file"] = p
			return s
		}
	}
	junk := filepath.Join(t.TempDir(), "junk.db")
	if err := os.WriteFile(junk, []byte("this is certainly no database, however long it may be made to look"), 0o600); err != nil {
		t.Fatal(err)
	}
	conntest.Run(t, conntest.Suite{Type: sqliteType(), Good: at(path),
		Faults: []conntest.Fault{
			{Name: "missing", Settings: at(path + ".no"), Code: connectors.NotFound, Field: "file"},
			{Name: "a folder", Settings: at(filepath.Dir(path)), Code: connectors.BadInput, Field: "file"},
			{Name: "not a database", Settings: at(junk), Code: connectors.BadInput, Field: "file"},
		},
		Hostile: &conntest.Place{Settings: at(path), Node: ""},
	})
	s := conntest.Open(t, sqliteType(), at(path)(t))
	table, err := s.(connectors.Tabler).Table(t.Context(), "orders", 5)
	if err != nil || len(table.Rows) != 5 || !table.Truncated || table.Rows[0][1] != "Customer 1" {
		t.Errorf("%+v %v", table, err)
	}
	if _, err := s.(connectors.Tabler).Table(t.Context(), "odd \u202e \" name", 5); err != nil {
		t.Errorf("an odd name: %v", err)
	}
	if _, err := s.(*session).db.Exec("CREATE TABLE wrote (a)"); err == nil {
		t.Error("a write went through")
	}
}

func TestNumbersThatAnExpressionGivesAreNumeric(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sums.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"CREATE TABLE o (a TEXT, b REAL)", "INSERT INTO o VALUES ('x', 1.5), ('y', NULL)", "CREATE VIEW v AS SELECT a || '' AS word, b * 2 AS twice, NULL AS never FROM o"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	_ = db.Close()
	s := connectors.NewSettings()
	s.Plain["file"] = path
	table, err := conntest.Open(t, sqliteType(), s).(connectors.Tabler).Table(t.Context(), "v", 5)
	if err != nil {
		t.Fatal(err)
	}
	if c := table.Columns; c[0].Numeric || !c[1].Numeric || c[2].Numeric {
		t.Errorf("%+v", c)
	}
}
