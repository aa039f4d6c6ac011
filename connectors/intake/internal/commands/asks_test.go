package commands

import (
	"strings"
	"testing"
)

// A pasted command that changes something must not be repeated by each test.
func TestAChangeIsNotRepeated(t *testing.T) {
	const json = ` -H 'Content-Type: application/json' -d `
	for text, sends := range map[string]bool{
		`curl -X POST https://api.example.com/v1/orders -u a:practice-only-1` + json + `'{"item":7}'`:                                                                              false,
		`curl -X PUT https://api.example.com/v1/orders/7 -u a:practice-only-1 -d qty=2`:                                                                                            false,
		`curl -X DELETE https://api.example.com/v1/orders/7 -u a:practice-only-1`:                                                                                                  false,
		`curl -X PATCH https://api.example.com/v1/orders/7 -u a:practice-only-1 -d qty=2`:                                                                                          false,
		`wget --post-data='a=1' --user=a --password=practice-only-1 https://api.example.com/v1/orders`:                                                                             false,
		`http POST https://api.example.com/v1/orders Authorization:'Bearer practice-only-1' item=7`:                                                                                false,
		`Invoke-RestMethod -Method Post -Uri https://api.example.com/v1/orders -Headers @{Authorization='Bearer practice-only-1'} -Body '{"item":7}'`:                              false,
		`curl https://api.example.com/graphql` + json + `'{"query":"{ viewer { login } }"}'`:                                                                                       true,
		`curl https://api.example.com/graphql` + json + `'{"query":"query Q($a: [Int] = [1]) @live { viewer(b: {c: 1}) { login } } fragment F on U { mutation }","variables":{}}'`: true,
		`curl https://api.example.com/graphql` + json + `'{"query":"mutation { deleteUser(id: 7) { id } }"}'`:                                                                      false,
		`curl https://api.example.com/graphql` + json + `'{"query":"query A { a } mutation B { b }","operationName":"B"}'`:                                                         false,
		`curl https://api.example.com/graphql` + json + `'{"query":"{ a(b: \"}\") } mutation B { b }"}'`:                                                                           false,
		`curl https://api.example.com/graphql` + json + `'{"query":"# query\nmutation { b }"}'`:                                                                                    false,
		`curl https://api.example.com/graphql` + json + `'{"query":"mutation { b }","Query":"{ a }"}'`:                                                                             false,
		`curl https://api.example.com/graphql` + json + `'{"query":"subscription { b }"}'`:                                                                                         false,
		`curl -X POST 'https://api.example.com/v4/Orders/$query' -u a:practice-only-1 -H 'Content-Type: text/plain' -d '$filter=Qty gt 1'`:                                         true,
	} {
		f, ok := read(t, text)
		if !ok {
			t.Errorf("%s\nis not read", text)
			continue
		}
		r := f.Items[0].Readings[0]
		method, body := r.Settings.Plain["test_method"], r.Settings.Plain["test_body"]
		if (method == "POST") != sends || (body != "") != sends || method != "" && method != "POST" {
			t.Errorf("%s\n is sent with %q, %q", text, method, body)
		}
		said := false
		for _, l := range r.Left {
			said = said || strings.HasPrefix(l.Name, "the method ") && strings.Contains(l.Why, "does not repeat")
		}
		if said == sends || r.Settings.Plain["base_url"] != "https://api.example.com" {
			t.Errorf("%s\n %v %v", text, r.Left, r.Settings.Plain)
		}
	}
}
