package workspace

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	telemetryPath       = "/telemetry-ext"
	telemetryPublicPath = "/telemetry-unauth"
)

// TelemetryEvent is one document that reached the telemetry service.
type TelemetryEvent struct {
	Document TelemetryDocument
	Raw      []byte // the document as it was sent

	// Problems says what strict validation found; a document without problems is valid.
	// Documents with problems are kept, because the native driver's own events have some,
	// but they are not counted as successes in the answer.
	Problems []string

	Endpoint string // /telemetry-ext or /telemetry-unauth
	Header   http.Header
	Received time.Time

	// Attempts is how often this event id arrived in all, including requests that a fault
	// answered before the service took them; Accepted is how often the service took it.
	Attempts, Accepted int
}

// Valid reports that strict validation found nothing.
func (e TelemetryEvent) Valid() bool { return len(e.Problems) == 0 }

// Log returns the event, or an empty one if the document has none.
func (e TelemetryEvent) Log() SQLDriverLog {
	if e.Document.Entry == nil || e.Document.Entry.SQLDriverLog == nil {
		return SQLDriverLog{}
	}
	return *e.Document.Entry.SQLDriverLog
}

// telemetryPost is one parsed upload.
type telemetryPost struct {
	documents [][]byte
	problems  []string // with the frame; no document is taken then
	fatal     bool     // the service answers 500
}

// telemetryStore keeps the events by id, in the order of their first arrival.
type telemetryStore struct {
	keep int // see Options.Keep

	mu       sync.Mutex
	attempts map[string]int             // guarded by mu
	ids      kept[string]               // keys of attempts, oldest first; guarded by mu
	events   kept[*TelemetryEvent]      // accepted ones; guarded by mu
	byID     map[string]*TelemetryEvent // guarded by mu
	errors   kept[string]               // guarded by mu
}

func newTelemetryStore(keep int) *telemetryStore {
	s := &telemetryStore{keep: keep}
	s.clear()
	return s
}

// clear forgets everything. s.mu is held, or s is new.
func (s *telemetryStore) clear() {
	s.attempts, s.byID = map[string]int{}, map[string]*TelemetryEvent{}
	s.ids = kept[string]{limit: s.keep, dropped: func(id string) { delete(s.attempts, id) }}
	s.events = kept[*TelemetryEvent]{limit: s.keep, dropped: func(e *TelemetryEvent) {
		if id := e.Document.EventID; s.byID[id] == e {
			delete(s.byID, id)
		}
	}}
	s.errors = kept[string]{limit: s.keep}
}

// attempt counts one arrival of an event id. s.mu is held.
func (s *telemetryStore) attempt(id string) {
	if s.attempts[id] == 0 {
		s.ids.add(id)
	}
	s.attempts[id]++
}

// Telemetry returns the events the service took, each id once, in order of first
// acceptance, as far back as Options.Keep reaches. The values share headers and raw bytes with the store.
func (w *Workspace) Telemetry() []TelemetryEvent {
	s := w.telemetry
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]TelemetryEvent, len(s.events.list))
	for i, e := range s.events.list {
		list[i] = *e
		list[i].Attempts = s.attempts[e.Document.EventID]
	}
	return list
}

// TelemetryErrors returns everything strict validation has found, in order, one entry per
// problem of every request that reached the service.
func (w *Workspace) TelemetryErrors() []string {
	w.telemetry.mu.Lock()
	defer w.telemetry.mu.Unlock()
	return slices.Clone(w.telemetry.errors.list)
}

// TelemetryAttempts counts how often each event id arrived, including requests that a fault
// answered.
func (w *Workspace) TelemetryAttempts() map[string]int {
	w.telemetry.mu.Lock()
	defer w.telemetry.mu.Unlock()
	return maps.Clone(w.telemetry.attempts)
}

// telemetryArrival reads an upload before faults can apply and counts the event ids in it; It
// returns nil if there is no upload to read.
func (w *Workspace) telemetryArrival(x *exchange) *telemetryPost {
	if p := x.r.URL.Path; w.opts.TelemetryUnread || p != telemetryPath && p != telemetryPublicPath {
		return nil
	}
	post := readPost(x.body)
	w.telemetry.mu.Lock()
	defer w.telemetry.mu.Unlock()
	for _, raw := range post.documents {
		var doc struct {
			ID string `json:"frontend_log_event_id"`
		}
		if json.Unmarshal(raw, &doc) == nil && doc.ID != "" {
			w.telemetry.attempt(doc.ID)
		}
	}
	return post
}

// readPost reads the frame: {"uploadTime": ms, "items": [], "protoLogs": ["...", ...]}.
func readPost(body []byte) *telemetryPost {
	post := &telemetryPost{}
	fail := func(format string, args ...any) {
		post.problems = append(post.problems, fmt.Sprintf(format, args...))
	}
	value, err := decodeNumbers(body)
	frame, ok := value.(map[string]any)
	if err != nil || !ok {
		fail("request: not a JSON object")
		post.fatal = true
		return post
	}
	for _, k := range slices.Sorted(maps.Keys(frame)) {
		switch k {
		case "uploadTime":
			if n, ok := frame[k].(json.Number); !ok {
				fail("uploadTime: want a whole number, got %s", describeJSON(frame[k]))
			} else if _, err := n.Int64(); err != nil {
				fail("uploadTime: want a whole number, got %s", n)
			}
		case "items":
		case "protoLogs":
			list, ok := frame[k].([]any)
			if !ok {
				fail("protoLogs: want a list, got %s", describeJSON(frame[k]))
			}
			for i, e := range list {
				s, ok := e.(string)
				if !ok {
					fail("protoLogs[%d]: want a string, got %s", i, describeJSON(e))
					continue
				}
				post.documents = append(post.documents, []byte(s))
			}
		default:
			fail("%s: unknown field", k)
		}
	}
	if items, ok := frame["items"].([]any); !ok {
		fail("items: missing")
		post.fatal = true // which the real service answers with 500
	} else if len(items) > 0 {
		fail("items: must be empty")
	}
	if _, ok := frame["uploadTime"]; !ok {
		fail("uploadTime: missing")
	}
	if _, ok := frame["protoLogs"]; !ok {
		fail("protoLogs: missing")
	}
	return post
}

func (w *Workspace) serveTelemetry(x *exchange, post *telemetryPost) {
	if x.lacksOrgID() {
		return
	}
	if x.r.Method != http.MethodPost {
		x.sendError(&httpError{http.StatusMethodNotAllowed, "BAD_REQUEST", "POST only"})
		return
	}
	if post == nil { // see Options.TelemetryUnread
		x.sendTaken(unread, nil)
		return
	}
	s := w.telemetry
	s.mu.Lock()
	s.failed(post.problems)
	problems, taken := slices.Clone(post.problems), 0
	if len(post.problems) == 0 {
		for _, raw := range post.documents {
			found := s.take(x, raw)
			if len(found) == 0 {
				taken++
			}
			problems = append(problems, found...)
		}
	}
	s.mu.Unlock()
	if post.fatal {
		x.sendError(&httpError{http.StatusInternalServerError, "INTERNAL_ERROR", problems[0]})
		return
	}
	x.sendTaken(taken, problems)
}

// unread is the count in the answer to an upload whose documents are not counted. A count that is
// too high is as good as the right one.
const unread = 1_000_000

func (x *exchange) sendTaken(taken int, problems []string) {
	x.sendJSON(http.StatusOK, map[string]any{
		"errors": notNil(problems), "numSuccess": taken, "numProtoSuccess": taken, "numRealtimeSuccess": 0,
	})
}

// take stores a document and returns what is wrong with it. s.mu is held.
func (s *telemetryStore) take(x *exchange, raw []byte) []string {
	doc, problems := checkDocument(raw)
	s.failed(problems)
	if e := s.byID[doc.EventID]; e != nil && doc.EventID != "" {
		e.Accepted++
		return problems
	}
	e := &TelemetryEvent{
		Document: doc, Raw: raw, Problems: problems, Endpoint: x.r.URL.Path,
		Header: x.record.Header, Received: x.record.Received, Accepted: 1,
	}
	s.events.add(e)
	s.byID[doc.EventID] = e
	return problems
}

// failed records problems. s.mu is held.
func (s *telemetryStore) failed(problems []string) {
	for _, p := range problems {
		s.errors.add(p)
	}
}
