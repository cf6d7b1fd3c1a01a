package ndjson

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The keys of each record and where in it they go, in the order of the registry of package
// telemetry, which a test holds them against: no field is written that is not read.

var statementKeys = keys[telemetry.Statement]{
	"started":              moment(func(s *telemetry.Statement) *time.Time { return &s.Started }),
	"server":               to(func(s *telemetry.Statement) *string { return &s.Server }),
	"connector":            to(func(s *telemetry.Statement) *int64 { return &s.Connector }),
	"trace_id":             id(func(s *telemetry.Statement) []byte { return s.TraceID[:] }),
	"span_id":              id(func(s *telemetry.Statement) []byte { return s.SpanID[:] }),
	"session_id":           to(func(s *telemetry.Statement) *string { return &s.SessionID }),
	"statement_id":         to(func(s *telemetry.Statement) *string { return &s.StatementID }),
	"query_text":           to(func(s *telemetry.Statement) *string { return &s.Query }),
	"kind":                 to(func(s *telemetry.Statement) *telemetry.Kind { return &s.Kind }),
	"volume_operation":     to(func(s *telemetry.Statement) *telemetry.VolumeOperation { return &s.Volume }),
	"internal":             to(func(s *telemetry.Statement) *bool { return &s.Internal }),
	"prepared":             to(func(s *telemetry.Statement) *bool { return &s.Prepared }),
	"outcome":              to(func(s *telemetry.Statement) *telemetry.Outcome { return &s.Outcome }),
	"error_category":       to(func(s *telemetry.Statement) *telemetry.Category { return &failure(&s.Failure).Category }),
	"sqlstate":             to(func(s *telemetry.Statement) *string { return &failure(&s.Failure).SQLState }),
	"error_message":        to(func(s *telemetry.Statement) *string { return &failure(&s.Failure).Message }),
	"retryable":            to(func(s *telemetry.Statement) *bool { return &failure(&s.Failure).Retryable }),
	"close_error_category": to(func(s *telemetry.Statement) *telemetry.Category { return &failure(&s.CloseFailure).Category }),
	"execute_ms":           ms(func(s *telemetry.Statement) *time.Duration { return &s.Execute }),
	"first_row_ms":         knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.FirstRow }),
	"consume_ms":           knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Consume }),
	"close_ms":             knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Close }),
	"total_ms":             ms(func(s *telemetry.Statement) *time.Duration { return &s.Total }),
	"rows_read":            known(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.RowsRead }),
	"rows_affected":        known(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.RowsAffected }),

	"workspace_id":       to(func(s *telemetry.Statement) *string { return &s.WorkspaceID }),
	"evidence":           to(func(s *telemetry.Statement) *telemetry.Evidence { return &s.Result.Evidence }),
	"result_format":      to(func(s *telemetry.Statement) *telemetry.ResultFormat { return &s.Result.Format }),
	"compressed":         known(func(s *telemetry.Statement) *telemetry.Maybe[bool] { return &s.Result.Compressed }),
	"cache":              to(func(s *telemetry.Statement) *string { return &s.Result.Cache }),
	"uncompressed_bytes": known(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.UncompressedBytes }),
	"compressed_bytes":   known(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.CompressedBytes }),
	"direct_results":     known(func(s *telemetry.Statement) *telemetry.Maybe[bool] { return &s.Result.Direct }),
	"pages":              known(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.Pages }),
	"rows_delivered":     known(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.Rows }),
	"polls":              polling(to(func(p *telemetry.Polling) *int64 { return &p.Calls })),
	"polling_ms":         polling(ms(func(p *telemetry.Polling) *time.Duration { return &p.Latency })),

	"files":               to(func(s *telemetry.Statement) *int64 { return &cloudFetch(s).Present }),
	"files_downloaded":    to(func(s *telemetry.Statement) *int64 { return &cloudFetch(s).Downloaded }),
	"files_failed":        to(func(s *telemetry.Statement) *int64 { return &cloudFetch(s).Failed }),
	"files_abandoned":     to(func(s *telemetry.Statement) *int64 { return &cloudFetch(s).Abandoned }),
	"file_bytes":          to(func(s *telemetry.Statement) *int64 { return &cloudFetch(s).Bytes }),
	"file_bytes_received": to(func(s *telemetry.Statement) *int64 { return &cloudFetch(s).Received }),
	"file_retries":        to(func(s *telemetry.Statement) *int64 { return &cloudFetch(s).Retries }),
	"first_file_ms":       ms(func(s *telemetry.Statement) *time.Duration { return &cloudFetch(s).First }),
	"slowest_file_ms":     ms(func(s *telemetry.Statement) *time.Duration { return &cloudFetch(s).Slowest }),
	"sum_file_ms":         ms(func(s *telemetry.Statement) *time.Duration { return &cloudFetch(s).Sum }),
	"failed_file":         known(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &cloudFetch(s).FailedIndex }),
	"failed_file_status":  known(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &cloudFetch(s).FailedStatus }),

	"rpcs":        sum(func(all *telemetry.RPC) *int64 { return &all.Calls }),
	"retried":     retried,
	"rpc_wait_ms": knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Retries }),
	"bytes_out":   sum(func(all *telemetry.RPC) *int64 { return &all.BytesOut }),
	"bytes_in":    sum(func(all *telemetry.RPC) *int64 { return &all.BytesIn }),

	"server_ms":    knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Server }),
	"poll_wait_ms": knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.PollWait }),
	"page_wait_ms": knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Pages }),
	"file_wait_ms": knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Files }),
	"reading_ms":   knownMS(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Reading }),

	"calls":     list(func(s *telemetry.Statement) *[]telemetry.Call { return &s.Calls }, callKeys),
	"file_list": list(func(s *telemetry.Statement) *[]telemetry.File { return &cloudFetch(s).Files }, fileKeys),
}

var callKeys = keys[telemetry.Call]{
	"method":   to(func(c *telemetry.Call) *string { return &c.Method }),
	"start_ms": ms(func(c *telemetry.Call) *time.Duration { return &c.Start }),
	"end_ms":   knownMS(func(c *telemetry.Call) *telemetry.Maybe[time.Duration] { return &c.End }),
	"rows":     known(func(c *telemetry.Call) *telemetry.Maybe[int64] { return &c.Rows }),
	"files":    to(func(c *telemetry.Call) *int64 { return &c.Files }),
}

var fileKeys = keys[telemetry.File]{
	"index":         to(func(f *telemetry.File) *int64 { return &f.Index }),
	"state":         to(func(f *telemetry.File) *string { return &f.State }),
	"rows":          to(func(f *telemetry.File) *int64 { return &f.Rows }),
	"bytes":         to(func(f *telemetry.File) *int64 { return &f.Bytes }),
	"received":      to(func(f *telemetry.File) *int64 { return &f.Received }),
	"attempts":      to(func(f *telemetry.File) *int64 { return &f.Attempts }),
	"status":        to(func(f *telemetry.File) *int { return &f.Status }),
	"queued_ms":     knownMS(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.Queued }),
	"start_ms":      knownMS(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.Start }),
	"first_byte_ms": knownMS(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.FirstByte }),
	"end_ms":        knownMS(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.End }),
}

var openedKeys = keys[telemetry.SessionOpened]{
	"started":           moment(func(s *telemetry.SessionOpened) *time.Time { return &s.Started }),
	"server":            to(func(s *telemetry.SessionOpened) *string { return &s.Server }),
	"connector":         to(func(s *telemetry.SessionOpened) *int64 { return &s.Connector }),
	"session_id":        to(func(s *telemetry.SessionOpened) *string { return &s.SessionID }),
	"workspace_id":      to(func(s *telemetry.SessionOpened) *string { return &s.WorkspaceID }),
	"open_ms":           ms(func(s *telemetry.SessionOpened) *time.Duration { return &s.Latency }),
	"retries":           known(func(s *telemetry.SessionOpened) *telemetry.Maybe[int64] { return &s.Retries }),
	"error_category":    to(func(s *telemetry.SessionOpened) *telemetry.Category { return &failure(&s.Failure).Category }),
	"error_message":     to(func(s *telemetry.SessionOpened) *string { return &failure(&s.Failure).Message }),
	"driver_version":    to(func(s *telemetry.SessionOpened) *string { return &s.Driver.Version }),
	"auth_mech":         to(func(s *telemetry.SessionOpened) *string { return &s.Driver.AuthMech }),
	"auth_flow":         to(func(s *telemetry.SessionOpened) *string { return &s.Driver.AuthFlow }),
	"cloud_fetch":       known(func(s *telemetry.SessionOpened) *telemetry.Maybe[bool] { return &s.Driver.CloudFetch }),
	"arrow":             known(func(s *telemetry.SessionOpened) *telemetry.Maybe[bool] { return &s.Driver.Arrow }),
	"lz4":               known(func(s *telemetry.SessionOpened) *telemetry.Maybe[bool] { return &s.Driver.LZ4 }),
	"max_rows":          known(func(s *telemetry.SessionOpened) *telemetry.Maybe[int64] { return &s.Driver.MaxRows }),
	"download_threads":  known(func(s *telemetry.SessionOpened) *telemetry.Maybe[int64] { return &s.Driver.DownloadThreads }),
	"query_timeout_ms":  knownMS(func(s *telemetry.SessionOpened) *telemetry.Maybe[time.Duration] { return &s.Driver.QueryTimeout }),
	"poll_interval_ms":  knownMS(func(s *telemetry.SessionOpened) *telemetry.Maybe[time.Duration] { return &s.Driver.PollInterval }),
	"client_timeout_ms": knownMS(func(s *telemetry.SessionOpened) *telemetry.Maybe[time.Duration] { return &s.Driver.ClientTimeout }),
	"retry_max":         known(func(s *telemetry.SessionOpened) *telemetry.Maybe[int64] { return &s.Driver.RetryMax }),
}

var closedKeys = keys[telemetry.SessionClosed]{
	"started":        moment(func(s *telemetry.SessionClosed) *time.Time { return &s.Started }),
	"server":         to(func(s *telemetry.SessionClosed) *string { return &s.Server }),
	"connector":      to(func(s *telemetry.SessionClosed) *int64 { return &s.Connector }),
	"session_id":     to(func(s *telemetry.SessionClosed) *string { return &s.SessionID }),
	"close_ms":       ms(func(s *telemetry.SessionClosed) *time.Duration { return &s.Latency }),
	"retries":        known(func(s *telemetry.SessionClosed) *telemetry.Maybe[int64] { return &s.Retries }),
	"lifetime_ms":    ms(func(s *telemetry.SessionClosed) *time.Duration { return &s.Lifetime }),
	"statements":     to(func(s *telemetry.SessionClosed) *int64 { return &s.Statements }),
	"reused":         to(func(s *telemetry.SessionClosed) *int64 { return &s.Reused }),
	"abandoned":      to(func(s *telemetry.SessionClosed) *int64 { return &s.Abandoned }),
	"error_category": to(func(s *telemetry.SessionClosed) *telemetry.Category { return &failure(&s.Failure).Category }),
	"error_message":  to(func(s *telemetry.SessionClosed) *string { return &failure(&s.Failure).Message }),
}

// failure is the failure of a record that has one.
func failure(f **telemetry.Failure) *telemetry.Failure {
	if *f == nil {
		*f = &telemetry.Failure{}
	}
	return *f
}

// cloudFetch is that of a statement that has files.
func cloudFetch(s *telemetry.Statement) *telemetry.CloudFetch {
	if s.CloudFetch == nil {
		s.CloudFetch = &telemetry.CloudFetch{}
	}
	return s.CloudFetch
}

func polling(set setter[telemetry.Polling]) setter[telemetry.Statement] {
	return func(s *telemetry.Statement, value []byte) error {
		p := s.Polling.Or(telemetry.Polling{})
		err := set(&p, value)
		s.Polling = telemetry.Known(p)
		return err
	}
}

// sum reads what was summed over all methods, into the entry that stands for all of them.
// RPCs that are known to be none are not nil.
func sum(place func(*telemetry.RPC) *int64) setter[telemetry.Statement] {
	return func(s *telemetry.Statement, value []byte) error {
		var n int64
		if err := json.Unmarshal(value, &n); err != nil {
			return err
		}
		if s.RPCs == nil {
			s.RPCs = []telemetry.RPC{}
		}
		if n == 0 {
			return nil
		}
		if len(s.RPCs) == 0 || s.RPCs[0].Method != "" {
			s.RPCs = slices.Insert(s.RPCs, 0, telemetry.RPC{})
		}
		*place(&s.RPCs[0]) = n
		return nil
	}
}

// retried adds an entry per method, in their order.
func retried(s *telemetry.Statement, value []byte) error {
	if value[0] != '{' {
		return json.Unmarshal(value, &struct{}{})
	}
	for method, retries := range members(value) {
		var n int64
		if err := json.Unmarshal(retries, &n); err != nil {
			return err
		}
		if n > 0 && method != "" {
			s.RPCs = append(s.RPCs, telemetry.RPC{Method: method, Retries: n})
		}
	}
	return nil
}
