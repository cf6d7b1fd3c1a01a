package wrapped

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// The table checks where a statement's time went for every cause, in every state in which a record can be
// looked at, for every format, reader and entry point. It is the product of these; a rule leaves out the
// combinations that cannot exist.

const (
	delay     = 10 * time.Second       // of every cause
	execution = 300 * time.Millisecond // of every statement
)

// format is the format in which a warehouse sends results.
type format struct {
	name          string
	opts          workspace.Options
	files, polled bool
	arrow         bool
}

func formats() (all []format) {
	for _, f := range []format{
		{name: "inline", arrow: true, opts: workspace.Options{CloudFetchThreshold: -1, PageRows: pageRows}},
		{name: "columnar", opts: workspace.Options{CloudFetchThreshold: -1, PageRows: pageRows, ProtocolVersion: 42241}},
		{name: "files", arrow: true, files: true, opts: workspace.Options{CloudFetchThreshold: 1, FileRows: pageRows, LinksPerPage: 2}},
	} {
		f.opts.ExecutionTime = func(string) time.Duration { return execution }
		all = append(all, f)
		f.name, f.polled, f.opts.NoDirectResults = f.name+", polled", true, true
		all = append(all, f)
	}
	return all
}

// reach is how far a statement must come for a cause to strike.
type reach struct {
	method string // of a call, which must be made more than skip times; empty for none
	file   bool   // a file, which must be the one that more than skip files are read before
	skip   int
}

// delayed is a cause of delay, and the part that must be reported.
type delayed struct {
	name  string
	part  telemetry.Part
	reach reach
	says  string // a text in the verdict's sentence, if only the part can be known

	strike   []workspace.Action // the actions on the call or file: the first time, and after that
	breaks   []workspace.Action // the same, if they make the statement fail
	category telemetry.Category // of the failure

	options func(*workspace.Options)
	scene   func(*scene)
	only    []ending // empty: all that the reach allows
	readers []string // empty: all
	polled  bool     // for formats without direct results alone
	slack   time.Duration
	opening bool // the record is looked at in the pause, in which only the pause is certain
}

func delays() (all []delayed) {
	slow := []workspace.Action{workspace.Latency(delay)}
	for _, m := range []struct {
		method string
		skip   int
		part   telemetry.Part
		says   string
	}{
		{"ExecuteStatement", 0, telemetry.PartServer, "waiting for the server"},
		{"GetOperationStatus", 0, telemetry.PartServer, "a status call itself took 10 s"},
		{"GetResultSetMetadata", 0, telemetry.PartPage, "GetResultSetMetadata took 10 s"},
		{"FetchResults", 0, telemetry.PartPage, "slowest 10 s"},
		{"FetchResults", 1, telemetry.PartPage, "slowest 10 s"},
	} {
		name, at := m.method, reach{method: m.method, skip: m.skip}
		if m.skip > 0 {
			name += ", second"
		}
		all = append(all,
			delayed{
				name: name + " is slow", part: m.part, says: m.says, reach: at, strike: slow,
				breaks: []workspace.Action{workspace.Latency(delay), workspace.Status(403)}, category: telemetry.CategoryPermission,
			},
			delayed{
				name: name + " is repeated", part: telemetry.PartRetry, says: "1 retry of " + m.method + ", last status 503", reach: at,
				strike: []workspace.Action{workspace.Status(503)},
				breaks: []workspace.Action{workspace.Status(503)}, category: telemetry.CategoryConnection,
			},
			delayed{
				name: name + " is slow to fail and repeated", part: telemetry.PartRetry, says: "1 retry of " + m.method + ", last status 503", reach: at,
				strike: []workspace.Action{workspace.Latency(delay), workspace.Status(503)},
				// Until it is repeated, a failed attempt counts as time of the call.
				only: []ending{readToEnd, closedEarly, dropped, dbClosed}, scene: func(s *scene) { s.at = delay + delay/2 }, opening: true,
			})
	}
	for i, name := range []string{"first", "second", "last"} {
		at := reach{file: true, skip: i}
		all = append(all,
			delayed{
				name: name + " file is slow to begin", part: telemetry.PartFile, says: "slowest 10 s", reach: at, strike: slow,
				breaks: []workspace.Action{workspace.Latency(delay), workspace.Status(403)}, category: telemetry.CategoryChunkDownload,
			},
			delayed{
				name: name + " file is slow", part: telemetry.PartFile, says: "slowest 10 s", reach: at,
				strike: []workspace.Action{workspace.SlowBody(delay)},
			},
			delayed{
				name: name + " file is repeated", part: telemetry.PartRetry, says: "one file needed 2 attempts, last status 503", reach: at,
				strike: []workspace.Action{workspace.StatusRetryAfter(503, delay)},
				breaks: []workspace.Action{workspace.StatusRetryAfter(503, delay)}, category: telemetry.CategoryChunkDownload,
			},
			delayed{
				name: name + " file breaks off late", opening: true, slack: delay, scene: func(s *scene) { s.at = delay + 2*time.Second },
				only: []ending{readToEnd, failing, closedEarly, dropped, dbClosed}, part: telemetry.PartRetry, says: "one file needed 2 attempts, last without a complete answer", reach: at,
				strike: []workspace.Action{workspace.Latency(delay), workspace.HalfBody()},
				breaks: []workspace.Action{workspace.Latency(delay), workspace.HalfBody()}, category: telemetry.CategoryChunkDownload,
			})
	}
	works := func(o *workspace.Options) { o.ExecutionTime = func(string) time.Duration { return execution + delay } }
	polls := func(s *scene) { s.poll = delay + time.Second }
	all = append(all,
		delayed{name: "the server works", part: telemetry.PartServer, options: works, scene: func(s *scene) { s.at = delay / 2 }, slack: time.Second},
		delayed{
			name: "the driver polls late", part: telemetry.PartServer, polled: true, scene: polls,
			says: "which may have finished up to 11 s before a status call noticed",
		},
		delayed{
			name: "the driver polls late, server times", part: telemetry.PartPoll, polled: true, scene: polls,
			options: func(o *workspace.Options) { o.ServerTimes = true }, says: "after the server had finished, until a status call noticed",
			only: []ending{readToEnd, closedEarly, dropped, dbClosed},
		},
		delayed{
			name: "a status call is slow, server times", part: telemetry.PartPoll, polled: true, reach: reach{method: "GetOperationStatus"}, strike: slow,
			options: func(o *workspace.Options) { o.ServerTimes = true }, says: "a status call itself took 10 s",
			only: []ending{readToEnd, closedEarly, dropped, dbClosed},
		},
		delayed{
			name: "CloseOperation is slow", part: telemetry.PartClose, reach: reach{method: "CloseOperation"}, strike: slow, says: "CloseOperation took 10 s",
			only: []ending{readToEnd, closedEarly, dbClosed},
		},
		delayed{
			name: "CloseOperation is repeated", part: telemetry.PartRetry, reach: reach{method: "CloseOperation"}, says: "1 retry of CloseOperation, last status 503",
			strike: []workspace.Action{workspace.Status(503)}, only: []ending{readToEnd, closedEarly, dbClosed},
		},
		delayed{
			name: "CancelOperation is slow", part: telemetry.PartClose, polled: true, says: "CancelOperation took 10 s", strike: slow,
			reach: reach{method: "CancelOperation"}, only: []ending{canceled}, options: works, slack: 2 * time.Second, scene: func(s *scene) { s.at, s.struck = 2*time.Second, false },
		},
	)
	for _, a := range []struct {
		moment  moment
		says    string
		only    []ending
		readers []string
	}{
		{beforeRows, "in the application, before it asked for rows or closed them", []ending{readToEnd, canceled, closedEarly, dropped, dbClosed}, nil},
		{amidRows, "in the application between rows", []ending{readToEnd, canceled, closedEarly, dropped, dbClosed}, []string{"rows"}},
		{atBoundary, "in the application between", []ending{readToEnd, canceled, closedEarly, dropped, dbClosed}, nil},
		{afterRows, "in the application, after the rows had ended and before it closed them", []ending{readToEnd, dbClosed}, []string{"arrow", "ipc"}},
		{leftOpenAtRow, "", []ending{closedEarly, dropped}, nil},
	} {
		all = append(all, delayed{
			name: "the application waits " + string(a.moment), part: telemetry.PartApplication, says: a.says, only: a.only, readers: a.readers,
			scene: func(s *scene) { s.sleeps = map[moment]time.Duration{a.moment: delay} },
		})
	}
	return all
}

// exists reports whether the combination is possible, judged by the same statement without the cause.
func (d delayed) exists(f format, s scene, bare performance) bool {
	switch {
	case d.polled && !f.polled,
		len(d.only) > 0 && !slices.Contains(d.only, s.ending),
		len(d.readers) > 0 && !slices.Contains(d.readers, s.reader),
		s.ending == failing && d.breaks == nil,
		d.reach.file && (!f.files || bare.rows <= int64(d.reach.skip)*pageRows):
		return false
	case s.ending == canceled && d.part == telemetry.PartRetry && s.reader != "rows" && strings.HasPrefix(d.name, "CloseOperation"):
		return false
	}
	if m := d.reach.method; m != "" && m != "CancelOperation" {
		calls := 0
		for _, r := range bare.record.RPCs {
			if r.Method == m {
				calls = int(r.Calls)
			}
		}
		return calls > d.reach.skip
	}
	return true
}

// staged is the scene with the cause in it.
func (d delayed) staged(s scene) scene {
	strike := d.strike
	if s.ending == failing {
		strike = d.breaks
	}
	on := workspace.Method(d.reach.method)
	if d.reach.file {
		on = workspace.ResultDownloads()
	}
	for _, do := range strike {
		f := workspace.Fault{On: on, Skip: d.reach.skip, First: 1, Do: do}
		if s.ending == failing {
			f.First = 0
		}
		s.faults = append(s.faults, f)
	}
	s.at, s.cancel, s.struck = delay/2, s.ending == canceled, len(strike) > 0
	if s.cancel && s.reader == "rows" && d.part != telemetry.PartApplication {
		s.reader = "driver rows"
	}
	if d.options != nil {
		d.options(&s.opts)
	}
	if d.scene != nil {
		d.scene(&s)
	}
	return s
}

// expected is the part of the cause at an entry point.
func (d delayed) expected(s scene) telemetry.Part {
	if s.entry != "Wrap" {
		return d.part
	}
	switch {
	case d.part == telemetry.PartApplication:
		if m := moment(strings.TrimPrefix(d.name, "the application waits ")); m == amidRows || m == atBoundary && s.reader == "rows" || m == leftOpenAtRow && s.reader == "rows" {
			return telemetry.PartUnknown
		}
		return d.part
	case d.reach.method == "CloseOperation" && s.ending == closedEarly && s.reader != "arrow":
		return telemetry.PartClose // else the driver closes it when it has the last page
	}
	return telemetry.PartUnknown
}

var endings = []ending{readToEnd, failing, canceled, closedEarly, dropped, dbClosed}

var outcomes = map[ending]telemetry.Outcome{
	readToEnd: telemetry.OutcomeCompleted, failing: telemetry.OutcomeFailed, canceled: telemetry.OutcomeCanceled,
	closedEarly: telemetry.OutcomeClosedEarly, dropped: telemetry.OutcomeAbandoned, dbClosed: telemetry.OutcomeCompleted,
}

// readersOf are the readers for a format.
func readersOf(f format) []string {
	if f.arrow {
		return []string{"rows", "arrow", "ipc"}
	}
	return []string{"rows"}
}

func TestThePartOfACauseHasItsTimeInEveryState(t *testing.T) {
	all := &tally{of: map[string]int{}}
	t.Run("table", func(t *testing.T) {
		for _, entry := range []string{"NewConnector", "Wrap"} {
			for _, f := range formats() {
				for _, reader := range readersOf(f) {
					if entry == "Wrap" && f.polled != (reader == "rows") {
						continue // behind Wrap the format is not seen: half of them are enough
					}
					t.Run(entry+"/"+f.name+"/"+reader, func(t *testing.T) {
						t.Parallel()
						for _, e := range endings {
							all.try(t, f, scene{entry: entry, opts: f.opts, reader: reader, ending: e, pause: delay})
						}
					})
				}
			}
		}
	})
	cases := 0
	for _, d := range delays() {
		cases += all.of[d.name]
		t.Logf("%4d cases: %s", all.of[d.name], d.name)
		require.GreaterOrEqual(t, all.of[d.name], d.least(), d.name)
	}
	t.Log(cases, "cases")
}

// least is the number of cases that a cause must have: no rule may empty the table.
func (d delayed) least() (n int) {
	for _, f := range formats() {
		for _, reader := range readersOf(f) {
			asksStatus := d.polled || d.reach.method == "GetOperationStatus"
			asksColumns := d.reach.method == "GetResultSetMetadata" // Arrow readers do not
			switch {
			case d.reach.file && !f.files,
				(asksStatus || asksColumns) && !f.polled,
				asksColumns && reader != "rows",
				d.reach.method == "FetchResults" && d.reach.skip > 0 && f.files && !f.polled,
				len(d.readers) > 0 && !slices.Contains(d.readers, reader):
			default:
				n++
			}
		}
	}
	if len(d.only) == 0 {
		return n * 3 // completed, canceled and db closed reach as far
	}
	return n * min(len(d.only), 2)
}

// tally counts the cases of each cause.
type tally struct {
	mu sync.Mutex
	of map[string]int
}

// try tries every cause in a scene.
func (n *tally) try(t *testing.T, f format, s scene) {
	observed := s
	observed.entry = "NewConnector" // which shows all calls
	if s.ending == failing || s.ending == canceled {
		observed.ending = readToEnd // as far as it gets
	}
	bare := observed.perform(t)
	for _, d := range delays() {
		if !d.exists(f, s, bare) {
			continue
		}
		n.mu.Lock()
		n.of[d.name]++
		n.mu.Unlock()
		t.Run(string(s.ending)+"/"+d.name, func(t *testing.T) { d.check(t, s, bare) })
	}
}

func (d delayed) check(t *testing.T, s scene, bare performance) {
	part, staged := d.expected(s), d.staged(s)
	got := staged.perform(t)
	require.Empty(t, got.others)
	require.NotNil(t, got.record)
	r := got.record
	about := fmt.Sprintf("%s, %s: %v\ntotal %s, parts %v, application %+v\nbare: %v\nerror: %v\n%+v",
		d.name, r.Outcome, explain.Of(r).Sentence, r.Total, r.Split, r.Application, bare.record.Split, got.err, *r)
	requireConsistent(t, r, about)

	least := delay
	if s.ending == canceled {
		if least = staged.at; !staged.struck {
			least -= bare.record.Total // what came before the cause
		}
	}
	if strings.Contains(d.name, "breaks off") || s.ending == canceled && d.part == telemetry.PartRetry {
		least /= 2 // the driver pauses for a random half of it
	}
	if d.reach.method == "CancelOperation" {
		least = delay
	}
	require.GreaterOrEqual(t, r.Split[part], least, about)
	others := r.Total - r.Split[part]
	require.LessOrEqual(t, others, bare.record.Total+d.slack, about)
	if s.ending != failing || s.entry != "Wrap" || s.reader == "rows" { // behind Wrap a page that fails is not seen, and the driver's Arrow readers hide it
		require.Equal(t, outcomes[s.ending], r.Outcome, about)
	}
	if r.Outcome == telemetry.OutcomeCompleted && s.entry != "Wrap" {
		require.EqualValues(t, sceneRows, r.RowsRead.Or(-1), about)
		require.Equal(t, s.reader == "ipc", r.RowsEvidence == telemetry.EvidenceWire, about)
	}
	v := explain.Of(r)
	require.Equal(t, part, v.Part, about)
	if d.part == telemetry.PartApplication && (s.ending == closedEarly || s.ending == dropped) {
		d.says = "" // the sentence gives the number of rows read instead
	}
	if s.entry != "Wrap" && s.ending != failing && s.ending != canceled {
		require.Contains(t, v.Sentence, d.says, about)
	}
	if s.ending == failing && s.entry != "Wrap" {
		require.NotNil(t, r.Failure, about)
		require.Equal(t, d.category, r.Failure.Category, about)
	}
	d.checkLook(t, s, staged, got, bare)
}

// checkLook looks at the record of the running statement.
func (d delayed) checkLook(t *testing.T, s, staged scene, got, bare performance) {
	l := got.look
	require.NotNil(t, l, "the statement ran")
	part := d.expected(s)
	if part == telemetry.PartPoll {
		part = telemetry.PartServer // until the server says when it finished
	}
	about := fmt.Sprintf("%s, running: %s\ntotal %s, parts %v\n%+v", d.name, explain.Of(l).Sentence, l.Total, l.Split, *l)
	requireConsistent(t, l, about)
	require.Equal(t, telemetry.OutcomeRunning, l.Outcome, about)
	if d.reach.method == "CancelOperation" {
		return
	}
	if d.opening {
		require.GreaterOrEqual(t, l.Split[part], staged.at-delay, about)
		return
	}
	least := staged.at
	if !staged.struck {
		least -= bare.record.Total // what came before the cause
	}
	require.GreaterOrEqual(t, l.Split[part], least, about)
	require.LessOrEqual(t, l.Total-l.Split[part], bare.record.Total+d.slack, about)
	require.Equal(t, part, explain.Of(l).Part, about)
}

// requireConsistent checks what is true of every record.
func requireConsistent(t *testing.T, r *telemetry.Statement, about string) {
	t.Helper()
	for _, p := range telemetry.Parts {
		require.GreaterOrEqual(t, r.Split[p], time.Duration(0), "%s: %s", p, about)
	}
	require.Equal(t, r.Total, r.Split.Total(), about)
	require.Equal(t, r.Split[telemetry.PartApplication], r.Application.Before+r.Application.Between+r.Application.After, about)
	for _, d := range []time.Duration{r.Application.Before, r.Application.Between, r.Application.After} {
		require.GreaterOrEqual(t, d, time.Duration(0), about)
	}
}
