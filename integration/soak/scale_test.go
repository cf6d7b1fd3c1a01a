package soak

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	manyConnectors = 5000
	manyHosts      = 64
)

// TestServe is a service in its own process, so that its memory and goroutines are not measured: see
// startService.
func TestServe(t *testing.T) {
	if os.Getenv("SOAK_SERVE") == "" {
		return // only in a process of its own
	}
	s := newService(time.Hour)
	s.latency = 0
	for _, handler := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) {
			resp, err := s.RoundTrip(r)
			if err == nil {
				_, _ = io.Copy(w, resp.Body)
			}
		},
		func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
	} {
		l, err := net.Listen("tcp4", "0.0.0.0:0")
		require.NoError(t, err)
		fmt.Println(l.Addr().(*net.TCPAddr).Port)
		go func() { _ = http.Serve(l, handler) }()
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent process closes it
}

// startService starts a service that answers on every address of the loopback network, each of which is
// a separate host to a client. On the first port every request succeeds, on the second every request
// hangs.
func startService(t *testing.T) (healthy, hanging int) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestServe$")
	child.Env = append(os.Environ(), "SOAK_SERVE=1")
	stdin, err := child.StdinPipe()
	require.NoError(t, err)
	stdout, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = child.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for _, port := range []*int{&healthy, &hanging} {
		require.True(t, lines.Scan())
		*port, err = strconv.Atoi(lines.Text())
		require.NoError(t, err)
	}
	return healthy, hanging
}

func host(i int) string { return "127.0.1." + strconv.Itoa(1+i%manyHosts) }

// holding is what the process holds at a moment.
type holding struct {
	heap       int64
	goroutines int
}

func held() holding {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holding{int64(m.HeapAlloc), runtime.NumGoroutine()}
}

func (h holding) since(before holding) holding {
	return holding{h.heap - before.heap, h.goroutines - before.goroutines}
}

// per is the share of each of n.
func (h holding) per(n int) (kb, goroutines float64) {
	return float64(h.heap) / float64(n) / 1024, float64(h.goroutines) / float64(n)
}

func TestManyConnectorsToManyHosts(t *testing.T) {
	healthy, hanging := startService(t)
	var table strings.Builder
	table.WriteString("| 5,000 connectors, 64 hosts | KB per host | goroutines per host | bound |\n|---|---|---|---|\n")
	row := func(what string, h holding, boundKB float64) {
		kb, goroutines := h.per(manyHosts)
		bound := ""
		if boundKB > 0 {
			bound = fmt.Sprintf("%.0f MB", boundKB/1024)
			require.LessOrEqual(t, kb, boundKB, what)
		}
		fmt.Fprintf(&table, "| %s | %.0f | %.1f | %s |\n", what, kb, goroutines, bound)
	}

	var x export.Exporter
	before := held()
	open := func(port int, settings telemetry.Settings) []*export.Handle {
		handles := make([]*export.Handle, manyConnectors)
		for i := range handles {
			handles[i] = x.Open(export.Connection{
				Scheme: "http", Host: host(i), Port: port, HTTPPath: "/sql/1.0/warehouses/0123456789abcdef",
				Authenticator: token{}, Credential: "one", UserAgentEntry: "billing/1.2",
				Driver: telemetry.DriverConfig{Version: "1.13.1", AuthMech: "PAT", AuthFlow: "TOKEN_PASSTHROUGH"},
			}, settings)
		}
		return handles
	}
	handles := open(healthy, telemetry.Settings{})
	require.Len(t, x.Stats().Pipelines, manyHosts)
	opened := held().since(before)
	require.LessOrEqual(t, opened.goroutines, 0, "nothing runs before the first record")
	row("opened, nothing recorded", opened, 0)

	// Each connector runs a statement; then each host has ten events a second for a minute.
	for _, h := range handles {
		h.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), SessionID: sessionID})
		h.StatementFinished(detailed())
	}
	require.NoError(t, x.Flush(t.Context()))
	row("all sent, connections still open (15 s)", held().since(before), 2<<10)
	most := holding{}
	flushes := 12
	if raceEnabled {
		flushes = 2
	}
	for range flushes {
		for i := range 50 * manyHosts {
			handles[i%manyHosts].StatementFinished(detailed())
		}
		now := held().since(before)
		most = holding{max(most.heap, now.heap), max(most.goroutines, now.goroutines)}
		require.NoError(t, x.Flush(t.Context()))
	}
	row("steady, ten events a second and host", most, 2<<10)
	st := x.Stats()
	require.EqualValues(t, 2*manyConnectors+flushes*50*manyHosts, st.Sent)
	require.Empty(t, st.Dropped)
	require.EqualValues(t, manyHosts, st.FlagRequests)
	closeAll(handles)
	require.Zero(t, x.Stats().Pipelines)

	// The endpoint hangs, and there is more than the queues hold.
	stuck := open(hanging, telemetry.Settings{ForceEnable: true})
	for i := range 1200 * manyHosts {
		stuck[i%manyHosts].StatementFinished(detailed())
	}
	row("at worst: the endpoint hangs, the queues are full", held().since(before), 10<<10)
	require.GreaterOrEqual(t, x.Stats().Pending, int64(900*manyHosts))
	closeAll(stuck)
	require.Zero(t, x.Stats().Pending)
	eventually.True(t, func() bool {
		return held().since(before).goroutines <= 1 // the one of eventually.True
	})
	row("closed", held().since(before), 0)

	generate(t, "scale", table.String()+connectors(t))
}

// detailed is the record of a statement with many known facts.
func detailed() *telemetry.Statement {
	s := &telemetry.Statement{
		Started: time.Now(), SessionID: sessionID, StatementID: statementID, Kind: telemetry.KindQuery, WorkspaceID: "1234567890123456",
		Execute: 30 * time.Millisecond, Total: 400 * time.Millisecond, RowsRead: telemetry.Known[int64](100_000),
		CloudFetch: &telemetry.CloudFetch{Present: 20, Downloaded: 20, Files: make([]telemetry.File, 20)},
		Calls:      make([]telemetry.Call, 12),
	}
	for _, m := range []string{"ExecuteStatement", "GetOperationStatus", "GetResultSetMetadata", "FetchResults"} {
		s.RPCs = append(s.RPCs, telemetry.RPC{Method: m, Calls: 3, Latency: 20 * time.Millisecond})
	}
	return s
}

// closeAll closes all handles at once, as a process does at its end.
func closeAll(handles []*export.Handle) {
	var wg sync.WaitGroup
	for _, h := range handles {
		wg.Go(func() { _ = h.Close(context.Background()) })
	}
	wg.Wait()
}

// hanging is a service that never answers.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestClosingManyConnectorsTakesNoLongerThanClosingOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var x export.Exporter
		handles := make([]*export.Handle, 20*manyHosts)
		for i := range handles {
			handles[i] = x.Open(export.Connection{
				Scheme: "http", Host: host(i), HTTPPath: "/sql/1.0/warehouses/0123456789abcdef",
				Authenticator: token{}, Credential: "one", Transport: hanging{},
			}, telemetry.Settings{ForceEnable: true})
			handles[i].SessionOpened(&telemetry.SessionOpened{Started: time.Now(), SessionID: sessionID})
			handles[i].StatementFinished(detailed())
		}
		start := time.Now()
		closeAll(handles)
		require.Equal(t, telemetry.Settings{}.WithDefaults().CloseTimeout, time.Since(start))
		require.Zero(t, x.Stats().Pending)
	})
}

// connectors measures the memory and goroutines of a connector, native and wrapped.
func connectors(t *testing.T) string {
	measure := func(open func(...dbsql.ConnOption) (any, error)) holding {
		before := held()
		all := make([]any, manyConnectors)
		for i := range all {
			c, err := open(dbsql.WithServerHostname(host(i)), dbsql.WithPort(443), dbsql.WithHTTPPath("/sql/1.0/warehouses/0123456789abcdef"), dbsql.WithAccessToken("dapi0"))
			require.NoError(t, err)
			all[i] = c
		}
		h := held().since(before)
		for _, c := range all {
			if closer, ok := c.(io.Closer); ok {
				require.NoError(t, closer.Close())
			}
		}
		return h
	}
	native := measure(func(o ...dbsql.ConnOption) (any, error) { return dbsql.NewConnector(o...) })
	wrapped := measure(func(o ...dbsql.ConnOption) (any, error) { return driverwrap.NewConnector(o...) })
	kb0, _ := native.per(manyConnectors)
	kb1, _ := wrapped.per(manyConnectors)
	require.LessOrEqual(t, wrapped.goroutines, 0, "a connector that is not used runs nothing")
	require.LessOrEqual(t, kb1-kb0, 16.0, "KB per connector")
	return fmt.Sprintf("\nA connector takes %.1f KB for the native driver and %.1f KB for this module, and no goroutine.\n", kb0, kb1-kb0)
}
