package export

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Document is one event that was sent or could not be sent.
type Document struct {
	At       time.Time `json:"at"`       // time of the latest upload with this event
	Endpoint string    `json:"endpoint"` // /telemetry-ext or /telemetry-unauth
	JSON     string    `json:"json"`     // the document, byte for byte
	Outcome  string    `json:"outcome"`  // "sent", or what went wrong: an HTTP status or an error category
}

// recent keeps the latest documents, oldest first.
type recent struct {
	size atomic.Int32

	mu   sync.Mutex
	docs []Document // their JSON is escaped, as in an upload; guarded by mu
}

func (r *recent) keep(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size.Store(int32(min(max(n, 0), 1000)))
	r.trim()
}

func (r *recent) trim() {
	if extra := len(r.docs) - int(r.size.Load()); extra > 0 {
		r.docs = slices.Delete(r.docs, 0, extra)
	}
}

func (r *recent) wanted() bool { return r.size.Load() > 0 }

// idOf returns the beginning of an escaped document, which has its id.
func idOf(doc string) string {
	return doc[:len(`{\"frontend_log_event_id\":\"00000000-0000-4000-8000-000000000000\"`)]
}

// add adds the documents of an upload. If a document was sent before, only its latest outcome is
// kept.
func (r *recent) add(at time.Time, endpoint, outcome, upload string, documents []byteRange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := make(map[string]bool, len(documents))
	for _, d := range documents {
		sent[idOf(upload[d.from:d.to])] = true
	}
	r.docs = slices.DeleteFunc(r.docs, func(old Document) bool { return sent[idOf(old.JSON)] })
	for _, d := range documents {
		r.docs = append(r.docs, Document{At: at, Endpoint: endpoint, JSON: upload[d.from:d.to], Outcome: outcome})
	}
	r.trim()
}

func (r *recent) list() []Document {
	r.mu.Lock()
	docs := slices.Clone(r.docs)
	r.mu.Unlock()
	for i := range docs {
		docs[i].JSON = unescape(docs[i].JSON)
	}
	return docs
}
