package cloudfetch

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const flagURL = "https://workspace.example.com" + flagPath + "1.15.1"

// flagStage is a transport over a workspace that answers the flag.
func flagStage(opts Options, answer func(*http.Request) (*http.Response, error)) (*Transport, *int) {
	asked := new(int)
	return New(WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		*asked++
		return answer(req)
	})), opts), asked
}

func answerFlag(body string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) { return response(req, 200, []byte(body), nil), nil }
}

const flagOn = `{"flags":[{"name":"other","value":"x"},{"name":"` + flagName + `","value":"true"}],"ttl_seconds":900}`

// ask reads the flag as the driver does.
func ask(t *testing.T, transport *Transport) (enabled bool) {
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
	transport, asked := flagStage(Options{SilenceNative: true}, nil)
	for range 5 {
		require.False(t, ask(t, transport))
	}
	require.Zero(t, *asked)
	_, ok := transport.Flag()
	require.False(t, ok)
	require.EqualValues(t, 5, transport.Stats().Silenced)
}

func TestUploadIsAcceptedLocally(t *testing.T) {
	transport, asked := flagStage(Options{SilenceNative: true}, nil)
	for _, path := range []string{uploadPath, uploadPathAnon} {
		body := &writerToBody{Reader: bytes.NewReader([]byte(`{"items":[],"protoLogs":["x"]}`))}
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
	require.Zero(t, *asked)
}

func TestNativeTelemetryPassesUnlessSilenced(t *testing.T) {
	transport, asked := flagStage(Options{}, answerFlag(flagOn))
	require.True(t, ask(t, transport))
	require.Equal(t, 1, *asked)
	flag, ok := transport.Flag()
	require.True(t, ok)
	require.True(t, flag.Enabled)
	require.Equal(t, 15*time.Minute, flag.TTL)
	req, _ := http.NewRequest(http.MethodPost, "https://workspace.example.com"+uploadPath, strings.NewReader("{}"))
	_, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 2, *asked)
	// Other requests to the same paths are not telemetry.
	req, _ = http.NewRequest(http.MethodPut, "https://workspace.example.com"+uploadPath, nil)
	_, err = transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, 3, *asked)
}

func TestTrueFlagIsLearntOnceAndNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, asked := flagStage(Options{SilenceNative: true, LearnFlag: true}, answerFlag(flagOn))
		for range 5 {
			require.False(t, ask(t, transport))
		}
		require.Equal(t, 1, *asked)
		flag, ok := transport.Flag()
		require.True(t, ok && flag.Enabled)
		time.Sleep(15*time.Minute - time.Second)
		ask(t, transport)
		require.Equal(t, 1, *asked)
		time.Sleep(2 * time.Second)
		ask(t, transport)
		require.Equal(t, 2, *asked)
	})
}

func TestFlagThatCannotBeLearntIsAskedAgainAMinuteLater(t *testing.T) {
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"error":     func(*http.Request) (*http.Response, error) { return nil, errReset },
		"nothing":   func(*http.Request) (*http.Response, error) { return nil, nil }, //nolint:nilnil // a broken transport
		"forbidden": func(req *http.Request) (*http.Response, error) { return response(req, 403, nil, nil), nil },
		"html":      answerFlag("<html>"),
		"too long":  answerFlag(strings.Repeat(" ", maxFlagBody) + flagOn),
		"cut": func(req *http.Request) (*http.Response, error) {
			return response(req, 200, []byte(flagOn), errReset), nil
		},
		"panic": func(*http.Request) (*http.Response, error) { panic("a user's transport") },
		"hangs": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport, asked := flagStage(Options{SilenceNative: true, LearnFlag: true}, answer)
				start := time.Now()
				for range 3 {
					require.False(t, ask(t, transport))
				}
				require.LessOrEqual(t, time.Since(start), flagWait)
				require.Equal(t, 1, *asked)
				_, ok := transport.Flag()
				require.False(t, ok)
				time.Sleep(time.Minute + time.Second)
				ask(t, transport)
				require.Equal(t, 2, *asked)
			})
		})
	}
}

func TestFlagAnswers(t *testing.T) {
	for body, want := range map[string]Flag{
		flagOn:                           {Enabled: true, TTL: 15 * time.Minute},
		`{}`:                             {TTL: 15 * time.Minute},
		`{"flags":[],"ttlSeconds":120}`:  {TTL: 2 * time.Minute},
		`{"flags":[],"ttl_seconds":0}`:   {TTL: time.Minute},
		`{"flags":[],"ttl_seconds":-5}`:  {TTL: time.Minute},
		`{"ttl_seconds":99999999999999}`: {TTL: time.Hour},
		`{"flags":[{"name":"` + flagName + `","value":"True"}]}`: {TTL: 15 * time.Minute},
		flagOff: {TTL: time.Hour},
	} {
		enabled, ttl, ok := parseFlag([]byte(body))
		require.True(t, ok, body)
		require.Equal(t, want, Flag{Enabled: enabled, TTL: ttl}, body)
	}
	_, _, ok := parseFlag([]byte("no"))
	require.False(t, ok)
}

func TestPassingFlagAnswerIsBoundedAndUnchanged(t *testing.T) {
	for name, body := range map[string]string{"long": strings.Repeat(" ", maxFlagBody) + flagOn, "broken": "<html>", "empty": ""} {
		transport, _ := flagStage(Options{}, answerFlag(body))
		req, _ := http.NewRequest(http.MethodGet, flagURL, nil)
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err, name)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, body, string(got))
		_, ok := transport.Flag()
		require.False(t, ok)
	}
}
