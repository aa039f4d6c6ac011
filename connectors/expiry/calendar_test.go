package expiry_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jackfield/connectors/expiry"
)

// reader reads a calendar with a library of others, and says what is in it.
const reader = `
import sys, json
from icalendar import Calendar
cal = Calendar.from_ical(open(sys.argv[1], 'rb').read())
out = []
for e in cal.walk('VEVENT'):
    alarms = [str(a['TRIGGER'].to_ical(), 'ascii') for a in e.walk('VALARM')]
    out.append({'uid': str(e['UID']), 'start': e['DTSTART'].dt.isoformat(), 'end': e['DTEND'].dt.isoformat(), 'summary': str(e['SUMMARY']),
                'description': str(e['DESCRIPTION']), 'sequence': int(e['SEQUENCE']), 'alarms': alarms, 'errors': [str(x) for x in e.errors]})
print(json.dumps({'name': str(cal['X-WR-CALNAME']), 'events': out, 'errors': [str(x) for x in cal.errors]}))
`

type event struct {
	UID, Start, End, Summary, Description string
	Sequence                              int
	Alarms, Errors                        []string
}

// understood is a calendar as python3-icalendar reads it.
func understood(t *testing.T, data []byte) []event {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ends.ics")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", reader, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v (python3-icalendar is needed)\n%s", err, out)
	}
	var got struct {
		Events []event
		Errors []string
	}
	if err := json.Unmarshal(out, &got); err != nil || len(got.Errors) > 0 {
		t.Fatalf("%v %s", err, out)
	}
	return got.Events
}

func TestACalendarIsRead(t *testing.T) {
	now := time.Date(2028, 2, 20, 8, 0, 0, 0, time.UTC)
	hostile := "Kunde; Müller, a\\b\u202egpj.exe\r\nATTACH:file:///etc/passwd " + strings.Repeat("日本語", 20)
	items := []expiry.Item{
		{UID: "0001", Connection: "Partner API", What: "Client secret", Kind: expiry.ClientSecret, Basis: expiry.Typed, AllDay: true, When: time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), Next: "Make a second one; then, delete the old one."},
		{UID: "0002", Connection: hostile, What: hostile, Kind: expiry.Certificate, Basis: expiry.Read, When: time.Date(2028, 2, 29, 23, 30, 0, 0, time.UTC), Next: hostile},
		{UID: "0003", Connection: "Old key", What: "Private key", Kind: expiry.KeyAge, Basis: expiry.Estimated, Since: now, When: time.Date(2028, 12, 31, 23, 30, 0, 0, time.UTC)},
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	data := expiry.Calendar(items, expiry.English(), berlin, now)
	for l := range bytes.SplitSeq(bytes.TrimSuffix(data, []byte("\r\n")), []byte("\r\n")) {
		if len(l) > 75 || bytes.ContainsAny(l, "\r\n") || len(l) == 0 {
			t.Errorf("%d octets: %q", len(l), l)
		}
	}
	if !bytes.HasSuffix(data, []byte("END:VCALENDAR\r\n")) || bytes.Contains(data, []byte("\r\nATTACH")) {
		t.Errorf("%s", data)
	}
	got := understood(t, data)
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	for n, want := range []struct{ start, end string }{{"2028-02-29", "2028-03-01"}, {"2028-03-01", "2028-03-02"}, {"2029-01-01", "2029-01-02"}} {
		e := got[n]
		if e.Start != want.start || e.End != want.end || e.UID != items[n].UID+"@jackfield" || strings.Join(e.Alarms, " ") != "-P30D -P7D -P1D" || len(e.Errors) > 0 {
			t.Errorf("%+v", e)
		}
	}
	if got[0].Summary != "Partner API: Client secret ends" || got[0].Description != "Make a second one; then, delete the old one.\nThe date was typed." {
		t.Errorf("%+v", got[0])
	}
	if s := got[1].Summary; strings.ContainsAny(s, "\u202e\r\n") || !strings.HasPrefix(s, `Kunde; Müller, a\b`) || !strings.Contains(s, "日本語") {
		t.Errorf("%q", s)
	}
	// Read again after a week, the same event has moved.
	items[0].When = items[0].When.AddDate(1, 0, 1)
	later := understood(t, expiry.Calendar(items, expiry.English(), berlin, now.AddDate(0, 0, 7)))
	if later[0].UID != got[0].UID || later[0].Sequence <= got[0].Sequence || later[0].Start != "2029-03-02" {
		t.Errorf("%+v", later[0])
	}
	if none := expiry.Calendar(nil, expiry.English(), time.UTC, now); len(understood(t, none)) != 0 {
		t.Errorf("%s", none)
	}
}

func TestATableHasNoFormulas(t *testing.T) {
	data := expiry.CSV([]expiry.Item{{Connection: "=cmd|'/c calc'!A1", What: "@sum, \"x\"", Next: "-1", Kind: expiry.Password, AllDay: true, When: time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)}})
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "'=cmd|'/c calc'!A1" || rows[1][4] != "'@sum, \"x\"" || rows[1][9] != "'-1" || rows[1][5] != "2028-02-29" {
		t.Errorf("%v %v", rows, err)
	}
}
