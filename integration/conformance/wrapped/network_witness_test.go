package wrapped

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// Between the driver and the simulated workspace lies a network with names, connections, proxies, TLS and HTTP/2,
// of which one part takes long for one request, or fails. The record, its verdict and its advice must name the
// request and must not blame anything else, however the statement ends, and also while it lasts.

// partsOf returns the parts that the time of a trouble may be in, before it is known to have failed.
func (x *trouble) partsOf() []telemetry.Part {
	if x.method == "file" {
		return []telemetry.Part{telemetry.PartFile}
	}
	if x.method == "GetOperationStatus" {
		return []telemetry.Part{telemetry.PartServer, telemetry.PartPoll}
	}
	if x.connects() {
		return []telemetry.Part{telemetry.PartNetwork}
	}
	switch x.method {
	case "ExecuteStatement":
		if x.where == "body" {
			return []telemetry.Part{telemetry.PartPage, telemetry.PartNetwork}
		}
		return []telemetry.Part{telemetry.PartServer}
	case "CloseOperation", "CancelOperation":
		return []telemetry.Part{telemetry.PartClose}
	}
	return []telemetry.Part{telemetry.PartPage}
}

// checkBoth checks a verdict on two troubles of which the first took longer; their times may be in one part.
func (j *journey) checkBoth(x, also *trouble, r *telemetry.Statement, took, less time.Duration) (wrong []string) {
	v := explain.Of(r)
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf("both: "+f, args...)) }
	if took < r.Total/2 {
		return nil
	}
	if allowed := append(x.partsOf(), telemetry.PartUnknown, telemetry.PartRetry, telemetry.PartServer); !slices.Contains(allowed, v.Part) {
		bad("part %s of %v", v.Part, allowed)
	}
	for _, m := range methods {
		if m != x.method && m != also.method && strings.Contains(v.Sentence, m) && v.Part != telemetry.PartServer {
			bad("blames %s", m)
		}
	}
	if v.Time > took+less+4*time.Second {
		bad("part of %v, the troubles took %v and %v", v.Time, took, less)
	}
	return wrong
}

// fails reports whether the driver gets no answer that it can use.
func (x *trouble) fails() bool { return x.fate != "passes" }

// category is the category of a statement that fails because of the trouble.
func (x *trouble) category() []telemetry.Category {
	if x.method == "file" {
		return []telemetry.Category{telemetry.CategoryChunkDownload}
	}
	switch x.fate {
	case "lookup timeout", "timeout", "hangs", "504":
		return []telemetry.Category{telemetry.CategoryTimeout}
	case "alert", "plain", "certificate":
		return []telemetry.Category{telemetry.CategoryTLS}
	case "407":
		if x.where == "proxy" { // the application's transport has no error type for that
			return []telemetry.Category{telemetry.CategoryAuth, telemetry.CategoryConnection}
		}
		return []telemetry.Category{telemetry.CategoryAuth}
	case "429":
		return []telemetry.Category{telemetry.CategoryRateLimit}
	case "403":
		return []telemetry.Category{telemetry.CategoryPermission}
	case "404":
		return []telemetry.Category{telemetry.CategoryNotFound}
	}
	return []telemetry.Category{telemetry.CategoryConnection}
}

// status is the HTTP status that the driver gets.
func (x *trouble) status() int {
	if x.where == "head" {
		n, _ := strconv.Atoi(x.fate)
		return n
	}
	if x.where == "body" {
		return 200
	}
	return 0
}

// within returns the time of the first strike as far as it lies between the start of a record and until.
func (x *trouble) within(r *telemetry.Statement, until time.Time) (from, to time.Duration, over bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.from.IsZero() || x.from.After(until) {
		return 0, 0, false
	}
	end := x.to
	if over = !end.IsZero() && !end.After(until); !over {
		end = until
	}
	from = x.from.Sub(r.Started)
	return from, min(end.Sub(r.Started), r.Total), over
}

// check compares a record with the troubles.
func (j *journey) check(r *telemetry.Statement, until time.Time, told error) (wrong []string) {
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf(f, args...)) }
	if r.Split.Total() != r.Total {
		bad("the parts add up to %v of %v", r.Split.Total(), r.Total)
	}
	wrong = append(wrong, slices.DeleteFunc(checkCopy(r), func(w string) bool { return strings.HasPrefix(w, "TIMELINE") })...) // it is rounded
	statuses := func(method string) (all []int) {
		for _, x := range j.troubles {
			if _, _, over := x.within(r, until); over && x.method == method && x.fails() {
				all = append(all, x.status())
			}
		}
		return all
	}
	for i := range r.RPCs {
		givenUp := func(x *trouble) bool { // by the driver, while the answer came
			return !j.ended.IsZero() && x.method == r.RPCs[i].Method && x.where == "body" && r.RPCs[i].FailedStatus == 200
		}
		if c := &r.RPCs[i]; (c.Retries > 0 || c.FailedStatus != 0) && !slices.ContainsFunc(j.troubles, givenUp) && !slices.Contains(statuses(c.Method), c.FailedStatus) {
			bad("status %d of %v: %+v", c.FailedStatus, statuses(c.Method), c)
		}
	}
	if c := r.CloudFetch; c != nil && (c.Retries > 0 || c.Failed > 0) && j.ending != "connection closed" {
		status, ok := c.FailedStatus.Get()
		if !ok {
			status = int64(c.RetryStatus)
		}
		if all := statuses("file"); !slices.Contains(all, int(status)) && !slices.Contains(all, 200) { // the storage may have delivered the file
			bad("status %d of %v: %+v", status, all, c)
		}
	}
	switch r.Outcome {
	case telemetry.OutcomeFailed:
		ok := false
		for _, x := range j.troubles {
			ok = ok || x.fails() && slices.Contains(x.category(), r.Failure.Category)
		}
		if !ok {
			bad("failed: %+v", r.Failure)
		}
	case telemetry.OutcomeCanceled:
		x := j.troubles[0]
		if j.ended.IsZero() || j.ended.Before(r.Started.Add(r.Total-r.Close.Or(0)-time.Second)) && (x.method == "FetchResults" || x.method == "file") && len(j.troubles) == 1 {
			bad("not canceled: %+v", r.Failure)
		}
		if want := map[string]telemetry.Category{"canceled": telemetry.CategoryCanceled, "canceled before": telemetry.CategoryCanceled, "deadline": telemetry.CategoryTimeout}[j.ending]; r.Failure.Category != want {
			bad("category %s of %v", r.Failure.Category, want)
		}
	case telemetry.OutcomeRunning:
	default:
		if r.Failure != nil {
			bad("%s and %+v", r.Outcome, r.Failure)
		}
		if told != nil && j.ending == "" {
			bad("%s, but the application got %v", r.Outcome, told)
		}
	}
	x, also := j.troubles[0], (*trouble)(nil)
	from, to, over := x.within(r, until)
	took := to - from
	if len(j.troubles) > 1 {
		y := j.troubles[1]
		from2, to2, over2 := y.within(r, until)
		if to2 > from2 {
			if from2 < to && from < to2 {
				return wrong // at the same time
			}
			also = y
			if to2-from2 > took {
				x, also, took, over, to2, from2 = y, x, to2-from2, over2, to, from
			}
			switch d := took - (to2 - from2); {
			case d < time.Second+took/20:
				return wrong // either may win
			case slices.ContainsFunc(append(x.partsOf(), telemetry.PartRetry), func(p telemetry.Part) bool { return slices.Contains(append(also.partsOf(), telemetry.PartRetry), p) }) && (x.fails() || also.fails() || x.partsOf()[0] == also.partsOf()[0]):
				return append(wrong, j.checkBoth(x, also, r, took, to2-from2)...)
			}
		}
	}
	if took < r.Total*3/4 && also == nil || took < time.Second || took < r.Total/2 {
		return wrong
	}
	retries := int64(0)
	for i := range r.RPCs {
		if r.RPCs[i].Method == x.method {
			retries = r.RPCs[i].Retries
		}
	}
	if c := r.CloudFetch; c != nil && x.method == "file" {
		retries = c.Retries
	}
	if retries > 0 && !x.fails() {
		bad("%d retries", retries)
	}
	v := explain.Of(r)
	allowed := append(x.partsOf(), telemetry.PartUnknown)
	repeats := x.fails() && over
	if repeats && retries > 0 && x.method != "GetOperationStatus" {
		allowed = []telemetry.Part{telemetry.PartRetry}
	} else if repeats {
		allowed = append(allowed, telemetry.PartRetry)
	}
	if !slices.Contains(allowed, v.Part) {
		bad("part %s of %v", v.Part, allowed)
	}
	if d := v.Time - took; d > 4*time.Second || d < -3*time.Second {
		bad("part of %v, the trouble took %v", v.Time, took)
	}
	for _, m := range methods {
		if m != x.method && strings.Contains(v.Sentence, m) && v.Part != telemetry.PartServer {
			bad("blames %s", m)
		}
	}
	for _, text := range otherDurations(v.Sentence, r.Total, took, 2500*time.Millisecond) {
		bad("says %s: the trouble took %v of %v", text, took, r.Total)
	}
	says := func(what string) bool { return strings.Contains(v.Sentence+" "+v.Advice, what) }
	if x.connects() && x.method != "file" && v.Part != telemetry.PartUnknown && !repeats && !says("network connection") {
		bad("says nothing of a connection")
	}
	if v.Part != telemetry.PartServer && (says("larger warehouse") || says("query profile")) {
		bad("advice on the server")
	}
	if x.connects() && x.method != "ExecuteStatement" && says("took its time") {
		bad("says that the workspace took its time")
	}
	if v.Part == telemetry.PartClose && x.fails() && over && x.status() != 0 && (!says("and failed") || says("took its time") || says("answered it late")) {
		bad("does not say that the call failed")
	}
	if v.Part == telemetry.PartRetry {
		if x.status() > 200 && !says(fmt.Sprint("status ", x.status())) {
			bad("does not name the status")
		}
		if (x.method == "file") != says("file") {
			bad("file or call")
		}
		if r.Outcome != telemetry.OutcomeRunning && (x.method == "file") == says("The workspace") && x.status() != 407 && x.status() > 200 {
			bad("advice on another server")
		}
	}
	return wrong
}

func TestTheNetworkThatTookLongIsBlamed(t *testing.T) {
	for seed := range testenv.Scenes(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			j := journeyOf(seed)
			r, told := j.perform(t)
			x := j.troubles[0]
			if x.from.IsZero() {
				t.Log("no such stage: ", j.about)
				return
			}
			require.NotNil(t, r, j.about)
			text := j.about + fmt.Sprintf("\n   error %v\n", told)
			for _, l := range append(slices.Clone(j.looks), look{r.Started.Add(r.Total), r}) {
				v := explain.Of(l.record)
				f := ""
				if l.record.Failure != nil {
					f = string(l.record.Failure.Category)
				}
				fs := ""
				for _, c := range l.record.RPCs {
					if c.FailedStatus != 0 || c.Retries > 0 {
						fs += fmt.Sprintf(" %s failed %d last %d retries %d", c.Method, c.FailedStatus, c.LastStatus, c.Retries)
					}
				}
				if c := l.record.CloudFetch; c != nil && (c.Failed > 0 || c.Retries > 0) {
					fs += fmt.Sprintf(" files failed %d status %v retries %d %d", c.Failed, c.FailedStatus, c.Retries, c.RetryStatus)
				}
				text += fmt.Sprintf("   at %v of %v-%v %s %s%s\n      %s\n      %s\n", l.at.Sub(r.Started), x.from.Sub(r.Started), x.to.Sub(r.Started), l.record.Outcome, f, fs, v.Sentence, v.Advice)
				for _, w := range j.check(l.record, l.at, told) {
					t.Errorf("WRONG %s: %s", l.record.Outcome, w)
				}
			}
			for _, r := range j.others {
				for _, w := range j.checkNeighbor(r) {
					t.Errorf("WRONG %s", w)
				}
			}
			if t.Failed() || testing.Verbose() {
				t.Log(text)
			}
		})
	}
}

// The driver reads rows without the caller's context. If the network fails after that has ended, the statement
// fails because of the network.
func TestAStatementThatTheNetworkFailsIsNotCanceled(t *testing.T) {
	for _, ending := range []string{"canceled", "deadline"} {
		for _, fate := range []string{"lookup timeout", "refused"} {
			j := &journey{network: &network{}, opts: inlinePages, reader: "driver rows", threads: 1, pages: 3, ending: ending, moment: 2}
			j.troubles = []*trouble{{method: "FetchResults", where: "dial", fate: fate, times: 9, d: 20 * time.Second}}
			j.troubles[0].where = map[string]string{"lookup timeout": "name", "refused": "dial"}[fate]
			j.reuse = "never"
			r, err := j.perform(t)
			require.Error(t, err)
			require.Equal(t, telemetry.OutcomeFailed, r.Outcome)
			require.Equal(t, j.troubles[0].category()[0], r.Failure.Category)
		}
	}
}

// Package net/http returns the cause that the application gave the end of its context.
func TestAContextThatEndedWithACauseCanceledTheStatement(t *testing.T) {
	for ending, category := range map[string]telemetry.Category{"canceled": telemetry.CategoryCanceled, "deadline": telemetry.CategoryTimeout} {
		for _, where := range []string{"head", "body"} {
			for _, method := range methods[:3] {
				j := &journey{network: &network{}, opts: polledPages, reader: "exec", threads: 1, pages: 3, ending: ending, moment: 2, cause: errors.New("the application stops")}
				j.troubles = []*trouble{{method: method, where: where, fate: "passes", times: 1, d: 20 * time.Second}}
				r, err := j.perform(t)
				require.Error(t, err)
				require.Equal(t, telemetry.OutcomeCanceled, r.Outcome, "%s %s: %v", method, where, err)
				require.Equal(t, category, r.Failure.Category)
			}
		}
	}
}
