package driverwrap_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func nativeDriver(t testing.TB) driver.DriverContext {
	c, err := dbsql.NewConnector()
	require.NoError(t, err)
	return c.Driver().(driver.DriverContext)
}

// corpus holds the part of a DSN behind the host for every parameter of the driver, alone,
// with odd values, and together.
var corpus = []string{
	"", "/", "/sql/1.0/warehouses/abc", "/sql/protocolv1/o/123/0-1", "/path%20with%20space",
	"?maxRows=7", "?maxRows=0", "?maxRows=-1", "?maxRows=many", "?maxRows=",
	"?timeout=30", "?timeout=-5", "?timeout=1m",
	"?catalog=main", "?schema=default", "?catalog=main&schema=s", "?catalog=&schema=",
	"?userAgentEntry=isv%2Bproduct", "?userAgentEntry=",
	"?useCloudFetch=false", "?useCloudFetch=1", "?useCloudFetch=perhaps",
	"?maxDownloadThreads=3", "?maxDownloadThreads=0", "?maxDownloadThreads=x",
	"?enableMetricViewMetadata=true", "?enableMetricViewMetadata=no way",
	"?useArrowNativeDecimal=true", "?useArrowNativeDecimal=2",
	"?useKernel=true", "?useKernel=false", "?useKernel=x", "?warehouseId=abc", "?tokenCache=true", "?tokenCache=false",
	"?timezone=America/Los_Angeles", "?TimeZone=Europe/Berlin", "?timezone=Nowhere/Land", "?timezone=",
	"?ansi_mode=true", "?ansi_mode=true&statement_timeout=3&QUERY_TAGS=team:x,k:v&spark.sql.x=1", "?o=12345",
	"?unknown=1", "?unknown=", "?unknown=1&unknown=2", "?a=%zz", "?a;b=1", "?=x", "?&&", "#fragment?maxRows=1", "?maxRows=3#frag",
	"?authType=Pat&accessToken=dapi1", "?authType=pat", "?accessToken=dapi2", "?accessToken=",
	"?clientID=id&clientSecret=s", "?clientId=id&clientID=other&clientSecret=s", "?clientId=&clientID=other&clientSecret=s",
	"?authType=OauthM2M&clientID=id", "?authType=OauthM2M&clientID=id&clientSecret=s", "?authType=unheard&clientID=id",
	"/p?maxRows=9&timeout=2&catalog=c&schema=s&userAgentEntry=u&useCloudFetch=true&maxDownloadThreads=2&enableMetricViewMetadata=true&useArrowNativeDecimal=true&timezone=UTC&x=y",
	"?telemetry_retry_count=3", "?telemetry_retry_count=",
}

// users are the parts in front of the host.
var users = []string{"", "token:dapi0@", "token:@", "token@", "bob:secret@", "https://", "http://", "http://token:dapi0@", "https://token:dapi0@", "ftp://token:dapi0@", "HTTP://token:dapi0@"}

// hosts that lead nowhere.
var hosts = []string{"localhost:1", "127.0.0.1:1", "127.0.0.1", "127.0.0.1:port", "[::1]:1", ":1", "", "a b:1", "h:99999", "httpsome:1", "%41:1"}

func TestABadDSNGivesTheNativeErrorWordForWord(t *testing.T) {
	for _, user := range users {
		for _, host := range hosts {
			for _, tail := range corpus {
				sameOpen(t, user+host+tail)
			}
		}
	}
}

// sameOpen opens a DSN with both drivers and compares the errors and the native configurations. It returns
// both connectors where there are any.
func sameOpen(t testing.TB, dsn string) (native, wrapped driver.Connector) {
	native, want := nativeDriver(t).OpenConnector(dsn)
	wrapped, got := driverwrap.Config{}.OpenConnector(dsn)
	require.Equal(t, text(want), text(got), dsn)
	if want == nil {
		require.NotNil(t, wrapped)
		below := reflect.ValueOf(wrapped).Elem().FieldByName("native").Elem()
		require.Equal(t, plainValues(reflect.ValueOf(native)), plainValues(below), dsn)
	}
	return native, wrapped
}

// plainValues prints the values in a native connector's configuration. What the configuration refers to (the
// authenticator, the transport, the client) differs in any case, and so do the switches of telemetry. A field
// for the native parser alone, named DSN at its end, means nothing once the configuration is made; nor does the
// WarehouseID, which is for the kernel backend.
func plainValues(connector reflect.Value) map[string]string {
	values := map[string]string{}
	var collect func(reflect.Value)
	collect = func(of reflect.Value) {
		for i := range of.NumField() {
			name, f := of.Type().Field(i).Name, of.Field(i)
			switch {
			case strings.Contains(name, "Telemetry"), strings.HasSuffix(name, "DSN"), name == "WarehouseID":
			case f.Kind() == reflect.Struct:
				collect(f)
			case f.Kind() != reflect.Pointer && f.Kind() != reflect.Interface && f.Kind() != reflect.Func:
				values[name] = fmt.Sprint(f)
			}
		}
	}
	collect(connector.Elem().FieldByName("cfg").Elem())
	return values
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf("%T %v", err, err)
}

// refusing is a server that logs its requests, opens sessions, always the same
// one, and refuses everything else, for good.
type refusing struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func newRefusing(t testing.TB) *refusing {
	session, err := os.ReadFile("../cloudfetch/testdata/captured/inline-OpenSession-1.response")
	require.NoError(t, err)
	r := &refusing{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		opens := bytes.Contains(body, []byte("OpenSession"))
		if opens {
			slices.Sort(body) // its configuration is a map, in any order
		}
		r.mu.Lock()
		r.seen = append(r.seen, fmt.Sprintf("%s %s %v %d %q", req.Method, req.RequestURI, req.Header, len(body), body))
		r.mu.Unlock()
		if opens {
			w.Header().Set("Content-Type", "application/x-thrift")
			_, _ = w.Write(session)
			return
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *refusing) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen
	r.seen = nil
	return seen
}

// sameRequests opens a session and runs a statement with both drivers, and compares what the
// server saw of it, and the errors.
func (r *refusing) sameRequests(t testing.TB, dsn string) (asked []string) {
	if native, _ := sameOpen(t, dsn); native == nil {
		return nil
	}
	body, fragment, hasFragment := strings.Cut(dsn, "#")
	if strings.Contains(body, "?") {
		body += "&enableTelemetry=false" // or the native driver asks for its flag elsewhere
	} else {
		body += "?enableTelemetry=false"
	}
	if hasFragment {
		body += "#" + fragment
	}
	native, wrapped := sameOpen(t, body)
	wantErrors := r.use(native)
	asked = r.take()
	gotErrors := r.use(wrapped)
	require.Equal(t, asked, r.take(), dsn)
	require.Equal(t, wantErrors, gotErrors, dsn)
	require.NoError(t, wrapped.(io.Closer).Close())
	return asked
}

func (r *refusing) use(c driver.Connector) (errs []string) {
	conn, err := c.Connect(context.Background())
	if err != nil {
		return []string{text(err)}
	}
	_, err = conn.(driver.ExecerContext).ExecContext(context.Background(), "SELECT 1", nil)
	return []string{text(err), text(conn.Close())}
}

func TestADSNSendsWhatTheNativeDriverSends(t *testing.T) {
	server := newRefusing(t)
	host := strings.TrimPrefix(server.URL, "http://")
	plain := server.sameRequests(t, "http://token:dapi0@"+host+"/p")
	require.Len(t, plain, 3, "OpenSession, ExecuteStatement, CloseSession")
	require.Contains(t, plain[1], "ExecuteStatement")
	for _, user := range []string{"http://", "http://token:dapi0@"} {
		for _, tail := range corpus {
			if strings.Contains(tail, "clientSecret") || strings.Contains(tail, "clientID") {
				continue // asks a host on the internet for a token: see integration/conformance
			}
			server.sameRequests(t, user+host+tail)
		}
	}
}

func FuzzDSN(f *testing.F) {
	for _, tail := range corpus {
		f.Add("http://token:x@", "", tail)
		f.Add("", "localhost:1", tail)
	}
	for _, host := range hosts {
		f.Add("token:x@", host, "?maxRows=1")
	}
	server := newRefusing(f)
	here := strings.TrimPrefix(server.URL, "http://")
	f.Fuzz(func(t *testing.T, user, host, tail string) {
		if lower := strings.ToLower(tail + host + user); strings.Contains(lower, "auth") || strings.Contains(lower, "client") || strings.Contains(lower, "%") {
			t.Skip("may lead to a login") // by any spelling
		}
		if mayBeOurs(user + host + tail) {
			t.Skip("may be a parameter of the wrapper")
		}
		if host != "" {
			sameOpen(t, user+host+tail)
			return
		}
		if strings.ContainsAny(tail, "@\\") || !strings.HasPrefix(tail, "/") && !strings.HasPrefix(tail, "?") {
			t.Skip("another host")
		}
		server.sameRequests(t, "http://token:x@"+here+tail)
	})
}

func TestParametersOfTheWrapperNeverReachTheNativeDriver(t *testing.T) {
	server := newRefusing(t)
	host := strings.TrimPrefix(server.URL, "http://")
	native, err := nativeDriver(t).OpenConnector("http://token:x@" + host + "/p?a=1&catalog=c")
	require.NoError(t, err)
	_, _ = native.Connect(t.Context())
	want := server.take()

	for _, dsn := range []string{
		"/p?a=1&catalog=c",
		"/p?enableTelemetry=false&a=1&catalog=c",
		"/p?a=1&telemetry_batch_size=5&catalog=c&telemetry_flush_interval=1s",
		"/p?a=1&catalog=c&telemetry_sample_rate=0.5&telemetry_sample_rate=x",
		"/p?a=1&catalog=c&telemetry%5Flog%5Flevel=debug",
		"/p?Telemetry_Batch_Size=5&a=1&TELEMETRY_LOG_LEVEL=debug&catalog=c&EnableTelemetry=1",
		"/p?a=1&+telemetry_log_level+=debug&catalog=c",
		"/p?telemetry_force_enable=true&a=1&catalog=c&telemetry_max_retries=0&telemetry_retry_delay=1s&telemetry_queue_size=5&telemetry_close_timeout=1s&telemetry_circuit_breaker=true&telemetry_circuit_breaker_threshold=3&telemetry_circuit_breaker_timeout=5s#x",
	} {
		c, err := driverwrap.Config{}.OpenConnector("http://token:x@" + host + dsn)
		require.NoError(t, err, dsn)
		_, _ = c.Connect(t.Context())
		require.Equal(t, want, ofTheDriver(server.take()), dsn)
		require.NoError(t, c.(io.Closer).Close()) // its log is written now, not into that of another test
	}
}

// ofTheDriver leaves out the wrapper's own requests, which come at times of their own.
func ofTheDriver(requests []string) []string {
	return slices.DeleteFunc(requests, func(r string) bool { return strings.Contains(r, "databricks-telemetry/") })
}

func TestABadParameterOfTheWrapperIsAnErrorAtOpen(t *testing.T) {
	_, err := sql.Open(driverwrap.Name, "token:x@h:443/p?telemetry_batch_size=lots")
	require.EqualError(t, err, `databricks-telemetry: telemetry_batch_size="lots" is not understood: it takes a whole number from 1 to 10000`)
	var parameter *telemetry.ParameterError
	require.ErrorAs(t, err, &parameter)

	t.Setenv("DATABRICKS_TELEMETRY_FLUSH_INTERVAL", "never")
	_, err = sql.Open(driverwrap.Name, "token:x@h:443/p")
	require.EqualError(t, err, `databricks-telemetry: DATABRICKS_TELEMETRY_FLUSH_INTERVAL="never" is not understood: it takes a Go duration from 100ms to 1h, such as 5s`)
	_, err = driverwrap.NewConnector()
	require.ErrorAs(t, err, &parameter)

	native, err := dbsql.NewConnector()
	require.NoError(t, err)
	require.ErrorAs(t, sql.OpenDB(driverwrap.Wrap(native)).Ping(), &parameter)
}

func TestOffReachesNeitherTheServerNorTheReport(t *testing.T) {
	server := newRefusing(t)
	base := "http://token:x@" + strings.TrimPrefix(server.URL, "http://") + "/p?a=1"
	native, err := nativeDriver(t).OpenConnector(base + "&enableTelemetry=false")
	require.NoError(t, err)
	server.use(native)
	want := server.take()
	var process telemetry.Process
	for _, off := range []string{
		"enableTelemetry=false", "enableTelemetry=true&enableTelemetry=false", "enableTelemetry=false&enableTelemetry=true",
		"EnableTelemetry=0", "enabletelemetry=false", "enable_telemetry=false", "ENABLE_TELEMETRY=no", "enableTelemetry=+off+",
		"enableTelemetry=False", "enableTelemetry=f", "enableTelemetry=n", "enableTelemetry=disabled", "enableTelemetry=never",
		"telemetry_enabled=false", "disableTelemetry=true", "disableTelemetry", "enableTelemetry=true&Enabletelemetry=off",
		"enable%54elemetry=fal%73e", "telemetry_force_enable=true&enableTelemetry=no",
	} {
		c, err := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOn}}.In(&process).OpenConnector(base + "&" + off)
		require.NoError(t, err, off)
		server.use(c)
		require.Equal(t, want, server.take(), off)
		info := process.Connectors()[0].Info()
		require.Equal(t, "none", info.Reports, off)
		require.Equal(t, telemetry.SettingInForce{Name: "enableTelemetry", Value: "false", By: "DSN"}, info.Settings[0])
		require.NoError(t, c.(io.Closer).Close())
	}
}

func TestAParameterWithoutEffectIsAnErrorAtOpen(t *testing.T) {
	const begin, more = "databricks-telemetry: ", ", where it has no effect: the parameters of a DSN begin with one ? and are separated by &"
	for dsn, want := range map[string]string{
		"/p?telemetry_log_lvel=warn":                              "telemetry_log_lvel is not a parameter: did you mean telemetry_log_level?",
		"/p?catalog=c&enableTelemtry=false":                       "enableTelemtry is not a parameter: did you mean enableTelemetry?",
		"/p&telemetry_log_level=warn":                             "telemetry_log_level is in the path of the DSN" + more,
		"/p&enableTelemetry=false":                                "enableTelemetry is in the path of the DSN" + more,
		"/p&telemetry_log_lvel=warn":                              "telemetry_log_lvel is in the path of the DSN" + more,
		"/p;enable_telemetry=false":                               "enable_telemetry is in the path of the DSN" + more,
		"/p?enableTelemetry%3Dfalse":                              "enableTelemetry is in the name of another parameter of the DSN" + more,
		"/p?enableTelemetry%3Dfalse%26catalog%3Dmain":             "enableTelemetry is in the name of another parameter of the DSN" + more,
		"/p?enableTelemetry:false":                                "enableTelemetry is in the name of another parameter of the DSN" + more,
		"/p%3Ftelemetry_log_level=warn":                           "telemetry_log_level is in the path of the DSN" + more,
		"/p&telemetry_batch_size=5?catalog=c":                     "telemetry_batch_size is in the path of the DSN" + more,
		"/p/enableTelemetry=false":                                "enableTelemetry is in the path of the DSN" + more,
		"/p?catalog=c?telemetry_log_level=warn":                   "telemetry_log_level is in the value of another parameter of the DSN" + more,
		"/p?catalog=c;telemetry_log_level=warn":                   "telemetry_log_level is in the value of another parameter of the DSN" + more,
		"/p?telemetry_log_level=info?telemetry_slow_threshold=1s": "telemetry_slow_threshold is in the value of another parameter of the DSN" + more,
		"/p?catalog=c;enableTelemetry=false":                      "enableTelemetry is in the value of another parameter of the DSN" + more,
		"/p?catalog=c;enableTelemetry:false":                      "enableTelemetry is in the value of another parameter of the DSN" + more,
		"/p?catalog=c%26enableTelemetry%3Dfalse":                  "enableTelemetry is in the value of another parameter of the DSN" + more,
		"/p?enableTelemetry+false":                                "enableTelemetry is in the name of another parameter of the DSN" + more,
		"/p?enableTelemetry%20false":                              "enableTelemetry is in the name of another parameter of the DSN" + more,
		"/p?enableTelemetry%253Dfalse":                            "enableTelemetry is in the name of another parameter of the DSN" + more,
		"/p;enableTelemetry:false":                                "enableTelemetry is in the path of the DSN" + more,
		"/p#enableTelemetry:false":                                "enableTelemetry is in the fragment of the DSN" + more,
		"/p?catalog=c&amp;enableTelemetry=false":                  "enableTelemetry is in the value of another parameter of the DSN" + more,
		"/p?catalog=c,telemetry_query_text=true":                  "telemetry_query_text is in the value of another parameter of the DSN" + more,
		"/p#telemetry_log_level=warn":                             "telemetry_log_level is in the fragment of the DSN" + more,
		"/p?catalog=c#?enableTelemetry=false":                     "enableTelemetry is in the fragment of the DSN" + more,
		"/p?catalog=c#x%26enableTelemetry=false":                  "enableTelemetry is in the fragment of the DSN" + more,
		"/p?enableTelemetry=false#&enableTelemetry=1":             "enableTelemetry is in the fragment of the DSN" + more,

		// Off without a value.
		"/p&disableTelemetry":              "disableTelemetry is in the path of the DSN" + more,
		"/p;no_telemetry":                  "no_telemetry is in the path of the DSN" + more,
		"/p%3FdisableTelemetry":            "disableTelemetry is in the path of the DSN" + more,
		"/p#disableTelemetry":              "disableTelemetry is in the fragment of the DSN" + more,
		"/p?a=1&amp;disableTelemetry":      "disableTelemetry is in the value of another parameter of the DSN" + more,
		"/p?catalog=c;disableTelemetry":    "disableTelemetry is in the value of another parameter of the DSN" + more,
		"/p?catalog=c?telemetry_off":       "telemetry_off is in the value of another parameter of the DSN" + more,
		"/p?catalog=c%26do_not_track":      "do_not_track is in the value of another parameter of the DSN" + more,
		"/p?catalog=c;enableTelemetry+off": "enableTelemetry is in the value of another parameter of the DSN" + more,

		// Escaped twice, or as in JSON.
		"/p?catalog=c%2526enableTelemetry%253Dfalse": "enableTelemetry is in the value of another parameter of the DSN" + more,
		"/p%253FenableTelemetry%253Dfalse":           "enableTelemetry is in the path of the DSN" + more,
		"/p;enableTelemetry%253Dfalse":               "enableTelemetry is in the path of the DSN" + more,
		"/p?\"enableTelemetry\":false":               "enableTelemetry is in the name of another parameter of the DSN" + more,
		"/p?catalog=c%20enableTelemetry=false":       "enableTelemetry is in the value of another parameter of the DSN" + more,
	} {
		c, err := driverwrap.Config{}.OpenConnector("token:dapi0123456789@h:443" + dsn)
		require.EqualError(t, err, begin+want, dsn)
		require.Nil(t, c)
		var parameter *telemetry.ParameterError
		require.ErrorAs(t, err, &parameter)

		_, native := nativeDriver(t).OpenConnector("token:dapi0123456789@h" + dsn)
		_, err = driverwrap.Config{}.OpenConnector("token:dapi0123456789@h" + dsn)
		require.Equal(t, text(native), text(err), "a bad DSN gives the native error")
	}
	for _, dsn := range []string{
		"/p?QUERY_TAGS=a:telemetry_x,b:2", "/telemetry_x/p", "/p?spark.x.telemetry_y=1", "/p?QUERY_TAGS=telemetry_team:orders", "/p?a=b=c", "/p&x=1", "/p?telemetry_retry_count=3", "/p?a=telemetry_log_level",
		"/p?schema=telemetry&x==1", "/p?catalog=no_telemetry", "/p?QUERY_TAGS=a:b,no_telemetry", "/p?QUERY_TAGS=team:no telemetry",
	} {
		sameOpen(t, "token:x@h:443"+dsn)
	}
}

// TestWhatTheReadmeAddsToADSNOpens adds it to the DSNs that the README has.
func TestWhatTheReadmeAddsToADSNOpens(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	added := regexp.MustCompile(`dsn \+= "(.*?)"`).FindAllStringSubmatch(string(readme), -1)
	dsns := regexp.MustCompile(`token:[^\s"]+/warehouses/\w+`).FindAllString(string(readme), -1)
	require.NotEmpty(t, added)
	require.NotEmpty(t, dsns)
	for _, dsn := range dsns {
		for _, a := range added {
			_, err := driverwrap.Config{}.OpenConnector(dsn + a[1])
			require.NoError(t, err, dsn+a[1])
		}
	}
}

// TestEveryDocumentedParameterIsKnown reads the driver's own reference. A driver that
// documents more than the corpus names fails here: teach dsn.go first.
func TestEveryDocumentedParameterIsKnown(t *testing.T) {
	source, _ := runtime.FuncForPC(reflect.ValueOf(dbsql.NewConnector).Pointer()).FileLine(0)
	names := map[string]bool{}
	for _, file := range []string{"CONNECTION_PARAMETERS.md", "README.md", "doc.go"} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(source), file))
		if errors.Is(err, os.ErrNotExist) {
			continue // the reference came with 1.15
		}
		require.NoError(t, err)
		for _, pattern := range []string{
			"(?m)^\\| `([A-Za-z_]+)` \\|", // a row of the reference
			"(?m)^\\s*-? ?`?([A-Za-z_]+)`?: (?:Sets|Set|Controls|Maximum|Enable|The|Used|Specifies|Number)", // a list in prose
			"[?&]([A-Za-z_]+)=", // an example
		} {
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
				names[m[1]] = true
			}
		}
	}
	require.Contains(t, names, "catalog", "the reference has moved: this test reads nothing")
	all := strings.Join(corpus, " ")
	own := map[string]bool{}
	for _, p := range settings.Parameters {
		own[p.Name] = true
	}
	var unknown []string
	for name := range names {
		if name == strings.ToUpper(name) {
			continue // a session parameter, of which the reference writes names in capitals
		}
		if !own[name] && !notParameters[name] && !strings.Contains(all, "?"+name+"=") && !strings.Contains(all, "&"+name+"=") {
			unknown = append(unknown, name)
		}
	}
	require.Empty(t, unknown, "the driver documents parameters that dsn.go and its tests do not know")
}

// notParameters are names the pattern finds that are no DSN parameters.
var notParameters = map[string]bool{"param": true} // stands for any name

// mayBeOurs reports whether a DSN may have a parameter of the wrapper, in any place and spelling.
func mayBeOurs(dsn string) bool {
	parts := strings.FieldsFunc(dsn, func(r rune) bool { return strings.ContainsRune("?&#", r) })
	return strings.Contains(strings.ToLower(dsn), "tel") || slices.ContainsFunc(parts, func(part string) bool {
		name, _, _ := strings.Cut(strings.ReplaceAll(part, "+", " "), "=")
		return settings.IsParameter(name)
	})
}
