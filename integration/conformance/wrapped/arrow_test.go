package wrapped

import (
	"io"
	"testing"
	"time"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// TestWhatArrowReadersDoIsKnown has applications that use each method of an Arrow reader, in different
// orders. In some of these methods the driver fetches pages and closes the statement; others report no
// failure.
func TestWhatArrowReadersDoIsKnown(t *testing.T) {
	inline := workspace.Options{CloudFetchThreshold: -1, PageRows: pageRows, NoDirectResults: true}
	onePage := workspace.Options{CloudFetchThreshold: -1, PageRows: sceneRows, BatchRows: pageRows}
	files := workspace.Options{CloudFetchThreshold: 1, FileRows: pageRows, LinksPerPage: -1, NoDirectResults: true}
	fails := func(method string, skip int) []workspace.Fault {
		return []workspace.Fault{{On: workspace.Method(method), Skip: skip, Do: workspace.Status(403)}}
	}
	takes := func(on workspace.Target) []workspace.Fault {
		return []workspace.Fault{{On: on, First: 1, Do: workspace.Latency(2 * time.Second)}}
	}
	next := func(it dbsqlrows.ArrowBatchIterator) error {
		record, err := it.Next()
		if err == nil {
			record.Release()
		}
		return err
	}
	untilEOF := func(it dbsqlrows.ArrowBatchIterator) (err error) {
		for err == nil {
			err = next(it)
		}
		if err == io.EOF {
			return nil
		}
		return err
	}
	schemaFirst := func(it dbsqlrows.ArrowBatchIterator) error {
		if _, err := it.Schema(); err != nil {
			return err
		}
		return untilEOF(it)
	}
	closes := func(it dbsqlrows.ArrowBatchIterator) error {
		err := next(it)
		it.Close()
		return err
	}
	for name, test := range map[string]struct {
		scene    scene
		outcome  telemetry.Outcome
		part     telemetry.Maybe[telemetry.Part] // unknown: any
		category telemetry.Category
		rows     int64
	}{
		"Next until EOF": {
			scene: scene{opts: inline, batches: untilEOF}, outcome: telemetry.OutcomeCompleted, rows: sceneRows,
		},
		"Next until EOF, which a failed page is to the driver": {
			scene: scene{opts: inline, batches: untilEOF, faults: fails("FetchResults", 1)}, outcome: telemetry.OutcomeFailed, category: telemetry.CategoryPermission, rows: pageRows,
		},
		"the schema waits for a page": {
			scene: scene{opts: inline, batches: schemaFirst, faults: takes(workspace.Method("FetchResults"))}, outcome: telemetry.OutcomeCompleted, part: telemetry.Known(telemetry.PartPage), rows: sceneRows,
		},
		"the schema waits for a file": {
			scene: scene{opts: files, batches: schemaFirst, faults: takes(workspace.ResultDownloads())}, outcome: telemetry.OutcomeCompleted, part: telemetry.Known(telemetry.PartFile), rows: sceneRows,
		},
		"the schema cannot be had": {
			scene: scene{opts: inline, batches: schemaFirst, faults: fails("FetchResults", 0)}, outcome: telemetry.OutcomeFailed, category: telemetry.CategoryPermission,
		},
		"the file of the schema cannot be had": {
			scene: scene{opts: files, batches: schemaFirst, faults: []workspace.Fault{{On: workspace.ResultDownloads(), Do: workspace.Status(403)}}}, outcome: telemetry.OutcomeFailed, category: telemetry.CategoryChunkDownload,
		},
		"the reader closes the statement": {
			scene: scene{opts: inline, batches: closes, faults: takes(workspace.Method("CloseOperation"))}, outcome: telemetry.OutcomeClosedEarly, part: telemetry.Known(telemetry.PartClose), rows: pageRows,
		},
		"a closed reader has no more": {
			scene: scene{opts: onePage, batches: func(it dbsqlrows.ArrowBatchIterator) (err error) {
				for it.HasNext() && err == nil {
					err = closes(it)
				}
				return err
			}}, outcome: telemetry.OutcomeClosedEarly, rows: pageRows,
		},
		"a closed reader is asked for more": {
			scene: scene{opts: onePage, batches: func(it dbsqlrows.ArrowBatchIterator) error {
				if err := closes(it); err != nil {
					return err
				}
				return untilEOF(it)
			}}, outcome: telemetry.OutcomeClosedEarly, rows: pageRows,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := test.scene
			s.entry, s.reader = "NewConnector", "arrow"
			got := s.perform(t)
			r := got.record
			require.NotNil(t, r, got.err)
			requireConsistent(t, r, name)
			require.Equal(t, test.outcome, r.Outcome)
			require.Equal(t, telemetry.Known(test.rows), r.RowsRead)
			if part, ok := test.part.Get(); ok {
				require.Equal(t, part, explain.Of(r).Part, explain.Of(r).Sentence)
			}
			if test.category == "" {
				require.Nil(t, r.Failure)
				return
			}
			require.NotNil(t, r.Failure)
			require.Equal(t, test.category, r.Failure.Category)
		})
	}
}
