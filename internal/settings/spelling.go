package settings

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// enableParameter is the switch of telemetry to Databricks. It is the only parameter that is
// understood in every spelling of its name, because any form of off that a user writes must turn
// telemetry off.
const enableParameter = "enableTelemetry"

// switchNames are the spellings of the switch, negatedNames the spellings that mean the opposite,
// in lower case without separators.
var (
	switchNames  = []string{"enabletelemetry", "telemetryenabled", "telemetryenable", "enabledtelemetry", "telemetryon", "telemetry"}
	negatedNames = []string{"disabletelemetry", "telemetrydisabled", "telemetrydisable", "disabledtelemetry", "notelemetry", "telemetryoptout", "optouttelemetry", "telemetryoff", "donottrack"}
)

// nativeParameters are telemetry parameters that the native driver accepts and that are not
// settings of this package.
var nativeParameters = []string{"telemetry_retry_count"}

// meaning is the parameter that a name stands for.
type meaning struct {
	parameter string // the name in Parameters
	negated   bool   // of the switch: true means off
}

// plainName returns a name in the form in which names are compared: in lower case, without the prefix of
// variables and without invisible characters.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, strings.TrimSpace(name))
	return strings.TrimPrefix(name, strings.ToLower(envPrefix))
}

// meaningOf returns the parameter that a name in a DSN or the environment stands for. Names are
// understood in any case, and those of the switch also with any separators.
func meaningOf(name string) (meaning, bool) {
	name = strings.TrimPrefix(plainName(name), "databricks.")
	for _, p := range Parameters {
		if name == strings.ToLower(p.Name) {
			return meaning{parameter: p.Name}, true
		}
	}
	switch plain := strings.TrimPrefix(withoutSeparators(name), "databricks"); {
	case slices.Contains(switchNames, plain):
		return meaning{parameter: enableParameter}, true
	case slices.Contains(negatedNames, plain):
		return meaning{parameter: enableParameter, negated: true}, true
	}
	return meaning{}, false
}

// IsParameter reports whether a DSN parameter is for this package, so that it must not be sent to the
// server. That is a known parameter, in any case, or one that [Resolve] refuses as a misspelling: any other
// name that begins with telemetry or a similar word, ends with telemetry, or begins with enableTelemetry.
func IsParameter(name string) bool {
	if _, ok := meaningOf(name); ok {
		return true
	}
	return !slices.Contains(nativeParameters, name) && misspelled(name)
}

// misspelled reports whether an unknown name was meant to be one of Parameters.
func misspelled(name string) bool {
	name = plainName(name)
	first, _, _ := strings.Cut(name, "_")
	return strings.HasPrefix(name, "telemetry") || wrongIn(first, "telemetry") <= maxWrong || isNearSwitch(name) || likeSwitch(name)
}

// likeSwitch reports whether a name may be meant for the switch: with another verb, like useTelemetry and
// send_telemetry, or with more words, like enableTelemetryForGoDriver. A name with a dot is left to the
// server, whose parameters have dots. An escaped assignment (enableTelemetry%3Dfalse) is a separate error.
func likeSwitch(name string) bool {
	plain := withoutSeparators(plainName(name))
	return !strings.ContainsAny(strings.TrimSpace(name), ".=:;&% ") &&
		(strings.HasSuffix(plain, "telemetry") || strings.HasPrefix(plain, "enabletelemetry") || strings.HasPrefix(plain, "disabletelemetry"))
}

// nearSwitch returns what a misspelling of the switch means. If two spellings are equally near, the one that
// means the opposite counts.
func nearSwitch(name string) (m meaning, ok bool) {
	plain := withoutSeparators(plainName(name))
	opposite, same := wrongLetters(plain, negatedNames), wrongLetters(plain, switchNames)
	return meaning{enableParameter, opposite <= same}, min(opposite, same) <= maxWrong
}

// wrongLetters returns how many letters of a name are wrong compared to the nearest of some spellings, or a number
// above maxWrong if none is near. The shortest spellings count only for a name that does not begin with telemetry,
// such as telemety, because any short word after telemetry is near to them.
func wrongLetters(name string, spellings []string) int {
	least := maxWrong + 1
	right := strings.HasPrefix(name, "telemetry")
	for _, known := range spellings {
		if !right || known != "telemetry" && known != "telemetryon" {
			least = min(least, wrongIn(name, known))
		}
	}
	return least
}

func isNearSwitch(name string) bool {
	_, ok := nearSwitch(name)
	return ok
}

// SaysOff reports whether a name alone, without a value, switches telemetry off.
func SaysOff(name string) bool {
	m, _ := meaningOf(name)
	return m.negated
}

// maxWrong is the largest number of wrong letters in a misspelling.
const maxWrong = 2

// wrongIn returns how many letters of a name are wrong, or some number above maxWrong if the lengths show that
// there are more.
func wrongIn(name, known string) int {
	n := utf8.RuneCountInString(name)
	if d := max(n, len(known)) - min(n, len(known)); d > maxWrong {
		return d
	}
	return distance(name, known)
}

// withoutSeparators removes the characters that separate words.
func withoutSeparators(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, s)
}

// nearest returns the parameter whose name has these words, or else the one that is the fewest
// changes away.
func nearest(name string) Parameter {
	if isNearSwitch(name) || likeSwitch(name) {
		return Parameters[0] // the switch
	}
	const longest = 64 // longer than any name, so that the work does not grow with the length of a DSN
	name = plainName(name[:min(len(name), longest)])
	const least = 4 // fewer letters occur in too many names
	words := strings.TrimPrefix(name, "telemetry_")
	if i := slices.IndexFunc(Parameters, func(p Parameter) bool { return len(words) >= least && strings.Contains(p.Name, "_"+words) }); i >= 0 {
		return Parameters[i]
	}
	return slices.MinFunc(Parameters, func(a, b Parameter) int {
		return distance(name, strings.ToLower(a.Name)) - distance(name, strings.ToLower(b.Name))
	})
}

// distance is the Levenshtein distance of two names, in characters.
func distance(name, known string) int {
	a, b := []rune(name), []rune(known)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0]++
		for j := range b {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// parseSwitch parses a word for on or off, in any case, with or without quotes.
func parseSwitch(v string) (telemetry.Switch, bool) {
	switch strings.ToLower(strings.Trim(v, " \t\r\n\"'")) {
	case "1", "t", "true", "y", "yes", "on", "enable", "enabled", "always":
		return telemetry.SwitchOn, true
	case "0", "f", "false", "n", "no", "off", "none", "never", "disable", "disabled", "deny", "denied":
		return telemetry.SwitchOff, true
	}
	return telemetry.SwitchUnset, false
}
