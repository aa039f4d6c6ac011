package mongodb

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/pathid"
)

// The bounds of a table.
const (
	maxRows  = 10_000
	maxBytes = 16 << 20
	maxDepth = 100 // as deep as MongoDB itself lets documents be
)

// Table reads the first documents; a column for each field that any of them has.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	parts, ok := pathid.Split(id)
	if !ok || len(parts) != 2 {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: string(id), Said: "choose a collection"}
	}
	limit = min(max(limit, 1), maxRows)
	target := parts[0] + "." + parts[1]
	size := int32(min(limit+1, 500))
	cursor, err := s.client.Database(parts[0]).Collection(parts[1]).Find(ctx, bson.D{}, options.Find().SetLimit(int64(limit)+1).SetBatchSize(size))
	var items []jsonx.Value
	total := 0
	err = s.walk(ctx, cursor, err, target, func(raw bson.Raw) error {
		if total += len(raw); len(items) > 0 && total > maxBytes {
			return errStopped
		}
		items = append(items, object(raw))
		return nil
	})
	cut := errors.Is(err, errStopped)
	if err != nil && !cut {
		return nil, err
	}
	t := jsonx.Table(items, limit)
	t.Truncated = t.Truncated || cut
	return t, nil
}

// object is a document with its fields in order.
func object(raw bson.Raw) *jsonx.Object {
	o := &jsonx.Object{Members: map[string]jsonx.Value{}}
	elements, err := raw.Elements()
	if err != nil {
		return o
	}
	for _, e := range elements {
		key := e.Key()
		if _, twice := o.Members[key]; !twice {
			o.Keys = append(o.Keys, key)
		}
		o.Members[key] = value(e.Value())
	}
	return o
}

// value is a field as a table shows it.
func value(v bson.RawValue) jsonx.Value {
	switch v.Type {
	case bson.TypeNull, bson.TypeUndefined:
		return nil
	case bson.TypeBoolean:
		return v.Boolean()
	case bson.TypeString:
		return v.StringValue()
	case bson.TypeInt32, bson.TypeInt64:
		return json.Number(strconv.FormatInt(v.AsInt64(), 10))
	case bson.TypeDouble:
		if f := v.Double(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
		return fmt.Sprint(v.Double())
	case bson.TypeObjectID:
		return v.ObjectID().Hex()
	case bson.TypeDateTime:
		return time.UnixMilli(v.DateTime()).UTC().Format("2006-01-02 15:04:05.999")
	case bson.TypeDecimal128:
		return v.Decimal128().String()
	case bson.TypeBinary:
		return bytesText(v)
	}
	if deeper(v, maxDepth) {
		return "{… nested too deeply to show}"
	}
	return extended(v)
}

func bytesText(v bson.RawValue) string {
	kind, data := v.Binary()
	if (kind == 3 || kind == 4) && len(data) == 16 {
		text := hex.EncodeToString(data)
		return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
	}
	text := hex.EncodeToString(data[:min(len(data), 64)])
	if len(data) > 64 {
		text += "…"
	}
	return fmt.Sprintf("0x%s (%d bytes)", text, len(data))
}

// extended is a value as relaxed Extended JSON
// (https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/).
func extended(v bson.RawValue) string {
	const before, after = `{"v":`, `}`
	out, err := bson.MarshalExtJSON(bson.D{{Key: "v", Value: v}}, false, false)
	if err != nil {
		return "(cannot be shown)"
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(out), before), after)
}

// deeper reports whether documents and lists lie deeper in each other than most.
func deeper(v bson.RawValue, most int) bool {
	var inside bson.Raw
	switch v.Type {
	case bson.TypeEmbeddedDocument:
		inside = v.Document()
	case bson.TypeArray:
		inside = bson.Raw(v.Array())
	default:
		return false
	}
	if most == 0 {
		return true
	}
	values, err := inside.Values()
	if err != nil {
		return true
	}
	for _, x := range values {
		if deeper(x, most-1) {
			return true
		}
	}
	return false
}
