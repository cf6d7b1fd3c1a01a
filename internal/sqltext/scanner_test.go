package sqltext_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

var kinds = map[sqltext.Kind]string{
	sqltext.Word: "word", sqltext.QuotedName: "name", sqltext.UnclosedName: "unclosed", sqltext.String: "string",
	sqltext.Number: "number", sqltext.Parameter: "parameter", sqltext.Symbol: "symbol",
}

// tokens writes a token per line: its kind and its text.
func tokens(sql string) (all []string) {
	scanner := sqltext.NewScanner(sql)
	for token := scanner.Next(); token.Kind != sqltext.End; token = scanner.Next() {
		all = append(all, kinds[token.Kind]+" "+token.Text)
	}
	return all
}

func TestTokensOfDatabricksSQL(t *testing.T) {
	for sql, want := range map[string][]string{
		"":                           nil,
		" -- nothing\n /* none */":   nil,
		"/* outer /* inner */ */ a":  {"word a"},
		"/* never closed /* */ a":    nil,
		"a --b":                      {"word a"},
		"a --b\rc --\r\nd --\ne":     {"word a", "word c", "word d", "word e"},
		"a -- C:\\\n b \\\r\n c":     {"word a", "word c"},
		"SELECT größe_2":             {"word SELECT", "word größe_2"},
		"a.b , c":                    {"word a", "symbol .", "word b", "symbol ,", "word c"},
		"`a b`.`c``d`":               {"name `a b`", "symbol .", "name `c``d`"},
		"a `b``":                     {"word a", "unclosed `b``"},
		`'it''s' 'it\'s' "a""b"`:     {"string 'it''s'", `string 'it\'s'`, `string "a""b"`},
		`r'\' R"\" x'00' b'1' rx''`:  {`string r'\'`, `string R"\"`, "string x'00'", "string b'1'", "word rx", "string ''"},
		`'never \' closed`:           {`string 'never \' closed`},
		"$$ FROM 'a' $$ $$ never":    {"string $$ FROM 'a' $$", "string $$ never"},
		"1 1.5e-3 10L 1. 1e5+2":      {"number 1", "number 1.5e-3", "number 10L", "number 1.", "number 1e5", "symbol +", "number 2"},
		"1.FROM .5 1e- 0xE+1":        {"number 1", "symbol .", "word FROM", "symbol .", "number 5", "number 1e", "symbol -", "number 0xE+1"},
		":name @v3 $x :1 : ? ${a}":   {"parameter :name", "parameter @v3", "parameter $x", "symbol :", "number 1", "symbol :", "symbol ?", "symbol $", "symbol {", "word a", "symbol }"},
		"x::STRING":                  {"word x", "symbol ::", "word STRING"},
		"\xff€":                      {"symbol \xff", "symbol €"},
		"a\u00a0b":                   {"word a", "word b"},
		"SELECT 1 /* a */;SELECT\t2": {"word SELECT", "number 1", "symbol ;", "word SELECT", "number 2"},
	} {
		require.Equal(t, want, tokens(sql), sql)
	}
}

func TestACopyOfAScannerReadsAhead(t *testing.T) {
	scanner := sqltext.NewScanner("a b")
	ahead := scanner
	require.Equal(t, "a", ahead.Next().Text)
	require.Equal(t, "b", ahead.Next().Text)
	require.True(t, ahead.AtEnd())
	require.False(t, scanner.AtEnd())
	require.Equal(t, "a", scanner.Next().Text)
}

// White space and comments separate tokens and have no other meaning: a space between any two
// leaves the same tokens.
func FuzzScanner(f *testing.F) {
	for _, sql := range []string{"SELECT * FROM `a`.b WHERE c = 'd''e' -- f\n AND g = 1.5e-3", "$$", "r'", "/*/", "--", "--\\\n\r", "1e+", "`", "'\\", "\xff\u2028", ":@$::", "1.2.3.a"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		var texts []string
		scanner := sqltext.NewScanner(sql)
		for token := scanner.Next(); token.Kind != sqltext.End; token = scanner.Next() {
			require.NotEmpty(t, token.Text)
			texts = append(texts, token.Text)
		}
		require.True(t, scanner.AtEnd())
		require.LessOrEqual(t, len(strings.Join(texts, "")), len(sql))
		require.Equal(t, tokens(sql), tokens(strings.Join(texts, " ")))
	})
}
