package history

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// entry has the members of an answer's entry that are kept. A value of the wrong type is unknown, and
// the rest of the answer is still read.
type entry struct {
	QueryID       identifier `json:"query_id"`
	Status        word       `json:"status"`
	StatementType word       `json:"statement_type"`
	WarehouseID   identifier `json:"warehouse_id"`
	IsFinal       boolean    `json:"is_final"`
	RowsProduced  number     `json:"rows_produced"`
	End           number     `json:"query_end_time_ms"` // since 1970
	Metrics       metrics    `json:"metrics"`
}

// metrics are the measurements of an entry: milliseconds, bytes and counts.
type metrics struct {
	TotalTime       number  `json:"total_time_ms"`
	CompilationTime number  `json:"compilation_time_ms"`
	ExecutionTime   number  `json:"execution_time_ms"`
	ResultFetchTime number  `json:"result_fetch_time_ms"`
	TaskTotalTime   number  `json:"task_total_time_ms"`
	PhotonTotalTime number  `json:"photon_total_time_ms"`
	ReadBytes       number  `json:"read_bytes"`
	ReadRemoteBytes number  `json:"read_remote_bytes"`
	ReadCacheBytes  number  `json:"read_cache_bytes"`
	ReadFiles       number  `json:"read_files_count"`
	ReadPartitions  number  `json:"read_partitions_count"`
	PrunedBytes     number  `json:"pruned_bytes"`
	PrunedFiles     number  `json:"pruned_files_count"`
	SpilledBytes    number  `json:"spill_to_disk_bytes"`
	WrittenBytes    number  `json:"write_remote_bytes"`
	SentBytes       number  `json:"network_sent_bytes"`
	RowsRead        number  `json:"rows_read_count"`
	RowsProduced    number  `json:"rows_produced_count"`
	FromCache       boolean `json:"result_from_cache"`

	// Milliseconds since 1970; absent for a wait that did not happen.
	ProvisioningStart number `json:"provisioning_queue_start_timestamp"`
	OverloadingStart  number `json:"overloading_queue_start_timestamp"`
	CompilationStart  number `json:"query_compilation_start_timestamp"`
}

// UnmarshalJSON leaves metrics that are not an object unknown.
func (m *metrics) UnmarshalJSON(raw []byte) error {
	type plain metrics
	var p plain
	if json.Unmarshal(raw, &p) == nil {
		*m = metrics(p)
	}
	return nil
}

// fill writes the entry into a report. Durations longer than elapsed, the time since the statement
// began, are unknown, and so are waits longer than the statement.
func (e *entry) fill(r *telemetry.ServerReport, elapsed time.Duration) {
	m := &e.Metrics
	elapsed += slack
	r.Status, r.StatementType, r.WarehouseID, r.Final = e.Status.string, e.StatementType.string, e.WarehouseID.string, e.IsFinal.Or(false)
	r.Total = m.TotalTime.duration(elapsed)
	longestWait := elapsed
	if total := r.Total.Or(0); total > 0 {
		longestWait = min(elapsed, total+slack)
	}
	r.WaitingForCompute, r.QueuedAtCapacity = m.waits(e.waited(), longestWait)
	r.Compiling, r.Executing, r.ResultFetch = m.CompilationTime.duration(elapsed), m.ExecutionTime.duration(elapsed), m.ResultFetchTime.duration(elapsed)
	r.TaskTime = m.TaskTotalTime.duration(longest)
	r.PhotonShare = m.photonShare()
	r.FromCache = m.FromCache.Maybe
	r.BytesRead, r.BytesReadRemote, r.BytesReadCache = m.ReadBytes.Maybe, m.ReadRemoteBytes.Maybe, m.ReadCacheBytes.Maybe
	r.FilesRead, r.PartitionsRead = m.ReadFiles.Maybe, m.ReadPartitions.Maybe
	r.FilesPruned, r.BytesPruned = m.PrunedFiles.Maybe, m.PrunedBytes.Maybe
	r.BytesSpilled, r.BytesWritten, r.BytesSent = m.SpilledBytes.Maybe, m.WrittenBytes.Maybe, m.SentBytes.Maybe
	r.RowsRead, r.RowsProduced = m.RowsRead.Maybe, m.RowsProduced.Maybe
	if _, known := r.RowsProduced.Get(); !known {
		r.RowsProduced = e.RowsProduced.Maybe
	}
}

const (
	slack   = time.Second               // two clocks measure: the server's and this process's, or two of the server's
	longest = 10 * 365 * 24 * time.Hour // far more than any sum of tasks
)

// waited returns when the waits of the statement ended: when its compilation began, or when the
// statement ended if it failed or was canceled before.
func (e *entry) waited() number {
	m, gaveUp := &e.Metrics, e.Status.string == "CANCELED" || e.Status.string == "FAILED"
	if gaveUp && e.IsFinal.Or(false) && m.CompilationStart.Or(0) == 0 && m.CompilationTime.Or(0) == 0 && m.ExecutionTime.Or(0) == 0 {
		return e.End
	}
	return m.CompilationStart
}

// waits returns the two waits of a statement, each unknown if it did not happen. If both happened,
// the first one ends when the second one begins. The last one ends at end.
func (m *metrics) waits(end number, elapsed time.Duration) (compute, capacity telemetry.Maybe[time.Duration]) {
	computeEnd, capacityEnd := end, end
	switch provisioning, overloading := m.ProvisioningStart.Or(0), m.OverloadingStart.Or(0); {
	case provisioning == 0 || overloading == 0:
	case provisioning <= overloading:
		computeEnd = earlier(m.OverloadingStart, end)
	default:
		capacityEnd = earlier(m.ProvisioningStart, end)
	}
	return between(m.ProvisioningStart, computeEnd, elapsed), between(m.OverloadingStart, capacityEnd, elapsed)
}

// earlier returns the start of the second wait, or end if that came before, because no wait lasts
// longer.
func earlier(start, end number) number {
	if before := end.Or(0); before > 0 && before < start.Or(0) {
		return end
	}
	return start
}

// between returns the time between two instants. It is unknown unless both are known and in this
// order.
func between(from, to number, bound time.Duration) telemetry.Maybe[time.Duration] {
	if from.Or(0) == 0 || to.Or(0) == 0 {
		return telemetry.Maybe[time.Duration]{}
	}
	return newNumber(to.Or(0) - from.Or(0)).duration(bound)
}

func (m *metrics) photonShare() telemetry.Maybe[float64] {
	photon, known := m.PhotonTotalTime.Get()
	task := m.TaskTotalTime.Or(0)
	if !known || task == 0 || photon > task {
		return telemetry.Maybe[float64]{}
	}
	return telemetry.Known(float64(photon) / float64(task))
}

// number is an integer that is not negative. JSON made from protocol buffers has large integers as
// strings.
type number struct{ telemetry.Maybe[int64] }

func newNumber(v int64) number {
	if v < 0 {
		return number{}
	}
	return number{telemetry.Known(v)}
}

func (n *number) UnmarshalJSON(raw []byte) error {
	*n = number{}
	if v, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64); err == nil {
		*n = newNumber(v)
	}
	return nil
}

// duration returns the number, in milliseconds, as a duration. It is unknown beyond a bound.
func (n number) duration(bound time.Duration) telemetry.Maybe[time.Duration] {
	ms, known := n.Get()
	if !known || ms > bound.Milliseconds() {
		return telemetry.Maybe[time.Duration]{}
	}
	return telemetry.Known(time.Duration(ms) * time.Millisecond)
}

type boolean struct{ telemetry.Maybe[bool] }

func (b *boolean) UnmarshalJSON(raw []byte) error {
	*b = boolean{}
	if v := string(raw); v == "true" || v == "false" {
		b.Maybe = telemetry.Known(v == "true")
	}
	return nil
}

// word is a name from one of the service's lists. Any other text becomes empty.
type word struct{ string }

var isWord = regexp.MustCompile(`^"[A-Z][A-Z_]{0,39}"$`)

func (w *word) UnmarshalJSON(raw []byte) error {
	w.string = matching(isWord, raw)
	return nil
}

// identifier is the id of a statement or a warehouse. Any other text becomes empty.
type identifier struct{ string }

var isIdentifier = regexp.MustCompile(`^"[A-Za-z0-9_-]{1,64}"$`)

func (i *identifier) UnmarshalJSON(raw []byte) error {
	i.string = matching(isIdentifier, raw)
	return nil
}

func matching(pattern *regexp.Regexp, quoted []byte) string {
	if !pattern.Match(quoted) {
		return ""
	}
	return string(quoted[1 : len(quoted)-1])
}

// ignored is a value that is skipped.
type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }
