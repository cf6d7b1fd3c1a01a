package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDatetimePatternsFormat(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for pattern, want := range map[string]string{
		"yyyy-MM-01":                           "2024-03-01", // digits stand for themselves
		"yyyy-01-01 15:04:05":                  "2024-01-01 15:04:05",
		"yyyy ''Jan 2 Monday PM MST''":         "2024 Jan 2 Monday PM MST",
		"yyyy-MM-dd''T''HH:mm:ss.SSS''Z''":     "2024-03-05T04:05:06.789Z",
		"HHmmssSSS":                            "040506789",
		"ss SSSSSS S":                          "06 789012 7",
		"M/d/yy h:mm a":                        "3/5/24 4:05 AM",
		"H:m:s K kk":                           "4:5:6 4 04",
		"D DDD F":                              "65 065 1",
		"Q QQ QQQ yyyy":                        "1 01 Q1 2024",
		"E EEEE MMM MMMM LLL G":                "Tue Tuesday Mar March Mar AD",
		"VV z Z XXX X x xx ZZZZZ O":            "UTC UTC +0000 Z Z +00 +0000 Z GMT",
		"''''":                                 "'",
		"yyyyMMdd_HHmm":                        "20240305_0405",
		"y yyy":                                "2024 2024",
		"é dd":                                 "é 05",
		"''it''''s'' dd":                       "it's 05",
		"yyyy-MM-dd hh:mm:ss.SSSSSSSSS 06 002": "2024-03-05 04:05:06.789012000 06 002",
	} {
		res := run1(t, s, "SELECT date_format(TIMESTAMP '2024-03-05 04:05:06.789012', r'"+pattern+"')")
		assert.Equal(t, []string{want}, cells(res), pattern)
	}
	assert.Equal(t, []string{"+0530 +05:30 +05:30 GMT+5:30"}, cells(runIn(t, s, "Asia/Kolkata", "SELECT date_format(TIMESTAMP '2024-03-05', 'Z XXX xxx O')")))
	for pattern, class := range map[string]string{
		"YYYY":            "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN",
		"u":               "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN",
		"B":               "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
		"yyyy {":          "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
		"yyyy-MM-dd[ HH]": "UNSUPPORTED_FEATURE.DATETIME_PATTERN",
		"MMMMM":           "UNSUPPORTED_FEATURE.DATETIME_PATTERN",
		"zzzz":            "UNSUPPORTED_FEATURE.DATETIME_PATTERN",
	} {
		fails(t, s, class, "SELECT date_format(DATE '2024-03-05', '"+pattern+"')")
	}
}

func TestDatetimePatternsRead(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for _, c := range []struct{ text, pattern, want string }{
		{"15/03/2024", "dd/MM/yyyy", "2024-03-15 00:00:00"},
		{"20240315140506789", "yyyyMMddHHmmssSSS", "2024-03-15 14:05:06.789"},
		{"2024-3-5 4:5", "yyyy-M-d H:m", "2024-03-05 04:05:00"},
		{"2024-03-15T14:05:06.7Z", "yyyy-MM-dd''T''HH:mm:ss.SSS''Z''", "2024-03-15 14:05:06.7"},
		{"2024-03-15 14:05+02:00", "yyyy-MM-dd HH:mmXXX", "2024-03-15 12:05:00"},
		{"2024-03-15 14:05 +0200", "yyyy-MM-dd HH:mm Z", "2024-03-15 12:05:00"},
		{"2024-07-15 14:05 America/New_York", "yyyy-MM-dd HH:mm VV", "2024-07-15 18:05:00"},
		{"3/5/24 12:07 am", "M/d/yy h:mm a", "2024-03-05 00:07:00"},
		{"Mar 5 2024 11:30 PM", "MMM d yyyy hh:mm a", "2024-03-05 23:30:00"},
		{"Tuesday, march 05", "EEEE, MMMM dd", "NULL"}, // of 1970
		{"Tue 2024-03-05", "E yyyy-MM-dd", "2024-03-05 00:00:00"},
		{"2024-060", "yyyy-DDD", "2024-02-29 00:00:00"},
		{"2024-01-07", "yyyy-01-dd", "2024-01-07 00:00:00"},
		{"2024-02-30", "yyyy-MM-dd", "NULL"},
		{"2024-13-01", "yyyy-MM-dd", "NULL"},
		{"24:00", "HH:mm", "NULL"},
		{"2024-03-15 trailing", "yyyy-MM-dd", "NULL"},
		{"2024-3-15", "yyyy-MM-dd", "NULL"},
		{"", "yyyy", "NULL"},
		{"12.", "ss.SSS", "NULL"},
	} {
		res := run1(t, s, "SELECT try_to_timestamp('"+c.text+"', r'"+c.pattern+"')")
		assert.Equal(t, []string{c.want}, cells(res), "%s as %s", c.text, c.pattern)
	}
	fails(t, s, "CANNOT_PARSE_TIMESTAMP", "SELECT to_date('2024-02-30', 'yyyy-MM-dd')")
	fails(t, s, "UNSUPPORTED_FEATURE.DATETIME_PATTERN", "SELECT try_to_timestamp('1', 'Q')")
	fails(t, s, "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "SELECT try_to_timestamp('1', 'B')")
}

// runIn runs a statement with the session's time zone set.
func runIn(t *testing.T, s *Session, zone, sql string) *Result {
	t.Helper()
	run1(t, s, "SET TIME ZONE '"+zone+"'")
	defer run1(t, s, "SET TIME ZONE 'UTC'")
	return run1(t, s, sql)
}

func TestCalendarUnitsAreCountedAsClocksShowThem(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for sql, want := range map[string]string{
		"datediff(MONTH, DATE '2024-01-31', DATE '2024-02-29')":                                      "0",
		"datediff(MONTH, DATE '2024-01-30', DATE '2024-02-29')":                                      "0",
		"datediff(MONTH, DATE '2024-02-29', DATE '2024-03-29')":                                      "1",
		"datediff(MONTH, DATE '2024-03-31', DATE '2024-02-29')":                                      "-1",
		"datediff(MONTH, DATE '2024-02-29', DATE '2024-01-31')":                                      "0",
		"datediff(MONTH, TIMESTAMP '2024-01-15 12:00:00', TIMESTAMP '2024-02-15 11:59:59.999999')":   "0",
		"datediff(YEAR, DATE '2020-02-29', DATE '2021-02-28')":                                       "0",
		"datediff(YEAR, DATE '2020-02-29', DATE '2024-02-29')":                                       "4",
		"datediff(QUARTER, DATE '2024-01-01', DATE '2024-12-31')":                                    "3",
		"datediff(DAY, TIMESTAMP '2024-01-01 23:00:00', TIMESTAMP '2024-01-02 01:00:00')":            "0",
		"datediff(HOUR, TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02 01:59:00')":                    "25",
		"timestampdiff(MICROSECOND, TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-01 00:00:00.000007')": "7",
	} {
		assert.Equal(t, []string{want}, cells(run1(t, s, "SELECT "+sql)), sql)
	}
	// A day of 23 hours is a day.
	assert.Equal(t, []string{"1|23|7"}, cells(runIn(t, s, "America/New_York",
		"SELECT datediff(DAY, '2024-03-10', '2024-03-11'), datediff(HOUR, '2024-03-10', '2024-03-11'), datediff(DAY, '2024-03-08', '2024-03-15')")))
}
