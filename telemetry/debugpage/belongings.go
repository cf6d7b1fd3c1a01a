package debugpage

import (
	"cmp"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// belonging is something that a statement belongs to.
type belonging struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// belongingsOf lists what joins a statement to everything else, without what is unknown.
func belongingsOf(s *telemetry.Statement) []belonging {
	all := []belonging{
		{"warehouse", s.WarehouseID},
		{"session began in", joinKnown(".", s.InitialCatalog, s.InitialSchema)},
		{"server", s.Server},
		{"workspace", s.WorkspaceID},
		{"session", s.SessionID},
		{"correlation id", s.CorrelationID},
	}
	if s.TraceID != [16]byte{} {
		all = append(all, belonging{"trace", hex.EncodeToString(s.TraceID[:])}, belonging{"span", hex.EncodeToString(s.SpanID[:])})
	}
	if s.Connector != 0 {
		all = append(all, belonging{"connector", strconv.FormatInt(s.Connector, 10)})
	}
	for _, key := range slices.Sorted(maps.Keys(s.QueryTags)) {
		all = append(all, belonging{"query tag " + key, cmp.Or(s.QueryTags[key], "(empty)")})
	}
	for _, a := range s.Attributes {
		all = append(all, belonging{a.Key, a.Value.String()})
	}
	return slices.DeleteFunc(all, func(b belonging) bool { return b.Value == "" })
}

func joinKnown(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(t string) bool { return t == "" }), separator)
}
