package answers

import (
	"strings"
	"testing"
)

func TestTidyPEMOutOfAMailsReply(t *testing.T) {
	want := "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"
	for _, mark := range []string{"> ", ">", ">> ", "> > "} {
		quoted := mark + strings.ReplaceAll(strings.TrimSpace(want), "\n", "\r\n"+mark) + "\r\n"
		if got := TidyPEM(quoted); got != want {
			t.Errorf("%q: %q", mark, got)
		}
	}
}
