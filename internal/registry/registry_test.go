package registry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestEveryFieldIsDescribed(t *testing.T) {
	described(t, registry.StatementFields)
	described(t, registry.StatementExecutedFields)
	described(t, registry.StatementClosedFields)
	described(t, registry.StatementCanceledFields)
	described(t, registry.RPCFields)
	described(t, registry.CallFields)
	described(t, registry.AttemptFields)
	described(t, registry.FileFields)
	described(t, registry.SessionOpenedFields)
	described(t, registry.SessionClosedFields)
	described(t, registry.ServerReportFields)
	described(t, registry.PoolSampleFields)
	described(t, registry.EventFields)
	described(t, registry.ConnectionFields)
	described(t, registry.ProcessFields)
}

func described[R any](t *testing.T, fields []registry.Field[R]) {
	t.Helper()
	names := map[string]bool{}
	for _, f := range fields {
		require.Regexp(t, `^[a-z][a-z0-9_]*$`, f.Name)
		require.False(t, names[f.Name], "%s is there twice", f.Name)
		names[f.Name] = true
		require.Regexp(t, `\.$`, f.Doc, "%s: the meaning is a sentence", f.Name)
		require.NotContains(t, f.Doc, "|", "%s: the meaning stands in a table", f.Name)
		require.NotEqual(t, registry.ScopeNone, f.Scope, f.Name)
		require.Equal(t, f.Scope&registry.ScopeDatabricks != 0, f.Payload.Path != "", "%s: a path in the payload belongs to the scope", f.Name)
		require.Equal(t, f.Payload.Type == registry.TypeEnum, len(f.Payload.Enum) > 0, "%s: only an enum has names", f.Name)
		if strings.HasSuffix(f.Name, "_ms") {
			require.Equal(t, "ms", f.Unit, f.Name)
		}
	}
	without(t, fields)
}

func TestNothingOfAServerReportLeavesTheProcess(t *testing.T) {
	local(t, registry.ServerReportFields)
}

func TestNothingOfAPoolLeavesTheProcess(t *testing.T) { local(t, registry.PoolSampleFields) }

func local[R any](t *testing.T, fields []registry.Field[R]) {
	t.Helper()
	for _, f := range fields {
		require.Equal(t, registry.ScopeLocal, f.Scope, f.Name)
		require.Zero(t, f.Payload, f.Name)
	}
}

// A fact that is added to a record must get a field, or be listed here with where it is instead.
func TestEveryFactOfARecordHasAField(t *testing.T) {
	require.Equal(t, []string{
		"CloseFailure.SQLState", "CloseFailure.Retryable", "CloseFailure.Message", // only the category is a fact of the statement
		"CloudFetch.Attempts", // files and file_retries
		"CloudFetch.Files",    // FileFields
		"Calls",               // CallFields
	}, without(t, registry.StatementFields))
	require.Equal(t, []string{
		"Failure.Retryable",
		"Driver.DirectResults", "Driver.MetricViewMetadata", "Driver.PoolSize", // ConnectionFields
	}, without(t, registry.SessionOpenedFields))
	require.Equal(t, []string{"Failure.SQLState", "Failure.Retryable"}, without(t, registry.SessionClosedFields))
	require.Empty(t, without(t, registry.ServerReportFields))
	require.Empty(t, without(t, registry.PoolSampleFields))
	require.Empty(t, without(t, registry.RPCFields))
	require.Equal(t, []string{"Retried"}, without(t, registry.CallFields), "AttemptFields")
	require.Equal(t, []string{"Retried"}, without(t, registry.FileFields), "AttemptFields")
	require.Empty(t, without(t, registry.AttemptFields))
}

// without sets every field of a record and returns what is zero then.
func without[R any](t *testing.T, fields []registry.Field[R]) []string {
	t.Helper()
	var record R
	for _, f := range fields {
		if !f.Computed() {
			require.True(t, setAny(&record, f), "%s takes none of the samples", f.Name)
			require.NotZero(t, f.Value(&record), "%s is known once it is set", f.Name)
		}
	}
	return zero(reflect.ValueOf(record), "")
}

// setAny sets a field to the first sample that it takes.
func setAny[R any](record *R, f registry.Field[R]) bool {
	for _, sample := range []string{
		`7`, `true`, `"2026-01-02T03:04:05Z"`, `"0123456789abcdef"`, `"0123456789abcdef0123456789abcdef"`, `"text"`, `{"FetchResults":2}`, `{"team":"data"}`,
	} {
		if f.Set(record, []byte(sample)) == nil {
			return true
		}
	}
	return false
}

// zero lists the fields of a struct that are zero, by path.
func zero(v reflect.Value, path string) (paths []string) {
	for i := range v.NumField() {
		f, name := v.Field(i), path+v.Type().Field(i).Name
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			f = f.Elem()
		}
		switch {
		case f.Kind() == reflect.Struct && f.Type().PkgPath() == v.Type().PkgPath() && !strings.HasPrefix(f.Type().Name(), "Maybe["):
			paths = append(paths, zero(f, name+".")...)
		case f.IsZero():
			paths = append(paths, name)
		}
	}
	return paths
}

func TestCategoriesAreAllThereAre(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../telemetry/category.go", nil, 0)
	require.NoError(t, err)
	var declared []telemetry.Category
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			declared = append(declared, telemetry.Category(value))
		}
		return true
	})
	require.Len(t, declared, len(registry.Categories))
	require.ElementsMatch(t, declared, registry.Categories)
}
