package engine

import (
	"math"

	"modernc.org/sqlite/vtab"
)

// eachModule is the table function box_each(array or map, type): one row per element, with its
// position. For a map, value is the key and val the value of the entry. Each connection has
// one instance of it, the temporary table box_each.
type eachModule struct{}

const (
	eachModuleName = "box_each_module"
	createEach     = "CREATE VIRTUAL TABLE temp.box_each USING " + eachModuleName
)

var (
	_ vtab.Module = eachModule{}
	_ vtab.Table  = eachTable{}
	_ vtab.Cursor = (*eachCursor)(nil)
)

// Create declares the table: the arguments of the table function are hidden columns.
func (m eachModule) Create(ctx vtab.Context, args []string) (vtab.Table, error) {
	return m.Connect(ctx, args)
}

// Connect does the same as Create, because there is nothing stored.
func (eachModule) Connect(ctx vtab.Context, _ []string) (vtab.Table, error) {
	return eachTable{}, ctx.Declare("CREATE TABLE x(pos, value, val, nested HIDDEN, type HIDDEN)")
}

type eachTable struct{}

// BestIndex asks for both arguments. A plan without them is made too expensive to win.
func (eachTable) BestIndex(info *vtab.IndexInfo) error {
	var args []*vtab.Constraint
	for i := range info.Constraints {
		if c := &info.Constraints[i]; c.Column >= 3 && c.Op == vtab.OpEQ && c.Usable {
			args = append(args, c)
		}
	}
	info.EstimatedCost, info.EstimatedRows = 10, 10
	if len(args) != 2 {
		info.EstimatedCost = math.MaxFloat64
		return nil
	}
	for _, c := range args {
		c.ArgIndex, c.Omit = c.Column-3, true
	}
	return nil
}

func (eachTable) Open() (vtab.Cursor, error) { return &eachCursor{}, nil }
func (eachTable) Disconnect() error          { return nil }
func (eachTable) Destroy() error             { return nil }

type eachCursor struct {
	parts []any
	typ   Type
	pos   int
}

func (c *eachCursor) Filter(_ int, _ string, args []vtab.Value) error {
	c.parts, c.pos = nil, 0
	if len(args) != 2 || args[0] == nil {
		return nil
	}
	c.typ = typeArg(args[1])
	c.parts = readParts(textArg(args[0]), c.typ)
	return nil
}

func (c *eachCursor) Next() error {
	c.pos++
	return nil
}

func (c *eachCursor) Eof() bool { return c.pos >= len(c.parts) }

func (c *eachCursor) Column(i int) (vtab.Value, error) {
	part := c.parts[c.pos]
	switch {
	case i == 0:
		return int64(c.pos), nil
	case c.typ.ID == Map && i == 1:
		return cellOf(part.([]any)[0], c.typ.element())
	case c.typ.ID == Map && i == 2:
		return cellOf(part.([]any)[1], c.typ.value())
	case i == 1:
		return cellOf(part, c.typ.element())
	}
	return nil, nil
}

func cellOf(v any, t Type) (vtab.Value, error) {
	cell, err := toSQLite(v, t)
	if err != nil {
		return nil, err.pack()
	}
	return cell, nil
}

func (c *eachCursor) Rowid() (int64, error) { return int64(c.pos), nil }
func (c *eachCursor) Close() error          { return nil }
