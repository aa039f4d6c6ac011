package wsx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gorilla/websocket"
)

// reach starts a server and connects to it.
func reach(t *testing.T, answer http.HandlerFunc) (net.Conn, *url.URL) {
	t.Helper()
	srv := httptest.NewServer(answer)
	t.Cleanup(srv.Close)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, &url.URL{Scheme: "ws", Host: srv.Listener.Addr().String(), Path: "/$x", RawQuery: "a=b"}
}

func TestBytesPassWhateverTheFrames(t *testing.T) {
	up := websocket.Upgrader{Subprotocols: []string{"practice"}}
	conn, u := reach(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "a=b" || r.Header.Get("Sec-WebSocket-Protocol") != "practice" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		_, data, _ := ws.ReadMessage()
		for _, b := range data {
			_ = ws.WriteMessage(websocket.BinaryMessage, []byte{b})
		}
		_ = ws.WriteMessage(websocket.TextMessage, []byte("text"))
	})
	ws, _, err := Upgrade(t.Context(), conn, u, "practice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ws.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(ws, got); err != nil || !bytes.Equal(got, []byte("hello")) {
		t.Errorf("%q %v", got, err)
	}
	if _, err := ws.Read(got); !errors.Is(err, ErrText) {
		t.Errorf("%v, want %v", err, ErrText)
	}
}

func TestRefusedUpgrades(t *testing.T) {
	conn, u := reach(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	_, res, err := Upgrade(t.Context(), conn, u, "practice")
	if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
		t.Fatalf("%+v %v", res, err)
	}
	_ = res.Body.Close()
	conn, u = reach(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Upgrade(ended, conn, u, "practice"); err == nil {
		t.Error("it upgraded although it was cancelled")
	}
}

func TestSecurity68_AnEndlessAnswerToTheUpgradeEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		far, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = far.Close() }()
		_, _ = fmt.Fprint(far, "HTTP/1.1 101 Switching Protocols\r\n")
		for {
			if _, err := fmt.Fprint(far, "X: y\r\n"); err != nil {
				return
			}
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = Upgrade(t.Context(), conn, &url.URL{Scheme: "ws", Host: l.Addr().String()}, "practice"); !errors.Is(err, ErrAnswer) {
		t.Errorf("%v, want %v", err, ErrAnswer)
	}
}
