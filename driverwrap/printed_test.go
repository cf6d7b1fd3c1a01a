package driverwrap_test

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// heldToken is an authenticator that is no pointer, as those of some applications.
type heldToken struct{ token string }

func (a heldToken) Authenticate(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

// An application that logs its connector with %+v reads nothing that the native one would not show.
func TestWhatIsPrintedOfAConnectorHoldsNoSecret(t *testing.T) {
	const secret = "planted"
	address, err := url.Parse(newRefusing(t).URL)
	require.NoError(t, err)
	port, err := strconv.Atoi(address.Port())
	require.NoError(t, err)
	opts := []dbsql.ConnOption{
		dbsql.WithServerHostname(address.Scheme + "://" + address.Hostname()), dbsql.WithPort(port), dbsql.WithHTTPPath("/" + secret), dbsql.WithUserAgentEntry(secret),
		dbsql.WithAuthenticator(heldToken{secret}), dbsql.WithSessionParams(map[string]string{"x": secret}),
		dbsql.WithQueryTags(map[string]string{secret: secret}),
	}
	config := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff, TraceTags: true}}
	native, err := dbsql.NewConnector(opts...)
	require.NoError(t, err)
	made, err := config.NewConnector(opts...)
	require.NoError(t, err)
	opened, err := config.OpenConnector("http://token:" + secret + "@" + address.Host + "/" + secret + "?clientSecret=" + secret + "&query_tags=" + secret + ":x")
	require.NoError(t, err)
	for _, c := range []driver.Connector{native, made, opened, config.Wrap(native)} {
		conn, err := c.Connect(t.Context())
		require.NoError(t, err)
		db := sql.OpenDB(c)
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			require.NotContains(t, fmt.Sprintf(strings.Repeat(verb, 4), c, conn, db, c.Driver()), secret, verb)
		}
		require.NoError(t, db.Close())
	}
}
