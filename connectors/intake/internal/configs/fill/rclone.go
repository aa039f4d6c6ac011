package fill

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"

	"jackfield/connectors"
)

// The key is the same for everybody: it only keeps passwords from a glance over
// the shoulder (https://rclone.org/commands/rclone_obscure/).
var rcloneKey = [32]byte{
	0x9c, 0x93, 0x5b, 0x48, 0x73, 0x0a, 0x55, 0x4d, 0x6b, 0xfd, 0x7c, 0x63, 0xc8, 0x86, 0xa9, 0x2b,
	0xd3, 0x90, 0x19, 0x8e, 0xb8, 0x12, 0x8a, 0xfb, 0xf4, 0xde, 0x16, 0x2b, 0x8b, 0x95, 0xf6, 0x38,
}

// RcloneReveal undoes "rclone obscure": AES-CTR with the block before it as its start.
func RcloneReveal(text string) (string, error) {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(data) < aes.BlockSize {
		return "", errors.New("this password was not written by rclone")
	}
	block, err := aes.NewCipher(rcloneKey[:])
	if err != nil {
		return "", err
	}
	out := data[aes.BlockSize:]
	cipher.NewCTR(block, data[:aes.BlockSize]).XORKeyStream(out, out)
	if !utf8.Valid(out) {
		return "", errors.New("this password was not written by rclone")
	}
	return string(out), nil
}

// A remote is how a kind of rclone's becomes a type of ours.
type remote struct {
	kind    string
	set     map[string]string // option → key
	obscure map[string]string // option with an obscured value → key
	files   string
	more    func(d *Draft, v map[string]string)
}

// remotes go by https://rclone.org/overview/ and the page of each.
func remotes() map[string]remote {
	return map[string]remote{
		"sftp": {kind: "sftp", set: map[string]string{"host": "host", "port": "port", "user": "user"}, obscure: map[string]string{"pass": "password", "key_file_pass": "passphrase"}, files: "key_file known_hosts_file pubkey_file", more: rcloneSFTP},
		"ftp":  {kind: "ftp", set: map[string]string{"host": "host", "port": "port", "user": "user"}, obscure: map[string]string{"pass": "password"}, more: rcloneFTP},
		"webdav": {kind: "webdav", set: map[string]string{"url": "url", "user": "user", "bearer_token": "token"}, obscure: map[string]string{"pass": "password"}, more: func(d *Draft, v map[string]string) {
			if v["bearer_token"] != "" {
				d.Choose("auth", "bearer")
			} else if v["user"] == "" {
				d.Choose("auth", "none")
			}
		}},
		"smb": {kind: "smb", set: map[string]string{"host": "host", "port": "port", "user": "user", "domain": "domain"}, obscure: map[string]string{"pass": "password"}},
		"s3": {kind: "s3_compatible", set: map[string]string{"access_key_id": "access_key", "secret_access_key": "secret_key", "session_token": "session_token", "region": "region", "endpoint": "endpoint"}, more: func(d *Draft, v map[string]string) {
			d.Choose("addressing", map[string]string{"true": "path", "false": "virtual"}[v["force_path_style"]])
		}},
		"azureblob": {kind: "azure_blob", set: map[string]string{"account": "account", "key": "account_key", "endpoint": "endpoint"}, files: "service_principal_file", more: func(d *Draft, v map[string]string) {
			if _, query, ok := strings.Cut(v["sas_url"], "?"); ok {
				host, _, _ := strings.Cut(strings.TrimPrefix(v["sas_url"], "https://"), ".")
				d.Choose("auth", "sas")
				d.Set("account", host, "sas_url")
				d.Set("sas", query, "sas_url")
			}
		}},
		"google cloud storage": {kind: "gcs", set: map[string]string{"project_number": "project", "service_account_credentials": "key_file"}, files: "service_account_file"},
		"drive": {kind: "google_drive", set: map[string]string{"client_id": "client_id", "client_secret": "client_secret", "service_account_credentials": "key_file", "impersonate": "subject"}, files: "service_account_file", more: func(d *Draft, v map[string]string) {
			if v["service_account_credentials"] != "" || v["service_account_file"] != "" {
				d.Choose("auth", "service")
			}
		}},
		"dropbox":  {kind: "dropbox", set: map[string]string{"client_id": "client_id", "client_secret": "client_secret"}},
		"onedrive": {kind: "microsoft_graph", set: map[string]string{"client_id": "client_id", "tenant": "tenant"}},
		"box":      {kind: "box", set: map[string]string{"client_id": "client_id", "client_secret": "client_secret"}},
	}
}

func rcloneSFTP(d *Draft, v map[string]string) {
	pem := strings.ReplaceAll(strings.Trim(v["key_pem"], `"`), `\n`, "\n")
	switch {
	case pem != "":
		d.Choose("auth", "key")
		d.Set("key", pem, "key_pem")
	case v["key_file"] != "":
		d.Choose("auth", "key")
	case v["key_use_agent"] == "true" || v["pass"] == "":
		d.Choose("auth", "agent")
	}
	if d.Get("auth") == "key" && d.Has("password") {
		d.Choose("auth", "both")
	}
}

func rcloneFTP(d *Draft, v map[string]string) {
	switch {
	case v["tls"] == "true":
		d.Choose("tls", "implicit")
	case v["explicit_tls"] == "true":
		d.Choose("tls", "explicit")
	default:
		d.Choose("tls", "none")
	}
	if v["user"] == "anonymous" {
		d.Drop("user")
		d.Drop("password")
		d.Choose("auth", "anonymous")
	}
}

// Rclone is a remote with its options and, from a connection string, its path.
func Rclone(types []connectors.Type, kind string, v map[string]string, path string) *Draft {
	r, ok := remotes()[kind]
	if !ok {
		return nil
	}
	if kind == "s3" && v["endpoint"] == "" && (v["provider"] == "AWS" || v["provider"] == "") {
		r.kind, r.more = "s3", nil
	}
	if e := v["endpoint"]; kind == "s3" && e != "" && !strings.Contains(e, "://") {
		v["endpoint"] = "https://" + e
	}
	d := New(types, r.kind)
	for name, value := range v {
		rcloneOption(d, r, name, value)
	}
	if r.more != nil {
		r.more(d, v)
	}
	bucket, folder, _ := strings.Cut(strings.Trim(path, "/"), "/")
	switch kind {
	case "s3", "google cloud storage":
		d.Set("bucket", bucket, "the path")
		d.Set("folder", folder, "the path")
	case "azureblob":
		d.Set("container", bucket, "the path")
		d.Set("folder", folder, "the path")
	case "sftp", "ftp", "webdav":
		d.Set("folder", path, "the path")
	}
	return d
}

func rcloneOption(d *Draft, r remote, name, value string) {
	if value == "" {
		return
	}
	if key, ok := r.set[name]; ok {
		d.Set(key, value, name)
		return
	}
	if key, ok := r.obscure[name]; ok {
		password, err := RcloneReveal(value)
		if err != nil {
			d.Leave(name, "It was not written by rclone: type the password.")
			return
		}
		d.Set(key, password, name)
		return
	}
	switch name {
	case "type", "provider", "env_auth", "acl", "tls", "explicit_tls", "force_path_style", "key_pem", "key_use_agent", "shell_type", "md5sum_command", "sha1sum_command", "vendor", "scope", "sas_url", "location_constraint", "drive_type", "drive_id", "bucket_policy_only", "root_folder_id", "team_drive", "config_is_local":
	case "token":
		d.Leave(name, "The token belongs to rclone. Sign in once in this program.")
	default:
		if strings.Contains(" "+r.files+" ", " "+name+" ") {
			d.File(name, value)
			return
		}
		d.Leave(name, "")
	}
}

// RcloneString cuts ":kind,name=value,…:path"; values may be quoted, with the
// quote doubled inside.
func RcloneString(s string) (kind string, values map[string]string, path string) {
	values = map[string]string{}
	s = strings.TrimPrefix(s, ":")
	i := strings.IndexAny(s, ",:")
	if i < 0 {
		return s, values, ""
	}
	kind, s = s[:i], s[i:]
	for strings.HasPrefix(s, ",") && len(values) < 100 {
		i := strings.IndexAny(s[1:], "=,:")
		if i < 0 {
			return kind, values, ""
		}
		name := s[1 : 1+i]
		s = s[1+i:]
		value := "true"
		if s[0] == '=' {
			value, s = quotedValue(s[1:])
		}
		values[name] = value
	}
	return kind, values, strings.TrimPrefix(s, ":")
}

func quotedValue(s string) (value, rest string) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		if i := strings.IndexAny(s, ",:"); i >= 0 {
			return s[:i], s[i:]
		}
		return s, ""
	}
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == quote {
			b.WriteByte(quote)
			i++
			continue
		}
		return b.String(), s[i+1:]
	}
	return b.String(), ""
}
