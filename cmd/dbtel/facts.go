package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// facts prints what the diagrams do not show, subject by subject.
func (v *view) facts() {
	s := v.statement
	v.heading("FACTS")
	v.fact("times", "execute "+format.Duration(s.Execute), known(s.FirstRow, "first row", format.Duration), known(s.Consume, "reading", format.Duration), known(s.Close, "close", format.Duration))
	v.fact("result", resultOf(s)...)
	v.fact("calls", callsOf(s)...)
	v.fact("requests", requestsOf(s)...)
	v.fact("files", filesOf(s)...)
	v.fact("server", s.Server, textIf(s.WorkspaceID != "", "workspace "+s.WorkspaceID), textIf(s.SessionID != "", "session "+s.SessionID))
	v.fact("shape", s.Shape)
	v.fact("warehouse", s.WarehouseID)
	v.fact("history", reportFacts(v.report)...)
	v.fact("session", textIf(s.InitialCatalog != "", "began in catalog "+s.InitialCatalog), textIf(s.InitialSchema != "", "schema "+s.InitialSchema))
	v.fact("context", contextOf(s)...)
	v.fact("attributes", attributesOf(s)...)
	if s.TraceID != [16]byte{} {
		v.fact("trace", hex.EncodeToString(s.TraceID[:]), "span "+hex.EncodeToString(s.SpanID[:]))
	}
	if f := s.CloseFailure; f != nil {
		v.fact("closing", "failed: "+format.OneSpelling(string(f.Category)))
	}
	if c := s.CancelError; c != "" {
		v.fact("canceling", "failed: "+format.OneSpelling(string(c)))
	}
}

// fact prints what is known about a subject, if anything.
func (v *view) fact(subject string, words ...string) {
	for _, l := range wrap(clean(format.JoinKnown(", ", words...)), v.screen.width-11) {
		v.line(v.screen.paint(dim, fmt.Sprintf("%-10s", subject)) + " " + l)
		subject = ""
	}
}

// contextOf returns what the context of the call said about the statement.
func contextOf(s *telemetry.Statement) (words []string) {
	words = append(words, textIf(s.CorrelationID != "", "correlation id "+s.CorrelationID))
	for _, key := range slices.Sorted(maps.Keys(s.QueryTags)) {
		tag := "query tag " + key
		if value := s.QueryTags[key]; value != "" {
			tag += "=" + value
		}
		words = append(words, tag)
	}
	return words
}

func attributesOf(s *telemetry.Statement) (words []string) {
	for _, a := range s.Attributes {
		words = append(words, a.String())
	}
	return words
}

func resultOf(s *telemetry.Statement) []string {
	r := s.Result
	return []string{
		textIf(s.State != "" && s.State != "FINISHED", "last seen "+s.State),
		string(r.Format),
		textIf(r.Compressed.Or(false), "compressed"),
		textIf(r.Direct.Or(false), "direct results"),
		textIf(r.Evidence == telemetry.EvidenceInferred, "as far as can be inferred"),
		known(s.RowsRead, "rows read", format.Count),
		known(r.Rows, "delivered", format.Count),
		known(s.RowsAffected, "affected", format.Count),
		known(r.Pages, "pages", format.Count),
		known(r.UncompressedBytes, "announced", format.Bytes),
		textIf(r.Cache != "", "cache "+r.Cache),
		textIf(s.Prepared, "prepared"),
	}
}

func callsOf(s *telemetry.Statement) []string {
	if s.RPCs == nil {
		return nil
	}
	var calls, out, in int64
	var retried []string
	for _, r := range s.RPCs {
		calls, out, in = calls+r.Calls, out+r.BytesOut, in+r.BytesIn
		if r.Retries > 0 {
			retried = append(retried, fmt.Sprintf("%s repeated %s", r.Method, times(r.Retries)))
		}
	}
	words := []string{format.Count(calls), format.Bytes(out) + " out", format.Bytes(in) + " in"}
	if p := s.Polling.Or(telemetry.Polling{}); p.Calls > 0 {
		words = append(words, fmt.Sprintf("polled %s in %s", times(p.Calls), format.Duration(p.Latency)))
	}
	return append(words, retried...)
}

// requestsOf returns the ids of requests that failed, were repeated or were slow. Databricks support
// asks for these.
func requestsOf(s *telemetry.Statement) (words []string) {
	const most = 4
	for _, c := range s.Calls {
		for _, a := range append(slices.Clip(c.Retried), telemetry.Attempt{Status: c.Status, RequestID: c.RequestID}) {
			if a.RequestID == "" {
				continue
			}
			if len(words) == most {
				return append(words, "and more")
			}
			words = append(words, fmt.Sprintf("%s %s%s", c.Method, textIf(a.Status != 0, fmt.Sprintf("(HTTP %d) ", a.Status)), a.RequestID))
		}
	}
	return words
}

func filesOf(s *telemetry.Statement) []string {
	c := s.CloudFetch
	if c == nil {
		return nil
	}
	return []string{
		format.Count(c.Present),
		fmt.Sprintf("%s downloaded", format.Count(c.Downloaded)),
		textIf(c.Failed > 0, format.Count(c.Failed)+" failed"),
		textIf(c.Abandoned > 0, format.Count(c.Abandoned)+" abandoned"),
		fmt.Sprintf("%s of %s", format.Bytes(c.Received), format.Bytes(c.Bytes)),
		textIf(c.Retries > 0, "repeated "+times(c.Retries)),
		textIf(c.Downloaded > 0, fmt.Sprintf("slowest %s, %s on average", format.Duration(c.Slowest), format.Duration(c.Sum/time.Duration(max(1, c.Downloaded))))),
	}
}

func known[T any](m telemetry.Maybe[T], name string, words func(T) string) string {
	if v, ok := m.Get(); ok {
		return name + " " + words(v)
	}
	return ""
}

func textIf(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

func times(n int64) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return format.Count(n) + " times"
}
