package exports

import (
	"strings"

	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/internal/jsonx"
)

// readJSON goes by the members that only one program writes.
func readJSON(in part.Input, root jsonx.Value, address Address) (part.Found, bool) {
	l := newList(in, address)
	for _, reader := range []func(*list, jsonx.Value) (part.Found, bool){
		googleKey, googleClient, azurePrincipal, awsAnswer, kubernetes, postmanEnvironment, postmanCollection, insomnia,
		dbeaver, dbeaverSecrets, pgAdmin, dataStudio, mqttX, mqttExplorer, bitwarden, onePassword,
	} {
		if found, ok := reader(l, root); ok {
			return found, true
		}
		l = newList(in, address)
	}
	return part.Found{}, false
}

// pgAdmin reads servers.json, https://www.pgadmin.org/docs/pgadmin4/latest/import_export_servers.html
func pgAdmin(l *list, root jsonx.Value) (part.Found, bool) {
	servers := object(root, "Servers")
	if servers == nil {
		return part.Found{}, false
	}
	for _, k := range servers.Keys {
		s := servers.Members[k]
		if str(s, "Host") == "" && str(s, "Service") == "" {
			continue
		}
		r := record.New(str(s, "Name"), "")
		r.Type = "postgres"
		r.Put("host", str(s, "Host"))
		r.Put("port", str(s, "Port"))
		r.Put("user", str(s, "Username"))
		r.Put("database", str(s, "MaintenanceDB"))
		r.Put("tls", sslMode(str(s, "SSLMode")+str(s, "ConnectionParameters.sslmode")))
		r.Leave("password", elsewhere)
		l.add(r)
	}
	return l.done("pgAdmin's server list", "server")
}

func sslMode(mode string) string {
	switch strings.ToLower(mode) {
	case "disable", "disabled", "false", "off", "no", "none":
		return "off"
	}
	return ""
}

// dataStudio reads the connections in the settings of Azure Data Studio and of
// VS Code's mssql extension.
func dataStudio(l *list, root jsonx.Value) (part.Found, bool) {
	known := false
	for _, path := range []string{"datasource.connections", "mssql.connections"} {
		for _, c := range items(root, path) {
			known = true
			o := c
			if has(c, "options") {
				o = jsonx.At(c, "options")
			}
			r := record.New(first(str(o, "connectionName"), str(o, "profileName")), "")
			r.Type = record.TypeOf(l.in.Types, str(c, "providerName"))
			if r.Type == "" {
				r.Type = "sqlserver"
			}
			host, instance, _ := strings.Cut(str(o, "server"), `\`)
			host, port, _ := strings.Cut(strings.TrimPrefix(host, "tcp:"), ",")
			r.Put("host", first(host, str(o, "host")))
			r.Put("port", first(port, str(o, "port")))
			r.Put("instance_name", instance)
			r.Put("user", str(o, "user"))
			r.Put("password", str(o, "password"))
			r.Put("database", first(str(o, "database"), str(o, "dbname")))
			if str(o, "encrypt") == "false" || str(o, "encrypt") == "Optional" {
				r.Put("tls", "off")
			}
			if str(o, "password") == "" {
				r.Leave("password", elsewhere)
			}
			l.add(r)
		}
	}
	if !known {
		return part.Found{}, false
	}
	return l.done("a settings file of Azure Data Studio or VS Code", "connection")
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// mqttX reads an export of MQTTX, https://mqttx.app/docs/import-export
func mqttX(l *list, root jsonx.Value) (part.Found, bool) {
	list, ok := root.([]jsonx.Value)
	if !ok || len(list) == 0 || !has(list[0], "clientId", "host", "mqttVersion") {
		return part.Found{}, false
	}
	for _, c := range list {
		l.add(mqttRecord(c, str(c, "ssl")))
	}
	return l.done("an MQTTX export", "connection")
}

func mqttExplorer(l *list, root jsonx.Value) (part.Found, bool) {
	o := object(root, "ConnectionManager_connections")
	if o == nil {
		return part.Found{}, false
	}
	for _, k := range o.Keys {
		l.add(mqttRecord(o.Members[k], str(o.Members[k], "encryption")))
	}
	return l.done("MQTT Explorer's settings", "connection")
}

func mqttRecord(c jsonx.Value, secure string) *record.Record {
	r := record.New(str(c, "name"), "")
	r.Type = "mqtt"
	r.Put("host", str(c, "host"))
	r.Put("port", str(c, "port"))
	protocol := strings.TrimSuffix(str(c, "protocol"), "://")
	switch {
	case strings.HasPrefix(protocol, "ws") && (secure == "true" || protocol == "wss"):
		r.Put("tls", "wss")
		r.Put("path", str(c, "path"))
	case strings.HasPrefix(protocol, "ws"):
		r.Put("tls", "ws")
		r.Put("path", str(c, "path"))
	case secure == "true", protocol == "mqtts":
		r.Put("tls", "on")
	default:
		r.Put("tls", "off")
	}
	r.Put("user", str(c, "username"))
	r.Put("password", str(c, "password"))
	if str(c, "username") == "" {
		r.Put("auth", "anonymous")
	}
	if str(c, "mqttVersion") == "5.0" || str(c, "mqttVersion") == "5" {
		r.Put("protocol", "5")
	}
	r.Put("client_id", str(c, "clientId"))
	var topics []string
	for _, t := range items(c, "subscriptions") {
		if topic := str(t, "topic"); topic != "" {
			topics = append(topics, topic)
		}
	}
	r.Put("topic", strings.Join(topics, "\n"))
	for _, k := range []string{"ca", "cert", "key"} {
		if str(c, k) != "" {
			r.Leave(k, aPath)
		}
	}
	return r
}

// bitwarden reads an unencrypted export, https://bitwarden.com/help/condition-bitwarden-import/
func bitwarden(l *list, root jsonx.Value) (part.Found, bool) {
	if !has(root, "encrypted") {
		return part.Found{}, false
	}
	if str(root, "encrypted") == "true" {
		l.found.Left = append(l.found.Left, part.Left{Name: "the whole export", Why: "It is encrypted. Export it as JSON without encryption, and delete that file afterwards."})
		return l.done("an encrypted Bitwarden export", "")
	}
	if !has(root, "items") {
		return part.Found{}, false
	}
	for _, i := range items(root, "items") {
		if !has(i, "login") {
			continue
		}
		r := record.New(str(i, "name"), "")
		r.Put("url", str(i, "login.uris.0.uri"))
		r.Put("user", str(i, "login.username"))
		r.Put("password", str(i, "login.password"))
		l.add(r)
	}
	return l.done("a Bitwarden export", "login")
}

// onePassword reads an item as `op item get --format json` prints it, or a list.
func onePassword(l *list, root jsonx.Value) (part.Found, bool) {
	all, ok := root.([]jsonx.Value)
	if !ok {
		all = []jsonx.Value{root}
	}
	for _, i := range all {
		if !has(i, "category", "vault") || !has(i, "fields") {
			return part.Found{}, false
		}
		r := record.New(str(i, "title"), "")
		r.Put("url", str(i, "urls.0.href"))
		for _, f := range items(i, "fields") {
			name := first(str(f, "purpose"), str(f, "label"), str(f, "id"))
			if c := record.Canonical(name); c != "" {
				r.PutAs(c, name, str(f, "value"))
			}
		}
		r.Drop("notes")
		r.Type = record.TypeOf(l.in.Types, r.Get("type"))
		r.Drop("type")
		l.add(r)
	}
	if len(all) == 0 {
		return part.Found{}, false
	}
	return l.done("a 1Password export", "login")
}
