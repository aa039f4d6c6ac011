package ldap

import (
	"context"
	"slices"

	"jackfield/connectors"
)

// Choices are the naming contexts of the root DSE (RFC 4512 section 5.1), the one
// to begin at first.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "base_dn" {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, ended(ctx, s.door.c.addr())
	}
	names := slices.Concat(s.dse.contexts(s.door.c.atCatalog()), s.dse.texts("namingContexts"))
	if len(names) == 0 {
		return nil, &connectors.Error{Code: connectors.Denied, Reason: "ldap.no_contexts", Op: connectors.StageData, Target: s.door.c.addr(), Field: "base_dn"}
	}
	return connectors.ChoicesFrom(names), nil
}
