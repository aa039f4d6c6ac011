package sqldb

import (
	"context"
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func offers(t *testing.T, typ connectors.Type, s connectors.Settings, want ...string) {
	t.Helper()
	got, err := conntest.Choices(t, conntest.Open(t, typ, s), "database")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v offers %q, %v; want %q", s.Plain, got, err, want)
	}
}

func TestPostgreSQLOffersItsDatabases(t *testing.T) {
	d := server.Postgres(t)
	d.SQL(t, `CREATE DATABASE shop; CREATE DATABASE "Old shop"; CREATE DATABASE private; REVOKE CONNECT ON DATABASE private FROM PUBLIC;
CREATE ROLE reader LOGIN PASSWORD 'x-practice'; CREATE ROLE narrow LOGIN PASSWORD 'x-practice'; CREATE DATABASE lonely OWNER narrow;`)
	offers(t, postgresType(), settings(d, "reader", "x-practice"), "Old shop", "lonely", "postgres", "shop")
	offers(t, postgresType(), settings(d, "reader", "x-practice", "database", "shop"), "Old shop", "lonely", "postgres", "shop")
	// Who may not enter the database that every server has is told so; with a
	// database of his own he is offered what he may open.
	d.SQL(t, "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; GRANT CONNECT ON DATABASE postgres TO reader;")
	typ := postgresType()
	_, err := typ.Open(context.Background(), conntest.NewWorld(t).Env, settings(d, "narrow", "x-practice"))
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || e.Field != "database" {
		t.Errorf("%v, want denied at database", err)
	}
	offers(t, typ, settings(d, "narrow", "x-practice", "database", "lonely"), "Old shop", "lonely", "shop")
}

func TestMariaDBOffersItsDatabases(t *testing.T) {
	d := server.MariaDB(t)
	d.SQL(t, "CREATE DATABASE shop; CREATE DATABASE archive; CREATE DATABASE hidden; CREATE USER reader IDENTIFIED BY 'x-practice'; GRANT SELECT ON shop.* TO reader; GRANT SELECT ON archive.* TO reader; CREATE USER nobody IDENTIFIED BY 'x-practice';")
	offers(t, mysqlType(), settings(d, "reader", "x-practice"), "archive", "shop")
	offers(t, mysqlType(), settings(d, "reader", "x-practice", "database", "shop"), "archive", "shop")
	offers(t, mysqlType(), settings(d, "nobody", "x-practice"))
}
