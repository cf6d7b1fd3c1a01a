package main

import (
	"bytes"
	"os"
	"path/filepath"
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
	lines, err := exported(dir)
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

func TestWhatIsGoneHasToBeInTheNotes(t *testing.T) {
	before := []string{
		"shop: func Open(string) error",
		"shop: func (*Shop) Close() error",
		"shop: type Shop struct, Name string",
		"shop: const Limit",
		"shop/till: func Count() int",
		"shop: func Kept()",
	}
	now := []string{"shop: func Kept()", "shop: func Open(string) (*Shop, error)", "shop: func New()"}
	breaks := breaking(before, now)
	require.Equal(t, before[:5], breaks)
	require.Empty(t, unmentioned(breaks, "`shop.Open` returns a shop. `Shop.Close` and its `Name` are gone, so is `shop/till`;\n`MaxItems` replaces `Limit`."))
	require.Equal(t, before[:5], unmentioned(breaks, "Open, Close, Name, Limit and till changed."), "names are written as code")
	require.Equal(t, before[1:5], unmentioned(breaks, "`Open`"))
}

func TestTheCommandFailsForWhatTheNotesDoNotName(t *testing.T) {
	dir := module(t, map[string]string{"a/a.go": "package a\n\nfunc New() {}\n"})
	last := filepath.Join(dir, "last.txt")
	require.NoError(t, os.WriteFile(last, []byte("a: func Old()\n"), 0o644))
	var out bytes.Buffer
	err := run([]string{"-module", dir, "-last", last}, strings.NewReader("nothing"), &out)
	require.ErrorContains(t, err, "1 declarations that are gone")
	require.Equal(t, "a: func Old()\n", out.String())
	require.NoError(t, run([]string{"-module", dir, "-last", last}, strings.NewReader("`Old` is `New`"), &out))

	require.NoError(t, run([]string{"-module", dir, "-write", last}, nil, &out))
	text, err := os.ReadFile(last)
	require.NoError(t, err)
	require.Equal(t, "a: func New()\n", string(text))
	require.NoError(t, run([]string{"-module", dir, "-last", last}, strings.NewReader(""), &out))
}
