package expiry

import (
	"context"
	"time"
)

// A Mark is what a person was told last about an item.
type Mark struct {
	When  time.Time `json:"when"` // its end, as it was then
	Level Level     `json:"level"`
}

// Marks remember what was told, by Item.UID. They hold nothing worth hiding.
type Marks map[string]Mark

// Due are the items that came nearer than what a person was told: 30, 7 and 1 days
// before the end, and the end. Each is told once; one whose end has moved begins
// anew. Reminders are told when their day comes, and not before. After is what to
// remember once they are told; it has nothing of items that are gone.
func Due(items []Item, told Marks, now time.Time) (due []Item, after Marks) {
	after = Marks{}
	for _, i := range items {
		i.Level = LevelOf(i, now)
		if i.Level == Later || i.Kind == KeyAge && i.Level != Expired {
			continue
		}
		old, known := told[i.UID]
		if !known || !old.When.Equal(i.When) || i.Level.rank() < old.Level.rank() {
			due = append(due, i)
		}
		after[i.UID] = Mark{i.When, i.Level}
	}
	return due, after
}

// A Memory keeps what was told between two runs of the program.
type Memory interface {
	Marks(ctx context.Context) (Marks, error)
	SetMarks(ctx context.Context, m Marks) error
}

// Tell hands to say what is due, and remembers it when say returns nil. Nothing due
// is nothing said.
func Tell(ctx context.Context, m Memory, items []Item, now time.Time, say func([]Item) error) error {
	told, err := m.Marks(ctx)
	if err != nil {
		return err
	}
	due, after := Due(items, told, now)
	if len(due) > 0 {
		if err := say(due); err != nil {
			return err
		}
	}
	return m.SetMarks(ctx, after)
}
