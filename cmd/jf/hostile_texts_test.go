package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors/conntest/server"
	"jackfield/connectors/intake"
)

// hurtfulTexts are what people paste, in amounts that nobody pastes.
func hurtfulTexts() []hurtful {
	text := func(s string) []byte { return []byte(s) }
	only := []string{from}
	all := []string{from, inspect, show, answer, unpack}
	var hosts strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&hosts, "Host h%d\n  HostName h%d.example.com\n", i, i)
	}
	entities := func(text string) string {
		return `<?xml version="1.0"?><!DOCTYPE l [` + text + `]><FileZilla3><Servers><Server><Host>&e;</Host></Server></Servers></FileZilla3>`
	}
	laughs, before := `<!ENTITY e9 "ha">`, "e9"
	for i := range 9 {
		name := fmt.Sprintf("e%d", 8-i)
		if i == 8 {
			name = "e"
		}
		laughs += `<!ENTITY ` + name + ` "` + strings.Repeat("&"+before+";", 10) + `">`
		before = name
	}
	anchors, last := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n", "a0"
	for i := range 9 {
		name := fmt.Sprintf("a%d", i+1)
		anchors += name + ": &" + name + " [" + strings.TrimSuffix(strings.Repeat("*"+last+",", 9), ",") + "]\n"
		last = name
	}
	return []hurtful{
		{"JSON 100,000 lists deep", text(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), all, false},
		{"JSON 100,000 objects deep", text(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)), all, false},
		{"JSON of 4 MB", text(`{"host":"db.example.com","x":[` + strings.TrimSuffix(strings.Repeat(`{},`, 1_300_000), ",") + `]}`), only, false},
		{"JSON with a million names", text(`{"host":"db.example.com"` + strings.Repeat(`,"a":1`, 650_000) + `}`), only, false},
		{"a billion laughs", text(entities(laughs)), only, false},
		{"an external entity", text(entities(`<!ENTITY e SYSTEM "file:///etc/passwd">`)), only, false},
		{"XML 100,000 deep", text(strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000)), only, false},
		{"XML of 90,000 sites", text("<FileZilla3><Servers>" + strings.Repeat("<Server><Host>h</Host></Server>", 49_000) + "</Servers></FileZilla3>"), only, false},
		{"XML with 400,000 attributes", text("<FileZilla3" + attributes(400_000) + "/>"), only, false},
		{"YAML whose anchors grow", text("services:\n  db:\n    image: postgres\n    environment:\n      POSTGRES_PASSWORD: x\n" + anchors + "environment: [*" + last + "]\n"), append([]string{from}, show), false},
		{"YAML 100,000 deep", text("environment: " + strings.Repeat("[", 100_000)), only, false},
		{"YAML of a million keys", text("environment:\n" + strings.Repeat("  - A=1\n", 120_000)), only, false},
		{"table of 600,000 rows", text("type;host;user\n" + strings.Repeat("a;b;c\n", 600_000)), only, true},
		{"table of 200,000 connections", text("type;host\n" + strings.Repeat("sftp;files.example\n", 200_000)), only, false},
		{"table of 2,000,000 columns", text("host,user" + strings.Repeat(",x", 2_000_000)), only, false},
		{"table with a cell of 4 MB", text("host,user\n\"" + strings.Repeat("a", intake.MaxSize-20)), only, false},
		{".env of 4 MB", text("DB_HOST=db.example.com\n" + strings.Repeat("A=b\n", 1_000_000)), only, false},
		{".env as long as is read", text("DB_HOST=db.example.com\n" + strings.Repeat("A_DB_HOST=b${A_DB_HOST}\n", 43_000)), only, false},
		{"ssh config of 100,000 hosts", text(hosts.String()), only, false},
		{"ssh config as long as is read", text(hosts.String()[:1<<20-100]), only, false},
		{"ssh config of one line of names", text("Host" + strings.Repeat(" a*b*c", 170_000) + "\n  User u\n"), only, false},
		{"curl command of 1 MB", text("curl https://api.example.com -H 'X: " + strings.Repeat("a", 1<<20) + "'"), only, false},
		{"curl command of 200,000 options", text("curl https://api.example.com" + strings.Repeat(" -d a", 200_000)), only, false},
		{"shell that nests 200,000 deep", text("curl " + strings.Repeat("$(", 200_000)), only, false},
		{"addresses without end", text(strings.Repeat("postgres://u@h/,", intake.MaxSize/16-1)), only, false},
		{"4 MB of signs", text(strings.Repeat(`"'{[(<`, intake.MaxSize/6-1)), only, false},
		{"4 MB of zeros", make([]byte, intake.MaxSize), only, false},
		{"4 MB in UTF-16", append([]byte{0xff, 0xfe}, bytes.Repeat([]byte("a\x00=\x00b\x00\n\x00"), intake.MaxSize/8-1)...), all, false},
		{"20 MB of lines", text(strings.Repeat("A=b\n", 5_000_000)), all, true},
		{"profile with a bomb in it", text("jackfield: profile/1\ntype: sftp\nname: A\nanswers:\n  host: x\n" + anchors), []string{from, show, unpack}, false},
		{"profile 100,000 deep", text("jackfield: profile/1\ntype: sftp\nname: A\nanswers: " + strings.Repeat("{a: ", 100_000)), only, false},
		{"100,000 profiles", text(strings.Repeat("jackfield: profile/1\n---\n", 100_000)), only, false},
	}
}

func attributes(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, " a%x=''", i)
	}
	return out.String()[:min(out.Len(), intake.MaxSize-100)]
}

// hurtfulHandovers are sealed files and requests that somebody else made.
func hurtfulHandovers(t *testing.T) []hurtful {
	dir := t.TempDir()
	key := filepath.Join(dir, "age")
	server.Run(t, server.Program(t, "age-keygen", "age"), "-o", key)
	public := strings.TrimSpace(server.Run(t, server.Program(t, "age-keygen", "age"), "-y", key))
	seal := func(plain string) []byte {
		cmd := exec.CommandContext(t.Context(), server.Program(t, "age", "age"), "-r", public)
		cmd.Stdin = strings.NewReader(plain)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// The import is to open it with this key, not with that of the caller.
	own := []string{"import FILE --dry-run --identity " + key}
	sealedAll := append([]string{answer, inspect, from, show, fill}, own...)
	costly := "age-encryption.org/v1\n-> scrypt c2FsdHNhbHRzYWx0c2FsdA 22\n" + strings.Repeat("A", 43) + "\n--- " + strings.Repeat("A", 43) + "\n" + strings.Repeat("x", 200)
	request := func(items string) []byte {
		return []byte(`{"jackfield":"request","version":1,"id":"11111111-1111-4111-8111-111111111111","created":"2027-01-01T00:00:00Z","key":"` + public + `","items":[` + items + `]}`)
	}
	asks := []string{show, fill, answer, from, unpack}
	bundle := `{"jackfield":"bundle","version":1,"connections":[`
	return []hurtful{
		{"age with a work factor of 22", []byte(costly), []string{unpack, answer, inspect, from, show, fill}, true},
		{"age with 100,000 recipients", []byte("age-encryption.org/v1\n" + strings.Repeat("-> X25519 "+strings.Repeat("A", 43)+"\n"+strings.Repeat("A", 43)+"\n", 100_000)), sealedAll, false},
		{"age with one line of 10 MB", []byte("age-encryption.org/v1\n-> " + strings.Repeat("a ", 5<<20)), sealedAll, false},
		{"bundle that unpacks to 15 MB", seal(strings.Repeat(" ", 15<<20)), own, false},
		{"bundle of 100,000 connections", seal(bundle + strings.TrimSuffix(strings.Repeat(`{"id":"1","type":"sftp","name":"a"},`, 100_000), ",") + "]}"), own, false},
		{"bundle 100,000 deep", seal(`{"jackfield":"bundle","version":1,"connections":` + strings.Repeat("[", 100_000)), own, false},
		{"bundle with an answer of 7 MB", seal(bundle + `{"id":"1","type":"sftp","name":"a","plain":{"host":"` + strings.Repeat("a", 7<<20) + `"}}]}`), own, false},
		{"bundle with signs that change the screen", seal(bundle + `{"id":"1","type":"sftp","name":"\u001b[2J\u202e` + strings.Repeat("a", 100_000) + `","plain":{"host":"\u001b]0;x\u0007"}}]}`), own, false},
		{"request of 100,000 connections", request(strings.TrimSuffix(strings.Repeat(`{"type":"sftp"},`, 60_000), ",")), asks, false},
		{"request of 15 MB", request(strings.TrimSuffix(strings.Repeat(`{"type":"sftp"},`, 900_000), ",")), asks, true},
		{"request 100,000 deep", request(strings.Repeat("[", 100_000)), asks, false},
		{"request with long answers", request(`{"type":"sftp","name":"\u001b[2J\u202e","plain":{"host":"` + strings.Repeat("a", 900_000) + `"}}`), asks, false},
		{"request that asks 100,000 times", request(`{"type":"sftp","ask":["host"` + strings.Repeat(`,"host"`, 99_999) + `]}`), asks, false},
	}
}
