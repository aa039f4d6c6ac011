package mail

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"jackfield/connectors"
)

// idOf is the folder's name for people where that says everything, else the one
// on the wire behind “%=”. A % or ; in it is escaped, as in RFC 5092.
func idOf(raw string) connectors.NodeID {
	if readable(raw) {
		return connectors.NodeID(escapeID(decodeName(raw)))
	}
	return connectors.NodeID("%=" + escapeID(raw))
}

func escapeID(s string) string { return strings.NewReplacer("%", "%25", ";", "%3B").Replace(s) }

// A place is what a NodeID names: a folder, or a message in it.
type place struct {
	raw      string
	validity int64 // of the folder's numbers; 0 for a folder
	uid      int64
}

const (
	atValidity = ";UIDVALIDITY="
	atUID      = "/;UID="
)

func (p place) id() connectors.NodeID {
	if p.uid == 0 {
		return idOf(p.raw)
	}
	return connectors.NodeID(fmt.Sprintf("%s%s%d%s%d", idOf(p.raw), atValidity, p.validity, atUID, p.uid))
}

func parseID(id connectors.NodeID) (place, bool) {
	name, numbers, message := strings.Cut(string(id), ";")
	var p place
	if message {
		validity, uid, ok := strings.Cut(strings.TrimPrefix(";"+numbers, atValidity), atUID)
		var err, err2 error
		p.validity, err = strconv.ParseInt(validity, 10, 64)
		p.uid, err2 = strconv.ParseInt(uid, 10, 64)
		if !ok || err != nil || err2 != nil || p.uid < 1 || p.validity < 0 {
			return p, false
		}
	}
	raw, onWire := strings.CutPrefix(name, "%=")
	raw, err := url.PathUnescape(raw)
	if err != nil || raw == "" || strings.ContainsAny(raw, "\r\n\x00") {
		return p, false
	}
	if p.raw = raw; !onWire {
		p.raw = encodeName(raw)
	}
	return p, true
}

func noNode(id connectors.NodeID) error {
	return &connectors.Error{Code: connectors.NotFound, Reason: "mail.no_folder", Op: connectors.StageData, Target: connectors.Clean(string(id), 100)}
}
