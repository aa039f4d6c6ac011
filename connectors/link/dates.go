package link

import (
	"context"
	"maps"
	"slices"
	"time"

	"jackfield/connectors"
)

// SetDate notes the day on which the answer to a field ends, for what nobody can
// read: a client secret, a password. The zero time forgets it. The day is that of
// day in its own zone. The check is not repeated, and the answers stay as they are.
func (b *Book) SetDate(ctx context.Context, id, field string, day time.Time) (Connection, error) {
	c, err := b.Get(ctx, id)
	if err != nil {
		return Connection{}, err
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return Connection{}, err
	}
	if _, asked := t.Form.Field(field); !asked {
		return Connection{}, &connectors.Error{Code: connectors.BadInput, Reason: "expiry.no_field", Op: connectors.StageForm, Target: connectors.Clean(field, 60)}
	}
	return b.edit(ctx, id, func(c *Connection) {
		c.Dates = maps.Clone(c.Dates)
		if day.IsZero() {
			delete(c.Dates, field)
			return
		}
		if c.Dates == nil {
			c.Dates = map[string]time.Time{}
		}
		c.Dates[field] = midnight(day)
	})
}

func midnight(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
}

// dated forgets the days of the secrets that were replaced, and notes when that
// was. What is no question of the form has no day.
func (c *Connection) dated(t connectors.Type, days map[string]time.Time, replaced []string, now time.Time) {
	c.Dates, c.Set = maps.Clone(c.Dates), maps.Clone(c.Set)
	for _, k := range replaced {
		delete(c.Dates, k)
		delete(c.Set, k)
		if !t.Issued(k) && slices.Contains(c.SecretKeys, k) {
			if c.Set == nil {
				c.Set = map[string]time.Time{}
			}
			c.Set[k] = now
		}
	}
	for k, day := range days {
		if t.Issued(k) || day.IsZero() {
			continue
		}
		if c.Dates == nil {
			c.Dates = map[string]time.Time{}
		}
		c.Dates[k] = midnight(day)
	}
}
