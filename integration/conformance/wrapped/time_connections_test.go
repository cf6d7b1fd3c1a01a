package wrapped

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// limited has one connection to the workspace, behind a transport of the application's.
func limited(direct bool) func(http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		tr := base.(*http.Transport).Clone()
		tr.MaxConnsPerHost = 1
		if direct {
			return tr
		}
		return roundTripper(tr.RoundTrip)
	}
}

func TestAPageThatWaitsForTheConnectionOfAnotherStatementIsNotSlow(t *testing.T) {
	for _, direct := range []bool{true, false} {
		o := inlinePages
		o.DirectResultWait = time.Hour
		o.ExecutionTime = func(sql string) time.Duration {
			if sql == statement(1) {
				return 20 * time.Second
			}
			return 0
		}
		s := scene{entry: "NewConnector", reader: "rows", opts: o, through: limited(direct), program: func(ctx context.Context, db *sql.DB) error {
			a, err := db.Conn(ctx)
			if err != nil {
				return err
			}
			defer a.Close()
			var wg sync.WaitGroup
			defer wg.Wait()
			wg.Go(func() {
				elsewhere(2 * time.Second)
				_, _ = drain(db.QueryContext(ctx, statement(1)))
			})
			rows, err := a.QueryContext(ctx, statement(sceneRows))
			if err != nil {
				return err
			}
			defer rows.Close()
			for i := 0; rows.Next(); i++ {
				if i == 10 {
					elsewhere(5 * time.Second)
				}
			}
			return rows.Err()
		}}
		got := s.perform(t)
		for _, r := range append(got.others, got.record) {
			v := explain.Of(r)
			t.Log(direct, v.Sentence, r.Split)
			if r.RowsRead.Or(0) == sceneRows {
				require.Zero(t, r.Split[telemetry.PartPage], v.Sentence)
				require.Equal(t, 17*time.Second, r.Split[telemetry.PartNetwork])
			}
		}
	}
}

// Transports keep two idle connections by default: with more statements at once, each call may wait for a
// new one.
func TestAPageThatWaitsForANewConnectionBesideOtherStatementsIsNotSlow(t *testing.T) {
	o := inlinePages
	for _, direct := range []bool{true, false} {
		s := scene{entry: "NewConnector", reader: "rows", opts: o, through: func(base http.RoundTripper) http.RoundTripper {
			tr := base.(*http.Transport).Clone()
			dial := tr.DialContext
			tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				elsewhere(3 * time.Second)
				return dial(ctx, network, address)
			}
			tr.MaxIdleConnsPerHost = 2
			if direct {
				return tr
			}
			return roundTripper(tr.RoundTrip)
		}, faults: []workspace.Fault{call(0, 0, "ExecuteStatement", workspace.Latency(time.Second)), call(0, 0, "FetchResults", workspace.Latency(300*time.Millisecond))}, program: func(ctx context.Context, db *sql.DB) error {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					elsewhere(time.Duration(i) * 10 * time.Millisecond)
					rows, err := db.QueryContext(ctx, statement(sceneRows))
					if err != nil {
						return
					}
					defer rows.Close()
					for i := 0; rows.Next(); i++ {
						if i == 10 {
							elsewhere(500 * time.Millisecond)
						}
					}
				})
			}
			wg.Wait()
			return nil
		}}
		got := s.perform(t)
		for _, r := range append(got.others, got.record) {
			v := explain.Of(r)
			t.Log(direct, v.Sentence, r.Split)
			require.Equal(t, 600*time.Millisecond, r.Split[telemetry.PartPage], v.Sentence)
		}
	}
}

// The application's transport opens one connection to the storage, through which four files of 2 s come one after the
// other, however many are requested.
func TestFilesMayWaitForConnectionsOfTheApplicationsTransport(t *testing.T) {
	r, v := performed(t, scene{opts: filesOfPages, threads: 4, through: limited(true), query: statement(4 * pageRows), faults: []workspace.Fault{download(0, 0, workspace.Latency(2*time.Second))}})
	require.Equal(t, 8*time.Second, r.Split[telemetry.PartFile])
	require.Contains(t, v.Advice, "MaxConnsPerHost of the application's own transport")
}

// The driver does not read the body of a refusal: its connection is closed.
func TestACallAfterARefusalMayWaitForANewConnection(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, through: dialing(3*time.Second, time.Minute), faults: []workspace.Fault{call(0, 1, "FetchResults", workspace.Status(403))}})
	require.Zero(t, r.Split[telemetry.PartClose], v.Sentence)
	require.Equal(t, 3*time.Second, r.Split[telemetry.PartNetwork])
}

func TestClosingAnExecMayWaitForANewConnection(t *testing.T) {
	r, v := performed(t, scene{opts: polledPages, reader: "exec", query: "SELECT 1 AS id", through: dialing(3*time.Second, 0)})
	closing := r.RPCs[len(r.RPCs)-1]
	require.Equal(t, "CloseOperation", closing.Method)
	require.Equal(t, 3*time.Second, closing.Connecting)
	require.Zero(t, r.Split[telemetry.PartClose], v.Sentence)
}

// A status call that waits for a connection is not one that the workspace answers late, nor does it mean
// that the server works all that time. If it then finds the server at work, the call is not why the
// statement was slow.
func TestAStatusCallThatWaitsForAConnectionIsSaidToWait(t *testing.T) {
	for _, works := range []time.Duration{500 * time.Millisecond, time.Hour} {
		for _, reports := range []bool{true, false} {
			o := working(polledPages, works)
			o.ServerTimes = reports
			got := scene{entry: "NewConnector", reader: "driver rows", opts: o, at: 15 * time.Second, cancel: works == time.Hour, through: func(base http.RoundTripper) http.RoundTripper {
				tr := base.(*http.Transport).Clone()
				dial, n := tr.DialContext, 0
				tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					if n++; n == 3 { // after those of OpenSession and ExecuteStatement
						elsewhere(20 * time.Second)
					}
					return dial(ctx, network, address)
				}
				tr.DisableKeepAlives = true
				return tr
			}}.perform(t)
			v := explain.Of(got.look)
			require.Contains(t, v.Sentence, "a status call waited for a network connection for 14 s")
			require.Contains(t, v.Advice, "DNS")
			if v = explain.Of(got.record); works == time.Hour {
				require.Contains(t, v.Sentence, "last seen RUNNING")
				continue
			}
			require.Contains(t, v.Sentence, "a status call waited for a network connection for 20 s")
			require.NotContains(t, v.Advice, "larger warehouse")
			require.NotContains(t, v.Advice, "poll interval")
		}
	}
}
