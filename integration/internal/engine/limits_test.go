package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sqlite3 "modernc.org/sqlite/lib"
)

func TestLikeInGoIsLikeInSQLite(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"abc", "%a%b%c%", true}, {"abc", "%a%c%b%%", false}, {"a%c", `%%%%a\%c`, true}, {"abc", `%%%%a\%c`, false}, {"", "%%%%%", true}, {"", "%%%%_", false},
		{"aXbXc", "%a_b_c%%%", true}, {"éa", "%%%_a%", true}, {"mississippi", "m%iss%ip%i%", true}, {"mississippi", "%iss%iss%iss%i%", false}, {"ab", "a%%%%b_", false},
	} {
		res := run1(t, s, "SELECT '"+c.text+"' LIKE '"+c.pattern+"', x LIKE p FROM VALUES ('"+c.text+"', r'"+c.pattern+"') v(x, p)")
		want := map[bool]string{true: "true|true", false: "false|false"}[c.want]
		assert.Equal(t, []string{want}, cells(res), "%s LIKE %s", c.text, c.pattern)
	}
}

func FuzzLike(f *testing.F) {
	for _, seed := range [][2]string{{"abc", "%b%"}, {"a%c", `a\%c`}, {"", "%"}, {"éé", "_é"}, {"aaa", "%a%a"}, {`\`, `\\`}, {"x", `x\`}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, pattern string) {
		if strings.Count(pattern, "%") > 3 || len(text)+len(pattern) > 100 || strings.ContainsRune(text+pattern, 0) || text != strings.ToValidUTF8(text, "") || pattern != strings.ToValidUTF8(pattern, "") {
			return // SQLite would take too long, or behaves differently
		}
		s := newSession(t, newDatabase(t))
		quote := func(s string) string {
			return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) + "'"
		}
		answer := func(sql string) string {
			res, err := s.Execute(t.Context(), sql, []Param{{Type: "STRING", Value: &pattern}})
			if refused := new(Error); errors.As(err, &refused) {
				return refused.Message
			}
			require.NoError(t, err)
			return cells(res)[0]
		}
		inSQLite := answer("SELECT x LIKE ? FROM (SELECT " + quote(text) + " AS x)")
		inGo := answer("SELECT " + quote(text) + " LIKE p FROM (SELECT ? AS p)")
		assert.Equal(t, inSQLite, inGo)
	})
}

func TestSQLiteRefusesValuesThatAreTooLong(t *testing.T) {
	c := newDatabase(t).store.writer
	assert.EqualValues(t, 4*maxString, sqlite3.Xsqlite3_limit(c.tls, c.db, sqlite3.SQLITE_LIMIT_LENGTH, -1), "a negative limit asks for the present one")
}

func TestNoStatementHangsOrTakesTooMuch(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for sql, class := range map[string]string{
		"SELECT length(array_join(array_repeat(repeat('x', 10000), 1000000), ''))":                      "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION",
		"SELECT size(collect_list(repeat('x', 1000000))) FROM range(80)":                                "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION",
		"SELECT format_string('%99999999d', 1)":                                                         "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION",
		"SELECT flatten(array_repeat(sequence(1, 1000), 1000000))":                                      "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION",
		"SELECT array(1)" + strings.Repeat("[0]", 5000):                                                 "FAILED_TO_PARSE_TOO_COMPLEX",
		"SELECT 1" + strings.Repeat("::INT", 5000):                                                      "FAILED_TO_PARSE_TOO_COMPLEX",
		"SELECT " + strings.Repeat("array(", 200) + strings.Repeat(")", 200):                            "FAILED_TO_PARSE_TOO_COMPLEX",
		"SELECT CAST(NULL AS " + strings.Repeat("ARRAY<", 200) + "INT" + strings.Repeat(">", 200) + ")": "FAILED_TO_PARSE_TOO_COMPLEX",
	} {
		t.Run(sql[:min(len(sql), 60)], func(t *testing.T) { fails(t, s, class, sql) })
	}
	for _, sql := range []string{
		"SELECT repeat('a', 60) LIKE concat(repeat('%a', 30), '%b')",
		"SELECT repeat('a', 60) LIKE '" + strings.Repeat("%a", 30) + "b'",
	} {
		assert.Equal(t, []string{"false"}, cells(run1(t, s, sql)), sql)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := s.Execute(ctx, "SELECT "+strings.Repeat("1+", 40_000)+"1", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded, "analysis ends with its context, too")
}
