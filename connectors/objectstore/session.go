package objectstore

import (
	"context"
	"net/http"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// probed is how many objects a check looks at.
const probed = 20

// A session is an open connection to any of the stores.
type session struct {
	*files.Tree
	store  *store
	client *http.Client
	place  string // for the rung: host
	alone  bool   // the sign-in is for one bucket by its nature
}

// begin signs in by asking for what is to be shown. A refusal of that alone is
// left to Check: the sign-in is good then.
func begin(ctx context.Context, env *connectors.Env, s *session, a files.Answers) (connectors.Session, error) {
	s.Tree = files.New(s.store, a)
	if s.store.bucket == "" && s.store.folder != "" {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: s.store.field(), Said: "a folder is in a " + s.store.kind + ": name that too"}
	}
	err := env.Climb(ctx, connectors.StageSignIn, s.place, func(ctx context.Context) (string, error) {
		_, err := s.probe(ctx)
		if e := connectors.Classify(err); e != nil && e.Op == connectors.StageRights && (e.Code == connectors.Denied || e.Code == connectors.NotFound) {
			return "", nil
		}
		return "", err
	})
	if err != nil {
		s.client.CloseIdleConnections()
		return nil, err
	}
	return s, nil
}

// field is the form's question for the bucket.
func (s *store) field() string {
	if s.kind == "container" {
		return s.kind
	}
	return "bucket"
}

// probe asks for the first of what is to be shown.
func (s *session) probe(ctx context.Context) ([]item, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	st := s.store
	if st.bucket == "" {
		_, err := st.cloud.buckets(ctx, "")
		return nil, err
	}
	p, err := st.cloud.objects(ctx, st.bucket, st.prefix(), "", probed)
	if err == nil && st.folder != "" && len(p.items) == 0 && p.next == "" {
		err = &connectors.Error{Code: connectors.NotFound, Reason: "objectstore.no_folder", Op: connectors.StageRights, Field: "folder", Target: st.folder}
	}
	return p.items, err
}

// Check lists what is to be shown, and says what is known of the account.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	some, err := s.probe(ctx)
	if err != nil {
		return nil, err
	}
	st := s.store
	facts := st.cloud.about(ctx, st.bucket, some)
	if st.folder != "" {
		facts = append(facts, connectors.Fact{Label: "Folder", Text: st.folder})
	}
	if err := ended(ctx); err != nil || st.bucket == "" || s.alone {
		return facts, err
	}
	return facts, s.others(ctx)
}

// others says that the other buckets may not be listed, which is no fault of
// the one that was named.
func (s *session) others(ctx context.Context) error {
	_, err := s.store.cloud.buckets(ctx, "")
	e := connectors.Classify(err)
	if e == nil {
		return nil
	}
	if err := ended(ctx); err != nil {
		return err
	}
	out := *e
	out.Partial, out.Target, out.Err = true, s.store.bucket, e
	if e.Code == connectors.Denied || e.Code == connectors.BadInput || e.Code == connectors.NotFound {
		out.Code, out.Reason, out.Op, out.Field = connectors.Denied, "objectstore.only", connectors.StageRights, ""
	}
	return &out
}

// Close lets go of the connections.
func (s *session) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
