package driverwrap

import (
	"net/http"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
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
			require.IsType(t, (*cloudfetch.Transport)(nil), client.Transport)
		})
	}
}
