package keys

// A Kind says what content is.
type Kind string

// The kinds. They appear in reasons and never change.
const (
	Empty          Kind = "empty"
	PrivateKey     Kind = "private_key"
	PublicKey      Kind = "public_key"
	SharedKey      Kind = "shared_key" // a JWK of kty "oct"
	Certificate    Kind = "certificate"
	Request        Kind = "certificate_request"
	Revocations    Kind = "revocation_list"
	Parameters     Kind = "parameters"
	PFX            Kind = "pfx"
	PKCS7          Kind = "pkcs7"
	JavaStore      Kind = "java_keystore"
	Keytab         Kind = "keytab"
	ServiceAccount Kind = "google_service_account"
	OAuthClient    Kind = "google_oauth_client"
	AuthorizedUser Kind = "google_authorized_user"
	KnownHosts     Kind = "known_hosts"
	PGP            Kind = "pgp"
	Age            Kind = "age"
	Token          Kind = "token"
	AWS            Kind = "aws_credentials"
	WebPage        Kind = "web_page"
	Path           Kind = "path"
	Address        Kind = "address"
	JSON           Kind = "json"
	Archive        Kind = "archive"
	Text           Kind = "text"
	Binary         Kind = "binary"
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{Empty, PrivateKey, PublicKey, SharedKey, Certificate, Request, Revocations, Parameters, PFX, PKCS7, JavaStore, Keytab,
		ServiceAccount, OAuthClient, AuthorizedUser, KnownHosts, PGP, Age, Token, AWS, WebPage, Path, Address, JSON, Archive, Text, Binary}
}

// Name is the kind in words, with its article.
func (k Kind) Name() string {
	switch k {
	case Empty:
		return "nothing"
	case PrivateKey:
		return "a private key"
	case PublicKey:
		return "a public key"
	case SharedKey:
		return "a shared secret key (JWK)"
	case Certificate:
		return "a certificate"
	case Request:
		return "a certificate request (CSR)"
	case Revocations:
		return "a certificate revocation list"
	case Parameters:
		return "parameters for making keys"
	case PFX:
		return "a PFX file (PKCS#12)"
	case PKCS7:
		return "a P7B file (PKCS#7)"
	case JavaStore:
		return "a Java key store"
	case Keytab:
		return "a Kerberos keytab"
	default:
		return k.foreign()
	}
}

func (k Kind) foreign() string {
	switch k {
	case ServiceAccount:
		return "the key file of a Google service account"
	case OAuthClient:
		return "the file of a Google OAuth client"
	case AuthorizedUser:
		return "the sign-in of a Google user (authorized_user)"
	case KnownHosts:
		return "a known_hosts file, which lists servers' keys"
	case PGP:
		return "a PGP key or message"
	case Age:
		return "a key or file of age"
	case Token:
		return "a token (JWT)"
	case AWS:
		return "AWS credentials"
	case WebPage:
		return "a web page"
	case Path:
		return "the name of a file, not what is in it"
	case Address:
		return "a web address"
	case JSON:
		return "JSON of another kind"
	case Archive:
		return "an archive, such as a ZIP file"
	case Binary:
		return "a binary file of another kind"
	}
	return "other text"
}
