package cloudfetch

import (
	"context"
	"errors"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// methodStats sums up the calls of one method and describes the latest call. Times count from the
// start of the statement.
type methodStats struct {
	next   *methodStats // of another method; nil for the last
	method method
	rpc    telemetry.RPC

	state     attemptState
	refused   bool     // the latest answer is an exception or an error status
	sqlState  sqlState // of that answer
	attempt   uint32   // numbers attempts, so that the late end of an old attempt is recognized
	seq       int32
	session   guid                           // of an ExecuteStatement, because sequence numbers are per session
	request   guid                           // x-request-id of its latest attempt; zero unknown
	listed    int                            // position of the latest call in the trace's list, from 1; 0 when not listed
	start     time.Duration                  // of the latest call: its first attempt
	attempted time.Duration                  // start of its latest attempt
	end       time.Duration                  // of its latest attempt, once that has ended
	broke     error                          // the error that broke off the latest attempt; nil if none did
	repeated  int                            // how often the latest call was repeated
	wait      telemetry.Maybe[time.Duration] // until the next attempt, as the answer to the latest one asks
}

// attemptState says how far the latest attempt of a method has come.
type attemptState uint8

const (
	notCalled  attemptState = iota
	running                 // no answer yet
	failed                  // ended without a complete answer
	redirected              // ended with a redirect, which net/http's client may follow
	answered                // answered completely
	undecoded               // answered, but the answer could not be decoded; the driver may have read it
)

// methods has the statistics of the methods that were called for a statement or session. Most
// statements need one or two methods. The first one is part of the trace's memory; the others are
// allocated at their first call.
type methods struct{ first methodStats }

var noCalls = &methodStats{}

// find returns the statistics of a method for reading. For a method that was not called they are
// zero.
func (all *methods) find(m method) *methodStats {
	for s := &all.first; s != nil; s = s.next {
		if s.method == m {
			return s
		}
	}
	return noCalls
}

// add returns the statistics of a method for writing, and creates them if the method was not called
// before.
func (all *methods) add(m method) *methodStats {
	s := all.find(m)
	if s != noCalls {
		return s
	}
	if s = &all.first; s.method != unknownMethod {
		s = &methodStats{next: all.first.next}
		all.first.next = s
	}
	s.method, s.rpc.Method = m, m.String()
	return s
}

// succession says how an attempt relates to the previous one.
type succession uint8

const (
	sameAttempt     succession = iota // the same attempt, at another address
	repeatedAttempt                   // another attempt of the same call
	firstAttempt                      // the first attempt of another call
)

// begin notes that a request is sent. It returns the number of the attempt, and how the attempt
// relates to the previous one.
//
// Two consecutive requests are attempts of the same call if they have the same method, Thrift
// sequence number and handle, and the earlier one ended without a complete answer. The driver's
// client numbers the calls of a connection 1, 2, 3..., and repeats a request byte by byte when its
// HTTP layer retries; it never repeats a request that was answered with 200. So two calls never count
// as one, whatever a server does, and a retry never counts as a call.
func (s *methodStats) begin(req *message, out int64, redirect bool, now time.Duration) (attempt uint32, next succession) {
	same := s.seq == req.seq && s.session == req.session
	failedStatus := s.failedStatus()
	switch {
	case s.state == redirected && same && redirect:
		failedStatus = s.rpc.FailedStatus // the same attempt continues at another address
	case (s.state == failed || s.state == redirected) && same:
		s.rpc.Retries++
		s.rpc.Backoff += now - s.end
		s.repeated++
		next = repeatedAttempt
	default:
		s.rpc.Calls++
		s.start, s.repeated, next = now, 0, firstAttempt
	}
	s.rpc.BytesOut += out
	s.rpc.FailedStatus, s.rpc.LastStatus, s.request = failedStatus, 0, guid{}
	s.seq, s.session = req.seq, req.session
	s.state, s.attempted = running, now
	s.broke, s.refused, s.wait = nil, false, telemetry.Maybe[time.Duration]{}
	s.attempt++
	return s.attempt, next
}

// finish notes how an attempt ended, and which error broke it off, if any. It reports whether the
// attempt was the latest.
func (s *methodStats) finish(attempt uint32, state attemptState, broke error, now time.Duration) bool {
	if s.state != running || s.attempt != attempt {
		return false
	}
	s.state, s.end, s.broke = state, now, broke
	s.rpc.Latency += now - s.attempted
	s.rpc.Slowest = max(s.rpc.Slowest, now-s.start)
	if state == failed && (s.rpc.LastStatus != 0 || !givenUp(broke)) {
		s.rpc.FailedStatus = s.rpc.LastStatus
	}
	return true
}

// failedStatus returns the HTTP status of the latest attempt that failed. A redirect counts as failed
// until it continues.
func (s *methodStats) failedStatus() int {
	if s.state == redirected {
		return s.rpc.LastStatus
	}
	return s.rpc.FailedStatus
}

// givenUp reports whether the client itself broke off an attempt, which does not explain why earlier
// attempts failed.
func givenUp(broke error) bool {
	return errors.Is(broke, context.Canceled) || errors.Is(broke, context.DeadlineExceeded)
}
