package wrapped

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// parameters are DSN parameters that change what is sent.
var parameters = []string{
	"", "maxRows=7", "timeout=30", "catalog=main", "schema=default", "catalog=main&schema=default",
	"userAgentEntry=isv%2Bproduct", "useCloudFetch=false", "useCloudFetch=true", "maxDownloadThreads=3",
	"enableMetricViewMetadata=true", "useArrowNativeDecimal=true", "timezone=America/Los_Angeles",
	"ansi_mode=true", "warehouseId=abc", "useKernel=false", "tokenCache=false", "o=12345", "QUERY_TAGS=team:x",
}

func TestEveryRequestIsTheOneTheNativeDriverSends(t *testing.T) {
	requests := func(params string, open func(*testing.T, string) *sql.DB) []string {
		ws := workspace.New(t, workspace.Options{CaptureBodies: true, WarehouseID: "w", Token: "dapi0", WorkspaceID: 1})
		db := open(t, ws.DSN(params))
		db.SetMaxOpenConns(1)
		_ = transcript(db.Query("SELECT id, CAST(id AS DECIMAL(10,2)) AS d, current_timestamp() AS t FROM range(20) WHERE id < ?", 15))
		_ = result(db.Exec("CREATE TABLE x (id INT)"))
		_ = db.Ping()
		require.NoError(t, db.Close())
		var out []string
		for _, r := range ws.Requests() {
			if r.Thrift == "" {
				continue
			}
			header := r.Header.Clone()
			header.Del("Host")
			body := maskIDs(r)
			if r.Thrift == "OpenSession" {
				slices.Sort(body) // its configuration is a map, in any order
			}
			out = append(out, fmt.Sprintf("%s %s %s %d %v %x", r.Method, r.Path, r.Thrift, r.Seq, header, body))
		}
		return out
	}
	for _, p := range parameters {
		t.Run(p, func(t *testing.T) {
			t.Parallel()
			want := requests(p, func(t *testing.T, dsn string) *sql.DB {
				db, err := sql.Open("databricks", dsn+"&enableTelemetry=false")
				require.NoError(t, err)
				return db
			})
			require.NotEmpty(t, want)
			got := requests(p, func(t *testing.T, dsn string) *sql.DB {
				c, err := driverwrap.Config{Sinks: []telemetry.Sink{&memory{}}}.OpenConnector(dsn + "&enableTelemetry=false&telemetry_batch_size=5")
				require.NoError(t, err)
				return sql.OpenDB(c)
			})
			require.Equal(t, want, got)
		})
	}
}

// maskIDs blanks the handles, which the server draws at random: 16 bytes of id, and the
// secret in the field after it.
func maskIDs(r workspace.Request) []byte {
	body := bytes.Clone(r.Body)
	for _, id := range []string{r.SessionID, r.StatementID} {
		raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
		if err != nil || len(raw) != 16 {
			continue
		}
		for at := bytes.Index(body, raw); at >= 0; at = bytes.Index(body, raw) {
			end := min(len(body), at+16+7+16) // 7: type, field id and length of the secret
			clear(body[at:end])
		}
	}
	return body
}

func TestOffIsOffAndOtherwiseTheNativeDriverReportsAsWithoutUs(t *testing.T) {
	count := func(params string, open func(*testing.T, string) *sql.DB) (flags, uploads int) {
		ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOff})
		db := open(t, ws.DSN(params))
		for range 3 {
			_ = transcript(db.Query("SELECT 1"))
		}
		require.NoError(t, db.Close())
		return ws.FlagRequests(), len(ws.Requests(workspace.Endpoint("/telemetry")))
	}
	ours := func(t *testing.T, dsn string) *sql.DB {
		db, err := sql.Open(driverwrap.Name, dsn)
		require.NoError(t, err)
		return db
	}
	flags, uploads := count("enableTelemetry=false", ours)
	require.Zero(t, flags)
	require.Zero(t, uploads)
}
