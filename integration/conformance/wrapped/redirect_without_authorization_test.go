package wrapped

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
)

// keyed is a user's own authenticator for a gateway that takes a header other than Authorization.
type keyed struct{}

func (keyed) Authenticate(r *http.Request) error {
	r.Header.Set("X-Api-Key", "key")
	return nil
}

// The redirect of a call goes through the call's transport, whose TLS configuration it needs, whatever
// header the authenticator adds.
func TestARedirectOfACallGoesThroughTheTransportOfTheCall(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	port, err := strconv.Atoi(u.Port())
	require.NoError(t, err)

	program := func(connect func(...dbsql.ConnOption) (driver.Connector, error)) string {
		connector, err := connect(
			dbsql.WithServerHostname("https://"+u.Hostname()), dbsql.WithPort(port), dbsql.WithHTTPPath("/sql/1.0/warehouses/w"),
			dbsql.WithAuthenticator(keyed{}), dbsql.WithSkipTLSHostVerify(), dbsql.WithRetries(1, time.Millisecond, time.Millisecond))
		require.NoError(t, err)
		db := sql.OpenDB(connector)
		defer func() { require.NoError(t, db.Close()) }()
		return regexp.MustCompile(`:\d+`).ReplaceAllString(fmt.Sprint(db.PingContext(t.Context())), ":…")
	}
	require.Equal(t, program(dbsql.NewConnector), program(driverwrap.NewConnector))
}
