package sftp

import "testing"

func TestTheFolderOfAPastedAddress(t *testing.T) {
	host, _ := Type().Form.Field("host")
	folder, _ := Type().Form.Field("folder")
	for pasted, want := range map[string]string{
		"sftp://mira@files.example.com":                  "",
		"sftp://mira@files.example.com/":                 "",
		"sftp://mira@files.example.com/data/reports/":    "/data/reports",
		"sftp://mira@files.example.com/~/reports":        "reports",
		"sftp://mira@files.example.com/~":                "",
		"sftp://mira@files.example.com:2222/C:/reports/": "/C:/reports",
	} {
		if got := folder.Tidy(host.Split(pasted)["folder"]); got != want {
			t.Errorf("%s: %q", pasted, got)
		}
	}
}
