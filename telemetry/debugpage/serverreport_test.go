package debugpage

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// started waited for its warehouse to start.
func started() *telemetry.Statement {
	s := quick(14200)
	s.Server, s.RPCs, s.Polling = "dbc.example.com:443", []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}}, telemetry.Known(telemetry.Polling{})
	s.Calls = []telemetry.Call{{Method: "ExecuteStatement", Start: ms(100), FirstByte: telemetry.Known(ms(14190)), End: telemetry.Known(ms(14195)), Status: 200, Attempts: 1}}
	s.Split = telemetry.Split{telemetry.PartServer: ms(14090), telemetry.PartNetwork: ms(110)}
	return s
}

func reportOf(s *telemetry.Statement) *telemetry.ServerReport {
	return &telemetry.ServerReport{
		StatementID: s.StatementID, Total: telemetry.Known(14 * time.Second), Final: true,
		WaitingForCompute: telemetry.Known(11 * time.Second), Compiling: telemetry.Known(ms(600)), Executing: telemetry.Known(ms(2400)), BytesRead: telemetry.Known[int64](40e9),
	}
}

func TestStatementShowsWhatTheWarehouseDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := newFixture(), started()
		f.memory.StatementFinished(s)
		type page struct {
			Verdict   string `json:"verdict"`
			Advice    string `json:"advice"`
			Waterfall struct {
				Note  string `json:"phases_note"`
				Lanes []struct {
					Name   string `json:"name"`
					Within string `json:"within"`
				} `json:"lanes"`
			} `json:"waterfall"`
			Server *struct {
				Causes []struct {
					Sentence string `json:"sentence"`
				} `json:"causes"`
				Phases []struct {
					Name string `json:"name"`
				} `json:"phases"`
			} `json:"server_report"`
		}
		lanes := func(p page) (names []string) {
			for _, l := range p.Waterfall.Lanes {
				names = append(names, l.Within+"/"+l.Name)
			}
			return names
		}
		address, link := "/statement?id="+s.StatementID, `<a href="`+strings.ReplaceAll(s.ProfileURL(), "&", "&amp;")+`" rel="noopener noreferrer">Query profile</a>`

		var p page
		f.json(t, address+"&format=json", &p)
		require.Equal(t, []string{"/call", "/execute"}, lanes(p)[:2])
		require.NotContains(t, lanes(p), "/server")
		require.Empty(t, p.Waterfall.Note)
		require.Nil(t, p.Server)
		require.Contains(t, p.Advice, "telemetry_query_history=slow")
		html := f.html(t, address)
		require.NotContains(t, html, "What the warehouse did")
		require.Contains(t, html, "telemetry_query_history=slow")
		require.Contains(t, html, link)

		f.memory.ServerReported(reportOf(s))
		p = page{}
		f.json(t, address+"&format=json", &p)
		require.Equal(t, []string{"/call", "/execute", "/server", "server/compute", "server/compile", "server/execute"}, lanes(p)[:6])
		require.Contains(t, p.Waterfall.Note, "not when")
		require.Equal(t, "server-bound: 99 % of 14 s waiting for the server: waited 11 s of 14 s for the warehouse to start", p.Verdict)
		require.Equal(t, "waited 11 s of 14 s for the warehouse to start", p.Server.Causes[0].Sentence)
		require.Len(t, p.Server.Phases, 3)
		require.Equal(t, "compute", p.Server.Phases[0].Name)
		html = f.html(t, address)
		require.Equal(t, 1, strings.Count(html, "serverless"), "the verdict has the first cause")
		require.Contains(t, html, "Read 40 GB.")
		require.Contains(t, html, "drawn in their usual order")
		require.Contains(t, html, link)
		require.NotContains(t, html, "telemetry_query_history")
		golden(t, "reported.html", strings.ReplaceAll(strings.Replace(html, style, "/* style.css */", 1), "><", ">\n<"))

		var list struct {
			Statements []struct {
				Verdict string `json:"verdict"`
			} `json:"statements"`
		}
		f.json(t, "/statements?format=json", &list)
		require.Equal(t, p.Verdict, list.Statements[0].Verdict)
	})
}

// Files wait longer than the server: the verdict says nothing of the report, and the section all.
func TestAReportOfAStatementThatWaitedForOthersIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := populated(), downloaded()
		address := "/statement?id=" + s.StatementID
		require.NotContains(t, f.html(t, address), "telemetry_query_history")
		r := reportOf(s)
		r.Total, r.WaitingForCompute, r.Compiling, r.Executing = telemetry.Known(ms(500)), telemetry.Known(ms(400)), telemetry.Known(ms(10)), telemetry.Known(ms(40))
		f.memory.ServerReported(r)
		html := f.html(t, address)
		require.Contains(t, html, "file-bound")
		require.Contains(t, html, "Waited 400 ms of 500 ms for the warehouse to start.")
	})
}

// A statement that was complete after 4.2 s did not wait 11 s: the page shows what the report says, and draws no
// conclusion from it.
func TestAReportThatCannotBeRightIsShownWithoutCauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := populated(), downloaded()
		f.memory.ServerReported(reportOf(s))
		html := f.html(t, "/statement?id="+s.StatementID)
		require.Contains(t, html, "waiting for compute")
		require.NotContains(t, html, "for the warehouse to start")
		require.Contains(t, html, "are not drawn: they add up to 14 s")
	})
}

func TestServerReportsAreBounded(t *testing.T) {
	var s serverReports
	none := func() map[string]bool { return nil }
	for i := range 3 * reportsKept {
		s.add(&telemetry.ServerReport{StatementID: fmt.Sprint(i)}, none)
		if i%3 == 2 { // the same statement again
			s.add(&telemetry.ServerReport{StatementID: fmt.Sprint(i), Final: true}, none)
		}
	}
	require.Len(t, s.all, reportsKept)
	require.Len(t, s.order, reportsKept)
	require.Nil(t, s.of("0"))
	require.True(t, s.of(fmt.Sprint(3*reportsKept-1)).Final)
}

// A statement that is kept among the slowest keeps its report, however many others are reported on.
func TestAKeptStatementKeepsItsReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, s := newMemory(func() []telemetry.Pool { return nil }), started()
		m.StatementFinished(s)
		m.ServerReported(reportOf(s))
		for n := range reportsKept { // telemetry_query_history=all
			fast := quick(20)
			fast.StatementID = fmt.Sprint("fast-", n)
			m.StatementFinished(fast)
			m.ServerReported(&telemetry.ServerReport{StatementID: fast.StatementID, Final: true, Total: telemetry.Known(ms(20))})
		}
		require.Contains(t, m.slowest.records, s)
		require.NotNil(t, m.reports.of(s.StatementID))
	})
}
