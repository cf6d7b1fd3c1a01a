package workspace

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStatementTypesAreThoseOfTheHistory(t *testing.T) {
	for sql, want := range map[string]string{
		"select 1": "SELECT", "WITH a AS (SELECT 1) SELECT * FROM a": "SELECT", "((VALUES (1)))": "SELECT",
		"-- SELECT\n/* DELETE */ INSERT INTO t VALUES (1)": "INSERT", "Merge INTO t": "MERGE", "DESC t": "DESCRIBE",
		"": "OTHER", "/* never ends": "OTHER", "-- nothing": "OTHER", "PUT 'a' INTO 'b'": "OTHER", "select": "SELECT", "SELECTED": "OTHER",
	} {
		assert.Equal(t, want, statementType(sql), sql)
	}
}

func FuzzStatementType(f *testing.F) {
	for _, sql := range []string{"", "SELECT 1", "/*", "--", "((", "/**/--\n/*", "\xff", "é"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		word := firstWord(sql)
		assert.Contains(t, sql, word)
		assert.NotEmpty(t, statementType(sql))
	})
}
