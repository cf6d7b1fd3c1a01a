package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newDatabase(t testing.TB) *Database {
	t.Helper()
	d, err := New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func newSession(t testing.TB, d *Database) *Session {
	t.Helper()
	s, err := d.NewSession("", "", nil)
	require.NoError(t, err)
	return s
}

func run1(t testing.TB, s *Session, sql string, params ...Param) *Result {
	t.Helper()
	res, err := s.Execute(context.Background(), sql, params)
	require.NoError(t, err, sql)
	return res
}

// fails runs a statement that must fail with the class.
func fails(t testing.TB, s *Session, class, sql string, params ...Param) *Error {
	t.Helper()
	_, err := s.Execute(context.Background(), sql, params)
	require.Error(t, err, sql)
	var own *Error
	require.ErrorAs(t, err, &own, sql)
	require.Equal(t, class, own.Class, "%s\n%s", sql, own.Message)
	require.True(t, strings.HasPrefix(own.Message, "["+class+"]"), own.Message)
	return own
}

// cells renders a result, one string per row.
func cells(res *Result) []string {
	var out []string
	for r := range res.Rows {
		var row []string
		for i := range res.Columns {
			row = append(row, cell(&res.Columns[i], r))
		}
		out = append(out, strings.Join(row, "|"))
	}
	return out
}

func cell(c *Column, r int) string {
	if c.Type.ID == Void || c.Nulls != nil && c.Nulls[r] {
		return "NULL"
	}
	switch c.Type.ID {
	case Boolean:
		return fmt.Sprint(c.Bools[r])
	case Date:
		return formatDate(c.Ints[r])
	case Timestamp:
		return formatTimestamp(c.Ints[r], time.UTC)
	case TinyInt, SmallInt, Int, BigInt:
		return fmt.Sprint(c.Ints[r])
	case Float, Double:
		return formatFloat(c.Floats[r], c.Type)
	case Array, Map, Struct:
		return formatNested(c.Nested[r], c.Type, time.UTC)
	case Binary:
		return fmt.Sprintf("%X", c.Bytes[r])
	}
	return c.Strings[r]
}

func typesOf(res *Result) string {
	var out []string
	for _, c := range res.Columns {
		out = append(out, c.Type.String())
	}
	return strings.Join(out, "|")
}

func headers(res *Result) string {
	var out []string
	for _, c := range res.Columns {
		out = append(out, c.Name)
	}
	return strings.Join(out, "|")
}

func text(s string) *string { return &s }
