package health_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
	"jackfield/platform/journal"
)

func command(name string, args ...string) *exec.Cmd { return exec.Command(name, args...) }

const (
	childVar = "JACKFIELD_TEST_HISTORY"
	kept     = "00000000-0000-4000-8000-000000000001"
	each     = 40
)

// TestMain is also the second program that writes into a history.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		if err := write(dir, os.Getenv(childVar+"_AS")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// write records results, each with a name of its own.
func write(dir, who string) error {
	j, err := journal.Open(dir)
	if err != nil {
		return err
	}
	board := health.New(nil, j, health.Options{})
	for i := range each {
		r := &link.Result{State: link.OK, Facts: []connectors.Fact{{Label: "Account", Text: fmt.Sprintf("%s %d", who, i)}}}
		if err := board.Record(context.Background(), link.Connection{ID: kept}, r, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func TestSecurity78_TwoProgramsWriteOneHistoryAndLoseNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "history")
	j, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	board := health.New(nil, j, health.Options{})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for _, who := range []string{"first", "second"} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), childVar+"="+dir, childVar+"_AS="+who)
		both.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	done := make(chan struct{})
	go func() { both.Wait(); close(done) }()
	most := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		data, err := j.Read(t.Context(), kept)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		lines := bytes.Count(data, []byte("\n"))
		list, err := board.History(t.Context(), kept)
		if err != nil || len(list) < lines || lines < most {
			t.Fatalf("%d lines, %d entries, %d before: %v", lines, len(list), most, err)
		}
		most = lines
	}
	list, err := board.History(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range list {
		seen[e.Account] = true
	}
	if len(list) != 2*each || len(seen) != 2*each {
		t.Errorf("%d entries, %d of them different, want %d", len(list), len(seen), 2*each)
	}
}

func TestAHistoryIsSmallAndKeepsWhatChanged(t *testing.T) {
	r := newRoom(t)
	c := link.Connection{ID: kept, State: link.OK}
	for i := range 40 * 96 { // a check every 15 minutes for 40 days
		res := &link.Result{State: link.OK}
		if i%700 == 699 {
			res = &link.Result{State: link.Failed, Err: &connectors.Error{Code: connectors.TimedOut, Said: "practice-only-said"}}
		}
		if i < 30*96 && i%12 != 0 && i%700 < 690 { // most of what is thinned anyway is left out, for the time it takes
			r.later(15 * time.Minute)
			continue
		}
		if err := r.board.Record(t.Context(), c, res, 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		r.later(15 * time.Minute)
	}
	list, err := r.board.History(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	failed, days := 0, map[string]bool{}
	for _, e := range list {
		if e.State == link.Failed {
			failed++
		}
		days[e.At.Local().Format(time.DateOnly)] = true
	}
	if len(list) > 300 || failed != 4 || len(days) < 30 || r.now().Sub(list[0].At) > 31*24*time.Hour {
		t.Errorf("%d entries, %d failures, %d days, from %s", len(list), failed, len(days), list[0].At)
	}
	data, err := os.ReadFile(filepath.Join(r.dir, "history", kept+".log"))
	if err != nil || len(data) > 32<<10 || bytes.Contains(data, []byte("said")) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestADamagedLineCostsOneResult(t *testing.T) {
	r := newRoom(t)
	for range 3 {
		r.later(time.Minute)
		if err := r.board.Record(t.Context(), link.Connection{ID: kept}, &link.Result{State: link.OK}, 0); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(r.dir, "history", kept+".log")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines[1] = []byte("{\"at\":\x00\n")
	if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := r.board.History(t.Context(), kept)
	if err != nil || len(list) != 2 {
		t.Errorf("%d entries, %v", len(list), err)
	}
	if err := r.board.Forget(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(r.dir, "history", kept+"*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSecurity72_TheBoardsExportsRunNothing(t *testing.T) {
	hostile := "=HYPERLINK(\"http://evil.example\")"
	row := health.Row{Connection: link.Connection{Name: hostile, Type: "postgres", State: link.Failed, Account: "@cmd", Problem: &connectors.Problem{Code: connectors.AuthFailed, Title: "<script>alert(1)</script>", Hint: "+1"}},
		Held: &health.Held{Why: health.WhyRefused, Code: connectors.AuthFailed}}
	tab := health.Row{Connection: link.Connection{Name: "\t=1", Type: "-x", State: link.OK}}
	cells, err := csv.NewReader(bytes.NewReader(health.CSV([]health.Row{row, tab}))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range cells[1:] {
		for i, v := range line {
			if v != "" && strings.ContainsRune("=+-@\t\r\x00", rune(v[0])) {
				t.Errorf("%s is %q", cells[0][i], v)
			}
		}
	}
	if cells[1][0] != "'"+hostile || !strings.HasPrefix(cells[2][0], "'") {
		t.Errorf("%q", cells)
	}
	page, err := health.HTML([]health.Row{row, tab}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	if strings.Contains(text, "<script") || strings.Contains(text, "href") || strings.Contains(text, "src=") || !strings.Contains(text, "&lt;script&gt;") || !strings.Contains(text, "default-src 'none'") {
		t.Error(text)
	}
	data, err := health.JSON([]health.Row{row, tab})
	var lines []map[string]any
	if err != nil || json.Unmarshal(data, &lines) != nil || lines[0]["not_tried"].(map[string]any)["why"] != "refused" || len(lines[1]["days"].([]any)) != 30 {
		t.Errorf("%s %v", data, err)
	}
}
