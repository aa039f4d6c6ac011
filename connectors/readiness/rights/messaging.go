package rights

import (
	"regexp"
	"strings"
)

// rabbitmq follows https://www.rabbitmq.com/docs/access-control and
// https://www.rabbitmq.com/docs/management#permissions
func rabbitmq(a answers) []Grant {
	user := shell(a.or("user", "reader"))
	vhost := shell(a.or("vhost", "/"))
	set := func(configure, write, read string) string {
		return "rabbitmqctl set_permissions -p " + vhost + " " + user + " " + quote(configure) + " " + quote(write) + " " + quote(read)
	}
	tag := when(a.of("management") != "none", "rabbitmqctl set_user_tags "+user+" management")
	create := "rabbitmqctl add_user " + user + "  # asks for the new password"
	if a.of("auth") == "certificate" {
		user = shell("<name in the certificate>")
		create = "rabbitmqctl add_user " + user + " && rabbitmqctl clear_password " + user
		tag = when(tag != "", "rabbitmqctl set_user_tags "+user+" management")
	}
	exchanges := `.*`
	if names := exchangesOf(a); len(names) > 0 {
		exchanges = "^(" + strings.Join(names, "|") + ")$"
	}
	where := "Run on the broker's computer, as its administrator."
	own := `^amq\.gen.*`
	return []Grant{
		{Title: "List queues, exchanges and bindings", Where: where, Language: Shell, Text: text(create, tag, set("^$", "^$", "^$")),
			Notes: some("No message can be read or written with these. The access to the virtual host itself comes with the line of the permissions.", when(tag == "", "Without the management page nothing is listed but the names that the form has."))},
		{Title: "And see the live messages of exchanges", Where: where + " After the above.", Language: Shell, Text: text(set(own, own, own+"|"+exchanges)),
			Notes: []string{"The account makes a queue of its own for that, whose name the broker begins with amq.gen.", "Write the exchanges' names in place of .* to open these alone: who may read a queue may also take its messages away."}},
	}
}

// quote always puts a word between quotation marks, for expressions.
func quote(v string) string { return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'" }

// exchangesOf are the exchanges that the form names, as parts of an expression.
func exchangesOf(a answers) []string {
	var out []string
	for _, l := range a.lines("known") {
		kind, name, ok := strings.Cut(l, ": ")
		if ok && strings.HasSuffix(strings.ToLower(kind), "exchange") {
			out = append(out, regexp.QuoteMeta(strings.TrimSpace(name)))
		}
	}
	return out
}

// mqtt writes mosquitto's files: https://mosquitto.org/man/mosquitto-conf-5.html
// (acl_file) and https://mosquitto.org/documentation/dynamic-security/
func mqtt(a answers) []Grant {
	filters := a.lines("topic")
	if a.of("sys") == "true" {
		filters = append(filters, "$SYS/#")
	}
	user := a.of("user")
	named, who := "user "+user, user
	notes := []string{"Nothing can be published with these lines.", "Other brokers have the same under other names: subscribe and receive, on the filters above."}
	switch {
	case a.of("auth") == "anonymous":
		named, who = "# for everybody who signs in without a name", "anonymous"
	case user == "":
		named, who = "user <name in the certificate>", "<name in the certificate>"
	}
	var lines []string
	dyn := []string{"mosquitto_ctrl dynsec createRole jackfield"}
	for _, f := range filters {
		lines = append(lines, "topic read "+f)
		dyn = append(dyn, "mosquitto_ctrl dynsec addRoleACL jackfield subscribePattern "+shell(f)+" allow", "mosquitto_ctrl dynsec addRoleACL jackfield publishClientReceive "+shell(f)+" allow")
	}
	dyn = append(dyn, "mosquitto_ctrl dynsec addRoleACL jackfield unsubscribePattern '#' allow")
	if who == "anonymous" {
		dyn = append(dyn, "mosquitto_ctrl dynsec createGroup anonymous", "mosquitto_ctrl dynsec setAnonymousGroup anonymous", "mosquitto_ctrl dynsec addGroupRole anonymous jackfield")
	} else {
		dyn = append(dyn, "mosquitto_ctrl dynsec createClient "+shell(who)+"  # asks for the new password", "mosquitto_ctrl dynsec addClientRole "+shell(who)+" jackfield")
	}
	return []Grant{
		{Title: "Subscribe to the topics (Mosquitto's acl_file)", Where: "Add to the file that acl_file names, and reload the broker.", Language: Plain, Text: text(append([]string{named}, lines...)...), Notes: notes},
		{Title: "Variant: the same with Mosquitto's dynamic security", Where: "Run as the broker's administrator.", Language: Shell, Text: text(dyn...)},
	}
}

// kafka names the operations of https://kafka.apache.org/documentation/#operations_in_kafka:
// Read on a topic includes Describe, and no group is joined.
func kafka(a answers) []Grant {
	server := "<broker>:9092"
	if s := a.lines("servers"); len(s) > 0 {
		server = s[0]
	}
	user := a.of("user")
	notes := []string{"No right on any group to read is needed, because none is joined and nothing is committed.", readOnly}
	if user == "" {
		user = "<subject of the certificate, or name in the token>"
		notes = append(notes, "Write the name by which the brokers know the account in place of the words in brackets.")
	}
	base := "kafka-acls.sh --bootstrap-server " + shell(server) + " --command-config admin.properties --add --allow-principal " + shell("User:"+user)
	topics := a.lines("topics")
	if len(topics) == 0 {
		topics = []string{"*"}
		notes = append(notes, "No topic is named in the form, so this opens all of them. Name some to narrow it.")
	}
	var lines []string
	for _, t := range topics {
		lines = append(lines, base+" --operation Read --topic "+shell(t))
	}
	return []Grant{{Title: "Read topics", Where: "Run as an administrator of the cluster.", Language: Shell, Text: text(lines...), Notes: notes},
		{Title: "And see consumer groups and their lag", Where: "Run as an administrator of the cluster.", Language: Shell, Text: text(base + " --operation Describe --group '*'"), Notes: []string{"May be left out: the rest is shown."}}}
}

// nats is a user's block of https://docs.nats.io/running-a-nats-service/configuration/securing_nats/authorization
func nats(a answers) []Grant {
	api := "$JS.API."
	if d := a.of("domain"); d != "" {
		api = "$JS." + d + ".API."
	}
	publish := []string{"$SYS.REQ.USER.INFO", api + "INFO"}
	streams := a.lines("streams")
	if len(streams) == 0 {
		publish, streams = append(publish, api+"STREAM.LIST"), []string{"*"}
	}
	for _, s := range streams {
		direct := s
		if s == "*" {
			direct = ">"
		}
		publish = append(publish, api+"STREAM.INFO."+s, api+"CONSUMER.LIST."+s, api+"STREAM.MSG.GET."+s, api+"DIRECT.GET."+direct)
	}
	inbox := a.or("inbox_prefix", "_INBOX")
	subscribe := append(a.lines("subjects"), strings.TrimSuffix(inbox, ".")+".>")
	user := "    user: " + quoted(a.or("user", "reader")) + ", password: " + quoted(Placeholder)
	notes := []string{"Nothing can be published to a subject of yours: the names under publish only ask JetStream.", ownSecret}
	switch a.of("auth") {
	case "nkey", "certificate", "creds", "token", "anonymous":
		user, notes = "    user: "+quoted("<name, or public key that begins with U>"), notes[:1]
	}
	list := func(all []string) string {
		out := make([]string, len(all))
		for i, s := range all {
			out[i] = quoted(s)
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	return []Grant{
		{Title: "Subscribe, and look into streams", Where: "Put among the users of the account in the server's configuration.", Language: Plain,
			Text: text("{", user+",", "    permissions: {", "      publish: "+list(publish), "      subscribe: "+list(subscribe), "    }", "}"), Notes: notes},
		{Title: "Variant: the same with nsc", Where: "Run by whoever keeps the account's keys.", Language: Shell,
			Text: text("nsc add user "+shell(a.or("user", "reader"))+" --allow-pub "+shell(strings.Join(publish, ","))+" --allow-sub "+shell(strings.Join(subscribe, ",")), "nsc generate creds -n "+shell(a.or("user", "reader")))},
	}
}

// amqp1 is Artemis's broker.xml:
// https://activemq.apache.org/components/artemis/documentation/latest/security.html
func amqp1(a answers) []Grant {
	addresses := a.lines("addresses")
	if len(addresses) == 0 {
		addresses = []string{"#"}
	}
	var lines []string
	for _, m := range addresses {
		lines = append(lines, `<security-setting match="`+escapeXML(m)+`">`, `  <permission type="browse" roles="jackfield"/>`, `</security-setting>`)
	}
	return []Grant{{Title: "Browse queues (Artemis)", Where: "Put among <security-settings> of broker.xml, and give the user " + a.or("user", "of the form") + " the role jackfield.", Language: Plain, Text: text(lines...),
		Notes: []string{"In ActiveMQ Classic the right is called read: <authorizationEntry queue=\"…\" read=\"jackfield\"/>.", "Nothing can be sent or taken away with browse alone."}}}
}
