package driverwrap

import (
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// traceparent is the tag of a statement's span, named as in W3C trace context.
const traceparent = "traceparent"

// tagTrace returns a context that adds the statement's span to its query tags, if Settings.TraceTags
// is set.
//
// Tags that the application gave the statement are kept, its own traceparent included. A statement's
// tags replace those of its session, so a statement without tags gets the session's, too. If the
// session's tags are not known, no tag is added to such a statement.
func (s *session) tagTrace(ctx context.Context, traceID [16]byte, spanID [8]byte) context.Context {
	if !s.settings.TraceTags || traceID == [16]byte{} {
		return ctx
	}
	tags := driverctx.QueryTagsFromContext(ctx)
	if len(tags) == 0 {
		if s.sessionTags.unknown || s.tagsSet.Load() {
			return ctx
		}
		tags = s.sessionTags.tags
	}
	for key := range tags {
		if strings.EqualFold(key, traceparent) {
			return ctx
		}
	}
	tagged := make(map[string]string, len(tags)+1)
	maps.Copy(tagged, tags)
	tagged[traceparent] = fmt.Sprintf("00-%x-%x-01", traceID, spanID) // 01: sampled, because only sampled spans have ids here
	return driverctx.NewContextWithQueryTags(ctx, tagged)
}

// noteTags notes a statement that changes the tags of the session.
func (s *session) noteTags(query string) {
	if s.settings.TraceTags && setsQueryTags(query) {
		s.tagsSet.Store(true)
	}
}

// setsQueryTags reports whether a statement changes the query tags of its session.
func setsQueryTags(query string) bool {
	scanner := scannerAtLead(query)
	return strings.EqualFold(scanner.Next().Text, "SET") &&
		strings.EqualFold(strings.Trim(scanner.Next().Text, "`"), "QUERY_TAGS")
}

// sessionTags are the query tags that the sessions of a connector begin with.
type sessionTags struct {
	tags    map[string]string
	unknown bool // the sessions may have tags that cannot be passed to a statement unchanged
}

// sessionTagsOf reads the tags from a connector's configuration. The connector of another driver has
// none.
func sessionTagsOf(native driver.Connector) (read *sessionTags) {
	read = &sessionTags{unknown: true}
	defer contain.Process.Recover(contain.Statement)
	v := reflect.ValueOf(native)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() || v.Type().PkgPath() != nativePackage {
		return &sessionTags{}
	}
	parameters := field(field(v, "cfg"), "SessionParams")
	if parameters.Kind() != reflect.Map || parameters.Type().Key().Kind() != reflect.String || parameters.Type().Elem().Kind() != reflect.String {
		return read
	}
	var found []string
	for i := parameters.MapRange(); i.Next(); {
		if value := i.Value().String(); value != "" && strings.EqualFold(i.Key().String(), "QUERY_TAGS") {
			found = append(found, value)
		}
	}
	switch len(found) {
	case 0:
		return &sessionTags{}
	case 1:
		if tags, ok := parseTags(found[0]); ok {
			return &sessionTags{tags: tags}
		}
	}
	return read
}

// parseTags reads tags as dbsql.SerializeQueryTags writes them: key:value,key,… with a backslash
// before each character that would end a key or a value. It reports false for a text that
// SerializeQueryTags would not write.
func parseTags(serialized string) (tags map[string]string, ok bool) {
	tags = map[string]string{}
	var texts [2]strings.Builder // key, value
	at := 0
	add := func() {
		tags[texts[0].String()] = texts[1].String()
		texts[0].Reset()
		texts[1].Reset()
		at = 0
	}
	for i := 0; i < len(serialized); i++ {
		switch c := serialized[i]; {
		case c == ',':
			add()
		case c == ':':
			at = 1
		case c == '\\' && i+1 < len(serialized):
			i++
			texts[at].WriteByte(serialized[i])
		default:
			texts[at].WriteByte(c)
		}
	}
	add()
	return tags, slices.Equal(pairs(dbsql.SerializeQueryTags(tags)), pairs(serialized))
}

// pairs are the parts of serialized tags, sorted.
func pairs(serialized string) []string {
	return slices.Sorted(strings.SplitSeq(serialized, ","))
}
