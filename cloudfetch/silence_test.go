package cloudfetch

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const flagURL = "https://workspace.example.com" + flagPath + "1.15.1"

// flagStage is a transport over a workspace that answers the flag.
func flagStage(opts Options, answer func(*http.Request) (*http.Response, error)) (*Transport, *int) {
	requests := new(int)
	return New(WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		*requests++
		return answer(req)
	})), opts), requests
}

func answerFlag(body string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) { return response(req, 200, []byte(body), nil), nil }
}

const flagName = "databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver"

const flagOn = `{"flags":[{"name":"other","value":"x"},{"name":"` + flagName + `","value":"true"}],"ttl_seconds":900}`

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
	transport, requests := flagStage(Options{SilenceNative: true}, nil)
	for range 5 {
		require.False(t, nativeFlag(t, transport))
	}
	require.Zero(t, *requests)
	require.EqualValues(t, 5, transport.Stats().Silenced)
}

// uploadBody is a request body that notes its Close.
type uploadBody struct {
	*bytes.Reader
	closed bool
}

func (b *uploadBody) Close() error { b.closed = true; return nil }

func TestUploadIsAcceptedLocally(t *testing.T) {
	transport, requests := flagStage(Options{SilenceNative: true}, nil)
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

func TestNativeTelemetryPassesUnlessSilenced(t *testing.T) {
	transport, requests := flagStage(Options{}, answerFlag(flagOn))
	require.True(t, nativeFlag(t, transport))
	require.Equal(t, 1, *requests)
	req, _ := http.NewRequest(http.MethodPost, "https://workspace.example.com"+uploadPath, strings.NewReader("{}"))
	_, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 2, *requests)
	// Other requests to the same paths are not telemetry.
	req, _ = http.NewRequest(http.MethodPut, "https://workspace.example.com"+uploadPath, nil)
	_, err = transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 3, *requests)
}
