package engine

// hasAggregate looks for an aggregate function, not into subqueries.
func hasAggregate(x expr) bool {
	found := false
	walk(x, func(x expr) bool {
		if c, ok := x.(*call); ok && c.over == nil && aggregates[c.name] != nil {
			found = true
		}
		return !found
	})
	return found
}

// walk visits an expression and its parts, except subqueries.
func walk(x expr, visit func(expr) bool) {
	if x == nil || !visit(x) {
		return
	}
	each := func(xs ...expr) {
		for _, x := range xs {
			walk(x, visit)
		}
	}
	switch n := x.(type) {
	case *unary:
		each(n.x)
	case *binary:
		each(n.l, n.r)
	case *between:
		each(n.x, n.lo, n.hi)
	case *inList:
		each(append(n.list[:len(n.list):len(n.list)], n.x)...)
	case *index:
		each(n.x, n.i)
	case *field:
		each(n.x)
	case *lambda:
		each(n.body)
	case *aliased:
		each(n.x)
	case *row:
		each(n.items...)
	case *likeAny:
		for _, l := range n.likes {
			each(l)
		}
	case *inQuery:
		each(n.x)
	case *like:
		each(n.x, n.pattern, n.escape)
	case *is:
		each(n.x, n.other)
	case *caseExpr:
		each(n.operand, n.els)
		for _, w := range n.whens {
			each(w.cond, w.then)
		}
	case *cast:
		each(n.x)
	case *call:
		each(n.args...)
		each(n.filter)
		for _, o := range n.within {
			each(o.x)
		}
		if n.over != nil {
			each(n.over.partition...)
			for _, o := range n.over.order {
				each(o.x)
			}
		}
	case *interval:
		each(n.x)
	}
}
