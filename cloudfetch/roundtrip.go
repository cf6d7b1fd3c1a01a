package cloudfetch

import (
	"net/http"
	"sync/atomic"
	"time"
)

// roundTripTime is the network round trip to the workspace: the quickest answer so far to a call that takes the
// server no time. It is unknown while there is only one answer, with which the server may have been slow. It is
// safe for concurrent use.
type roundTripTime struct {
	nanoseconds atomic.Int64 // of the quickest answer; 0 while there is none
	several     atomic.Bool
}

// shortest returns the round trip, or 0 while it is unknown.
func (r *roundTripTime) shortest() time.Duration {
	if !r.several.Load() {
		return 0
	}
	return time.Duration(r.nanoseconds.Load())
}

// add adds the time until the answer to a call began. The call must not have waited for a connection.
func (r *roundTripTime) add(m method, code int, took time.Duration) {
	switch m {
	case getOperationStatus, getResultSetMetadata, closeOperation:
	default:
		return
	}
	for code == http.StatusOK && took > 0 {
		known := r.nanoseconds.Load()
		if known > 0 {
			r.several.Store(true)
		}
		if known > 0 && known <= int64(took) || r.nanoseconds.CompareAndSwap(known, int64(took)) {
			return
		}
	}
}
