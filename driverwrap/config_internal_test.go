package driverwrap

import (
	"net/http"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Without a transport the driver downloads with http.DefaultClient; with one it makes a
// client of its own, which must not take anything over from there.
func TestTheClientForDownloadsIsLikeTheOneTheDriverWouldUse(t *testing.T) {
	for name, test := range map[string]struct {
		opts []dbsql.ConnOption
		want bool
	}{
		"the driver's own":   {nil, true},
		"a user's transport": {[]dbsql.ConnOption{dbsql.WithTransport(&http.Transport{})}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var config nativeConfig
			look := withConfig(func(n nativeConfig) dbsql.ConnOption { config = n; return nil })
			_, err := Config{}.NewConnector(append(test.opts, look)...)
			require.NoError(t, err)
			client, ok := readConfig[*http.Client](config, "HTTPClient").Get()
			require.True(t, ok)
			require.Zero(t, client.Timeout, "cloudfetch has it")
			require.Equal(t, test.want, client.CheckRedirect != nil)
			require.Equal(t, test.want, client.Jar != nil)
			require.IsType(t, new(cloudfetch.Transport).Downloads(), client.Transport)
		})
	}
}

func TestTheConnectionsOfATransportAreKnownWhereTheyAreLimited(t *testing.T) {
	for name, test := range map[string]struct {
		opts []dbsql.ConnOption
		want telemetry.Maybe[int64]
	}{
		"the driver's own":    {nil, telemetry.Known[int64](100)},
		"a user's, limited":   {[]dbsql.ConnOption{dbsql.WithTransport(&http.Transport{MaxConnsPerHost: 7})}, telemetry.Known[int64](7)},
		"a user's, unlimited": {[]dbsql.ConnOption{dbsql.WithTransport(&http.Transport{})}, telemetry.Maybe[int64]{}},
		"a user's, of a kind": {[]dbsql.ConnOption{dbsql.WithTransport(struct{ http.RoundTripper }{http.DefaultTransport})}, telemetry.Maybe[int64]{}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := NewConnector(test.opts...)
			require.NoError(t, err)
			require.Equal(t, test.want, c.(*connector).driverConfig.PoolSize)
		})
	}
}

// The driver tells the server whole seconds: half a second is no limit.
func TestTheLimitOfAStatementIsTheOneThatTheServerIsTold(t *testing.T) {
	for given, told := range map[time.Duration]time.Duration{
		0: 0, 500 * time.Millisecond: 0, 1999 * time.Millisecond: time.Second, time.Minute: time.Minute,
	} {
		c, err := NewConnector(dbsql.WithTimeout(given))
		require.NoError(t, err)
		require.Equal(t, telemetry.Known(told), c.(*connector).driverConfig.QueryTimeout, given)
	}
}
