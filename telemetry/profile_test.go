package telemetry_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestTheQueryProfileIsThePageOfTheWorkspace(t *testing.T) {
	for name, test := range map[string]struct{ server, workspace, statement, want string }{
		"all known":           {"adb-1.2.azuredatabricks.net:443", "42", "01ef-a", "https://adb-1.2.azuredatabricks.net/sql/history?queryId=01ef-a&o=42"},
		"no workspace":        {"adb-1.2.azuredatabricks.net:443", "", "01ef-a", "https://adb-1.2.azuredatabricks.net/sql/history?queryId=01ef-a"},
		"another port":        {"[::1]:8443", "42", "01ef-a", "https://[::1]:8443/sql/history?queryId=01ef-a&o=42"},
		"no port":             {"host.example", "42", "01ef-a", "https://host.example/sql/history?queryId=01ef-a&o=42"},
		"escaped":             {"host.example:443", "4&2", `"><script>`, "https://host.example/sql/history?queryId=%22%3E%3Cscript%3E&o=4%262"},
		"no statement":        {"host.example:443", "42", "", ""},
		"behind Wrap":         {"", "42", "01ef-a", ""},
		"no host":             {":443", "42", "01ef-a", ""},
		"a host with a path":  {"host.example/evil?x=:443", "42", "01ef-a", ""},
		"a host with a user":  {"user@evil.example:443", "42", "01ef-a", ""},
		"brackets":            {"[host]:x", "42", "01ef-a", ""},
		"a host with a quote": {`host.example"onclick=`, "42", "01ef-a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := telemetry.Statement{Server: test.server, WorkspaceID: test.workspace, StatementID: test.statement}
			require.Equal(t, test.want, s.ProfileURL())
		})
	}
}

func FuzzProfileURL(f *testing.F) {
	f.Add("host.example:443", "1", "01ef")
	f.Add("[::1]:8443", "&o=2", "#")
	f.Add("a:b@c", "", "x")
	f.Fuzz(func(t *testing.T, server, workspace, statement string) {
		s := telemetry.Statement{Server: server, WorkspaceID: workspace, StatementID: statement}
		address := s.ProfileURL()
		if address == "" {
			return
		}
		require.NotContains(t, address, `"`)
		require.NotContains(t, address, "<")
		u, err := url.Parse(address)
		require.NoError(t, err)
		require.Equal(t, "https", u.Scheme)
		require.Nil(t, u.User)
		require.Equal(t, "/sql/history", u.Path)
		require.Equal(t, statement, u.Query().Get("queryId"))
		require.Equal(t, workspace, u.Query().Get("o"))
	})
}
