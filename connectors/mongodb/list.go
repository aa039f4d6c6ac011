package mongodb

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"jackfield/connectors"
	"jackfield/connectors/internal/pathid"
)

// counted is how many collections of a listing have their documents counted: each
// takes a round trip.
const counted = 100

// Children lists databases, collections and indexes.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		parts, ok := pathid.Split(parent)
		var err error
		switch {
		case ctx.Err() != nil:
			err = connectors.Classify(context.Cause(ctx))
		case !ok || len(parts) > 2:
			err = &connectors.Error{Code: connectors.NotFound, Reason: "mongodb.no_collection", Op: connectors.StageData, Target: string(parent)}
		case len(parts) == 0:
			err = s.databases(ctx, yield)
		case len(parts) == 1:
			err = s.collections(ctx, parts[0], yield)
		default:
			err = s.indexes(ctx, parts[0], parts[1], yield)
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(connectors.Node{}, err)
		}
	}
}

// errStopped ends a listing that its consumer broke out of.
var errStopped = errors.New("the consumer has seen enough")

// names are the databases that the account may see, or the one that the form names.
func (s *session) names(ctx context.Context) ([]string, error) {
	if s.c.Database != "" {
		return []string{s.c.Database}, nil
	}
	return s.seen(ctx)
}

// seen are the databases that the account may see.
func (s *session) seen(ctx context.Context) ([]string, error) {
	out, err := s.client.ListDatabaseNames(ctx, bson.D{}, options.ListDatabases().SetNameOnly(true).SetAuthorizedDatabases(true))
	if err != nil {
		err = s.refused(ctx, err, s.c.target(), connectors.StageRights)
		if e := connectors.Classify(err); e.Reason == "mongodb.denied" {
			e.Field = "database"
		}
		return nil, err
	}
	slices.Sort(out)
	return out, nil
}

func (s *session) databases(ctx context.Context, yield func(connectors.Node, error) bool) error {
	names, err := s.names(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
		if !yield(connectors.Node{ID: pathid.Join("", name), Name: name, Kind: "database", Branch: true}, nil) {
			return errStopped
		}
	}
	return nil
}

// walk goes through a cursor; what was not fetched yet is given up when do stops.
func (s *session) walk(ctx context.Context, cursor *mongo.Cursor, err error, target string, do func(bson.Raw) error) error {
	if err != nil {
		return s.refused(ctx, err, target, connectors.StageData)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = cursor.Close(ctx)
	}()
	for cursor.Next(ctx) {
		if ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
		if err := do(cursor.Current); err != nil {
			return err
		}
	}
	return s.refused(ctx, cursor.Err(), target, connectors.StageData)
}

func (s *session) collections(ctx context.Context, database string, yield func(connectors.Node, error) bool) error {
	db := s.client.Database(database)
	cursor, err := db.ListCollections(ctx, bson.D{}, options.ListCollections().SetNameOnly(true).SetAuthorizedCollections(true))
	seen := 0
	return s.walk(ctx, cursor, err, database, func(raw bson.Raw) error {
		name, _ := raw.Lookup("name").StringValueOK()
		n := connectors.Node{ID: pathid.Join(pathid.Join("", database), name), Name: name, Kind: "collection", Branch: true, Views: []connectors.View{connectors.ViewRows}}
		switch kind := text(raw, "type"); kind {
		case "view":
			n.Kind, n.Branch = kind, false
		case "timeseries":
			n.Facts = append(n.Facts, connectors.Fact{Label: "Type", Text: "time series"})
		}
		if seen++; seen <= counted && n.Kind == "collection" {
			if err := s.count(ctx, db.Collection(name), &n); err != nil {
				return err
			}
		}
		if !yield(n, nil) {
			return errStopped
		}
		return nil
	})
}

// count reads the number of documents from the collection's statistics, which takes
// the right to read it.
func (s *session) count(ctx context.Context, c *mongo.Collection, n *connectors.Node) error {
	count, err := c.EstimatedDocumentCount(ctx)
	err = s.refused(ctx, err, n.Name, connectors.StageData)
	e := connectors.Classify(err)
	switch {
	case err == nil:
		n.Access = connectors.AccessReadable
		n.Facts = append(n.Facts, connectors.Fact{Label: "Documents", Text: "about " + strconv.FormatInt(count, 10)})
	case ctx.Err() != nil:
		return err
	case e.Code == connectors.Denied:
		n.Access, n.Views, n.Branch = connectors.AccessListed, nil, false
	}
	return nil // a count that cannot be had is no reason to end the listing
}

func (s *session) indexes(ctx context.Context, database, collection string, yield func(connectors.Node, error) bool) error {
	cursor, err := s.client.Database(database).Collection(collection).Indexes().List(ctx)
	parent := pathid.Join(pathid.Join("", database), collection)
	return s.walk(ctx, cursor, err, database+"."+collection, func(raw bson.Raw) error {
		name, _ := raw.Lookup("name").StringValueOK()
		n := connectors.Node{ID: pathid.Join(parent, name), Name: name, Kind: "index"}
		if key, ok := raw.Lookup("key").DocumentOK(); ok {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Keys", Text: keys(key)})
		}
		for _, flag := range []string{"unique", "sparse", "hidden"} {
			if on, _ := raw.Lookup(flag).BooleanOK(); on {
				n.Facts = append(n.Facts, connectors.Fact{Label: strings.ToUpper(flag[:1]) + flag[1:], Text: "yes"})
			}
		}
		if after, ok := raw.Lookup("expireAfterSeconds").AsInt64OK(); ok {
			n.Facts = append(n.Facts, connectors.Fact{Label: "Deletes documents after", Text: strconv.FormatInt(after, 10) + " seconds"})
		}
		if !yield(n, nil) {
			return errStopped
		}
		return nil
	})
}

// keys are the fields of an index: "customer, at (descending)".
func keys(key bson.Raw) string {
	elements, err := key.Elements()
	if err != nil {
		return ""
	}
	var out []string
	for _, e := range elements {
		name := connectors.Clean(e.Key(), 100)
		if kind, ok := e.Value().StringValueOK(); ok {
			name += " (" + connectors.Clean(kind, 20) + ")"
		} else if n, ok := e.Value().AsInt64OK(); ok && n < 0 {
			name += " (descending)"
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}
