package web

import (
	"strings"
	"testing"
)

// What people paste into the wrong field of a file or office service has a
// sentence of its own.
func TestMixedUpAnswersOfFileServices(t *testing.T) {
	const guid = "00000000-0000-0000-0000-000000000000"
	client := `{"installed": {"client_id": "x", "client_secret": "y"}}`
	for _, c := range []struct{ service, field, answer, says string }{
		{"dropbox", "client_id", "sl.practice-only", "access token"},
		{"dropbox", "access_token", "000000000000abc", "App key or App secret"},
		{"dropbox", "folder", "Sales/Reports", "slash"},
		{"dropbox", "folder", "https://www.dropbox.com/home/Annual%20report", "with its spaces"},
		{"google_drive", "client_id", "GOCSPX-practice-only", "client secret"},
		{"google_drive", "client_id", "123456789012", "number only"},
		{"google_drive", "client_secret", "000-practice.apps.googleusercontent.com", "client ID"},
		{"google_drive", "key_file", client, "client ID"},
		{"google_drive", "key_file", "-----BEGIN PRIVATE KEY-----\nx", "whole JSON file"},
		{"google_sheets", "spreadsheet", "https://docs.google.com/spreadsheets/d/e/2PACX-000000000000000000000/pubhtml", "published to the web"},
		{"google_sheets", "spreadsheet", "https://docs.google.com/forms/d/00000000000000000000000000000/edit", "form"},
		{"google_sheets", "spreadsheet", "https://drive.google.com/drive/folders/000000000000000000000", "folder"},
		{"google_sheets", "spreadsheet", "Budget 2024", "begins with https://docs.google.com"},
		{"google_service_account", "key_file", client, "lets people sign in"},
		{"google_service_account", "key_file", `{"type": "authorized_user"}`, "gcloud"},
		{"google_service_account", "project", "reader@acme.iam.gserviceaccount.com", "email address"},
		{"google_service_account", "bucket", "My Bucket", "small letters"},
		{"box", "client_id", "1234567", "Enterprise ID"},
		{"box", "subject_id", "mira@example.com", "email address"},
		{"box", "subject_id", "0000000000000000000000000000practice", "client ID"},
		{"microsoft_graph", "tenant", "mira@acme.example", "email address"},
		{"microsoft_graph", "client_id", "practice~only", "client secret"},
		{"microsoft_graph", "client_secret", guid, "Secret ID"},
		{"slack", "token", "xapp-practice-only", "app-level token"},
		{"slack", "token", "xoxe-practice-only", "refresh token"},
		{"slack", "token", "https://hooks.slack.com/services/practice", "webhook"},
		{"slack", "token", strings.Repeat("0", 32), "signing secret"},
		{"notion", "token", guid, "ID of an integration"},
		{"notion", "token", "https://www.notion.so/Plan-0000", "address of a page"},
	} {
		t.Run(c.service+" "+c.field+" "+c.says, func(t *testing.T) {
			v, err := typed(t, c.service, c.field, c.answer)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q: %v, want %q in it", v, err, c.says)
			}
		})
	}
}

// What people paste from the browser is put right.
func TestPastedPlacesOfFileServices(t *testing.T) {
	const sheet = "0000000000000000000000000000000000000000abcd"
	for _, c := range []struct{ service, field, pasted, want string }{
		{"dropbox", "folder", "/", ""},
		{"dropbox", "folder", "/Sales/Annual report/", "/Sales/Annual report"},
		{"dropbox", "folder", "https://www.dropbox.com/home/Sales", "/Sales"},
		{"dropbox", "access_token", "Bearer sl.practice-only-token-000000", "sl.practice-only-token-000000"},
		{"google_sheets", "spreadsheet", "https://docs.google.com/spreadsheets/d/" + sheet + "/edit?gid=0#gid=0", sheet},
		{"google_sheets", "spreadsheet", "https://docs.google.com/spreadsheets/u/1/d/" + sheet + "/edit", sheet},
		{"google_sheets", "spreadsheet", sheet, sheet},
		{"google_service_account", "bucket", "gs://acme-reports/june/", "acme-reports"},
		{"google_service_account", "bucket", "https://console.cloud.google.com/storage/browser/acme-reports;tab=objects", "acme-reports"},
		{"google_service_account", "project", "https://console.cloud.google.com/welcome?project=acme-reports", "acme-reports"},
		{"microsoft_graph", "tenant", "https://acme.onmicrosoft.com/", "acme.onmicrosoft.com"},
		{"slack", "token", ` "xoxb-practice-only" `, "xoxb-practice-only"},
	} {
		if v, err := typed(t, c.service, c.field, c.pasted); v != c.want || err != nil {
			t.Errorf("%s makes %q of %q, want %q: %v", c.service, v, c.pasted, c.want, err)
		}
	}
}

// typed is an answer as the form keeps it, and what the form says of it.
func typed(t *testing.T, service, key, v string) (string, error) {
	t.Helper()
	f, ok := catalogued(t, service).Form.Field(key)
	if !ok || f.Valid == nil {
		t.Fatalf("%s of %s has no rule", key, service)
	}
	if f.Tidy != nil {
		v = f.Tidy(v)
	}
	if v == "" {
		return v, nil // what is left empty is not judged
	}
	return v, f.Valid(v)
}
