package addresses

import (
	"regexp"
	"strings"
)

// A listing ties hosts to a type where its form does not tell them.
type listing struct {
	hosts *regexp.Regexp // of host and path
	id    string
	key   string // the field that the first group answers; "" for none
	value string // the answer, in place of the group
}

// listings are the hosts of services whose form asks for a part of the address
// or for none of it.
func listings() []listing {
	out := []listing{}
	for _, l := range [][4]string{
		{`^([a-z0-9-]+)\.zendesk\.com/`, "zendesk", "subdomain"},
		{`^([a-z0-9-]+)\.pipedrive\.com/`, "pipedrive", "company"},
		{`^([a-z0-9-]+)\.myshopify\.com/`, "shopify", "shop"},
		{`^admin\.shopify\.com/store/([a-z0-9-]+)`, "shopify", "shop"},
		{`^api\.sendgrid\.com/`, "sendgrid", "region", "api"},
		{`^api\.eu\.sendgrid\.com/`, "sendgrid", "region", "api.eu"},
		{`^app\.sendgrid\.com/`, "sendgrid"},
		{`^quickbooks\.api\.intuit\.com/v3/company/(\d+)`, "quickbooks", "realm"},
		{`^quickbooks\.api\.intuit\.com/`, "quickbooks", "environment", "quickbooks"},
		{`^sandbox-quickbooks\.api\.intuit\.com/`, "quickbooks", "environment", "sandbox-quickbooks"},
		{`^api\.twilio\.com/2010-04-01/Accounts/(AC[0-9a-f]{32})`, "twilio", "account_sid"},
		{`^(?:api|console|www)\.twilio\.com/`, "twilio"},
		{`^docs\.google\.com/(spreadsheets/d/[A-Za-z0-9_-]+)`, "google_sheets", "spreadsheet"},
		{`^sheets\.googleapis\.com/`, "google_sheets"},
		{`^drive\.google\.com/`, "google_drive"},
		{`^www\.googleapis\.com/(?:upload/)?drive/`, "google_drive"},
		{`^graph\.microsoft\.(?:com|us)/`, "microsoft_graph"},
		{`^api\.airtable\.com/`, "airtable"}, {`^airtable\.com/`, "airtable"},
		{`^app\.asana\.com/`, "asana"},
		{`^api\.box\.com/`, "box"}, {`^app\.box\.com/`, "box"},
		{`^(?:api|content)\.dropboxapi\.com/`, "dropbox"}, {`^www\.dropbox\.com/home(/[^?]+)`, "dropbox", "folder"}, {`^www\.dropbox\.com/`, "dropbox"},
		{`^(?:api\.)?github\.com/`, "github"},
		{`^gitlab\.com/`, "gitlab"},
		{`^api\.hubapi\.com/`, "hubspot"}, {`^app[a-z0-9-]*\.hubspot\.com/`, "hubspot"},
		{`^api\.notion\.com/`, "notion"}, {`^(?:www\.)?notion\.so/`, "notion"},
		{`^(?:[a-z0-9-]+\.)?slack\.com/`, "slack"},
		{`^(?:api|dashboard)\.stripe\.com/`, "stripe"},
		{`^(?:api|go)\.xero\.com/`, "xero"},
		{`^demo\.docusign\.net/`, "docusign", "environment", "account-d.docusign.com"},
		{`^(?:app|www)\.docusign\.(?:com|net)/`, "docusign", "environment", "account.docusign.com"},
		{`^[a-z0-9-]+\.pagerduty\.com/`, "pagerduty", "region", "api.pagerduty.com"},
		{`^[a-z0-9-]+\.eu\.pagerduty\.com/`, "pagerduty", "region", "api.eu.pagerduty.com"},
	} {
		out = append(out, listing{regexp.MustCompile(`(?i)` + l[0]), l[1], l[2], l[3]})
	}
	return out
}

// listed finds the type of a host in the list.
func (r *reader) listed(a address, host string) (outcome, bool) {
	if r.list == nil {
		r.list = listings()
	}
	path := a.path
	if path == "" {
		path = "/"
	}
	for _, l := range r.list {
		m := l.hosts.FindStringSubmatch(host + path)
		if m == nil {
			continue
		}
		d := r.draft(l.id)
		d.bare = true
		switch {
		case l.value != "":
			d.set(l.key, l.value)
		case l.key == "spreadsheet":
			d.set(l.key, "https://docs.google.com/"+m[1]+"/edit")
		case l.key != "":
			d.set(l.key, decoded(m[1], false))
			if l.key == "subdomain" || l.key == "company" {
				d.title = host
			}
		}
		d.special(l.id, a, host)
		return r.made("address", d)
	}
	return outcome{}, false
}

// special are sign-ins that a service lets stand in its addresses.
func (d *draft) special(id string, a address, host string) {
	email, isToken := strings.CutSuffix(a.user, "/token")
	switch {
	case strings.HasPrefix(host, "hooks."):
		d.r.Note(noteWebhook)
	case id == "twilio" && a.user != "": // https://www.twilio.com/docs/usage/requests-to-twilio
		d.set("account_sid", a.user)
		d.secret("auth_token", a.password)
	case id == "stripe" && a.user != "": // https://docs.stripe.com/api/authentication
		d.secret("api_key", a.user)
	case id == "zendesk" && isToken: // https://developer.zendesk.com/api-reference/introduction/security-and-auth/
		d.set("email", email)
		d.secret("api_token", a.password)
	case id == "jira" && a.user != "":
		d.set("email", a.user)
		d.secret("api_token", a.password)
	case (id == "github" || id == "gitlab") && a.signed: // https://user:token@github.com/…
		d.secret("token", or(a.password, a.user))
		d.r.Note(noteRepository)
	case (id == "github" || id == "gitlab") && strings.HasSuffix(a.path, ".git"):
		d.r.Note(noteRepository)
	default:
		d.account(a)
	}
}
