// Package practice runs real protocol servers with made-up data on this
// computer, so that the program can be tried without accounts of one's own:
// files over SFTP, an LDAP directory, an MQTT broker, a SQLite database, an
// OpenID provider with a protected API, and an API with a key.
//
// Every server listens on 127.0.0.1 only, runs inside this process and ends
// with it. Nothing that is served can be changed by a client. The passwords are
// public on purpose: they open invented data and nothing else.
package practice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"jackfield/connectors"
)

// Options say how to start.
type Options struct {
	Log *slog.Logger // nil: nothing is logged
}

// A Connection is what a person would fill in to reach one of the services.
type Connection struct {
	TypeID      string
	Name        string
	Description string
	Settings    connectors.Settings
}

// Services are the running servers.
type Services struct {
	list  []Connection
	stops []func() error
	once  sync.Once
	err   error
}

// starter starts one service and tells how to reach it and how to stop it.
type starter func(ctx context.Context, log *slog.Logger) (Connection, func() error, error)

// Start starts every service, or none: when one fails, those before it are
// stopped again. ctx bounds the starting alone; the services run until Close.
// A service whose usual port is taken gets a free one.
func Start(ctx context.Context, o Options) (*Services, error) {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Services{}
	for _, start := range []starter{startSFTP, startLDAP, startMQTT, startSQLite, startOIDC, startAPI} {
		if err := context.Cause(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		c, stop, err := start(ctx, log)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("practice services: %w", err), s.Close())
		}
		s.list, s.stops = append(s.list, c), append(s.stops, stop)
		log.Debug("practice service started", "type", c.TypeID, "place", place(c))
	}
	return s, nil
}

func place(c Connection) string {
	for _, key := range []string{"issuer", "base_url", "file"} {
		if v := c.Settings.Plain[key]; v != "" {
			return v
		}
	}
	return c.Settings.Plain["host"] + ":" + c.Settings.Plain["port"]
}

// Connections tell how to reach the services, each with all its answers. The
// caller may change what it gets.
func (s *Services) Connections() []Connection {
	out := make([]Connection, 0, len(s.list))
	for _, c := range s.list {
		c.Settings = c.Settings.Clone()
		out = append(out, c)
	}
	return out
}

// Close stops every service, cuts what is still connected and removes the
// database file. It may be called twice and returns the first result.
func (s *Services) Close() error {
	s.once.Do(func() {
		var wg sync.WaitGroup
		errs := make([]error, len(s.stops))
		for i, stop := range s.stops {
			wg.Go(func() { errs[i] = stop() })
		}
		wg.Wait()
		s.err = errors.Join(errs...)
	})
	return s.err
}

func settings(plain map[string]string, secrets map[string]string) connectors.Settings {
	s := connectors.NewSettings()
	for k, v := range plain {
		s.Plain[k] = v
	}
	for k, v := range secrets {
		s.Secrets[k] = connectors.NewSecret(v)
	}
	return s
}

// Place are the answers that differ from one start of a service to the next.
func (c Connection) Place() []string {
	switch c.TypeID {
	case "sftp":
		return []string{"host", "port", "known_hosts"}
	case "sqlite":
		return []string{"file"}
	case "oauth":
		return []string{"issuer", "base_url"}
	case "http":
		return []string{"base_url"}
	}
	return []string{"host", "port"}
}
