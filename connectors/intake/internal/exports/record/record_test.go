package record_test

import (
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
)

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"Benutzername": "user", "Mot de passe": "password", "Contraseña": "password", "Hôte": "host", "User-Name": "user", "DB_HOST": "host", "login_uri": "url", "clientSecret": "client_secret", "Tenant ID": "tenant",
		"AWS_SECRET_ACCESS_KEY": "secret_key", "Datenbank": "database", "weather": "", "": "", "--": "",
	} {
		if got := record.Canonical(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestTypeOf(t *testing.T) {
	types := all.All()
	for word, want := range map[string]string{"PostgreSQL": "postgres", "mysql.8": "mysql", "jdbc:sqlserver": "sqlserver", "SQL Server (jTDS)": "sqlserver", "SFTP server": "sftp", "zendesk": "zendesk", "RDP": "", "": ""} {
		if got := record.TypeOf(types, word); got != want {
			t.Errorf("%q is %q, want %q", word, got, want)
		}
	}
}

// Settle drops what no form may be opened with, and names it.
func TestSettle(t *testing.T) {
	types := all.All()
	r := part.As("mqtt")
	r.Set("host", "files.example.com")
	r.Set("port", "many")
	r.Set("auth", "password")
	r.Set("nonsense", "x")
	r.SetSecret("client_key", "practice-only-secret")
	r.SetSecret("password", "practice-only-key-text")
	r.Note("It was practice-only-key-text.")
	found := record.Settle(types, part.Found{Items: []part.Item{{Name: "x practice-only-key-text", Readings: []part.Reading{r, part.As("unknown")}}}})
	if len(found.Items) != 1 || len(found.Items[0].Readings) != 1 || strings.Contains(found.Items[0].Name, "only") {
		t.Fatalf("%+v", found)
	}
	got := found.Items[0].Readings[0]
	if got.Settings.Plain["port"] != "" || got.Settings.Plain["nonsense"] != "" || !got.Settings.Secrets["client_key"].Empty() || got.Settings.Secrets["password"].Empty() || len(got.Left) != 3 || strings.Contains(got.Notes[0], "only") {
		t.Errorf("%+v %v", got, got.Left)
	}
	if r.Settings.Plain["port"] != "many" {
		t.Error("what was handed in is changed")
	}
}

// A value never hides what was answered before.
func TestAFormKeepsItsAnswers(t *testing.T) {
	ty, _ := connectors.Find(all.All(), "sftp")
	f := record.NewForm(ty)
	if why := f.Answer("password", "practice-only"); why != "" {
		t.Error(why)
	}
	if why := f.Answer("agent_key", "x"); why == "" {
		t.Error("an answer hides others")
	}
	if why := f.Answer("auth", "agent"); why == "" || f.R.Settings.Plain["auth"] == "agent" {
		t.Error("a choice hides answers")
	}
}
