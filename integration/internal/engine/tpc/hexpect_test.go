package tpc

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
)

// table is a result: strings, ints, and exact numbers.
type table [][]any

func ratio(a, b int64) *big.Rat { return big.NewRat(a, b) }

// scaled is n / 10^scale.
func scaled(n int64, scale int) *big.Rat {
	d := int64(1)
	for range scale {
		d *= 10
	}
	return big.NewRat(n, d)
}

// ordered sorts by columns counted from one, descending when negative, and cuts off.
func (t table) ordered(limit int, columns ...int) table {
	slices.SortStableFunc(t, func(a, b []any) int {
		for _, c := range columns {
			i, sign := c-1, 1
			if c < 0 {
				i, sign = -c-1, -1
			}
			n := 0
			switch x := a[i].(type) {
			case string:
				n = strings.Compare(x, b[i].(string))
			case int:
				n = cmp.Compare(x, b[i].(int))
			case *big.Rat:
				n = x.Cmp(b[i].(*big.Rat))
			}
			if n != 0 {
				return n * sign
			}
		}
		return 0
	})
	return t[:min(limit, len(t))]
}

const everything = 1 << 30

// sums adds up per group and keeps the order in which groups appear.
type sums[K comparable] struct {
	keys []K
	of   map[K]int64
}

func (s *sums[K]) add(k K, n int64) {
	if s.of == nil {
		s.of = map[K]int64{}
	}
	if _, ok := s.of[k]; !ok {
		s.keys = append(s.keys, k)
	}
	s.of[k] += n
}

func (s *sums[K]) table(row func(k K, n int64) []any) table {
	var t table
	for _, k := range s.keys {
		t = append(t, row(k, s.of[k]))
	}
	return t
}

func (d *hData) order(key int) *order         { return &d.orders[(key-1)/3] }
func (d *hData) nationOf(supplier int) nation { return d.nations[d.suppliers[supplier-1].nation] }
func (d *hData) buyer(o *order) *customer     { return &d.customers[o.customer-1] }
func (d *hData) region(n nation) string       { return d.regions[n.region] }
func (l *lineitem) revenue() int64            { return l.price * (100 - l.discount) } // scale 4
func (d *hData) partOf(l *lineitem) *part     { return &d.parts[l.part-1] }
func within(day, from, to string) bool        { return day >= from && day < to }
func year(day string) int {
	return int(day[0]-'0')*1000 + int(day[1]-'0')*100 + int(day[2]-'0')*10 + int(day[3]-'0')
}

// hExpected computes the result of each query from the rows.
var hExpected = []func(d *hData) table{
	1: func(d *hData) table {
		type key struct{ flag, status string }
		type total struct{ qty, base, disc, charge, rate, n int64 }
		of := map[key]*total{}
		for i := range d.lines {
			l := &d.lines[i]
			if l.ship > "1998-09-02" {
				continue
			}
			k := key{l.flag, l.status}
			if of[k] == nil {
				of[k] = &total{}
			}
			t := of[k]
			t.qty += l.quantity
			t.base += l.price
			t.disc += l.revenue()
			t.charge += l.revenue() * (100 + l.tax)
			t.rate += l.discount
			t.n++
		}
		var out table
		for k, t := range of {
			out = append(out, []any{k.flag, k.status, ratio(t.qty, 1), scaled(t.base, 2), scaled(t.disc, 4), scaled(t.charge, 6),
				ratio(t.qty, t.n), ratio(t.base, t.n*100), ratio(t.rate, t.n*100), int(t.n)})
		}
		return out.ordered(everything, 1, 2)
	},
	2: func(d *hData) table {
		var out table
		european := func(s int) bool { return d.region(d.nationOf(s)) == "EUROPE" }
		for _, p := range d.parts {
			if p.size != 15 || !strings.HasSuffix(p.typ, "BRASS") {
				continue
			}
			least := int64(1 << 62)
			for _, ps := range d.partsupps {
				if ps.part == p.key && european(ps.supplier) {
					least = min(least, ps.cost)
				}
			}
			for _, ps := range d.partsupps {
				if ps.part == p.key && european(ps.supplier) && ps.cost == least {
					s := d.suppliers[ps.supplier-1]
					out = append(out, []any{scaled(s.balance, 2), s.name, d.nationOf(s.key).name, p.key, p.mfgr, s.addr, s.phone, s.comment})
				}
			}
		}
		return out.ordered(100, -1, 3, 2, 4)
	},
	3: func(d *hData) table {
		var s sums[int]
		for i := range d.lines {
			l := &d.lines[i]
			o := d.order(l.order)
			if d.buyer(o).segment == "BUILDING" && o.date < "1995-03-15" && l.ship > "1995-03-15" {
				s.add(o.key, l.revenue())
			}
		}
		return s.table(func(k int, n int64) []any { return []any{k, scaled(n, 4), d.order(k).date, 0} }).ordered(10, -2, 3)
	},
	4: func(d *hData) table {
		late := map[int]bool{}
		for _, l := range d.lines {
			late[l.order] = late[l.order] || l.commit < l.receipt
		}
		var s sums[string]
		for _, o := range d.orders {
			if within(o.date, "1993-07-01", "1993-10-01") && late[o.key] {
				s.add(o.priority, 1)
			}
		}
		return s.table(func(k string, n int64) []any { return []any{k, int(n)} }).ordered(everything, 1)
	},
	5: func(d *hData) table {
		var s sums[string]
		for i := range d.lines {
			l := &d.lines[i]
			o, n := d.order(l.order), d.nationOf(l.supplier)
			if d.buyer(o).nation == n.key && d.region(n) == "EUROPE" && within(o.date, "1994-01-01", "1995-01-01") {
				s.add(n.name, l.revenue())
			}
		}
		return s.table(func(k string, n int64) []any { return []any{k, scaled(n, 4)} }).ordered(everything, -2)
	},
	6: func(d *hData) table {
		total := int64(0)
		for _, l := range d.lines {
			if within(l.ship, "1994-01-01", "1995-01-01") && l.discount >= 5 && l.discount <= 7 && l.quantity < 24 {
				total += l.price * l.discount
			}
		}
		return table{{scaled(total, 4)}}
	},
	7: func(d *hData) table {
		type key struct {
			supplier, customer string
			year               int
		}
		var s sums[key]
		for i := range d.lines {
			l := &d.lines[i]
			k := key{d.nationOf(l.supplier).name, d.nations[d.buyer(d.order(l.order)).nation].name, year(l.ship)}
			pair := k.supplier == "FRANCE" && k.customer == "GERMANY" || k.supplier == "GERMANY" && k.customer == "FRANCE"
			if pair && l.ship >= "1995-01-01" && l.ship <= "1996-12-31" {
				s.add(k, l.revenue())
			}
		}
		return s.table(func(k key, n int64) []any { return []any{k.supplier, k.customer, k.year, scaled(n, 4)} }).ordered(everything, 1, 2, 3)
	},
	8: func(d *hData) table {
		var all, brazil sums[int]
		for i := range d.lines {
			l := &d.lines[i]
			o := d.order(l.order)
			if !strings.HasPrefix(d.partOf(l).typ, "ECONOMY") || d.region(d.nations[d.buyer(o).nation]) != "AMERICA" || o.date < "1995-01-01" || o.date > "1996-12-31" {
				continue
			}
			all.add(year(o.date), l.revenue())
			if d.nationOf(l.supplier).name == "BRAZIL" {
				brazil.add(year(o.date), l.revenue())
			}
		}
		return all.table(func(k int, n int64) []any { return []any{k, ratio(brazil.of[k], n)} }).ordered(everything, 1)
	},
	9: func(d *hData) table {
		type key struct {
			nation string
			year   int
		}
		var s sums[key]
		for i := range d.lines {
			l := &d.lines[i]
			if !strings.Contains(d.partOf(l).name, "green") {
				continue
			}
			for _, ps := range d.partsupps {
				if ps.part == l.part && ps.supplier == l.supplier {
					s.add(key{d.nationOf(l.supplier).name, year(d.order(l.order).date)}, l.revenue()-ps.cost*l.quantity*100)
				}
			}
		}
		return s.table(func(k key, n int64) []any { return []any{k.nation, k.year, scaled(n, 4)} }).ordered(everything, 1, -2)
	},
	10: func(d *hData) table {
		var s sums[int]
		for i := range d.lines {
			l := &d.lines[i]
			if o := d.order(l.order); l.flag == "R" && within(o.date, "1993-10-01", "1994-01-01") {
				s.add(o.customer, l.revenue())
			}
		}
		return s.table(func(k int, n int64) []any {
			c := d.customers[k-1]
			return []any{k, c.name, scaled(n, 4), scaled(c.balance, 2), d.nations[c.nation].name, c.addr, c.phone, c.comment}
		}).ordered(20, -3)
	},
	11: func(d *hData) table {
		var s sums[int]
		total := int64(0)
		for _, ps := range d.partsupps {
			if d.nationOf(ps.supplier).name == "GERMANY" {
				s.add(ps.part, ps.cost*int64(ps.available))
				total += ps.cost * int64(ps.available)
			}
		}
		var out table
		for _, row := range s.table(func(k int, n int64) []any { return []any{k, scaled(n, 2)} }) {
			if row[1].(*big.Rat).Cmp(ratio(total*5, 100*100)) > 0 {
				out = append(out, row)
			}
		}
		return out.ordered(everything, -2)
	},
}
