package objectstore

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// endless answers ListObjectsV2 for a bucket of so many objects, page by page,
// as fast as it can: no server with a disk could keep up.
func endless(objects int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		from, _ := strconv.Atoi(q.Get("continuation-token"))
		to := min(from+pageSize, objects)
		b := make([]byte, 0, 300*(to-from)+1000)
		b = append(b, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>many</Name><Prefix></Prefix><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><KeyCount>`...)
		b = strconv.AppendInt(b, int64(to-from), 10)
		b = append(b, `</KeyCount>`...)
		if to < objects {
			b = append(b, `<IsTruncated>true</IsTruncated><NextContinuationToken>`...)
			b = strconv.AppendInt(b, int64(to), 10)
			b = append(b, `</NextContinuationToken>`...)
		} else {
			b = append(b, `<IsTruncated>false</IsTruncated>`...)
		}
		for i := from; i < to; i++ {
			b = append(b, `<Contents><Key>file-`...)
			b = strconv.AppendInt(b, int64(10_000_000+i), 10)
			b = append(b, `.csv</Key><LastModified>2026-11-21T10:20:30.000Z</LastModified><ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>12345</Size><StorageClass>STANDARD</StorageClass></Contents>`...)
		}
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write(append(b, `</ListBucketResult>`...))
	}
}

// BenchmarkListOneMillionFromStandIn lists 1,000,000 objects of one folder, and
// compares with rclone lsf on the same stand-in: from connecting to the last name.
func BenchmarkListOneMillionFromStandIn(b *testing.B) {
	const many = 1_000_000
	s := httptest.NewServer(endless(many))
	defer s.Close()
	program := server.Program(b, "rclone", "rclone")
	native := func() *exec.Cmd {
		cmd := exec.Command(program, "lsf", "--config", os.DevNull, "peer:many")
		cmd.Env = append([]string{"HOME=" + b.TempDir()}, "RCLONE_CONFIG_PEER_TYPE=s3", "RCLONE_CONFIG_PEER_PROVIDER=Other", "RCLONE_CONFIG_PEER_ENDPOINT="+s.URL,
			"RCLONE_CONFIG_PEER_ACCESS_KEY_ID=reader", "RCLONE_CONFIG_PEER_SECRET_ACCESS_KEY=practice-only", "RCLONE_CONFIG_PEER_LIST_VERSION=2")
		return cmd
	}
	answers := settings(compatible(), "endpoint", s.URL, "access_key", "reader", "secret_key", "practice-only", "bucket", "many")
	conntest.Race(b, "rclone", native, nil, conntest.NewJob(compatible(), answers, connectors.NodeID(""), many))
}
