package httpx_test

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/httpx"
)

// Where the refusal arrives is a matter of luck: as an alert, as a closed
// connection, or within the beginning of HTTP/2. It always says the same.
func TestAServerThatInsistsOnAClientCertificateSaysSo(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	for range 40 {
		client, err := httpx.New(conntest.NewWorld(t).Env, connectors.HTTP{TLS: connectors.TLS{CA: ca}, Proxy: "direct"})
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Get(s.URL)
		client.CloseIdleConnections()
		if err == nil {
			_ = res.Body.Close()
			t.Fatal("it worked")
		}
		e := connectors.Classify(err)
		if e.Code != connectors.AuthFailed || e.Reason != "tls.client_cert" || e.Field != "client_cert" {
			t.Fatalf("%+v", e)
		}
	}
}
