package driverwrap

import (
	"database/sql/driver"
	"reflect"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// inference watches native rows for what they know about their result, for connectors whose
// wire we cannot read. It only reads, through reflection, and only from the type it was
// written for: anything it does not find as expected stays unknown.
type inference struct {
	rows    reflect.Value // the native struct
	phantom int64         // chunks counted before the first page came
}

// infer begins to watch rows that the driver just returned; nil when they are of another type.
func infer(rows driver.Rows) (i *inference) {
	defer contain.Process.Recover(contain.Statement)
	v := reflect.ValueOf(rows)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return
	}
	v = v.Elem()
	if t := v.Type(); t.PkgPath() != "github.com/databricks/databricks-sql-go/internal/rows" || t.Name() != "rows" {
		return
	}
	// The driver counts a chunk when direct results bring a status without rows, too.
	scanner, chunks := follow(v, "RowScanner"), follow(v, "chunkCount")
	if !chunks.IsValid() || !chunks.CanInt() || scanner.Kind() != reflect.Interface {
		return &inference{rows: v, phantom: -1}
	}
	if scanner.IsNil() {
		return &inference{rows: v, phantom: chunks.Int()}
	}
	return &inference{rows: v}
}

// result says what the rows know by now. Call it before they are closed. The rows count
// pages only as rows are read from them: empty pages, and those Arrow readers fetch, are not
// in their count.
func (i *inference) result(rowsRead bool) (r telemetry.Result) {
	defer contain.Process.Recover(contain.Statement)
	var inferred telemetry.Result
	metadata := follow(i.rows, "resultSetMetadata")
	if n := follow(metadata, "ResultFormat"); n.IsValid() && n.CanInt() {
		inferred.Format = inferredFormats[n.Int()]
	}
	if b := follow(metadata, "Lz4Compressed"); b.Kind() == reflect.Bool {
		inferred.Compressed = telemetry.Known(b.Bool())
	}
	if n := follow(i.rows, "chunkCount"); rowsRead && i.phantom >= 0 && n.IsValid() && n.CanInt() {
		inferred.Pages = telemetry.Known(n.Int() - i.phantom)
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

// follow returns a field, through its pointer where it is one; the zero Value when there is
// no such field or the pointer is nil.
func follow(v reflect.Value, field string) reflect.Value {
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	f := v.FieldByName(field)
	for f.Kind() == reflect.Pointer {
		f = f.Elem() // the zero Value for nil
	}
	return f
}
