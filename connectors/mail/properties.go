package mail

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

const (
	maxProperties = 200
	maxProperty   = 2000 // bytes of one line
)

// A property is one line; JavaMail's names are at
// https://jakarta.ee/specifications/mail/2.1/apidocs/ and, for SMTP,
// https://eclipse-ee4j.github.io/angus-mail/docs/api/org.eclipse.angus.mail/org/eclipse/angus/mail/smtp/package-summary.html
type property struct{ key, value string }

// applied is what properties say that no other answer does.
type applied struct{ connect, wait time.Duration }

// shortName is a key without its family: mail.smtp.x and mail.smtps.x are both x.
func shortName(key string) string {
	for _, family := range []string{"mail.smtp.", "mail.smtps."} {
		if rest, ok := strings.CutPrefix(strings.ToLower(key), family); ok {
			return rest
		}
	}
	return ""
}

// splitProperties answers the form's other questions with what the lines say.
func splitProperties(text string) map[string]string {
	list, err := parseProperties(text)
	if err != nil || validProperties(text) != nil {
		return nil
	}
	out := map[string]string{}
	for _, p := range list {
		if key, value := p.answer(); key != "" {
			out[key] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// answer is the field that a property speaks of, and what it says; "" for none.
// That it is off says nothing: mail.smtp.ssl.enable=false still allows STARTTLS.
func (p property) answer() (key, value string) {
	on := strings.EqualFold(p.value, "true")
	name := shortName(p.key)
	key, value = map[string]string{"host": "host", "port": "port", "user": "user", "from": "from", "localhost": "ehlo", "auth.mechanisms": "auth"}[name], p.value
	switch {
	case name == "auth.mechanisms":
		value = strings.ToLower(p.value)
	case name == "ssl.enable" && on:
		key, value = "security", secTLS
	case (name == "starttls.enable" || name == "starttls.required") && on:
		key, value = "security", secStartTLS
	case name == "auth" && !on:
		key, value = "auth", authNone
	}
	f, ok := smtpForm().Field(key)
	if !ok || value == "" || f.Verify(value) != nil {
		return "", ""
	}
	return key, value
}

// readProperties is what takes effect, and every line as a fact that says what
// became of it.
func readProperties(text string) (applied, []connectors.Fact) {
	list, _ := parseProperties(text)
	var a applied
	var facts []connectors.Fact
	for _, p := range list {
		f := connectors.Fact{Label: p.key, Text: p.value + " (kept, not used here)"}
		switch n, _ := strconv.Atoi(p.value); shortName(p.key) {
		case "connectiontimeout":
			a.connect, f.Text = time.Duration(n)*time.Millisecond, p.value+" ms"
		case "timeout":
			a.wait, f.Text = time.Duration(n)*time.Millisecond, p.value+" ms"
		case "ssl.trust", "ssl.checkserveridentity":
			f.Text = p.value + " (not used: certificates are always verified)"
		}
		facts = append(facts, f)
	}
	return a, facts
}

// propertyFacts adds to every known property whether the form agrees.
func propertyFacts(c smtpConfig) []connectors.Fact {
	list, _ := parseProperties(c.Properties)
	_, facts := readProperties(c.Properties)
	for i, p := range list {
		key, value := p.answer()
		if key == "" {
			continue
		}
		if f, _ := smtpForm().Field(key); c.says(key) == value {
			facts[i].Text = value
		} else {
			facts[i].Text = fmt.Sprintf("%s (not used: “%s” says otherwise)", value, f.Label)
		}
	}
	return facts
}

func (c smtpConfig) says(key string) string {
	switch key {
	case "host":
		return c.Host
	case "port":
		_, port, _ := net.SplitHostPort(c.addr(smtpPorts))
		return port
	case "user":
		return c.User
	case "from":
		return c.From
	case "ehlo":
		return c.EHLO
	case "security":
		return c.Security
	}
	return c.Auth
}
