package mqtt

import (
	"context"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// A CONNACK of five bytes that announces 256 MiB.
func TestSecurity64_APacketsAnnouncedSizeIsNotBelieved(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte{0x20, 0xff, 0xff, 0xff, 0x7f})
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	for _, version := range []string{"3.1.1", "5"} {
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(l.Addr().(*net.TCPAddr).Port), "transport": "tcp", "auth": "anonymous", "protocol": version}
		announced(t, s)
	}
}

func announced(t *testing.T, s connectors.Settings) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := Type().Open(ctx, conntest.NewWorld(t).Env, s)
	runtime.ReadMemStats(&after)
	if e := connectors.Classify(err); e == nil || e.Reason != "mqtt.not_mqtt" {
		t.Errorf("%v", err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("%d MiB were allocated", grown>>20)
	}
}

func TestSplitUnderstandsPastedAddresses(t *testing.T) {
	for in, want := range map[string]string{"mqtts://u@b.example.com:8884": "tls b.example.com 8884 u", "wss://b.example.com/mqtt": "wss b.example.com  ", "http://b.example.com": "none"} {
		m := split(in)
		got := "none"
		if m != nil {
			got = strings.Join([]string{m["transport"], m["host"], m["port"], m["user"]}, " ")
		}
		if got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}
