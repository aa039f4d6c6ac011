package handover

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The kinds of address that only somebody inside has any business with.
const (
	placeMetadata = "a cloud's metadata service, which gives out credentials"
	placeLoopback = "this computer itself"
	placeLink     = "a device in this network (link-local)"
	placePrivate  = "a private network"
)

// inside says what a host is that a foreign file should not name unnoticed; ""
// for all others. It compares text: no name is looked up.
func inside(host string, numbers bool) string {
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(strings.TrimSpace(host), "[]"), "."))
	switch {
	case host == "metadata.google.internal", host == "metadata", host == "instance-data", host == "instance-data.ec2.internal":
		return placeMetadata
	case host == "localhost", strings.HasSuffix(host, ".localhost"), host == "localhost.localdomain", host == "ip6-localhost", host == "ip6-loopback":
		return placeLoopback
	}
	host, _, _ = strings.Cut(host, "%")
	ip, err := netip.ParseAddr(host)
	if err != nil && numbers {
		ip, err = oldStyle(host)
	}
	if err != nil {
		return ""
	}
	return insideIP(embedded(ip))
}

// embedded is the IPv4 address that an IPv6 address stands for: mapped
// (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056).
func embedded(ip netip.Addr) netip.Addr {
	ip = ip.Unmap()
	if !ip.Is6() {
		return ip
	}
	b := ip.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(ip), netip.MustParsePrefix("::/96").Contains(ip) && !ip.IsLoopback() && !ip.IsUnspecified():
		return netip.AddrFrom4([4]byte(b[12:16]))
	case netip.MustParsePrefix("2002::/16").Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}

func insideIP(ip netip.Addr) string {
	switch ip.String() {
	case "169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192":
		return placeMetadata
	}
	switch {
	case ip.IsLoopback(), ip.IsUnspecified():
		return placeLoopback
	case ip.IsLinkLocalUnicast(), ip.IsMulticast():
		return placeLink
	case ip.IsPrivate(), netip.MustParsePrefix("100.64.0.0/10").Contains(ip):
		return placePrivate
	}
	return ""
}

// oldStyle reads what inet_aton(3) reads: one to four numbers, also octal and
// hexadecimal, the last of which fills the rest.
func oldStyle(host string) (netip.Addr, error) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, strconv.ErrSyntax
	}
	var whole uint64
	for i, p := range parts {
		if strings.ContainsAny(p, "_ob") && !strings.HasPrefix(p, "0x") {
			return netip.Addr{}, strconv.ErrSyntax
		}
		n, err := strconv.ParseUint(p, 0, 32)
		if err != nil {
			return netip.Addr{}, err
		}
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if n >= 1<<bits {
			return netip.Addr{}, strconv.ErrRange
		}
		whole = whole<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(whole >> 24), byte(whole >> 16), byte(whole >> 8), byte(whole)}), nil
}

// A found is an address in a text.
type found struct {
	scheme, host string
	text         string // scheme and host alone: what follows may be a secret
}

const (
	maxScanned = 64 << 10 // bytes of an answer that are looked through
	maxFound   = 20       // addresses of one answer that are told
)

// addresses are the URLs in a text and, with bare, the words that are hosts.
func addresses(text string, bare bool) []found {
	if len(text) > maxScanned {
		text = text[:maxScanned]
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n\"'<>,;|()", r) })
	var out []found
	for _, w := range words {
		f, ok := address(w, bare)
		if ok {
			out = append(out, f)
		}
		if len(out) >= 50*maxFound {
			break
		}
	}
	return out
}

func address(w string, bare bool) (found, bool) {
	if i := strings.Index(w, "://"); i > 0 {
		scheme := strings.ToLower(w[:i])
		if j := strings.LastIndexAny(scheme, "=:{[\\"); j >= 0 {
			scheme = scheme[j+1:]
		}
		host := hostOf(w[i+3:])
		return found{scheme, host, scheme + "://" + host}, host != ""
	}
	if !bare || len(w) > 300 {
		return found{}, false
	}
	host := hostOf(w)
	return found{"", host, host}, host != ""
}

// hostOf is the host of what follows a URL's "//". Backslashes end it as browsers have it.
func hostOf(rest string) string {
	rest, _, _ = strings.Cut(rest, "/")
	rest, _, _ = strings.Cut(rest, "\\")
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		rest = rest[i+1:]
	}
	if plain, err := url.PathUnescape(rest); err == nil {
		rest = plain
	}
	if host, _, err := net.SplitHostPort(rest); err == nil {
		return host
	}
	return strings.Trim(rest, "[]")
}
