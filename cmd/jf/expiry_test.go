package main

import (
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// unsigned is a token that ends then; nothing here asks who signed it.
func unsigned(end time.Time) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":"practice-only","exp":%d}`, end.Unix())) + "."
}

func TestExpiryTellsACronJob(t *testing.T) {
	d := bareDesk(t)
	d.jf("expiry").exits(exitFine).says("Nothing ends within 30d")
	now := time.Now()
	d.with(unsigned(now.AddDate(0, 0, 20)), "new", "jwt_token", "Gateway", "--secret", "token=-").exits(exitFine)
	d.with(unsigned(now.AddDate(2, 0, 0)), "new", "jwt_token", "=Far", "--secret", "token=-").exits(exitFine)
	d.with("practice-only", "new", "dynamics365", "CRM", "--set", "auth=app", "--secret", "client_secret=-").exits(exitFine)

	d.jf("expiry", "--within", "10d").exits(exitFine).says("Nothing ends within 10d", "3")
	r := d.jf("expiry").exits(exitSaidNo).says("Gateway", "19 days", "read")
	if strings.Contains(r.out+r.err, "Far") || strings.Contains(r.out+r.err, "eyJ") {
		t.Errorf("%s%s", r.out, r.err)
	}
	d.jf("expiry", "=Far").exits(exitFine)
	d.jf("expiry", "--within", "400d", "CRM").exits(exitFine).says("reminder") // a reminder is no reason to wake anybody
	d.jf("expiry", "CRM", "--set", "client_secret="+now.AddDate(0, 0, 3).Format(time.DateOnly)).exits(exitFine).says("Saved: CRM")
	d.jf("expiry", "CRM", "--within", "1w").exits(exitSaidNo).says("Client secret", "typed")
	d.jf("expiry", "CRM", "--set", "client_secret=").exits(exitFine)
	d.jf("expiry", "CRM").exits(exitFine)

	var doc struct {
		Items   []map[string]any
		Watched int
		Unread  []any
	}
	d.jf("expiry", "--json").exits(exitSaidNo).into(&doc)
	if len(doc.Items) != 3 || doc.Watched != 3 || doc.Unread == nil {
		t.Fatalf("%+v", doc)
	}
	for _, i := range doc.Items {
		has(t, i, "connection_id connection type field kind label what when all_day sure basis level next uid")
	}
	rows, err := csv.NewReader(strings.NewReader(d.jf("expiry", "--format", "csv").exits(exitSaidNo).out)).ReadAll()
	if err != nil || len(rows) != 4 || rows[3][0] != "'=Far" {
		t.Errorf("%v %v", rows, err)
	}
	file := filepath.Join(t.TempDir(), "ends.ics")
	d.jf("expiry", "--format", "ics", "--out", file).exits(exitSaidNo).says("Written")
	data, err := os.ReadFile(file)
	if err != nil || strings.Count(string(data), "BEGIN:VEVENT\r\n") != 3 || !strings.Contains(string(data), "SUMMARY:Gateway: Token ends\r\n") {
		t.Errorf("%s %v", data, err)
	}
}

func TestExpiryIsToldWhatIsWrong(t *testing.T) {
	d := bareDesk(t)
	d.with("practice-only", "new", "dynamics365", "CRM", "--set", "auth=app", "--secret", "client_secret=-").exits(exitFine)
	for _, args := range [][]string{{"--within", "soon"}, {"--within", "-1d"}, {"--format", "xml"}, {"--set", "client_secret=2027-01-31"}, {"CRM", "--set", "client_secret"},
		{"CRM", "--set", "client_secret=2027-02-30"}, {"CRM", "--set", "nothing=2027-01-31"}, {"Nobody"}} {
		d.jf(append([]string{"expiry"}, args...)...).exits(exitWrongUse)
	}
}
