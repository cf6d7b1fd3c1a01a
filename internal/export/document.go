package export

import "encoding/json"

// scratch is the memory in which documents are written one at a time.
type scratch struct {
	source source
	doc    []byte
}

// appendDocuments calls add with each document of the entry, escaped for the upload. The bytes are
// valid during the call only.
func (e *entry) appendDocuments(on *scratch, anonymous bool, add func(doc []byte)) {
	e.assignIDs()
	o, s := e.origin, &on.source
	*s = source{connection: o.reportable, process: process(), statement: e.statement, opened: e.opened, closed: e.closed}
	defer func() { *s = source{} }() // keeps no record in memory
	s.event.WorkspaceID, s.event.UserAgent = o.org(), o.userAgent
	constants := o.constants
	if anonymous {
		s.event.UserAgent, constants = o.bareUserAgent, nil
	}
	ops := e.operations()
	for i := range e.events {
		s.event.ID, s.event.Operation = e.ids[i], ops[i]
		p := plans[ops[i]]
		if anonymous {
			p = anonymousPlan
		}
		on.doc, _ = p.appendObject(on.doc[:0], s, constants)
		add(on.doc)
	}
}

// unescape returns an escaped document as the service reads it.
func unescape(doc string) (text string) {
	_ = json.Unmarshal([]byte(`"`+doc+`"`), &text) // appendText wrote it
	return text
}
