package sanitize

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

var urls = []struct{ text, want string }{
	{"", ""},
	{"https://adb-1.2.azuredatabricks.net:443/sql/1.0/warehouses/abc", "https://<host>:443/sql/1.0/warehouses/<id>"},
	{"https://example.cloud.databricks.com/sql/protocolv1/o/123/0123-456-abc?o=123", "https://<host>/sql/protocolv1/o/<id>?<query>"},
	{"https://h/telemetry-ext", "https://<host>/telemetry-ext"},
	{"https://h/api/2.0/connector-service/feature-flags/GOLANG/1.15.1", "https://<host>/api/2.0/connector-service/feature-flags/GOLANG/<path>"},
	{"https://b.s3.us-west-2.amazonaws.com/a/b.arrow?X-Amz-Signature=0&X-Amz-Security-Token=1", "https://<host>/<path>?<query>"},
	{"https://acct.blob.core.windows.net/c/b?sv=2020&sig=abc%3D#x", "https://<host>/<path>?<query>"},
	{"https://user:pass@h:8443/", "https://<redacted>@<host>:8443/"},
	{"https://user:pa/ss@h:8443/", "https://<host>"},
	{"https://[2001:db8::1]:443/x", "https://<host>:443/<path>"},
	{"http://10.0.0.1", "http://<host>"},
	{"abfss://c@acct.dfs.core.windows.net/x", "abfss://<path>"},
	{"dbfs:/mnt/x", "<url>"},
	{"/sql/1.0/warehouses/abc", "/sql/1.0/warehouses/<id>"},
	{"not a URL", "<url>"},
}

var dsns = []struct{ text, want string }{
	{"", ""},
	{"token:dapi0123@h.cloud.databricks.com:443/sql/1.0/warehouses/abc", "token:<redacted>@<host>:443/sql/1.0/warehouses/<id>"},
	{
		"https://token:dapi0@h:443/sql/1.0/endpoints/abc?catalog=main&schema=hr&timeout=60&maxRows=1000&useCloudFetch=true&telemetry_flush_interval=5s&ssn=1",
		"https://token:<redacted>@<host>:443/sql/1.0/endpoints/<id>?catalog=<value>&schema=<value>&timeout=60&maxRows=1000&useCloudFetch=true&telemetry_flush_interval=5s&<redacted>",
	},
	{"h:443/sql/1.0/warehouses/a?authType=OauthM2M&clientID=abc&clientSecret=def", "<host>:443/sql/1.0/warehouses/<id>?authType=OauthM2M&clientID=<redacted>&clientSecret=<redacted>"},
	{"token:p@ss/w?rd@h:443/x", "token:<redacted>@<host>/<path>?<redacted>"},
	{"alice:secret@h:443", "<redacted>:<redacted>@<host>:443"},
	{"anything", "<host>"},
}

var paths = []struct{ text, want string }{
	{"", ""},
	{"/sql/1.0/warehouses/abc", "/sql/1.0/warehouses/<id>"},
	{"sql/protocolv1/o/0/1234-abc", "sql/protocolv1/o/<id>"},
	{"/home/alice/x.csv", "<path>"},
	{"/Users/alice", "<path>"},
	{`C:\Users\alice\x.csv`, "<path>"},
	{"/Volumes/main/default/v/x.csv", "<path>"},
	{"dbfs:/mnt/x", "<path>"},
	{"s3://bucket/key", "s3://<path>"},
	{"x.csv", "<path>"},
}

var headers = []struct{ name, text, want string }{
	{"Authorization", "Bearer dapi0123456789abcdef", "Bearer <redacted>"},
	{"authorization", "Basic dXNlcjpwYXNz", "Basic <redacted>"},
	{"Authorization", "dapi0123456789abcdef", "<redacted>"},
	{"WWW-Authenticate", `Bearer realm="corp"`, "Bearer <redacted>"},
	{"Cookie", "session=abc", "<redacted>"},
	{"Set-Cookie", "session=abc; Path=/", "<redacted>"},
	{"X-Amz-Security-Token", "abc", "<redacted>"},
	{"X-Databricks-Org-Id", "123", "<redacted>"},
	{"User-Agent", "godatabrickssqlconnector/1.15.1 (corp-app)", "<redacted>"},
	{"Content-Type", "application/json; charset=utf-8", "application/json; charset=<value>"},
	{"Content-Length", "123", "123"},
	{"Retry-After", "120", "120"},
	{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"},
	{"Retry-After", "alice", "<redacted>"},
	{"Location", "https://h/login?next=/sql", "https://<host>/<path>?<query>"},
	{"X-Databricks-Reason-Phrase", "User alice@example.com is not authorized", "User <email> is not authorized"},
	{"X-Empty", "", ""},
}

func TestURLKeepsTheRoute(t *testing.T) {
	for _, tt := range urls {
		assert.Equal(t, tt.want, promises(t, URL, tt.text), tt.text)
	}
}

func TestDSNKeepsTheConfiguration(t *testing.T) {
	for _, tt := range dsns {
		assert.Equal(t, tt.want, promises(t, DSN, tt.text), tt.text)
	}
}

func TestPathKeepsTheRoute(t *testing.T) {
	for _, tt := range paths {
		assert.Equal(t, tt.want, promises(t, Path, tt.text), tt.text)
	}
}

func TestHeaderKeepsWhatIsKnown(t *testing.T) {
	for _, tt := range headers {
		f := func(v string) string { return Header(tt.name, v) }
		assert.Equal(t, tt.want, promises(t, f, tt.text), "%s: %s", tt.name, tt.text)
	}
}
