package objectstore

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/jwtx"
)

var (
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	bucketShape    = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	anyBucketShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$`)
	// https://cloud.google.com/storage/docs/buckets#naming
	googleBucketShape = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)
	projectShape      = regexp.MustCompile(`^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$|^[0-9]{6,}$`)
	// https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
	accountShape   = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	containerShape = regexp.MustCompile(`^\$(root|web|logs)$|^[a-z0-9](-?[a-z0-9]){2,62}$`)
	anyRegionShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	hmacShape      = regexp.MustCompile(`^GOOG[A-Z0-9]{10,60}$`)
)

func tidyLower(v string) string { return strings.ToLower(strings.TrimSpace(v)) }

// tidyFolder takes off what stands around a folder's name. Within it, empty
// names count: "a//b" is another folder than "a/b".
func tidyFolder(v string) string { return strings.Trim(strings.TrimSpace(v), "/") }

// tidyEndpoint puts https:// before a bare host and takes off the last slash.
func tidyEndpoint(v string) string {
	v = strings.TrimSpace(v)
	if v != "" && !strings.Contains(v, "://") {
		v = "https://" + v
	}
	return strings.TrimRight(v, "/")
}

func tidySuffix(v string) string {
	return strings.TrimPrefix(strings.Trim(tidyLower(v), "./"), "blob.")
}

func validBucket(v string) error {
	switch {
	case bucketShape.MatchString(v):
		return nil
	case strings.Contains(v, ":accesspoint"):
		return errors.New("This names an access point. Give its alias instead, which ends with -s3alias and stands in the console next to it.")
	}
	return errors.New("A bucket's name has 3 to 63 small letters, digits, dashes and dots; s3:// in front of it is not needed.")
}

func validAnyBucket(v string) error {
	if anyBucketShape.MatchString(v) {
		return nil
	}
	return errors.New("A bucket's name has letters, digits, dashes, dots and underscores. A folder in it goes into Folder.")
}

func validGoogleBucket(v string) error {
	if googleBucketShape.MatchString(v) {
		return nil
	}
	return errors.New("A bucket's name is small letters, digits, dashes, dots and underscores; gs:// in front of it is not needed.")
}

func validContainer(v string) error {
	if containerShape.MatchString(v) && len(v) <= 63 {
		return nil
	}
	return errors.New("A container's name has 3 to 63 small letters, digits and single dashes. A folder in it goes into Folder.")
}

func validProject(v string) error {
	switch {
	case projectShape.MatchString(v):
		return nil
	case strings.Contains(v, "@"):
		return errors.New("This is the service account's email address. The project's ID stands between the @ and .iam.gserviceaccount.com.")
	}
	return errors.New("A project's ID is small letters, digits and dashes, such as acme-reports. It is not the project's name.")
}

func validAnyRegion(v string) error {
	if anyRegionShape.MatchString(v) {
		return nil
	}
	return errors.New("A region's name is small letters, digits and dashes, such as us-east-1.")
}

func validFolder(v string) error {
	// Keys have at most 1,024 bytes in all of these stores.
	if len(v) > 1023 {
		return errors.New("This is longer than a folder's name can be.")
	}
	return nil
}

func validSecretKey(v string) error {
	switch {
	case awsx.ValidAccessKey(v) == nil || hmacShape.MatchString(v):
		return errors.New("This is the access key's ID. The secret that belongs to it is longer.")
	case strings.ContainsAny(v, " \t\r\n"):
		return errors.New("There is a space or a line break in it. Copy the secret again.")
	}
	return nil
}

func validHMAC(v string) error {
	switch {
	case hmacShape.MatchString(v):
		return nil
	case strings.Contains(v, "@"):
		return errors.New("This is an email address. The access key of an HMAC key begins with GOOG.")
	}
	return errors.New("The access key of an HMAC key begins with GOOG, followed by capital letters and digits.")
}

func validEndpoint(v string) error {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "":
		return errors.New("A web address is expected here, such as https://minio.example.com:9000.")
	case u.User != nil:
		return errors.New("User and password do not belong into the address.")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("Only the server's address belongs here, without ? and #.")
	}
	return nil
}

// validSecureEndpoint is for sign-ins that send a token as it is.
func validSecureEndpoint(v string) error {
	if err := validEndpoint(v); err != nil {
		return err
	}
	if u, err := url.Parse(v); err == nil && u.Scheme != "https" && !here(u.Hostname()) {
		return errors.New("Over http:// others on the way could take the sign-in. Use https://; only this computer itself may be asked without.")
	}
	return nil
}

func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func validAccount(v string) error {
	switch {
	case accountShape.MatchString(v):
		return nil
	case strings.Contains(v, "accountname="):
		return errors.New("This is a connection string. Choose Connection string above and paste it there.")
	}
	return errors.New("A storage account's name has 3 to 24 small letters and digits.")
}

func validAccountKey(v string) error {
	key, err := base64.StdEncoding.DecodeString(v)
	switch {
	case strings.Contains(v, "AccountKey="):
		return errors.New("This is a connection string. Choose Connection string above and paste it there.")
	case strings.Contains(v, "sig="):
		return errors.New("This is a shared access signature. Choose it above and paste it there.")
	case err != nil || len(key) < 16:
		return errors.New("An account key is 88 letters and digits that end with ==. Copy it again.")
	}
	return nil
}

func validConnection(v string) error {
	_, err := readConnection(v)
	return err
}

func validSAS(v string) error {
	_, err := readSAS(v)
	return err
}

func readKeyFile(text string) (jwtx.GoogleKey, error) {
	var k jwtx.GoogleKey
	if len(text) > 64<<10 || json.Unmarshal([]byte(text), &k) != nil {
		return k, errors.New("The whole JSON file is needed, from its first brace to its last.")
	}
	switch {
	case k.Type == "authorized_user":
		return k, errors.New("This is your own sign-in with gcloud. The key file of a service account is needed.")
	case !k.Whole():
		return k, errors.New("This is not the key file of a service account: type, client_email or private_key is missing.")
	case k.Foreign():
		return k, errors.New("The token_uri in this file is not Google's. Nothing is sent there.")
	}
	return k, nil
}

func validKeyFile(v string) error {
	_, err := readKeyFile(v)
	return err
}

// googleKeyFields is where the key is asked for here.
func googleKeyFields() jwtx.Fields { return jwtx.Fields{Key: "key_file", Passphrase: "key_file"} }
