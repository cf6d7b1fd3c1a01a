package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v12/arrow/ipc"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reader begins to read a result of that many rows. Next reads on and returns how many rows it got, and
// io.EOF after the last; closing ends the reading and releases the connection.
type reader struct {
	next    func() (int64, error)
	closing func() error
}

var readers = map[string]func(*testing.T, *sql.DB, int) reader{
	"rows": func(t *testing.T, db *sql.DB, n int) reader {
		return readRows(db.Query(statement(n)))
	},
	"rows of a prepared statement": func(t *testing.T, db *sql.DB, n int) reader {
		stmt, err := db.Prepare(statement(n))
		require.NoError(t, err)
		r := readRows(stmt.Query())
		closing := r.closing
		r.closing = func() error { return errors.Join(closing(), stmt.Close()) }
		return r
	},
	"Arrow records": func(t *testing.T, db *sql.DB, n int) reader {
		c, rows := rawRows(t, db, n)
		it, err := rows.GetArrowBatches(context.Background())
		require.NoError(t, err)
		return reader{
			next: func() (int64, error) {
				if !it.HasNext() {
					return 0, io.EOF
				}
				record, err := it.Next()
				if err != nil {
					return 0, err
				}
				defer record.Release()
				return record.NumRows(), nil
			},
			closing: func() error { it.Close(); return errors.Join(rows.Close(), c.Close()) },
		}
	},
	"Arrow streams": func(t *testing.T, db *sql.DB, n int) reader {
		c, rows := rawRows(t, db, n)
		it, err := rows.GetArrowIPCStreams(context.Background())
		require.NoError(t, err)
		return reader{
			next: func() (n int64, err error) {
				if !it.HasNext() {
					return 0, io.EOF
				}
				stream, err := it.Next()
				if err != nil {
					return 0, err
				}
				records, err := ipc.NewReader(stream)
				if err != nil {
					return 0, err
				}
				defer records.Release()
				for records.Next() {
					n += records.Record().NumRows()
				}
				return n, records.Err()
			},
			closing: func() error { it.Close(); return errors.Join(rows.Close(), c.Close()) },
		}
	},
}

func readRows(rows *sql.Rows, err error) reader {
	return reader{
		next: func() (int64, error) {
			if err != nil {
				return 0, err
			}
			if rows.Next() {
				return 1, nil
			}
			if err := rows.Err(); err != nil {
				return 0, err
			}
			return 0, io.EOF
		},
		closing: func() error { return rows.Close() },
	}
}

// arrowRows are rows as seen by callers of sql.Conn.Raw.
type arrowRows interface {
	driver.Rows
	dbsqlrows.Rows
}

func rawRows(t *testing.T, db *sql.DB, n int) (c *sql.Conn, rows arrowRows) {
	c, err := db.Conn(context.Background())
	require.NoError(t, err)
	require.NoError(t, c.Raw(func(conn any) error {
		r, err := conn.(driver.QueryerContext).QueryContext(context.Background(), statement(n), nil)
		if err != nil {
			return err
		}
		rows = r.(arrowRows)
		return nil
	}))
	return c, rows
}

// closedWhileInUse are the databases of a workspace that are closed while rows are read.
func closedWhileInUse(cfg driverwrap.Config) []entryPoint {
	return []entryPoint{
		{"OpenConnector", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			c, err := cfg.OpenConnector(ws.DSN())
			require.NoError(t, err)
			return sql.OpenDB(c)
		}},
		{"NewConnector", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			c, err := cfg.NewConnector(options(ws)...)
			require.NoError(t, err)
			return sql.OpenDB(c)
		}},
		{"Wrap", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			return sql.OpenDB(cfg.Wrap(nativeConnector(t, ws.DSN("enableTelemetry=false"))))
		}},
	}
}

// finished returns the records so far.
func (m *memory) finished() []*telemetry.Statement {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.statements)
}

// ended waits for the record of the only session, which is the last, and returns it with the
// statements.
func (m *memory) ended(t *testing.T) (*telemetry.SessionClosed, []*telemetry.Statement) {
	t.Helper()
	eventually.True(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.closed) > 0
	})
	require.Len(t, m.closed, 1)
	return m.closed[0], m.finished()
}

// reports reports whether the exporter has a pipeline to a workspace.
func reports(ws *workspace.Workspace) bool {
	for _, p := range telemetry.ReadStats().Export.Pipelines {
		if p.Server == ws.URL() {
			return true
		}
	}
	return false
}

func TestRowsThatAreReadOnAfterTheDatabaseIsClosedAreRecordedAsTheyEnd(t *testing.T) {
	const n = 1000
	ends := map[string]telemetry.Outcome{"to their end": telemetry.OutcomeCompleted, "closed early": telemetry.OutcomeClosedEarly}
	for how, opts := range map[string]workspace.Options{
		"inline": {TelemetryFlag: workspace.FlagOn, CloudFetchThreshold: -1, PageRows: 100, BatchRows: 40},
		"files":  {TelemetryFlag: workspace.FlagOn, CloudFetchThreshold: 1, FileRows: 60, LinksPerPage: 3},
	} {
		for name, begin := range readers {
			for end, outcome := range ends {
				for i, entry := range closedWhileInUse(driverwrap.Config{}) {
					t.Run(entry.name+"/"+how+"/"+name+"/"+end, func(t *testing.T) {
						ws := workspace.New(t, opts)
						sink := &memory{}
						db := closedWhileInUse(driverwrap.Config{Sinks: []telemetry.Sink{sink}})[i].open(t, ws)
						r := begin(t, db, n)
						var read int64
						for read < n/4 {
							got, err := r.next()
							require.NoError(t, err)
							read += got
						}
						require.NoError(t, db.Close())
						require.Empty(t, sink.finished(), "nothing has ended")
						require.Equal(t, entry.name != "Wrap", reports(ws))
						for outcome == telemetry.OutcomeCompleted {
							got, err := r.next()
							if err == io.EOF {
								break
							}
							require.NoError(t, err)
							read += got
						}
						require.NoError(t, r.closing())

						session, statements := sink.ended(t)
						require.Zero(t, session.Abandoned)
						require.Len(t, statements, 1)
						s := statements[0]
						require.Equal(t, outcome, s.Outcome)
						switch streams, arrived := name == "Arrow streams", outcome == telemetry.OutcomeCompleted && entry.name != "Wrap"; {
						case streams && arrived: // and the rows are not decoded here
							require.Equal(t, telemetry.Known[int64](n), s.RowsRead)
							require.Equal(t, telemetry.EvidenceWire, s.RowsEvidence)
						case streams:
							require.Equal(t, telemetry.Maybe[int64]{}, s.RowsRead)
						default:
							require.Equal(t, telemetry.Known(read), s.RowsRead)
							require.Empty(t, s.RowsEvidence)
						}
						if outcome == telemetry.OutcomeCompleted {
							require.EqualValues(t, n, read)
						}
						eventually.True(t, func() bool { return !reports(ws) }, "the last connection ends the report")
						if entry.name != "Wrap" {
							require.Equal(t, map[string]int{"CREATE_SESSION": 1, "EXECUTE_STATEMENT": 1, "CLOSE_STATEMENT": 1, "DELETE_SESSION": 1}, operations(ws))
						}
						require.Empty(t, ws.TelemetryErrors())
					})
				}
			}
		}
	}
}

func TestRowsAbandonedAfterTheDatabaseIsClosedAreReported(t *testing.T) {
	for name, begin := range readers {
		for i, entry := range closedWhileInUse(driverwrap.Config{}) {
			t.Run(entry.name+"/"+name, func(t *testing.T) {
				ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, CloudFetchThreshold: -1, PageRows: 100, BatchRows: 40})
				sink := &memory{}
				db := closedWhileInUse(driverwrap.Config{Sinks: []telemetry.Sink{sink}})[i].open(t, ws)
				r := begin(t, db, 1000)
				_, err := r.next()
				require.NoError(t, err)
				require.NoError(t, db.Close())
				runtime.GC()
				require.Empty(t, sink.finished(), "they can still be read")
				runtime.KeepAlive(r)
				if name == "rows of a prepared statement" {
					db = nil // it keeps the rows
				}
				r = reader{}
				eventually.True(t, func() bool { runtime.GC(); return len(sink.finished()) == 1 })
				require.Equal(t, telemetry.OutcomeAbandoned, sink.finished()[0].Outcome)
				eventually.True(t, func() bool { return !reports(ws) }, "nothing more is to come of the connection")
				if entry.name != "Wrap" {
					require.Equal(t, map[string]int{"CREATE_SESSION": 1, "EXECUTE_STATEMENT": 1}, operations(ws))
				}
				runtime.KeepAlive(db)
			})
		}
	}
}

// A connection that is closed beneath its rows ends their statement: its session is over.
func TestAConnectionThatIsClosedBeneathItsRowsAbandonsThem(t *testing.T) {
	for i, entry := range closedWhileInUse(driverwrap.Config{}) {
		for _, after := range []bool{false, true} {
			t.Run(entry.name, func(t *testing.T) {
				ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, CloudFetchThreshold: -1, PageRows: 100, BatchRows: 40})
				sink := &memory{}
				db := closedWhileInUse(driverwrap.Config{Sinks: []telemetry.Sink{sink}})[i].open(t, ws)
				c, rows := rawRows(t, db, 1000)
				require.NoError(t, rows.Next(make([]driver.Value, 2)))
				if after {
					require.NoError(t, db.Close())
					require.NoError(t, c.Close())
				} else {
					require.NoError(t, c.Close()) // back to the pool
					require.Empty(t, sink.finished())
					require.NoError(t, db.Close())
				}
				session, statements := sink.ended(t)
				require.EqualValues(t, 1, session.Abandoned)
				require.Len(t, statements, 1)
				require.Equal(t, telemetry.OutcomeAbandoned, statements[0].Outcome)
				require.Equal(t, telemetry.Known[int64](1), statements[0].RowsRead)
				_ = rows.Close() // no longer affects the record
				require.Len(t, sink.finished(), 1)
			})
		}
	}
}

// The driver's Arrow readers end without an error if a page is missing.
func TestAnArrowReaderThatEndsBeforeTheResultDoesIsNotCompleted(t *testing.T) {
	for _, name := range []string{"Arrow records", "Arrow streams"} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 100, BatchRows: 40})
			ws.Inject(workspace.Fault{On: workspace.Method("FetchResults"), First: 100, Do: workspace.HalfBody()})
			sink := &memory{}
			db := closedWhileInUse(driverwrap.Config{Sinks: []telemetry.Sink{sink}})[0].open(t, ws)
			r := readers[name](t, db, 1000)
			var read int64
			var err error
			for err == nil {
				var got int64
				got, err = r.next()
				read += got
			}
			require.Less(t, read, int64(1000))
			_ = r.closing()
			require.NoError(t, db.Close())
			require.Len(t, sink.finished(), 1)
			require.NotEqual(t, telemetry.OutcomeCompleted, sink.finished()[0].Outcome)
		})
	}
}
