package workspace_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// raw makes one RPC and returns the bytes of its answer.
func raw[Req any](c *client, method string, req *Req) []byte {
	c.t.Helper()
	resp, body := c.post(wire.AppendCall(nil, method, c.seq.Add(1), req))
	require.Equal(c.t, http.StatusOK, resp.StatusCode, "%s", body)
	return body
}

// statement is a request to run a statement, as current clients send it.
func statement(s *wire.SessionHandle, sql string, change ...func(*wire.ExecuteStatementReq)) *wire.ExecuteStatementReq {
	yes := true
	req := &wire.ExecuteStatementReq{
		SessionHandle: s, Statement: sql, RunAsync: true, CanReadArrowResult: &yes,
		CanDownloadResult: &yes, CanDecompressLZ4: &yes, GetDirectResults: &wire.GetDirectResults{MaxRows: 1000},
	}
	for _, f := range change {
		f(req)
	}
	return req
}

func columnar(r *wire.ExecuteStatementReq) { r.CanReadArrowResult = nil }

// scenarios make the answers that README.md lists, by method and case.
var scenarios = map[string]struct {
	opts workspace.Options
	ask  func(c *client) []byte
}{
	"OpenSession, success": {ask: func(c *client) []byte { return raw(c, "OpenSession", &wire.OpenSessionReq{}) }},
	"OpenSession, failure": {ask: func(c *client) []byte {
		nowhere := "nowhere"
		return raw(c, "OpenSession", &wire.OpenSessionReq{InitialNamespace: &wire.Namespace{CatalogName: &nowhere}})
	}},
	"CloseSession, success": {ask: func(c *client) []byte {
		return raw(c, "CloseSession", &wire.CloseSessionReq{SessionHandle: c.open()})
	}},
	"ExecuteStatement, direct results, Arrow": {ask: func(c *client) []byte {
		return raw(c, "ExecuteStatement", statement(c.open(), "SELECT 1"))
	}},
	"ExecuteStatement, direct results, columns": {ask: func(c *client) []byte {
		return raw(c, "ExecuteStatement", statement(c.open(), "SELECT 1", columnar))
	}},
	"ExecuteStatement, direct results, CloudFetch": {
		opts: workspace.Options{CloudFetchThreshold: 1},
		ask: func(c *client) []byte {
			return raw(c, "ExecuteStatement", statement(c.open(), "SELECT id FROM range(9)"))
		},
	},
	"ExecuteStatement, direct results, more pages": {
		opts: workspace.Options{PageRows: 1},
		ask: func(c *client) []byte {
			return raw(c, "ExecuteStatement", statement(c.open(), "SELECT id FROM range(9)"))
		},
	},
	"ExecuteStatement, direct results, DML": {ask: func(c *client) []byte {
		s := c.open()
		c.execute(s, "CREATE TABLE t (a INT)")
		return raw(c, "ExecuteStatement", statement(s, "INSERT INTO t VALUES (1)"))
	}},
	"ExecuteStatement, still running": {
		opts: workspace.Options{DirectResultWait: -1, Warehouses: []workspace.Warehouse{{Stopped: true, StartTime: -1}}},
		ask:  func(c *client) []byte { return raw(c, "ExecuteStatement", statement(c.open(), "SELECT 1")) },
	},
	"ExecuteStatement, failure at once": {ask: func(c *client) []byte {
		return raw(c, "ExecuteStatement", statement(c.open(), "SELECT * FROM nowhere"))
	}},
	"ExecuteStatement, failure at once, Options.FailuresByHandle": {
		opts: workspace.Options{FailuresByHandle: true},
		ask: func(c *client) []byte {
			return raw(c, "ExecuteStatement", statement(c.open(), "SELECT * FROM nowhere"))
		},
	},
	"ExecuteStatement, timed out": {
		opts: workspace.Options{StatementTimeout: time.Nanosecond},
		ask:  func(c *client) []byte { return raw(c, "ExecuteStatement", statement(c.open(), "SELECT 1")) },
	},
	"ExecuteStatement, without direct results": {
		opts: workspace.Options{NoDirectResults: true},
		ask:  func(c *client) []byte { return raw(c, "ExecuteStatement", statement(c.open(), "SELECT 1")) },
	},
	"GetOperationStatus, finished":      {ask: func(c *client) []byte { return status(c, "SELECT 1", "FINISHED") }},
	"GetOperationStatus, finished, DML": {ask: func(c *client) []byte { return status(c, "INSERT INTO t VALUES (1)", "FINISHED") }},
	"GetOperationStatus, failed":        {ask: func(c *client) []byte { return status(c, "SELECT * FROM nowhere", "ERROR") }},
	"GetOperationStatus, finished, Options.ServerTimes": {
		opts: workspace.Options{ServerTimes: true},
		ask:  func(c *client) []byte { return status(c, "SELECT 1", "FINISHED") },
	},
	"GetOperationStatus, running": {
		opts: workspace.Options{Warehouses: []workspace.Warehouse{{Stopped: true, StartTime: -1}}},
		ask: func(c *client) []byte {
			op := call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(c.open(), "SELECT 1", noDirectResults)).OperationHandle
			return raw(c, "GetOperationStatus", &wire.GetOperationStatusReq{OperationHandle: op})
		},
	},
	"GetResultSetMetadata, Arrow": {opts: workspace.Options{PageRows: 1}, ask: func(c *client) []byte {
		return raw(c, "GetResultSetMetadata", &wire.GetResultSetMetadataReq{OperationHandle: twoRows(c)})
	}},
	"FetchResults, Arrow": {opts: workspace.Options{PageRows: 1}, ask: func(c *client) []byte {
		return raw(c, "FetchResults", &wire.FetchResultsReq{OperationHandle: twoRows(c), MaxRows: 1})
	}},
	"CancelOperation, success": {opts: workspace.Options{PageRows: 1}, ask: func(c *client) []byte {
		return raw(c, "CancelOperation", &wire.CancelOperationReq{OperationHandle: twoRows(c)})
	}},
	"CloseOperation, success": {opts: workspace.Options{PageRows: 1}, ask: func(c *client) []byte {
		return raw(c, "CloseOperation", &wire.CloseOperationReq{OperationHandle: twoRows(c)})
	}},
	"CloseOperation, closed by the server": {ask: func(c *client) []byte {
		op := c.execute(c.open(), "SELECT 1").OperationHandle
		return raw(c, "CloseOperation", &wire.CloseOperationReq{OperationHandle: op})
	}},
}

func noDirectResults(r *wire.ExecuteStatementReq) { r.GetDirectResults = nil }

// twoRows runs a statement that has one page of one row left.
func twoRows(c *client) *wire.OperationHandle {
	return c.execute(c.open(), "SELECT id FROM range(2)").OperationHandle
}

// status is the status of a statement that has ended.
func status(c *client, sql, end string) []byte {
	s := c.open()
	c.execute(s, "CREATE TABLE IF NOT EXISTS t (a INT)")
	op := call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(s, sql, noDirectResults)).OperationHandle
	eventually.True(c.t.(*testing.T), func() bool {
		all := c.ws.Statements()
		return all[len(all)-1].State == end
	})
	return raw(c, "GetOperationStatus", &wire.GetOperationStatusReq{OperationHandle: op})
}

// readmeTable returns the cells of the table in README.md whose header begins with a given cell, row by
// row.
func readmeTable(t *testing.T, head string) (rows [][]string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(readme), "| "+head+" |")
	require.True(t, found, head)
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		rows = append(rows, cells)
	}
	return rows
}

func code(cell string) string { return strings.Trim(cell, "`") }

// TestAnswersAreThoseOfTheTable compares the table of README.md with the bytes of every answer it
// lists.
func TestAnswersAreThoseOfTheTable(t *testing.T) {
	missing := map[string]bool{}
	for name := range scenarios {
		missing[name] = true
	}
	for _, row := range readmeTable(t, "method") {
		require.Len(t, row, 4)
		name := row[0] + ", " + row[1]
		s, ok := scenarios[name]
		require.True(t, ok, "%s is in the table and made by no test", name)
		delete(missing, name)
		t.Run(name, func(t *testing.T) {
			c := newClient(t, start(t, s.opts))
			assert.Equal(t, code(row[2]), answer(t, s.ask(c)))
			assert.Regexp(t, `^(recorded|documented|assumed)\b`, row[3])
		})
	}
	assert.Empty(t, missing, "answers the table does not list")
}

// TestHeadersAreThoseOfTheTable does the same for complete HTTP answers.
func TestHeadersAreThoseOfTheTable(t *testing.T) {
	ws := start(t, workspace.Options{CloudFetchThreshold: 1})
	c := newClient(t, ws)
	execute := wire.AppendCall(nil, "ExecuteStatement", 1, statement(c.open(), "SELECT id FROM range(9)"))
	answers := map[string]func() *http.Response{
		"Thrift": func() *http.Response { resp, _ := c.post(execute); return resp },
		"wrong credential": func() *http.Response {
			resp, _ := c.do(http.MethodPost, ws.URL()+ws.HTTPPath(), execute, http.Header{"Authorization": {"Bearer wrong"}})
			return resp
		},
		"other refusal": func() *http.Response {
			f := ws.Inject(workspace.Fault{Do: workspace.Status(503)})
			defer f.Remove()
			resp, _ := c.post(execute)
			return resp
		},
		"result file": func() *http.Response {
			link := c.execute(c.open(), "SELECT id FROM range(9)", download).DirectResults.ResultSet.Results.ResultLinks[0]
			resp, _ := c.do(http.MethodGet, link.FileLink, nil, nil)
			return resp
		},
	}
	rows := readmeTable(t, "answer")
	require.Len(t, rows, len(answers))
	for _, row := range rows {
		require.Contains(t, answers, row[0])
		resp := answers[row[0]]()
		assert.Equal(t, row[1], strings.TrimSpace(resp.Status[:3]+" "+resp.Header.Get("Content-Type")), row[0])
		var names []string
		for name := range resp.Header {
			if name != "Content-Type" && name != "Content-Length" {
				names = append(names, strings.ToLower(name))
			}
		}
		slices.Sort(names)
		assert.Equal(t, code(row[2]), strings.Join(names, " "), row[0])
	}
}
