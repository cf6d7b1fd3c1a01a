package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
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

// downloaded reads a result of 400 rows in files, and returns the number of rows received and the error.
func downloaded(t *testing.T, o workspace.Options, connect func(...dbsql.ConnOption) (driver.Connector, error), opts ...dbsql.ConnOption) string {
	o.CloudFetchThreshold, o.FileRows = 1, 500
	connector, err := connect(append(append(options(workspace.New(t, o)), dbsql.WithRetries(1, time.Millisecond, time.Millisecond)), opts...)...)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	defer func() { require.NoError(t, db.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n, err := drain(db.QueryContext(ctx, statement(400)))
	return fmt.Sprint(n, " ", err)
}

// WithTransport(nil), as of a configuration without a transport, gives the driver a client of its own for
// downloads: one without the transport and the timeout of http.DefaultClient.
func TestATransportThatIsNilDownloadsAsWithTheNativeDriver(t *testing.T) {
	before := http.DefaultClient
	defer func() { http.DefaultClient = before }()
	http.DefaultClient = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("not through http.DefaultClient")
	})}
	downloads(t, dbsql.WithTransport(nil))
}

// The client for downloads keeps the transport of the first WithTransport, even if that was nil.
func TestATransportAfterOneThatIsNilDoesNotDownload(t *testing.T) {
	downloads(t, dbsql.WithTransport(nil), dbsql.WithTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && r.Header.Get("Authorization") == "" {
			return nil, errors.New("downloads do not belong here")
		}
		return http.DefaultTransport.RoundTrip(r)
	})))
}

// downloads requires that options download as with the native driver.
func downloads(t *testing.T, opts ...dbsql.ConnOption) {
	t.Helper()
	native := downloaded(t, workspace.Options{}, dbsql.NewConnector, opts...)
	require.Equal(t, "400 <nil>", native)
	require.Equal(t, native, downloaded(t, workspace.Options{}, driverwrap.NewConnector, opts...))
}

// A download goes through http.DefaultClient whatever headers its link requires, even if nothing is
// measured.
func TestADownloadWithAHeaderOfItsLinkGoesThroughTheDefaultClient(t *testing.T) {
	before := http.DefaultClient
	defer func() { http.DefaultClient = before }()
	program := func(connect func(...dbsql.ConnOption) (driver.Connector, error)) string {
		own := &counting{RoundTripper: http.DefaultTransport}
		http.DefaultClient = &http.Client{Transport: own}
		text := downloaded(t, workspace.Options{LinkHeaders: map[string]string{"Authorization": "Signature of-the-link"}}, connect)
		return fmt.Sprint(text, ", downloads: ", own.storage.Load())
	}
	require.Equal(t, program(dbsql.NewConnector), program(driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.NewConnector))
}
