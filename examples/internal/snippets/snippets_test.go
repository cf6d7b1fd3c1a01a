// Package snippets compiles and runs the Go code in README, docs and doc comments, as a reader
// would who pastes it into a program.
package snippets

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

const repository = "../../.."

// snippet is a piece of Go code in a text.
type snippet struct {
	where string // file and line
	code  string
}

func TestEverySnippetRuns(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	var programs, fragments []snippet
	for _, s := range append(inMarkdown(t), inComments(t)...) {
		switch {
		case strings.HasPrefix(s.code, "package main\n"):
			programs = append(programs, s)
		case strings.HasPrefix(s.code, "package "): // a test file: see integration/conformance/guide
		default:
			fragments = append(fragments, s)
		}
	}
	require.NotEmpty(t, fragments)

	// All fragments are one program: each a file with a function of its own.
	dir, err := os.MkdirTemp(".", "program") //nolint:usetesting // in this module, for its dependencies
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var calls strings.Builder
	for i, s := range fragments {
		file, err := wrap(s, fmt.Sprintf("fragment%d", i))
		require.NoError(t, err, "%s:\n%s", s.where, s.code)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("fragment%d.go", i)), file, 0o644))
		fmt.Fprintf(&calls, "\tprintln(%q)\n\tfragment%d()\n", s.where, i)
	}
	main := "package main\n\nfunc main() {\n" + calls.String() + "}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(main), 0o644))
	run(t, ws, dir)
	for i, s := range programs {
		folder := filepath.Join(dir, fmt.Sprintf("whole%d", i))
		require.NoError(t, os.Mkdir(folder, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(s.code), 0o644))
		run(t, ws, folder)
	}
	t.Logf("%d programs, %d fragments", len(programs), len(fragments))
}

// run runs a program; the line of a text that the compiler or the program complains of is in what
// it prints.
func run(t *testing.T, ws *workspace.Workspace, folder string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "run", "-ldflags=-w", "./"+folder)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "DATABRICKS_DSN="+ws.DSN(), "OUT="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

var fence = regexp.MustCompile("(?ms)^```go([^\n]*)\n(.*?)^```$")

// inMarkdown are the fences of all Markdown files that begin with "```go". None is left out: one
// that cannot run would have to say so to its readers first.
func inMarkdown(t *testing.T) (found []snippet) {
	t.Helper()
	for _, file := range files(t, ".md") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, at := range fence.FindAllSubmatchIndex(text, -1) {
			line := 2 + bytes.Count(text[:at[0]], []byte("\n"))
			where := fmt.Sprintf("%s:%d", relative(file), line)
			require.Empty(t, string(text[at[2]:at[3]]), "%s: nothing stands behind ```go", where)
			found = append(found, snippet{where, string(text[at[4]:at[5]])})
		}
	}
	return found
}

// looksLikeGo tells the code of doc comments from their diagrams and sample outputs.
var looksLikeGo = regexp.MustCompile(`^(import |[\w.]+\(|[\w, ]+:= |defer )`)

// inComments are the indented blocks of doc comments of packages that others can import.
func inComments(t *testing.T) (found []snippet) {
	t.Helper()
	for _, file := range files(t, ".go") {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "internal/") || strings.Contains(file, "/examples/") {
			continue
		}
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, group := range parsed.Comments {
			var p comment.Parser
			for _, block := range p.Parse(group.Text()).Content {
				code, ok := block.(*comment.Code)
				if ok && looksLikeGo.MatchString(code.Text) && !strings.ContainsAny(code.Text, "─│▶") {
					found = append(found, snippet{fmt.Sprintf("%s:%d", relative(file), positions.Position(group.Pos()).Line), code.Text})
				}
			}
		}
	}
	return found
}

func relative(file string) string {
	name, _ := filepath.Rel(repository, file)
	return filepath.ToSlash(name)
}

func files(t *testing.T, extension string) (found []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "bin" || strings.HasPrefix(d.Name(), ".git")):
			return fs.SkipDir
		case filepath.Ext(path) == extension:
			found = append(found, path)
		}
		return nil
	}))
	return found
}

// wrap makes a Go file of a fragment. Its import declarations go to the top; each of its paragraphs
// becomes a block; the names in given that it uses and does not declare are declared in front; what
// it declares counts as used, and so does a value that stands alone. Packages are imported by their
// names.
func wrap(s snippet, function string) ([]byte, error) {
	body, imports, err := wrapParagraphs(strings.Split(s.code, "\n\n"))
	if err != nil { // a statement goes over an empty line
		body, imports, err = wrapParagraphs([]string{s.code})
	}
	if err != nil {
		return nil, err
	}
	var file strings.Builder
	file.WriteString("package main\n\n")
	for _, spec := range slices.Sorted(maps.Keys(imports)) {
		file.WriteString("import " + spec + "\n")
	}
	fmt.Fprintf(&file, "\n//line %s\nfunc %s() {\n%s}\n", s.where, function, body)
	return format.Source([]byte(file.String()))
}

func wrapParagraphs(paragraphs []string) (body string, imports map[string]bool, err error) {
	imports = map[string]bool{}
	for _, paragraph := range paragraphs {
		var statements strings.Builder
		for line := range strings.Lines(paragraph) {
			if spec, ok := strings.CutPrefix(line, "import "); ok {
				spec, _, _ = strings.Cut(spec, " //")
				imports[strings.TrimSpace(spec)] = true
				continue
			}
			statements.WriteString(line)
		}
		block, err := wrapParagraph(statements.String(), imports)
		if err != nil {
			return "", nil, err
		}
		body += block
	}
	return body, imports, nil
}

func wrapParagraph(statements string, imports map[string]bool) (string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc _() {\n"+statements+"\n}\n", 0)
	if err != nil {
		return "", err
	}
	declared := map[string]bool{}
	used := map[string]bool{}
	var alone []ast.Node
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ExprStmt:
			if _, ok := n.X.(*ast.CallExpr); !ok {
				alone = append(alone, n)
			}
		case *ast.Ident:
			used[n.Name] = true
		}
		return true
	})
	for _, statement := range parsed.Decls[0].(*ast.FuncDecl).Body.List {
		if define, ok := statement.(*ast.AssignStmt); ok && define.Tok == token.DEFINE {
			for _, name := range define.Lhs {
				declared[name.(*ast.Ident).Name] = true
			}
		}
	}
	const header = len("package p\nfunc _() {\n")
	for _, n := range slices.Backward(alone) {
		at := int(n.Pos()) - 1 - header
		statements = statements[:at] + "_ = " + statements[at:]
	}
	var block strings.Builder
	block.WriteString("{\n")
	for _, g := range given {
		if used[g.name] && !declared[g.name] {
			block.WriteString(g.declaration + "\n_ = " + g.name + "\n")
			for _, name := range g.packages {
				used[name] = true
			}
		}
	}
	block.WriteString(statements + "\n")
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if name != "_" {
			block.WriteString("_ = " + name + "\n")
		}
	}
	block.WriteString("}\n")
	for name, path := range packages {
		if used[name] {
			imports[fmt.Sprintf("%s %q", name, path)] = true
		}
	}
	return block.String(), nil
}

// given are the names a fragment may use without declaring them, each with a declaration.
var given = []struct {
	name, declaration string
	packages          []string
}{
	{"ctx", "ctx := context.Background()", []string{"context"}},
	{"dsn", `dsn := os.Getenv("DATABRICKS_DSN")`, []string{"os"}},
	{"db", `db, _ := sql.Open("databricks-telemetry", os.Getenv("DATABRICKS_DSN"))`, []string{"sql", "os"}},
	{"opts", `opts := []dbsql.ConnOption{dbsql.WithServerHostname("example.com"), dbsql.WithHTTPPath("/sql/1.0/warehouses/1"), dbsql.WithAccessToken("x")}`, []string{"dbsql"}},
	{"connector", `connector, _ := driverwrap.Config{}.OpenConnector(os.Getenv("DATABRICKS_DSN"))`, []string{"driverwrap", "os"}},
	{"file", `file, _ := os.Create(os.Getenv("OUT") + "/app.ndjson")`, []string{"os"}},
	{"sink", `sink := ndjson.New(io.Discard)`, []string{"ndjson", "io"}},
	{"admin", `admin := http.NewServeMux()`, []string{"http"}},
	{"mux", `mux := http.NewServeMux()`, []string{"http"}},
	{"tracers", `tracers := trace.NewTracerProvider()`, []string{"trace"}},
	{"meters", `meters := metric.NewMeterProvider()`, []string{"metric"}},
	{"reader", `reader := metric.NewManualReader()`, []string{"metric"}},
}

const own = "github.com/seed-01322ee7/databricks-telemetry/"

// packages are the packages fragments use, by the name they use.
var packages = map[string]string{
	"attribute": "go.opentelemetry.io/otel/attribute", "otel": "go.opentelemetry.io/otel",
	"metric": "go.opentelemetry.io/otel/sdk/metric", "trace": "go.opentelemetry.io/otel/sdk/trace", "instrumentation": "go.opentelemetry.io/otel/sdk/instrumentation",
	"context": "context", "fmt": "fmt", "log": "log", "slog": "log/slog", "http": "net/http", "io": "io", "os": "os", "sql": "database/sql",
	"dbsql":      "github.com/databricks/databricks-sql-go",
	"driverwrap": own + "driverwrap", "telemetry": own + "telemetry", "debugpage": own + "telemetry/debugpage",
	"ndjson": own + "telemetry/ndjson", "otelsink": own + "telemetry/otelsink",
	"workspace": own + "integration/workspace",
}
