package tpc

import (
	"math/big"
	"slices"
	"strings"
)

func init() {
	hExpected = append(hExpected, hExpectedMore...)
}

// hExpectedMore computes the results of queries 12 to 22.
var hExpectedMore = []func(d *hData) table{
	func(d *hData) table { // 12
		var high, low sums[string]
		for _, l := range d.lines {
			if !slices.Contains([]string{"MAIL", "SHIP"}, l.mode) || l.commit >= l.receipt || l.ship >= l.commit || !within(l.receipt, "1994-01-01", "1995-01-01") {
				continue
			}
			urgent := slices.Contains([]string{"1-URGENT", "2-HIGH"}, d.order(l.order).priority)
			high.add(l.mode, map[bool]int64{true: 1}[urgent])
			low.add(l.mode, map[bool]int64{false: 1}[urgent])
		}
		return high.table(func(k string, n int64) []any { return []any{k, int(n), int(low.of[k])} }).ordered(everything, 1)
	},
	func(d *hData) table { // 13
		counts := make([]int, len(d.customers))
		for _, o := range d.orders {
			if _, after, found := strings.Cut(o.comment, "special"); !found || !strings.Contains(after, "requests") {
				counts[o.customer-1]++
			}
		}
		var s sums[int]
		for _, n := range counts {
			s.add(n, 1)
		}
		return s.table(func(k int, n int64) []any { return []any{k, int(n)} }).ordered(everything, -2, -1)
	},
	func(d *hData) table { // 14
		promo, all := int64(0), int64(0)
		for i := range d.lines {
			if l := &d.lines[i]; within(l.ship, "1995-09-01", "1995-10-01") {
				all += l.revenue()
				if strings.HasPrefix(d.partOf(l).typ, "PROMO") {
					promo += l.revenue()
				}
			}
		}
		return table{{ratio(100*promo, all)}}
	},
	func(d *hData) table { // 15
		var s sums[int]
		best := int64(0)
		for i := range d.lines {
			if l := &d.lines[i]; within(l.ship, "1996-01-01", "1996-04-01") {
				s.add(l.supplier, l.revenue())
			}
		}
		for _, n := range s.of {
			best = max(best, n)
		}
		var out table
		for k, n := range s.of {
			if supplier := d.suppliers[k-1]; n == best {
				out = append(out, []any{k, supplier.name, supplier.addr, supplier.phone, scaled(n, 4)})
			}
		}
		return out.ordered(everything, 1)
	},
	func(d *hData) table { // 16
		type key struct {
			brand, typ string
			size       int
		}
		type supply struct {
			key
			supplier int
		}
		seen := map[supply]bool{}
		var s sums[key]
		for _, ps := range d.partsupps {
			p := d.parts[ps.part-1]
			_, after, complains := strings.Cut(d.suppliers[ps.supplier-1].comment, "Customer")
			complains = complains && strings.Contains(after, "Complaints")
			k := key{p.brand, p.typ, p.size}
			if p.brand == "Brand#45" || strings.HasPrefix(p.typ, "MEDIUM POLISHED") || p.size == 15 || complains || seen[supply{k, ps.supplier}] {
				continue
			}
			seen[supply{k, ps.supplier}] = true
			s.add(k, 1)
		}
		return s.table(func(k key, n int64) []any { return []any{k.brand, k.typ, k.size, int(n)} }).ordered(everything, -4, 1, 2, 3)
	},
	func(d *hData) table { // 17
		var quantity, count sums[int]
		for _, l := range d.lines {
			quantity.add(l.part, l.quantity)
			count.add(l.part, 1)
		}
		total := int64(0)
		for i := range d.lines {
			l := &d.lines[i]
			p := d.partOf(l)
			if p.brand == "Brand#23" && p.container == "MED BOX" && 2*l.quantity*count.of[l.part] < quantity.of[l.part] {
				total += l.price
			}
		}
		return table{{ratio(total, 700)}}
	},
	func(d *hData) table { // 18
		var s sums[int]
		for _, l := range d.lines {
			s.add(l.order, l.quantity)
		}
		var out table
		for k, n := range s.of {
			if o := d.order(k); n > 180 {
				out = append(out, []any{d.buyer(o).name, o.customer, k, o.date, scaled(o.total, 2), ratio(n, 1)})
			}
		}
		return out.ordered(100, -5, 4)
	},
	func(d *hData) table { // 19
		total := int64(0)
		for i := range d.lines {
			l := &d.lines[i]
			p := d.partOf(l)
			in := func(brand string, containers []string, low int64, size int) bool {
				return p.brand == brand && slices.Contains(containers, p.container) && l.quantity >= low && l.quantity <= low+30 && p.size >= 1 && p.size <= size
			}
			if strings.HasSuffix(l.mode, "AIR") && l.instruct == "DELIVER IN PERSON" &&
				(in("Brand#12", []string{"SM CASE"}, 1, 15) || in("Brand#23", []string{"MED BAG", "MED BOX"}, 10, 23) || in("Brand#34", []string{"LG BOX"}, 20, 15)) {
				total += l.revenue()
			}
		}
		return table{{scaled(total, 4)}}
	},
	func(d *hData) table { // 20
		var out table
		for _, s := range d.suppliers {
			if d.nationOf(s.key).name != "CANADA" {
				continue
			}
			for _, ps := range d.partsupps {
				if ps.supplier != s.key || !strings.HasPrefix(d.parts[ps.part-1].name, "forest") {
					continue
				}
				sold, some := int64(0), false // a sum of no rows is NULL, which nothing exceeds
				for _, l := range d.lines {
					if l.part == ps.part && l.supplier == s.key && within(l.ship, "1994-01-01", "1995-01-01") {
						sold, some = sold+l.quantity, true
					}
				}
				if some && 2*int64(ps.available) > sold {
					out = append(out, []any{s.name, s.addr})
					break
				}
			}
		}
		return out.ordered(everything, 1)
	},
	func(d *hData) table { // 21
		byOrder := map[int][]lineitem{}
		for _, l := range d.lines {
			byOrder[l.order] = append(byOrder[l.order], l)
		}
		var s sums[string]
		for _, l := range d.lines {
			if d.order(l.order).status != "F" || l.receipt <= l.commit || d.nationOf(l.supplier).name != "SAUDI ARABIA" {
				continue
			}
			others, lateOthers := false, false
			for _, o := range byOrder[l.order] {
				if o.supplier != l.supplier {
					others = true
					lateOthers = lateOthers || o.receipt > o.commit
				}
			}
			if others && !lateOthers {
				s.add(d.suppliers[l.supplier-1].name, 1)
			}
		}
		return s.table(func(k string, n int64) []any { return []any{k, int(n)} }).ordered(100, -2, 1)
	},
	func(d *hData) table { // 22
		codes := []string{"13", "31", "25", "28", "16", "19"}
		ordered := map[int]bool{}
		for _, o := range d.orders {
			ordered[o.customer] = true
		}
		sum, n := int64(0), int64(0)
		for _, c := range d.customers {
			if slices.Contains(codes, c.phone[:2]) && c.balance > 0 {
				sum, n = sum+c.balance, n+1
			}
		}
		var total, count sums[string]
		for _, c := range d.customers {
			if slices.Contains(codes, c.phone[:2]) && big.NewRat(c.balance, 1).Cmp(ratio(sum, n)) > 0 && !ordered[c.key] {
				total.add(c.phone[:2], c.balance)
				count.add(c.phone[:2], 1)
			}
		}
		return total.table(func(k string, n int64) []any { return []any{k, int(count.of[k]), scaled(n, 2)} }).ordered(everything, 1)
	},
}
