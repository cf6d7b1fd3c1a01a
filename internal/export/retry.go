package export

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryDelay bounds the doubling of the pauses. A longer first delay is not shortened.
const maxRetryDelay = 10 * time.Second

// batchTimeout returns how long a batch may take: all its attempts, and the longest pauses between
// them.
func batchTimeout(retries int, delay time.Duration) time.Duration {
	total := attemptTimeout
	for attempt := range retries {
		_, longest := backoffRange(delay, attempt)
		total += longest + attemptTimeout
	}
	return total
}

// backoffRange returns the shortest and the longest pause after an attempt. Pauses double up to a
// bound. 10 to 30 % are added as jitter, or up to 10 % once the bound is reached.
func backoffRange(first time.Duration, attempt int) (shortest, longest time.Duration) {
	bound := max(first, maxRetryDelay)
	d := first
	for range attempt {
		if d *= 2; d >= bound {
			break
		}
	}
	if d >= bound {
		return bound, bound + bound/10
	}
	return d + d/10, min(d+d*3/10, bound+bound/10)
}

// backoff returns the pause after an attempt, random within its range.
func backoff(first time.Duration, attempt int) time.Duration {
	shortest, longest := backoffRange(first, attempt)
	return shortest + rand.N(longest-shortest+1)
}

// jitter adds up to a quarter, because an overloaded server gives every client the same Retry-After,
// and they must not all return at the same time.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/4+1) }

// sleep waits for d. It returns false if ctx was done first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// maxRetryAfter bounds Retry-After, so that a mistake of the server cannot stop reporting for a day.
const maxRetryAfter = time.Minute

// parseRetryAfter reads the header: seconds, or a date. It returns 0 for any other value.
func parseRetryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 63); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
