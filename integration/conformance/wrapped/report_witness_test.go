package wrapped

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The service receives of random statements what a witness below the wrapper saw, each event once, whatever
// happens to the uploads.
func TestReportsAgreeWithAWitness(t *testing.T) {
	for _, kind := range []string{"read", "canceled", "connecting", "redirected"} {
		for seed := range testenv.Scenes(scripts) {
			t.Run(fmt.Sprint(kind, " ", seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, uint64(len(kind))+100))
				s, about := composed(r, kind)
				s.trouble(r)
				var events []workspace.TelemetryEvent
				s.reports = func(ws *workspace.Workspace) {
					require.Empty(t, ws.TelemetryErrors(), about)
					events = ws.Telemetry()
				}
				before := telemetry.ReadStats().Export
				got := s.perform(t)
				after := telemetry.ReadStats().Export
				require.NotNil(t, got.record, about)

				var dropped int64
				for why, n := range after.Dropped {
					dropped += n - before.Dropped[why]
				}
				require.Equal(t, after.Recorded-before.Recorded, after.Sent-before.Sent+dropped, about)
				if dropped == 0 {
					s.checkReport(t, got.record, events, about)
				}
			})
		}
	}
}

// trouble adds faults of the sessions, of canceling, and of the uploads.
func (s *script) trouble(r *rand.Rand) {
	some := func(n int, on workspace.Target, actions ...workspace.Action) {
		for range r.IntN(n) {
			s.faults = append(s.faults, workspace.Fault{On: on, First: 1 + r.IntN(3), Do: actions[r.IntN(len(actions))]})
		}
	}
	late, busy, refused := workspace.Latency(2*time.Second), workspace.Status(503), workspace.Status(403)
	some(3, workspace.Method("CancelOperation"), late, busy, refused, workspace.HalfBody(), workspace.Reset())
	some(2, workspace.Method("OpenSession"), late, busy)
	some(2, workspace.Method("CloseSession"), late, busy, refused, workspace.HalfBody())
	some(3, workspace.Endpoint("/telemetry-ext"), busy, workspace.StatusRetryAfter(429, 3*time.Second), workspace.DropResponse(), workspace.HalfBody(), workspace.Status(413), workspace.Reset())
}

// made is what a witness saw of a method's calls.
type made struct {
	calls, attempts int64
	latency         time.Duration // of all attempts
	from, to        time.Time
	ok              bool // the latest attempt
}

// calls sums up the calls by method.
func (w *witness) calls() map[string]*made {
	all, known := map[string]*made{}, map[string]bool{}
	for _, x := range w.all {
		if x.method == "" {
			continue
		}
		m := all[x.method]
		if m == nil {
			m = &made{from: x.start}
			all[x.method] = m
		}
		if call := fmt.Sprint(x.method, x.seq); !known[call] {
			known[call] = true
			m.calls++
		}
		m.attempts++
		m.latency += x.end.Sub(x.start)
		m.to, m.ok = x.end, x.ok && (x.method != "CloseOperation" || m.attempts <= m.calls) // which the server may refuse
	}
	return all
}

// filesSeen is what a witness saw of the files by the end of the statement.
type filesSeen struct {
	requested, attempts, whole int64
	first, slowest, sum        time.Duration
	failed                     any  // the lowest index; nil without one
	unsure                     bool // a download ended with the statement: failed, or given up
}

func (w *witness) files() (d filesSeen) {
	files := map[int][]*seen{}
	for _, x := range w.all {
		if x.method == "" && !x.start.After(w.ended) {
			files[x.file] = append(files[x.file], x)
			d.attempts++
		}
	}
	d.requested = int64(len(files))
	var earliest time.Time
	for i := range len(w.links) {
		if files[i] == nil {
			continue
		}
		last := files[i][len(files[i])-1]
		switch took := last.end.Sub(files[i][0].start); {
		case last.end.IsZero() || last.end.After(w.ended):
		case last.ok:
			d.whole++
			d.sum += took
			d.slowest = max(d.slowest, took)
			if earliest.IsZero() || last.end.Before(earliest) {
				earliest, d.first = last.end, took
			}
		case d.failed == nil && (last.end.Before(w.ended) || last.status >= 400):
			d.failed = int64(i)
		case d.failed == nil:
			d.unsure = true
		}
	}
	return d
}

// document has the values of an event, by the last key of their path.
type document map[string]any

func documentOf(t *testing.T, e workspace.TelemetryEvent) document {
	d := document{}
	var add func(object map[string]any)
	add = func(object map[string]any) {
		for key, value := range object {
			switch v := value.(type) {
			case map[string]any:
				add(v)
			case float64:
				d[key] = int64(v)
			default:
				d[key] = v
			}
		}
	}
	var object map[string]any
	require.NoError(t, json.Unmarshal(e.Raw, &object))
	add(object)
	return d
}

// checkReport compares the events of a statement and its session with what the witness saw.
func (s *script) checkReport(t *testing.T, r *telemetry.Statement, events []workspace.TelemetryEvent, about string) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	seen, files := s.w.calls(), s.w.files()
	by := map[any]document{}
	for _, e := range events {
		about += "\n" + string(e.Raw)
		d := documentOf(t, e)
		require.NotContains(t, by, d["operation_type"], about)
		by[d["operation_type"]] = d
		require.Equal(t, r.SessionID, d["session_id"], about)
	}
	ms := func(d time.Duration) any { return d.Milliseconds() }
	check := func(d document, want document) {
		t.Helper()
		for key, value := range want {
			require.Equal(t, value, d[key], "%s of %s", key, about)
		}
	}

	var retries int64
	for method, m := range seen {
		if !strings.HasSuffix(method, "Session") {
			retries += m.attempts - m.calls
		}
	}
	execute := document{
		"operation_latency_ms": ms(s.w.call.Sub(s.w.began)), "timestamp_millis": s.w.began.UnixMilli(), "sql_statement_id": nil,
		"retry_count": retries + files.attempts - files.requested, "error_name": nil, "chunk_id": files.failed, "total_chunks_present": nil,
		"statement_type": "QUERY",
	}
	if s.reader == "exec" {
		execute["statement_type"] = "UPDATE"
	}
	if r.StatementID != "" {
		execute["sql_statement_id"] = r.StatementID
	}
	if r.Failure != nil {
		execute["error_name"] = string(r.Failure.Category)
	}
	if polls := seen["GetOperationStatus"]; polls != nil {
		execute["n_operation_status_calls"], execute["operation_status_latency_millis"] = polls.calls, ms(polls.latency)
	}
	if files.unsure {
		delete(execute, "chunk_id")
	}
	if !s.w.close.IsZero() || r.Failure == nil { // the call has not failed
		execute["result_set_ready_latency_millis"] = execute["operation_latency_ms"]
	} else {
		execute["result_set_ready_latency_millis"] = nil
	}
	linked := map[int]bool{} // a link to a file may be sent again, with another path
	for _, file := range s.w.links {
		linked[file] = true
	}
	if n := len(linked); n > 0 {
		execute["execution_result"], execute["total_chunks_present"], execute["total_chunks_iterated"] = "EXTERNAL_LINKS", int64(n), files.whole
	}
	if files.whole > 0 {
		execute["initial_chunk_latency_millis"], execute["slowest_chunk_latency_millis"], execute["sum_chunks_download_time_millis"] = ms(files.first), ms(files.slowest), ms(files.sum)
	}
	check(by["EXECUTE_STATEMENT"], execute)

	want := 1
	for method, operation := range map[string]string{
		"CloseOperation": "CLOSE_STATEMENT", "CancelOperation": "CANCEL_STATEMENT", "OpenSession": "CREATE_SESSION", "CloseSession": "DELETE_SESSION",
	} {
		m, d := seen[method], by[operation]
		require.Equal(t, m != nil, d != nil, "%s of %s", operation, about)
		if m == nil {
			continue
		}
		want++
		latency := m.latency
		if strings.HasSuffix(method, "Session") {
			latency = m.to.Sub(m.from) // with its pauses
		} else {
			check(d, document{"sql_statement_id": execute["sql_statement_id"], "statement_type": execute["statement_type"]})
		}
		check(d, document{"timestamp_millis": m.from.UnixMilli(), "operation_latency_ms": ms(latency), "retry_count": m.attempts - m.calls})
		if m.ok || m.calls == m.attempts {
			require.Equal(t, !m.ok, d["error_name"] != nil, "failure of %s of %s", operation, about)
		}
	}
	require.Len(t, by, want, about)
}
