package workspace

import (
	"fmt"
	"net/http"
	"strings"
)

// serveAPI serves the workspace listener.
//
//	record ─► faults ─► authentication ─► warehouse | telemetry | flags | history | oauth
//
// The request is parsed (method, session, statement, event ids) before faults apply, so that the
// facts also count attempts that never reached the service.
func (w *Workspace) serveAPI(rw http.ResponseWriter, r *http.Request) {
	if !w.enter() {
		panic(http.ErrAbortHandler)
	}
	defer w.running.Done()
	x, err := w.begin(ListenerWorkspace, rw, r)
	defer x.end()
	x.apiHeader()
	if err != nil {
		x.sendError(&httpError{http.StatusRequestEntityTooLarge, "BAD_REQUEST", err.Error()})
		return
	}
	path := r.URL.Path
	x.warehouse = w.warehouseAt(path)
	var badCall error
	if x.warehouse != nil {
		badCall = x.identify()
	}
	post := w.telemetryArrival(x)
	if w.faults.apply(x) {
		return
	}
	switch {
	case path == telemetryPublicPath:
		w.serveTelemetry(x, post)
		return
	case w.serveOAuth(x):
		return
	case path == "/login.html":
		x.send(http.StatusOK, "text/html", []byte("<html><title>Databricks - Sign In</title></html>"))
		return
	}
	if !w.auth.allows(r) {
		x.sendUnauthorized()
		return
	}
	switch {
	case badCall != nil:
		x.sendError(&httpError{http.StatusBadRequest, "BAD_REQUEST", badCall.Error()})
	case x.warehouse != nil:
		x.serveCall()
	case path == telemetryPath:
		w.serveTelemetry(x, post)
	case strings.HasPrefix(path, flagPrefix):
		w.serveFlags(x)
	case path == historyPath:
		w.serveHistory(x)
	default:
		x.sendError(&httpError{http.StatusNotFound, "ENDPOINT_NOT_FOUND",
			fmt.Sprintf("No API found for '%s %s'", r.Method, path)})
	}
}

// lacksOrgID reports whether a unified host could not route the request, and answers it if so.
func (x *exchange) lacksOrgID() bool {
	if !x.ws.opts.Unified || x.r.Header.Get(orgIDHeader) != "" {
		return false
	}
	x.w.Header().Set("Location", "/login.html")
	x.send(http.StatusSeeOther, "text/html", nil)
	return true
}
