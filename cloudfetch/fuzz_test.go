package cloudfetch

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReader: whatever the bytes and however they are split, the outcome is the
// same, memory is bounded, and what passes through the transport is unchanged.
func FuzzReader(f *testing.F) {
	for _, b := range wireExamples() {
		f.Add(b, uint64(1))
		f.Add(b[:len(b)/2], uint64(2))
	}
	for _, b := range captured(f) {
		f.Add(b, uint64(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		for _, call := range []bool{false, true} {
			whole := readPieces(call, b)
			require.Equal(t, whole, readPieces(call, cut(b, rng)...))
			if whole.progress == complete {
				require.LessOrEqual(t, len(whole.links), len(b))
				for n := range min(len(b), 64) {
					if readPieces(call, b[:len(b)-n-1]).progress == complete {
						return // trailing bytes
					}
				}
			}
		}

		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, req.Body)
			return &http.Response{
				StatusCode: 200, Header: http.Header{}, ContentLength: -1, Request: req,
				Body: &recorder{b: b, err: io.EOF, rng: rng},
			}, nil
		})
		transport := New(WrapBase(base), new(Counters))
		ctx, trace := traced()
		for _, request := range [][]byte{executeRequest(1), operationRequest(fetchResults, 2, operationA), b} {
			resp, err := transport.RoundTrip(thriftRequest(ctx, request))
			require.NoError(t, err)
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.True(t, bytes.Equal(b, got))
			require.ErrorIs(t, resp.Body.Close(), errReset) // as the recorder does
		}
		sumsAdd(t, soFar(trace))
		sumsAdd(t, finish(trace))
		require.Zero(t, transport.counts.Stats().Panics)
		require.Zero(t, transport.registry.busy.Load())
		require.Zero(t, transport.registry.linked.Load())
	})
}

// captured returns messages that passed between the real driver and a workspace; the
// conformance suite writes them (see its capture_test.go).
func captured(t testing.TB) (messages [][]byte) {
	files, err := filepath.Glob("testdata/captured/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		messages = append(messages, b)
	}
	return messages
}

func TestCapturedMessagesAreDecoded(t *testing.T) {
	files, err := filepath.Glob("testdata/captured/*")
	require.NoError(t, err)
	for i, b := range captured(t) {
		request := strings.HasSuffix(files[i], ".request")
		require.Equal(t, complete, readPieces(request, b).progress, files[i])
	}
}

// FuzzLink: a canonical link is recognized in its request.
func FuzzLink(f *testing.F) {
	f.Add("https://bucket.s3.amazonaws.com/a/b%20c?X-Amz-Signature=a%2Fb", uint64(1))
	f.Add("http://127.0.0.1:8080/!$&'()*+,;=:@[x]~?x=y?z=/ ^|{}", uint64(2))
	f.Add("https://h?x#y", uint64(3))
	f.Fuzz(func(t *testing.T, link string, seed uint64) {
		checkKey(t, link, rand.New(rand.NewPCG(seed, 0)))
	})
}

// An identifier that is read is written as it was, in lower case.
func FuzzParseGUID(f *testing.F) {
	for _, s := range []string{"", "01f19aa2-7d2e-1b33-a3b4-1a2b3c4d5e6f", "01F19AA2-7D2E-1B33-A3B4-1A2B3C4D5E6F", "01f19aa2-7d2e-1b33-a3b41-a2b3c4d5e6f", "01f19aa27d2e1b33a3b41a2b3c4d5e6f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id := parseGUID(s); id != (guid{}) {
			require.Equal(t, strings.ToLower(s), id.String())
		}
		var id guid
		copy(id[:], s)
		require.Equal(t, id, parseGUID(id.String()))
	})
}
