package history_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A ledger of its own holds what a random program did, and what a random service answered.
type ledger struct {
	mu     sync.Mutex // guards all below
	rnd    *rand.Rand
	mood   int
	asked  map[string]*pacing // by credential
	last   map[string]string  // the status that each statement has in the latest answer that has it; FINISHED for good
	absent map[string]bool    // statements that a complete answer did not have
	broken []string
}

type pacing struct {
	began     time.Time // of the latest request
	notBefore time.Time // of the next
	why       string
}

func (l *ledger) intn(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rnd.IntN(n)
}

// RoundTrip answers in the mood of the moment.
func (l *ledger) RoundTrip(r *http.Request) (*http.Response, error) {
	ids, credential := r.URL.Query()["filter_by.statement_ids"], r.Header.Get("Authorization")
	l.begin(credential, ids)
	if l.intn(4) == 0 {
		select { // slow, at times beyond the bound of a request
		case <-time.After(time.Duration(l.intn(15_000)) * time.Millisecond):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	mood := l.mood
	if l.rnd.IntN(3) == 0 {
		mood = l.rnd.IntN(10)
	}
	hold := func(d time.Duration, why string) {
		p := l.asked[credential]
		p.notBefore, p.why = time.Now().Add(d), why
	}
	switch mood {
	case 0:
		hold(7*time.Second, "Retry-After")
		return response(503, "", "Retry-After", "7"), nil
	case 1:
		hold(4*time.Second, "429")
		return response(429, ""), nil
	case 2:
		if l.rnd.IntN(8) == 0 {
			hold(15*time.Minute, "refused")
			return [...]*http.Response{response(403, ""), response(302, "", "Location", "https://login"), response(200, "<html>")}[l.rnd.IntN(3)], nil
		}
	case 3:
		hold(4*time.Second, "reset")
		return nil, errors.New("connection reset")
	}
	var entries []string
	found := map[string]bool{}
	for _, id := range ids {
		switch l.rnd.IntN(5) {
		case 0:
			entries = append(entries, finished(id))
			l.last[id], found[id] = "FINISHED", true
		case 1:
			entries = append(entries, running(id), running("q-of-another"))
			if l.last[id] != "FINISHED" {
				l.last[id] = "RUNNING"
			}
			found[id] = true
		case 2:
			entries = append(entries, running(id), finished(id), running(id))
			l.last[id], found[id] = "FINISHED", true
		case 3:
			entries = append(entries, "null", `{"query_id":null,"metrics":[]}`)
		}
	}
	more := mood == 4
	for _, id := range ids {
		if !found[id] && (!more || len(found) == 0) {
			l.absent[id] = true
		}
	}
	return response(200, `{"next_page_token":"t","has_next_page":`+strconv.FormatBool(more)+`,"res":[`+strings.Join(entries, ",")+`]}`), nil
}

// begin notes what must not be of a request that begins.
func (l *ledger) begin(credential string, ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, p := time.Now(), l.asked[credential]
	if p == nil {
		p = &pacing{}
		l.asked[credential] = p
	}
	switch {
	case len(ids) == 0 || len(ids) > 50:
		l.broken = append(l.broken, strconv.Itoa(len(ids))+" ids")
	case now.Sub(p.began) < 2*time.Second:
		l.broken = append(l.broken, "requests "+now.Sub(p.began).String()+" apart")
	case now.Before(p.notBefore):
		l.broken = append(l.broken, p.notBefore.Sub(now).String()+" too early after "+p.why)
	}
	for _, id := range ids {
		if l.last[id] == "FINISHED" {
			l.broken = append(l.broken, "asked again about "+id)
		}
	}
	p.began = now
}

// Whatever the program and the service do, every statement has one end, its report is the latest answer, and
// requests are few.
func TestALedgerOfRandomProgramsAddsUp(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			l := &ledger{rnd: rand.New(rand.NewPCG(seed, 7)), asked: map[string]*pacing{}, last: map[string]string{}, absent: map[string]bool{}}
			var (
				reader      history.Reader
				open, all   []*history.Handle
				sink, spare sink
				fanout      telemetry.Fanout
				closing     sync.WaitGroup
				put         int
			)
			defer fanout.Attach(&sink)()
			defer fanout.Attach(&spare)()
			credentials := []*token{{"a"}, {"b"}, {"c"}}
			for range 80 {
				switch l.intn(9) {
				case 0, 1:
					h := reader.Open(connection(l, credentials[l.intn(3)]), telemetry.Settings{QueryHistory: "all"}, []*telemetry.Fanout{&fanout})
					open, all = append(open, h), append(all, h)
				case 2:
					if len(open) > 0 {
						h := open[0]
						open = open[1:]
						closing.Go(func() {
							ctx, cancel := context.WithTimeout(context.Background(), time.Duration(l.intn(20_000))*time.Millisecond)
							defer cancel()
							h.Close(ctx)
						})
					}
				case 3:
					l.mu.Lock()
					l.mood = l.rnd.IntN(10)
					l.mu.Unlock()
				case 4, 5:
					time.Sleep(time.Duration(l.intn(8_000)) * time.Millisecond)
				case 6:
					time.Sleep(time.Duration(l.intn(80_000)) * time.Millisecond)
				default:
					for range l.intn(120) {
						if len(all) == 0 {
							break
						}
						s := statement(put)
						if l.intn(3) == 0 {
							s = failed(put)
						}
						all[l.intn(len(all))].StatementFinished(s)
						put++
					}
				}
				for _, c := range reader.Stats().Clients {
					require.LessOrEqual(t, c.Waiting, int64(510), "those of a few closing connectors beyond the bound")
				}
			}
			for _, h := range open {
				h.Close(t.Context())
			}
			closing.Wait()
			rest(2 * time.Hour)
			require.NoError(t, fanout.Flush(t.Context()))

			require.Empty(t, l.broken, "seed %d", seed)
			s := balanced(t, &reader)
			require.EqualValues(t, put, s.Statements)
			require.Zero(t, s.Waiting)
			require.Empty(t, s.Clients)
			require.ElementsMatch(t, sink.ids(), spare.ids(), "every sink has every report")
			seen := map[string]bool{}
			for _, r := range sink.reports {
				require.False(t, seen[r.StatementID], "one report of a statement")
				require.Equal(t, l.last[r.StatementID], r.Status, "seed %d: %s", seed, r.StatementID)
				require.Equal(t, r.Status == "FINISHED", r.Final)
				seen[r.StatementID] = true
			}
			require.EqualValues(t, len(seen), s.Reported)
			for id := range seen {
				delete(l.absent, id)
			}
			require.LessOrEqual(t, s.Dropped["not_found"], int64(len(l.absent)), "seed %d", seed)
		})
	}
}
