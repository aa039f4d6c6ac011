package addresses

import (
	"regexp"
	"strconv"
	"strings"
)

const (
	maxEntries = 200
	tcps       = "tcps"
)

// oracleURL understands oracle://, also SQLAlchemy's, where the path is a SID
// unless the options have a service_name
// (https://docs.sqlalchemy.org/en/20/dialects/oracle.html).
func (r *reader) oracleURL(a address) (outcome, bool) {
	d := r.draft("oracle")
	o := queryOptions(a.query, a.driver != "")
	d.set("host", a.host)
	d.set("port", a.port)
	service, sid := o.take("service_name", "servicename"), o.take("sid")
	if name := a.name(); name != "" && service == "" && sid == "" {
		service = name
		if a.driver != "" {
			service, sid = "", name
		}
	}
	d.oracleName(service, sid)
	protocol := strings.ToLower(o.take("protocol"))
	if truth(o.take("ssl")) == "true" {
		protocol = tcps
	}
	d.oracleTLS(protocol)
	d.credentials(a)
	d.rest(o)
	return r.made("address", d)
}

func (d *draft) oracleName(service, sid string) {
	if service == "" && sid != "" {
		d.set("kind", "sid")
		d.set("sid", sid)
		return
	}
	d.set("service", service)
}

// oracleTLS: without a protocol Oracle's addresses mean TCP, which has no
// encryption
// (https://docs.oracle.com/en/database/oracle/oracle-database/23/netag/configuring-naming-methods.html).
func (d *draft) oracleTLS(protocol string) {
	if protocol == tcps {
		d.set("tls", tcps)
		return
	}
	d.set("tls", off)
	d.r.Note(noteOpen)
}

// oracleEasy is tcps://host:port/service.
func (r *reader) oracleEasy(a address) (outcome, bool) {
	d := r.draft("oracle")
	d.oracleTarget(a.clean(""))
	d.credentials(a)
	return r.made("address", d)
}

var (
	easyShape = regexp.MustCompile(`^(?i)(?:(?:tcps?:)?//)?[a-z0-9._-]+(?::\d+)?/[a-z0-9_$#.-]+(?::[a-z]+)?(?:/[a-z0-9_$#.-]+)?(?:\?.*)?$`)
	sidShape  = regexp.MustCompile(`^(?://)?([A-Za-z0-9._-]+):(\d+):([A-Za-z0-9_$#.]+)$`)
	aliasLine = regexp.MustCompile(`(?m)^\s*([A-Za-z][A-Za-z0-9_.$#, -]*?)\s*=\s*\(\s*(?i:DESCRIPTION)`)
	nameShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)
)

// oracleTarget answers from what stands behind the @: a descriptor, Easy Connect
// or host:port:SID; false for anything else.
func (d *draft) oracleTarget(text string) bool {
	if strings.Contains(text, "(") {
		if !strings.Contains(strings.ToUpper(text), "(HOST") && !strings.Contains(strings.ToUpper(text), "HOST ") {
			return false
		}
		if strings.Count(strings.ToUpper(strings.ReplaceAll(text, " ", "")), "(HOST=") > 1 {
			d.r.Note(noteFirst)
			d.r.Leave("Further servers", whyMore)
		}
		ok := d.split("host", text)
		if ok && d.r.Settings.Plain["tls"] == off {
			d.r.Note(noteOpen)
		}
		return ok
	}
	if m := sidShape.FindStringSubmatch(text); m != nil {
		d.set("host", m[1])
		d.set("port", m[2])
		d.oracleName("", m[3])
		d.oracleTLS("")
		return true
	}
	if !easyShape.MatchString(text) {
		return false
	}
	text, query, _ := strings.Cut(text, "?")
	if parts := strings.Split(text, "/"); len(parts) > 2 && parts[0] != "" && !strings.HasSuffix(parts[0], ":") { // host/service/instance
		text = parts[0] + "/" + parts[1]
	}
	if !d.split("host", text) {
		return false
	}
	d.oracleTLS(strings.ToLower(strings.SplitN(text, ":", 2)[0]))
	o := queryOptions(query, false)
	d.files(o, "wallet_location", "my_wallet_directory", "javax.net.ssl.trustStore")
	d.rest(o)
	return true
}

// oracleLogin is user/password@target, also with the user and the password in
// quotation marks
// (https://docs.oracle.com/en/database/oracle/oracle-database/23/sqpug/starting-SQL-Plus.html).
func (d *draft) oracleLogin(text string) bool {
	i := strings.LastIndexByte(text, '@')
	if i < 0 || strings.Contains(text[:max(i, 0)], "(") {
		return d.oracleTarget(text)
	}
	user, password, _ := strings.Cut(text[:i], "/")
	bare := strings.Trim(password, `"`)
	d.set("user", strings.Trim(user, `"`))
	d.secret("password", bare)
	if bare == password && strings.ContainsAny(password, "@/") {
		d.r.Note(noteRepaired)
	}
	return d.oracleTarget(text[i+1:])
}

// tns understands a descriptor alone, and an entry of tnsnames.ora.
func (r *reader) tns(text string) (outcome, bool) {
	if !strings.Contains(strings.ToUpper(strings.ReplaceAll(text, " ", "")), "(DESCRIPTION") || strings.Contains(text, ";") {
		return outcome{}, false
	}
	if m := aliasLine.FindStringIndex(text); m != nil && m[0] == 0 {
		text = text[strings.IndexByte(text, '('):]
	}
	d := r.draft("oracle")
	if d.t.ID != "" && !d.oracleLogin(text) {
		return outcome{}, false
	}
	return r.made("connect descriptor", d)
}

// tnsEntries cuts tnsnames.ora into its entries; nil when text is something else.
func tnsEntries(text string) []placed {
	marks := aliasLine.FindAllStringSubmatchIndex(text, maxEntries+1)
	if len(marks) < 2 || len(marks) > maxEntries || strings.TrimSpace(comments.ReplaceAllString(text[:marks[0][0]], "")) != "" {
		return nil
	}
	var out []placed
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		entry := comments.ReplaceAllString(text[m[0]:end], "")
		line := strconv.Itoa(strings.Count(text[:m[2]], "\n") + 1)
		out = append(out, placed{"line " + line, strings.Join(strings.Fields(entry), " ")})
	}
	return out
}

var comments = regexp.MustCompile(`(?m)^\s*#.*$`)
