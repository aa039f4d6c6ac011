package clipboard

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// screen starts an X server without a screen.
func screen(t *testing.T) {
	t.Helper()
	for n := 120; n < 180; n++ {
		display := fmt.Sprint(":", n)
		c := exec.Command("Xvfb", display, "-screen", "0", "64x64x24", "-nolisten", "tcp")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = c.Wait(); close(ended) }()
		for up := false; !up; {
			select {
			case <-ended: // the number is taken
				up = true
			default:
				time.Sleep(20 * time.Millisecond)
				if exec.Command("xclip", "-display", display, "-selection", "secondary", "-o").Run() == nil || socket(n) {
					t.Cleanup(func() { _ = c.Process.Kill(); <-ended })
					t.Setenv("DISPLAY", display)
					t.Setenv("WAYLAND_DISPLAY", "")
					return
				}
			}
		}
	}
	t.Fatal("no free display")
}

func socket(n int) bool {
	_, err := os.Stat(fmt.Sprint("/tmp/.X11-unix/X", n))
	return err == nil
}

func paste(t *testing.T, target string) string {
	t.Helper()
	out, err := exec.Command("xclip", "-selection", "clipboard", "-o", "-target", target).CombinedOutput()
	if err != nil {
		return "error: " + string(out)
	}
	return string(out)
}

func TestSecurity80_ACopiedSecretIsMarkedForThoseWhoKeepAHistory(t *testing.T) {
	screen(t)
	const text = "practice-only-päss 🔑"
	if err := CopySecret(text); err != nil {
		t.Fatal(err)
	}
	if got := paste(t, "UTF8_STRING"); got != text {
		t.Errorf("%q", got)
	}
	if got := paste(t, hint); got != "secret" {
		t.Errorf("%q", got)
	}
	if got := paste(t, "TARGETS"); !strings.Contains(got, hint) || !strings.Contains(got, "UTF8_STRING") {
		t.Errorf("%q", got)
	}
	if got := paste(t, "image/png"); !strings.HasPrefix(got, "error") {
		t.Errorf("%q", got)
	}
	c := exec.Command("xclip", "-selection", "clipboard", "-i")
	c.Stdin = strings.NewReader("another")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if got := paste(t, "UTF8_STRING"); got != "another" {
		t.Errorf("%q", got)
	}
	if err := CopySecret(strings.Repeat("x", most+1)); err == nil {
		t.Error("so much was taken")
	}
}

func TestWithoutAScreenItCannotBeMarked(t *testing.T) {
	t.Setenv("DISPLAY", "")
	if err := CopySecret("practice-only"); err == nil {
		t.Error("it was taken")
	}
}
