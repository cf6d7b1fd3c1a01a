package export

import (
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// delivery is the result of delivering a batch. Every event of the batch is counted, except those
// that go back to the queue.
type delivery struct {
	unsent    []queued      // records to send again, with the same ids
	pause     time.Duration // how long to wait before sending again
	failed    bool          // the endpoint failed, so the pause is also for the next pipeline
	requested bool          // a request was made
	lastError string        // of the latest request; empty when it was accepted
}

// deliver sends a batch, in halves if it is too large for the endpoint. It runs on the pipeline's
// goroutine.
func (p *pipeline) deliver(batch []queued, anonymous bool) (d delivery) {
	parts := [][]queued{batch}
	for len(parts) > 0 {
		part := parts[len(parts)-1]
		parts = parts[:len(parts)-1]
		upTo := part[len(part)-1].Seq
		part, events := p.encode(part, anonymous)
		if len(part) == 0 {
			continue
		}
		r, ok, retryAt := p.breaker.do(func(probe bool) result {
			r := p.upload(part, anonymous, probe)
			if r.outcome == outcomeTooLarge && len(part) == 1 {
				r.outcome = outcomeRecordTooLarge
			}
			return r
		})
		if ok {
			d.requested, d.lastError = true, r.describe()
		} else {
			r.outcome = outcomeUnavailable
		}
		switch r.outcome {
		case outcomeAccepted:
			accepted := min(r.counts.accepted, events)
			p.exporter.counts.sent.Add(int64(accepted))
			if accepted < events {
				p.exporter.counts.drop(DropRejected, events-accepted)
			}
			p.counted(events, upTo)
		case outcomeRefused:
			p.exporter.counts.failures.Add(1)
			p.exporter.counts.drop(DropRefused, events)
			p.counted(events, upTo)
		case outcomeRecordTooLarge:
			p.exporter.counts.failures.Add(1)
			p.exporter.counts.drop(DropTooLarge, events)
			p.counted(events, upTo)
		case outcomeTooLarge:
			half := len(part) / 2
			parts = append(parts, part[half:], part[:half])
		default:
			parts = append(parts, part)
			slices.Reverse(parts)
			d.unsent = slices.Concat(parts...)
			if ok {
				p.exporter.counts.failures.Add(1)
				d.pause, d.failed = p.pause(r), r.outcome != outcomeInterrupted
			} else {
				d.pause = max(time.Until(retryAt), p.settings.RetryDelay)
			}
			return d
		}
	}
	return d
}

// encode writes an upload with p.builder, and returns the records that are in it. A record that
// cannot be encoded is dropped.
func (p *pipeline) encode(part []queued, anonymous bool) (_ []queued, events int) {
	b := &p.builder
	b.begin(time.Now())
	good := part[:0]
	for i := range part {
		e, length, documents := &part[i].Value, len(b.upload.bytes), len(b.documents)
		if !p.exporter.contained.Call(contain.Export, func() { e.appendDocuments(&b.scratch, anonymous, b.add) }) {
			b.upload.bytes, b.documents = b.upload.bytes[:length], b.documents[:documents]
			p.exporter.counts.drop(DropBroken, int(e.events))
			p.counted(int(e.events), 0)
			continue
		}
		events += int(e.events)
		good = append(good, part[i])
	}
	b.end()
	return good, events
}

// upload sends the upload that encode has written.
func (p *pipeline) upload(part []queued, anonymous, probe bool) result {
	o := part[0].Value.origin
	body := p.builder.upload
	defer body.release()
	q := request{path: uploadPath, body: body, auth: o.connection.Authenticator, userAgent: o.userAgent}
	if anonymous {
		q.path, q.auth, q.userAgent = anonymousUploadPath, nil, o.bareUserAgent
	} else {
		for i := range part {
			if q.orgID = part[i].Value.org(); q.orgID != "" {
				break
			}
		}
	}
	c, again := &p.exporter.counts, false
	q.sending = func() {
		c.requests.Add(1)
		c.bytes.Add(int64(len(body.bytes)))
		if again {
			c.retries.Add(1)
		}
		again = true
	}
	r := p.client.send(p.ctx, q, probe)
	if p.exporter.recent.wanted() {
		p.remember(q.path, r)
	}
	return r
}

// remember keeps the documents for Exporter.Recent.
func (p *pipeline) remember(endpoint string, r result) {
	outcome := "sent"
	if r.outcome != outcomeAccepted {
		outcome = r.describe()
	} else if r.counts.errors > 0 {
		outcome = "sent; the service found errors in some of its batch"
	} else if r.counts.accepted < len(p.builder.documents) {
		outcome = "sent; the service accepted fewer events than its batch has"
	}
	p.exporter.recent.add(time.Now(), endpoint, outcome, string(p.builder.upload.bytes), p.builder.documents)
}

// pause returns how long to make no requests to the endpoint after a batch that failed.
func (p *pipeline) pause(r result) time.Duration {
	d := p.settings.RetryDelay // the retries have already taken long enough
	if r.outcome == outcomeUnrecognized || p.breaker.gobreaker == nil {
		d = p.settings.FlushInterval
	}
	return max(d, r.retryAfter)
}
