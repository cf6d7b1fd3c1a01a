package sanitize

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// planted matches the marked parts of testdata/corpus.txt, which must not be in the result.
var planted = regexp.MustCompile(`⟦([^⟧]*)⟧`)

// corpus returns error messages of servers, drivers, networks and storage, with personal parts
// marked.
func corpus(t testing.TB) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "corpus.txt"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], `\n`, "\n")
	}
	return lines
}

func TestNothingPassesBetweenQuotes(t *testing.T) {
	for _, text := range []string{"password:'open error first'", "{'name':'table grant open'}", "near 1'open error first'", "„my open error first“ failed", "value ‹my open first› x", "a ‚open error‘ b",
		"r'open table' x", "near DATE'open table' x", "x'my open first'", "value 'my\\' open first' x", "»my open first« x", "”my open first” x", "’my open first’ x",
		"„my open first” x", "‟my open first” x", "「my open first」", "＂my open first＂", "＇my open first＇", "❝my open first❞", "《my open first》", "′my open first′", "´my open first´",
		"near'open first'", "parse 1near'open first user' failed", "near’open first’", "users'open first'"} {
		require.NotContains(t, requireGuarantees(t, text), "open", text)
	}
	require.Contains(t, requireGuarantees(t, "the servers' rows were not read"), "rows were not read", "a plural")
	require.Contains(t, requireGuarantees(t, "the servers’ rows were not read"), "rows were not read", "a plural")
	require.Equal(t, "can't read the <name> row, don't open", requireGuarantees(t, "can't read the customer's row, don't open"))
	require.Equal(t, "the path <path> cannot be opened", requireGuarantees(t, `the path 'C:\tmp\' cannot be opened`))
}

func TestALookAlikeIsNoWord(t *testing.T) {
	for _, word := range []string{"\u212aEY", "L\u0130M\u0130T", "N\u0130L"} {
		require.Equal(t, "<name>", requireGuarantees(t, word))
	}
}

func unmarked(line string) string { return planted.ReplaceAllString(line, "$1") }

// requireGuarantees checks what is guaranteed for every result, and returns the result.
func requireGuarantees(t testing.TB, text string) string {
	t.Helper()
	got := Message(text)
	require.True(t, utf8.ValidString(got), "%q", got)
	require.LessOrEqual(t, utf8.RuneCountInString(got), maxRunes)
	require.False(t, strings.ContainsFunc(got, unicode.IsControl), "%q", got)
	require.Equal(t, got, Message(got), "not a fixed point: from %q", text)
	class := Class(text)
	require.Equal(t, class, Class(class), "from %q", text)
	require.Equal(t, class, Message(class), "from %q", text)
	return got
}

var wordRun = regexp.MustCompile(`[\pL\pN]+`)

// requireRemoved fails when secret, or a part of secret that is not in the vocabulary, is in text.
func requireRemoved(t testing.TB, secret, text string) {
	t.Helper()
	if len(secret) > 3 {
		require.NotContains(t, strings.ToLower(text), strings.ToLower(secret))
	}
	words := map[string]bool{}
	for _, w := range wordRun.FindAllString(text, -1) {
		words[strings.ToLower(w)] = true
	}
	for _, part := range wordRun.FindAllString(secret, -1) {
		if !passes(part) && !isClass(part) {
			require.NotContains(t, words, strings.ToLower(part), "of %q in %q", secret, text)
		}
	}
}

func TestMessagesKeepNothingPersonalAndStayUseful(t *testing.T) {
	lines := corpus(t)
	require.GreaterOrEqual(t, len(lines), 120)
	var kept []string
	for _, line := range lines {
		got := requireGuarantees(t, unmarked(line))
		for _, m := range planted.FindAllStringSubmatch(line, -1) {
			requireRemoved(t, m[1], got)
		}
		kept = append(kept, got)
	}
	file := filepath.Join("testdata", "corpus.golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(kept, "\n")+"\n"), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, strings.Split(strings.TrimSpace(string(want)), "\n"), kept)
}

func TestNestedMessagesKeepNothingPersonal(t *testing.T) {
	lines := corpus(t)
	for i, outer := range lines {
		inner := lines[(i*37+11)%len(lines)]
		for _, text := range []string{outer + ": " + inner, outer + "\n" + inner, `{"message":"` + outer + `"} ` + inner} {
			got := requireGuarantees(t, unmarked(text))
			for _, m := range planted.FindAllStringSubmatch(text, -1) {
				if len(m[1]) > 3 {
					require.NotContains(t, got, m[1])
				}
			}
		}
	}
}

var passwords = strings.Fields(`
	password letmein monkey dragon sunshine iloveyou princess football baseball shadow superman batman trustno1 hunter2
	correcthorsebatterystaple Tr0ub4dor&3 P@ssw0rd! qwerty zaq12wsx 123456 0000 4711 9876543210 abc123 winter2024 s3cr3t
	password_from_table select_password_from table.column.name error-table-index admin:error token/value mar!e¥ пароль 密码
	dapi0123456789abcdef glpat-abcDEF123 AKIAIOSFODNN7EXAMPLE ghp_16C7e42F292c6912E7710c838347Ae178B4a eyJhbGciOi.eyJzdWIi.c2ln
	2,500.00 -17.5 1979-08-12 +49-170-1234567`)

// contexts are the texts before and after a secret in a message.
var contexts = [][2]string{
	{"", ""}, {"x", "y"}, {"error ", " failed"}, {`"`, `"`}, {"'", "'"}, {"`", "`"}, {"(", ")"}, {"[", "]"}, {"{", "}"}, {"<", ">"}, {"error=", ";"},
	{"error: ", ": failed"}, {"login failed for user ", ""}, {"User '", "' was not found."}, {"the value ", " of the type"}, {"table ", " not found"}, {"[", "] The"},
	{"https://", "/sql"}, {"https://token:", "@host:443/sql"}, {"token:", "@host"}, {`{"message":"user `, `"}`}, {`{"`, `":"error"}`}, {`{"error_code":"`, `"}`}, {"\n", "\n"}, {"code ", ""}, {"error\x00", "\x00error"},
	{"<name>", "<name>"}, {"<name", ">"}, {"table_", "_view"}, {"table.", ".view"}, {"the table's", ""}, {"'", " table"}, {"users' ", " x"}, {"\u200b", "\u202e"},
}

func TestPasswordsAreRemovedFromEveryContext(t *testing.T) {
	require.GreaterOrEqual(t, len(passwords), 30)
	for _, secret := range passwords {
		for _, a := range contexts {
			got := requireGuarantees(t, a[0]+secret+a[1])
			require.NotContains(t, strings.ToLower(got), strings.ToLower(secret), "%q in %q", secret, a)
		}
	}
}

func TestCodesPassOnlyInTheirContext(t *testing.T) {
	for text, want := range map[string]string{
		"unexpected HTTP status 403 Forbidden":  "unexpected HTTP status 403 Forbidden",
		"401 Unauthorized":                      "401 Unauthorized",
		"status code: 599":                      "status code: 599",
		"status 600":                            "status <number>",
		"status 0404":                           "status <number>",
		"PIN 403":                               "<name> <number>",
		"code 403":                              "code <number>",
		"403 times":                             "<number> times",
		"401 Unauthorizedly":                    "<number> <name>",
		"SQLSTATE: 42P01":                       "SQLSTATE: 42P01",
		"SQLSTATE=42P01":                        "SQLSTATE=42P01",
		"SQLSTATE: SMITH":                       "SQLSTATE: <name>",
		"SQLSTATE: 99999":                       "SQLSTATE: <number>",
		"SQLSTATE: HYDRA":                       "SQLSTATE: <name>",
		"the ZIP code 42501":                    "the <name> code <number>",
		"[TABLE_OR_VIEW_NOT_FOUND] The":         "[TABLE_OR_VIEW_NOT_FOUND] The",
		"[UNRESOLVED_COLUMN.WITH_SUGGESTION] A": "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A",
		"[UNRESOLVED_COLUMN.JANE] A":            "[<class>] A",
		"[JANE_DOE] A":                          "[<class>] A",
		"[JANE] A":                              "[<name>] A",
		"[table_or_view_not_found] The":         "[<name>] The",
		"user Grant may grant":                  "user <name> may grant",
		"TaBlE eRrOr":                           "<name>",
		"the select_from_table and table-view of x.y":   "the <name> and <name> of <name>",
		"`table` \"table\" 'table' “table” «table»":     "<name> <value>",
		"'it's closed' error":                           "<value> error",
		"'never closed: error":                          "<value>",
		"the users' error":                              "the <name> error",
		"couldn't, don't":                               "couldn't, don't",
		"error!!! ... :: == [[ok]]":                     "error . : = [ok]",
		"<name> <number> <jane> <host":                  "<name> <number> <name> host",
		"from https://h/x, s3://b/k and C:\\Users\\bob": "from <url>, <url> and <path>",
		"== SQL ==\nSELECT 1":                           "<sql>",
	} {
		assert.Equal(t, want, requireGuarantees(t, text), text)
	}
}

func TestClassIsErrorClassAndSQLState(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"unexpected operation state ERROR_STATE: [TABLE_OR_VIEW_NOT_FOUND] The table `x`. SQLSTATE: 42P01; line 1": "[TABLE_OR_VIEW_NOT_FOUND] SQLSTATE: 42P01",
		"PERMISSION_DENIED: User bob":                         "[PERMISSION_DENIED]",
		"ABORTED: [DIVIDE_BY_ZERO] x [CAST_OVERFLOW]":         "[DIVIDE_BY_ZERO]",
		"dial tcp 10.0.0.1:443 SQLSTATE 08006":                "SQLSTATE: 08006",
		"[JANE_DOE] SQLSTATE: SMITH":                          "",
		strings.Repeat("an error ", 300) + "[DIVIDE_BY_ZERO]": "[DIVIDE_BY_ZERO]",
	} {
		assert.Equal(t, want, Class(text), text)
	}
}

func TestMessageIsTruncatedBetweenTokens(t *testing.T) {
	got := requireGuarantees(t, strings.Repeat("word error ", 1000))
	assert.True(t, strings.HasSuffix(got, "word…"), got)
	assert.Equal(t, "error …", requireGuarantees(t, "error "+strings.Repeat("x", maxInput)))
	// The beginning of a truncated word does not pass.
	assert.NotContains(t, requireGuarantees(t, strings.Repeat("x ", maxInput/2-2)+"tablespoon"), "table")
}

func TestUnusualTextKeepsTheGuarantees(t *testing.T) {
	for _, text := range []string{
		"", " ", "\x00", "\xff\xfe", "a\nb\r\nc", "\x1b[31mred\x1b[0m", "\u202eevil", "<", "<<<>>>", "<name>bob", "<value", "''''", "'", "\"", "`", "``", "`a`b", "`a`.", "`a`.`",
		"= = =", "a=b=c", "://", "https://@/?#", "@", "a@b", "::", "::1", "1:2:3", "...", "[[[", "]]]", "{\"message\":\"", "{\"message\":\"a\\\"b c\"}", "{\"message\":{\"message\":\"a\"}}",
		"</", "<a", "== SQL ==", "== x", "-----BEGIN", "…", "“", "“a", "‘it’s’", "don’t", "users' x", "O'Brien", "-> ->", "a->b", "a-->b", "403 Forbidden'x'", "403 Forbidden.x", "status 'x' 404", "status | 404", "status :404", "x'", "'x", "a'5", "a' 5", ":'x':",
	} {
		requireGuarantees(t, text)
		requireGuarantees(t, strings.Repeat(text, 700))
		requireGuarantees(t, "error "+text+" error")
	}
}

func TestTimeIsBounded(t *testing.T) {
	huge := strings.Repeat(`"message":"`, 1<<20)
	assert.Less(t, testing.AllocsPerRun(1, func() { Message(huge) }), 10_000.)
	assert.Equal(t, Message(huge[:maxInput*2]), Message(huge), "what is behind the bound is not read")
}
