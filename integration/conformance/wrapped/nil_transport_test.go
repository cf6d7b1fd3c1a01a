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
)

// WithTransport(nil), as of a configuration without a transport, gives the driver a client of its own for
// downloads: one without the transport and the timeout of http.DefaultClient.
func TestATransportThatIsNilDownloadsAsWithTheNativeDriver(t *testing.T) {
	before := http.DefaultClient
	defer func() { http.DefaultClient = before }()
	http.DefaultClient = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("not through http.DefaultClient")
	})}
	downloaded(t, dbsql.WithTransport(nil))
}

// The client for downloads keeps the transport of the first WithTransport, also where that was nil.
func TestATransportAfterOneThatIsNilDoesNotDownload(t *testing.T) {
	downloaded(t, dbsql.WithTransport(nil), dbsql.WithTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet && r.Header.Get("Authorization") == "" {
			return nil, errors.New("downloads do not belong here")
		}
		return http.DefaultTransport.RoundTrip(r)
	})))
}

func downloaded(t *testing.T, opts ...dbsql.ConnOption) {
	program := func(connect func(...dbsql.ConnOption) (driver.Connector, error)) string {
		ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, FileRows: 500})
		connector, err := connect(append(append(options(ws), dbsql.WithRetries(1, time.Millisecond, time.Millisecond)), opts...)...)
		require.NoError(t, err)
		db := sql.OpenDB(connector)
		defer func() { require.NoError(t, db.Close()) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n, err := drain(db.QueryContext(ctx, statement(400)))
		return fmt.Sprint(n, " ", err)
	}
	native := program(dbsql.NewConnector)
	require.Equal(t, "400 <nil>", native)
	require.Equal(t, native, program(driverwrap.NewConnector))
}
