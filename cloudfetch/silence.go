package cloudfetch

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// What the driver's own telemetry asks for. It builds its URLs from the host
// name alone, so scheme and port are not those of the connection.
const (
	flagPath       = "/api/2.0/connector-service/feature-flags/GOLANG/"
	uploadPath     = "/telemetry-ext"
	uploadPathAnon = "/telemetry-unauth"
	flagName       = "databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver"

	flagOff  = `{"flags":[{"name":"` + flagName + `","value":"false"}],"ttl_seconds":3600}`
	accepted = `{"errors":[],"numSuccess":0,"numProtoSuccess":0,"numRealtimeSuccess":0}`

	maxFlagBody = 8 << 10
	flagWait    = 2 * time.Second // how long a silenced driver waits for the true flag
	flagDefault = 15 * time.Minute
	flagMin     = time.Minute
	flagMax     = time.Hour
)

func isFlag(u *url.URL) bool { return u != nil && strings.HasPrefix(u.Path, flagPath) }

func isUpload(u *url.URL) bool {
	return u != nil && (u.Path == uploadPath || u.Path == uploadPathAnon)
}

// Flag is the workspace's answer to whether the Go driver may send telemetry.
type Flag struct {
	Enabled bool          // absent from the answer counts as false
	TTL     time.Duration // as the server said, within 1 to 60 minutes; 15 minutes when it said nothing
	Learnt  time.Time
}

// flagState holds the learnt flag.
type flagState struct {
	mu     sync.Mutex // guards all below; not held during a request
	flag   Flag
	known  bool
	asking bool
	next   time.Time // not before
}

// Flag returns the latest answer to the driver's feature-flag request that
// passed through the transport, and whether there was one. It may be older than
// its TTL.
func (t *Transport) Flag() (Flag, bool) {
	t.flag.mu.Lock()
	defer t.flag.mu.Unlock()
	return t.flag.flag, t.flag.known
}

// mayAsk reports whether a silenced flag request may go through, and if so
// keeps others back until settle.
func (s *flagState) mayAsk(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asking || now.Before(s.next) {
		return false
	}
	s.asking = true
	return true
}

// settle takes an answer; ok is false when there was none that could be used.
func (s *flagState) settle(enabled bool, ttl time.Duration, ok bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = false
	s.next = now.Add(flagMin)
	if ok {
		s.flag, s.known = Flag{Enabled: enabled, TTL: ttl, Learnt: now}, true
		s.next = now.Add(ttl)
	}
}

// askFlag handles the driver's feature-flag request.
func (t *Transport) askFlag(req *http.Request) (*http.Response, error) {
	if !t.silence {
		resp, err := t.base.Workspace.RoundTrip(req)
		if err == nil && resp != nil && resp.Body != nil && resp.StatusCode == http.StatusOK {
			b := &flagBody{ReadCloser: resp.Body, state: &t.flag, counts: t.counts}
			resp.Body = observed(resp.Body, b, b)
		}
		return resp, err
	}
	if t.learn && t.flag.mayAsk(time.Now()) {
		t.learnFlag(req)
	}
	return t.local(req, flagOff), nil
}

// learnFlag sends the driver's flag request on and keeps the answer. Nothing of
// it reaches the driver.
func (t *Transport) learnFlag(req *http.Request) {
	var enabled, ok bool
	var ttl time.Duration
	defer func() {
		if v := recover(); v != nil {
			t.counts.contained.Panicked(contain.Wire, v)
		}
		t.flag.settle(enabled, ttl, ok, time.Now())
	}()
	ctx, cancel := context.WithTimeout(req.Context(), flagWait)
	defer cancel()
	asked := req.Clone(ctx)
	asked.Body, asked.GetBody = nil, nil
	resp, err := t.base.Workspace.RoundTrip(asked)
	if err != nil || resp == nil || resp.Body == nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxFlagBody+1))
	if err == nil && len(body) <= maxFlagBody {
		enabled, ttl, ok = parseFlag(body)
	}
}

// acceptUpload answers an upload of the driver's telemetry.
func (t *Transport) acceptUpload(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	return t.local(req, accepted), nil
}

// local makes a response without a request.
func (t *Transport) local(req *http.Request, body string) *http.Response {
	t.counts.silenced.Add(1)
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type":   {"application/json"},
			"Content-Length": {strconv.Itoa(len(body))},
		},
		ContentLength: int64(len(body)),
		Body:          io.NopCloser(strings.NewReader(body)),
		Request:       req,
	}
}

// parseFlag reads the service's answer.
func parseFlag(body []byte) (enabled bool, ttl time.Duration, ok bool) {
	var answer struct {
		Flags []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"flags"`
		TTL      *int64 `json:"ttl_seconds"`
		TTLCamel *int64 `json:"ttlSeconds"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return false, 0, false
	}
	for _, f := range answer.Flags {
		if f.Name == flagName {
			enabled = f.Value == "true"
			break
		}
	}
	ttl = flagDefault
	for _, seconds := range []*int64{answer.TTL, answer.TTLCamel} {
		if seconds != nil {
			limit := int64(flagMax / time.Second)
			ttl = max(flagMin, time.Duration(min(max(*seconds, 0), limit))*time.Second)
			break
		}
	}
	return enabled, ttl, true
}

// flagBody keeps a passing flag answer, up to its bound, and reads it at its end.
type flagBody struct {
	io.ReadCloser
	state  *flagState
	counts *Counters

	mu   sync.Mutex // guards buf and done
	buf  bytes.Buffer
	done bool
}

func (b *flagBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n >= 0 && n <= len(p) {
		b.saw(p[:n], err)
	}
	return n, err
}

func (b *flagBody) saw(p []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			b.counts.contained.Panicked(contain.Wire, v)
			b.done = true
		}
	}()
	if b.done {
		return
	}
	if b.buf.Len()+len(p) > maxFlagBody || err != nil && err != io.EOF {
		b.done = true
		return
	}
	b.buf.Write(p)
	if err == io.EOF {
		b.done = true
		if enabled, ttl, ok := parseFlag(b.buf.Bytes()); ok {
			b.state.settle(enabled, ttl, true, time.Now())
		}
	}
}
