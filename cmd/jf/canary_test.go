package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest"
	"jackfield/connectors/web"
)

const canary = "Canary-7f3b-Practice"

// shapes are the ways in which a secret might be written down.
func shapes(secret string) []string {
	b := []byte(secret)
	wide := make([]byte, 0, 2*len(b))
	for _, c := range b {
		wide = append(wide, c, 0)
	}
	out := []string{secret, strings.ToUpper(secret), hex.EncodeToString(b), string(wide)}
	// Base64 of it at each of three offsets, without the characters that depend
	// on what stands around it.
	for pad := range 3 {
		e := base64.StdEncoding.EncodeToString(append(make([]byte, pad), b...))
		out = append(out, e[4:len(e)-4])
	}
	return out
}

// clean fails if a secret is in what was said or in a file of the desk.
func (d *desk) clean(where string, secrets []string, said string) {
	d.t.Helper()
	for _, secret := range secrets {
		for _, s := range shapes(secret) {
			if i := strings.Index(said, s); i >= 0 {
				d.t.Errorf("%s: a secret is in the output: %q", where, said[max(0, i-80):min(len(said), i+80)])
			}
		}
	}
	for _, dir := range []string{d.home, d.tmp} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			for _, secret := range secrets {
				for _, s := range shapes(secret) {
					if strings.Contains(string(data), s) || strings.Contains(path, s) {
						d.t.Errorf("%s: a secret is in the file %s", where, path)
					}
				}
			}
			return err
		})
		if err != nil {
			d.t.Error(err)
		}
	}
}

// filled answers every field of a form: plain ones with their default, example
// or something of their kind that leads to a closed port, secrets with a canary.
func filled(f connectors.Form, choose map[string]string, host, port string) (plain, secret map[string]string) {
	plain, secret = map[string]string{}, map[string]string{}
	for _, field := range f.Fields {
		v := field.Default
		switch {
		case field.Kind.Secret():
			secret[field.Key] = canary + "-" + field.Key
			continue
		case choose[field.Key] != "":
			v = choose[field.Key]
		case field.Key == "host":
			v = host
		case field.Key == "port":
			v = port
		case field.Kind == connectors.URL:
			v = "http://" + host + ":" + port
		case v == "":
			v = field.Example
		}
		plain[field.Key] = v
	}
	return plain, secret
}

// ways are the answers that bring each secret of a form into sight, and each
// option of the choice of how to sign in.
func ways(f connectors.Form) []map[string]string {
	out := []map[string]string{{}}
	add := func(choose map[string]string) {
		if !slices.ContainsFunc(out, func(have map[string]string) bool { return maps.Equal(have, choose) }) {
			out = append(out, choose)
		}
	}
	for _, field := range f.Fields {
		if field.Kind.Secret() {
			choose := map[string]string{}
			seen(f, field, choose)
			add(choose)
		}
		for _, o := range field.Options {
			if field.Key == "auth" {
				add(map[string]string{field.Key: o.Value})
			}
		}
	}
	return out
}

// seen chooses what has to be chosen for a field to be asked.
func seen(f connectors.Form, field connectors.Field, choose map[string]string) {
	for _, c := range field.Show {
		on, ok := f.Field(c.Key)
		if _, chosen := choose[c.Key]; !ok || chosen {
			continue
		}
		choose[c.Key] = c.Is[0]
		seen(f, on, choose)
	}
}

func TestSecurity80_ACanaryInEverySecretIsNowhere(t *testing.T) {
	host, port := conntest.Closed(t)
	for _, typ := range all.All() {
		t.Run(typ.ID, func(t *testing.T) {
			d := newDesk(t)
			d.impatient = true
			// Vendors' own addresses are not reached either: the way there is closed.
			d.env = append(d.env, "BROWSER=/bin/true", "CANARY="+canary+"-env", "HTTPS_PROXY=http://"+net.JoinHostPort(host, port), "HTTP_PROXY=http://"+net.JoinHostPort(host, port))
			// The catalogue's services share one engine, which the type "http" goes
			// through in full; what differs is their forms.
			_, sameEngine := web.Service(typ.ID)
			said := ""
			for i, choose := range ways(typ.Form) {
				plain, secret := filled(typ.Form, choose, host, port)
				args := []string{"new", typ.ID, "One", "-v"}
				if i > 0 {
					args = []string{"edit", "One", "-v"}
				}
				for k, v := range plain {
					args = append(args, "--set", k+"="+v)
				}
				stdin := ""
				for k, v := range secret {
					if stdin == "" {
						stdin = v
						args = append(args, "--secret", k+"=-")
						continue
					}
					args = append(args, "--secret", k+"=env:CANARY")
				}
				said += d.with(stdin, args...).String()
				looks := [][]string{{"link", "One", "-v"}, {"check", "One", "-v", "--json"}, {"ls", "One", "-v", "--json"}, {"show", "One", "x", "-v"}}
				if i > 0 || sameEngine {
					looks = looks[:1]
				}
				for _, look := range looks {
					r := d.jf(look...)
					if r.code == exitFine && !typ.Offline {
						t.Errorf("a closed port was fine: %s", r)
					}
					said += r.String()
				}
			}
			if !sameEngine {
				said += d.jf("list", "-v", "--json").String() + d.jf("copy", "One", "Two", "-v").String() + d.jf("rm", "Two", "-v").String()
			}
			d.clean(typ.ID, []string{canary}, said)
		})
	}
}

// words are the secret itself, or the tokens that are kept together as one.
func words(secret string) []string {
	var token struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		ID      string `json:"id_token"`
	}
	if json.Unmarshal([]byte(secret), &token) != nil {
		return []string{secret}
	}
	var out []string
	for _, text := range []string{token.Access, token.Refresh, token.ID} {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

func TestSecurity80_WhatWasIssuedAndWhatWorksIsNowhere(t *testing.T) {
	d := newDesk(t)
	s := services(t)
	said := ""
	for _, id := range []string{"http", "oauth", "ldap", "mqtt"} {
		d.save(id, id, s[id].Settings)
		said += d.jf("link", id, "-v").exits(exitFine).String() + d.jf("check", id, "-v", "--json").exits(exitFine).String() + d.jf("ls", id, "-v").exits(exitFine).String()
	}
	said += d.jf("list", "--json", "-v").String()
	for _, kv := range d.env[:4] {
		k, v, _ := strings.Cut(kv, "=")
		t.Setenv(k, v)
	}
	a := app{}
	w, err := wire.Open(wire.Options{Passphrase: a.passphrase})
	if err != nil {
		t.Fatal(err)
	}
	var secrets []string
	for _, id := range []string{"http", "oauth", "ldap", "mqtt"} {
		c, err := w.Book.ByName(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		settings, err := w.Book.Settings(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range settings.Secrets {
			secrets = append(secrets, words(v.Reveal())...)
		}
	}
	if len(secrets) < 5 {
		t.Fatalf("only %d secrets: were no tokens stored?", len(secrets))
	}
	d.clean("practice", secrets, said)
}

// A crash's text goes into terminals, logs and bug reports.
func TestSecurity80_ACrashTellsNoSecret(t *testing.T) {
	d := newDesk(t)
	host, port := conntest.Silent(t)
	d.with(canary, "new", "sftp", "Silent", "--set", "host="+host, "--set", "port="+port, "--set", "user=mira", "--secret", "password=-").exits(exitFine)
	cmd := d.command("link", "Silent", "-v")
	cmd.Env = append(cmd.Env, "GOTRACEBACK=all")
	out := waitFor(t, cmd, "connect")
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(out)
	_ = cmd.Wait()
	if !strings.Contains(string(text), "goroutine ") {
		t.Fatalf("no crash text: %s", text)
	}
	d.clean("crash", []string{canary}, string(text))
}

func TestSecurity80_ASecretOnTheCommandLineIsRefused(t *testing.T) {
	d := newDesk(t)
	r := d.jf("new", "sftp", "One", "--set", "password="+canary).exits(exitWrongUse).says("--secret password=@FILE")
	r2 := d.jf("new", "sftp", "One", "--secret", "password="+canary).exits(exitWrongUse).says("@FILE, -, env:NAME")
	d.clean("refusal", []string{canary}, r.err+r2.err)
}
