package handover

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// keyIdentity is the secret of a kept request.
const keyIdentity = "identity"

// A Desk keeps the requests that this person made, each with the key that opens
// its answers. Its store is one of its own, not that of the connections.
type Desk struct {
	store link.Store
	now   func() time.Time
}

// A Kept is a request on the desk.
type Kept struct {
	Request
	Withdrawn time.Time `json:"withdrawn,omitzero"` // its answers cannot be opened any more
	Answered  time.Time `json:"answered,omitzero"`  // when an answer was opened last
}

// NewDesk opens a desk over a store. now is time.Now when nil.
func NewDesk(store link.Store, now func() time.Time) *Desk {
	if now == nil {
		now = time.Now
	}
	return &Desk{store: store, now: now}
}

// New keeps a request and makes its id, time and key.
func (d *Desk) New(ctx context.Context, r Request) (Request, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return Request{}, storage(err)
	}
	r.ID, r.Created, r.Key = uuid.NewString(), d.now(), id.Recipient().String()
	r = r.tidied()
	if err := r.sound(); err != nil {
		return Request{}, err
	}
	if len(r.File()) > maxRequest {
		return Request{}, fault("handover.large", "", "")
	}
	err = d.store.Update(ctx, r.ID, func([]byte, map[string]string) ([]byte, map[string]string, error) {
		data, err := json.Marshal(Kept{Request: r})
		return data, map[string]string{keyIdentity: id.String()}, err
	})
	return r, storage(err)
}

// List is every request, the newest first. One that cannot be read is reported
// in the error and does not hide the others.
func (d *Desk) List(ctx context.Context) ([]Kept, error) {
	ids, err := d.store.IDs(ctx)
	if err != nil {
		return nil, storage(err)
	}
	var out []Kept
	var errs []error
	for _, id := range ids {
		k, err := d.get(ctx, id)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, k)
	}
	slices.SortFunc(out, func(x, y Kept) int {
		return cmp.Or(y.Created.Compare(x.Created), cmp.Compare(x.ID, y.ID))
	})
	return out, errors.Join(errs...)
}

// Get is one request.
func (d *Desk) Get(ctx context.Context, id string) (Kept, error) {
	k, err := d.get(ctx, id)
	if errors.Is(err, fs.ErrNotExist) {
		return Kept{}, fault("handover.no_request", line(id), "")
	}
	return k, err
}

func (d *Desk) get(ctx context.Context, id string) (Kept, error) {
	data, err := d.store.ReadProfile(ctx, id)
	if err != nil {
		return Kept{}, storage(err)
	}
	var k Kept
	if err := json.Unmarshal(data, &k); err != nil {
		return Kept{}, storage(err)
	}
	k.ID = id
	return k, nil
}

// Withdraw forgets the key of a request: answers to it can never be opened
// again, by nobody. What was asked stays to be read.
func (d *Desk) Withdraw(ctx context.Context, id string) error {
	k, err := d.Get(ctx, id)
	if err != nil || !k.Withdrawn.IsZero() {
		return err
	}
	// Deleting also removes what a store keeps of earlier versions; a key taken
	// out by an update would still lie in a backup.
	if err := d.store.Delete(ctx, id); err != nil {
		return storage(err)
	}
	k.Withdrawn = d.now().UTC().Truncate(time.Second)
	return storage(d.store.UpdateProfile(context.WithoutCancel(ctx), id, func([]byte) ([]byte, error) { return json.Marshal(k) }))
}

// Remove forgets a request altogether.
func (d *Desk) Remove(ctx context.Context, id string) error {
	if _, err := d.Get(ctx, id); err != nil {
		return err
	}
	return storage(d.store.Delete(ctx, id))
}

// Again withdraws a request and asks the same with a new key. When it fails, the
// old request is as it was.
func (d *Desk) Again(ctx context.Context, id string) (Request, error) {
	k, err := d.Get(ctx, id)
	if err != nil {
		return Request{}, err
	}
	r, err := d.New(ctx, k.Request)
	if err != nil {
		return Request{}, err
	}
	if err := d.Withdraw(ctx, id); err != nil {
		return Request{}, errors.Join(err, storage(d.store.Delete(context.WithoutCancel(ctx), r.ID)))
	}
	return r, nil
}

// Open opens an answer with the key of the request that it is for. The bundle
// has the names that the request gave, and goes through Propose and Import as
// any other.
func (d *Desk) Open(ctx context.Context, data []byte) (Request, Bundle, error) {
	if len(data) > MaxSize {
		return Request{}, Bundle{}, fault("handover.large", "", "")
	}
	h, ok := peek(data)
	if !ok {
		if isRequest(data) {
			return Request{}, Bundle{}, fault("handover.kind.request", "", "")
		}
		return Request{}, Bundle{}, fault("handover.kind", "", "")
	}
	if h.passphrase() || h.costly() {
		return Request{}, Bundle{}, fault("handover.kind.bundle", "", "")
	}
	tried, err := d.candidates(ctx, h.request())
	if err != nil {
		return Request{}, Bundle{}, err
	}
	for _, k := range tried {
		plain, err := d.try(ctx, k, data)
		if connectors.Classify(err) != nil && connectors.Classify(err).Reason == "handover.not_for_you" {
			continue
		}
		if err != nil {
			return Request{}, Bundle{}, err
		}
		b, err := k.answered(plain)
		if err != nil {
			return Request{}, Bundle{}, err
		}
		return k.Request, b, d.mark(ctx, k.ID)
	}
	return Request{}, Bundle{}, fault("handover.not_for_you", "", "")
}

// candidates are the requests that an answer may be for: the one that it names,
// or every open one.
func (d *Desk) candidates(ctx context.Context, named string) ([]Kept, error) {
	all, err := d.List(ctx)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(k Kept) bool { return k.ID == named }); i >= 0 {
		if !all[i].Withdrawn.IsZero() {
			return nil, fault("handover.withdrawn", "", all[i].Withdrawn.Format(time.DateOnly))
		}
		return all[i : i+1], nil
	}
	return slices.DeleteFunc(all, func(k Kept) bool { return !k.Withdrawn.IsZero() }), nil
}

func (d *Desk) try(ctx context.Context, k Kept, data []byte) ([]byte, error) {
	secrets, err := d.store.ReadSecrets(ctx, k.ID)
	if err != nil {
		return nil, storage(err)
	}
	return opened(data, Opener{Identities: []connectors.Secret{connectors.NewSecret(secrets[keyIdentity])}})
}

func (d *Desk) mark(ctx context.Context, id string) error {
	return storage(d.store.UpdateProfile(ctx, id, func(data []byte) ([]byte, error) {
		var k Kept
		if err := json.NewDecoder(bytes.NewReader(data)).Decode(&k); err != nil {
			return nil, err
		}
		k.Answered = d.now().UTC().Truncate(time.Second)
		return json.Marshal(k)
	}))
}

// storage marks an error of the store, with the store's own finer reason.
func storage(err error) error {
	var known *connectors.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return connectors.Classify(err)
	}
	e := &connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err}
	if found := connectors.Classify(err); found.Code == connectors.Storage {
		e.Reason = found.Reason
	}
	var reason interface{ Reason() string }
	if errors.As(err, &reason) {
		e.Reason = reason.Reason()
	}
	return e
}
