package jwtx

// GoogleToken is where Google's assertions go.
const GoogleToken = "https://oauth2.googleapis.com/token"

// A GoogleKey is what is used of a service account's key file
// (https://developers.google.com/identity/protocols/oauth2/service-account).
type GoogleKey struct {
	Type     string `json:"type"`
	Email    string `json:"client_email"`
	Project  string `json:"project_id"`
	KeyID    string `json:"private_key_id"`
	Key      string `json:"private_key"`
	TokenURI string `json:"token_uri"`
}

// Whole reports whether the file is a service account's, with all that an
// assertion needs.
func (k GoogleKey) Whole() bool {
	return k.Type == "service_account" && k.Email != "" && k.Key != ""
}

// Foreign reports whether the file names another host than Google's for its
// tokens. Nothing is to be sent there.
func (k GoogleKey) Foreign() bool {
	return k.TokenURI != "" && k.TokenURI != GoogleToken && k.TokenURI != "https://accounts.google.com/o/oauth2/token"
}
