package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is a module with one package and whatever else is in it.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

func TestWhatIsExportedIsListed(t *testing.T) {
	dir := module(t, map[string]string{
		"go.mod": "module m\n",
		"shop/shop.go": `package shop

// Limit is one.
const Limit, hidden = 1, 2

var Default *Shop

type Shop struct {
	Name, Place string
	till int
	*Owner
}

type Seller interface{ Sell(what string,
	n int) error; count() }

type Price float64
type Alias = Price
type List[T any] []T

func Open(name string) (*Shop, error) { return nil, nil }
func (s *Shop) Close() error { return nil }
func (l List[T]) Len() int { return 0 }
func (h hiddenType) Visible() {}
func open() {}
`,
		"shop/shop_test.go":      "package shop\n\nfunc TestHelper() {}\n",
		"shop/internal/x/x.go":   "package x\n\nfunc Inside() {}\n",
		"shop/testdata/y.go":     "package y\n\nfunc Data() {}\n",
		"cmd/tool/main.go":       "package main\n\nfunc Exported() {}\n",
		"nested/go.mod":          "module nested\n",
		"nested/other/nested.go": "package other\n\nfunc Nested() {}\n",
	})
	lines, err := exported(dir, ".")
	require.NoError(t, err)
	require.Equal(t, []string{
		"shop: const Limit",
		"shop: func (*Shop) Close() error",
		"shop: func (List[T]) Len() int",
		"shop: func Open(string) (*Shop, error)",
		"shop: type Alias = Price",
		"shop: type List[T any] []T",
		"shop: type Price float64",
		"shop: type Seller interface",
		"shop: type Seller interface, Sell func(string, int) error",
		"shop: type Shop struct",
		"shop: type Shop struct, *Owner",
		"shop: type Shop struct, Name string",
		"shop: type Shop struct, Place string",
		"shop: var Default",
	}, lines)
}

// before and now are listings that differ in a declaration of every kind.
var (
	before = []string{
		"shop: const Limit",
		"shop: func (*Shop) Close() error",
		"shop: func (List[T]) Len() int",
		"shop: func Kept()",
		"shop: func Open(string) error",
		"shop: type List[T any] []T",
		"shop: type Seller interface, Sell func(string) error",
		"shop: type Shop struct",
		"shop: type Shop struct, *store.Owner",
		"shop: type Shop struct, Name string",
		"shop: type Value[T any] struct, V T",
		"shop: var Default",
		"shop/till: func Count() int",
		"settings: telemetry_size, `DATABRICKS_TELEMETRY_SIZE`, a number, 100, Size.",
		"records: statement.server_ms",
	}
	now = []string{
		"shop: func Kept()",
		"shop: func New()",
		"shop: func Open(string) (*Shop, error)",
		"shop: type Shop struct",
		"shop: type Shop struct, Title string",
		"shop/desk: func Count() int",
		"settings: telemetry_size, `DATABRICKS_TELEMETRY_SIZE`, a number, 200, Size.",
		"records: statement.time_server_ms",
	}
	complete = `
#### ` + "`shop`" + `
| 0.1.0 | 0.2.0 |
|---|---|
| ` + "`Limit`, `Default`" + ` | removed: nothing has a limit |
| ` + "`Shop.Close`, `.Name`, `.Owner`" + ` | ` + "`Shop.Title`" + ` |
| ` + "`List`, `.Len`, `Seller.Sell`, `Value.V`" + ` | ` + "`desk.Count`" + ` |
| ` + "`Open`" + ` | ` + "`Open` returns a `Shop`, see `sql.DB`" + ` |
#### ` + "`shop/till`" + `
| ` + "`Count`" + ` | ` + "`desk.Count`" + ` |
#### settings
| ` + "`telemetry_size`" + ` | 200 by default |
#### records
| ` + "`statement.server_ms`" + ` | ` + "`time_server_ms`" + ` |
`
)

func TestEveryNameThatIsGoneOrDifferentHasToBeInTheNotes(t *testing.T) {
	require.Empty(t, check(before, now, complete))
	for name, line := range map[string]string{
		"`Limit`, ":             before[0],
		"`Shop.Close`, ":        before[1],
		"`.Len`, ":              before[2],
		"`Open` | ":             before[4],
		"`List`, ":              before[5],
		"`Seller.Sell`, ":       before[6],
		", `.Owner`":            before[8],
		", `.Name`":             before[9],
		", `Value.V`":           before[10],
		", `Default`":           before[11],
		"| `Count` ":            before[12],
		"`telemetry_size`":      before[13],
		"`statement.server_ms`": before[14],
	} {
		require.Contains(t, complete, name)
		require.Contains(t, check(before, now, strings.Replace(complete, name, "", 1)), "not named: "+line)
	}
}

func TestANameCountsInTheTableOfItsPlaceOnly(t *testing.T) {
	gone := []string{"shop: func Old()"}
	missing := []string{"not named: shop: func Old()"}
	require.Equal(t, missing, check(gone, nil, "`Old`, of `shop`, is gone."))
	require.Equal(t, missing, check(gone, nil, "| `Old` | gone |"))
	require.Subset(t, check(gone, nil, "#### `shop`\n| New | `Old` |"), missing)
	require.Equal(t, missing, check(gone, nil, "#### `shop`\n### Fixed\n| `Old` | gone |"))
	require.Subset(t, check(gone, nil, "#### `other`\n| `Old` | gone |"), missing)
	require.Empty(t, check(gone, nil, "#### `shop`\n| `Old` | gone |"))
}

func TestWrongNamesInTheNotesAreFound(t *testing.T) {
	require.Equal(t, []string{"the last version had no Shop.Nane in shop"},
		check(before, now, complete+"#### `shop`\n| `Shop.Nane` | gone |"))
	for _, name := range []string{"Shop.Tilte", "desk.Cuont", "shop.Limit"} {
		require.Equal(t, []string{name + ", in the table of shop, is not exported"},
			check(before, now, complete+"#### `shop`\n| `Limit` | `"+name+"` |"))
	}
}

func TestNamesInDocumentsAreListed(t *testing.T) {
	dir := module(t, map[string]string{
		"README.md": "| `one` | not a setting |\n<!-- generated: parameters -->\n| DSN parameter | default |\n|---|---|\n" +
			"| `telemetry_size` | `DATABRICKS_TELEMETRY_SIZE` | 100 |\n<!-- end: parameters -->\n| `two` | nor this |\n",
		"docs/TELEMETRY.md":     "<!-- generated: statement -->\n| field | unit |\n|---|---|\n| `total_ms` | ms |\n<!-- end: statement -->\n| `other` | no field |\n",
		"docs/OPENTELEMETRY.md": "| `server.address`, `server.port` | yes |\n",
	})
	lines, err := documented(dir)
	require.NoError(t, err)
	require.Equal(t, []string{
		"records: statement.total_ms",
		"settings: telemetry_size, `DATABRICKS_TELEMETRY_SIZE`, 100",
		"spans and metrics: server.address",
		"spans and metrics: server.port",
	}, lines)
}

func TestTheCommandFailsForWhatTheNotesDoNotName(t *testing.T) {
	dir := module(t, map[string]string{"a/a.go": "package a\n\nfunc New() {}\n"})
	last := filepath.Join(dir, "last.txt")
	require.NoError(t, os.WriteFile(last, []byte("a: func Old()\n"), 0o644))
	var out bytes.Buffer
	err := run([]string{"-repository", dir, "-last", last}, strings.NewReader("nothing"), &out)
	require.ErrorContains(t, err, "1 problems")
	require.Equal(t, "not named: a: func Old()\n", out.String())
	require.NoError(t, run([]string{"-repository", dir, "-last", last}, strings.NewReader("#### `a`\n| `Old` | `New` |"), &out))

	require.NoError(t, run([]string{"-repository", dir, "-write", last}, nil, &out))
	text, err := os.ReadFile(last)
	require.NoError(t, err)
	require.Equal(t, "a: func New()\n", string(text))
	require.NoError(t, run([]string{"-repository", dir, "-last", last}, strings.NewReader(""), &out))
}

// The notes of each version name every difference from the version that its migration starts from, and
// the check fails if any name is removed from them. An unreleased version is compared as it is now.
func TestTheNotesOfEachVersionNameEveryDifference(t *testing.T) {
	changelog, err := os.ReadFile("../../../CHANGELOG.md")
	require.NoError(t, err)
	now, err := listing("../../..")
	require.NoError(t, err)
	checked := 0
	for _, notes := range strings.Split(string(changelog), "\n## ") {
		version, _, _ := strings.Cut(notes, "\n")
		_, from, found := strings.Cut(notes, "\n### Migration from ")
		if !found {
			continue
		}
		from, _, _ = strings.Cut(from, "\n")
		before, after := listed(t, from), now
		if version, _, released := strings.Cut(version, " - "); released {
			after = listed(t, version)
		}
		require.Empty(t, check(before, after, notes), version)

		old := migrationTables(notes).old
		breaks := breaking(before, after)
		require.NotEmpty(t, breaks, version)
		for _, line := range breaks {
			place, name := declared(line)
			without := maps.Clone(old)
			without[place] = slices.DeleteFunc(slices.Clone(old[place]), func(other string) bool { return other == name })
			require.Contains(t, unnamed(breaks, without), line)
		}
		checked++
	}
	require.GreaterOrEqual(t, checked, 1)
}

// listed is the listing of a version that is released.
func listed(t *testing.T, version string) []string {
	text, err := os.ReadFile("../../../api/v" + version + ".txt")
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}
