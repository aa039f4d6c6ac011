package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors/conntest/server"
)

// Templates look methods up by name. Once the program contains them, the linker
// has to keep every exported method of every library: jf was 70 MB, and is 61
// without. Cobra links its own templates only where they are used.
func TestNoTemplateMakesTheProgramLarge(t *testing.T) {
	cmd := exec.Command(server.Program(t, "go", "golang-go"), "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, ".")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		seen = seen || words[0] == "jackfield/cmd/jf"
		for _, p := range []string{"text/template", "html/template"} {
			if strings.HasPrefix(words[0], "jackfield/") && slices.Contains(words[1:], p) {
				t.Errorf("%s imports %s", words[0], p)
			}
		}
		if strings.HasPrefix(words[0], "fyne.io/") {
			t.Errorf("the window's toolkit is in jf: %s", words[0])
		}
	}
	if !seen {
		t.Error("the program's own package is not in its list")
	}
}
