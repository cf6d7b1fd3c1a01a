package driverwrap_test

import (
	"net/http"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/auth/pat"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
)

// The native driver takes any transport and authenticator, and looks at them with the first request only.
func TestANilPointerInAnOptionIsTakenAsByTheNativeDriver(t *testing.T) {
	for name, option := range map[string]dbsql.ConnOption{
		"transport":     dbsql.WithTransport((*http.Transport)(nil)), // such as a field of a configuration that was not set
		"authenticator": dbsql.WithAuthenticator((*pat.PATAuth)(nil)),
	} {
		t.Run(name, func(t *testing.T) {
			opts := []dbsql.ConnOption{
				dbsql.WithServerHostname("host.example"), dbsql.WithPort(443), dbsql.WithHTTPPath("/sql/1.0/warehouses/w"),
				dbsql.WithAccessToken("token"), option,
			}
			require.NotPanics(t, func() {
				_, err := dbsql.NewConnector(opts...)
				require.NoError(t, err)
			})
			require.NotPanics(t, func() {
				_, err := driverwrap.NewConnector(opts...)
				require.NoError(t, err)
			})
		})
	}
}
