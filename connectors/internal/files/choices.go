package files

// Folder is an entry as something to begin at: its name, nothing for a file. It
// goes with connectors.ChoicesOf.
func Folder(e Entry) (value, label string) {
	if !e.Folder || e.Name == "/" {
		return "", ""
	}
	return e.Name, ""
}
