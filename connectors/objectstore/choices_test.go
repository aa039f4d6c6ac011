package objectstore

import (
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestBucketsAndFoldersAreOffered(t *testing.T) {
	ty := compatible()
	g := startVersity(t, nil)
	for _, more := range [][]string{nil, {"bucket", "reports"}, {"bucket", "reports", "folder", "2026"}} {
		s := conntest.Open(t, ty, settings(ty, g.answers(more...)...))
		if got, err := conntest.Choices(t, s, "bucket"); err != nil || !slices.Equal(got, []string{"empty", "many", "reports"}) {
			t.Errorf("with %q: %q, %v", more, got, err)
		}
		got, err := conntest.Choices(t, s, "folder")
		if more == nil {
			if e := connectors.Classify(err); e == nil || e.Code != connectors.BadInput || e.Field != "bucket" {
				t.Errorf("folders of no bucket: %q, %v", got, err)
			}
		} else if err != nil || !slices.Equal(got, []string{"2026", "odd"}) {
			t.Errorf("with %q: folders %q, %v", more, got, err)
		}
	}
}

func TestWhoMayNotListBucketsIsTold(t *testing.T) {
	ty, m := compatible(), startMinIO(t, false)
	access, secret, token := temporary(t, m, server.Policy([]string{"s3:ListBucket", "s3:GetObject"}, []string{"arn:aws:s3:::reports", "arn:aws:s3:::reports/*"}))
	s := conntest.Open(t, ty, settings(ty, "endpoint", m.URL, "access_key", access, "secret_key", secret, "session_token", token, "bucket", "reports"))
	got, err := conntest.Choices(t, s, "bucket")
	if connectors.CodeOf(err) != connectors.Denied && !slices.Equal(got, []string{"reports"}) { // MinIO lists what the policy lets be seen
		t.Errorf("%q, %v: want denied, or reports alone", got, err)
	}
}
