package workspace

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Action is what a fault does to a request. Actions have no state and may be used in any number of
// faults.
type Action struct {
	name string
	// act reports whether it has answered the request or broken its connection; no other fault then
	// acts.
	act func(*exchange) bool
}

// String writes the action as the call that made it.
func (a Action) String() string { return a.name }

// Latency delays the request, then lets it pass.
func Latency(d time.Duration) Action {
	return Action{fmt.Sprintf("Latency(%s)", d), func(x *exchange) bool {
		// A client that disconnects ends the wait; the request then fails on its own.
		_ = sleep(x.r.Context(), d)
		return false
	}}
}

// SlowBody carries the request out, sends half of the answer, and sends the rest after d.
func SlowBody(d time.Duration) Action {
	return Action{fmt.Sprintf("SlowBody(%s)", d), func(x *exchange) bool {
		x.w.stall = func() { _ = sleep(x.r.Context(), d) }
		return false
	}}
}

// Status answers with an HTTP error and the headers Databricks sends with one.
func Status(code int) Action {
	return Action{fmt.Sprintf("Status(%d)", code), func(x *exchange) bool {
		x.refuse(code)
		return true
	}}
}

// StatusRetryAfter answers like [Status], with a Retry-After header in whole seconds.
func StatusRetryAfter(code int, after time.Duration) Action {
	return Action{fmt.Sprintf("StatusRetryAfter(%d, %s)", code, after), func(x *exchange) bool {
		x.w.Header().Set("Retry-After", strconv.Itoa(int(after.Round(time.Second).Seconds())))
		x.refuse(code)
		return true
	}}
}

// Hang never answers. It ends when the client disconnects or the workspace closes.
func Hang() Action {
	return Action{"Hang()", func(x *exchange) bool {
		<-x.r.Context().Done()
		panic(http.ErrAbortHandler)
	}}
}

// Reset breaks the connection before the request is carried out: a TCP reset on HTTP/1.1, a
// stream reset on HTTP/2.
func Reset() Action {
	return Action{"Reset()", func(x *exchange) bool {
		x.w.broken, x.w.hard = true, true
		return true
	}}
}

// DropResponse carries the request out and breaks the connection instead of answering.
func DropResponse() Action {
	return Action{"DropResponse()", func(x *exchange) bool {
		x.w.drop = true
		return false
	}}
}

// HalfBody carries the request out, announces the complete answer, sends half of it and breaks
// the connection.
func HalfBody() Action {
	return Action{"HalfBody()", func(x *exchange) bool {
		x.w.halve = true
		return false
	}}
}

// RedirectToLogin answers 303 with the address of a login page, which answers 200, as a host does
// that cannot tell which workspace a request is for.
func RedirectToLogin() Action {
	return Action{"RedirectToLogin()", func(x *exchange) bool {
		x.w.Header().Set("Location", x.ws.URL()+"/login.html")
		x.send(http.StatusSeeOther, "text/html", nil)
		return true
	}}
}

// Garbage answers 200 with meaningless bytes.
func Garbage() Action {
	return Action{"Garbage()", func(x *exchange) bool {
		x.send(http.StatusOK, "application/octet-stream", []byte("\x00\xffthis is not what you asked for\x80"))
		return true
	}}
}

// Answer answers with a status, a content type and a body of the test's choice.
func Answer(code int, contentType, body string) Action {
	return Action{fmt.Sprintf("Answer(%d)", code), func(x *exchange) bool {
		x.send(code, contentType, []byte(body))
		return true
	}}
}

// refuse sends an error in the style of the listener.
func (x *exchange) refuse(code int) {
	text := http.StatusText(code)
	if x.record.Listener == ListenerStorage {
		x.sendStorageError(code, "Fault", text)
		return
	}
	if code == http.StatusUnauthorized {
		x.sendUnauthorized()
		return
	}
	name := errorCodes[code]
	if name == "" {
		name = "TEMPORARILY_UNAVAILABLE"
	}
	x.sendError(&httpError{code, name, text})
}

// errorCodes are the error codes of the REST API.
var errorCodes = map[int]string{
	http.StatusBadRequest:            "BAD_REQUEST",
	http.StatusForbidden:             "PERMISSION_DENIED",
	http.StatusNotFound:              "RESOURCE_DOES_NOT_EXIST",
	http.StatusRequestEntityTooLarge: "MAX_REQUEST_SIZE_EXCEEDED",
	http.StatusTooManyRequests:       "REQUEST_LIMIT_EXCEEDED",
	http.StatusInternalServerError:   "INTERNAL_ERROR",
	http.StatusNotImplemented:        "NOT_IMPLEMENTED",
	http.StatusGatewayTimeout:        "DEADLINE_EXCEEDED",
}
