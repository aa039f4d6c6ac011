// Package objectstore is the connection types for stores of objects: Amazon S3
// and what speaks like it, Google Cloud Storage and Azure Blob Storage. It asks
// their REST interfaces with requests that it signs itself, and only ever reads.
package objectstore

import (
	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/tlsx"
)

// Types are Amazon S3, other S3, Google Cloud Storage and Azure Blob Storage.
func Types() []connectors.Type {
	return []connectors.Type{amazon(), compatible(), google(), azure()}
}

// What an Auth answer can be.
const (
	wayKeys       = "keys"
	wayRole       = "role"
	wayHMAC       = "hmac"
	wayAccount    = "service_account"
	wayKey        = "key"
	wayConnection = "connection"
	waySAS        = "sas"
)

// accessKey is the answers that sign for S3.
type accessKey struct {
	AccessKey    string            `field:"access_key"`
	SecretKey    connectors.Secret `field:"secret_key"`
	SessionToken connectors.Secret `field:"session_token"`
}

func (k accessKey) credentials() awsx.Credentials {
	return awsx.Credentials{AccessKey: k.AccessKey, Secret: k.SecretKey, Token: k.SessionToken}
}

type amazonConfig struct {
	Auth       string `field:"auth"`
	RoleARN    string `field:"role_arn"`
	ExternalID string `field:"external_id"`
	Region     string `field:"region"`
	Bucket     string `field:"bucket"`
	Folder     string `field:"folder"`
	accessKey
	files.Answers
}

func amazon() connectors.Type {
	role := connectors.When("auth", wayRole)
	fields := []connectors.Field{
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Section: "Sign-in", Default: wayKeys, Options: []connectors.Option{
			{Value: wayKeys, Label: "Access key"},
			{Value: wayRole, Label: "Access key that takes on a role", Help: "For buckets of another AWS account."},
		}},
		{Key: "access_key", Label: "Access key ID", Kind: connectors.Text, Required: true, Example: "AKIAIOSFODNN7EXAMPLE", Valid: awsx.ValidAccessKey},
		{Key: "secret_key", Label: "Secret access key", Kind: connectors.SecretText, Required: true, Tidy: answers.TidySecret(), Valid: validSecretKey},
		{Key: "session_token", Label: "Session token", Kind: connectors.SecretText, Tidy: answers.TidySecret(),
			Help: "Only for temporary keys, whose ID begins with ASIA."},
		{Key: "role_arn", Label: "Role (ARN)", Kind: connectors.Text, Required: true, Show: role, Example: "arn:aws:iam::123456789012:role/reader", Valid: awsx.ValidRoleARN},
		{Key: "external_id", Label: "External ID", Kind: connectors.Text, Show: role, Help: "Only when whoever made the role gave you one."},
		{Key: "region", Label: "Region", Kind: connectors.Text, Section: "What to read", Example: "eu-central-1", Tidy: tidyLower, Valid: awsx.ValidRegion,
			Help: "Leave empty to find it out. Accounts in China and GovCloud need it."},
		{Key: "bucket", Label: "Bucket", Kind: connectors.Text, Listed: true, Example: "acme-reports", Valid: validBucket, Split: splitS3,
			Help: "Leave empty to see all buckets. Needed where the account may not list them."},
		folderField(),
	}
	return connectors.Define(connectors.Type{
		ID: "s3", Name: "Amazon S3", Group: connectors.GroupFiles, Tile: "S3",
		Summary:  "Buckets and files at Amazon Web Services",
		Keywords: []string{"aws", "amazon", "bucket", "object storage", "files", "csv", "parquet", "data lake", "iam role"},
		Where:    []string{"bucket", "folder", "region"},
		Form:     connectors.Form{Fields: append(fields, files.Fields()...)},
		Guide: connectors.Guide{
			Steps: []string{
				"In the AWS console, open IAM, Users, your user, Security credentials, and create an access key.",
				"The secret access key is shown once, when the key is made.",
				"For a bucket of another account, whoever owns it creates a role that trusts your account, and gives you the role's ARN and mostly an external ID.",
			},
			Rights:  "s3:ListBucket on the bucket and s3:GetObject on its objects. s3:ListAllMyBuckets only to see all buckets. Nothing is ever written.",
			Admin:   "Create a user or role with a policy that allows s3:ListBucket on the bucket and s3:GetObject on bucket/*; objects under a KMS key also need kms:Decrypt.",
			Account: "Use a user of its own for this, so that its rights can be small and its key deleted without stopping others.",
			Network: "HTTPS to *.amazonaws.com; where a bucket policy names addresses, this computer's is needed there.",
			Notes: []string{
				"Objects in Glacier and Deep Archive are listed, and can be read only after they were restored.",
				"Buckets whose readers pay (requester pays) are not read, so that nothing is charged unasked.",
				"Access keys work until they are deleted; temporary ones run out after minutes to hours.",
			},
			Links: []connectors.Link{
				{Text: "Security credentials", URL: "https://console.aws.amazon.com/iam/home#/security_credentials"},
				{Text: "Buckets", URL: "https://console.aws.amazon.com/s3/buckets"},
			},
		},
	}, openAmazon)
}

type compatibleConfig struct {
	Endpoint   string `field:"endpoint"`
	Auth       string `field:"auth"`
	RoleARN    string `field:"role_arn"`
	ExternalID string `field:"external_id"`
	Region     string `field:"region"`
	Addressing string `field:"addressing"`
	Bucket     string `field:"bucket"`
	Folder     string `field:"folder"`
	accessKey
	secured
	files.Answers
}

// Embedded side by side, these need names of their own.
type (
	secured = tlsx.Answers
	vouched = tlsx.ServerAnswers
)

func compatible() connectors.Type {
	role := connectors.When("auth", wayRole)
	fields := []connectors.Field{
		{Key: "endpoint", Label: "Endpoint", Kind: connectors.URL, Required: true, Section: "Server", Example: "https://minio.example.com:9000", Tidy: tidyEndpoint, Valid: validEndpoint, Split: splitEndpoint,
			Help: "The address of the S3 interface, which is not the one of the web console."},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Section: "Sign-in", Default: wayKeys, Options: []connectors.Option{
			{Value: wayKeys, Label: "Access key"},
			{Value: wayRole, Label: "Temporary keys of the server's STS", Help: "The access key is used once, to get keys that run out by themselves (AssumeRole). MinIO and Ceph have it."},
		}},
		{Key: "access_key", Label: "Access key", Kind: connectors.Text, Required: true, Example: "reader"},
		{Key: "secret_key", Label: "Secret key", Kind: connectors.SecretText, Required: true, Tidy: answers.TidySecret()},
		{Key: "session_token", Label: "Session token", Kind: connectors.SecretText, Tidy: answers.TidySecret(), Help: "Only for temporary keys."},
		{Key: "role_arn", Label: "Role (ARN)", Kind: connectors.Text, Show: role, Example: "arn:aws:iam:::role/reader", Help: "Ceph needs it; MinIO goes by the access key alone."},
		{Key: "external_id", Label: "External ID", Kind: connectors.Text, Advanced: true, Show: role},
		{Key: "bucket", Label: "Bucket", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "reports", Valid: validAnyBucket, Split: splitS3,
			Help: "Leave empty to see all buckets. Needed where the account may not list them."},
		folderField(),
		{Key: "region", Label: "Region", Kind: connectors.Text, Section: "How to ask", Advanced: true, Default: "us-east-1", Example: "eu-west-1", Tidy: tidyLower, Valid: validAnyRegion,
			Help: "Most servers of your own take us-east-1; Cloudflare R2 takes auto."},
		{Key: "addressing", Label: "Bucket names", Kind: connectors.Choice, Advanced: true, Default: styleAuto, Options: []connectors.Option{
			{Value: styleAuto, Label: "As the server wants it"},
			{Value: stylePath, Label: "In the path", Help: "https://minio.example.com/bucket/file"},
			{Value: styleVirtual, Label: "In the host name", Help: "https://bucket.minio.example.com/file"},
		}},
	}
	fields = append(append(fields, files.Fields()...), tlsx.Fields(nil, true)...)
	return connectors.Define(connectors.Type{
		ID: "s3_compatible", Name: "MinIO and other S3", Group: connectors.GroupFiles, Tile: "MI",
		Summary:  "Buckets and files on servers that speak S3",
		Keywords: []string{"minio", "ceph", "rados", "wasabi", "backblaze", "cloudflare r2", "digitalocean spaces", "hetzner", "ovh", "scaleway", "netapp", "object storage", "bucket", "s3"},
		Where:    []string{"endpoint", "bucket", "folder"},
		Form:     connectors.Form{Fields: fields},
		Guide: connectors.Guide{
			Steps: []string{
				"The endpoint comes from whoever runs the server. MinIO's is usually port 9000; its web console, often port 9001, is another address.",
				"Access key and secret key are made in the server's console, under Access Keys; some services call them application keys or S3 credentials.",
			},
			Rights: "s3:ListBucket and s3:GetObject on the bucket, and s3:ListAllMyBuckets to see all buckets. Nothing is ever written.",
			Admin:  "Create an access key with a read-only policy for the buckets that are needed.",
			Notes:  []string{"This computer's clock must be right to within 15 minutes, because signed requests hold the time."},
			Links:  []connectors.Link{{Text: "Access keys in MinIO", URL: "https://docs.min.io/community/minio-object-store/administration/identity-access-management/minio-user-management.html"}},
		},
	}, openCompatible)
}

type googleConfig struct {
	Auth      string            `field:"auth"`
	AccessKey string            `field:"access_key"`
	SecretKey connectors.Secret `field:"secret_key"`
	KeyFile   connectors.Secret `field:"key_file"`
	Project   string            `field:"project"`
	Bucket    string            `field:"bucket"`
	Folder    string            `field:"folder"`
	Endpoint  string            `field:"endpoint"`
	files.Answers

	Token connectors.Secret `field:"oauth_token,issued"` // see oauthx.Key
}

func google() connectors.Type {
	hmac, account := connectors.When("auth", wayHMAC), connectors.When("auth", wayAccount)
	fields := []connectors.Field{
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Section: "Sign-in", Default: wayAccount, Options: []connectors.Option{
			{Value: wayAccount, Label: "Key file of a service account"},
			{Value: wayHMAC, Label: "HMAC key", Help: "An access key and its secret, made under Settings, Interoperability."},
		}},
		{Key: "key_file", Label: "Key file (JSON)", Kind: connectors.SecretLines, Required: true, Show: account, Valid: validKeyFile,
			Help: "The whole file that was downloaded when the key was made."},
		{Key: "access_key", Label: "Access key", Kind: connectors.Text, Required: true, Show: hmac, Example: "GOOG1EXAMPLEEXAMPLEEXAMPLE", Valid: validHMAC},
		{Key: "secret_key", Label: "Secret", Kind: connectors.SecretText, Required: true, Show: hmac, Tidy: answers.TidySecret(), Valid: validSecretKey},
		{Key: "bucket", Label: "Bucket", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "acme-reports", Valid: validGoogleBucket, Split: splitGoogle,
			Help: "Leave empty to see all buckets of the project. Needed where the account may not list them."},
		folderField(),
		{Key: "project", Label: "Project ID", Kind: connectors.Text, Example: "acme-reports", Valid: validProject,
			Help: "Only to see all buckets. Leave empty for the project of the key."},
		{Key: "endpoint", Label: "Endpoint", Kind: connectors.URL, Section: "Server", Advanced: true, Example: "http://127.0.0.1:4443", Tidy: tidyEndpoint, Valid: validSecureEndpoint,
			Help: "Leave empty for Google's own. For private endpoints and emulators."},
	}
	return connectors.Define(connectors.Type{
		ID: "gcs", Name: "Google Cloud Storage", Group: connectors.GroupFiles, Tile: "GS",
		Summary:  "Buckets and files of Google Cloud",
		Keywords: []string{"google cloud", "gcp", "gcs", "cloud storage", "bucket", "service account", "hmac", "files", "csv", "parquet"},
		Where:    []string{"bucket", "folder", "project"},
		Form:     connectors.Form{Fields: append(fields, files.Fields()...)},
		Guide: connectors.Guide{
			Steps: []string{
				"In the Google Cloud console, open IAM and admin, Service accounts, and create one.",
				"Open Cloud Storage, the bucket, its Permissions, Grant access, and give the service account's email address the role Storage Object Viewer.",
				"For a key file: open the service account, Keys, Add key, Create new key, JSON.",
				"For an HMAC key: open Cloud Storage, Settings, Interoperability, and create a key for the service account.",
			},
			Rights:  "storage.objects.list and storage.objects.get (Storage Object Viewer), and storage.buckets.list for all buckets of a project. Nothing is ever written.",
			Admin:   "Your organization may forbid keys of service accounts (the policy iam.disableServiceAccountKeyCreation). An administrator can make an exception for this project.",
			Account: "Use a service account of its own for this, so that its rights can be small and its key deleted without stopping others.",
			Network: "A VPC Service Controls perimeter may keep this computer out; then an administrator adds its address to an access level.",
			Notes:   []string{"Buckets whose readers pay (requester pays) are not read, so that nothing is charged unasked."},
			Links: []connectors.Link{
				{Text: "Service accounts", URL: "https://console.cloud.google.com/iam-admin/serviceaccounts"},
				{Text: "HMAC keys", URL: "https://console.cloud.google.com/storage/settings;tab=interoperability"},
			},
		},
	}, openGoogle)
}

type azureConfig struct {
	Auth       string            `field:"auth"`
	Account    string            `field:"account"`
	Key        connectors.Secret `field:"account_key"`
	Connection connectors.Secret `field:"connection_string"`
	SAS        connectors.Secret `field:"sas"`
	Container  string            `field:"container"`
	Folder     string            `field:"folder"`
	Suffix     string            `field:"endpoint_suffix"`
	Endpoint   string            `field:"endpoint"`
	vouched
	files.Answers
}

func azure() connectors.Type {
	named := connectors.When("auth", wayKey, waySAS)
	fields := []connectors.Field{
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Section: "Sign-in", Default: wayKey, Options: []connectors.Option{
			{Value: wayKey, Label: "Account and key"},
			{Value: wayConnection, Label: "Connection string"},
			{Value: waySAS, Label: "Shared access signature (SAS)", Help: "A link or token that was made for you, with an end date."},
		}},
		{Key: "account", Label: "Storage account", Kind: connectors.Text, Show: named, Example: "acmereports", Tidy: tidyLower, Valid: validAccount, Split: splitAzure,
			Help: "A whole connection string or address can be pasted here too."},
		{Key: "account_key", Label: "Account key", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", wayKey), Tidy: answers.TidySecret(), Valid: validAccountKey},
		{Key: "connection_string", Label: "Connection string", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", wayConnection), Tidy: answers.TidySecret(), Valid: validConnection,
			Help: "It begins with DefaultEndpointsProtocol= or BlobEndpoint=."},
		{Key: "sas", Label: "SAS link or token", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", waySAS), Tidy: answers.TidySecret(), Valid: validSAS,
			Help: "The whole link, or the part from sv= on together with the storage account."},
		{Key: "container", Label: "Container", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "reports", Valid: validContainer,
			Help: "Leave empty to see all containers. A SAS for one container names it in its link."},
		folderField(),
		{Key: "endpoint_suffix", Label: "Endpoint suffix", Kind: connectors.Text, Section: "Server", Advanced: true, Default: "core.windows.net", Example: "core.chinacloudapi.cn", Show: named, Tidy: tidySuffix, Valid: answers.ValidHost,
			Help: "Other clouds: core.chinacloudapi.cn, core.usgovcloudapi.net."},
		{Key: "endpoint", Label: "Blob endpoint", Kind: connectors.URL, Advanced: true, Example: "http://127.0.0.1:10000/devstoreaccount1", Tidy: tidyEndpoint, Valid: validEndpoint, Show: named,
			Help: "Leave empty for Azure's own. For Azure Stack, private addresses and Azurite."},
	}
	fields = append(append(fields, files.Fields()...), tlsx.Fields(nil, false)...)
	return connectors.Define(connectors.Type{
		ID: "azure_blob", Name: "Azure Blob Storage", Group: connectors.GroupFiles, Tile: "AB",
		Summary:  "Containers and files of Microsoft Azure",
		Keywords: []string{"azure", "microsoft", "blob", "storage account", "adls", "data lake", "sas", "container", "azurite", "files", "csv", "parquet"},
		Where:    []string{"account", "container", "folder"},
		Form:     connectors.Form{Fields: fields},
		Guide: connectors.Guide{
			Steps: []string{
				"In the Azure portal, open the storage account. Under Security and networking, Access keys, are the account's name, its keys and connection strings.",
				"Better: open Containers, the container, Shared access tokens, tick Read and List, choose an end date, and generate a SAS link.",
			},
			Rights:  "Read and List (SAS permissions rl) on the container. An account key opens everything in the account. Nothing is ever written.",
			Admin:   "Storage accounts can forbid account keys and the SAS made of them (Allow storage account key access), and let in only some networks (Networking).",
			Account: "A SAS of its own can be small and ends by itself; an account key cannot be limited.",
			Network: "HTTPS to *.blob.core.windows.net; where the account has a firewall, this computer's address is needed there.",
			Notes:   []string{"Blobs in the archive tier are listed, and can be read only after they were rehydrated."},
			Links:   []connectors.Link{{Text: "Storage accounts", URL: "https://portal.azure.com/#browse/Microsoft.Storage%2FStorageAccounts"}},
		},
	}, openAzure)
}

func folderField() connectors.Field {
	return connectors.Field{Key: "folder", Label: "Folder", Kind: connectors.Text, Listed: true, Example: "reports/2026", Tidy: tidyFolder, Valid: validFolder,
		Help: "Leave empty to begin at the top."}
}
