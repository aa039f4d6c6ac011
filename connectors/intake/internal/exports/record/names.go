package record

import (
	"regexp"
	"strings"

	"jackfield/connectors"
)

var folded = strings.NewReplacer("ä", "a", "ö", "o", "ü", "u", "ß", "ss", "é", "e", "è", "e", "ê", "e", "ô", "o", "ñ", "n", "ó", "o", "í", "i", "á", "a", "ú", "u", "ç", "c")

// Plain is a name without case, accents and everything between its words.
func Plain(name string) string {
	name = folded.Replace(strings.ToLower(name))
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, name)
}

// Canonical is what a column's heading or a member's name stands for, in English,
// German, French or Spanish; "" for a name that tells nothing.
func Canonical(name string) string {
	p := Plain(name)
	if p == "" {
		return ""
	}
	if c := lookup(p); c != "" {
		return c
	}
	for _, prefix := range []string{"login", "db", "database", "postgres", "postgresql", "pg", "mysql", "sql", "redis", "mongo", "ldap", "ftp", "sftp", "ssh", "mqtt", "smtp", "mail", "imap", "amqp", "rabbitmq", "remote", "source", "sf", "salesforce", "servicenow", "azure", "aws", "s3"} {
		if rest, ok := strings.CutPrefix(p, prefix); ok {
			if c := lookup(rest); c != "" && c != "name" && c != "type" {
				return c
			}
		}
	}
	return ""
}

func lookup(plain string) string {
	return meaning[plain]
}

// index turns rows around.
func index(rows []spelling) map[string]string {
	out := map[string]string{}
	for _, row := range rows {
		for _, n := range row.names {
			if _, twice := out[n]; !twice {
				out[n] = row.key
			}
		}
	}
	return out
}

var meaning, kindOf = index(spellings), index(kinds)

type spelling struct {
	key   string
	names []string
}

func words(key, names string) spelling { return spelling{key, strings.Fields(names)} }

var spellings = []spelling{
	words("host", "host hostname hostorip hostip server servername serveraddress serverhost address ipaddress ip fqdn hote nomhote serveur adresse adressserveur servidor anfitrion direccion rechner rechnername serveradresse dbhost broker brokerhost nodename domaincontroller mailserver posteingangsserver postausgangsserver posteingang postausgang incomingserver outgoingserver incomingmailserver outgoingmailserver serverhostname hostadresse"),
	words("port", "port portnumber portnummer serverport puerto porto brokerport"),
	words("user", "user username usr login loginname loginid userid uid benutzer benutzername anmeldename nutzer nutzername utilisateur nomutilisateur nomdutilisateur identifiant compte usuario nombredeusuario nombreusuario nomuser principal logon benutzerkennung kennung zugangskennung teilnehmerkennung binddn binduser bindusername bindaccount managerdn serviceaccountuser"),
	words("email", "email mail emailaddress emailadresse courriel correo"),
	words("password", "password passwd pwd pass pw passwort kennwort motdepasse mdp motpasse contrasena clave contrasenya userpassword bindpassword bindpw managerpassword initialpasswort initialpassword initialkennwort zugangspasswort apppasswort apppassword appkennwort"),
	words("database", "database db dbname databasename defaultdatabase datenbank datenbankname basededonnees base bdd basededatos basedatos initialcatalog catalog maintenancedb schemaname"),
	words("type", "type protocol scheme typ art protokoll protocole tipo protocolo driver engine system connectiontype dbtype databasetype provider connector dialect service adapter"),
	words("name", "environment umgebung name title label connection connectionname bezeichnung titel nom intitule nombre titulo displayname verbindung verbindungsname profilename alias connexion conexion"),
	words("url", "environmenturl url uri link website web webseite webadresse adresseweb sitioweb loginuri baseurl instanceurl instance_url instance jdbcurl connectionstring connstr dsn websiteurl loginurl resourceurl siteurl endpoint endpointurl apiurl rooturl"),
	words("folder", "folder path directory dir ordner verzeichnis pfad dossier chemin repertoire carpeta ruta remotedir remotedirectory basepath remotepath defaultpath"),
	words("domain", "domain domane domaine dominio windowsdomain ntdomain"),
	words("client_id", "clientid appid applicationid consumerkey oauthclientid clientkey"),
	words("client_secret", "clientsecret appsecret consumersecret oauthclientsecret applicationsecret secretvalue clientsecretvalue apisecret"),
	words("tenant", "tenant tenantid directoryid tenantdomain"),
	words("token", "token accesstoken apitoken bearertoken personalaccesstoken pat authtoken bearer botuseroauthtoken useroauthtoken adminapiaccesstoken"),
	words("refresh_token", "refreshtoken"),
	words("api_key", "apikey xapikey apischlussel cleapi claveapi appkey"),
	words("private_key", "privatekey sshprivatekey sshkey identity privaterschlussel cleprivee claveprivada"),
	words("passphrase", "passphrase keypassphrase keypassword"),
	words("access_key", "accesskey accesskeyid awsaccesskeyid awsaccesskey accessid keyid"),
	words("secret_key", "secretkey secretaccesskey awssecretaccesskey awssecretkey accesssecret"),
	words("session_token", "sessiontoken awssessiontoken securitytoken"),
	words("region", "region awsregion defaultregion"),
	words("bucket", "bucket bucketname"),
	words("share", "share sharename freigabe partage"),
	words("instance_name", "instancename instanz"),
	words("service", "servicename dienstname nomservice"),
	words("sid", "sid oraclesid"),
	words("vhost", "vhost virtualhost"),
	words("topic", "topic topics thema sujet"),
	words("base_dn", "basedn searchbase rootdn"),
	words("issuer", "issuer issueruri authority discoveryurl"),
	words("auth_url", "authurl authuri authorizationurl authorizeurl authorizationendpoint"),
	words("token_url", "tokenurl tokenuri accesstokenurl tokenendpoint"),
	words("scopes", "scope scopes"),
	words("account_id", "accountid"),
	words("subdomain", "subdomain"),
	words("notes", "notes note comment comments bemerkung bemerkungen notizen kommentar remarque remarques notas comentario description beschreibung"),
	words("tls", "ssl tls usessl usetls encryption verschlusselung chiffrement cifrado secure sslmode"),
	words("account_sid", "accountsid"),
	words("servers", "bootstrapservers bootstrapserver brokers brokerlist kafkabrokers"), words("security_protocol", "securityprotocol"), words("mechanism", "saslmechanism saslmechanisms"),
	words("filter", "filter searchfilter userfilter suchfilter"), words("host_key", "hostkey hostkeyfingerprint fingerprint sshfingerprint serverfingerprint"), words("auth_source", "authdb authsource authdatabase authenticationdatabase"),
	words("auth", "authentication authentifizierung authmethod authenticationmethod"),
	words("refused", "otpauth totp logintotp favorite archived tags reprompt fields collections group lastmodified created icon"),
}

// fieldsFor are the fields that take a value, by canonical name, best first.
func fieldsFor(key string) []string {
	for _, row := range placesOf {
		if row.key == key {
			return append([]string{key}, row.names...)
		}
	}
	return []string{key}
}

var placesOf = []spelling{
	words("url", "base_url endpoint site shop store domain issuer login_url"), words("host", "endpoint namespace"), words("user", "email key_name"), words("email", "user"),
	words("password", "api_token owner_password"), words("database", "service"), words("token", "access_token api_token auth_token api_key developer_token"),
	words("api_key", "key token api_token auth_token"), words("private_key", "key client_key jwt_key"), words("passphrase", "client_key_passphrase jwt_passphrase"),
	words("instance_name", "instance"), words("service", "database"), words("security_protocol", "security"), words("topic", "topic topics subjects"), words("folder", "folder path"), words("client_id", "integration_key"),
	words("scopes", "scopes"), words("account", "account"), words("client_cert", "client_cert"),
}

// kinds are the words by which other programs call what a type is for.
var kinds = []spelling{
	words("postgres", "postgresql postgres pg psql pgsql pg8 postgresjdbc redshift greenplum cockroachdb cockroach timescale edb azurepostgres"),
	words("mysql", "mysql mariadb mysql8 mysqljdbc aurora percona tidb singlestore mariadbjdbc"),
	words("sqlserver", "sqlserver mssql mssqlserver microsoftsqlserver jtds azuresql azuresqldatabase synapse microsoft"),
	words("oracle", "oracle oraclethin ora oracledb"), words("mongodb", "mongodb mongo mongodbsrv documentdb"),
	words("clickhouse", "clickhouse"), words("redis", "redis rediss valkey keydb"), words("elasticsearch", "elasticsearch elastic opensearch es"),
	words("sqlite", "sqlite sqlite3"), words("sftp", "sftp ssh2sftp scp sshsftp"), words("ssh", "ssh ssh2 ssh1 bastion jumphost jumpserver"),
	words("ftp", "ftp ftps ftpes ftptls ftpssl"), words("webdav", "webdav dav davs webdavhttps webdavhttp nextcloud owncloud"),
	words("smb", "smb cifs samba windowsshare networkshare netzlaufwerk"), words("s3", "s3 amazons3 aws awss3"), words("s3_compatible", "minio s3compatible"),
	words("gcs", "gcs googlestorage googlecloudstorage gs"), words("azure_blob", "azure azureblob blobstorage azurestorage wasbs"),
	words("ldap", "ldap ldaps activedirectory ad openldap"), words("mqtt", "mqtt mqtts mosquitto"), words("kafka", "kafka"),
	words("rabbitmq", "rabbitmq amqp amqps rabbit"), words("nats", "nats"), words("smtp", "smtp smtps mailserver"), words("imap", "imap imaps"),
	words("http", "http https rest api web webservice httpapi odata graphql"), words("dropbox", "dropbox"), words("google_drive", "googledrive"),
	words("microsoft_graph", "onedrive sharepoint graph microsoft365 office365 m365"), words("dynamics365", "dynamics crm dynamicscrm dataverse"),
	words("salesforce", "salesforce sfdc"), words("servicenow", "servicenow snow"), words("oauth", "oauth oauth2 oidc openidconnect"),
}

// version ends a driver's name: "mysql.8", "SQL Server (jTDS)".
var version = regexp.MustCompile(`[\s._:(-].*$`)

// TypeOf is the id of the type that a word stands for, "" for none.
func TypeOf(types []connectors.Type, word string) string {
	bare, _, _ := strings.Cut(word, "(")
	for _, w := range []string{word, bare, strings.TrimPrefix(strings.ToLower(word), "jdbc:"), version.ReplaceAllString(strings.TrimPrefix(strings.ToLower(word), "jdbc:"), "")} {
		p := Plain(w)
		if p == "" {
			continue
		}
		if id := kindOf[p]; id != "" {
			return id
		}
		for _, t := range types {
			if Plain(t.ID) == p || Plain(t.Name) == p {
				return t.ID
			}
		}
	}
	return ""
}
