package workspace

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// timeoutSetting is the configuration that limits the run time of statements, in seconds.
const timeoutSetting = "STATEMENT_TIMEOUT"

// errTimedOut is the cause with which the context of a statement ends that has run too long.
var errTimedOut = errors.New("query timeout")

// What a statement that has run too long reports.
const (
	stateTimedOutSQL = "57KD0"
	messageTimedOut  = "[STATEMENT_TIMEOUT] Statement timed out. The statement was canceled because it reached its time limit. SQLSTATE: " + stateTimedOutSQL
)

// withTimeout limits the run time of a statement, which begins when it leaves the queues.
func (w *Workspace) withTimeout(ctx context.Context, o *operation) (context.Context, context.CancelFunc) {
	limit := w.opts.StatementTimeout
	if d, ok := o.timeoutSetting(); ok {
		limit = d
	}
	if s := o.req.QueryTimeout; s > 0 {
		limit = min(limit, time.Duration(min(s, maxTimeout))*time.Second)
	}
	return context.WithTimeoutCause(ctx, limit, errTimedOut)
}

// maxTimeout is the largest STATEMENT_TIMEOUT, 48 h.
const maxTimeout = 172_800

// timeoutSetting is the STATEMENT_TIMEOUT in force: the statement's own configuration before the
// session's. A value out of range counts as not set.
func (o *operation) timeoutSetting() (time.Duration, bool) {
	value := o.session.sql.Setting(timeoutSetting)
	for key, v := range o.req.ConfOverlay {
		if strings.EqualFold(key, timeoutSetting) {
			value = v
		}
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil || seconds <= 0 || seconds > maxTimeout {
		return 0, false
	}
	return time.Duration(seconds) * time.Second, true
}
