package amqpx

import (
	"strings"
	"testing"
)

func TestAddressesArePasted(t *testing.T) {
	for in, want := range map[string]string{
		"amqp://reader:secret@rabbit.example.com:5673/prod":     "rabbit.example.com 5673 reader prod none",
		"amqps://rabbit.example.com":                            "rabbit.example.com    tls",
		"AMQPS://u%40x@rabbit.example.com/%2f?heartbeat=10":     "rabbit.example.com  u@x / tls",
		"amqp://u:p@[::1]:5672/a%2Fb":                           "::1 5672 u a/b none",
		"amqp://u:p@ss/w0rd@rabbit.example.com:5672/vh":         "rabbit.example.com 5672 u vh none",
		"amqp://u:p?x=1@rabbit.example.com/vh?connection_limit": "rabbit.example.com  u vh none",
		"amqp://u:p@rabbit.example.com/":                        "rabbit.example.com  u  none",
		"https://rabbit.example.com:15671":                      "",
		"rabbit.example.com":                                    "",
		"amqp://":                                               "",
	} {
		m := split(in, "vhost")
		got := ""
		if m != nil {
			got = strings.Join([]string{m["host"], m["port"], m["user"], m["vhost"], m["security"]}, " ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
		for key, v := range m {
			if strings.Contains(v, "secret") || strings.Contains(v, "w0rd") {
				t.Errorf("%s: the password is in %s", in, key)
			}
		}
		if want != "" && TidyHost(in) != m["host"] {
			t.Errorf("%s: tidied to %q", in, TidyHost(in))
		}
	}
}
