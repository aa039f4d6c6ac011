package addresses

import (
	"regexp"
	"strings"
)

// A family understands the addresses of a scheme.
type family struct {
	manner
	read func(*reader, address) (outcome, bool)
}

// families are the schemes that are understood.
func families() map[string]family {
	out := map[string]family{}
	add := func(m manner, read func(*reader, address) (outcome, bool), schemes ...string) {
		for _, s := range schemes {
			out[s] = family{m, read}
		}
	}
	loose, web := manner{loose: true}, manner{web: true}
	add(loose, (*reader).postgres, "postgres", "postgresql", "postgis", "pgsql", "psql", "redshift", "cockroachdb", "cockroach", "yugabytedb", "timescale", "timescaledb", "greenplum")
	add(loose, (*reader).mysql, "mysql", "mariadb", "mysqlx", "mysql2", "percona", "aurora")
	add(loose, (*reader).mongodb, "mongodb", "mongodb+srv", "mongo")
	add(loose, (*reader).redis, "redis", "rediss", "valkey", "valkeys")
	add(loose, (*reader).amqp, "amqp", "amqps")
	add(loose, (*reader).mssql, "sqlserver", "mssql", "azuresql", "mssqlms")
	add(loose, (*reader).oracleURL, "oracle")
	add(loose, (*reader).oracleEasy, "tcps")
	add(loose, (*reader).sqliteURL, "sqlite", "sqlite3", "file")
	add(loose, (*reader).clickhouse, "clickhouse", "clickhouses", "ch", "chs", "clickhousedb")
	add(loose, (*reader).elasticURL, "elasticsearch", "elastic", "opensearch", "es")
	add(loose, (*reader).mqtt, "mqtt", "mqtts", "ssl", "tcp", "tls", "ws", "wss")
	add(loose, (*reader).nats, "nats")
	add(loose, (*reader).kafkaURL, "kafka", "kafkas", "kafka+ssl", "sasl-ssl", "sasl-plaintext", "plaintext")
	add(manner{}, (*reader).ldap, "ldap", "ldaps", "ldapi")
	add(loose, (*reader).mail, "smtp", "smtps", "submission", "imap", "imaps")
	add(manner{}, (*reader).sftp, "sftp", "ssh", "scp", "git+ssh", "ssh+git")
	add(manner{}, (*reader).ftp, "ftp", "ftps", "ftpes")
	add(manner{}, (*reader).smb, "smb", "cifs")
	add(manner{}, (*reader).bucket, "s3", "s3a", "s3n", "gs", "gcs")
	add(manner{}, (*reader).azureFiles, "abfs", "abfss", "wasb", "wasbs")
	add(loose, (*reader).serviceBus, "sb")
	add(web, (*reader).dav, "dav", "davs", "webdav", "webdavs")
	add(web, (*reader).anyWeb, "http", "https")
	return out
}

// url understands everything with ://.
func (r *reader) url(text string) (outcome, bool) {
	if r.known == nil {
		r.known = families()
	}
	if scheme, rest, ok := strings.Cut(text, "://"); ok && strings.HasPrefix(strings.ToUpper(scheme), "SASL_") { // no URL may have a _ there
		text = strings.ReplaceAll(scheme, "_", "-") + "://" + rest
	}
	text = repeated.ReplaceAllString(text, ",")
	a, ok := parseURL(text, func(scheme string) manner { return r.known[scheme].manner })
	if !ok {
		return outcome{}, false
	}
	f, ok := r.known[a.scheme]
	if !ok {
		return foreign(a.scheme)
	}
	if a.hosts == "" && a.scheme != "sqlite" && a.scheme != "sqlite3" && a.scheme != "file" && !strings.Contains(a.query, "=") && a.driver == "" && a.path == "" {
		return outcome{}, false
	}
	return f.read(r, a)
}

// repeated is the scheme, and user and password, that some lists of servers have
// before each of them.
var repeated = regexp.MustCompile(`(?i),\s*(?:nats|tls|wss?|kafka|kafka\+ssl|sasl[-_]ssl|sasl[-_]plaintext|plaintext|ssl)://(?:[^,@/]*@)?`)

// foreign names what is recognized by its scheme and has no connection type.
func foreign(scheme string) (outcome, bool) {
	if name := foreigners()[strings.ToLower(scheme)]; name != "" {
		return unknown(name, "address")
	}
	return outcome{}, false
}

// foreigners are schemes of URLs, JDBC and SQLAlchemy that are known by name
// alone. Many are in https://docs.sqlalchemy.org/en/20/dialects/.
func foreigners() map[string]string {
	return map[string]string{
		"snowflake": "Snowflake", "bigquery": "Google BigQuery", "googlebigquery": "Google BigQuery", "db2": "IBM Db2", "ibm_db_sa": "IBM Db2", "ibm-db-sa": "IBM Db2", "as400": "IBM Db2 for i",
		"hive": "Apache Hive", "hive2": "Apache Hive", "impala": "Apache Impala", "presto": "Presto", "trino": "Trino", "teradata": "Teradata", "teradatasql": "Teradata",
		"sybase": "SAP ASE", "hana": "SAP HANA", "sap": "SAP HANA", "vertica": "Vertica", "vertica-python": "Vertica", "exa": "Exasol", "exasol": "Exasol",
		"firebird": "Firebird", "firebirdsql": "Firebird", "informix": "IBM Informix", "informix-sqli": "IBM Informix", "netezza": "IBM Netezza", "databricks": "Databricks", "spark": "Databricks",
		"awsathena": "Amazon Athena", "athena": "Amazon Athena", "spanner": "Google Cloud Spanner", "cloudspanner": "Google Cloud Spanner", "dynamodb": "Amazon DynamoDB",
		"cassandra": "Apache Cassandra", "scylla": "ScyllaDB", "couchbase": "Couchbase", "couchbases": "Couchbase", "couchdb": "CouchDB", "neo4j": "Neo4j", "neo4j+s": "Neo4j", "bolt": "Neo4j",
		"arangodb": "ArangoDB", "influxdb": "InfluxDB", "duckdb": "DuckDB", "h2": "H2", "derby": "Apache Derby", "hsqldb": "HSQLDB", "ignite": "Apache Ignite", "phoenix": "Apache Phoenix",
		"access": "Microsoft Access", "ucanaccess": "Microsoft Access", "drill": "Apache Drill", "druid": "Apache Druid", "pinot": "Apache Pinot", "monetdb": "MonetDB", "crate": "CrateDB", "kylin": "Apache Kylin",
		"libsql": "libSQL", "memcached": "Memcached", "memcache": "Memcached", "zookeeper": "ZooKeeper", "zk": "ZooKeeper", "etcd": "etcd", "consul": "Consul", "vault": "HashiCorp Vault",
		"pulsar": "Apache Pulsar", "pulsar+ssl": "Apache Pulsar", "stomp": "STOMP", "xmpp": "XMPP", "sqs": "Amazon SQS", "sns": "Amazon SNS", "kinesis": "Amazon Kinesis", "coap": "CoAP", "opc.tcp": "OPC UA",
		"pop": "POP3 mailbox", "pop3": "POP3 mailbox", "pop3s": "POP3 mailbox", "nfs": "NFS", "rsync": "rsync", "hdfs": "Hadoop HDFS", "webhdfs": "Hadoop HDFS", "afp": "AFP", "telnet": "Telnet",
		"rdp": "Remote Desktop", "vnc": "VNC", "git": "Git", "svn": "Subversion", "svn+ssh": "Subversion", "oss": "Alibaba Cloud OSS", "cos": "Tencent Cloud COS", "swift": "OpenStack Swift", "b2": "Backblaze B2", "adl": "Azure Data Lake",
		"failover": "ActiveMQ (OpenWire)", "solr": "Apache Solr", "milvus": "Milvus", "tftp": "TFTP", "gopher": "Gopher", "rtsp": "RTSP", "sip": "SIP",
	}
}
