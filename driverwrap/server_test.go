package driverwrap_test

import (
	"database/sql"
	"database/sql/driver"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestTheServerOfAConnectorIsNoSecret(t *testing.T) {
	const token = "dapi0123456789abcdef0123456789abcdef"
	open := func(dsn string) func(driverwrap.Config) (driver.Connector, error) {
		return func(c driverwrap.Config) (driver.Connector, error) { return c.OpenConnector(dsn) }
	}
	build := func(host string) func(driverwrap.Config) (driver.Connector, error) {
		return func(c driverwrap.Config) (driver.Connector, error) {
			return c.NewConnector(dbsql.WithServerHostname(host), dbsql.WithPort(443), dbsql.WithHTTPPath("/sql/1.0/warehouses/w"), dbsql.WithAccessToken(token))
		}
	}
	for name, test := range map[string]struct {
		open   func(driverwrap.Config) (driver.Connector, error)
		server string
	}{
		"a host":                             {open("token:" + token + "@adb-1.2.azuredatabricks.net:443/sql/1.0/warehouses/w"), "adb-1.2.azuredatabricks.net:443"},
		"a token in its place":               {open("token:token@" + token + ":443/"), ""},
		"a token before the path":            {open("token:token@" + token + ".example:443/sql"), ""},
		"a password in its place":            {open("token:token@hunter2:443/"), ""},
		"an address":                         {open("token:token@[::1]:443/sql"), "[::1]:443"},
		"an unknown parameter of the kernel": {open("token:token@" + token + ":443/?useKernel=true"), ""},
		"an option: a host":                  {build("adb-1.2.azuredatabricks.net"), "adb-1.2.azuredatabricks.net:443"},
		"an option: user and password":       {build("http://user:password@host.example"), "host.example:443"},
		"an option: a token as user":         {build("https://" + token + "@host.example"), "host.example:443"},
		"an option: a token":                 {build(token), ""},
		"an option: a path":                  {build("host.example/" + token), "host.example:443"},
	} {
		t.Run(name, func(t *testing.T) {
			var process telemetry.Process
			c, err := test.open(driverwrap.Config{}.In(&process))
			require.NoError(t, err)
			db := sql.OpenDB(c)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			all := process.Connectors()
			require.Len(t, all, 1)
			require.Equal(t, test.server, all[0].Info().Server)
			for _, p := range process.Stats().Export.Pipelines {
				require.NotContains(t, p.Server, token)
				require.NotContains(t, p.Server, "password")
				require.NotContains(t, p.Server, "hunter2")
			}
		})
	}
}
