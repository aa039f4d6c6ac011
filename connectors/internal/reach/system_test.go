package reach

import "testing"

func TestProxySettingsOfSystems(t *testing.T) {
	for in, want := range map[string]string{
		"proxy.example.com:8080":                           "proxy.example.com:8080",
		"http=a.example:80;https=b.example:81":             "b.example:81",
		"http=a.example:80; socks=s.example:1080;ftp=f:21": "socks5://s.example:1080",
		"HTTP=a.example:80":                                "a.example:80",
		"":                                                 "",
	} {
		if got := windowsProxy(in); got != want {
			t.Errorf("ProxyServer %q: %q, want %q", in, got, want)
		}
	}
	// The form of scutil --proxy: https://ss64.com/mac/scutil.html
	mac := "<dictionary> {\n  HTTPEnable : 1\n  HTTPPort : 8080\n  HTTPProxy : a.example\n  HTTPSEnable : 0\n  SOCKSEnable : 1\n  SOCKSPort : 1080\n  SOCKSProxy : s.example\n}\n"
	if got := macProxy(mac); got != "socks5://s.example:1080" {
		t.Errorf("scutil: %q", got)
	}
	if got := macProxy("<dictionary> {\n}\n"); got != "" {
		t.Errorf("scutil without a proxy: %q", got)
	}
}
