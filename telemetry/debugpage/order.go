package debugpage

import (
	"slices"
	"strings"
)

// listColumn is a column of a list.
type listColumn[T any] struct {
	title, class string
	key          string // by which a request asks for the list to be sorted; empty for a column without an order
	reversible   bool   // a request can ask for the reverse, with a minus sign before the key
	compare      func(a, b T) int
}

// sorted sorts a list in the order that the request asks for, or else in the first order that a column has. It
// returns the key of that order, and the headings of the columns.
func sorted[T any](req *request, page string, list []T, columns []listColumn[T]) (key string, headings []heading) {
	asked, reversed := strings.CutPrefix(req.query.Get("sort"), "-")
	sortable := func(c listColumn[T]) bool { return c.key != "" }
	chosen := slices.IndexFunc(columns, func(c listColumn[T]) bool {
		return sortable(c) && c.key == asked && (c.reversible || !reversed)
	})
	if chosen < 0 {
		chosen, reversed = slices.IndexFunc(columns, sortable), false
	}
	slices.SortStableFunc(list, columns[chosen].compare)
	key = columns[chosen].key
	if reversed {
		slices.Reverse(list)
		key = "-" + key
	}
	headings = headingsOf(columns)
	for i, c := range columns {
		if sortable(c) {
			headings[i].URL = req.link(page, "sort", c.key)
		}
	}
	h := &headings[chosen]
	if h.Sorted = "descending"; reversed {
		h.Sorted = "ascending"
	} else if columns[chosen].reversible {
		h.URL = req.link(page, "sort", "-"+key)
	}
	return key, headings
}

// headingsOf returns the headings of a list that cannot be sorted.
func headingsOf[T any](columns []listColumn[T]) []heading {
	headings := make([]heading, len(columns))
	for i, c := range columns {
		headings[i] = heading{Title: c.title, Class: c.class}
	}
	return headings
}

// heading is the heading of a column.
type heading struct {
	Title, Class string
	URL          string // of the list, sorted by the column; empty where it cannot be
	Sorted       string // ascending, descending or ""
}

func textHead(title string) heading   { return heading{Title: title} }
func numberHead(title string) heading { return heading{Title: title, Class: "n"} }

// Arrow shows how the column is sorted.
func (h heading) Arrow() string {
	if h.Sorted == "descending" {
		return " ↓"
	}
	return " ↑"
}
