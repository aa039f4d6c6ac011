package nats

import (
	"errors"
	"net"
	"regexp"
	"strings"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"jackfield/connectors/internal/answers"
)

const usualPort = "4222"

// The bounds of what a form may name.
const (
	maxServers  = 50
	maxSubjects = 100
	maxNamed    = 500
)

func list(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' || r == ' ' || r == '\t' })
}

func tidyLines(v string) string { return strings.Join(list(v), "\n") }

// tidyServers takes schemes, users and paths off, and adds the usual port.
func tidyServers(v string) string {
	out := list(v)
	for i, s := range out {
		if _, rest, ok := strings.Cut(s, "://"); ok {
			s, _, _ = strings.Cut(rest, "/")
			s = s[strings.LastIndexByte(s, '@')+1:]
		}
		if _, _, err := net.SplitHostPort(s); err != nil && answers.ValidHost(strings.Trim(s, "[]")) == nil {
			s = net.JoinHostPort(strings.Trim(s, "[]"), usualPort)
		}
		out[i] = s
	}
	return strings.Join(out, "\n")
}

func validServers(v string) error {
	servers := list(v)
	if len(servers) == 0 || len(servers) > maxServers {
		return errors.New("One to fifty servers are expected here, such as nats.example.com:4222.")
	}
	for _, s := range servers {
		host, port, err := net.SplitHostPort(s)
		if err != nil || answers.ValidHost(host) != nil || answers.ValidPort(port) != nil {
			return errors.New("A host name and a port are expected here for each server, such as nats.example.com:4222.")
		}
	}
	return nil
}

func validSeed(v string) error {
	if pair, err := nkeys.FromSeed([]byte(v)); err == nil {
		defer pair.Wipe()
		if public, err := pair.PublicKey(); err == nil && nkeys.IsValidPublicUserKey(public) {
			return nil
		}
		return errors.New("This is the seed of an account, an operator or a server. A user's seed begins with SU.")
	}
	if strings.HasPrefix(v, "U") {
		return errors.New("This is the public key. The seed is needed: it begins with SU.")
	}
	return errors.New("An NKey seed is expected here: 58 letters and digits that begin with SU. Copy it again.")
}

// tidyCreds keeps the blocks as they are, and gives a file that came on one line
// its line ends back.
func tidyCreds(v string) string {
	v = strings.TrimSpace(strings.TrimPrefix(v, "\ufeff"))
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", `\n`, "\n").Replace(v)
}

func validCreds(v string) error {
	token, err := nkeys.ParseDecoratedJWT([]byte(v))
	if err != nil {
		return errors.New("A .creds file is expected here. It has the blocks NATS USER JWT and USER NKEY SEED.")
	}
	if _, err := jwt.DecodeUserClaims(token); err != nil {
		return errors.New("The user JWT in this file cannot be read. Copy the whole file again.")
	}
	pair, err := nkeys.ParseDecoratedUserNKey([]byte(v))
	if err != nil {
		return errors.New("The user's seed is missing in this file. Copy the whole file, with the block USER NKEY SEED.")
	}
	pair.Wipe()
	return nil
}

// subjectPart is one part of a subject: https://docs.nats.io/nats-concepts/subjects
var subjectPart = regexp.MustCompile(`^[\x21-\x29\x2b-\x2d\x2f-\x3d\x3f-\x7e\x{80}-\x{10ffff}]+$`)

func goodSubject(v string) bool {
	parts := strings.Split(v, ".")
	for i, p := range parts {
		wild := p == "*" || p == ">" && i == len(parts)-1
		if !wild && !subjectPart.MatchString(p) {
			return false
		}
	}
	return len(v) < 1000
}

func validSubjects(v string) error {
	all := list(v)
	if len(all) > maxSubjects {
		return errors.New("At most 100 subjects can be listened to. Use * and > for many.")
	}
	for _, s := range all {
		if !goodSubject(s) {
			return errors.New("A subject is expected here, such as orders.> or plant.*.temperature. * stands for one part, > only at the end.")
		}
	}
	return nil
}

var (
	streamShape = regexp.MustCompile(`^[^\s.*>/\\\x00-\x1f\x7f]{1,255}$`)
	domainShape = regexp.MustCompile(`^[^\s.*>\x00-\x1f\x7f]{1,255}$`)
)

func validStreams(v string) error {
	all := list(v)
	if len(all) > maxNamed {
		return errors.New("At most 500 streams can be named.")
	}
	for _, s := range all {
		if !streamShape.MatchString(s) {
			return errors.New("A stream's name has no dots, spaces, slashes, * or >.")
		}
	}
	return nil
}

func validDomain(v string) error {
	if !domainShape.MatchString(v) {
		return errors.New("A domain's name has no dots, spaces, * or >.")
	}
	return nil
}

func validInbox(v string) error {
	if !goodSubject(v) || strings.ContainsAny(v, "*>") {
		return errors.New("A prefix such as _INBOX_reader is expected here, without * and > and without a dot at the end.")
	}
	return nil
}
