package sftp

import (
	"path"
	"regexp"
	"strings"
)

// drive is a path on Windows as OpenSSH there shows it: /C:/Users. Old builds
// leave the first slash out (github.com/PowerShell/Win32-OpenSSH/issues/479).
var drive = regexp.MustCompile(`^/?[A-Za-z]:(/|$)`)

func fromDrive(p string) string {
	if drive.MatchString(p) && !strings.HasPrefix(p, "/") {
		return "/" + p
	}
	return p
}

// within is folder as seen from home; an absolute one stands for itself.
func within(home, folder string) string {
	switch {
	case folder == "":
		return home
	case path.IsAbs(folder):
		return folder
	}
	return path.Join(home, folder)
}

// wire is a path as it is sent. A drive alone means the current folder there;
// its root needs the slash.
func wire(p string) string {
	if len(p) == 3 && drive.MatchString(p) {
		return p + "/"
	}
	return p
}

// join appends a name as the server gave it: cleaning it would name another file
// where a name has dots or doubled slashes.
func join(dir, name string) string { return strings.TrimSuffix(dir, "/") + "/" + name }
