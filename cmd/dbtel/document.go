package main

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// document is what show prints with --json.
type document struct {
	Statement json.RawMessage `json:"statement"`        // the record, as package ndjson writes it
	Report    json.RawMessage `json:"report,omitempty"` // the report, likewise
	Causes    []documentCause `json:"causes,omitempty"` // of the server's time, according to the report
	Verdict   struct {
		Bound    string  `json:"bound"`
		Time     millis  `json:"time_ms"`
		Share    float64 `json:"share"`
		Sentence string  `json:"sentence"`
		Advice   string  `json:"advice"`
	} `json:"verdict"`
	Parts    []documentPart `json:"parts"`
	Timeline struct {
		Total   millis         `json:"total_ms"`
		Missing string         `json:"missing,omitempty"`
		Phases  string         `json:"phases_note,omitempty"`
		Lanes   []documentLane `json:"lanes"`
	} `json:"timeline"`
}

type documentCause struct {
	Phase    string  `json:"phase"`
	Time     millis  `json:"time_ms"`
	Share    float64 `json:"share"`
	Sentence string  `json:"sentence"`
	Advice   string  `json:"advice"`
}

type documentPart struct {
	Bound string  `json:"bound"`
	Name  string  `json:"name"`
	Time  millis  `json:"time_ms"`
	Share float64 `json:"share"`
}

type documentLane struct {
	Name   string        `json:"name"`
	Within string        `json:"within,omitempty"`
	Bars   []documentBar `json:"bars"`
}

type documentBar struct {
	Kind      string  `json:"kind"`
	Label     string  `json:"label"`
	Start     millis  `json:"start_ms"`
	End       millis  `json:"end_ms"`
	Queued    *millis `json:"queued_ms,omitempty"`
	FirstByte *millis `json:"first_byte_ms,omitempty"`
	Note      string  `json:"note,omitempty"`
	Failed    bool    `json:"failed,omitempty"`
	Open      bool    `json:"open,omitempty"`
}

func documentOf(s *telemetry.Statement, r *telemetry.ServerReport) *document {
	var d document
	d.Statement = lineOf(func(sink *ndjson.Sink) { sink.StatementFinished(s) })
	if r != nil {
		d.Report = lineOf(func(sink *ndjson.Sink) { sink.ServerReported(r) })
		for _, c := range explain.CausesOf(s, r) {
			d.Causes = append(d.Causes, documentCause{c.Phase, millis(c.Time), c.Share, c.Sentence, c.Advice})
		}
	}
	v := explain.WithReport(s, r)
	d.Verdict.Bound, d.Verdict.Time, d.Verdict.Share, d.Verdict.Sentence, d.Verdict.Advice = v.Bound, millis(v.Time), v.Share, v.Sentence, v.Advice
	d.Parts = []documentPart{}
	for _, p := range breakdown.PartsOf(s) {
		d.Parts = append(d.Parts, documentPart{breakdown.Bound(p.Part), p.String(), millis(p.Time), p.Share})
	}
	t := explain.TimelineWithReport(s, r)
	d.Timeline.Total, d.Timeline.Missing, d.Timeline.Phases, d.Timeline.Lanes = millis(t.Total), t.Missing, t.PhasesNote, []documentLane{}
	for _, l := range t.Lanes {
		lane := documentLane{Name: l.Name, Within: l.Within}
		for _, b := range l.Bars {
			lane.Bars = append(lane.Bars, documentBar{
				Kind: b.Kind, Label: b.Label, Start: millis(b.Start), End: millis(b.End), Queued: optionalMillis(b.Queued), FirstByte: optionalMillis(b.FirstByte),
				Note: b.Note, Failed: b.Failed, Open: b.Open,
			})
		}
		d.Timeline.Lanes = append(d.Timeline.Lanes, lane)
	}
	return &d
}

// lineOf returns the line that a record is written as.
func lineOf(write func(*ndjson.Sink)) []byte {
	var line bytes.Buffer
	write(ndjson.New(&line))
	return bytes.TrimSpace(line.Bytes())
}

func optionalMillis(m telemetry.Maybe[time.Duration]) *millis {
	if d, ok := m.Get(); ok {
		v := millis(d)
		return &v
	}
	return nil
}
