package workspace_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

type telemetryAnswer struct {
	Errors             []string
	NumSuccess         int
	NumProtoSuccess    int
	NumRealtimeSuccess int
}

func (c *client) telemetry(path string, frame map[string]any) (*http.Response, telemetryAnswer) {
	c.t.Helper()
	body, err := json.Marshal(frame)
	require.NoError(c.t, err)
	resp, raw := c.do(http.MethodPost, c.ws.URL()+path, body, c.bearer())
	var a telemetryAnswer
	if resp.StatusCode == http.StatusOK {
		require.NoError(c.t, json.Unmarshal(raw, &a))
	}
	return resp, a
}

func frame(documents ...string) map[string]any {
	return map[string]any{"uploadTime": time.Now().UnixMilli(), "items": []any{}, "protoLogs": documents}
}

func document(id, log string) string {
	return `{"frontend_log_event_id":"` + id + `","workspace_id":5,"context":{"client_context":{"timestamp_millis":9,"user_agent":"u"}},"entry":{"sql_driver_log":` + log + `}}`
}

func TestValidEventsAreStoredTyped(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	id := uuid.NewString()
	doc := document(id, `{"session_id":"s","sql_statement_id":"q","operation_latency_ms":12,
		"sql_operation":{"statement_type":"QUERY","execution_result":"EXTERNAL_LINKS","chunk_details":{"total_chunks_present":3}},
		"driver_connection_params":{"mode":"THRIFT","host_info":{"host_url":"h","port":443},"non_proxy_hosts":["a"]}}`)
	resp, a := c.telemetry("/telemetry-ext", frame(doc))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, telemetryAnswer{Errors: []string{}, NumSuccess: 1, NumProtoSuccess: 1}, a)
	c.telemetry("/telemetry-ext", frame(doc))

	events := ws.Telemetry()
	require.Len(t, events, 1, "an event id counts once")
	e := events[0]
	assert.True(t, e.Valid())
	assert.Equal(t, 2, e.Attempts)
	assert.Equal(t, 2, e.Accepted)
	assert.Equal(t, "/telemetry-ext", e.Endpoint)
	assert.Equal(t, "Bearer "+ws.Token(), e.Header.Get("Authorization"))
	assert.Equal(t, doc, string(e.Raw))
	log := e.Document.Entry.SQLDriverLog
	assert.EqualValues(t, 12, log.OperationLatencyMs)
	assert.EqualValues(t, 3, log.SQLOperation.ChunkDetails.TotalChunksPresent)
	assert.EqualValues(t, 443, log.ConnectionParams.HostInfo.Port)
}

func TestStrictValidationNamesWhatIsWrong(t *testing.T) {
	id := uuid.NewString()
	for name, c := range map[string]struct{ doc, problem string }{
		"unknown key":           {document(id, `{"sql_operation":{"bytes":1}}`), "entry.sql_driver_log.sql_operation.bytes: unknown field"},
		"unknown key at top":    {`{"frontend_log_event_id":"` + id + `","x":1,"entry":{"sql_driver_log":{}}}`, "x: unknown field"},
		"string for a number":   {document(id, `{"operation_latency_ms":"12"}`), `entry.sql_driver_log.operation_latency_ms: want a whole number, got string "12"`},
		"fraction for a number": {document(id, `{"operation_latency_ms":1.5}`), "entry.sql_driver_log.operation_latency_ms: want a whole number that fits int64, got number 1.5"},
		"int32 overflow":        {document(id, `{"sql_operation":{"chunk_details":{"total_chunks_present":4294967296}}}`), "entry.sql_driver_log.sql_operation.chunk_details.total_chunks_present: want a whole number that fits int32, got number 4294967296"},
		"null":                  {document(id, `{"sql_operation":null}`), "entry.sql_driver_log.sql_operation: want an object, got null"},
		"bad enum":              {document(id, `{"driver_connection_params":{"mode":"thrift"}}`), `entry.sql_driver_log.driver_connection_params.mode: want one of THRIFT SEA, got string "thrift"`},
		"event id of version 1": {document("a0eebc99-9c0b-11ef-bb6d-6bb9bd380a11", `{}`), `frontend_log_event_id: "a0eebc99-9c0b-11ef-bb6d-6bb9bd380a11" is not a UUID of version 4`},
		"no event id":           {`{"entry":{"sql_driver_log":{}}}`, `frontend_log_event_id: "" is not a UUID of version 4`},
		"no entry":              {`{"frontend_log_event_id":"` + id + `"}`, "entry.sql_driver_log: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{})
			resp, a := newClient(t, ws).telemetry("/telemetry-ext", frame(c.doc))
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			assert.Equal(t, []string{c.problem}, a.Errors)
			assert.Zero(t, a.NumProtoSuccess)
			assert.Equal(t, []string{c.problem}, ws.TelemetryErrors())
			require.Len(t, ws.Telemetry(), 1)
			assert.False(t, ws.Telemetry()[0].Valid())
		})
	}
}

func TestFrameIsCheckedToo(t *testing.T) {
	good := document(uuid.NewString(), `{}`)
	for name, c := range map[string]struct {
		change func(map[string]any)
		status int
		errors []string
	}{
		"items missing":        {func(f map[string]any) { delete(f, "items") }, 500, []string{"items: missing"}},
		"items null":           {func(f map[string]any) { f["items"] = nil }, 500, []string{"items: missing"}},
		"items filled":         {func(f map[string]any) { f["items"] = []string{"x"} }, 200, []string{"items: must be empty"}},
		"upload time missing":  {func(f map[string]any) { delete(f, "uploadTime") }, 200, []string{"uploadTime: missing"}},
		"upload time a string": {func(f map[string]any) { f["uploadTime"] = "1" }, 200, []string{`uploadTime: want a whole number, got string "1"`}},
		"logs missing":         {func(f map[string]any) { delete(f, "protoLogs") }, 200, []string{"protoLogs: missing"}},
		"logs not strings":     {func(f map[string]any) { f["protoLogs"] = []any{map[string]any{}} }, 200, []string{"protoLogs[0]: want a string, got an object"}},
		"unknown key":          {func(f map[string]any) { f["more"] = 1 }, 200, []string{"more: unknown field"}},
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{})
			f := frame(good)
			c.change(f)
			resp, _ := newClient(t, ws).telemetry("/telemetry-ext", f)
			assert.Equal(t, c.status, resp.StatusCode)
			assert.Equal(t, c.errors, ws.TelemetryErrors())
			assert.Empty(t, ws.Telemetry(), "nothing of a bad frame is taken")
		})
	}
}

func TestPublicEndpointNeedsNoToken(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	c.token = "wrong"
	resp, _ := c.telemetry("/telemetry-ext", frame(document(uuid.NewString(), `{}`)))
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	resp, _ = c.telemetry("/telemetry-unauth", frame(document(uuid.NewString(), `{}`)))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	require.Len(t, ws.Telemetry(), 1)
}

func TestAttemptsIncludeThoseTheServiceNeverTook(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	ws.Inject(workspace.Fault{On: workspace.Endpoint("/telemetry-ext"), First: 2, Do: workspace.Status(503)})
	id := uuid.NewString()
	for range 3 {
		c.telemetry("/telemetry-ext", frame(document(id, `{}`)))
	}
	require.Len(t, ws.Telemetry(), 1)
	assert.Equal(t, 3, ws.Telemetry()[0].Attempts)
	assert.Equal(t, 1, ws.Telemetry()[0].Accepted)
	assert.Equal(t, map[string]int{id: 3}, ws.TelemetryAttempts())
}

func TestUnifiedHostRedirectsWithoutTheWorkspaceID(t *testing.T) {
	ws := workspace.New(t, workspace.Options{Unified: true})
	c := newClient(t, ws)
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, _ := c.telemetry("/telemetry-ext", frame(document(uuid.NewString(), `{}`)))
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Empty(t, ws.Telemetry())
	header := c.bearer()
	header.Set("x-databricks-org-id", "1")
	resp, _ = c.do(http.MethodGet, ws.URL()+flagURL, nil, header)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestFeatureFlagHasThreeValues(t *testing.T) {
	ws := workspace.New(t, workspace.Options{FlagTTL: time.Minute})
	c := newClient(t, ws)
	for flag, want := range map[workspace.Flag]string{
		workspace.FlagAbsent: `{"flags":[],"ttl_seconds":60}`,
		workspace.FlagOff:    `{"flags":[{"name":"databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver","value":"false"}],"ttl_seconds":60}`,
		workspace.FlagOn:     `{"flags":[{"name":"databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver","value":"true"}],"ttl_seconds":60}`,
	} {
		ws.SetTelemetryFlag(flag)
		resp, body := c.do(http.MethodGet, ws.URL()+flagURL, nil, c.bearer())
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.JSONEq(t, want, string(body))
	}
	assert.Equal(t, 3, ws.FlagRequests())
}

func TestUnreadUploadsAreTakenAsTheyAre(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryUnread: true})
	c := newClient(t, ws)
	for _, path := range []string{"/telemetry-ext", "/telemetry-unauth"} {
		resp, a := c.telemetry(path, frame("no document at all"))
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Empty(t, a.Errors)
		assert.Greater(t, a.NumProtoSuccess, 1000)
	}
	assert.Empty(t, ws.Telemetry())
	assert.Empty(t, ws.TelemetryErrors())
	assert.Empty(t, ws.TelemetryAttempts())
}
