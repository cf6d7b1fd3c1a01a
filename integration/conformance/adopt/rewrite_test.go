package adopt

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
)

const (
	nativePath  = "github.com/databricks/databricks-sql-go"
	wrappedPath = "github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	nativeName  = "databricks"
)

// edit puts text in place of the bytes [from, to) of a source.
type edit struct {
	from, to int
	text     string
}

var errNothingToAdopt = errors.New("the program opens no database with the native driver")

// adopt rewrites a program the way the README says and touches nothing else: the driver's
// name where the program is on a DSN, the package of NewConnector where it is on options, and
// the import. It returns the number of places it changed.
func adopt(source []byte) (adopted []byte, changes int, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "main.go", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, 0, err
	}
	native := importOf(file, nativePath)
	if native == nil {
		return nil, 0, errNothingToAdopt
	}
	local := "dbsql" // the package's own name
	if native.Name != nil {
		local = native.Name.Name
	}

	var edits []edit
	replace := func(n ast.Node, text string) {
		edits = append(edits, edit{files.Position(n.Pos()).Offset, files.Position(n.End()).Offset, text})
	}
	connects := false
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch pkg, name := selected(call.Fun); {
		case pkg != nil && pkg.Name == local && name == "NewConnector":
			replace(pkg, "driverwrap")
			connects = true
		case pkg != nil && pkg.Name == "sql" && name == "Open" && isText(call.Args[0], nativeName):
			replace(call.Args[0], strconv.Quote(driverwrap.Name))
		}
		return true
	})
	switch {
	case len(edits) == 0:
		return nil, 0, errNothingToAdopt
	case local == "_":
		replace(native.Path, strconv.Quote(wrappedPath))
	default: // the program goes on using the native package, for its options
		name := "_ "
		if connects {
			name = ""
		}
		at := files.Position(native.End()).Offset
		edits = append(edits, edit{at, at, "\n\t" + name + strconv.Quote(wrappedPath)})
	}

	slices.SortFunc(edits, func(a, b edit) int { return b.from - a.from }) // from the end, so that offsets hold
	adopted = slices.Clone(source)
	for _, e := range edits {
		adopted = slices.Replace(adopted, e.from, e.to, []byte(e.text)...)
	}
	return adopted, len(edits), nil
}

func importOf(file *ast.File, path string) *ast.ImportSpec {
	for _, spec := range file.Imports {
		if isText(spec.Path, path) {
			return spec
		}
	}
	return nil
}

// selected splits pkg.Name; the package is nil for any other expression.
func selected(x ast.Expr) (pkg *ast.Ident, name string) {
	s, ok := x.(*ast.SelectorExpr)
	if !ok {
		return nil, ""
	}
	pkg, _ = s.X.(*ast.Ident)
	return pkg, s.Sel.Name
}

func isText(x ast.Expr, text string) bool {
	l, ok := x.(*ast.BasicLit)
	return ok && l.Kind == token.STRING && l.Value == strconv.Quote(text)
}

func TestAdoptionChangesImportAndNameOnly(t *testing.T) {
	for name, c := range map[string]struct{ native, adopted string }{
		"a program on a DSN": {
			native: `package main

import (
	"database/sql"

	_ "github.com/databricks/databricks-sql-go"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("databricks", dsn) } // databricks
`,
			adopted: `package main

import (
	"database/sql"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("databricks-telemetry", dsn) } // databricks
`,
		},
		"a program on options": {
			native: `package main

import (
	dbsql "github.com/databricks/databricks-sql-go"
)

func connect() { _, _ = dbsql.NewConnector(dbsql.WithPort(443)) }
`,
			adopted: `package main

import (
	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
)

func connect() { _, _ = driverwrap.NewConnector(dbsql.WithPort(443)) }
`,
		},
		"a program on a DSN that uses the native package, too": {
			native: `package main

import (
	"github.com/databricks/databricks-sql-go"
)

var _, _ = sql.Open("databricks", dsn)
var _ = dbsql.Parameter{}
`,
			adopted: `package main

import (
	"github.com/databricks/databricks-sql-go"
	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap"
)

var _, _ = sql.Open("databricks-telemetry", dsn)
var _ = dbsql.Parameter{}
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, changes, err := adopt([]byte(c.native))
			require.NoError(t, err)
			require.Equal(t, c.adopted, string(got))
			require.Equal(t, 2, changes)
		})
	}
}

func TestAProgramThatOpensNothingIsNotAdopted(t *testing.T) {
	for _, source := range []string{
		"package main\n",
		"package main\n\nimport _ \"github.com/databricks/databricks-sql-go\"\n\nvar _, _ = sql.Open(\"postgres\", dsn)\n",
	} {
		_, _, err := adopt([]byte(source))
		require.ErrorIs(t, err, errNothingToAdopt)
	}
}
