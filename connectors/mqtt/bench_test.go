package mqtt

import (
	"os/exec"
	"strconv"
	"testing"
	"time"

	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestMain(m *testing.M) { conntest.Main(m, Type()) }

// BenchmarkWatch50k receives 50,000 messages while mosquitto_sub receives the
// same ones from the same broker. Both are there before the first is published:
// their times differ only where one of them falls behind.
func BenchmarkWatch50k(b *testing.B) { watch50k(b, "3.1.1") }

// BenchmarkWatch50kMQTT5 is the same with this program speaking MQTT 5.
func BenchmarkWatch50kMQTT5(b *testing.B) { watch50k(b, "5") }

func watch50k(b *testing.B, version string) {
	const many = 50_000
	br := startBroker(b)
	br.version = version
	sub := server.Program(b, "mosquitto_sub", "mosquitto-clients")
	job := conntest.NewJob(Type(), br.settings("tcp", br.plain), "flood", many)
	job.Watch = true
	var ours, theirs conntest.Usage
	for b.Loop() {
		native := exec.Command(sub, "-h", "127.0.0.1", "-p", strconv.Itoa(br.plain), "-u", "reader", "-P", "reader-practice", "-t", "flood/#", "-C", strconv.Itoa(many))
		got := make(chan conntest.Usage, 1)
		go func() { got <- conntest.Measure(b, native, many, nil) }()
		publisher := feed(br, "flood/x", many)
		go func() {
			time.Sleep(time.Second) // until both have subscribed
			_ = publisher.Run()
		}()
		ours.Add(conntest.Measure(b, job.Command(b), many, nil))
		theirs.Add(<-got)
	}
	conntest.Report(b, "mosquitto_sub", ours, theirs)
}
