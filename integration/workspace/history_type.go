package workspace

import "strings"

// statementTypes maps the first word of a statement to its statement type in the query history.
var statementTypes = map[string]string{
	"SELECT": "SELECT", "WITH": "SELECT", "VALUES": "SELECT", "FROM": "SELECT", "TABLE": "SELECT",
	"INSERT": "INSERT", "UPDATE": "UPDATE", "DELETE": "DELETE", "MERGE": "MERGE", "COPY": "COPY",
	"TRUNCATE": "TRUNCATE", "CREATE": "CREATE", "DROP": "DROP", "ALTER": "ALTER", "COMMENT": "ALTER",
	"USE": "USE", "SET": "SET", "RESET": "SET", "SHOW": "SHOW", "DESCRIBE": "DESCRIBE",
	"ANALYZE": "ANALYZE", "OPTIMIZE": "OPTIMIZE", "REFRESH": "REFRESH", "REPLACE": "REPLACE",
	"DESC": "DESCRIBE", "EXPLAIN": "EXPLAIN", "GRANT": "GRANT", "REVOKE": "REVOKE",
}

// statementType is the type of a statement, or "OTHER".
func statementType(sql string) string {
	if t := statementTypes[strings.ToUpper(firstWord(sql))]; t != "" {
		return t
	}
	return "OTHER"
}

// firstWord is the first word of a statement, after any comments and parentheses.
func firstWord(sql string) string {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n(;")
		switch {
		case strings.HasPrefix(sql, "--"):
			_, sql, _ = strings.Cut(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			_, sql, _ = strings.Cut(sql, "*/")
		default:
			end := strings.IndexFunc(sql, func(r rune) bool { return r != '_' && (r < 'A' || r > 'z' || r > 'Z' && r < 'a') })
			if end < 0 {
				return sql
			}
			return sql[:end]
		}
	}
}
