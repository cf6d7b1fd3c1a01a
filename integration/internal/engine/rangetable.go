package engine

import (
	"math"

	"modernc.org/sqlite/vtab"
)

// rangeModule is the table function range(start, end, step) as a SQLite virtual table. Each
// connection has one instance of it, the temporary table dbx_range.
type rangeModule struct{}

const (
	rangeModuleName = "dbx_range_module"
	createRange     = "CREATE VIRTUAL TABLE temp.dbx_range USING " + rangeModuleName
)

var (
	_ vtab.Module = rangeModule{}
	_ vtab.Table  = rangeTable{}
	_ vtab.Cursor = (*rangeCursor)(nil)
)

// Create declares the table: the arguments of the table function are hidden columns.
func (m rangeModule) Create(ctx vtab.Context, args []string) (vtab.Table, error) {
	return m.Connect(ctx, args)
}

// Connect does the same as Create, because there is nothing stored.
func (rangeModule) Connect(ctx vtab.Context, _ []string) (vtab.Table, error) {
	return rangeTable{}, ctx.Declare("CREATE TABLE x(id, first HIDDEN, beyond HIDDEN, step HIDDEN)")
}

type rangeTable struct{}

// BestIndex asks for the three arguments. A plan without them is made too expensive to win.
func (rangeTable) BestIndex(info *vtab.IndexInfo) error {
	bound := 0
	for i := range info.Constraints {
		c := &info.Constraints[i]
		if c.Column >= 1 && c.Op == vtab.OpEQ && c.Usable {
			c.ArgIndex, c.Omit = c.Column-1, true
			bound++
		}
	}
	info.EstimatedCost, info.EstimatedRows = 1000, 1000
	if bound != 3 {
		info.EstimatedCost = math.MaxFloat64
	}
	return nil
}

func (rangeTable) Open() (vtab.Cursor, error) { return &rangeCursor{}, nil }
func (rangeTable) Disconnect() error          { return nil }
func (rangeTable) Destroy() error             { return nil }

// rangeCursor counts the rows that are left instead of comparing with the end, so that a range may
// extend to the limits of BIGINT.
type rangeCursor struct {
	id, step int64
	left     uint64
}

func (c *rangeCursor) Filter(_ int, _ string, args []vtab.Value) error {
	c.left = 0
	if len(args) != 3 {
		return nil
	}
	var a [3]int64
	for i := range a {
		v, ok := args[i].(int64)
		if !ok {
			return nil
		}
		a[i] = v
	}
	c.id, c.step, c.left = a[0], a[2], rangeSize(a[0], a[1], a[2])
	return nil
}

// rangeSize is the number of rows of range(first, beyond, step).
func rangeSize(first, beyond, step int64) uint64 {
	switch {
	case step > 0 && first < beyond:
		return (uint64(beyond)-uint64(first)-1)/uint64(step) + 1
	case step < 0 && first > beyond:
		return (uint64(first)-uint64(beyond)-1)/(-uint64(step)) + 1
	}
	return 0
}

func (c *rangeCursor) Next() error {
	c.id += c.step
	c.left--
	return nil
}

func (c *rangeCursor) Eof() bool                      { return c.left == 0 }
func (c *rangeCursor) Column(int) (vtab.Value, error) { return c.id, nil }
func (c *rangeCursor) Rowid() (int64, error)          { return c.id, nil }
func (c *rangeCursor) Close() error                   { return nil }
