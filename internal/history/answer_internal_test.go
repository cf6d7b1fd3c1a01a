package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// recorded is an answer with every member that is known of the service.
const recorded = `{
	"next_page_token": "CAE", "has_next_page": true,
	"res": [{
		"query_id": "01f0a1b2-0000-1000-8000-00000000000b", "status": "FINISHED", "is_final": true,
		"query_text": "SELECT 'letmein' FROM salaries", "user_name": "jane.doe@corp.example", "user_id": 42, "error_message": "no dapi0123456789",
		"query_start_time_ms": 1000000, "execution_end_time_ms": 1013000, "query_end_time_ms": 1014000, "duration": 14000,
		"warehouse_id": "abcdef0123456789", "statement_type": "SELECT", "rows_produced": 7,
		"channel_used": {"name": "CHANNEL_NAME_CURRENT"}, "plans_state": "EMPTY", "lookup_key": "x",
		"metrics": {
			"total_time_ms": 14000, "compilation_time_ms": 600, "execution_time_ms": "2000", "result_fetch_time_ms": 0,
			"task_total_time_ms": 16000, "photon_total_time_ms": 4000,
			"read_bytes": 40000000000, "read_remote_bytes": 39200000000, "read_cache_bytes": 800000000, "read_files_count": 400, "read_partitions_count": 3,
			"rows_read_count": 1000000, "rows_produced_count": 8, "write_remote_bytes": 1, "spill_to_disk_bytes": 12000000000, "network_sent_bytes": 9,
			"pruned_bytes": 5, "pruned_files_count": 0, "result_from_cache": false,
			"provisioning_queue_start_timestamp": 1000000, "overloading_queue_start_timestamp": 1011000, "query_compilation_start_timestamp": 1011400
		}
	}]
}`

const id = "01f0a1b2-0000-1000-8000-00000000000b"

// reportOf is the report of the one statement of an answer.
func reportOf(t *testing.T, body string) *telemetry.ServerReport {
	t.Helper()
	a, ok, err := parse(strings.NewReader(body), []string{id})
	require.NoError(t, err)
	require.True(t, ok)
	require.NotNil(t, a.entries[id])
	r := &telemetry.ServerReport{}
	a.entries[id].fill(r, 20*time.Second)
	return r
}

func TestEveryMeasurementOfAnAnswerIsReported(t *testing.T) {
	require.Equal(t, &telemetry.ServerReport{
		Status: "FINISHED", Final: true, StatementType: "SELECT", WarehouseID: "abcdef0123456789", Total: telemetry.Known(14 * time.Second),
		WaitingForCompute: telemetry.Known(11 * time.Second), QueuedAtCapacity: telemetry.Known(400 * time.Millisecond),
		Compiling: telemetry.Known(600 * time.Millisecond), Executing: telemetry.Known(2 * time.Second), ResultFetch: telemetry.Known(time.Duration(0)),
		TaskTime: telemetry.Known(16 * time.Second), PhotonShare: telemetry.Known(0.25), FromCache: telemetry.Known(false),
		BytesRead: telemetry.Known[int64](40e9), BytesReadRemote: telemetry.Known[int64](39.2e9), BytesReadCache: telemetry.Known[int64](0.8e9),
		FilesRead: telemetry.Known[int64](400), PartitionsRead: telemetry.Known[int64](3), FilesPruned: telemetry.Known[int64](0), BytesPruned: telemetry.Known[int64](5),
		BytesSpilled: telemetry.Known[int64](12e9), BytesWritten: telemetry.Known[int64](1), BytesSent: telemetry.Known[int64](9),
		RowsRead: telemetry.Known[int64](1e6), RowsProduced: telemetry.Known[int64](8),
	}, reportOf(t, recorded))
}

func TestWhatIsAbsentOrCannotBeIsUnknown(t *testing.T) {
	for metrics, want := range map[string]telemetry.ServerReport{
		`null`:   {},
		`[]`:     {},
		`"none"`: {},
		`{"total_time_ms": -1, "read_bytes": -5, "compilation_time_ms": 1.5, "rows_read_count": "many", "result_from_cache": "yes", "pruned_bytes": null}`: {},
		`{"execution_time_ms": 21001}`: {}, // the statement began 20 s ago, by another clock
		`{"execution_time_ms": 9223372036854775807, "task_total_time_ms": 9223372036854775807}`: {},
		`{"execution_time_ms": 21000}`:                         {Executing: telemetry.Known(21 * time.Second)},
		`{"photon_total_time_ms": 5}`:                          {},
		`{"photon_total_time_ms": 5, "task_total_time_ms": 4}`: {TaskTime: telemetry.Known(4 * time.Millisecond)},
		`{"photon_total_time_ms": 5, "task_total_time_ms": 0}`: {TaskTime: telemetry.Known(time.Duration(0))},
		// the wait for compute ends with the compilation when there is no other wait
		`{"provisioning_queue_start_timestamp": 1000, "query_compilation_start_timestamp": 4000}`: {WaitingForCompute: telemetry.Known(3 * time.Second)},
		`{"overloading_queue_start_timestamp": 1000, "query_compilation_start_timestamp": 4000}`:  {QueuedAtCapacity: telemetry.Known(3 * time.Second)},
		`{"provisioning_queue_start_timestamp": 1000, "overloading_queue_start_timestamp": 3000}`: {WaitingForCompute: telemetry.Known(2 * time.Second)},
		// a statement may queue first, and then wait for compute
		`{"overloading_queue_start_timestamp": 1000, "provisioning_queue_start_timestamp": 3000, "query_compilation_start_timestamp": 9000}`: {
			QueuedAtCapacity: telemetry.Known(2 * time.Second), WaitingForCompute: telemetry.Known(6 * time.Second),
		},
		`{"provisioning_queue_start_timestamp": 1000, "overloading_queue_start_timestamp": 1000, "query_compilation_start_timestamp": 2000}`: {
			QueuedAtCapacity: telemetry.Known(time.Second), WaitingForCompute: telemetry.Known(time.Duration(0)),
		},
		// both waits have ended when the compilation begins, whatever a clock of another machine says
		`{"provisioning_queue_start_timestamp": 1000, "overloading_queue_start_timestamp": 9000, "query_compilation_start_timestamp": 4000}`: {WaitingForCompute: telemetry.Known(3 * time.Second)},
		`{"overloading_queue_start_timestamp": 1000, "provisioning_queue_start_timestamp": 4200, "query_compilation_start_timestamp": 4000}`: {QueuedAtCapacity: telemetry.Known(3 * time.Second)},
		// waits that have not ended, or end before they begin, or take longer than the statement
		`{"provisioning_queue_start_timestamp": 1000}`:                                            {},
		`{"query_compilation_start_timestamp": 4000}`:                                             {},
		`{"provisioning_queue_start_timestamp": 5000, "query_compilation_start_timestamp": 4000}`: {},
		`{"provisioning_queue_start_timestamp": 1, "query_compilation_start_timestamp": 4000000}`: {},
		// the machine that compiles has another clock than the one that queues
		`{"total_time_ms": 4000, "provisioning_queue_start_timestamp": 1000, "query_compilation_start_timestamp": 12000}`: {Total: telemetry.Known(4 * time.Second)},
		`{"total_time_ms": 0, "provisioning_queue_start_timestamp": 1000, "query_compilation_start_timestamp": 12000}`: {
			Total: telemetry.Known(time.Duration(0)), WaitingForCompute: telemetry.Known(11 * time.Second), // the total says nothing
		},
		`{"provisioning_queue_start_timestamp": 0, "overloading_queue_start_timestamp": 0, "query_compilation_start_timestamp": 4000}`: {},
		`{"provisioning_queue_start_timestamp": 9223372036854775807, "query_compilation_start_timestamp": 1}`:                          {},
	} {
		require.Equal(t, &want, reportOf(t, `{"res":[{"query_id":"`+id+`","metrics":`+metrics+`}]}`), metrics)
	}
	require.Equal(t, telemetry.Known[int64](7), reportOf(t, `{"res":[{"query_id":"`+id+`","rows_produced":7,"metrics":{}}]}`).RowsProduced)
}

// What waits in vain for its warehouse never compiles: its wait ends with the statement.
func TestAStatementThatIsGivenUpBeforeItCompilesHasWaitedUntilThen(t *testing.T) {
	const waits = `"provisioning_queue_start_timestamp":1000,"overloading_queue_start_timestamp":4000`
	of := func(entry, metrics string) (compute, capacity telemetry.Maybe[time.Duration]) {
		r := reportOf(t, `{"res":[{"query_id":"`+id+`","query_end_time_ms":9000,`+entry+`,"metrics":{`+metrics+`}}]}`)
		return r.WaitingForCompute, r.QueuedAtCapacity
	}
	for _, status := range []string{"CANCELED", "FAILED"} {
		compute, capacity := of(`"is_final":true,"status":"`+status+`"`, waits+`,"compilation_time_ms":0`)
		require.Equal(t, telemetry.Known(3*time.Second), compute)
		require.Equal(t, telemetry.Known(5*time.Second), capacity)
	}
	for name, test := range map[string][2]string{
		"it was not given up":       {`"is_final":true,"status":"FINISHED"`, waits},
		"it may still wait":         {`"is_final":false,"status":"CANCELED"`, waits},
		"it compiled, unknown when": {`"is_final":true,"status":"CANCELED"`, waits + `,"compilation_time_ms":1`},
		"it ran, unknown when":      {`"is_final":true,"status":"CANCELED"`, waits + `,"execution_time_ms":1`},
	} {
		_, capacity := of(test[0], test[1])
		require.Equal(t, telemetry.Maybe[time.Duration]{}, capacity, name)
	}
	compute, _ := of(`"is_final":true,"status":"CANCELED"`, `"provisioning_queue_start_timestamp":1000,"query_compilation_start_timestamp":2000`)
	require.Equal(t, telemetry.Known(time.Second), compute)
}

func TestOfSeveralEntriesOfAStatementAFinalOneCounts(t *testing.T) {
	const final, open = `{"query_id":"` + id + `","status":"FINISHED","is_final":true}`, `{"query_id":"` + id + `","status":"RUNNING"}`
	for _, entries := range []string{final + "," + open, open + "," + final} {
		require.Equal(t, &telemetry.ServerReport{Status: "FINISHED", Final: true}, reportOf(t, `{"res":[`+entries+`]}`))
	}
	require.Equal(t, "RUNNING", reportOf(t, `{"res":[`+strings.Replace(open, "RUNNING", "QUEUED", 1)+`,`+open+`]}`).Status)
}

// Names are kept only where they look like the service's: what stands in their place may be anything.
func TestOnlyNamesOfTheServiceAreKept(t *testing.T) {
	r := reportOf(t, `{"res":[{"query_id":"`+id+`","status":"failed for jane","statement_type":{"text":"SELECT"},"warehouse_id":"jane.doe@corp.example","is_final":1}]}`)
	require.Equal(t, &telemetry.ServerReport{}, r)
}

func TestWhatIsNoAnswerIsNotRead(t *testing.T) {
	for _, body := range []string{
		"", "null", "[]", "7", `"res"`, "<html>", `{"res":`, `{"res":[`, `{"res":[{]}`, `{"res":7}`, `{"res":{}}`, `{"res":[7]}`, `{"res":[{"query_id":"x"}`,
		`{"error_code":"PERMISSION_DENIED","message":"no"}`, `{"has_next_page":false`, `{"res":[],}`, `{"res":[]]`,
	} {
		_, ok, err := parse(strings.NewReader(body), []string{id})
		require.NoError(t, err)
		require.False(t, ok, body)
	}
	for _, body := range []string{`{}`, `{"res":[]}`, `{"res":null}`, `{"has_next_page":false}`, `{"res":[{"query_id":"another"}]}`, " {\n} trailing"} {
		a, ok, err := parse(strings.NewReader(body), []string{id})
		require.NoError(t, err)
		require.True(t, ok, body)
		require.False(t, a.found, body)
	}
}

func TestAnAnswerThatBreaksOffIsAnErrorOfTheNetwork(t *testing.T) {
	reset := errors.New("connection reset")
	_, ok, err := parse(io.MultiReader(strings.NewReader(recorded[:200]), iotest.ErrReader(reset)), []string{id})
	require.False(t, ok)
	require.ErrorIs(t, err, reset)
}

func TestALongStatementIsPassedOver(t *testing.T) {
	long := fmt.Sprintf(`{"res":[{"query_text":%q,"query_id":%q,"is_final":true}]}`, strings.Repeat("SELECT ", 1<<20), id)
	require.True(t, reportOf(t, long).Final)
	_, ok, err := parse(strings.NewReader(`{"res":[{"query_text":"`+strings.Repeat("x", maxAnswer)+`"}]}`), []string{id})
	require.NoError(t, err)
	require.False(t, ok, "beyond all bounds")
}

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(recorded)))
	for b.Loop() {
		_, _, _ = parse(strings.NewReader(recorded), []string{id})
	}
}

// Whatever the answer: no panic, nothing negative, no duration beyond its bound, nothing that was not
// asked about, and nothing of the texts.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(recorded))
	f.Add([]byte(`{"res":[{"query_id":"` + id + `","metrics":{"total_time_ms":1e3}}],"res":[{}]}`))
	f.Add([]byte(`{"RES":[],"Has_Next_Page":true,"":{"a":[[[]]]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, ok, err := parse(strings.NewReader(string(body)), []string{id})
		require.NoError(t, err)
		require.Len(t, a.entries, 1)
		e := a.entries[id]
		if !ok || e == nil {
			return
		}
		r := &telemetry.ServerReport{}
		e.fill(r, time.Minute)
		for _, d := range []telemetry.Maybe[time.Duration]{r.Total, r.WaitingForCompute, r.QueuedAtCapacity, r.Compiling, r.Executing, r.ResultFetch} {
			require.GreaterOrEqual(t, d.Or(0), time.Duration(0))
			require.LessOrEqual(t, d.Or(0), time.Minute+slack)
		}
		for _, n := range []telemetry.Maybe[int64]{
			r.BytesRead, r.BytesReadRemote, r.BytesReadCache, r.FilesRead, r.PartitionsRead, r.FilesPruned, r.BytesPruned, r.BytesSpilled, r.BytesWritten,
			r.BytesSent, r.RowsRead, r.RowsProduced,
		} {
			require.GreaterOrEqual(t, n.Or(0), int64(0))
		}
		share := r.PhotonShare.Or(0)
		require.True(t, share >= 0 && share <= 1)
		for _, s := range []string{r.Status, r.StatementType, r.WarehouseID} {
			require.LessOrEqual(t, len(s), 64)
			require.Regexp(t, `^[A-Za-z0-9_-]*$`, s)
		}
		_, err = json.Marshal(r)
		require.NoError(t, err)
	})
}
