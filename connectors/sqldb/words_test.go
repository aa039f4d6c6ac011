package sqldb

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestDatesSayWhatTheirKindKnows(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		value      time.Time
		kind, want string
	}{
		{at("2024-02-29T00:00:00Z"), "DATE", "2024-02-29"},
		{at("2024-02-29T13:14:15Z"), "DATE", "2024-02-29 13:14:15"}, // Oracle's
		{at("2024-02-29T13:14:15.5Z"), "TIMESTAMP", "2024-02-29 13:14:15.5"},
		{at("2024-02-29T13:14:15+02:00"), "TIMESTAMP", "2024-02-29 13:14:15 +02:00"}, // SQLite's, as it was written
		{at("2024-02-29T13:14:15Z"), "TIMESTAMPTZ", "2024-02-29 13:14:15 +00:00"},
		{at("2024-02-29T13:14:15Z"), "DATETIMEOFFSET", "2024-02-29 13:14:15 +00:00"},
		{at("2024-02-29T13:14:15Z"), "DATETIME2", "2024-02-29 13:14:15"},
		{at("0001-01-01T13:14:15.25Z"), "TIME", "13:14:15.25"},
		{time.Date(0, 2, 29, 0, 0, 0, 0, time.UTC), "DATE", "0001-02-29 BC"},
		{time.Date(-43, 3, 15, 0, 0, 0, 0, time.UTC), "DATE", "0044-03-15 BC"},
	} {
		if got := plain(c.value, c.kind); got != c.want {
			t.Errorf("%s %v is shown as %q, want %q", c.kind, c.value, got, c.want)
		}
	}
}

func TestBitsAreShownAsBits(t *testing.T) {
	for want, in := range map[string][]byte{"101": {5}, "0": {0}, "100000000": {1, 0}} {
		if got := plain(in, "BIT"); got != want {
			t.Errorf("%v is shown as %q, want %q", in, got, want)
		}
	}
}

func TestProductsAreNamed(t *testing.T) {
	for version, want := range map[string]string{
		"10.11.19-MariaDB-0+deb12u1": "MariaDB 10.11.19-0+deb12u1",
		"5.5.5-10.3.1-MariaDB":       "MariaDB 10.3.1",
		"8.0.36":                     "MySQL 8.0.36",
		"Vitess 9":                   "Vitess 9",
		"":                           "",
	} {
		if got := product(version); got != want {
			t.Errorf("%q is called %q, want %q", version, got, want)
		}
	}
}

func TestARoleWithoutLoginIsToldFromARule(t *testing.T) {
	d := &postgresDialect{c: host{Auth: byPassword}}
	for routine, want := range map[string]string{"InitializeSessionUserId": "postgres.no_login", "ClientAuthentication": "postgres.hba"} {
		err := d.explain(&pgconn.PgError{Code: "28000", Routine: routine, Message: "practice"}, "db")
		conntest.WantError(t, err, connectors.Denied, want, "user")
	}
}

func TestPastedAddressesKeepTheirPort(t *testing.T) {
	split := pasted("postgres", "postgresql")
	for in, want := range map[string]string{
		"db.example.com:6432":                            "6432",
		"postgres://reader@db.example.com:6432/shop":     "6432",
		"jdbc:postgresql://db.example.com:6432/shop?a=b": "6432",
		" JDBC:postgresql://db.example.com:6432/shop":    "6432",
		"mysql://db.example.com:6432/shop":               "",
		"db.example.com":                                 "",
	} {
		if got := split(in); got["port"] != want || (want != "" && got["host"] != "db.example.com") {
			t.Errorf("%q answers %v", in, got)
		}
	}
}

func TestTheSecureRungWaitsForTheHandshake(t *testing.T) {
	silent := &connectors.Error{Code: connectors.TimedOut}
	refused := errors.New("practice")
	cfg := &tls.Config{VerifyConnection: func(s tls.ConnectionState) error {
		if s.ServerName == "" {
			return refused
		}
		return nil
	}}
	at := door{secured: "TLS", safe: watch(cfg)}
	if err := cfg.VerifyConnection(tls.ConnectionState{}); !errors.Is(err, refused) || !at.silent(silent) {
		t.Errorf("a certificate that was refused counts as safe: %v", err)
	}
	if at.silent(&connectors.Error{Code: connectors.AuthFailed}) {
		t.Error("a server that answered is called silent")
	}
	if err := cfg.VerifyConnection(tls.ConnectionState{ServerName: "db"}); err != nil || at.silent(silent) {
		t.Errorf("a finished handshake is not seen: %v", err)
	}
	if watch(nil) != nil || (door{}).silent(silent) {
		t.Error("without TLS there is no secure rung")
	}
}

func TestAnotherServiceFailsAtTheSecureRung(t *testing.T) {
	quiet, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = quiet.Close() })
	_, port, _ := net.SplitHostPort(quiet.Addr().String())
	for _, ty := range []connectors.Type{postgresType(), mysqlType()} {
		var steps []connectors.Step
		env := conntest.NewWorld(t).Env
		env.Step = func(s connectors.Step) {
			if s.Done {
				steps = append(steps, s)
			}
		}
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": "127.0.0.1", "port": port, "user": "reader"}
		s.Secrets["password"] = connectors.NewSecret("practice-only-reader")
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := ty.Open(ctx, env, s)
		cancel()
		conntest.WantError(t, err, connectors.TimedOut, "", "port")
		if last := steps[len(steps)-1]; last.Stage != connectors.StageSecure || last.Err == nil {
			t.Errorf("%s ended at %+v", ty.ID, steps)
		}
		for _, step := range steps {
			if step.Stage == connectors.StageSecure && step.Err == nil {
				t.Errorf("%s calls a connection safe that was never encrypted", ty.ID)
			}
		}
	}
}
