package ftp

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

// A line is one entry of a listing.
type line struct {
	name     string // as it came, still in the server's letters
	kind     string // "" for a file; folder, link, special
	size     int64  // -1 when unknown
	modified time.Time
	local    string // a time on the server's own clock
	perm     string // RFC 3659 section 7.5.5
	permed   bool   // perm was there
	mode     string
	owner    string
	target   string // of a link
	media    string
}

// machineLine reads a line of MLSD or MLST (RFC 3659 section 7.2):
// "type=file;size=12;perm=r; name". The folder itself and its parent are no
// entries.
func machineLine(text string) (e line, entry, ok bool) {
	facts, name, found := strings.Cut(text, " ")
	if !found || !strings.HasSuffix(facts, ";") && facts != "" {
		return line{}, false, false
	}
	e = line{name: name, size: -1}
	ids := map[string]string{}
	for fact := range strings.SplitSeq(strings.TrimSuffix(facts, ";"), ";") {
		key, v, _ := strings.Cut(fact, "=")
		key = strings.ToLower(key)
		if strings.HasPrefix(key, "unix.") {
			ids[key] = v
			continue
		}
		e.fact(key, v)
	}
	e.mode, e.owner = ids["unix.mode"], ownership(ids)
	if e.kind == "." {
		e.kind = "folder"
		return e, false, true
	}
	return e, name != "", true
}

// fact takes one of the standard facts (RFC 3659 section 7.5).
func (e *line) fact(key, v string) {
	switch key {
	case "type":
		e.kind, e.target = machineType(v)
	case "size":
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 {
			e.size = n
		}
	case "modify":
		e.modified = machineTime(v)
	case "perm":
		e.perm, e.permed = strings.ToLower(v), true
	case "media-type":
		e.media = v
	}
}

// ownership is who owns an entry: names where the server gives them, and numbers.
func ownership(ids map[string]string) string {
	number := pair(cmp.Or(ids["unix.owner"], ids["unix.uid"]), cmp.Or(ids["unix.group"], ids["unix.gid"]))
	name := pair(ids["unix.ownername"], ids["unix.groupname"])
	if name == "" || number == "" {
		return name + number
	}
	return name + " (" + number + ")"
}

func pair(owner, group string) string {
	if owner == "" || group == "" {
		return owner
	}
	return owner + ":" + group
}

// machineType reads the type; "." is the folder itself or its parent. Links have
// no type of their own, and servers write OS.unix=slink:/target or
// OS.unix=symlink.
func machineType(v string) (kind, target string) {
	low := strings.ToLower(v)
	switch {
	case low == "file":
		return "", ""
	case low == "dir":
		return "folder", ""
	case low == "cdir", low == "pdir":
		return ".", ""
	case strings.HasPrefix(low, "os.unix=slink:"):
		return "link", v[len("os.unix=slink:"):]
	case strings.HasPrefix(low, "os.unix=symlink"), strings.HasPrefix(low, "os.unix=slink"):
		return "link", ""
	}
	return "special", ""
}

// machineTime reads YYYYMMDDHHMMSS in UTC, with or without a fraction (RFC 3659
// section 2.3).
func machineTime(v string) time.Time {
	v, _, _ = strings.Cut(v, ".")
	t, err := time.Parse("20060102150405", v)
	if err != nil {
		return time.Time{}
	}
	return t
}

// access is what the perm fact says: r for a file that may be fetched, e and l
// for a folder that may be entered and listed. ProFTPD 1.3.8 writes r for files
// that are their owner's alone too, so it counts only where the mode does not
// speak against it.
func (e line) access() connectors.Access {
	if !e.permed {
		return ""
	}
	switch e.kind {
	case "":
		switch {
		case !strings.Contains(e.perm, "r"):
			return connectors.AccessDenied
		case e.openToAll():
			return connectors.AccessReadable
		}
		return ""
	case "folder":
		enter, list := strings.Contains(e.perm, "e"), strings.Contains(e.perm, "l")
		switch {
		case enter && list:
			return connectors.AccessReadable
		case enter:
			return connectors.AccessListed
		}
		return connectors.AccessDenied
	}
	return ""
}

// openToAll reports that no class of users is kept from reading.
func (e line) openToAll() bool {
	if e.mode == "" {
		return true
	}
	bits, err := strconv.ParseUint(e.mode, 8, 32)
	return err == nil && bits&0o444 == 0o444
}
