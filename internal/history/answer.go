package history

import (
	"encoding/json"
	"io"
)

// maxAnswer bounds what is read of an answer. It is read entry by entry: each has the text of its
// statement, which may be long. Entries beyond the bound count as those of another page.
const maxAnswer = 32 << 20

// answer is what is kept of a response of the query history.
type answer struct {
	entries map[string]*entry // by statement id; nil for one that the answer does not have
	found   bool              // the answer has at least one of them
	more    bool              // entries that did not fit are on another page
}

// parse reads an answer to a question about some statements. Of an entry only the members of type
// entry are kept, so never the text of the statement, the user or the error. ok is false when the
// body is not an answer of the query history. The error comes from r.
func parse(r io.Reader, ids []string) (a answer, ok bool, err error) {
	limited := &io.LimitedReader{R: r, N: maxAnswer}
	body := &failingReader{r: limited}
	a.entries = make(map[string]*entry, len(ids))
	for _, id := range ids {
		a.entries[id] = nil
	}
	ok = a.read(json.NewDecoder(body))
	if !ok && a.found && limited.N == 0 {
		ok, a.more = true, true
	}
	return a, ok, body.err
}

// failingReader remembers the error of r.
type failingReader struct {
	r   io.Reader
	err error // nil at the end
}

func (f *failingReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// read reports whether the document is an answer: an object that has a list of entries, or says
// whether there is another page. One without members is an answer without entries.
func (a *answer) read(d *json.Decoder) bool {
	known, members := false, 0
	ok := delimiter(d, '{')
	for ; ok && d.More(); members++ {
		var key json.Token
		if key, ok = token(d); !ok {
			break
		}
		switch key {
		case "res":
			known, ok = true, a.readEntries(d)
		case "has_next_page":
			var more boolean
			known, ok = true, d.Decode(&more) == nil
			a.more = more.Or(false)
		default:
			ok = d.Decode(&ignored{}) == nil
		}
	}
	return ok && delimiter(d, '}') && (known || members == 0)
}

func (a *answer) readEntries(d *json.Decoder) bool {
	first, ok := token(d)
	if first == nil || !ok { // null is an empty list
		return ok
	}
	if first != json.Delim('[') {
		return false
	}
	for d.More() {
		var e entry
		if d.Decode(&e) != nil {
			return false
		}
		earlier, asked := a.entries[e.QueryID.string]
		if asked && (earlier == nil || !earlier.IsFinal.Or(false)) { // of several the latest, but a final one for good
			a.entries[e.QueryID.string], a.found = &e, true
		}
	}
	return delimiter(d, ']')
}

func token(d *json.Decoder) (json.Token, bool) {
	t, err := d.Token()
	return t, err == nil
}

func delimiter(d *json.Decoder, want json.Delim) bool {
	t, ok := token(d)
	return ok && t == want
}
