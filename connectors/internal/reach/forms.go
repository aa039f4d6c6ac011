package reach

import (
	"errors"
	"net"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
)

// The keys of the answers; no type's own field has one of these names.
const (
	keyPlace    = "place"
	keyWay      = "via"
	keyProxy    = "via_proxy"
	keyUser     = "via_user"
	keyPassword = "via_password"
	// KeyHost names the saved connection that is the jump host.
	KeyHost = "via_account"
)

// The ways to an on-premise server.
const (
	wayDirect = "direct"
	waySystem = "system"
	wayHTTP   = "http"
	waySOCKS  = "socks5"
	waySSH    = "ssh"
)

// Fields are the questions that every type with a network asks.
func Fields() []connectors.Field {
	onPremise := connectors.When(keyPlace, "on_premise")
	proxied := append(connectors.When(keyPlace, "on_premise"), connectors.When(keyWay, wayHTTP, waySOCKS)...)
	jump := append(connectors.When(keyPlace, "on_premise"), connectors.When(keyWay, waySSH)...)
	return []connectors.Field{
		{Key: keyPlace, Label: "Where the server is", Kind: connectors.Choice, Default: "cloud", Section: "Way to the server", Advanced: true, Options: []connectors.Option{
			{Value: "cloud", Label: "In the cloud, or in this network"},
			{Value: "on_premise", Label: "On-premise, behind a firewall", Help: "It is reached through a proxy or a jump host."},
		}},
		{Key: keyWay, Label: "Reached through", Kind: connectors.Choice, Default: wayDirect, Advanced: true, Show: onPremise, Options: []connectors.Option{
			{Value: wayDirect, Label: "Nothing: directly", Help: "Over a VPN, or without any proxy at all."},
			{Value: waySystem, Label: "This computer's proxy", Help: "As the system or HTTPS_PROXY, ALL_PROXY and NO_PROXY say."},
			{Value: wayHTTP, Label: "HTTP proxy"},
			{Value: waySOCKS, Label: "SOCKS5 proxy"},
			{Value: waySSH, Label: "SSH jump host", Help: "A saved SSH or SFTP connection; it may have a jump host itself."},
		}},
		{Key: keyProxy, Label: "Proxy", Kind: connectors.Text, Required: true, Advanced: true, Show: proxied, Example: "proxy.example.com:3128", Tidy: tidyProxy, Valid: validProxy,
			Help: "Its name and port."},
		{Key: keyUser, Label: "User of the proxy", Kind: connectors.Text, Advanced: true, Show: proxied, Help: "Only when the proxy asks for one."},
		{Key: keyPassword, Label: "Password of the proxy", Kind: connectors.SecretText, Advanced: true, Show: proxied},
		{Key: KeyHost, Label: "Jump host", Kind: connectors.Reference, Lends: connectors.LendsTunnel, Required: true, Advanced: true, Show: jump,
			Help: "A saved SSH or SFTP connection that can reach the server."},
	}
}

func tidyProxy(v string) string {
	v = strings.TrimSpace(v)
	if _, rest, ok := strings.Cut(v, "://"); ok {
		v = rest
	}
	return strings.TrimRight(v, "/")
}

func validProxy(v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil || host == "" || strings.ContainsAny(host, "/@ ") || answers.ValidPort(port) != nil {
		return errors.New("A proxy's name and port are expected here, such as proxy.example.com:3128.")
	}
	return nil
}

// A Way is how a connection reaches its server.
type Way struct {
	kind     string
	proxy    string
	user     string
	password connectors.Secret
	via      string
}

// Of reads the answers to Fields.
func Of(s connectors.Settings) Way {
	if s.Plain[keyPlace] != "on_premise" {
		return Way{}
	}
	w := Way{kind: s.Plain[keyWay], proxy: s.Plain[keyProxy], user: s.Plain[keyUser], password: s.Secrets[keyPassword], via: s.Plain[KeyHost]}
	if w.kind == "" {
		w.kind = wayDirect
	}
	return w
}

// Chosen reports whether the person chose a way; else a web service follows the
// environment's proxy and everything else is reached directly.
func (w Way) Chosen() bool { return w.kind != "" }

// JumpHost is the saved connection that the way leads through, "" for none.
func (w Way) JumpHost() string {
	if w.kind != waySSH {
		return ""
	}
	return w.via
}
