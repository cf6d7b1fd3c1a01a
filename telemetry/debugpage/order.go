package debugpage

import (
	"slices"
	"strings"
)

// order is an order in which a list can be sorted, with the heading of its column.
type order[T any] struct {
	key, title, class string
	reversible        bool // a request can ask for the reverse, with a minus sign before the key
	compare           func(a, b T) int
}

// sorted sorts a list in the order that the request asks for, or else in the first of orders. It returns the key
// of that order, and the column headings of the page by the keys of their orders.
func sorted[T any](req *request, page string, list []T, orders []order[T]) (key string, headings map[string]heading) {
	asked, reversed := strings.CutPrefix(req.query.Get("sort"), "-")
	chosen := slices.IndexFunc(orders, func(o order[T]) bool { return o.key == asked && (o.reversible || !reversed) })
	if chosen < 0 {
		chosen, reversed = 0, false
	}
	slices.SortStableFunc(list, orders[chosen].compare)
	key = orders[chosen].key
	if reversed {
		slices.Reverse(list)
		key = "-" + key
	}
	headings = map[string]heading{}
	for i, o := range orders {
		h := heading{Title: o.title, Class: o.class, URL: req.link(page, "sort", o.key)}
		switch {
		case i == chosen && reversed:
			h.Sorted = "ascending"
		case i == chosen:
			h.Sorted = "descending"
			if o.reversible {
				h.URL = req.link(page, "sort", "-"+o.key)
			}
		}
		headings[o.key] = h
	}
	return key, headings
}

// heading is the heading of a sortable column.
type heading struct {
	Title, URL string
	Class      string // of the column
	Sorted     string // ascending, descending or ""
}

// Arrow shows how the column is sorted.
func (h heading) Arrow() string {
	if h.Sorted == "descending" {
		return " ↓"
	}
	return " ↑"
}
