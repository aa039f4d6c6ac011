package commands

import (
	"net/url"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

// services2 are the clients of directories, brokers, stores and mail. Sources:
// their manual pages.
func services2() map[string]tool {
	ldap := tool{kind: "ldap", home: "localhost", grammar: grammar{values: "-H -D -w -y -b -s -f -l -z -h -p -o -O -U -R -X -Y -e -E -a -P -d -S -T"},
		set:    map[string]string{"-D": "user", "-w": "password", "-b": "base_dn", "-h": "host", "-p": "port", "-R": "realm"},
		secret: "-w", files: "-y", quiet: "-x -W -s -f -l -z -o -O -e -E -a -P -d -S -T -LLL -L -LL -v -n -Q -I -N -A -t -u -X", more: ldapMore, words: ldapWords, end: ldapEnd}
	mqtt := tool{kind: "mqtt", home: "localhost", urls: "-L --url",
		grammar: grammar{values: "-h -p -u -P -t -i -V -L -q -m -f -k -C -W -F -U -R_ -T -I -A -D --cafile --capath --cert --key --keyform --topic --host --port --username --pw --id --protocol-version --url --qos --message --will-topic --will-payload --tls-version --alpn --psk --psk-identity --proxy --ciphers --keepalive", single: true},
		set: map[string]string{"-h": "host", "--host": "host", "-p": "port", "--port": "port", "-u": "user", "--username": "user", "-P": "password", "--pw": "password",
			"-i": "client_id", "--id": "client_id"}, secret: "-P --pw", files: "--cafile --cert --key --capath", more: mqttMore, end: mqttEnd,
		quiet: "-q -v -d -m -n -r -R -c -C -W -F -k -f --qos --message --keepalive --quiet --pretty -N -E -s -l --retain --tls-version --nodelay -U -T -T"}
	kafka := tool{kind: "kafka", grammar: grammar{values: "-b -X -t -p -o -c -f -m -G -s -r -F -K -k -D"}, more: kcatMore, needs: "servers", quiet: "-C -P -L -Q -J -u -q -e -o -c -f -p -O -E -Z -v -K -D -s -k -d", files: "-F", end: kafkaEnd}
	console := tool{kind: "kafka", grammar: grammar{single: true, values: "--bootstrap-server --broker-list --topic --consumer.config --producer.config --command-config --group --partition --offset --max-messages --property --consumer-property --producer-property"},
		more: kcatMore, needs: "servers", quiet: "--from-beginning --group --partition --offset --max-messages --property --list --describe --timeout-ms --create --delete", files: "--consumer.config --producer.config --command-config", end: kafkaEnd}
	smtp := tool{kind: "smtp", grammar: grammar{single: true, values: "--to -t --from -f --server -s --port -p --auth -a --auth-user -au --auth-password -ap --header --body --data -d --ehlo --helo -h --tls-ca-path --tls-cert --tls-key --attach --timeout --quit-after -q"},
		set:    map[string]string{"--from": "from", "-f": "from", "--port": "port", "-p": "port", "--auth-user": "user", "-au": "user", "--auth-password": "password", "-ap": "password", "--ehlo": "ehlo", "--helo": "ehlo", "-h": "ehlo"},
		choose: map[string][2]string{"--tls": {"security", "starttls"}, "-tls": {"security", "starttls"}, "--tlsc": {"security", "tls"}, "--tls-on-connect": {"security", "tls"}, "-tlsc": {"security", "tls"}},
		secret: "--auth-password -ap", files: "--tls-ca-path --tls-cert --tls-key", quiet: "--to -t --header --body --data -d --attach --timeout --quit-after -q -S -n", needs: "host",
		more: func(d *fill.Draft, o opt) bool {
			switch o.name {
			case "--server", "-s":
				d.HostPort(o.value, o.name)
			case "--auth", "-a":
				d.Choose("auth", strings.ToLower(o.value))
			default:
				return false
			}
			return true
		},
		end: func(d *fill.Draft) {
			if !d.Has("user") {
				d.Choose("auth", "none")
			}
			if !d.Has("security") {
				d.Choose("security", "none")
			}
		}}
	ftp := tool{kind: "ftp", grammar: grammar{values: "-u -p -e -c -P"}, set: map[string]string{"-p": "port", "-P": "port"}, quiet: "-e -c -i -n -v -g -d -A", needs: "host", more: ftpMore, words: ftpWords}
	return map[string]tool{
		"ldapsearch": ldap, "ldapwhoami": ldap, "ldapmodify": ldap, "mosquitto_sub": mqtt, "mosquitto_pub": mqtt, "mosquitto_rr": mqtt,
		"kcat": kafka, "kafkacat": kafka, "kafka-console-consumer": console, "kafka-console-producer": console, "kafka-topics": console, "kafka-consumer-groups": console,
		"swaks": smtp, "ftp": ftp, "lftp": ftp, "smbclient": smb(), "nats": nats(),
		"aws":   aws("s3"),
		"s3cmd": {kind: "s3", grammar: grammar{values: "--access_key --secret_key --access_token --region --host --host-bucket -c --config"}, set: map[string]string{"--access_key": "access_key", "--secret_key": "secret_key", "--access_token": "session_token", "--region": "region"}, secret: "--secret_key", needs: "access_key secret_key", files: "-c --config"},
		"kinit": {kind: "user_password", grammar: grammar{values: "-t -c -l -r -s -S -T -k_ -X"}, files: "-t", quiet: "-k -c -l -r -f -p -V -S", needs: "user", words: func(d *fill.Draft, w []string) {
			if len(w) > 0 {
				user, realm, _ := strings.Cut(w[0], "@")
				d.Set("user", user, "the user")
				d.Set("domain", realm, "the realm")
			}
		}},
	}
}

func aws(kind string) tool {
	return tool{kind: kind, grammar: grammar{single: true, values: "--region --profile --endpoint-url --output --query"}, set: map[string]string{"--region": "region"},
		env:   map[string]string{"AWS_ACCESS_KEY_ID": "access_key", "AWS_SECRET_ACCESS_KEY": "secret_key", "AWS_SESSION_TOKEN": "session_token", "AWS_DEFAULT_REGION": "region", "AWS_REGION": "region"},
		quiet: "--output --query --recursive --no-cli-pager", needs: "access_key secret_key",
		words: nil, more: func(d *fill.Draft, o opt) bool {
			if o.name == "--profile" {
				d.Leave("--profile", "The keys stand in the file .aws/credentials. Paste its text.")
			}
			return o.name == "--profile"
		}}
}

func ldapMore(d *fill.Draft, o opt) bool {
	switch o.name {
	case "-H":
		u, err := url.Parse(strings.Fields(o.value + " x")[0])
		if err != nil || u.Host == "" {
			d.Leave("-H", fill.WhyWrong)
			break
		}
		d.HostPort(u.Host, "-H")
		if u.Scheme == "ldap" && d.Get("security") == "" {
			d.Choose("security", "none")
		} else if u.Scheme == "ldaps" {
			d.Choose("security", "ldaps")
		}
	case "-Z", "-ZZ":
		d.Choose("security", "starttls")
	case "-Y":
		switch strings.ToUpper(o.value) {
		case "GSSAPI", "GSS-SPNEGO":
			d.Choose("auth", "kerberos")
		case "EXTERNAL":
			d.Choose("auth", "certificate")
		default:
			d.Leave("-Y", "This way of signing in is not offered.")
		}
	case "-U":
		d.Set("user", o.value, "-U")
	default:
		return false
	}
	return true
}

func ldapWords(d *fill.Draft, words []string) {
	if len(words) > 0 && strings.HasPrefix(words[0], "(") {
		d.Choose("show", "filter")
		d.Set("filter", words[0], "the filter")
	}
}

func ldapEnd(d *fill.Draft) {
	if d.Get("security") == "" {
		d.Choose("security", "none")
	}
	if d.Get("auth") == "" && !d.Has("user") && !d.Left("-y") && !d.Left("the value") {
		d.Choose("auth", "anonymous")
	}
}

func mqttMore(d *fill.Draft, o opt) bool {
	switch o.name {
	case "-t", "--topic":
		d.Add("topic", o.value, o.name)
	case "-V", "--protocol-version":
		v := map[string]string{"5": "5", "mqttv5": "5", "311": "3.1.1", "mqttv311": "3.1.1"}[o.value]
		if v == "" {
			d.Leave(o.name, fill.WhyWrong)
		}
		d.Choose("protocol", v)
	case "--cafile", "--capath", "--cert", "--tls-use-os-certs":
		d.Choose("transport", "tls")
		d.File(o.name, o.value)
		if o.name == "--cert" && !d.Has("user") {
			d.Choose("auth", "certificate")
		}
	case "--insecure":
		d.Note("The command does not check the server's name. This program always does.")
	default:
		return false
	}
	return true
}

func mqttEnd(d *fill.Draft) {
	if !d.Has("transport") {
		if p := d.Get("port"); p == "8883" || p == "8884" || p == "443" {
			d.Choose("transport", "tls")
		} else {
			d.Choose("transport", "tcp")
		}
	}
	switch {
	case d.Has("user"):
		d.Choose("auth", "password")
	case d.Get("auth") == "" && !d.Left("the value"):
		d.Choose("auth", "anonymous")
	}
}

// kcatMore hands -X name=value to what reads Kafka's properties.
func kcatMore(d *fill.Draft, o opt) bool {
	switch o.name {
	case "-b", "--bootstrap-server", "--broker-list":
		fill.Kafka(d, "bootstrap.servers", o.value)
	case "-t", "--topic":
		d.Add("topics", o.value, o.name)
	case "-X", "--consumer-property", "--producer-property":
		k, v, ok := strings.Cut(o.value, "=")
		if ok {
			fill.Kafka(d, strings.TrimSpace(k), strings.TrimSpace(v))
		}
		if fill.SecretName(k) && d.Has("password") {
			d.Note(fill.History)
		}
	default:
		return false
	}
	return true
}

func kafkaEnd(d *fill.Draft) {
	if !d.Has("security") {
		d.Choose("security", "plaintext")
	}
}

func ftpMore(d *fill.Draft, o opt) bool {
	if o.name != "-u" {
		return false
	}
	user, password, _ := strings.Cut(o.value, ",")
	d.Set("user", user, "-u")
	d.Set("password", password, "-u")
	if password != "" {
		d.Note(fill.History)
	}
	return true
}

func ftpWords(d *fill.Draft, words []string) {
	if len(words) == 0 || d.Has("host") {
		return
	}
	host := words[0]
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		d.Set("user", host[:i], "the user")
		host = host[i+1:]
	}
	d.HostPort(host, "the host")
	if len(words) > 1 && strings.Trim(words[1], "0123456789") == "" {
		d.Set("port", words[1], "the port")
	}
}

// smb reads smbclient //server/share -U DOMAIN/user%password.
func smb() tool {
	return tool{kind: "smb", grammar: grammar{values: "-U -W -p -c -D -I -A -t -m -d --user --password --workgroup --port --directory --authentication-file --ip-address"},
		set: map[string]string{"-W": "domain", "--workgroup": "domain", "-p": "port", "--port": "port", "--password": "password", "-D": "folder", "--directory": "folder"}, secret: "--password",
		choose: map[string][2]string{"-N": {"auth", "guest"}, "--no-pass": {"auth", "guest"}}, files: "-A --authentication-file", quiet: "-c -t -m -d -L -g -E", needs: "host",
		more: func(d *fill.Draft, o opt) bool {
			if o.name != "-U" && o.name != "--user" {
				return false
			}
			user, password, has := strings.Cut(o.value, "%")
			if i := strings.IndexAny(user, `\/`); i >= 0 {
				d.Set("domain", user[:i], o.name)
				user = user[i+1:]
			}
			d.Set("user", user, o.name)
			if has {
				d.Set("password", password, o.name)
				d.Note(fill.History)
			}
			return true
		},
		words: func(d *fill.Draft, words []string) {
			if len(words) == 0 {
				return
			}
			server, share, _ := strings.Cut(strings.TrimLeft(strings.ReplaceAll(words[0], `\`, "/"), "/"), "/")
			d.Set("host", server, "the server")
			d.Set("share", strings.Trim(share, "/"), "the share")
			if len(words) > 1 {
				d.Set("password", words[1], "the password")
				d.Note(fill.History)
			}
		}}
}

func nats() tool {
	return tool{kind: "nats", home: "", needs: "servers", grammar: grammar{values: "-s --server --user --password --creds --nkey --tlscert --tlskey --tlsca --timeout --socks-proxy --js-domain --inbox-prefix --context --token --js-api-prefix --js-event-prefix --domain --colors --trace"},
		set: map[string]string{"--user": "user", "--password": "password", "--token": "token", "--js-domain": "domain", "--inbox-prefix": "inbox_prefix"}, secret: "--password --token",
		env: map[string]string{"NATS_USER": "user", "NATS_PASSWORD": "password"}, files: "--tlscert --tlskey --tlsca",
		more: func(d *fill.Draft, o opt) bool {
			switch o.name {
			case "-s", "--server":
				fill.NATS(d, o.value)
			case "--creds", "--nkey":
				d.Choose("auth", map[string]string{"--creds": "creds", "--nkey": "nkey"}[o.name])
				d.File(o.name, o.value)
			case "--context":
				d.Leave("--context", "A context is a file of the nats program. Fill the form in from it.")
			default:
				return false
			}
			return true
		},
		end: func(d *fill.Draft) {
			switch {
			case d.Has("token"):
				d.Choose("auth", "token")
			case d.Get("auth") == "" && d.Left("--tlscert"):
				d.Choose("auth", "certificate")
			case d.Get("auth") == "" && !d.Has("user"):
				d.Choose("auth", "anonymous")
			}
		}}
}
