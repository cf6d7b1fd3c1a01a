package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// fact is a line of the section FACTS.
type fact struct{ name, text string }

// factsOf lists the facts of a statement, a line per subject. Unknown ones are left out.
func factsOf(s *telemetry.Statement, r *telemetry.ServerReport) (facts []fact) {
	add := func(name string, words ...string) {
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		if len(words) > 0 {
			facts = append(facts, fact{name, strings.Join(words, ", ")})
		}
	}
	add("times", "execute "+format.Duration(s.Execute), known(s.FirstRow, "first row", format.Duration), known(s.Consume, "reading", format.Duration), known(s.Close, "close", format.Duration))
	add("result", resultOf(s)...)
	add("calls", callsOf(s)...)
	add("requests", requestsOf(s)...)
	add("files", filesOf(s)...)
	add("server", s.Server, textIf(s.WorkspaceID != "", "workspace "+s.WorkspaceID), textIf(s.SessionID != "", "session "+s.SessionID))
	add("shape", s.Shape)
	add("warehouse", s.WarehouseID)
	add("history", reportFacts(r)...)
	add("session", textIf(s.InitialCatalog != "", "began in catalog "+s.InitialCatalog), textIf(s.InitialSchema != "", "schema "+s.InitialSchema))
	add("context", contextOf(s)...)
	add("attributes", attributesOf(s)...)
	if s.TraceID != [16]byte{} {
		add("trace", hex.EncodeToString(s.TraceID[:]), "span "+hex.EncodeToString(s.SpanID[:]))
	}
	if f := s.CloseFailure; f != nil {
		add("closing", "failed: "+format.OneSpelling(string(f.Category)))
	}
	return facts
}

// contextOf is what the context of the call said about the statement.
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
	if p, ok := s.Polling.Get(); ok && p.Calls > 0 {
		words = append(words, fmt.Sprintf("polled %s in %s", times(p.Calls), format.Duration(p.Latency)))
	}
	return append(words, retried...)
}

// requestsOf lists the ids of requests that failed, were repeated or were slow. Databricks support
// asks for them.
func requestsOf(s *telemetry.Statement) (words []string) {
	const most = 4
	for _, c := range s.Calls {
		for _, a := range append(c.Retried[:len(c.Retried):len(c.Retried)], telemetry.Attempt{Start: c.Start, End: c.End.Or(s.Total), Status: c.Status, RequestID: c.RequestID}) {
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
