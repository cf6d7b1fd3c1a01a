package cloudfetch

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Counters are counts that several transports may share. The zero value is ready to use; all methods
// are safe for concurrent use.
type Counters struct {
	messages, undecoded, files, silenced, evicted, panics atomic.Int64
}

// contain contains a panic of the function that defers it.
func (c *Counters) contain() {
	if v := recover(); v != nil {
		c.panicked(v)
	}
}

// panicked counts a panic that the caller has recovered.
func (c *Counters) panicked(v any) {
	c.panics.Add(1)
	contain.Process.Panicked(contain.Wire, v)
}

// Stats returns the counts.
func (c *Counters) Stats() telemetry.WireStats {
	return telemetry.WireStats{
		Messages: c.messages.Load(), Undecoded: c.undecoded.Load(), Files: c.files.Load(),
		Silenced: c.silenced.Load(), Evicted: c.evicted.Load(), Panics: c.panics.Load(),
	}
}

// Transport observes the requests of one connector: Thrift RPCs and, with Downloads, CloudFetch downloads. It
// answers requests of the driver's own telemetry itself: the flag is off, and uploads are accepted. Everything
// else passes unobserved. A Transport is safe for concurrent use.
type Transport struct {
	// PollInterval is the driver's pause between two status calls; 0 unknown. This field and the next two must not
	// change once the transport is used.
	PollInterval time.Duration
	// RetryWaitMin and RetryWaitMax bound the driver's pauses before it repeats a call; 0 unknown. The first pause
	// has RetryWaitMin, each further one twice as long. The server may ask for another pause (Retry-After).
	RetryWaitMin, RetryWaitMax time.Duration

	base     Base
	registry *registry
	counts   *Counters
}

var _ http.RoundTripper = (*Transport)(nil)

// New returns a transport over base that counts in counts.
func New(base Base, counts *Counters) *Transport {
	return &Transport{base: base, registry: newRegistry(counts), counts: counts}
}

// CloseIdleConnections closes the idle connections to the workspace.
func (t *Transport) CloseIdleConnections() { closeIdle(t.base.Workspace) }

// RoundTrip implements http.RoundTripper, for the driver's client for the workspace.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	switch req.Method {
	case http.MethodPost:
		if isThrift(req) {
			return t.call(req)
		}
		if isUpload(req.URL) {
			return t.nativeTelemetry(req, accepted), nil
		}
	case http.MethodGet, "":
		if isFlag(req.URL) {
			return t.nativeTelemetry(req, flagOff), nil
		}
	}
	return t.base.Workspace.RoundTrip(req)
}

// Downloads returns the transport for the driver's client for downloads.
func (t *Transport) Downloads() http.RoundTripper { return downloads{t} }

type downloads struct{ of *Transport }

// RoundTrip implements http.RoundTripper.
func (d downloads) RoundTrip(req *http.Request) (*http.Response, error) {
	if f, redirect := d.of.fileOf(req); f != nil {
		return d.of.download(req, f, redirect)
	}
	return d.of.base.Storage.RoundTrip(req)
}

// CloseIdleConnections closes the idle connections to storage, except those of http.DefaultClient, which the
// application shares.
func (d downloads) CloseIdleConnections() { closeIdle(d.of.base.Storage) }

func isThrift(req *http.Request) bool {
	return strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-thrift")
}

// call passes on an RPC.
func (t *Transport) call(req *http.Request) (*http.Response, error) {
	by := t.callerOf(req.Context())
	if by == (caller{}) && t.registry.busy.Load() == 0 || req.Body == nil || req.Body == http.NoBody {
		return t.base.Workspace.RoundTrip(req)
	}
	body := t.beginCall(req, by)
	if body == nil {
		return t.base.Workspace.RoundTrip(req)
	}
	if of, ok := body.owner.(*Trace); ok {
		switch {
		case t.registry.underWay.Load() > t.base.reports:
			req = of.asking(req)
		case of != by.trace: // as when the driver closes an Exec or cancels a statement whose call its context ended
			req = req.WithContext(context.WithValue(req.Context(), traceKey{}, of))
		}
	}
	returned := false
	defer func() {
		if !returned { // the application's transport panicked or ended the goroutine
			body.finish(failed, nil)
		}
	}()
	resp, err := t.base.Workspace.RoundTrip(req)
	returned = true
	body.answer(resp, unsendable(req, err))
	return resp, err
}

// caller is what the context of a call carries. Either field may be nil.
type caller struct {
	trace   *Trace
	session *Session
}

func callerOf(ctx context.Context) (by caller) {
	by.trace, _ = ctx.Value(traceKey{}).(*Trace)
	by.session, _ = ctx.Value(sessionKey{}).(*Session)
	return by
}

// callerOf returns what the context carries, without a trace or session of another transport: an authenticator
// may use the context of the request that it signs for its own database.
func (t *Transport) callerOf(ctx context.Context) caller {
	by := callerOf(ctx)
	if by.trace != nil && by.trace.Transport != nil && by.trace.Transport != t {
		by.trace = nil
	}
	if by.session != nil && by.session.Transport != nil && by.session.Transport != t {
		by.session = nil
	}
	return by
}

// beginCall reads the request, finds the owner of the call, and notes that the call begins. It returns nil
// if the call passes unobserved.
func (t *Transport) beginCall(req *http.Request, by caller) (body *exchangeBody) {
	defer t.counts.contain()
	r, size := readRequest(req)
	if r == nil {
		t.counts.undecoded.Add(1)
		if by.trace != nil {
			by.trace.markUndecoded()
		}
		return nil
	}
	defer r.release()
	o := t.ownerOf(by, &r.msg)
	if o == nil {
		return nil
	}
	body = &exchangeBody{exchange: exchange{registry: t.registry, owner: o, method: r.msg.method}}
	if !body.begin(&r.msg, size, req.Response != nil, time.Now()) {
		return nil
	}
	return body
}

// ownerOf ties a call to its trace: OpenSession and ExecuteStatement by their
// context, all others by the handle in the request.
func (t *Transport) ownerOf(by caller, msg *message) owner {
	var found caller
	switch msg.method {
	case unknownMethod:
	case openSession:
		found.session = by.session
	case closeSession:
		if msg.has.has(sessionGUID) {
			found.session = t.registry.session(msg.session)
		}
	case executeStatement:
		found.trace = by.trace
	default:
		if !msg.has.has(operationGUID) {
			break
		}
		found.trace = t.registry.statement(msg.operation)
		// The answer to ExecuteStatement may have been undecodable.
		if found.trace == nil && by.trace != nil && by.trace.adopt(msg.operation, t.registry) {
			found.trace = by.trace
		}
	}
	switch {
	case found.trace != nil:
		return found.trace
	case found.session != nil:
		return found.session
	}
	return nil
}

// fileOf returns the file that a request is for, and whether the request follows a redirect.
func (t *Transport) fileOf(req *http.Request) (f *file, redirect bool) {
	if t.registry.linked.Load() == 0 {
		return nil, false
	}
	defer t.counts.contain()
	first := firstRequest(req)
	key, ok := keyOf(first.URL)
	if !ok {
		return nil, false
	}
	return t.registry.link(key), first != req
}

// download passes on the request for a file.
func (t *Transport) download(req *http.Request, f *file, redirect bool) (*http.Response, error) {
	body := &downloadBody{download: download{counts: t.counts, file: f, ctx: req.Context()}}
	observed := body.begin(redirect)
	resp, err := t.base.Storage.RoundTrip(req)
	if observed {
		body.answer(resp, err)
	}
	return resp, err
}
