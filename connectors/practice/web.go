package practice

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxBody is of a request; a sign-in is a few hundred bytes.
const maxBody = 64 << 10

// serveHTTP serves what build makes of the server's own origin.
func serveHTTP(g *gate, origin string, log *slog.Logger, h http.Handler) (stop func() error) {
	srv := &http.Server{
		Handler: guarded(origin, h), MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: signInTime, ReadTimeout: signInTime, WriteTimeout: writePatient, IdleTimeout: time.Minute,
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(g) })
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		err := srv.Shutdown(ctx)
		if err != nil {
			err = errors.Join(srv.Close(), g.Close())
		}
		wg.Wait()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		return err
	}
}

// guarded answers only under the server's own name, so that no page on the web
// reaches it through a name that it points at this computer (DNS rebinding).
func guarded(origin string, h http.Handler) http.Handler {
	host := origin[len("http://"):]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		if r.Host != host {
			http.Error(w, "this server has another name", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		h.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, v any) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}

// trouble is how the APIs say no.
type trouble struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}
