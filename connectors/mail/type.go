// Package mail has the connection types for sending mail (SMTP, RFC 5321 and
// RFC 6409) and for reading a mailbox (IMAP, RFC 3501 and RFC 9051). Nothing is
// sent unless the person asks for it, and nothing in a mailbox is changed.
//
// Both protocols are spoken here and by no library, because each of these would
// break a promise: the SMTP clients keep a server's list of extensions to
// themselves, and the IMAP client ends the connection at one folder whose name
// is not well formed, reads without a bound, loses the reason of a BYE, and
// cannot answer a challenge with nothing, which SCRAM needs.
package mail

import (
	"context"
	"slices"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// Types are both connection types.
func Types() []connectors.Type { return []connectors.Type{SMTP(), IMAP()} }

type smtpConfig struct {
	account
	From       string `field:"from"`
	CheckFrom  bool   `field:"check_from"`
	EHLO       string `field:"ehlo"`
	Properties string `field:"properties"`
}

type imapConfig struct {
	account
	Folder string `field:"folder"`
}

// SMTP is the server that mail is handed to.
func SMTP() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "smtp", Name: "Mail server (SMTP)", Group: connectors.GroupMessaging, Tile: "SM",
		Summary:  "Sign-in and abilities of a server that sends mail",
		Keywords: []string{"email", "e-mail", "mail", "send", "outgoing", "submission", "relay", "smtps", "starttls", "javamail", "gmail", "exchange", "office 365", "postfix"},
		Where:    []string{"host", "user"},
		Form:     smtpForm(),
		Guide: connectors.Guide{
			Steps: []string{
				"Host, port and encryption are on your mail provider's page for “outgoing mail” or “SMTP”: usually port 587 with STARTTLS or 465 with TLS.",
				"The user name is often the whole address, such as alice@example.com.",
				"With two-step sign-in, make an app password in your account's security settings and use it in place of your own.",
			},
			Rights: "Signing in to send. Linking proves the sign-in and sends nothing; a test mail goes out only when you ask for it.",
			Admin:  "Allow SMTP sign-in (authenticated SMTP) for the account, and the sender addresses that it will use.",
			Notes: []string{
				"Microsoft 365 and Gmail want an access token (XOAUTH2) or an app password; the account's own password is refused.",
				"Port 25 is for mail between servers. Many networks block it, and few servers take a sign-in there.",
			},
			Links: []connectors.Link{
				{Text: "App passwords at Google", URL: "https://support.google.com/accounts/answer/185833"},
				{Text: "Authenticated SMTP in Microsoft 365", URL: "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission"},
			},
		},
	}, openSMTP)
}

// IMAP is the mailbox that mail is read from.
func IMAP() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "imap", Name: "Mailbox (IMAP)", Group: connectors.GroupMessaging, Tile: "IM",
		Summary:  "Folders and messages of a mailbox",
		Keywords: []string{"email", "e-mail", "mail", "inbox", "incoming", "imaps", "messages", "folders", "gmail", "exchange", "office 365", "dovecot"},
		Where:    []string{"host", "user"},
		Form:     imapForm(),
		Guide: connectors.Guide{
			Steps: []string{
				"Host and port are on your mail provider's page for “incoming mail” or “IMAP”: usually port 993 with TLS.",
				"The user name is often the whole address, such as alice@example.com.",
				"With two-step sign-in, make an app password in your account's security settings and use it in place of your own.",
			},
			Rights: "Reading the folders (rights l and r where the server has access lists). Messages are only looked at: none is marked as read, moved or deleted.",
			Admin:  "Allow IMAP for the account. For shared folders, give it the rights l (see) and r (read).",
			Notes:  []string{"Microsoft 365 and Gmail want an access token (XOAUTH2) or an app password; the account's own password is refused."},
			Links: []connectors.Link{
				{Text: "App passwords at Google", URL: "https://support.google.com/accounts/answer/185833"},
				{Text: "IMAP settings of Outlook.com and Microsoft 365", URL: "https://support.microsoft.com/office/pop-imap-and-smtp-settings-for-outlook-com-d088b986-291d-42b8-9564-9c414e2aa040"},
			},
		},
	}, openIMAP)
}

func smtpForm() connectors.Form {
	fields := accountFields(smtpPorts, "smtp.example.com", []connectors.Option{
		{Value: secStartTLS, Label: "STARTTLS", Help: "Begins in the clear, usually on port 587, and must switch to encryption before the sign-in."},
		{Value: secTLS, Label: "TLS", Help: "Encrypted from the first byte, usually on port 465."},
		{Value: secNone, Label: "None", Help: "Everything travels in the clear, usually on port 25: anybody in between can read it."},
	}, connectors.Option{Value: authNone, Label: "Nothing", Help: "For servers that know this computer by its address."})
	fields = append(fields,
		connectors.Field{Key: "from", Label: "Sender's address", Kind: connectors.Text, Section: "Sending", Example: "alice@example.com", Tidy: tidyAddress, Valid: validAddress,
			Help: "Used for a test mail. Leave empty to use the user name when it is an address."},
		connectors.Field{Key: "check_from", Label: "Ask whether this sender is allowed", Kind: connectors.Toggle, Default: "false", Advanced: true,
			Help: "Linking then names the sender to the server and takes it back at once. Nothing is sent."},
		connectors.Field{Key: "ehlo", Label: "This computer's name", Kind: connectors.Text, Advanced: true, Example: "app.example.com", Valid: validEHLO,
			Help: "What is said in EHLO. Leave empty for this computer's address; some servers want a name that they know."},
		connectors.Field{Key: "properties", Label: "Further properties", Kind: connectors.Lines, Section: "Further properties",
			Example: "mail.smtp.connectiontimeout=10000", Valid: validProperties, Split: splitProperties,
			Help: "One key=value a line, such as JavaMail's mail.smtp.… They are kept with the connection; those that are known fill the answers above. No passwords here."})
	return connectors.Form{Fields: append(fields, tlsx.Fields(encrypted(), true)...)}
}

func imapForm() connectors.Form {
	fields := accountFields(imapPorts, "imap.example.com", []connectors.Option{
		{Value: secTLS, Label: "TLS", Help: "Encrypted from the first byte, usually on port 993."},
		{Value: secStartTLS, Label: "STARTTLS", Help: "Begins in the clear, usually on port 143, and must switch to encryption before the sign-in."},
		{Value: secNone, Label: "None", Help: "Everything travels in the clear, usually on port 143: anybody in between can read it."},
	})
	fields = append(fields, connectors.Field{Key: "folder", Label: "Folder", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "INBOX", Valid: validFolder,
		Help: "Where to begin. Leave empty for all folders."})
	return connectors.Form{Fields: append(fields, tlsx.Fields(encrypted(), true)...)}
}

func encrypted() []connectors.Cond { return connectors.When("security", secStartTLS, secTLS) }

func openSMTP(ctx context.Context, env *connectors.Env, c smtpConfig) (connectors.Session, error) {
	known, _ := readProperties(c.Properties)
	d, err := newDoor("smtp", c.account, smtpPorts)
	if err != nil {
		return nil, err
	}
	d.dialing, d.patience = known.connect, known.wait
	return startSMTP(ctx, env, d, c)
}

func openIMAP(ctx context.Context, env *connectors.Env, c imapConfig) (connectors.Session, error) {
	d, err := newDoor("imap", c.account, imapPorts)
	if err != nil {
		return nil, err
	}
	return startIMAP(ctx, env, d, c)
}

// without is a list without some of its values.
func without(all []string, none ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(none, s) })
}
