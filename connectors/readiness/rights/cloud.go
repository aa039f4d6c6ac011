package rights

import (
	"encoding/json"
	"strings"
)

// googleStorage follows https://cloud.google.com/storage/docs/access-control/iam-permissions
func googleStorage(a answers) []Grant {
	bucket, folder := a.or("bucket", "<bucket>"), strings.Trim(a.of("folder"), "/")
	project := a.or("project", "<project>")
	member := "serviceAccount:" + a.serviceAccount("key_file")
	make := "gcloud iam roles create jackfieldReader --project=" + shell(project) + " --title=" + shell("Jackfield reader") + " --permissions=storage.objects.list,storage.objects.get"
	bind := "gcloud storage buckets add-iam-policy-binding " + shell("gs://"+bucket) + " --member=" + shell(member) + " --role=" + shell("projects/"+project+"/roles/jackfieldReader")
	notes := []string{"The predefined role roles/storage.objectViewer would do too, and a little more.", readOnly}
	if folder != "" {
		notes = append(notes, "A folder can only be granted alone as a managed folder: gcloud storage managed-folders add-iam-policy-binding "+shell("gs://"+bucket+"/"+folder)+" with the same member and role.")
	}
	out := []Grant{{Title: "List and read one bucket", Where: "Run by whoever administers the project " + project + ".", Language: Shell, Text: text(make, bind), Notes: notes}}
	if a.of("bucket") == "" {
		out = append(out, Grant{Title: "See all buckets of the project", Where: "Run by whoever administers the project " + project + ".", Language: Shell,
			Text: text("gcloud iam roles create jackfieldBuckets --project="+shell(project)+" --title="+shell("Jackfield bucket list")+" --permissions=storage.buckets.list",
				"gcloud projects add-iam-policy-binding "+shell(project)+" --member="+shell(member)+" --role="+shell("projects/"+project+"/roles/jackfieldBuckets")),
			Notes: []string{"Not needed where the form names a bucket."}})
	}
	return out
}

// serviceAccount is the address in a Google key file, which is no secret.
func (a answers) serviceAccount(key string) string {
	var f struct {
		Email string `json:"client_email"`
	}
	if !a.form.Visible(key, a.s) || json.Unmarshal([]byte(a.s.Secrets[key].Reveal()), &f) != nil || !strings.HasSuffix(f.Email, ".gserviceaccount.com") || oneLine(f.Email) != f.Email {
		return "<address of the service account>"
	}
	return f.Email
}

// azureBlob follows https://learn.microsoft.com/rest/api/storageservices/create-service-sas
func azureBlob(a answers) []Grant {
	account, container := a.or("account", "<account>"), a.of("container")
	line := "az storage container generate-sas --account-name " + shell(account) + " --name " + shell(container) + " --permissions rl --https-only --expiry <date, such as 2027-01-31T00:00Z>"
	title := "A SAS that lists and reads one container"
	if container == "" {
		title = "A SAS that lists and reads the account's containers"
		line = "az storage account generate-sas --account-name " + shell(account) + " --services b --resource-types sco --permissions rl --https-only --expiry <date, such as 2027-01-31T00:00Z>"
	}
	return []Grant{{Title: title, Where: "Run by whoever may use the account's key.", Language: Shell, Text: text(line),
		Notes: []string{"What it prints is a secret: hand it over apart from this, for “" + "Shared access signature" + "” in the form.", "r reads and l lists; nothing else is needed. An account key would open everything in the account.",
			"Where people and programs sign in with Entra ID instead, the role with the same reach is Storage Blob Data Reader, on the container."}}}
}

// serviceBus follows https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas
func serviceBus(a answers) []Grant {
	space, _, _ := strings.Cut(a.or("namespace", "<namespace>"), ".")
	entity, name := a.of("entity"), a.or("key_name", "jackfield")
	common := " --resource-group <resource group> --namespace-name " + shell(space)
	out := []Grant{}
	if entity != "" {
		queue, _, _ := strings.Cut(entity, "/subscriptions/")
		queue, _, _ = strings.Cut(queue, "/Subscriptions/")
		kind := "queue"
		if queue != entity {
			kind = "topic"
		}
		out = append(out, Grant{Title: "Look at the messages of " + entity, Where: "Run by whoever administers the namespace.", Language: Shell,
			Text:  text("az servicebus " + kind + " authorization-rule create" + common + " --" + kind + "-name " + shell(queue) + " --name " + shell(name) + " --rights Listen"),
			Notes: some("Listen would also let a program take messages away; Azure knows no smaller right. Here they are only peeked at.", when(kind == "queue", "For a topic, write topic in place of queue, twice."))})
		return out
	}
	return append(out, Grant{Title: "List queues, topics and subscriptions", Where: "Run by whoever administers the namespace.", Language: Shell,
		Text:  text("az servicebus namespace authorization-rule create" + common + " --name " + shell(name) + " --rights Manage Listen Send"),
		Notes: []string{"Azure knows no right that only lists: Manage includes the others and can do everything in the namespace. Name a queue, a topic or a subscription in the form, and Listen on it is enough."}})
}
