package export

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// outcome is what became of a batch; all of it is counted but what goes back.
type outcome struct {
	back    []queued      // to be sent again, with the same ids
	pause   time.Duration // not before that
	problem string        // of the latest request; empty when it was accepted
}

// deliver sends a batch, in halves where the endpoint finds it too large. It runs on the
// pipeline's goroutine.
func (p *pipeline) deliver(batch []queued, anonymous bool) outcome {
	o := outcome{problem: p.problem()}
	parts := [][]queued{batch}
	for len(parts) > 0 {
		part := parts[len(parts)-1]
		parts = parts[:len(parts)-1]
		part, events := p.encode(part, anonymous)
		if len(part) == 0 {
			continue
		}
		r, ok, retryAt := p.breaker.do(func(probe bool) result { return p.upload(part, anonymous, probe) })
		if !ok {
			r.fate = unavailable
		} else if o.problem = ""; r.fate != accepted {
			o.problem = r.describe()
		}
		switch r.fate {
		case accepted:
			taken := min(r.answer.accepted, events)
			p.exporter.counts.sent.Add(int64(taken))
			if taken < events {
				p.exporter.counts.drop(DropRejected, events-taken)
			}
		case refused:
			p.exporter.counts.failures.Add(1)
			p.exporter.counts.drop(DropRefused, events)
		case tooLarge:
			if len(part) == 1 {
				p.exporter.counts.drop(DropTooLarge, events)
				break
			}
			half := len(part) / 2
			parts = append(parts, part[half:], part[:half])
		default:
			o.back = part
			for _, rest := range slices.Backward(parts) {
				o.back = append(o.back[:len(o.back):len(o.back)], rest...)
			}
			if ok {
				p.exporter.counts.failures.Add(1)
				o.pause = p.pause(r)
			} else {
				o.pause = time.Until(retryAt)
			}
			return o
		}
	}
	return o
}

// pause is how long to leave the endpoint alone after a batch that failed.
func (p *pipeline) pause(r result) time.Duration {
	d := p.settings.RetryDelay // the retries have taken their time already
	if r.fate == strange || p.breaker.inner == nil {
		d = p.settings.FlushInterval
	}
	return max(d, r.retryAfter)
}

// encode writes the upload into p.sendBody. A record that cannot be encoded is dropped, and
// the others move together.
func (p *pipeline) encode(part []queued, anonymous bool) (_ []queued, events int) {
	b := &p.sendBody
	b.begin(time.Now())
	good := part[:0]
	for i := range part {
		if p.encodeOne(&part[i].Value, anonymous) {
			good = append(good, part[i])
			events += int(part[i].Value.events)
		} else {
			p.exporter.counts.drop(DropBroken, int(part[i].Value.events))
		}
	}
	b.end()
	return good, events
}

func (p *pipeline) encodeOne(e *entry, anonymous bool) (ok bool) {
	b := &p.sendBody
	length, documents := len(b.upload.bytes), len(b.documents)
	defer func() {
		if v := recover(); v != nil {
			p.exporter.contained.Panicked(contain.Export, v)
			b.upload.bytes, b.documents, ok = b.upload.bytes[:length], b.documents[:documents], false
		}
	}()
	e.appendDocuments(&b.scratch, anonymous, b.add)
	return true
}

// upload sends what encode has written.
func (p *pipeline) upload(part []queued, anonymous, probe bool) result {
	o := part[0].Value.origin
	body := p.sendBody.upload
	defer body.done()
	q := request{method: http.MethodPost, path: uploadPath, body: body, auth: o.connection.Authenticator, userAgent: o.userAgent}
	if anonymous {
		q.path, q.auth, q.userAgent = anonymousUploadPath, nil, o.bareUserAgent
	} else {
		for i := range part {
			if q.orgID = part[i].Value.org(); q.orgID != "" {
				break
			}
		}
	}
	c := &p.exporter.counts
	r := p.client.send(p.ctx, q, probe, func(again bool) {
		c.requests.Add(1)
		c.bytes.Add(int64(len(body.bytes)))
		if again {
			c.retries.Add(1)
		}
	})
	if p.exporter.recent.wanted() {
		p.remember(q.path, r)
	}
	return r
}

// remember keeps the documents for whoever wants to see what was sent.
func (p *pipeline) remember(endpoint string, r result) {
	outcome := "sent"
	if r.fate != accepted {
		outcome = r.describe()
	} else if r.answer.errors > 0 {
		outcome = "sent; the service found errors in some of its batch"
	}
	p.exporter.recent.note(time.Now(), endpoint, outcome, string(p.sendBody.upload.bytes), p.sendBody.documents)
}

// askFlag asks the server for the flag, or waits for a pipeline that is asking already. What
// the application's authenticator does comes before: others never wait for that.
func (p *pipeline) askFlag(by *origin) {
	limit, cancel := context.WithTimeout(p.ctx, attemptTimeout)
	defer cancel()
	req, err := p.client.prepare(limit, request{
		method: http.MethodGet, path: flagPath + by.connection.flagVersion(),
		auth: by.connection.Authenticator, orgID: by.org(), userAgent: by.userAgent,
	})
	if err != nil {
		p.flagUnread(unanswered(p.ctx, err))
		return
	}
	asked, mine := p.flag.ask(p.client.via, time.Now())
	if !mine {
		if asked != nil {
			asked.wait(p.ctx, p.client.via)
		}
		return
	}
	failed := false
	defer func() { p.flag.answered(asked, failed, time.Now()) }()
	p.exporter.counts.flagRequests.Add(1)
	var (
		enabled bool
		ttl     time.Duration
	)
	r := p.client.attempt(p.ctx, limit, req, func(b []byte) (answer, bool) {
		var ok bool
		enabled, ttl, ok = parseFlag(b)
		return answer{}, ok
	})
	if r.fate == accepted {
		p.flag.learn(enabled, ttl, time.Now())
		return
	}
	failed = r.fate != refused && r.fate != interrupted
	p.flagUnread(r)
}

// flagUnread puts off everything that needs the flag.
func (p *pipeline) flagUnread(r result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastError = "flag: " + r.describe()
	p.notBefore = time.Now().Add(max(flagNegative, r.retryAfter))
}

// flagVersion is the driver version the flag is asked for.
func (c *Connection) flagVersion() string {
	if isVersion(c.Driver.Version) {
		return c.Driver.Version
	}
	return "unknown"
}

// PendingError says that events wait although a flush was asked for.
type PendingError struct {
	Events int    // how many
	Cause  string // what is in the way: an HTTP status, an error category, or why nothing can be sent yet
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("databricks-telemetry: %d events still wait: %s", e.Events, e.Cause)
}

var errStopped = errors.New("databricks-telemetry: the exporter is shut down")

// pendingError says why events wait. p.mu is held.
func (p *pipeline) pendingError() error {
	cause := p.lastError
	switch _, open := p.breaker.holdsUntil(); {
	case open:
		cause = "the circuit breaker is open after " + cause
	case !p.loggedIn:
		cause = "the driver has not logged in yet"
	case cause == "":
		cause = "not yet sent"
	}
	return &PendingError{Events: p.queue.events + p.out, Cause: cause}
}
