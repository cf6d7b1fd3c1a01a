package engine

// maxGroupingSets bounds the number of grouping sets, which CUBE can multiply.
const maxGroupingSets = 4096

// groupBy parses the list after GROUP BY. Each of its items is a list of grouping sets: a plain
// expression has one, ROLLUP, CUBE and GROUPING SETS have several. The sets of the clause are the
// cross product of those of its items.
func (p *parser) groupBy(s *selectCore) {
	plain := true
	sets := [][]expr{{}}
	for {
		special := p.is("ROLLUP") || p.is("CUBE") || p.is("GROUPING", "SETS")
		plain = plain && !special
		sets = p.cross(sets, p.groupingItem(special))
		if !p.symbol(",") {
			break
		}
	}
	s.group = sets[0]
	switch {
	case plain && p.word("WITH", "ROLLUP"):
		sets = rollup(singles(s.group))
	case plain && p.word("WITH", "CUBE"):
		sets = p.cube(singles(s.group))
	case plain && p.is("GROUPING", "SETS"): // GROUP BY a, b GROUPING SETS (...)
		sets = p.groupingItem(true)
	case plain:
		return
	}
	s.sets = sets
}

func (p *parser) cross(l, r [][]expr) [][]expr {
	if len(l)*len(r) > maxGroupingSets {
		fail(errUnsupported("GROUPING_SETS", "so many grouping sets"))
	}
	var out [][]expr
	for _, a := range l {
		for _, b := range r {
			out = append(out, append(a[:len(a):len(a)], b...))
		}
	}
	return out
}

// groupingItem reads one item: an expression, (a, b), ROLLUP(...), CUBE(...) or GROUPING
// SETS(...).
func (p *parser) groupingItem(special bool) [][]expr {
	if !special {
		return [][]expr{p.groupingElement()}
	}
	defer p.enter()()
	kind := p.next().upper()
	p.word("SETS")
	p.expectSymbol("(")
	var elements, sets [][]expr
	for {
		if kind == "GROUPING" && (p.is("ROLLUP") || p.is("CUBE") || p.is("GROUPING", "SETS")) {
			sets = append(sets, p.groupingItem(true)...)
		} else {
			elements = append(elements, p.groupingElement())
			sets = append(sets, elements[len(elements)-1])
		}
		if len(sets) > maxGroupingSets {
			fail(errUnsupported("GROUPING_SETS", "so many grouping sets"))
		}
		if !p.symbol(",") {
			break
		}
	}
	p.expectSymbol(")")
	switch kind {
	case "ROLLUP":
		return rollup(elements)
	case "CUBE":
		return p.cube(elements)
	}
	return sets
}

// groupingElement reads an expression or a list of them in parentheses, which may be empty.
func (p *parser) groupingElement() []expr {
	if p.isSymbol("(") && p.peekAt(1).text == ")" && p.peekAt(1).kind == tokSymbol {
		p.i += 2
		return nil
	}
	x := p.expr()
	if r, ok := x.(*row); ok {
		return r.items
	}
	return []expr{x}
}

func singles(xs []expr) [][]expr {
	out := make([][]expr, len(xs))
	for i, x := range xs {
		out[i] = []expr{x}
	}
	return out
}

// rollup gives all prefixes, the longest first.
func rollup(elements [][]expr) [][]expr {
	var sets [][]expr
	for n := len(elements); n >= 0; n-- {
		var set []expr
		for _, e := range elements[:n] {
			set = append(set, e...)
		}
		sets = append(sets, set)
	}
	return sets
}

// cube gives all subsets.
func (p *parser) cube(elements [][]expr) [][]expr {
	if len(elements) > 12 {
		fail(errUnsupported("GROUPING_SETS", "so many grouping sets"))
	}
	var sets [][]expr
	for mask := 1<<len(elements) - 1; mask >= 0; mask-- {
		var set []expr
		for i, e := range elements {
			if mask>>(len(elements)-1-i)&1 == 1 {
				set = append(set, e...)
			}
		}
		sets = append(sets, set)
	}
	return sets
}
