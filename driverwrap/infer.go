package driverwrap

import (
	"database/sql/driver"
	"reflect"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// inference reads what native rows know about their result, for connectors whose wire is not read. It
// uses reflection, and only on the type that it was written for. Where a field is not as expected,
// the fact stays unknown.
type inference struct {
	rows          reflect.Value // the native struct
	initialChunks int64         // counted before the first page came; -1 where unknown
}

// infer returns an inference for rows that the driver has just returned, or nil for rows of another
// type.
func infer(rows driver.Rows) (i *inference) {
	defer contain.Process.Recover(contain.Statement)
	v := reflect.ValueOf(rows)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return
	}
	v = v.Elem()
	if t := v.Type(); t.PkgPath() != nativePackage+"/internal/rows" || t.Name() != "rows" {
		return
	}
	// The driver also counts a chunk when direct results have a status but no rows.
	scanner, chunks := field(v, "RowScanner"), field(v, "chunkCount")
	if !chunks.IsValid() || !chunks.CanInt() || scanner.Kind() != reflect.Interface {
		return &inference{rows: v, initialChunks: -1}
	}
	if scanner.IsNil() {
		return &inference{rows: v, initialChunks: chunks.Int()}
	}
	return &inference{rows: v}
}

// result returns what the rows know by now. Call it before the rows are closed. The rows count a page
// when a row is read from it: empty pages, and pages that Arrow readers fetch, are not counted.
func (i *inference) result(rowsRead bool) (r telemetry.Result) {
	defer contain.Process.Recover(contain.Statement)
	var inferred telemetry.Result
	metadata := field(i.rows, "resultSetMetadata")
	if n := field(metadata, "ResultFormat"); n.IsValid() && n.CanInt() {
		inferred.Format = inferredFormats[n.Int()]
	}
	if b := field(metadata, "Lz4Compressed"); b.Kind() == reflect.Bool {
		inferred.Compressed = telemetry.Known(b.Bool())
	}
	if n := field(i.rows, "chunkCount"); rowsRead && i.initialChunks >= 0 && n.IsValid() && n.CanInt() {
		inferred.Pages = telemetry.Known(n.Int() - i.initialChunks)
	}
	if inferred == (telemetry.Result{}) {
		return
	}
	inferred.Evidence = telemetry.EvidenceInferred
	return inferred
}

// inferredFormats are Thrift's numbers (TSparkRowSetType).
var inferredFormats = map[int64]telemetry.ResultFormat{
	0: telemetry.FormatInlineArrow,
	1: telemetry.FormatColumnarInline,
	2: telemetry.FormatInlineJSON,
	3: telemetry.FormatExternalLinks,
}

// field returns a field of a struct, dereferenced if it is a pointer. It returns the zero Value if
// there is no such field or the pointer is nil.
func field(v reflect.Value, name string) reflect.Value {
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	f := v.FieldByName(name)
	for f.Kind() == reflect.Pointer {
		f = f.Elem() // the zero Value for nil
	}
	return f
}
