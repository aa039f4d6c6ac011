package handover_test

import (
	"testing"

	"jackfield/connectors/handover"
)

func TestInsideAddresses(t *testing.T) {
	for host, want := range map[string]bool{
		"169.254.169.254": true, "[fd00:ec2::254]:80": true, "metadata.google.internal.": true, "Localhost": true, "a.localhost": true,
		"127.1": true, "2130706433": true, "0x7f.1": true, "0177.0.0.1": true, "0xA9FEA9FE": true, "::ffff:169.254.169.254": true,
		"64:ff9b::a9fe:a9fe": true, "2002:7f00:1::": true, "fe80::1%eth0": true, "10.1.2.3": true, "100.64.0.1": true, "0.0.0.0": true, "::": true, "::1": true,
		"user@127.0.0.1:22": true, "http://evil.example.com@127.0.0.1/": true, "http://127.0.0.1\\@example.com/": true, "http://%31%32%37.0.0.1/": true, "amqp://u:p@192.168.1.1/x": true,
		"db.example.com": false, "8.8.8.8": false, "256.1.1.1": false, "1.2.3.4.5": false, "localhost.example.com": false, "[2001:db8::1]:22": false, "10.example.com": false, "https://example.com/127.0.0.1": false,
	} {
		p := propose(t, book(newShelf()), handover.Bundle{Connections: []handover.Carried{{ID: "1", Type: "ldap", Name: "A", Plain: map[string]string{"host": host}}}})
		got := false
		for _, f := range p.Items[0].Flags {
			got = got || f.Kind == handover.FlagInternal
		}
		if got != want {
			t.Errorf("%s: inside is %v: %+v", host, got, p.Items[0].Flags)
		}
	}
}

func TestAnOrdinaryConnectionHasNoFlags(t *testing.T) {
	p := propose(t, book(newShelf()), handover.Bundle{Connections: []handover.Carried{
		{ID: "1", Type: "sftp", Name: "A", Plain: map[string]string{"host": "sftp.example.com", "user": "u", "folder": "/home/u", "port": "22"}, Secrets: veil("password", "/practice-only/x")},
		{ID: "2", Type: "http", Name: "B", Plain: map[string]string{"base_url": "https://api.example.com/v1", "test_path": "/v1/x", "timeout": "60"}},
	}})
	for _, item := range p.Items {
		if len(item.Flags) > 0 {
			t.Errorf("%s: %+v", item.Name, item.Flags)
		}
	}
}
