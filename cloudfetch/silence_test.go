package cloudfetch

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const flagURL = "https://workspace.example.com" + flagPath + "1.15.1"

// flagStage is a transport over a workspace that answers the flag.
func flagStage(answer func(*http.Request) (*http.Response, error)) (*Transport, *int) {
	requests := new(int)
	return New(WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		*requests++
		return answer(req)
	})), new(Counters)), requests
}

const flagName = "databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver"

// nativeFlag reads the flag as the driver does.
func nativeFlag(t *testing.T, transport *Transport) (enabled bool) {
	t.Helper()
	req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, flagURL, nil)
	req.Header.Set("Authorization", "Bearer x")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	var answer struct {
		Flags []struct{ Name, Value string } `json:"flags"`
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	for _, f := range answer.Flags {
		if f.Name == flagName {
			return f.Value == "true"
		}
	}
	return false
}

func TestFlagIsAnsweredLocally(t *testing.T) {
	transport, requests := flagStage(nil)
	for range 5 {
		require.False(t, nativeFlag(t, transport))
	}
	require.Zero(t, *requests)
	require.EqualValues(t, 5, transport.counts.Stats().Silenced)
}

// uploadBody is a request body that notes its Close.
type uploadBody struct {
	*bytes.Reader
	closed bool
}

func (b *uploadBody) Close() error { b.closed = true; return nil }

func TestUploadIsAcceptedLocally(t *testing.T) {
	transport, requests := flagStage(nil)
	for _, path := range []string{uploadPath, uploadPathAnon} {
		body := &uploadBody{Reader: bytes.NewReader([]byte(`{"items":[],"protoLogs":["x"]}`))}
		req, _ := http.NewRequest(http.MethodPost, "https://workspace.example.com"+path, nil)
		req.Body = body
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.JSONEq(t, `{"errors":[],"numSuccess":0,"numProtoSuccess":0,"numRealtimeSuccess":0}`, string(got))
		require.Zero(t, body.Len())
		require.True(t, body.closed)
	}
	require.Zero(t, *requests)
}

func TestOtherRequestsToThePathsOfTelemetryPass(t *testing.T) {
	transport, requests := flagStage(func(req *http.Request) (*http.Response, error) { return response(req, 200, nil, nil), nil })
	req, _ := http.NewRequest(http.MethodPut, "https://workspace.example.com"+uploadPath, nil)
	_, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 1, *requests)
}
