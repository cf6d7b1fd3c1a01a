package telemetry

import (
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

// PendingStatement is the record of a statement on its way to sinks. It holds the text of the
// statement until the record's Shape is computed. That takes microseconds, so it is done on the
// goroutine that delivers the record to the first sink. The record that sinks receive does not refer
// to the text.
type PendingStatement struct {
	Statement
	compute sync.Once // sets Shape
	text    string    // read by compute
}

var _ record = (*PendingStatement)(nil)

// SetText sets the text from which Shape is computed. It must not be called after
// [Fanout.PendingStatement]. Only the beginning of a long text, which counts for the Shape, is kept,
// so that records that wait for a slow sink do not hold megabytes each.
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
