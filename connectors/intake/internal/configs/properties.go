package configs

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"sort"
	"strings"

	prop "github.com/magiconair/properties"
	"go.yaml.in/yaml/v3"

	"jackfield/connectors/intake/internal/configs/fill"
)

var propertyName = regexp.MustCompile(`(?m)^[ \t]*(bootstrap\.servers|security\.protocol|sasl\.[a-z.]+|ssl\.[a-z.]+|metadata\.broker\.list|spring\.[\w.-]+|[\w-]+\.datasource\.[\w.-]+)[ \t]*[=:]`)

// properties reads the files of Kafka's clients and of Spring.
func properties(s *source) bool {
	if !propertyName.MatchString(s.text) {
		return false
	}
	l := prop.Loader{Encoding: prop.UTF8, DisableExpansion: true} // neither the environment nor the file itself is put in
	p, err := l.LoadBytes([]byte(s.text))
	if err != nil {
		return false
	}
	var pairs [][2]string
	for _, k := range p.Keys() {
		v, _ := p.Get(k)
		pairs = append(pairs, [2]string{k, v})
	}
	return s.properties(pairs)
}

func (s *source) properties(pairs [][2]string) bool {
	kafka, groups := [][2]string{}, map[string]map[string]string{}
	for _, kv := range pairs {
		k, v := kv[0], inside(kv[1], nil, nil)
		if strings.HasPrefix(k, "spring.kafka.") {
			k = strings.TrimPrefix(strings.TrimPrefix(strings.ReplaceAll(k, "bootstrap-servers", "bootstrap.servers"), "spring.kafka."), "properties.")
			kafka = append(kafka, [2]string{k, v})
			continue
		}
		if propertyName.MatchString(k+"=") && !strings.HasPrefix(k, "spring.") && !strings.Contains(k, "datasource") || k == "client.id" || k == "group.id" {
			kafka = append(kafka, [2]string{k, v})
			continue
		}
		if i := strings.LastIndexByte(k, '.'); i > 0 {
			if groups[k[:i]] == nil {
				groups[k[:i]] = map[string]string{}
			}
			groups[k[:i]][k[i+1:]] = v
		}
	}
	s.kafka(kafka)
	s.spring(groups)
	s.what("application properties", "connection")
	return len(s.out.Items) > 0
}

func (s *source) kafka(pairs [][2]string) {
	d := fill.New(s.Types, "kafka")
	for _, kv := range pairs {
		fill.Kafka(d, kv[0], kv[1])
	}
	if len(pairs) == 0 || !d.Has("servers") && !d.Has("security") && !d.Has("user") {
		return
	}
	if !d.Has("security") {
		d.Choose("security", "plaintext")
	}
	s.add("", "", d)
}

// spring reads spring.datasource, spring.data.redis, spring.rabbitmq, spring.mail …
// (https://docs.spring.io/spring-boot/appendix/application-properties/index.html).
func (s *source) spring(groups map[string]map[string]string) {
	var names []string
	for n := range groups {
		names = append(names, n)
	}
	sort.Strings(names)
	kinds := map[string]string{"redis": "redis", "rabbitmq": "rabbitmq", "mail": "smtp", "mongodb": "mongodb"}
	for _, n := range names {
		g := groups[n]
		last := n[strings.LastIndexByte(n, '.')+1:]
		url := first(g, "url", "jdbc-url", "uri", "uris", "urls")
		kind := kinds[last]
		if kind != "" && !strings.HasPrefix(n, "spring.") {
			continue
		}
		switch {
		case url != "" && (kind != "" || strings.Contains(n, "datasource") || last == "ldap"):
			s.springURL(n, url, g)
		case kind != "" && g["host"] != "":
			d := fill.New(s.Types, kind)
			for _, k := range [][2]string{{"host", "host"}, {"port", "port"}, {"user", "username"}, {"password", "password"}, {"database", "database"}, {"vhost", "virtual-host"}} {
				d.Set(k[0], g[k[1]], n+"."+k[1])
			}
			if kind != "smtp" && g["ssl"] != "true" {
				d.Choose("security", "none")
			}
			s.add("", n, d)
		}
	}
}

func (s *source) springURL(name, url string, g map[string]string) {
	it, ok := s.address(s.Types, url)
	if !ok {
		return
	}
	var drafts []*fill.Draft
	for _, r := range it.Readings {
		d := fill.From(s.Types, r)
		d.Set("user", first(g, "username", "user"), name+".username")
		d.Set("password", g["password"], name+".password")
		drafts = append(drafts, d)
	}
	s.add(it.Name, name, drafts...)
}

func first(g map[string]string, names ...string) string {
	for _, n := range names {
		if g[n] != "" {
			return g[n]
		}
	}
	return ""
}

var yamlSign = regexp.MustCompile(`(?m)^[ \t-]*(environment|stringData|data|env|spring|datasource):`)

// yamlFile reads environments in docker-compose files, Kubernetes Secrets and
// Deployments, and Spring's application.yml.
func yamlFile(s *source) bool {
	if !yamlSign.MatchString(s.text) {
		return false
	}
	dec := yaml.NewDecoder(strings.NewReader(s.text))
	for range 50 {
		var v map[string]any
		if dec.Decode(&v) != nil {
			break
		}
		if _, ok := v["spring"]; ok {
			pairs := flat(nil, "", v, 0)
			sort.Slice(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
			s.properties(pairs)
			continue
		}
		s.document("", v, 0)
	}
	s.what("a YAML file", "connection")
	return len(s.out.Items) > 0
}

func (s *source) document(name string, v any, depth int) {
	if depth > 20 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if n, ok := v["name"].(string); ok && name == "" {
			name = n
		}
		s.vars(yamlVars(v), name)
		for _, k := range keysOf(v) {
			next := k
			if k == "services" || k == "spec" || k == "template" || k == "containers" {
				next = ""
			}
			s.document(next, v[k], depth+1)
		}
	case []any:
		for _, x := range v {
			s.document(name, x, depth+1)
		}
	}
}

func keysOf(m map[string]any) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// yamlVars are the variables that a mapping sets: environment, env, data, stringData.
func yamlVars(m map[string]any) [][2]string {
	var out [][2]string
	for _, key := range []string{"environment", "env", "data", "stringData"} {
		switch v := m[key].(type) {
		case map[string]any:
			for _, k := range keysOf(v) {
				text := scalar(v[k])
				if kind, _ := m["kind"].(string); key == "data" && kind == "Secret" {
					raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
					if err != nil {
						continue
					}
					text = fill.Unmarked(string(raw))
				} else {
					text = inside(text, nil, nil)
				}
				out = append(out, [2]string{k, strings.TrimRight(text, "\n")})
			}
		case []any:
			out = append(out, listed(v)...)
		}
	}
	return out
}

func listed(list []any) [][2]string {
	var out [][2]string
	for _, x := range list {
		switch x := x.(type) {
		case string:
			k, v, _ := strings.Cut(x, "=")
			out = append(out, [2]string{strings.TrimSpace(k), inside(v, nil, nil)})
		case map[string]any:
			n, _ := x["name"].(string)
			if n != "" && x["valueFrom"] != nil {
				out = append(out, [2]string{n, fill.Marked(n)})
			} else if n != "" {
				out = append(out, [2]string{n, scalar(x["value"])})
			}
		}
	}
	return out
}

func scalar(v any) string {
	switch v := v.(type) {
	case nil, map[string]any, []any:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// flat makes a.b.c = value of a tree.
func flat(out [][2]string, at string, v any, depth int) [][2]string {
	if depth > 20 || len(out) > 5000 {
		return out
	}
	if m, ok := v.(map[string]any); ok {
		for k, x := range m {
			name := k
			if at != "" {
				name = at + "." + k
			}
			out = flat(out, name, x, depth+1)
		}
		return out
	}
	if text := scalar(v); text != "" {
		out = append(out, [2]string{at, text})
	}
	return out
}
