package export

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestTheServerIsAHostOrUnknown(t *testing.T) {
	for _, test := range []struct {
		host             string
		port             int
		endpoint, server string
	}{
		{"adb-1234567890123456.11.azuredatabricks.net", 443, "https://adb-1234567890123456.11.azuredatabricks.net:443", "adb-1234567890123456.11.azuredatabricks.net:443"},
		{"dbc-a1b2c3d4-e5f6.cloud.databricks.com", 443, "https://dbc-a1b2c3d4-e5f6.cloud.databricks.com:443", "dbc-a1b2c3d4-e5f6.cloud.databricks.com:443"},
		{"1234567890123456.7.gcp.databricks.com", 8443, "https://1234567890123456.7.gcp.databricks.com:8443", "1234567890123456.7.gcp.databricks.com:8443"},
		{"My-Workspace.cloud.databricks.com", 443, "https://My-Workspace.cloud.databricks.com:443", "My-Workspace.cloud.databricks.com:443"},
		{"localhost", 8080, "https://localhost:8080", "localhost:8080"},
		{"127.0.0.1", 8080, "https://127.0.0.1:8080", "127.0.0.1:8080"},
		{"::1", 8080, "https://[::1]:8080", "[::1]:8080"},
		{"[::1]", 8080, "https://[::1]:8080", "[::1]:8080"},
		{"host.example", 0, "https://host.example", ""},
		{"::1", 0, "https://[::1]", ""},
		{"", 443, "", ""},
		{"user:password@host.example", 443, "https://host.example:443", "host.example:443"},
		{"dapi0123456789abcdef0123456789abcdef@host.example", 443, "https://host.example:443", "host.example:443"},
		{"host.example/some/path", 443, "https://host.example", "host.example:443"},
		{"user:pa/ss@host.example", 443, "", ""},
		{"pass/word@host.example", 443, "https://pass", ""},
		{"secret?x@host.example", 443, "https://secret", ""},
		{"secret#x@host.example", 443, "https://secret", ""},
		{"wJalrXUtnFEMIbPxRfiCYEXAMPLEKEY", 443, "https://wJalrXUtnFEMIbPxRfiCYEXAMPLEKEY:443", ""},
		{"correcthorsebatterystaple", 443, "https://correcthorsebatterystaple:443", ""},
		{"a b", 443, "", ""},
		{"host.example:8443", 443, "", ""},
		{"dapi0123456789abcdef0123456789abcdef", 443, "https://dapi0123456789abcdef0123456789abcdef:443", ""},
		{"dapi0123456789abcdef0123456789abcdef-2", 443, "https://dapi0123456789abcdef0123456789abcdef-2:443", ""},
		{"dapi0123456789abcdef.cloud.databricks.com", 443, "https://dapi0123456789abcdef.cloud.databricks.com:443", ""},
		{"0123456789abcdef0123456789abcdef.example", 443, "https://0123456789abcdef0123456789abcdef.example:443", ""},
		{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", 443, "https://eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln:443", ""},
		{"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", 443, "https://wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY:443", ""},
		{"hunter2", 443, "https://hunter2:443", ""},
		{"4711", 443, "https://4711:443", ""},
		{"p_4ss.w0rd!", 443, "https://p_4ss.w0rd!:443", ""},
	} {
		c := Connection{Host: test.host, Port: test.port}
		require.Equal(t, test.endpoint, c.endpoint(), test.host)
		require.Equal(t, test.server, c.Server(), test.host)
		shown := c.shownEndpoint()
		require.NotContains(t, shown, "@")
		if test.server == "" && test.port != 0 {
			require.Equal(t, "https://unknown", shown, test.host)
		}
	}
}

func TestStatsShowNoTokenThatWasGivenAsTheHost(t *testing.T) {
	const token = "dapi0123456789abcdef0123456789abcdef"
	for host, want := range map[string]string{token: "https://unknown", "token:" + token + "@host.example": "https://host.example:443"} {
		var x Exporter
		h := x.Open(Connection{Host: host, Port: 443}, telemetry.Settings{})
		require.NotNil(t, h)
		require.Equal(t, want, x.Stats().Pipelines[0].Server)
		require.NoError(t, h.Close(t.Context()))
	}
}

func FuzzServer(f *testing.F) {
	for _, host := range []string{"localhost", "::1", "a:b@c", "a/b", "[::1]", "a%20b", "dapi0123456789", "http://a", "#", "?", "a.b:1", "\x00"} {
		f.Add(host, 443)
	}
	f.Fuzz(func(t *testing.T, host string, port int) {
		c := Connection{Host: host, Port: port}
		server := c.Server()
		if server == "" {
			return
		}
		h, p, err := net.SplitHostPort(server)
		require.NoError(t, err)
		_, err = strconv.Atoi(p)
		require.NoError(t, err)
		require.True(t, plausibleHost(h))
		require.False(t, strings.ContainsAny(server, "@/?# \x1b"), server)
		u, err := url.Parse(c.endpoint())
		require.NoError(t, err)
		require.Equal(t, h, u.Hostname())
		require.Nil(t, u.User)
	})
}
