package wrapped

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// parameters are DSN parameters that change what is sent.
var parameters = []string{
	"", "maxRows=7", "timeout=30", "catalog=main", "schema=default", "catalog=main schema=default",
	"userAgentEntry=isv+product", "useCloudFetch=false", "useCloudFetch=true", "maxDownloadThreads=3",
	"enableMetricViewMetadata=true", "useArrowNativeDecimal=true", "timezone=America/Los_Angeles",
	"ansi_mode=true", "warehouseId=abc", "useKernel=false", "tokenCache=false", "o=12345", "QUERY_TAGS=team:x",
}

func TestEveryRequestIsTheOneTheNativeDriverSends(t *testing.T) {
	requests := func(params string, open func(*testing.T, string) *sql.DB) []string {
		ws := workspace.New(t, workspace.Options{CaptureBodies: true, WarehouseID: "w", Token: "dapi0", WorkspaceID: 1})
		db := open(t, ws.DSN(append(strings.Fields(params), "enableTelemetry=false")...))
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
				db, err := sql.Open("databricks", dsn)
				require.NoError(t, err)
				return db
			})
			require.NotEmpty(t, want)
			got := requests(p, func(t *testing.T, dsn string) *sql.DB {
				c, err := driverwrap.Config{Sinks: []telemetry.Sink{&memory{}}}.OpenConnector(dsn + "&telemetry_batch_size=5")
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

// answering is a user's transport that answers the native driver's telemetry itself, with
// the flag on, and counts it.
type answering struct {
	http.RoundTripper
	flags, uploads atomic.Int64

	mu   sync.Mutex
	sent bytes.Buffer // all uploads; guarded by mu
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"errors":[],"numSuccess":1,"numProtoSuccess":1,"numRealtimeSuccess":1}`
	switch {
	case strings.Contains(r.URL.Path, "/feature-flags/"):
		a.flags.Add(1)
		body = `{"flags":[{"name":"databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver","value":"true"}],"ttl_seconds":900}`
	case strings.HasPrefix(r.URL.Path, "/telemetry"):
		a.mu.Lock()
		_, err := a.sent.ReadFrom(r.Body)
		a.mu.Unlock()
		if err != nil {
			return nil, err
		}
		a.uploads.Add(1)
	default:
		return a.RoundTripper.RoundTrip(r)
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func TestOffSilencesTheNativeTelemetryWithoutARequest(t *testing.T) {
	count := func(connector func(...dbsql.ConnOption) (driver.Connector, error)) (flags, uploads int64) {
		ws := workspace.New(t, workspace.Options{})
		own := &answering{RoundTripper: http.DefaultTransport}
		c, err := connector(append(options(ws), dbsql.WithTransport(own))...)
		require.NoError(t, err)
		db := sql.OpenDB(c)
		for range 3 {
			_ = transcript(db.Query("SELECT 1"))
		}
		require.NoError(t, db.Close())
		return own.flags.Load(), own.uploads.Load()
	}
	flags, uploads := count(dbsql.NewConnector)
	require.NotZero(t, flags, "the native driver asks")
	require.NotZero(t, uploads, "and reports")

	flags, uploads = count(driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.NewConnector)
	require.Zero(t, flags)
	require.Zero(t, uploads)

	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	db, err := sql.Open(driverwrap.Name, ws.DSN("enableTelemetry=false"))
	require.NoError(t, err)
	_ = transcript(db.Query("SELECT 1"))
	require.NoError(t, db.Close())
	require.Zero(t, ws.FlagRequests())
	require.Empty(t, ws.Telemetry())
}
