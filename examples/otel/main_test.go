package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outcome is what the load did.
type outcome struct{ statements, rows int64 }

// start runs the example until the test ends, and its load for some rounds, once begin is
// called.
func start(t *testing.T, rounds int) (address string, begin func(), done <-chan outcome) {
	t.Setenv("DATABRICKS_DSN", "")
	serving, finished, ended := make(chan string, 1), make(chan outcome, 1), make(chan error, 1)
	begun, begin := context.WithCancel(context.Background())
	p := program{
		listen: "127.0.0.1:0", rounds: rounds, out: io.Discard,
		serving: func(address string) { serving <- address; <-begun.Done() },
		done:    func(statements, rows int64) { finished <- outcome{statements, rows} },
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- p.run(ctx) }()
	t.Cleanup(func() {
		stop()
		begin()
		require.NoError(t, <-ended)
	})
	select {
	case address = <-serving:
	case err := <-ended:
		ended <- err
		require.NoError(t, err)
	}
	return address, begin, finished
}

// Everything from the driver to the dashboard: what Prometheus has scraped equals what the
// load did, and every expression of the dashboard finds its series.
func TestPrometheusAndTheDashboardShowWhatTheLoadDid(t *testing.T) {
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		require.Empty(t, os.Getenv("REQUIRE_TOOLS"), "prometheus is not installed")
		t.Skip("prometheus is not installed")
	}
	const rounds = 5 // a second each and more, so that there are some between two scrapes
	address, begin, done := start(t, rounds)
	p := startPrometheus(t, binary, address)
	p.eventually(t, `up`, 1)
	begin()
	want := <-done

	calls := `sum(db_client_operation_duration_seconds_count)`
	p.eventually(t, calls, float64(want.statements))
	p.eventually(t, `sum(databricks_client_statement_duration_seconds_count)`, float64(want.statements))
	p.eventually(t, `sum(db_client_response_returned_rows_sum)`, float64(want.rows))
	p.eventually(t, `sum(db_client_operation_duration_seconds_count{db_operation_name="PING"})`, rounds)
	p.eventually(t, `sum(db_client_operation_duration_seconds_count{error_type="42601"})`, rounds)
	p.eventually(t, `sum(db_client_operation_duration_seconds_count{error_type="42P01"})`, rounds)
	p.eventually(t, `sum(db_client_connection_max{db_client_connection_pool_name="example"})`, 3)
	p.eventually(t, `sum(databricks_client_telemetry_incidents_total) or vector(0)`, 0)
	p.eventually(t, `abs(sum(databricks_client_statement_time_seconds_total) - sum(databricks_client_statement_duration_seconds_sum)) < bool 0.001`, 1)

	for _, panel := range dashboard(t).Panels {
		for _, target := range panel.Targets {
			expr := strings.NewReplacer("$__rate_interval", "1m", "$__range", "1h", "$server", ".*").Replace(target.Expr)
			p.found(t, panel.Title, expr)
		}
	}
}

type panel struct {
	Title   string
	Type    string
	Targets []struct{ Expr string }
}

// dashboard reads grafana.json.
func dashboard(t *testing.T) (d struct {
	Panels     []panel
	Templating struct{ List []struct{ Name, Type string } }
}) {
	raw, err := os.ReadFile("grafana.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &d))
	return d
}

func TestTheDashboardCanBeImported(t *testing.T) {
	d := dashboard(t)
	require.Equal(t, "datasource", d.Templating.List[0].Type)
	titles, expressions := map[string]bool{}, 0
	for _, p := range d.Panels {
		require.False(t, titles[p.Title], "twice: %s", p.Title)
		titles[p.Title] = true
		require.Equal(t, p.Type == "row", len(p.Targets) == 0, p.Title)
		expressions += len(p.Targets)
	}
	require.Greater(t, expressions, 25)
}

// server is a Prometheus that scrapes the example.
type server struct{ url string }

func startPrometheus(t *testing.T, binary, target string) server {
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: example, static_configs: [{targets: ["%s"]}]}]
`, target), 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listen := l.Addr().String()
	require.NoError(t, l.Close())

	logged, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	command := exec.Command(binary, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+listen, "--log.level=warn")
	command.Stdout, command.Stderr = logged, logged
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		_ = logged.Close()
		if raw, err := os.ReadFile(logged.Name()); err == nil && t.Failed() {
			t.Logf("prometheus said:\n%s", raw)
		}
	})
	return server{"http://" + listen}
}

// query returns the values of an expression now. While Prometheus starts it is an error.
func (s server) query(expr string) (values []float64, err error) {
	response, err := http.Get(s.url + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("%s: %s", expr, answer.Error)
	}
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// try looks for something ten times a second, until it is found or the test's time is almost
// up.
func try(t *testing.T, found func() bool) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !found() {
		now := <-look.C
		if end, bounded := t.Deadline(); bounded && now.After(end.Add(-10*time.Second)) {
			return
		}
	}
}

// eventually waits for an expression to have one value.
func (s server) eventually(t *testing.T, expr string, want float64) {
	t.Helper()
	var got []float64
	var err error
	try(t, func() bool {
		got, err = s.query(expr)
		return err == nil && len(got) == 1 && got[0] == want
	})
	require.NoError(t, err, expr)
	require.Equal(t, []float64{want}, got, expr)
}

// found waits for an expression to have values that are numbers.
func (s server) found(t *testing.T, panel, expr string) {
	t.Helper()
	var got []float64
	var err error
	isNumber := func(v float64) bool { return !math.IsNaN(v) } // an idle histogram has NaN
	try(t, func() bool {
		got, err = s.query(expr)
		return slices.ContainsFunc(got, isNumber) ||
			err != nil && strings.Contains(err.Error(), expr) // it will not get better
	})
	require.NoError(t, err, panel)
	require.True(t, slices.ContainsFunc(got, isNumber), "%s: %s gives %v", panel, expr, got)
}
