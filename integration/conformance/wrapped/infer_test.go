package wrapped

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// With Wrap nothing is read from the wire: facts about a result are inferred, labeled as inferred, and
// never wrong.
func TestWhatIsInferredBehindWrapIsTrue(t *testing.T) {
	for name, opts := range map[string]workspace.Options{
		"inline":   {CloudFetchThreshold: -1, PageRows: 100, DirectResultWait: 30 * time.Millisecond},
		"files":    {CloudFetchThreshold: 1, FileRows: 60, LinksPerPage: 3},
		"columnar": {ProtocolVersion: 42241, PageRows: 120},
		"polled":   {NoDirectResults: true, PageRows: 100},
		"slow": {PageRows: 100, DirectResultWait: 10 * time.Millisecond, ExecutionTime: func(string) time.Duration {
			return 50 * time.Millisecond
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ws := workspace.New(t, opts)
			native, err := dbsql.NewConnector(append(options(ws), tuned(false))...)
			require.NoError(t, err)
			sink := &memory{}
			db := sql.OpenDB(listening(sink).Wrap(native))
			runMix(t, db, 80, false)
			require.NoError(t, db.Close())

			inferred, formats, compressions, pageCounts := 0, 0, 0, 0
			for _, r := range sink.statements {
				truth, ok := ws.Statement(r.StatementID)
				require.True(t, ok || r.Failure != nil)
				require.Nil(t, r.RPCs)
				require.Nil(t, r.CloudFetch)
				if r.Result.Evidence == "" {
					continue
				}
				inferred++
				require.Equal(t, telemetry.EvidenceInferred, r.Result.Evidence)
				if r.Result.Format != "" {
					formats++
					require.Equal(t, string(truth.Format), string(r.Result.Format), "%+v", truth)
				}
				if lz4, ok := r.Result.Compressed.Get(); ok {
					compressions++
					require.Equal(t, truth.LZ4, lz4)
				}
				if pages, ok := r.Result.Pages.Get(); ok {
					pageCounts++
					filled := slices.DeleteFunc(slices.Clone(truth.Pages), func(p workspace.PageFacts) bool { return p.Rows == 0 })
					require.EqualValues(t, len(filled), pages, "%s, %+v", truth.SQL, truth.Pages)
				}
			}
			require.Greater(t, inferred, 30)
			require.Greater(t, min(formats, compressions, pageCounts), 10)
		})
	}
}
