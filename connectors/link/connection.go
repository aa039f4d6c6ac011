// Package link is a connection's life: prepared → linked → checked → used.
// A Book holds a person's connections; it is what the window and jf share.
package link

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"jackfield/connectors"
)

// A State says how far a connection has come.
type State string

// Prepared connections were never linked; the others tell how the last link or check ended.
const (
	Prepared State = "prepared"
	OK       State = "ok"
	Partial  State = "partial"
	Failed   State = "failed"
)

// A Connection is one saved profile: everything about it but its secrets.
type Connection struct {
	ID          string              `json:"id"`
	Type        string              `json:"type"`
	Name        string              `json:"name"`
	Description string              `json:"description,omitempty"`
	Practice    bool                `json:"practice,omitempty"`
	Plain       map[string]string   `json:"plain,omitempty"`
	SecretKeys  []string            `json:"secret_keys,omitempty"` // which secrets are stored, not what they are
	State       State               `json:"state"`
	Account     string              `json:"account,omitempty"`
	Facts       []connectors.Fact   `json:"facts,omitempty"` // of the last good check
	Problem     *connectors.Problem `json:"problem,omitempty"`
	Created     time.Time           `json:"created"`
	Changed     time.Time           `json:"changed"`
	Checked     time.Time           `json:"checked,omitzero"` // last good check
	Expires     time.Time           `json:"expires,omitzero"`
	Took        time.Duration       `json:"took,omitempty"` // of the last good check
	// Dates are the days on which answers end, by field, as a person typed them:
	// midnight UTC. The day of a secret goes when the secret is replaced.
	Dates map[string]time.Time `json:"dates,omitempty"`
	// Set is when each secret of the form was last given another value here.
	Set map[string]time.Time `json:"set,omitempty"`
}

// A Draft is what a form hands over to be saved.
type Draft struct {
	Type        string
	Name        string
	Description string
	Practice    bool
	// Settings replace the plain answers. A secret that is absent stays as it
	// is stored; one that is present but empty is forgotten.
	Settings connectors.Settings
	// Dates are added to those of the connection, by field; see Connection.Dates.
	Dates map[string]time.Time
}

// Missing lists the required fields that a prepared connection still lacks. It
// needs no secret and no network.
func (c Connection) Missing(t connectors.Type) []string {
	s := connectors.Settings{Plain: c.Plain, Secrets: map[string]connectors.Secret{}}
	for _, k := range c.SecretKeys {
		s.Secrets[k] = connectors.NewSecret("stored")
	}
	return t.Form.Missing(s)
}

func read(data []byte) (Connection, error) {
	var c Connection
	if err := json.Unmarshal(data, &c); err != nil {
		return Connection{}, fmt.Errorf("profile: %w", err)
	}
	return c, nil
}

func write(c Connection) ([]byte, error) {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", c.ID, err)
	}
	return append(data, '\n'), nil
}

// wrap and unwrap pass secrets over the store's basic types.
func wrap(m map[string]string) map[string]connectors.Secret {
	out := make(map[string]connectors.Secret, len(m))
	for k, v := range m {
		out[k] = connectors.NewSecret(v)
	}
	return out
}

func keysOf(m map[string]string) []string {
	return append([]string{}, slices.Sorted(maps.Keys(m))...)
}
