package mqtt

import (
	"bufio"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// BenchmarkWatch50k receives 50,000 messages while mosquitto_sub receives the
// same ones from the same broker, and compares the times until each has them all.
func BenchmarkWatch50k(b *testing.B) {
	const many = 50_000
	br := startBroker(b)
	sub := server.Program(b, "mosquitto_sub", "mosquitto-clients")
	var ours, theirs time.Duration
	for b.Loop() {
		s := openOne(b, br.settings("tcp", br.plain))
		cmd := exec.Command(sub, "-h", "127.0.0.1", "-p", strconv.Itoa(br.plain), "-u", "reader", "-P", "reader-practice", "-t", "flood/#", "-C", strconv.Itoa(many))
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // until it has subscribed
		start := time.Now()
		native := make(chan time.Duration, 1)
		go func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
			}
			native <- time.Since(start)
		}()
		publisher := feed(br, "flood/x", many)
		if err := publisher.Start(); err != nil {
			b.Fatal(err)
		}
		n := uint64(0)
		for e, err := range s.(connectors.Streamer).Watch(b.Context(), "flood") {
			if err != nil {
				b.Fatal(err)
			}
			if n += 1 + e.Dropped; n >= many {
				break
			}
		}
		ours += time.Since(start)
		theirs += <-native
		_ = cmd.Wait()
		_ = publisher.Wait()
		_ = s.Close()
	}
	b.ReportMetric(float64(ours)/float64(theirs), "total/mosquitto_sub")
}
