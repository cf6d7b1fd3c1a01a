package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// asked makes clients ask for the state of every statement.
func asked(o workspace.Options) workspace.Options {
	o.NoDirectResults = true
	return o
}

func describeThenRead(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, statement(sceneRows))
	if err != nil {
		return err
	}
	defer rows.Close()
	_, _ = rows.ColumnTypes()
	for rows.Next() {
	}
	return rows.Err()
}

func describeThenReadArrow(ctx context.Context, db *sql.DB) error {
	return rawly(ctx, db, statement(sceneRows), func(ctx context.Context, rows driver.Rows) (err error) {
		defer rows.Close()
		_ = rows.Columns()
		c, _, err := cursorOf("arrow", rows)
		for err == nil {
			err = c.next()
		}
		if err == io.EOF {
			return nil
		}
		return err
	})
}

func TestRowsThatWereAllReadDidNotFailForTheirDescription(t *testing.T) {
	r, _ := performed(t, scene{opts: asked(filesOfPages), program: describeThenReadArrow, faults: []workspace.Fault{call(1, 0, "GetResultSetMetadata", workspace.Status(403))}})
	require.Equal(t, telemetry.Known(int64(sceneRows)), r.RowsRead)
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.Nil(t, r.Failure)
}

func TestAFileThatFailedIsNoDescriptionThatFailed(t *testing.T) {
	r, v := performed(t, scene{opts: asked(filesOfPages), program: describeThenReadArrow, faults: []workspace.Fault{call(1, 0, "GetResultSetMetadata", workspace.Status(401)), download(0, 1, workspace.Status(404))}})
	require.Equal(t, telemetry.CategoryChunkDownload, r.Failure.Category)
	require.NotContains(t, v.Sentence, "GetResultSetMetadata failed")
}

func TestAPageThatFailedIsNoDescriptionThatFailed(t *testing.T) {
	r, v := performed(t, scene{opts: polledPages, program: describeThenRead, faults: []workspace.Fault{
		call(2, 0, "GetResultSetMetadata", workspace.Status(403)), call(0, 0, "FetchResults", workspace.Latency(10*time.Second)), call(0, 0, "FetchResults", workspace.Status(404)),
	}})
	require.Equal(t, telemetry.CategoryNotFound, r.Failure.Category)
	require.NotContains(t, v.Sentence, "GetResultSetMetadata failed")
}

// The second GetResultSetMetadata was answered.
func TestACallThatWasMadeAgainDidNotFailTheStatement(t *testing.T) {
	_, v := performed(t, scene{opts: working(polledPages, 5*time.Second), program: describeThenRead, faults: []workspace.Fault{call(1, 0, "GetResultSetMetadata", workspace.HalfBody()), call(0, 1, "FetchResults", workspace.Status(403))}})
	require.Contains(t, v.Sentence, "FetchResults failed, last status 403")
	require.NotContains(t, v.Sentence, "GetResultSetMetadata failed")
}

// The server refuses the first GetResultSetMetadata with SQLSTATE 08000, and answers the second.
func TestAStateOfACallThatWasMadeAgainIsNotThatOfTheStatement(t *testing.T) {
	n := 0
	r, _ := performed(t, scene{opts: asked(filesOfPages), program: describeThenRead, faults: []workspace.Fault{download(0, 1, workspace.Status(403))}, through: func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != "POST" || r.Body == nil {
				return base.RoundTrip(r)
			}
			b, _ := io.ReadAll(r.Body)
			if i := bytes.Index(b, []byte("GetResultSetMetadata")); i >= 0 && i < 20 {
				if n++; n == 1 {
					b[bytes.Index(b, []byte{0, 0, 0, 16})+4] ^= 0xff // the statement's id
				}
			}
			r = r.Clone(r.Context())
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			return base.RoundTrip(r)
		})
	}})
	require.Equal(t, telemetry.CategoryChunkDownload, r.Failure.Category)
	require.Empty(t, r.Failure.SQLState)
}

func TestADescriptionIsNoRestOfAnAnswer(t *testing.T) {
	_, v := performed(t, scene{opts: polledPages, reader: "exec", faults: []workspace.Fault{call(1, 0, "ExecuteStatement", workspace.SlowBody(8*time.Second)), call(1, 0, "GetResultSetMetadata", workspace.Latency(10*time.Second))}})
	require.NotContains(t, v.Sentence, "the rest of the answer to ExecuteStatement")
}

func TestTheApplicationHadNoControlDuringACall(t *testing.T) {
	r, _ := performed(t, scene{opts: polledPages, faults: []workspace.Fault{call(1, 0, "GetResultSetMetadata", workspace.Latency(10*time.Second))}, program: func(ctx context.Context, db *sql.DB) error {
		return rawly(ctx, db, statement(sceneRows), func(ctx context.Context, rows driver.Rows) (err error) {
			c, _, err := cursorOf("arrow", rows)
			for err == nil {
				err = c.next()
			}
			elsewhere(5 * time.Second)
			_ = rows.Columns() // 6 s to 16 s
			return rows.Close()
		})
	}})
	for _, l := range explain.TimelineOf(r).Lanes {
		for _, b := range l.Bars {
			if b.Kind == breakdown.BarApplication {
				require.LessOrEqual(t, b.End, 6*time.Second)
			}
		}
	}
}
