package addresses

import "strings"

// bucket understands s3:// and gs://. Some tools put the keys in front, and the
// server behind them (as in s3://KEY:SECRET@host:9000/bucket).
func (r *reader) bucket(a address) (outcome, bool) {
	if strings.HasPrefix(a.scheme, "g") {
		d := r.draft("gcs")
		d.split("bucket", "gs://"+a.hosts+decoded(a.path, false))
		return r.made("address", d)
	}
	o := queryOptions(a.query, false)
	endpoint := o.take("endpoint", "endpoint_url", "endpointurl")
	region := o.take("region", "awsregion")
	if a.port != "" || a.signed && strings.Contains(a.host, ".") {
		scheme := "https://"
		if truth(o.take("ssl", "secure", "tls")) == "false" {
			scheme = "http://"
		}
		endpoint = scheme + a.hosts
		a.hosts, a.path, _ = strings.Cut(strings.TrimPrefix(a.path, "/"), "/")
		a.path = "/" + a.path
	}
	d := r.draft("s3")
	if endpoint != "" {
		d = r.draft("s3_compatible")
		if !strings.Contains(endpoint, "://") {
			endpoint = "https://" + endpoint
		}
		d.set("endpoint", endpoint)
	}
	if a.hosts != "" {
		d.split("bucket", "s3://"+a.hosts+a.path)
	}
	d.set("region", region)
	d.set("access_key", a.user)
	d.secret("secret_key", a.password)
	d.remarks(a)
	d.rest(o)
	return r.made("address", d)
}

// azureFiles is Hadoop's way to write a container and its account
// (https://learn.microsoft.com/azure/storage/blobs/data-lake-storage-introduction-abfs-uri).
func (r *reader) azureFiles(a address) (outcome, bool) {
	d := r.draft("azure_blob")
	name, rest, _ := strings.Cut(a.host, ".")
	d.set("account", name)
	d.set("container", a.user)
	d.set("folder", strings.Trim(decoded(a.path, false), "/"))
	if _, suffix, ok := strings.Cut(rest, "."); ok && suffix != "core.windows.net" {
		d.set("endpoint_suffix", suffix)
	}
	return r.made("address", d)
}

// store reads the web addresses of object stores: Amazon's, Google's, Azure's and
// those that speak S3; false for anything else.
func (r *reader) store(a address) (outcome, bool) {
	host := strings.ToLower(a.host)
	text := a.clean("")
	switch {
	case strings.Contains(host, ".blob.") && strings.Count(host, ".") >= 4, strings.HasSuffix(host, ".dfs.core.windows.net"):
		return r.azureAddress(a)
	case strings.HasSuffix(host, ".amazonaws.com"), strings.HasSuffix(host, ".amazonaws.com.cn"), strings.HasSuffix(host, "console.aws.amazon.com"):
		d := r.draft("s3")
		if strings.Contains(host, "s3") || strings.HasPrefix(a.path, "/s3/") {
			if d.split("bucket", strings.Replace(text, ".amazonaws.com.cn", ".amazonaws.com", 1)) {
				d.signedLink(a)
				return r.made("address", d)
			}
			if d.regional(host) {
				return r.made("address", d)
			}
		}
	case host == "storage.googleapis.com", host == "storage.cloud.google.com", host == "console.cloud.google.com", strings.HasSuffix(host, ".storage.googleapis.com"):
		d := r.draft("gcs")
		if d.split("bucket", text) {
			d.signedLink(a)
			return r.made("address", d)
		}
	}
	return r.compatible(a, host)
}

// regional is the address of a region without a bucket:
// https://docs.aws.amazon.com/general/latest/gr/s3.html
func (d *draft) regional(host string) bool {
	labels := strings.Split(strings.TrimSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com"), ".")
	if !strings.HasPrefix(labels[0], "s3") {
		return false
	}
	d.bare = true
	if len(labels) > 1 {
		d.set("region", labels[len(labels)-1])
	}
	return true
}

// signedLink leaves the signature of a link to one object: it opens nothing else.
func (d *draft) signedLink(a address) {
	for _, p := range queryOptions(a.query, false).list {
		if n := folded(p.name); strings.HasPrefix(n, "xamz") || strings.HasPrefix(n, "xgoog") || n == "signature" || n == "awsaccesskeyid" {
			d.r.Leave("Signature of the link", "It opens one object for a while. A key is needed here.")
			return
		}
	}
}

func (r *reader) azureAddress(a address) (outcome, bool) {
	d := r.draft("azure_blob")
	text := strings.Replace(a.clean(""), ".dfs.", ".blob.", 1)
	d.split("account", text)
	return r.made("address", d)
}

// compatible knows the hosts of services that speak S3, with the bucket in the
// path or before the host:
// https://developers.cloudflare.com/r2/api/s3/api/, https://docs.wasabi.com/docs/what-are-the-service-urls-for-wasabis-different-storage-regions,
// https://docs.digitalocean.com/products/spaces/, https://www.backblaze.com/docs/cloud-storage-call-the-s3-compatible-api,
// https://docs.hetzner.com/storage/object-storage/, https://www.scaleway.com/en/docs/object-storage/
func (r *reader) compatible(a address, host string) (outcome, bool) {
	endpoint, bucket, region := "", "", ""
	for _, s := range []string{".wasabisys.com", ".digitaloceanspaces.com", ".backblazeb2.com", ".your-objectstorage.com", ".scw.cloud", ".linodeobjects.com", ".vultrobjects.com", ".idrivee2.com", ".io.cloud.ovh.net", ".r2.cloudflarestorage.com", ".exo.io", ".contabostorage.com"} {
		rest, ok := strings.CutSuffix(host, s)
		if !ok {
			continue
		}
		labels := strings.Split(rest, ".")
		keep := 1
		if s == ".wasabisys.com" || s == ".backblazeb2.com" || s == ".scw.cloud" || s == ".io.cloud.ovh.net" {
			keep = 2 // s3.region
		}
		if s == ".wasabisys.com" && labels[len(labels)-1] == "s3" {
			keep = 1
		}
		if len(labels) < keep {
			return outcome{}, false
		}
		endpoint = strings.Join(labels[len(labels)-keep:], ".") + s
		bucket = strings.Join(labels[:len(labels)-keep], ".")
		region = labels[len(labels)-1]
		if s == ".r2.cloudflarestorage.com" {
			region, bucket = "auto", ""
			endpoint = host
		}
		if region == "s3" {
			region = ""
		}
	}
	if endpoint == "" {
		return outcome{}, false
	}
	d := r.draft("s3_compatible")
	if a.port != "" {
		endpoint += ":" + a.port
	}
	d.set("endpoint", a.scheme+"://"+endpoint)
	place := strings.TrimPrefix(bucket+decoded(a.path, false), "/")
	name, folder, _ := strings.Cut(place, "/")
	d.set("bucket", name)
	d.set("folder", folder)
	d.set("region", region)
	d.set("access_key", a.user)
	d.secret("secret_key", a.password)
	d.signedLink(a)
	return r.made("address", d)
}
