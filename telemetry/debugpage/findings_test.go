package debugpage

import (
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// TestFirstSentenceOfEachIncident: in each incident the first sentence of the page says what is
// wrong, and its severity how urgent that is.
func TestFirstSentenceOfEachIncident(t *testing.T) {
	for _, incident := range []struct {
		name     string
		happens  func(*fixture)
		severity severity
		says     string
	}{
		{"healthy", func(*fixture) {}, severityHealthy, "3,000 statements finished in the last 5 min, none failed."},
		{"one statement failed", func(f *fixture) { f.memory.StatementFinished(failed()) }, severityHealthy, "3,001 statements finished in the last 5 min, 1 failed."},
		{"few of many statements were canceled", func(f *fixture) {
			for range 2 {
				s := quick(30)
				s.Outcome, s.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryTimeout}
				f.memory.StatementFinished(s)
			}
		}, severityHealthy, "3,002 statements finished in the last 5 min, 2 failed."},
		{"hang", func(f *fixture) {
			time.Sleep(12 * time.Minute)
			f.run(waitingFor(15*time.Minute), 10)
			f.pool("orders", 8, 8)
		}, severityCritical, "No statement has finished for 12 min; 10 are running, the oldest for 15 min without an answer; all 8 connections of orders are in use."},
		{"one stuck statement", func(f *fixture) { f.run(waitingFor(4*time.Minute), 1) }, severityWarning, "1 statement has been stuck for 4 min without an answer."},
		{"one stuck statement has the only connection", func(f *fixture) {
			time.Sleep(2 * time.Minute)
			f.run(waitingFor(4*time.Minute), 1)
			f.pool("orders", 1, 1)
		}, severityCritical, "No statement has finished for 2 min; 1 statement has been stuck for 4 min without an answer; the only connection of orders is in use."},
		{"one stuck statement of two has the only connection", func(f *fixture) {
			time.Sleep(2 * time.Minute)
			f.run(waitingFor(4*time.Minute), 1)
			f.all = append(f.all, &connector{info: telemetry.ConnectorInfo{ID: 2}, running: []*telemetry.Statement{atWorkFor(time.Second)}})
			f.pool("orders", 1, 1)
		}, severityCritical, "No statement has finished for 2 min; 2 are running, the oldest for 4 min without an answer; the only connection of orders is in use."},
		{"one stuck statement beside a pool without a limit", func(f *fixture) {
			time.Sleep(2 * time.Minute)
			f.run(waitingFor(4*time.Minute), 1)
			f.pool("orders", 5, 0)
		}, severityWarning, "1 statement has been stuck for 4 min without an answer."},
		{"a file is repeated", func(f *fixture) {
			s := refusedFor(4 * time.Minute)
			s.Calls[0].Failed, s.Calls[0].Attempts = false, 1
			s.RPCs[0] = telemetry.RPC{Method: "ExecuteStatement", Calls: 1, LastStatus: 200}
			s.CloudFetch = &telemetry.CloudFetch{Present: 2, Retries: 3, RetryStatus: 403, Files: []telemetry.File{{State: "DOWNLOADED", Attempts: 1}, {State: "DOWNLOADING", Attempts: 4}}}
			f.run(s, 1)
		}, severityWarning, "1 statement has repeated requests for 4 min, last HTTP 403."},
		{"a request is refused for the first time", func(f *fixture) {
			s := refusedFor(4 * time.Minute)
			s.RPCs[0].Retries, s.Calls[0].Attempts = 0, 1
			f.run(s, 1)
		}, severityWarning, "1 statement has repeated requests for 4 min, last HTTP 429."},
		{"a request is made again", func(f *fixture) {
			s := refusedFor(4 * time.Minute)
			s.Calls[0] = telemetry.Call{Method: "ExecuteStatement", Attempts: 4, Latest: 4*time.Minute - time.Second}
			f.run(s, 1)
		}, severityWarning, "1 statement has repeated requests for 4 min, last HTTP 429."},
		{"a status call fails in a long statement", func(f *fixture) {
			s := atWorkFor(4 * time.Minute)
			s.Calls = append(s.Calls, telemetry.Call{Method: "GetOperationStatus", Start: 239 * time.Second, End: telemetry.Known(239 * time.Second), Attempts: 1, Failed: true})
			f.run(s, 1)
		}, severityHealthy, "none failed; 1 is running."},
		{"one long statement", func(f *fixture) { f.run(atWorkFor(4*time.Minute), 1) }, severityHealthy, "none failed; 1 is running."},
		{"long statements hold the pool", func(f *fixture) {
			time.Sleep(2 * time.Minute)
			f.run(atWorkFor(4*time.Minute), 4)
			f.pool("orders", 4, 4)
		}, severityCritical, "4 statements have been running for long, the oldest for 4 min, last seen RUNNING; all 4 connections of orders are in use."},
		{"a hang that has lasted for long", func(f *fixture) {
			for range 60 {
				s := waitingFor(5 * time.Minute) // and then its deadline passed
				s.Outcome, s.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryTimeout}
				f.memory.StatementFinished(s)
			}
			time.Sleep(2 * time.Minute)
			f.run(waitingFor(4*time.Minute), 10)
		}, severityCritical, "No statement has finished for 2 min; 10 are running, the oldest for 4 min without an answer."},
		{"the warehouse finishes nothing", func(f *fixture) {
			time.Sleep(12 * time.Minute)
			f.run(atWorkFor(15*time.Minute), 10)
		}, severityWarning, "No statement has finished for 12 min; 10 are running, the oldest for 15 min, last seen RUNNING."},
		{"one long statement in the night", func(f *fixture) {
			time.Sleep(12 * time.Minute)
			f.run(atWorkFor(11*time.Minute), 1)
		}, severityHealthy, "No statement finished in the last 5 min; 1 is running."},
		{"a thousand stuck statements", func(f *fixture) { f.run(waitingFor(4*time.Minute), 1000) }, severityWarning, "1,000 statements are stuck, the oldest for 4 min without an answer."},
		{"several stuck statements", func(f *fixture) { f.run(waitingFor(4*time.Minute), 3) }, severityWarning, "3 statements are stuck, the oldest for 4 min without an answer."},
		{"retry storm", func(f *fixture) {
			for range 20 {
				f.memory.StatementFinished(repeated())
			}
		}, severityWarning, "60 requests of statements that ended in the last 5 min failed and were repeated, last HTTP 503: that took 72 % of the time of all that ended."},
		{"files are repeated", func(f *fixture) {
			for range 20 {
				s := repeated()
				s.RPCs, s.CloudFetch = nil, &telemetry.CloudFetch{Present: 1, Retries: 3, RetryStatus: 503}
				f.memory.StatementFinished(s)
			}
		}, severityWarning, "60 requests of statements that ended in the last 5 min failed and were repeated, last HTTP 503"},
		{"slow storage", func(f *fixture) {
			for range 300 {
				f.memory.StatementFinished(downloaded())
			}
		}, severityWarning, "300 statements of the last 5 min spent 71 % of the time on CloudFetch files, 3.0 s on average"},
		{"cancel storm", func(f *fixture) {
			for range 2000 {
				s := quick(30)
				s.Outcome, s.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryTimeout}
				f.memory.StatementFinished(s)
			}
		}, severityWarning, "2,000 of 2,600 statements of the last 5 min were canceled: the application's contexts ended first."},
		{"pool exhausted", func(f *fixture) {
			f.pool("orders", 4, 4)
			f.get(&testing.T{}, "/")
			time.Sleep(2 * time.Second)
			f.memory.StatementFinished(quick(3))
			stats := sql.DBStats{MaxOpenConnections: 4, OpenConnections: 4, InUse: 4, WaitCount: 12, WaitDuration: 24 * time.Second}
			f.db = []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return stats, true }}}
			time.Sleep(2 * time.Second)
		}, severityWarning, "All 4 connections of orders are in use: in the last 4 s, 12 calls waited for one; the waits that ended took 24 s in all."},
		{"transactions that are never ended hold the pool", func(f *fixture) {
			f.pool("orders", 4, 4)
			f.memory.StatementFinished(quick(3))
			time.Sleep(6 * time.Minute)
			stats := sql.DBStats{MaxOpenConnections: 4, OpenConnections: 4, InUse: 4, WaitCount: 100} // no wait has ended
			f.db = []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return stats, true }}}
		}, severityCritical, "No statement is running, and none has finished for 6 min; all 4 connections of orders are in use: in the last 6 min, 100 calls have waited without success for one."},
		{"calls wait for the only connection", func(f *fixture) {
			f.pool("orders", 1, 1)
			f.memory.StatementFinished(quick(3))
			time.Sleep(6 * time.Minute)
			stats := sql.DBStats{MaxOpenConnections: 1, OpenConnections: 1, InUse: 1, WaitCount: 1}
			f.db = []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return stats, true }}}
		}, severityCritical, "No statement is running, and none has finished for 6 min; the only connection of orders is in use: in the last 6 min, 1 call has waited without success for it."},
		{"calls wait for the only connection while a statement runs", func(f *fixture) {
			f.pool("orders", 1, 1)
			f.memory.StatementFinished(quick(3))
			time.Sleep(6 * time.Minute)
			f.run(atWorkFor(5*time.Second), 1)
			stats := sql.DBStats{MaxOpenConnections: 1, OpenConnections: 1, InUse: 1, WaitCount: 1}
			f.db = []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return stats, true }}}
		}, severityWarning, "The only connection of orders is in use: in the last 6 min, 1 call has waited without success for it."},
		{"a pool for which no call waits", func(f *fixture) { f.pool("orders", 4, 4) }, severityHealthy, "none failed."},
		{"statements wait for long, but for no part most of the time", func(f *fixture) {
			for range 300 {
				s := quick(5000)
				s.Split = telemetry.Split{telemetry.PartFile: 2 * time.Second, telemetry.PartPage: ms(1500), telemetry.PartApplication: ms(1500)}
				f.memory.StatementFinished(s)
			}
		}, severityHealthy, "none failed."},
		{"what slow statements wait for is not seen", func(f *fixture) {
			for range 300 {
				f.memory.StatementFinished(quick(5000))
			}
		}, severityHealthy, "none failed."},
		{"leaked rows", func(f *fixture) {
			f.run(heldOpen(6*time.Minute), 4)
			f.pool("orders", 4, 4)
		}, severityCritical, "4 results are held open by the application, the longest for 6 min; all 4 connections of orders are in use."},
		{"connections are opened, and none is", func(f *fixture) {
			time.Sleep(time.Minute)
			for id := range int64(2) {
				f.all = append(f.all, &connector{info: telemetry.ConnectorInfo{ID: id, Opening: 2, OpeningFor: time.Duration(20+id) * time.Second}})
			}
			f.all = append(f.all, &connector{info: telemetry.ConnectorInfo{ID: 3, Opening: 1, OpeningFor: 2 * time.Second}}, &connector{broken: true})
		}, severityCritical, "4 connections are being opened, and no attempt has ended for 20 s."},
		{"a connection is opened for long while statements finish", func(f *fixture) {
			f.all = append(f.all, &connector{info: telemetry.ConnectorInfo{Opening: 1, OpeningFor: 20 * time.Second}})
		}, severityWarning, "1 connection is being opened, and no attempt has ended for 20 s."},
		{"one result is read for long beside a busy pool's statements", func(f *fixture) {
			f.run(heldOpen(30*time.Second), 1)
			f.pool("orders", 4, 4)
			f.memory.StatementFinished(quick(3))
		}, severityWarning, "1 result is held open by the application for 30 s; all 4 connections of orders are in use."},
		{"results hold a part of a pool in which nothing finishes", func(f *fixture) {
			f.run(heldOpen(30*time.Second), 2)
			f.pool("orders", 4, 4)
			time.Sleep(20 * time.Second)
		}, severityCritical, "2 results are held open by the application, the longest for 30 s; all 4 connections of orders are in use."},
		{"refused connections", func(f *fixture) {
			time.Sleep(6 * time.Minute)
			for range 12 {
				f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}})
			}
		}, severityCritical, "No connection could be opened in the last 5 min: 12 attempts failed with auth_error."},
		{"one connection could not be opened while statements run", func(f *fixture) {
			time.Sleep(6 * time.Minute)
			f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Failure: &telemetry.Failure{Category: telemetry.CategoryTimeout}})
			time.Sleep(time.Second)
			f.memory.StatementFinished(quick(3))
		}, severityWarning, "No connection could be opened in the last 5 min: 1 attempt failed with timeout."},
		{"one connection was slow to open", func(f *fixture) {
			f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Latency: 3 * time.Second})
		}, severityHealthy, "none failed."},
		{"connections are slow to open", func(f *fixture) {
			for i := range 3 {
				f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Latency: time.Duration(2+i) * time.Second})
			}
		}, severityWarning, "3 of 4 connections of the last 5 min took 1.0 s or longer to open: 9.0 s in sum, the slowest 4.0 s."},
		{"few of many connections are slow to open", func(f *fixture) {
			for i := range 10 {
				f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Latency: time.Duration(i/8) * 2 * time.Second})
			}
		}, severityHealthy, "none failed."},
		{"few of many clients give up while their connections are opened", func(f *fixture) {
			for range 10 {
				f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now()})
			}
			f.refuse(2, telemetry.CategoryCanceled)
		}, severityHealthy, "none failed."},
		{"one client gave up while its connection was opened", func(f *fixture) { f.refuse(1, telemetry.CategoryCanceled) }, severityHealthy, "none failed."},
		{"clients give up while their connections are opened", func(f *fixture) { f.refuse(12, telemetry.CategoryCanceled) },
			severityWarning, "12 of 13 attempts to open a connection were canceled in the last 5 min: the application's contexts ended first."},
		{"clients give up where connections are refused", func(f *fixture) {
			f.refuse(12, telemetry.CategoryCanceled)
			f.refuse(1, telemetry.CategoryAuth)
		}, severityWarning, "13 of 14 connections could not be opened in the last 5 min."},
		{"a status call hangs in a long statement", func(f *fixture) {
			s := atWorkFor(10 * time.Minute)
			s.Calls = append(s.Calls, telemetry.Call{Method: "GetOperationStatus", Start: 10*time.Minute - 20*time.Second, Attempts: 1})
			f.run(s, 1)
		}, severityWarning, "1 statement has been stuck for 20 s without an answer."},
		{"a page hangs that slow reading had asked for", func(f *fixture) {
			s := heldOpen(2 * time.Minute)
			s.Split = telemetry.Split{telemetry.PartServer: ms(20), telemetry.PartApplication: 80*time.Second - ms(20), telemetry.PartPage: 40 * time.Second}
			s.Calls = append(s.Calls, telemetry.Call{Method: "FetchResults", Start: 80 * time.Second, Attempts: 1})
			f.run(s, 1)
		}, severityWarning, "1 statement has been stuck for 40 s without an answer."},
		{"running statements repeat requests", func(f *fixture) {
			time.Sleep(6 * time.Minute)
			s := refusedFor(4 * time.Minute)
			f.run(s, 10)
			f.pool("orders", 10, 10)
		}, severityCritical, "No statement has finished for 6 min; 10 are running, the oldest has repeated requests for 4 min, last HTTP 429; all 10 connections of orders are in use."},
		{"files do not come", func(f *fixture) {
			time.Sleep(12 * time.Minute)
			s := heldOpen(13 * time.Minute)
			s.Split = telemetry.Split{telemetry.PartServer: ms(20), telemetry.PartFile: 13*time.Minute - ms(20)}
			f.run(s, 10)
			f.pool("orders", 10, 10)
		}, severityCritical, "No statement has finished for 12 min; 10 are running, the oldest has waited 13 min for CloudFetch files; all 10 connections of orders are in use."},
		{"a statement waits for files while older ones run", func(f *fixture) {
			time.Sleep(12 * time.Minute)
			waiting := heldOpen(2 * time.Minute)
			waiting.Split = telemetry.Split{telemetry.PartServer: ms(20), telemetry.PartFile: 2*time.Minute - ms(20)}
			f.run(atWorkFor(15*time.Minute), 3)
			f.all = append(f.all, &connector{info: telemetry.ConnectorInfo{ID: 2}, running: []*telemetry.Statement{waiting}})
			f.pool("orders", 4, 4)
		}, severityCritical, "No statement has finished for 12 min; 4 are running, one of them has waited 2 min for CloudFetch files; all 4 connections of orders are in use."},
		{"running statements repeat requests beside others", func(f *fixture) {
			f.run(refusedFor(4*time.Minute), 2)
			f.all = append(f.all, &connector{info: telemetry.ConnectorInfo{ID: 2}, running: []*telemetry.Statement{atWorkFor(time.Second)}})
		}, severityWarning, "2 statements are repeating requests, the oldest for 4 min, last HTTP 429."},
		{"a running statement repeats requests", func(f *fixture) { f.run(refusedFor(4*time.Minute), 1) }, severityWarning, "1 statement has repeated requests for 4 min, last HTTP 429."},
		{"connections break after another hour's refusals", func(f *fixture) {
			f.memory.StatementFinished(repeated())
			time.Sleep(20 * time.Minute)
			for range 20 {
				s := repeated()
				s.RPCs[0].FailedStatus = 0
				f.memory.StatementFinished(s)
			}
		}, severityWarning, "60 requests of statements that ended in the last 5 min failed and were repeated: that took 98 % of the time of all that ended."},
		{"statements fail, and the latest was canceled", func(f *fixture) {
			for n := range 13 {
				s := quick(20)
				s.Query, s.Outcome, s.Failure = "INSERT INTO exports VALUES (1)", telemetry.OutcomeFailed, &telemetry.Failure{Category: telemetry.CategoryPermission}
				if n == 12 {
					s.Outcome, s.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryTimeout}
				}
				f.memory.StatementFinished(s)
				time.Sleep(time.Millisecond)
			}
		}, severityWarning, "92 % of the statements “INSERT INTO exports VALUES (?)” failed in the last 5 min: 12 of 13, permission_error."},
		{"exports fail among pings", func(f *fixture) {
			for n := range 100 {
				s := quick(20)
				s.Query = "INSERT INTO exports VALUES (1)"
				if n < 11 {
					s.Outcome, s.Failure = telemetry.OutcomeFailed, &telemetry.Failure{Category: telemetry.CategoryPermission}
				}
				f.memory.StatementFinished(s)
			}
		}, severityWarning, "11 % of the statements “INSERT INTO exports VALUES (?)” failed in the last 5 min: 11 of 100, permission_error."},
	} {
		t.Run(incident.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture()
				for range 2400 {
					f.memory.StatementFinished(&telemetry.Statement{Started: time.Now().Add(-ms(2)), Total: ms(2), Internal: true, Outcome: telemetry.OutcomeCompleted, Split: telemetry.Split{telemetry.PartServer: ms(2)}})
				}
				for range 600 {
					f.memory.StatementFinished(quick(3))
				}
				f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now()})
				incident.happens(f)
				var o struct {
					Headline string
					Severity severity
					Findings []finding
				}
				f.json(t, "/?format=json", &o)
				require.Contains(t, o.Headline, incident.says)
				require.Equal(t, incident.severity, o.Severity)
				for i, found := range o.Findings {
					require.NotEmpty(t, found.Number)
					require.NotEmpty(t, found.Link)
					if i == 0 && incident.severity != severityHealthy {
						require.Equal(t, o.Headline, found.Text)
					}
				}
			})
		})
	}
}

// refuse has attempts to open a connection fail.
func (f *fixture) refuse(n int, c telemetry.Category) {
	for range n {
		f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Failure: &telemetry.Failure{Category: c}})
	}
}

// run lets n equal statements run on a connector.
func (f *fixture) run(s *telemetry.Statement, n int) {
	c := &connector{info: telemetry.ConnectorInfo{ID: 1}}
	for range n {
		c.running = append(c.running, s)
	}
	f.all = []telemetry.Connector{c}
}

// pool registers a pool.
func (f *fixture) pool(name string, inUse, limit int) {
	f.db = []telemetry.Pool{{Name: name, Stats: func() (sql.DBStats, bool) {
		return sql.DBStats{MaxOpenConnections: limit, OpenConnections: inUse, InUse: inUse}, true
	}}}
	time.Sleep(fineEvery)
}

// waitingFor is a statement whose call has had no answer for so long.
func waitingFor(d time.Duration) *telemetry.Statement {
	s := running()
	s.Started, s.Total, s.Split = time.Now().Add(-d), d, telemetry.Split{telemetry.PartServer: d}
	return s
}

// atWorkFor is a statement that the server has said to be at work on for so long.
func atWorkFor(d time.Duration) *telemetry.Statement {
	s := waitingFor(d)
	s.State, s.Calls[0].FirstByte, s.Calls[0].End = "RUNNING", telemetry.Known(ms(19)), telemetry.Known(ms(20))
	return s
}

// heldOpen is a statement whose rows the application has had for so long.
func heldOpen(d time.Duration) *telemetry.Statement {
	s := waitingFor(d)
	s.Execute, s.Split = ms(20), telemetry.Split{telemetry.PartServer: ms(20), telemetry.PartApplication: d - ms(20)}
	s.Calls[0].FirstByte, s.Calls[0].End = telemetry.Known(ms(19)), telemetry.Known(ms(20))
	return s
}

// repeated is a statement that needed four attempts.
func repeated() *telemetry.Statement {
	s := quick(900)
	s.RPCs = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 3, FailedStatus: 503, LastStatus: 200}}
	s.Split = telemetry.Split{telemetry.PartServer: ms(20), telemetry.PartRetry: ms(880)}
	return s
}

// refusedFor is a statement whose requests have been refused for so long.
func refusedFor(d time.Duration) *telemetry.Statement {
	s := waitingFor(d)
	s.Split = telemetry.Split{telemetry.PartServer: ms(10), telemetry.PartRetry: d - ms(10)}
	s.RPCs = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 3, FailedStatus: 429, LastStatus: 429}}
	s.Calls = []telemetry.Call{{Method: "ExecuteStatement", Attempts: 4, FirstByte: telemetry.Known(ms(9)), End: telemetry.Known(ms(10)), Status: 429, Failed: true}}
	return s
}

// Reporting that works is not worth a look.
func TestReportingThatFailsIsANotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.stats.Pipelines = []telemetry.PipelineStats{
			{Server: "https://works", Breaker: "closed"}, {Server: "https://fails", Breaker: "closed", LastError: "HTTP 503"}, {Server: "https://waits", Breaker: "open"},
		}
		var o struct {
			Severity severity
			Findings []finding
		}
		f.json(t, "/?format=json", &o)
		require.Equal(t, severityHealthy, o.Severity)
		require.Len(t, o.Findings, 2)
		require.Equal(t, "Reporting to https://fails fails with HTTP 503. Statements are not affected.", o.Findings[0].Text)
		require.Equal(t, "Reporting to https://waits fails. Statements are not affected.", o.Findings[1].Text)
	})
}

// The page says "of the last 5 min".
func TestFindingsAreOfTheLastFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for range 2 {
			s := failed()
			f.memory.StatementFinished(s)
		}
		time.Sleep(5*time.Minute + 50*time.Second)
		var o struct {
			Headline string
			Rates    []struct{ Statements int }
			Findings []finding
		}
		f.json(t, "/?format=json", &o)
		require.Zero(t, o.Rates[1].Statements, "nothing ended in the last 5 min")
		require.Empty(t, o.Findings)
	})
}

// A page that calls five minutes by two measures contradicts itself.
func TestTheLastMinutesAreTheSameEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.memory.StatementFinished(failed())
		for _, offset := range []time.Duration{0, 7 * time.Second, 50 * time.Second} {
			time.Sleep(20*time.Minute + offset)
			for range 10 {
				f.memory.StatementFinished(failed())
			}
			for range 6 {
				time.Sleep(49 * time.Second)
				var o struct {
					Headline string
					Errors   []struct{ Count int64 }
					Shapes   []struct{ Statements int64 }
				}
				f.json(t, "/?window=5m&format=json", &o)
				if strings.HasPrefix(o.Headline, "No statement finished") {
					require.Empty(t, o.Errors)
					require.Empty(t, o.Shapes)
					continue
				}
				require.Contains(t, o.Headline, "100 %")
				require.EqualValues(t, 10, o.Errors[0].Count)
				require.EqualValues(t, 10, o.Shapes[0].Statements)
			}
		}
	})
}

func TestRefusedConnectionsNameTheirError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		refused := func() {
			f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}})
		}
		refused()
		time.Sleep(20*time.Minute + 50*time.Second)
		f.memory.StatementFinished(quick(20)) // on a connection that was open
		time.Sleep(5 * time.Second)
		refused()
		time.Sleep(4*time.Minute + 20*time.Second)
		var o struct{ Headline, Severity string }
		f.json(t, "/?format=json", &o)
		require.Equal(t, "No connection could be opened in the last 5 min: 1 attempt failed with auth_error.", o.Headline)
		require.Equal(t, string(severityCritical), o.Severity, "no statement has finished since")
	})
}

func TestRefusedConnectionsDoNotShareAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for _, c := range []telemetry.Category{telemetry.CategoryTimeout, telemetry.CategoryTimeout, telemetry.CategoryConnection} {
			f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Failure: &telemetry.Failure{Category: c}})
		}
		var o struct {
			Headline string
			Findings []finding
		}
		f.json(t, "/?format=json", &o)
		require.NotContains(t, o.Findings[0].Advice, "deadline")
		require.Equal(t, "No connection could be opened in the last 5 min: 3 attempts failed.", o.Headline)
	})
}

func TestRefusedConnectionsAreAdvisedByTheirError(t *testing.T) {
	for category, advice := range map[telemetry.Category]string{
		telemetry.CategoryRateLimit: "open fewer connections at once", telemetry.CategoryTimeout: "deadline", telemetry.CategoryAuth: "credential",
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			f.refuse(3, category)
			var o struct{ Findings []finding }
			f.json(t, "/?format=json", &o)
			require.Contains(t, o.Findings[0].Advice, advice)
		})
	}
}

// The last read of a page failed without an answer; the application holds the rows open since.
func TestAStatementWhoseCallHasEndedIsNotStuck(t *testing.T) {
	s := waitingFor(10 * time.Minute)
	s.Execute, s.Application.After = ms(20), 9*time.Minute
	s.Split = telemetry.Split{telemetry.PartServer: ms(20), telemetry.PartPage: time.Minute - ms(20), telemetry.PartApplication: 9 * time.Minute}
	s.Calls[0].FirstByte, s.Calls[0].End = telemetry.Known(ms(20)), telemetry.Known(ms(20))
	s.Calls = append(s.Calls, telemetry.Call{Method: "FetchResults", Start: ms(20), Latest: ms(20), End: telemetry.Known(time.Minute), Attempts: 1, Failed: true})
	require.Zero(t, unansweredFor(s))
	s.Calls[1].End = telemetry.Maybe[time.Duration]{}
	require.Equal(t, 10*time.Minute-ms(20), unansweredFor(s))
}

// An hour ago, requests of a statement that ended just now were repeated.
func TestRequestsAreNotSaidToBeRepeatedWhenTheirStatementEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		s := repeated()
		s.Started, s.Total = time.Now().Add(-time.Hour), time.Hour
		s.Split = telemetry.Split{telemetry.PartRetry: 20 * time.Minute, telemetry.PartServer: 40 * time.Minute}
		f.memory.StatementFinished(s)
		var o struct{ Findings []finding }
		f.json(t, "/?format=json", &o)
		require.NotContains(t, o.Findings[0].Text, "repeated in the last 5 min")
		require.Contains(t, o.Findings[0].Text, "3 requests of statements that ended in the last 5 min failed and were repeated, last HTTP 503")
	})
}

func TestCanceledStatementsAreCountedWhateverTheirShapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for n := range 4 * shapesKept {
			s := quick(30)
			if s.Shape = strconv.Itoa(n); n%2 == 0 {
				s.Outcome, s.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryTimeout}
			}
			f.memory.StatementFinished(s)
			ping := quick(1)
			ping.Internal = true
			f.memory.StatementFinished(ping)
			time.Sleep(time.Millisecond)
		}
		var o struct{ Headline string }
		f.json(t, "/?format=json", &o)
		require.Contains(t, o.Headline, "128 of 256 statements of the last 5 min were canceled")
	})
}

func TestThePoolFindingCountsTheWaitsOfItsSentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		stats := sql.DBStats{MaxOpenConnections: 4, InUse: 1, OpenConnections: 4, WaitCount: 123_456, WaitDuration: time.Hour}
		f.db = []telemetry.Pool{{ID: 1, Name: "orders", Stats: func() (sql.DBStats, bool) { return stats, true }}}
		f.memory.StatementFinished(quick(20))
		time.Sleep(30 * time.Second)
		stats.WaitCount += 3
		stats.WaitDuration += time.Second
		f.memory.StatementFinished(quick(20))
		var o struct{ Findings []finding }
		f.json(t, "/?format=json", &o)
		require.Equal(t, "3", o.Findings[0].Number, o.Findings[0].Text)
		require.Contains(t, o.Findings[0].Text, "In the last 30 s, 3 calls waited for a connection of pool orders", "one of four is in use")
	})
}

func TestAResultIsHeldOpenForTheApplicationsTime(t *testing.T) {
	r := &telemetry.Statement{Outcome: telemetry.OutcomeRunning, Total: 19 * time.Minute, Execute: 9 * time.Minute, RPCs: []telemetry.RPC{}}
	r.Split[telemetry.PartServer], r.Split[telemetry.PartApplication] = 9*time.Minute, 10*time.Minute
	r.Application.Between = 10 * time.Minute
	s := &situation{}
	s.addLong(r)
	require.Contains(t, s.leaked()[0].Text, "by the application for 10 min")
}

func TestTheStatusOfRepeatedRequestsIsNotSaidWhereTheyHadSeveral(t *testing.T) {
	r := &telemetry.Statement{
		Outcome: telemetry.OutcomeRunning, Total: 6 * time.Minute, Execute: time.Minute,
		RPCs:       []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 1, LastStatus: 200, FailedStatus: 429}},
		CloudFetch: &telemetry.CloudFetch{Present: 1, Retries: 3, Retried: 1, MostAttempts: 4, Failed: 1, RetryStatus: 503},
	}
	r.Split[telemetry.PartServer], r.Split[telemetry.PartRetry] = time.Minute, 5*time.Minute
	s := &situation{}
	s.addLong(r)
	require.NotContains(t, s.halted()[0].Text, "429")
	r.RPCs = nil
	require.Contains(t, s.halted()[0].Text, "last HTTP 503")
}

func TestTheLastHourIsTheSameEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(3 * time.Hour)
		f := newFixture()
		f.memory.StatementFinished(failed())
		for range 75 {
			time.Sleep(47 * time.Second)
			f.memory.StatementFinished(failed())
			var o struct {
				Rates  []struct{ Failed int64 }
				Errors []struct{ Count int64 }
				Shapes []struct{ Failed int64 }
			}
			f.json(t, "/?window=1h&format=json", &o)
			require.Equal(t, o.Rates[2].Failed, o.Errors[0].Count)
			require.Equal(t, o.Rates[2].Failed, o.Shapes[0].Failed)
		}
	})
}

// As for connections: see TestRefusedConnectionsDoNotShareAnError.
func TestStatementsThatFailDifferentlyDoNotShareAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for n := range 20 {
			s := failed()
			s.Failure = &telemetry.Failure{Category: telemetry.CategoryTimeout}
			if n == 19 {
				s.Failure = &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601"}
			}
			f.memory.StatementFinished(s)
			time.Sleep(time.Millisecond)
		}
		var o struct{ Headline string }
		f.json(t, "/?format=json", &o)
		require.NotContains(t, o.Headline, "20 of 20, syntax_error", "19 of them failed with timeout")
	})
}

// Each statement of an application that makes its SQL has a shape of its own.
func TestFailuresAreCountedWhateverTheirShapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		add := func(n int, shape string, fails bool) {
			for i := range n {
				s := quick(30)
				if s.Shape = shape; shape == "" {
					s.Shape = strconv.Itoa(i)
				}
				if fails {
					s.Outcome, s.Failure = telemetry.OutcomeFailed, &telemetry.Failure{Category: telemetry.CategoryAuth}
				}
				f.memory.StatementFinished(s)
				ping := quick(1)
				ping.Internal = true
				f.memory.StatementFinished(ping)
				time.Sleep(time.Millisecond)
			}
		}
		var o struct {
			Headline string
			Severity severity
			Findings []finding
		}
		add(3, "", true)
		f.json(t, "/?format=json", &o)
		require.Equal(t, "3 of 3 statements of the last 5 min failed, auth_error.", o.Headline)
		require.Equal(t, severityWarning, o.Severity)

		add(8, "orders", true)
		f.json(t, "/?format=json", &o)
		require.Contains(t, o.Headline, "100 % of the statements “shape orders” failed")
		require.Contains(t, o.Findings[1].Text, "3 of 3 other statements of the last 5 min failed")
		require.Equal(t, "3", o.Findings[1].Number)
		require.Equal(t, "statements?outcome=failed&window=5m", o.Findings[1].Link)

		time.Sleep(time.Hour)
		add(4*shapesKept, "", true)
		f.json(t, "/?format=json", &o)
		require.Equal(t, "256 of 256 statements of the last 5 min failed.", o.Headline, "most shapes are no longer counted")

		time.Sleep(time.Hour)
		add(2, "", true)
		add(41, "orders", false)
		f.json(t, "/?format=json", &o)
		require.Equal(t, severityHealthy, o.Severity, "2 of 43 are few")

		time.Sleep(time.Hour)
		add(3, "", true)
		late := quick(30)
		late.Outcome, late.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryTimeout}
		f.memory.StatementFinished(late)
		f.json(t, "/?format=json", &o)
		require.Equal(t, "3 of 4 statements of the last 5 min failed, auth_error, not counting canceled ones.", o.Headline)
	})
}

func TestAYoungProcessIsNotAtAStandstill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		severityAfter := func(running *telemetry.Statement, n int) severity {
			time.Sleep(time.Until(running.Started.Add(running.Total)))
			f.run(running, n)
			f.pool("orders", n, n)
			var o struct{ Severity severity }
			f.json(t, "/?format=json", &o)
			return o.Severity
		}
		work, file := atWorkFor(0), heldOpen(0)
		work.Total, work.Split = 11*time.Second, telemetry.Split{telemetry.PartServer: 11 * time.Second}
		require.Equal(t, severityWarning, severityAfter(work, 1), "the first statement is at work for 11 s, on the only connection")
		file.Total, file.Split = 13*time.Second, telemetry.Split{telemetry.PartFile: 13 * time.Second}
		require.Equal(t, severityWarning, severityAfter(file, 2), "files are on their way for 13 s")

		time.Sleep(time.Minute)
		work.Total, work.Split = time.Minute, telemetry.Split{telemetry.PartServer: time.Minute}
		require.Equal(t, severityCritical, severityAfter(work, 1))
		stuck := waitingFor(time.Minute)
		require.Equal(t, severityCritical, severityAfter(stuck, 2))
		require.Contains(t, f.html(t, "/"), "No statement has finished since the process started; 2 are running, the oldest for 60 s without an answer")
	})
}

func TestTheFindingOnRetriesLeadsToStatementsThatRepeatedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		add := func(server, retry time.Duration, id string) {
			s := quick(1000)
			s.StatementID, s.RPCs = id, []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 1, FailedStatus: 503}}
			s.Split = telemetry.Split{telemetry.PartServer: server, telemetry.PartRetry: retry}
			f.memory.StatementFinished(s)
		}
		linked := func() string {
			var o struct{ Findings []finding }
			f.json(t, "/?format=json", &o)
			require.Contains(t, o.Findings[0].Text, "failed and were repeated")
			require.Equal(t, 200, f.get(t, "/"+o.Findings[0].Link).Code)
			return o.Findings[0].Link
		}
		add(ms(700), ms(300), "one")
		add(ms(600), ms(400), "two")
		add(ms(700), ms(300), "three")
		require.Equal(t, "statement?id=two", linked(), "none is retry-bound")
		add(ms(300), ms(700), "four")
		require.Equal(t, "statements?bound=retry-bound&window=5m", linked())
		for range recentKept + slowestKept {
			f.memory.StatementFinished(quick(1))
		}
		require.Equal(t, "statements?bound=retry-bound&window=5m", linked(), "it is among the slowest")
	})
}

func TestTheFindingOnFailuresOfAShapeLeadsToThoseItCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for n := range 9 {
			s := failed()
			if s.StatementID = strconv.Itoa(n); n%3 == 0 {
				s.Outcome, s.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryTimeout}
			}
			f.memory.StatementFinished(s)
			time.Sleep(80 * time.Second)
		}
		var o struct{ Findings []finding }
		f.json(t, "/?format=json", &o)
		i := slices.IndexFunc(o.Findings, func(f finding) bool {
			return strings.Contains(f.Text, "failed in the last 5 min: 2 of 3, syntax_error")
		})
		require.GreaterOrEqual(t, i, 0, o.Findings)
		var l listed
		f.json(t, "/"+o.Findings[i].Link+"&format=json", &l)
		require.Equal(t, 2, l.Found, "neither canceled ones nor earlier ones")
	})
}
