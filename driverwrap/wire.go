package driverwrap

import (
	"crypto/tls"
	"net/http"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// wireCounters are those of all connectors: closed ones stay counted.
var wireCounters = cloudfetch.NewCounters()

func addWireStats(s *telemetry.Stats) {
	n := wireCounters.Stats()
	s.Wire = telemetry.WireStats{
		Messages: int64(n.Messages), Undecoded: int64(n.Lost), Files: int64(n.Files),
		Silenced: int64(n.Silenced), Evicted: int64(n.Evicted),
	}
}

// observable reports whether our transport can be put under the driver: the kernel has no Go
// transport, and a configuration without the fields we know is left alone.
func observable(n nativeConfig) bool {
	return driverKnows("Transport") && driverKnows("HTTPClient") && !readConfig[bool](n, "UseKernel").Or(false)
}

// observer returns the transport to put under the driver. A transport the user gave stays in
// use, ours goes around it. With silence the native driver's telemetry is answered locally.
func observer(n nativeConfig, silence bool) *cloudfetch.Transport {
	base := cloudfetch.NewBase(readConfig[*tls.Config](n, "TLSConfig").Or(nil))
	downloads := readConfig[*http.Client](n, "HTTPClient").Or(nil)
	if user, ok := readConfig[http.RoundTripper](n, "Transport").Get(); ok && user != nil {
		base = cloudfetch.WrapBase(user)
	}
	if downloads != nil && downloads.Transport != nil {
		base.Storage = downloads.Transport // of the first WithTransport, where there were several
	}
	wire := cloudfetch.New(base, cloudfetch.Options{SilenceNative: silence, Counters: wireCounters})
	if downloads != nil {
		downloads.Transport = wire // the client belongs to this configuration alone
	}
	return wire
}

// likeDefaultClient makes the client for downloads that WithTransport has just made behave as
// http.DefaultClient, which the driver would use if it had not been given our transport.
func likeDefaultClient(n nativeConfig) {
	if client := readConfig[*http.Client](n, "HTTPClient").Or(nil); client != nil {
		client.Timeout, client.Jar, client.CheckRedirect = http.DefaultClient.Timeout, http.DefaultClient.Jar, http.DefaultClient.CheckRedirect
	}
}

// sessionOpenedFacts adds what the wire said.
func sessionOpenedFacts(r *telemetry.SessionOpened, f cloudfetch.SessionFacts) {
	r.SessionID = f.SessionID.String()
	r.WorkspaceID = f.WorkspaceID
	r.Retries = telemetry.Known(int64(f.OpenRPC.Retries))
	failure.Refine(r.Failure, f.SQLState, f.OpenRPC.LastStatus)
}

func sessionClosedFacts(r *telemetry.SessionClosed, f cloudfetch.SessionFacts) {
	r.Retries = telemetry.Known(int64(f.CloseRPC.Retries))
	failure.Refine(r.Failure, f.SQLState, f.CloseRPC.LastStatus)
}

// wireFacts adds to a record what the wire said. Counts that may be too low because
// something could not be read stay unknown: better silent than wrong.
func wireFacts(r *telemetry.Statement, f *cloudfetch.Facts) {
	if r.StatementID == "" {
		r.StatementID = f.StatementID.String()
	}
	if r.SessionID == "" {
		r.SessionID = f.SessionID.String()
	}
	r.WorkspaceID = f.WorkspaceID
	if f.Staging.Or(false) {
		r.Kind = telemetry.KindVolume
	}
	r.RPCs = appendRPCs(r.RPCs, f)
	r.Calls = appendCalls(r.Calls, r.Started, f)
	if f.RPC(cloudfetch.ExecuteStatement).Count == 0 {
		return // it never reached the server
	}
	whole := f.Gaps&(cloudfetch.GapMessages|cloudfetch.GapEvicted|cloudfetch.GapOthers) == 0
	if whole {
		r.Polling = telemetry.Known(telemetry.Polling{
			Calls:   int64(f.RPC(cloudfetch.GetOperationStatus).Count),
			Latency: f.RPC(cloudfetch.GetOperationStatus).Latency,
		})
	}
	r.Result = result(f, whole)
	if whole && f.Files != nil && !f.Gaps.Has(cloudfetch.GapFiles) {
		r.CloudFetch = files(r.Started, f)
	}
	failure.Refine(r.Failure, f.SQLState, f.RPC(cloudfetch.ExecuteStatement).LastStatus)
	if r.Failure != nil && f.Files != nil && f.Files.Failed > 0 && r.Failure.Category == telemetry.CategoryOther {
		r.Failure.Category = telemetry.CategoryChunkDownload
	}
}

// readAll reports whether the application had every row in hand when it closed the rows
// without having seen their end, as QueryRow does.
func readAll(r *telemetry.Statement, f *cloudfetch.Facts) bool {
	read, ok1 := r.RowsRead.Get()
	delivered, ok2 := r.Result.Rows.Get()
	return ok1 && ok2 && read == delivered && f.MoreRows.Known && !f.MoreRows.V
}

func result(f *cloudfetch.Facts, whole bool) telemetry.Result {
	r := telemetry.Result{
		Evidence:          telemetry.EvidenceWire,
		Format:            telemetry.ResultFormat(f.Format.String()),
		Compressed:        maybe(f.Compressed),
		Cache:             f.Cache.String(),
		UncompressedBytes: maybe(f.UncompressedBytes),
		CompressedBytes:   maybe(f.CompressedBytes),
		Direct:            direct(f),
	}
	if whole {
		r.Pages = telemetry.Known(int64(f.PageCount))
		r.Rows = telemetry.Known(f.RowsDelivered)
	}
	return r
}

// direct: the answer to ExecuteStatement may have direct results that are only a state.
func direct(f *cloudfetch.Facts) telemetry.Maybe[bool] {
	if !f.DirectResults.Known {
		return telemetry.Maybe[bool]{}
	}
	return telemetry.Known(f.DirectResults.V && len(f.Pages) > 0 && f.Pages[0].Direct)
}

func files(started time.Time, f *cloudfetch.Facts) *telemetry.CloudFetch {
	c := &telemetry.CloudFetch{
		Present:    int64(f.Files.Present),
		Downloaded: int64(f.Files.Downloaded),
		Failed:     int64(f.Files.Failed),
		Abandoned:  int64(f.Files.Abandoned),
		Bytes:      f.Files.Bytes,
		Received:   f.Files.Received,
		Attempts:   int64(f.Files.Attempts),
		Retries:    int64(f.Files.Retries),
		First:      f.Files.First,
		Slowest:    f.Files.Slowest,
		Sum:        f.Files.Sum,
	}
	if i := f.Files.FirstFailed; i.Known {
		c.FailedIndex = telemetry.Known(int64(i.V))
		if i.V < len(f.Files.List) && f.Files.List[i.V].Status != 0 {
			c.FailedStatus = telemetry.Known(int64(f.Files.List[i.V].Status))
		}
	}
	c.Files = make([]telemetry.File, len(f.Files.List))
	for i, x := range f.Files.List {
		c.Files[i] = telemetry.File{
			Index: int64(x.Index), State: x.State.String(), Rows: x.Rows, Bytes: x.Bytes, Received: x.Received,
			Attempts: int64(x.Attempts), Status: x.Status,
			Queued: since(started, x.Queued), Start: since(started, x.Start), FirstByte: since(started, x.FirstByte), End: since(started, x.End),
		}
	}
	return c
}

// statementMethods are the calls made for a statement, in the order of its life.
var statementMethods = []cloudfetch.Method{
	cloudfetch.ExecuteStatement, cloudfetch.GetOperationStatus, cloudfetch.GetResultSetMetadata,
	cloudfetch.FetchResults, cloudfetch.CancelOperation, cloudfetch.CloseOperation,
}

func appendRPCs(all []telemetry.RPC, f *cloudfetch.Facts) []telemetry.RPC {
	for _, m := range statementMethods {
		if r := f.RPC(m); r.Count > 0 {
			all = append(all, telemetry.RPC{
				Method: m.String(), Calls: int64(r.Count), Retries: int64(r.Retries), Latency: r.Latency, Backoff: r.Backoff,
				BytesOut: r.BytesOut, BytesIn: r.BytesIn, LastStatus: r.LastStatus,
			})
		}
	}
	return all
}

// appendCalls lists what ran the statement, polled and fetched, as far as the facts do.
func appendCalls(all []telemetry.Call, started time.Time, f *cloudfetch.Facts) []telemetry.Call {
	execute := f.Execute()
	if execute.Start.IsZero() {
		return nil
	}
	fetches := len(f.Pages)
	if fetches > 0 && f.Pages[0].Direct {
		fetches--
	}
	all = slices.Grow(all, 1+len(f.Polls)+fetches)
	add := func(m cloudfetch.Method, s cloudfetch.Span) *telemetry.Call {
		all = append(all, telemetry.Call{Method: m.String(), Start: max(0, s.Start.Sub(started)), End: since(started, s.End)})
		return &all[len(all)-1]
	}
	add(cloudfetch.ExecuteStatement, execute)
	for _, p := range f.Polls {
		add(cloudfetch.GetOperationStatus, p)
	}
	for _, p := range f.Pages {
		c := &all[0]
		if !p.Direct {
			c = add(cloudfetch.FetchResults, p.Fetch)
		}
		c.Rows, c.Files = maybe(p.Rows), int64(p.Links)
	}
	return all
}

// since counts from the statement's start; unknown for what did not happen.
func since(started, at time.Time) telemetry.Maybe[time.Duration] {
	if at.IsZero() {
		return telemetry.Maybe[time.Duration]{}
	}
	return telemetry.Known(max(0, at.Sub(started)))
}

func maybe[T any](v cloudfetch.Value[T]) telemetry.Maybe[T] {
	if v.Known {
		return telemetry.Known(v.V)
	}
	return telemetry.Maybe[T]{}
}

// split says where the time went. waited is the time the reader spent in calls that crossed
// into a new page or file, unknown where that was not observed.
func split(r *telemetry.Statement, f *cloudfetch.Facts, waited telemetry.Maybe[time.Duration]) telemetry.Split {
	var s telemetry.Split
	if !f.ServerStarted.IsZero() && !f.ServerCompleted.Before(f.ServerStarted) {
		s.Server = telemetry.Known(f.ServerCompleted.Sub(f.ServerStarted))
	}
	var backoff time.Duration
	for _, m := range statementMethods {
		backoff += f.RPC(m).Backoff
	}
	if backoff > 0 {
		s.Retries = telemetry.Known(backoff)
	}
	if polls := f.RPC(cloudfetch.GetOperationStatus).Count; polls > 0 && polls == len(f.Polls) && !f.Execute().End.IsZero() {
		if server, ok := s.Server.Get(); ok {
			// While ExecuteStatement was under way the server worked, too; what remained
			// of its time passed while the client polled.
			polled := f.Polls[polls-1].End.Sub(f.Execute().End) - f.RPC(cloudfetch.GetOperationStatus).Backoff
			s.PollWait = telemetry.Known(max(0, polled-max(0, server-f.Execute().Duration())))
		}
	}
	if r.Result.Pages.Or(0) > 0 {
		s.Pages = telemetry.Known(f.RPC(cloudfetch.FetchResults).Latency)
	}
	reading, read := r.Consume.Get()
	if w, ok := waited.Get(); ok && read {
		reading += r.FirstRow.Or(0)
		s.Reading = telemetry.Known(max(0, reading-w))
		if r.CloudFetch != nil {
			s.Files = telemetry.Known(max(0, w-s.Pages.Or(0)-f.RPC(cloudfetch.FetchResults).Backoff))
		}
	}
	return s
}
