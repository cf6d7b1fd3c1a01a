package ndjson

import (
	"io"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// NewWithPools returns a sink with pools of its own.
func NewWithPools(w io.Writer, registered func() []telemetry.Pool) *Sink {
	return &Sink{w: w, pools: sampler{registered: registered}}
}
