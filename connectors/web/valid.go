package web

import (
	"errors"
	"net"
	"net/url"
	"strings"

	"jackfield/connectors/internal/oauthx"
)

// validHeaderName wants an RFC 9110 token.
func validHeaderName(v string) error {
	if strings.ContainsFunc(v, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) {
		return errors.New("This is no name of a header or parameter: letters, digits and - only.")
	}
	return nil
}

// validHeaderValue refuses what could end the header and begin another.
func validHeaderValue(v string) error {
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("This contains a line break or another control character. Copy it again, on one line.")
	}
	return nil
}

// tidyURL adds https:// to a bare host and takes a final slash off.
func tidyURL(v string) string {
	v = strings.TrimSpace(v)
	if v != "" && !strings.Contains(v, "://") {
		v = "https://" + v
	}
	return strings.TrimRight(v, "/")
}

// validURL wants https, or http where the user typed it: a service inside the
// company may have nothing else, and the facts then say that it is not encrypted.
func validURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("A web address is expected here, such as https://api.example.com.")
	}
	if u.User != nil {
		return errors.New("The address must not contain a user or password: they have fields of their own.")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return errors.New("Only the address is expected here, without ? or #.")
	}
	return nil
}

// validSecureURL is validURL for what sign-ins are sent to: http only to this computer.
func validSecureURL(v string) error {
	if err := validURL(v); err != nil {
		return err
	}
	if oauthx.Secure(v) != nil {
		return errors.New("An address that begins with https:// is needed here.")
	}
	return nil
}

// tidyOrigin keeps scheme and host of a pasted address: what stands in the
// browser's address bar has a path that the service's API does not.
func tidyOrigin(v string) string {
	v = tidyURL(v)
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.User != nil {
		return v
	}
	return u.Scheme + "://" + u.Host
}

// local reports whether an address is on this computer.
func local(v string) bool {
	u, err := url.Parse(v)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
