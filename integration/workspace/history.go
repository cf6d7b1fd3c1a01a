package workspace

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

const historyPath = "/api/2.0/sql/history/queries"

// Bounds of max_results.
const (
	historyPage    = 100
	maxHistoryPage = 1000
)

// HistoryEntry is what the query history says about a statement. Times are milliseconds since
// the epoch.
type HistoryEntry struct {
	QueryID            string          `json:"query_id"`
	Status             string          `json:"status"` // QUEUED, RUNNING, CANCELED, FAILED or FINISHED
	QueryText          string          `json:"query_text"`
	QueryStartTimeMS   int64           `json:"query_start_time_ms"`
	ExecutionEndTimeMS int64           `json:"execution_end_time_ms,omitempty"`
	QueryEndTimeMS     int64           `json:"query_end_time_ms,omitempty"`
	Duration           int64           `json:"duration"` // ms
	UserName           string          `json:"user_name"`
	WarehouseID        string          `json:"warehouse_id"`
	StatementType      string          `json:"statement_type,omitempty"`
	ErrorMessage       string          `json:"error_message,omitempty"`
	RowsProduced       int64           `json:"rows_produced"`
	IsFinal            bool            `json:"is_final"`
	Metrics            *HistoryMetrics `json:"metrics,omitempty"` // nil unless asked for
}

// HistoryMetrics are the metrics of a statement. A metric is absent (zero) if its event did not
// happen or the engine does not measure it: the engine does not count the bytes, files and
// partitions read.
type HistoryMetrics struct {
	TotalTimeMS       int64 `json:"total_time_ms"`
	CompilationTimeMS int64 `json:"compilation_time_ms"`
	ExecutionTimeMS   int64 `json:"execution_time_ms"`
	ResultFetchTimeMS int64 `json:"result_fetch_time_ms"`
	TaskTotalTimeMS   int64 `json:"task_total_time_ms,omitempty"`
	PhotonTotalTimeMS int64 `json:"photon_total_time_ms,omitempty"`

	ReadBytes           int64 `json:"read_bytes,omitempty"`
	ReadRemoteBytes     int64 `json:"read_remote_bytes,omitempty"`
	ReadCacheBytes      int64 `json:"read_cache_bytes,omitempty"`
	ReadFilesCount      int64 `json:"read_files_count,omitempty"`
	ReadPartitionsCount int64 `json:"read_partitions_count,omitempty"`
	RowsReadCount       int64 `json:"rows_read_count,omitempty"`
	RowsProducedCount   int64 `json:"rows_produced_count"`
	WriteRemoteBytes    int64 `json:"write_remote_bytes,omitempty"`
	SpillToDiskBytes    int64 `json:"spill_to_disk_bytes,omitempty"`
	NetworkSentBytes    int64 `json:"network_sent_bytes"`
	PrunedBytes         int64 `json:"pruned_bytes,omitempty"`
	PrunedFilesCount    int64 `json:"pruned_files_count,omitempty"`
	ResultFromCache     bool  `json:"result_from_cache"`

	// When the statement began to wait for its warehouse to start, when it began to wait for
	// capacity there, and when both waits were over. Milliseconds since the epoch.
	ProvisioningQueueStart int64 `json:"provisioning_queue_start_timestamp,omitempty"`
	OverloadingQueueStart  int64 `json:"overloading_queue_start_timestamp,omitempty"`
	QueryCompilationStart  int64 `json:"query_compilation_start_timestamp,omitempty"`
}

// serveHistory answers GET /api/2.0/sql/history/queries: the newest statements first.
func (w *Workspace) serveHistory(x *exchange) {
	if x.r.Method != http.MethodGet {
		x.sendError(&httpError{http.StatusMethodNotAllowed, "BAD_REQUEST", "GET only"})
		return
	}
	q := x.r.URL.Query()
	limit, offset := historyPage, 0
	for name, value := range map[string]*int{"max_results": &limit, "page_token": &offset} {
		if s := q.Get(name); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 || name == "max_results" && (n == 0 || n > maxHistoryPage) {
				x.sendError(&httpError{http.StatusBadRequest, "INVALID_PARAMETER_VALUE", name + " is not valid: " + s})
				return
			}
			*value = n
		}
	}
	ids, warehouses, statuses := q["filter_by.statement_ids"], q["filter_by.warehouse_ids"], q["filter_by.statuses"]
	list := []HistoryEntry{}
	now, skipped, more := time.Now(), 0, false
	for _, f := range slices.Backward(w.historyFacts(ids)) {
		if f.ID == "" || !wanted(warehouses, f.WarehouseID) {
			continue
		}
		e := w.historyEntry(f, now)
		if q.Get("include_metrics") != "true" {
			e.Metrics = nil
		}
		if !wanted(statuses, e.Status) {
			continue
		}
		if skipped < offset {
			skipped++
			continue
		}
		if more = len(list) == limit; more {
			break
		}
		list = append(list, e)
	}
	answer := map[string]any{"res": list, "has_next_page": more}
	if more {
		answer["next_page_token"] = strconv.Itoa(offset + limit)
	}
	x.sendJSON(http.StatusOK, answer)
}

// historyFacts are the statements with these ids, or all of them, in the order they arrived.
func (w *Workspace) historyFacts(ids []string) []StatementFacts {
	if len(ids) == 0 {
		return w.Statements()
	}
	var list []StatementFacts
	for _, id := range ids {
		if f, ok := w.Statement(id); ok {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b StatementFacts) int { return a.Received.Compare(b.Received) })
	return slices.CompactFunc(list, func(a, b StatementFacts) bool { return a.ID == b.ID })
}

func wanted(list []string, value string) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

// historyEntry describes a statement as it is at a given time.
func (w *Workspace) historyEntry(f StatementFacts, now time.Time) HistoryEntry {
	e := HistoryEntry{
		QueryID: f.ID, Status: historyStatus(f.State), QueryText: f.SQL, UserName: "user@example.com",
		WarehouseID: f.WarehouseID, StatementType: statementType(f.SQL), RowsProduced: f.Rows,
		QueryStartTimeMS: f.Received.UnixMilli(), ExecutionEndTimeMS: unixMilli(f.Completed),
	}
	if e.Status == "FAILED" {
		e.ErrorMessage = f.Message
	}
	end := now
	if !f.Completed.IsZero() {
		end = f.fetched()
		e.QueryEndTimeMS = end.UnixMilli()
		e.IsFinal = !now.Before(end.Add(w.opts.HistoryDelay))
	}
	e.Duration = end.Sub(f.Received).Milliseconds()
	e.Metrics = f.metrics(end, e.IsFinal)
	if w.opts.History != nil {
		w.opts.History(f, &e)
	}
	return e
}

// fetched is when the last page of a statement that has ended was answered.
func (f *StatementFacts) fetched() time.Time {
	end := f.Completed
	for i := range f.Pages {
		if at := f.Pages[i].At; at.After(end) {
			end = at
		}
	}
	return end
}

// metrics returns the metrics of a statement as known at end.
func (f *StatementFacts) metrics(end time.Time, final bool) *HistoryMetrics {
	executed := f.Completed
	if executed.IsZero() {
		executed = end
	}
	m := &HistoryMetrics{
		TotalTimeMS:            end.Sub(f.Received).Milliseconds(),
		CompilationTimeMS:      between(f.Compiling, f.Started, executed),
		ExecutionTimeMS:        between(f.Started, executed, executed),
		ResultFetchTimeMS:      end.Sub(executed).Milliseconds(),
		ProvisioningQueueStart: unixMilli(f.ComputeQueued),
		OverloadingQueueStart:  unixMilli(f.CapacityQueued),
		QueryCompilationStart:  unixMilli(f.Compiling),
	}
	if final {
		m.RowsProducedCount = f.Rows
		m.ResultFromCache = f.CacheResult == "HIT"
		for i := range f.Pages {
			m.NetworkSentBytes += f.Pages[i].Bytes
		}
	}
	return m
}

// between returns the milliseconds between from and to: 0 if from is zero, and up to end if to is
// zero.
func between(from, to, end time.Time) int64 {
	if from.IsZero() {
		return 0
	}
	if to.IsZero() {
		to = end
	}
	return to.Sub(from).Milliseconds()
}

func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func historyStatus(state string) string {
	switch state {
	case "PENDING":
		return "QUEUED"
	case "ERROR", "TIMEDOUT":
		return "FAILED"
	}
	return state
}
