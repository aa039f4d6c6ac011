package web

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/bodyx"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/jwtx"
)

// tokenBytes bounds the answer in which a token stands.
const tokenBytes = 64 << 10

// token takes apart the signed token that a service makes for somebody. What is
// shown opens nothing: the signature is left out.
func (s *session) token(ctx context.Context, at place) (jwtx.Decoded, error) {
	res, err := s.bytes(ctx, at, tokenBytes)
	if err != nil {
		return jwtx.Decoded{}, err
	}
	text := string(res.Body)
	if v, _, err := bodyx.Parse(res.Header.Get("Content-Type"), res.Body); err == nil {
		text = jsonx.Text(v, at.content.Token)
	}
	return jwtx.Decode(text)
}

func (s *session) tokenSample(ctx context.Context, at place, max int) (connectors.Sample, error) {
	d, err := s.token(ctx, at)
	if err != nil {
		return connectors.Sample{}, err
	}
	data := []byte(`{"header": ` + d.Header + `, "payload": ` + d.Payload + `}`)
	cut := data[:min(len(data), max)]
	return connectors.Sample{MediaType: jsonType, Data: cut, Size: int64(len(data)), Truncated: len(cut) < len(data)}, nil
}

// tokenTable shows a token's claims.
func (s *session) tokenTable(ctx context.Context, at place) (*connectors.Table, error) {
	d, err := s.token(ctx, at)
	if err != nil {
		return nil, err
	}
	v, err := jsonx.Parse([]byte(d.Payload))
	if err != nil {
		return nil, err
	}
	o, _ := v.(*jsonx.Object)
	if o == nil {
		return &connectors.Table{}, nil
	}
	return jsonx.Members(o), nil
}
