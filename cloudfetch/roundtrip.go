package cloudfetch

import (
	"net/http"
	"sync/atomic"
	"time"
)

// roundTripTime is the way to the workspace and back: the quickest answer so far to a call that takes
// the server nothing. It is safe for concurrent use.
type roundTripTime struct{ nanoseconds atomic.Int64 } // 0 while unknown

// shortest returns the round trip; 0 while it is unknown.
func (r *roundTripTime) shortest() time.Duration { return time.Duration(r.nanoseconds.Load()) }

// add takes the time that the answer to a call took to begin.
func (r *roundTripTime) add(m method, code int, took time.Duration) {
	switch m {
	case getOperationStatus, getResultSetMetadata, closeOperation:
	default:
		return
	}
	for code == http.StatusOK && took > 0 {
		known := r.nanoseconds.Load()
		if known > 0 && known <= int64(took) || r.nanoseconds.CompareAndSwap(known, int64(took)) {
			return
		}
	}
}
