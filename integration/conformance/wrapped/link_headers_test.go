package wrapped

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A download goes through http.DefaultClient whatever headers its link asks for, also where nothing is measured.
func TestADownloadWithAHeaderOfItsLinkGoesThroughTheDefaultClient(t *testing.T) {
	before := http.DefaultClient
	defer func() { http.DefaultClient = before }()
	program := func(connect func(...dbsql.ConnOption) (driver.Connector, error)) string {
		ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, FileRows: 500, LinkHeaders: map[string]string{"Authorization": "Signature of-the-link"}})
		own := &counting{RoundTripper: http.DefaultTransport}
		http.DefaultClient = &http.Client{Transport: own}
		connector, err := connect(append(options(ws), dbsql.WithRetries(1, time.Millisecond, time.Millisecond))...)
		require.NoError(t, err)
		db := sql.OpenDB(connector)
		defer func() { require.NoError(t, db.Close()) }()
		n, err := drain(db.QueryContext(t.Context(), statement(400)))
		return fmt.Sprint(n, " ", err, ", downloads: ", own.storage.Load())
	}
	require.Equal(t, program(dbsql.NewConnector), program(driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.NewConnector))
}
