package sqldb

import (
	"maps"
	"testing"

	"jackfield/connectors"
)

func TestServersThatSpeakPostgreSQLAreToldApart(t *testing.T) {
	for version, want := range map[string]flavour{
		"PostgreSQL 15.14 (Debian 15.14-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc": {name: "PostgreSQL 15.14", partitions: true, limits: true, locks: true, role: rolesQuery},
		"PostgreSQL 9.2.24 on x86_64":  {name: "PostgreSQL 9.2.24", limits: true, role: rolesQuery},
		"PostgreSQL 18beta1 on x86_64": {name: "PostgreSQL 18beta1", partitions: true, limits: true, locks: true, role: rolesQuery},
		"CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27 01:53:43, go1.19.10)":                {name: "CockroachDB CCL v23.1.11", limits: true, locks: true, role: "SELECT rolsuper, NULL FROM pg_roles WHERE rolname = current_user"},
		"PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017, Redshift 1.0.12103": {name: "Amazon Redshift 1.0.12103", old: true, limits: true, role: usersQuery},
		"PostgreSQL 9.4.26 (Greenplum Database 6.20.0 build commit:9d0c7c0) on x86_64-unknown-linux-gnu":      {name: "Greenplum Database 6.20.0", limits: true, locks: true, role: rolesQuery},
		"PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64-pc-linux-gnu, compiled by clang":                            {name: "YugabyteDB 2.20.1.0", partitions: true, limits: true, locks: true, role: rolesQuery},
		"PostgreSQL 9.5.0 on x86_64-unknown-linux-gnu (Materialize v0.120.0)":                                 {name: "Materialize v0.120.0", old: true},
		"PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB":                                 {name: "PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB", old: true},
		"something else": {name: "something else", old: true},
		"":               {name: "unknown", old: true},
	} {
		if got := flavourOf(version); got != want {
			t.Errorf("%q:\n got %+v\nwant %+v", version, got, want)
		}
	}
}

func FuzzFlavour(f *testing.F) {
	f.Add("PostgreSQL 99999999999999999999.1")
	f.Fuzz(func(t *testing.T, version string) {
		if flavourOf(version).name == "" {
			t.Errorf("%q has no name", version)
		}
	})
}

func TestAddressesArePasted(t *testing.T) {
	for name, c := range map[string]struct {
		ty   connectors.Type
		text string
		want map[string]string
	}{
		"postgres URL":          {postgresType(), "postgres://jane:secret@db.example.com:6432/sales?sslmode=disable", map[string]string{"host": "db.example.com", "port": "6432", "user": "jane", "database": "sales"}},
		"server and instance":   {sqlserverType(), `SRV01\SQLEXPRESS`, map[string]string{"host": "SRV01", "instance": "SQLEXPRESS"}},
		"server and port":       {sqlserverType(), `tcp:acme.database.windows.net,1433`, map[string]string{"host": "acme.database.windows.net", "port": "1433"}},
		"all three":             {sqlserverType(), `srv01\DEV, 50123`, map[string]string{"host": "srv01", "instance": "DEV", "port": "50123"}},
		"sqlserver URL":         {sqlserverType(), "sqlserver://sa:x@srv01:1444?database=x", map[string]string{"host": "srv01", "port": "1444", "user": "sa"}},
		"a host alone":          {sqlserverType(), "srv01", nil},
		"Easy Connect":          {oracleType(), "db.example.com:1522/sales.example.com", map[string]string{"host": "db.example.com", "port": "1522", "service": "sales.example.com", "kind": "service"}},
		"Easy Connect with TLS": {oracleType(), "tcps://db.example.com/FREEPDB1?wallet_location=x", map[string]string{"host": "db.example.com", "service": "FREEPDB1", "kind": "service", "tls": "tcps"}},
		"JDBC":                  {oracleType(), "jdbc:oracle:thin:@//db.example.com:1521/XE", map[string]string{"host": "db.example.com", "port": "1521", "service": "XE", "kind": "service"}},
		"oracle URL":            {oracleType(), "oracle://reader:x@db.example.com:1521/XE", map[string]string{"host": "db.example.com", "port": "1521", "service": "XE", "kind": "service", "user": "reader"}},
		"an Oracle host alone":  {oracleType(), "db.example.com", nil},
		"tnsnames.ora": {oracleType(), "sales =\n (description= (retry_count=20)(address=(protocol=tcps)(port=1522)(host=adb.eu-frankfurt-1.oraclecloud.com))\n(connect_data=(service_name=abc_sales_low.adb.oraclecloud.com)))",
			map[string]string{"host": "adb.eu-frankfurt-1.oraclecloud.com", "port": "1522", "service": "abc_sales_low.adb.oraclecloud.com", "kind": "service", "tls": "tcps"}},
		"tnsnames.ora with a SID": {oracleType(), "(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST = old.example.com)(PORT = 1521))(CONNECT_DATA=(SID=ORCL)))",
			map[string]string{"host": "old.example.com", "port": "1521", "sid": "ORCL", "kind": "sid", "tls": "off"}},
	} {
		f, _ := c.ty.Form.Field("host")
		got := f.Split(c.text)
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		for key, v := range got {
			x, ok := c.ty.Form.Field(key)
			if err := x.Verify(v); !ok || err != nil {
				t.Errorf("%s: %s=%q is no answer: %v", name, key, v, err)
			}
		}
	}
}

func TestTypesOfColumns(t *testing.T) {
	for kind, want := range map[string]bool{"INT4": true, "NUMERIC": true, "money": true, "NUMBER": true, "INTERVAL": false, "POINT": false, "IntervalDS_DTY": false, "TEXT": false, "REAL": true} {
		if numeric(kind) != want {
			t.Errorf("%s is numeric: %v", kind, !want)
		}
	}
	guid := []byte{0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	if got := plain(guid, "UNIQUEIDENTIFIER"); got != "01234567-89AB-CDEF-0123-456789ABCDEF" {
		t.Errorf("%v", got)
	}
	if got := plain([]byte{0xff, 1}, "VARBINARY"); got != "0xff01 (2 bytes)" {
		t.Errorf("%v", got)
	}
}
