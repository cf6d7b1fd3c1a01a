package cloudfetch

import (
	"net/http"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The time of a statement is attributed as it passes, never by subtraction. Each event, on the wire
// or in the application, first adds the time since the previous event to the part that the statement
// was in, and then changes the part. So the parts add up to the total at every instant, however the
// statement continues, and the bounds of lists do not matter.
//
//	application ── call, read, close ──▶ activity ─┐
//	                                               ├─▶ part ──▶ split[part] += now - then
//	wire ── attempts, states, pages, files ────────┘

// activity is what the application currently has the driver do.
type activity uint8

const (
	calling    activity = iota // the call that runs the statement has not returned
	beforeRead                 // the application has control, and has not asked for rows
	reading                    // the driver reads a row that begins a page or file, or an Arrow batch
	describing                 // the driver is asked for the description of the rows
	between                    // the application has control, or the driver decodes one row
	unobserved                 // between or reading, which cannot be told apart
	afterRead                  // the application has control, and no rows are left
	closing                    // the driver closes the rows
	ended                      // the statement is over
)

// timing attributes the time of a trace. The trace's lock guards it.
type timing struct {
	split       telemetry.Split
	application telemetry.Application
	until       time.Duration // the time up to which time is attributed

	activity    activity
	described   activity // the activity before describing
	unread      bool     // the wire is not read
	paused      method   // of the call that may be repeated: its latest attempt failed, and no call began since
	inFlight    method   // of the latest call without a complete answer
	answerBegan bool     // its answer has begun
	latest      int32    // number of the latest request of a call; attempts and redirects are requests
	connecting  int32    // network connections that the latest request waits for
	waited      bool     // it had to wait for one

	attempt telemetry.Split // time of the latest attempt, to be moved when it is repeated
	before  time.Duration   // the part of attempt[PartNetwork] that passed before the answer began
	execute time.Duration   // time of PartServer before ExecuteStatement was answered
	lastRan time.Duration   // when the statement was last seen to run
	retried time.Duration   // time of PartRetry until then
	late    time.Duration   // time of PartUnknown since then, because a status call was overdue
	pause   time.Duration   // of the driver, at most, before it repeats the call in paused; 0 unknown
	idle    time.Duration   // time of one part, while no call is under way; see beforeCall and overdue
	idleIn  telemetry.Part  // that part

	segments     []segment // pages and files whose rows are not all read
	firstSegment [1]segment
	passed       int64 // rows in segments that were read to their end
	uncounted    bool  // rows are read as streams, so segments are passed as they arrive
}

// segment is a page or file of rows, in the order of the result.
type segment struct {
	rows int64
	file *file // nil for a page
}

// advance attributes the time until now. Call it before every change of state that part depends on.
func (t *Trace) advance(now time.Duration) {
	d := now - t.until
	if d <= 0 {
		return // the clock is read before the lock is taken
	}
	t.until = now
	p := t.part()
	t.split[p] += d
	switch p {
	case telemetry.PartApplication:
		switch t.activity {
		case beforeRead:
			t.application.Before += d
		case afterRead:
			t.application.After += d
		default:
			t.application.Between += d
		}
	case telemetry.PartFile:
		t.awaited().waited += d
		t.idles(p, d)
	case telemetry.PartDecode, telemetry.PartTransfer:
		t.idles(p, d)
	case telemetry.PartUnknown:
		if t.paused != unknownMethod {
			t.idles(p, d)
		}
	default:
		switch {
		case t.inFlight != unknownMethod:
			t.attempt[p] += d
			if t.connecting > 0 {
				t.methods.add(t.inFlight).rpc.Connecting += d
			}
		case p == telemetry.PartServer, t.paused != unknownMethod: // not a file that is requested again
			t.idles(p, d)
			late := min(d, t.overdue())
			t.move(late, p, telemetry.PartUnknown)
			if t.works() {
				t.late += late
			}
		}
	}
}

// part returns what the statement is waiting for.
func (t *Trace) part() telemetry.Part {
	switch t.activity {
	case beforeRead, between, afterRead:
		return telemetry.PartApplication
	case unobserved:
		return telemetry.PartUnknown
	}
	switch {
	case t.activity == closing && t.unread:
		return telemetry.PartClose
	case t.unread:
		return telemetry.PartUnknown
	case t.inFlight != unknownMethod:
		return t.partOfCall()
	case t.paused == closeOperation && t.volume && t.activity != closing: // or closing was given up: the transfer is not observed
		return telemetry.PartUnknown
	case t.paused != unknownMethod:
		return telemetry.PartRetry
	case t.activity == closing:
		return telemetry.PartClose
	case !t.whole():
		return telemetry.PartUnknown
	case t.activity == reading:
		return t.partOfReading()
	case t.works():
		return telemetry.PartServer
	case t.state == "UNKNOWN":
		return telemetry.PartUnknown
	case t.volume && t.pages > 0:
		return telemetry.PartTransfer
	}
	return telemetry.PartNetwork
}

// partOfCall returns what a statement waits for while a call is under way.
func (t *Trace) partOfCall() telemetry.Part {
	switch {
	case t.inFlight == getOperationStatus: // whatever the status call itself waits for
		return telemetry.PartServer
	case t.connecting > 0:
		return telemetry.PartNetwork
	case t.inFlight == cancelOperation, t.inFlight == closeOperation:
		return telemetry.PartClose
	case t.inFlight == getResultSetMetadata, t.inFlight == fetchResults:
		return telemetry.PartPage
	case t.inFlight == executeStatement && !t.answerBegan:
		return telemetry.PartServer
	}
	return telemetry.PartNetwork
}

// works reports whether the server works on the statement, as far as the client knows.
func (t *Trace) works() bool {
	switch t.state {
	case "": // an answer without a state and without rows
		return t.reg != nil && t.pages == 0
	case "INITIALIZED", "PENDING", "RUNNING":
		return true
	}
	return false
}

// partOfReading returns what a reader waits for while no call is under way.
func (t *Trace) partOfReading() telemetry.Part {
	f := t.awaited()
	switch {
	case len(t.segments) == 0: // there is nothing to decode, so the driver is about to make a call
		return telemetry.PartNetwork
	case f == nil, f.record.State == fileDownloaded:
		return telemetry.PartDecode
	case f.untracked.Load():
		return telemetry.PartUnknown
	case f.record.State == fileFailed:
		return telemetry.PartRetry
	}
	return telemetry.PartFile
}

// awaited returns the file with the next row, or nil if the row is in a page.
func (t *Trace) awaited() *file {
	for t.uncounted && len(t.segments) > 1 && t.segments[0].arrived() {
		t.pass()
	}
	if len(t.segments) == 0 {
		return nil
	}
	return t.segments[0].file
}

func (s segment) arrived() bool { return s.file == nil || s.file.record.State == fileDownloaded }

// pass moves to the next segment.
func (t *Trace) pass() {
	t.passed += t.segments[0].rows
	t.segments[0] = segment{}
	t.segments = t.segments[1:]
}

func (t *Trace) addSegment(s segment) {
	if t.segments == nil {
		t.segments = t.firstSegment[:0]
	}
	t.segments = append(t.segments, s)
}

// passTo moves to the segment that a row is in.
func (t *Trace) passTo(row int64) {
	for len(t.segments) > 0 && row >= t.passed+t.segments[0].rows {
		t.pass()
	}
}

// beginAttempt notes that an attempt of a call is under way. If it repeats the previous attempt, the
// time of that one moves to PartRetry, whatever the statement seemed to wait for then.
func (t *Trace) beginAttempt(m method, repeats bool) {
	if repeats {
		if t.idleIn == telemetry.PartUnknown {
			t.moveIdle(telemetry.PartRetry)
		}
		for p := range t.attempt {
			t.move(min(t.attempt[p], t.split[p]), telemetry.Part(p), telemetry.PartRetry)
		}
	}
	t.attempt, t.before = telemetry.Split{}, 0
	t.inFlight, t.paused, t.idle = m, unknownMethod, 0
	t.beginRequest()
}

// longestDecode is the longest time that decoding an Arrow batch may take. The driver's Arrow readers request the
// next page in the call that returns the last batch of a page. A longer time before that request may be an
// authenticator's.
const longestDecode = time.Second

// idles adds time in which no call was under way.
func (t *Trace) idles(p telemetry.Part, d time.Duration) {
	if p != t.idleIn {
		t.idle, t.idleIn = 0, p
	}
	t.idle += d
}

// longestWakeup is how long after the driver's pause a call may begin, on a busy machine.
const longestWakeup = 100 * time.Millisecond

// overdue returns for how long a status call, or the repetition of a call, has been overdue. Beyond its pause the
// driver does something other than waiting: it signs in for the call, or for the one that cancels the statement.
// Whether the server still works is not known before the next answer.
func (t *Trace) overdue() time.Duration {
	if t.Transport == nil {
		return 0
	}
	pause := t.Transport.PollInterval
	if t.paused != unknownMethod {
		pause = t.pause
	}
	if pause <= 0 {
		return 0
	}
	return max(0, t.idle-pause-longestWakeup)
}

// beginPause notes that the driver pauses before it repeats a call, once it has read the answer. Each pause of a call
// is twice as long as the one before, unless the server asks for another.
func (t *Trace) beginPause(s *methodStats) {
	t.idle, t.pause = 0, 0
	if t.Transport == nil || t.Transport.RetryWaitMax <= 0 {
		return
	}
	pause, longest := t.Transport.RetryWaitMin, t.Transport.RetryWaitMax
	for n := 0; n < s.repeated && pause < longest; n++ {
		pause *= 2
	}
	if pause <= 0 || pause > longest {
		pause = longest
	}
	t.pause = max(1, s.wait.Or(pause))
}

// drained implements owner.
func (t *Trace) drained(m method, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.paused == m && !t.done.Load() {
		t.advance(t.since(at))
		t.beginPause(t.methods.find(m))
	}
}

// beforeCall notes that the driver makes a call that is not a repetition. The driver was about to make this call,
// so the statement cannot have waited for what it seemed to wait for since the previous call, except for the
// decoding of batches.
func (t *Trace) beforeCall(s *methodStats) {
	if s.method != fetchResults && s.method != closeOperation {
		return
	}
	f := t.awaited()
	switch {
	case t.idleIn == telemetry.PartDecode && t.idle > longestDecode:
		t.moveIdle(telemetry.PartUnknown)
	case t.idleIn == telemetry.PartTransfer && s.rpc.Calls == 1: // a volume operation is closed before the transfer
		t.moveIdle(telemetry.PartNetwork)
	case t.idleIn == telemetry.PartUnknown: // the earlier close was given up
		t.moveIdle(telemetry.PartTransfer)
	case t.idleIn == telemetry.PartFile && f != nil && f.record.State == fileWaiting:
		t.moveIdle(telemetry.PartNetwork)
	}
}

// doubtful reports whether the driver may be about to make a call, which would show that the statement has not been
// waiting for what it seems to have waited for since the latest call: see beforeCall.
func (t *Trace) doubtful() bool {
	switch t.idleIn {
	case telemetry.PartDecode:
		return t.idle > longestDecode
	case telemetry.PartTransfer: // with direct results the operation is already closed
		return !t.result.Direct.Or(false) && t.methods.find(closeOperation).rpc.Calls == 0
	case telemetry.PartFile:
		f := t.awaited()
		return f != nil && f.record.State == fileWaiting
	}
	return false
}

// settle notes that the driver returns from a call of the application, and that rows are next. What the statement
// seemed to wait for is unknown if the driver may have failed to sign in for a call, which then was never sent.
// If that was to close the operation, after the last page, the driver returns rows all the same.
func (t *Trace) settle(next activity) {
	if !t.doubtful() {
		return
	}
	if rows := next == between || next == unobserved; rows && (!t.unclosed() || t.awaited() != nil) {
		return
	}
	t.moveIdle(telemetry.PartUnknown)
}

// unclosed reports whether the driver closes the operation, because the last page has arrived, but has not sent the
// call.
func (t *Trace) unclosed() bool {
	return t.moreRows == telemetry.Known(false) && t.methods.find(fetchResults).rpc.Calls > 0 && t.methods.find(closeOperation).rpc.Calls == 0
}

// moveIdle moves the time since the latest call to another part.
func (t *Trace) moveIdle(to telemetry.Part) {
	t.move(t.idle, t.idleIn, to)
	if t.idleIn == telemetry.PartFile {
		t.awaited().waited -= t.idle
	}
	t.idle = 0
}

// continueAttempt notes that a redirected attempt continues at another address.
func (t *Trace) continueAttempt(m method) {
	if t.inFlight == unknownMethod {
		t.inFlight = m
	}
	if t.inFlight == m {
		t.beginRequest()
	}
}

func (t *Trace) beginRequest() {
	t.latest++
	t.answerBegan, t.connecting, t.waited = false, 0, false
}

// beginAnswer notes that the answer to an attempt begins. All the time since ExecuteStatement was
// sent was the server's, except for the round trip.
func (t *Trace) beginAnswer(m method, roundTrip time.Duration) {
	if t.inFlight != m {
		return
	}
	t.answerBegan, t.connecting = true, 0
	if m == executeStatement {
		d := min(roundTrip, t.attempt[telemetry.PartServer])
		t.attempt[telemetry.PartServer] -= d
		t.attempt[telemetry.PartNetwork] += d
		t.move(d, telemetry.PartServer, telemetry.PartNetwork)
	}
	t.before = t.attempt[telemetry.PartNetwork]
}

// endAttempt notes that the latest attempt of a method is over.
func (t *Trace) endAttempt(s *methodStats, state attemptState) {
	if t.inFlight != s.method || state == redirected && s.method != closeOperation {
		return // the attempt continues at another address
	}
	t.inFlight, t.idle = unknownMethod, 0
	if mayBeRepeated(s.rpc.LastStatus) {
		t.paused, t.pause = s.method, 0
		if s.rpc.LastStatus == 0 { // otherwise the driver first reads the answer
			t.beginPause(s)
		}
	}
}

// mayBeRepeated reports whether the driver may repeat a call after this HTTP status; 0 means no answer.
func mayBeRepeated(code int) bool {
	return code == 0 || code == http.StatusTooManyRequests || code >= 500 && code != http.StatusNotImplemented
}

// fetches notes that the driver requests a file. The driver closes an operation once all its links have arrived.
// If that call failed, or could not be sent, and the driver now requests the file with the next row, it has given up
// closing, without reporting the error.
func (t *Trace) fetches(f *file) {
	if t.activity == closing || t.awaited() != f {
		return
	}
	if t.paused == closeOperation {
		t.paused = unknownMethod
	}
	if t.idleIn == telemetry.PartFile && t.idle > longestDecode && t.unclosed() {
		t.moveIdle(telemetry.PartUnknown)
	}
	t.idle = 0
}

// pageArrived notes that a complete answer contained a page, so that the time since the answer began
// belongs to PartPage.
func (t *Trace) pageArrived(m method) {
	if m == executeStatement {
		t.move(t.attempt[telemetry.PartNetwork]-t.before, telemetry.PartNetwork, telemetry.PartPage)
	}
}

func (t *Trace) move(d time.Duration, from, to telemetry.Part) {
	t.split[from] -= d
	t.split[to] += d
}

// refine corrects the split by how long the server says it worked. The server worked while
// ExecuteStatement was under way, and for the rest of its time while the client polled. Polling
// beyond that was late.
func (t *Trace) refine(worked time.Duration) {
	executing := min(t.execute, t.split[telemetry.PartServer])
	polling := t.split[telemetry.PartServer] - executing
	if worked < executing {
		t.move(executing-worked, telemetry.PartServer, telemetry.PartNetwork)
	}
	switch late := polling - max(0, worked-executing); {
	case late > 0:
		t.move(late, telemetry.PartServer, telemetry.PartPoll)
	case late < 0:
		t.move(min(-late, t.late), telemetry.PartUnknown, telemetry.PartServer)
	}
}

// updateServerTime takes how long the server says it worked, the first time that it does. The time
// stays unknown if it is longer than the client waited, as after a step of the server's clock.
// Rounding to milliseconds and clocks that run at different speeds are allowed for.
func (t *Trace) updateServerTime(m *message, now time.Duration) {
	if started := m.num[operationStarted]; started > 0 {
		t.serverStarted = started
	}
	worked := m.num[operationCompleted] - t.serverStarted
	waited := now - t.methods.find(executeStatement).start
	if _, refined := t.serverTime.Get(); refined || t.serverStarted == 0 || worked < 0 || worked > (waited+waited/100).Milliseconds()+1 {
		return
	}
	t.serverTime = telemetry.Known(time.Duration(worked) * time.Millisecond)
	t.refine(time.Duration(worked) * time.Millisecond)
}

// updateRunning notes when the statement was last seen running, and how long after that it was first
// seen not running. A statement that is still running was also running while status calls failed and
// were repeated.
func (t *Trace) updateRunning(from method, m *message, now time.Duration) {
	switch {
	case from == executeStatement:
		t.execute, t.lastRan, t.retried, t.late = t.split[telemetry.PartServer], now, t.split[telemetry.PartRetry], 0
	case !m.has.has(operationState): // a refusal does not say whether it runs
	case t.works():
		t.move(t.split[telemetry.PartRetry]-t.retried, telemetry.PartRetry, telemetry.PartServer)
		t.move(t.late, telemetry.PartUnknown, telemetry.PartServer)
		t.lastRan, t.late = now, 0
	case t.unseen == 0:
		t.unseen = now - t.lastRan
	}
}
