package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
)

// iconOf tells the kinds of nodes apart.
func iconOf(n connectors.Node) fyne.Resource {
	switch n.Kind {
	case "file": // also one that others are in, such as a zip
		if len(n.Views) > 0 && n.Views[0] == connectors.ViewRows {
			return theme.FileTextIcon()
		}
		return theme.FileIcon()
	case "folder", "schema", "database":
		return theme.FolderIcon()
	case "table", "view", "materialized view", "foreign table", "partitioned table", "resource", "sheet":
		return theme.GridIcon()
	case "column":
		return theme.ListIcon()
	case "ou", "container", "domain", "organization":
		return theme.FolderIcon()
	case "person", "user":
		return theme.AccountIcon()
	case "group":
		return theme.ListIcon()
	case "topic":
		return theme.RadioButtonIcon()
	case "phone", "capability", "fact":
		return theme.InfoIcon()
	case "bucket", "share", "stream", "index":
		return theme.StorageIcon()
	case "exchange", "subject":
		return theme.RadioButtonIcon()
	case "queue", "consumer", "partition":
		return theme.ListIcon()
	case "mailbox":
		return theme.MailComposeIcon()
	case "link", "referral":
		return theme.MailForwardIcon()
	}
	if n.Branch {
		return theme.FolderIcon()
	}
	return theme.FileIcon()
}
