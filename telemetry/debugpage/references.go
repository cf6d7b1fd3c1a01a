package debugpage

import (
	"cmp"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reference is the name or the id of something that a statement belongs to.
type reference struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// referencesOf lists the names and ids by which a statement is found elsewhere: in logs, traces and
// the workspace. Unknown ones are left out.
func referencesOf(s *telemetry.Statement) []reference {
	all := []reference{
		{"warehouse", s.WarehouseID},
		{"session began in", format.JoinKnown(".", s.InitialCatalog, s.InitialSchema)},
		{"server", s.Server},
		{"workspace", s.WorkspaceID},
		{"session", s.SessionID},
		{"correlation id", s.CorrelationID},
	}
	if s.TraceID != [16]byte{} {
		all = append(all, reference{"trace", hex.EncodeToString(s.TraceID[:])}, reference{"span", hex.EncodeToString(s.SpanID[:])})
	}
	if s.Connector != 0 {
		all = append(all, reference{"connector", strconv.FormatInt(s.Connector, 10)})
	}
	for _, key := range slices.Sorted(maps.Keys(s.QueryTags)) {
		all = append(all, reference{"query tag " + key, cmp.Or(s.QueryTags[key], "(empty)")})
	}
	for _, a := range s.Attributes {
		all = append(all, reference{a.Key, a.Value.String()})
	}
	return slices.DeleteFunc(all, func(r reference) bool { return r.Value == "" })
}
