package driverwrap

import (
	"database/sql/driver"
	"strings"
	"testing"
	"unsafe"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestSessionTagsAreThoseOfTheConfiguration(t *testing.T) {
	build := func(opts ...dbsql.ConnOption) driver.Connector {
		c, err := dbsql.NewConnector(append([]dbsql.ConnOption{dbsql.WithServerHostname("host.example"), dbsql.WithPort(443), dbsql.WithAccessToken("t")}, opts...)...)
		require.NoError(t, err)
		return c
	}
	parse := func(dsn string) driver.Connector {
		native, err := nativeDriver()
		require.NoError(t, err)
		c, err := native.OpenConnector("token:t@host.example:443/sql/1.0/warehouses/w?" + dsn)
		require.NoError(t, err)
		return c
	}
	for name, test := range map[string]struct {
		native driver.Connector
		want   sessionTags
	}{
		"none":                 {build(), sessionTags{}},
		"an option":            {build(dbsql.WithQueryTags(map[string]string{"team": "a:b,c\\", "x": ""})), sessionTags{tags: map[string]string{"team": "a:b,c\\", "x": ""}}},
		"session parameters":   {build(dbsql.WithSessionParams(map[string]string{"query_tags": "team:data", "ansi_mode": "true"})), sessionTags{tags: map[string]string{"team": "data"}}},
		"a DSN":                {parse("query_tags=team%3Adata"), sessionTags{tags: map[string]string{"team": "data"}}},
		"empty":                {build(dbsql.WithSessionParams(map[string]string{"query_tags": ""})), sessionTags{}},
		"no tags in a DSN":     {parse("ansi_mode=true"), sessionTags{}},
		"given twice":          {build(dbsql.WithSessionParams(map[string]string{"query_tags": "a:b", "QUERY_TAGS": "c:d"})), sessionTags{unknown: true}},
		"a key with a colon":   {build(dbsql.WithSessionParams(map[string]string{"query_tags": `a\:b:c`})), sessionTags{unknown: true}},
		"another driver's":     {foreignConnector{}, sessionTags{}},
		"a pointer to nothing": {(*foreignConnector)(nil), sessionTags{}},
		"nothing":              {nil, sessionTags{}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, *sessionTagsOf(test.native)) })
	}
}

// A statement's tags replace those of its session.
func TestTagsOfASessionThatCannotBeReadAreNotReplaced(t *testing.T) {
	for _, unknown := range []bool{true, false} {
		s := &session{recorder: &recorder{settings: telemetry.Settings{TraceTags: true}, sessionTags: &sessionTags{unknown: unknown}}}
		ctx := s.tagTrace(t.Context(), [16]byte{1}, [8]byte{2})
		require.Equal(t, unknown, len(driverctx.QueryTagsFromContext(ctx)) == 0)
	}
}

type foreignConnector struct{ driver.Connector }

// FuzzParseTags: tags that are read are written by the driver as they were, in whatever order.
func FuzzParseTags(f *testing.F) {
	f.Add("team:data,app:etl", "k", "v")
	f.Add(`a:b\:c\,d\\,e`, `k\`, ":,\\")
	f.Add(`\`, "", "")
	f.Add("a,a:b,,:", "a,b", "c")
	f.Add("a::b", "0:", "0")
	f.Fuzz(func(t *testing.T, serialized, key, value string) {
		if tags, ok := parseTags(serialized); ok {
			require.ElementsMatch(t, strings.Split(serialized, ","), strings.Split(dbsql.SerializeQueryTags(tags), ","))
		}
		tags := map[string]string{key: value, "team": "data"}
		got, ok := parseTags(dbsql.SerializeQueryTags(tags))
		if ambiguous := strings.ContainsAny(key, ",:"); !ambiguous {
			require.True(t, ok)
			require.Equal(t, tags, got)
		}
	})
}

func TestABoundedTextDoesNotKeepALongOneInMemory(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	kept := sqltext.Bounded(long, maxTagBytes)
	require.Len(t, kept, maxTagBytes)
	require.NotSame(t, unsafe.StringData(long), unsafe.StringData(kept))
}
