package history

import (
	"encoding/json"
	"io"
)

// maxAnswer bounds how many bytes of an answer are read. The answer is read entry by entry, because
// each entry has the text of its statement, which may be long. Entries beyond the bound count as if
// they were on another page.
const maxAnswer = 32 << 20

// answer is what is kept of a response of the query history.
type answer struct {
	entries map[string]*entry // by statement id; nil for a statement that the answer does not have
	found   bool              // the answer has at least one of the statements
	more    bool              // entries that did not fit are on another page
}

// parse reads an answer to a question about some statements. It keeps only the members of an entry
// that type entry has, so never the text of the statement, the user or the error. ok is false if the
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

// read reports whether the document is an answer: an object that has a list of entries or says
// whether there is another page. An object without members is an answer without entries.
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
		if asked && (earlier == nil || !earlier.IsFinal.Or(false)) { // the latest of several entries, unless an earlier one is final
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
