package sidebyside

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// What differs from run to run: ids, times, addresses, and a program's path.
var vary = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "<id>"},
	{regexp.MustCompile(`"time":"?[^",}]*"?`), `"time":<time>`},
	{regexp.MustCompile(`"elapsed":[0-9.e-]+`), `"elapsed":<duration>`},
	{regexp.MustCompile(`&(state|code_challenge)=[\w-]+`), "&$1=<secret>"},
	{regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+(\.\d+)?(ns|µs|ms|s)\b`), "<duration>"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:<port>"},
	{regexp.MustCompile(`examples/(native|adopted)/(\w+)/main\.go:\d+`), "$2/main.go:<line>"},
	{regexp.MustCompile(`0x[0-9a-f]+`), "<address>"},
	{regexp.MustCompile(`\bgoroutine \d+`), "goroutine <n>"},
}

// moments are the ways the programs write a time.
var moments = []struct {
	pattern *regexp.Regexp
	layout  string
}{
	{regexp.MustCompile(`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`), "2006/01/02 15:04:05"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?`), "2006-01-02 15:04:05.999999999"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`), "2006-01-02T15:04:05"},
}

// lines returns an output without what differs from run to run. A time is replaced if it is close
// to now; one that was read from a table stays. Lines that the native driver logs about its own
// telemetry are left out, because that telemetry is off under the wrapper. So are the requests in a
// debug log, which does not say what they are for (calls compares them instead), and the speed of a
// download. A line that occurs as often as time allows is kept once (see repeated).
func lines(output string) []string {
	for _, m := range moments {
		output = m.pattern.ReplaceAllStringFunc(output, func(text string) string {
			at, err := time.Parse(m.layout, text)
			if err != nil || time.Since(at).Abs() > 48*time.Hour {
				return text
			}
			return "<time>"
		})
	}
	for _, v := range vary {
		output = v.pattern.ReplaceAllString(output, v.text)
	}
	var kept []string
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		if omitted.MatchString(line) || repeated.MatchString(line) && slices.Contains(kept, line) {
			continue
		}
		kept = append(kept, line)
	}
	return kept
}

// repeated matches lines whose number depends on time: those of status calls while a statement
// runs, and of token requests, which the telemetry of the native driver and of the wrapper makes in
// addition to those of statements.
var repeated = regexp.MustCompile(`"databricks: (polling status|status \w+)"|GetOperationStatus|Token fetched from external source|authenticated using provider`)

var omitted = regexp.MustCompile(`^\{"level".*(\btelemetry\b|"performing request"|"RoundTrip elapsed time: |"CloudFetch: Result)`)
