package telemetry

import (
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

// PendingStatement is the record of a statement on its way to sinks, with the text of the statement
// until the record's Shape is computed. That takes microseconds, so the goroutine that delivers the
// record to the first sink does it. The record that sinks receive does not refer to the text.
type PendingStatement struct {
	Statement
	compute sync.Once // sets Shape
	text    string    // read by compute
}

var _ record = (*PendingStatement)(nil)

// SetText sets the text to compute the Shape of. It must not be called after
// [Fanout.PendingStatement]. Of a long text only what counts is kept: the records that wait for a slow
// sink must not keep megabytes each.
func (p *PendingStatement) SetText(query string) {
	if len(query) > sqltext.MaxShapeText {
		query = strings.Clone(query[:sqltext.MaxShapeText])
	}
	p.text = query
}

func (p *PendingStatement) deliver(to Sink) {
	p.compute.Do(func() {
		text := p.text
		p.text = ""
		p.Shape = ShapeOf(text)
	})
	p.Statement.deliver(to)
}
