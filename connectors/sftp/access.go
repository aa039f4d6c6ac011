package sftp

import (
	"strings"

	"jackfield/connectors"
)

// access says whether an entry opens, where its mode bits surely tell. They do on
// OpenSSH's own file server on Unix alone: Windows makes them up, and other
// servers show what they were told to. SFTP version 3 does not say who the
// account is; the owner's name in the long listing does, where it is the user's.
func (s *session) access(e dirEntry) connectors.Access {
	version := string(s.ssh.ServerVersion())
	if !e.known || !e.mode.IsRegular() && !e.mode.IsDir() || s.c.User == "root" || drive.MatchString(s.home) {
		return ""
	}
	if !strings.HasPrefix(version, "SSH-2.0-OpenSSH_") && !strings.HasPrefix(version, "SSH-2.0-dropbear") || strings.Contains(version, "Windows") {
		return ""
	}
	need := uint32(4)
	if e.mode.IsDir() {
		need = 5 // to list and to go in
	}
	may := func(shift uint) bool { return uint32(e.mode.Perm())>>shift&need == need }
	const owner, group, other = 6, 3, 0
	classes := []bool{may(group), may(other)}
	switch e.owner {
	case s.c.User:
		classes = []bool{may(owner)}
	case "":
		classes = append(classes, may(owner))
	}
	return verdict(classes)
}

// verdict is known where the account's class does not matter.
func verdict(classes []bool) connectors.Access {
	yes := 0
	for _, may := range classes {
		if may {
			yes++
		}
	}
	switch yes {
	case len(classes):
		return connectors.AccessReadable
	case 0:
		return connectors.AccessDenied
	}
	return ""
}
