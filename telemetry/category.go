package telemetry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"

	dbsqlerr "github.com/databricks/databricks-sql-go/errors"
)

// Category is a stable name for what kind of thing went wrong. The names are those the
// Databricks drivers share.
type Category string

// The categories.
const (
	CategoryTimeout            Category = "timeout"
	CategoryCancelled          Category = "cancelled"
	CategoryConnection         Category = "connection_error"
	CategoryAuth               Category = "auth_error"
	CategoryPermission         Category = "permission_error"
	CategoryNotFound           Category = "not_found"
	CategorySyntax             Category = "syntax_error"
	CategoryInvalidRequest     Category = "invalid_request"
	CategoryChunkDownload      Category = "chunk_download_error"
	CategoryDecompression      Category = "decompression_error"
	CategoryArrowSchema        Category = "arrow_schema_parsing_error"
	CategoryResultSet          Category = "result_set_error"
	CategoryUnsupported        Category = "unsupported_operation"
	CategoryRateLimit          Category = "rate_limit_exceeded"
	CategoryTLS                Category = "ssl_handshake_error"
	CategoryStatementTimeout   Category = "statement_execution_timeout"
	CategoryStatementFailed    Category = "execute_statement_failed"
	CategoryStatementCancelled Category = "execute_statement_cancelled"
	CategorySessionClosed      Category = "session_closed"
	CategoryStatementClosed    Category = "statement_closed"
	CategoryOther              Category = "error"
)

// FailureOf reduces an error to a Failure; nil stays nil. It reads types and SQLSTATE,
// never the text: what those do not tell is CategoryOther.
func FailureOf(err error) *Failure {
	if err == nil {
		return nil
	}
	f := &Failure{Category: CategoryOther}

	var execution dbsqlerr.DBExecutionError
	if errors.As(err, &execution) {
		f.SQLState = validSQLState(execution.SqlState())
	}
	var native dbsqlerr.DBError
	if errors.As(err, &native) {
		f.Retryable = native.IsRetryable()
	}
	for _, classify := range []func(error, *Failure) Category{byContext, bySQLState, byDeclaration, byTransport, byOrigin} {
		if c := classify(err, f); c != "" {
			f.Category = c
			break
		}
	}
	return f
}

// Refine makes a failure more precise by what the server was seen to answer: a SQLSTATE
// the driver did not pass on (empty for none), and the HTTP status (0 for none). On nil,
// which is no failure, it does nothing.
func (f *Failure) Refine(sqlState string, status int) {
	if f == nil {
		return
	}
	if f.SQLState == "" {
		f.SQLState = validSQLState(sqlState)
	}
	switch f.Category {
	case CategoryOther, CategoryInvalidRequest, CategoryStatementFailed, CategoryConnection:
	default:
		return
	}
	if c := bySQLState(nil, f); c != "" && c != CategoryStatementFailed {
		f.Category = c
		return
	}
	if c, ok := httpStatuses[status]; ok {
		f.Category = c
	}
}

var httpStatuses = map[int]Category{
	400: CategoryInvalidRequest,
	401: CategoryAuth,
	403: CategoryPermission,
	404: CategoryNotFound,
	408: CategoryTimeout,
	429: CategoryRateLimit,
	502: CategoryConnection,
	503: CategoryConnection,
	504: CategoryTimeout,
}

// byContext: whoever gave up was the caller.
func byContext(err error, _ *Failure) Category {
	switch {
	case errors.Is(err, context.Canceled):
		return CategoryCancelled
	case errors.Is(err, context.DeadlineExceeded):
		return CategoryTimeout
	}
	return ""
}

// bySQLState: the server said what it was. Exact codes first, then their class.
func bySQLState(_ error, f *Failure) Category {
	if f.SQLState == "" {
		return ""
	}
	if c, ok := sqlStates[f.SQLState]; ok {
		return c
	}
	if c, ok := sqlStateClasses[f.SQLState[:2]]; ok {
		return c
	}
	return CategoryStatementFailed
}

var sqlStates = map[string]Category{
	"42601": CategorySyntax,
	"42000": CategorySyntax,
	"42501": CategoryPermission,
	"42P01": CategoryNotFound, // table or view
	"42703": CategoryNotFound, // column
	"42704": CategoryNotFound, // schema, catalog
	"42883": CategoryNotFound, // routine
	"57014": CategoryStatementCancelled,
	"HY008": CategoryStatementCancelled,
	"57KD0": CategoryStatementTimeout,
	"HYT00": CategoryStatementTimeout,
	"0A000": CategoryUnsupported,
}

var sqlStateClasses = map[string]Category{
	"08": CategoryConnection,
	"0A": CategoryUnsupported,
	"28": CategoryAuth,
}

// byDeclaration: the driver (since 1.15) tags errors at their source with a method
// Category() of a string type that cannot be named from outside, hence the reflection. The
// innermost tag is the most specific.
func byDeclaration(err error, _ *Failure) Category {
	var declared Category
	for e := err; e != nil; e = errors.Unwrap(e) {
		m := reflect.ValueOf(e).MethodByName("Category")
		if !m.IsValid() {
			continue
		}
		if t := m.Type(); t.NumIn() == 0 && t.NumOut() == 1 && t.Out(0).Kind() == reflect.String {
			if c := Category(m.Call(nil)[0].String()); c != CategoryOther && slices.Contains(categories, c) {
				declared = c
			}
		}
	}
	return declared
}

// categories are those a driver may declare, and CategoryOther.
var categories = []Category{
	CategoryTimeout, CategoryCancelled, CategoryConnection, CategoryAuth, CategoryPermission, CategoryNotFound,
	CategorySyntax, CategoryInvalidRequest, CategoryChunkDownload, CategoryDecompression, CategoryArrowSchema,
	CategoryResultSet, CategoryUnsupported, CategoryRateLimit, CategoryTLS, CategoryStatementTimeout,
	CategoryStatementFailed, CategoryStatementCancelled, CategorySessionClosed, CategoryStatementClosed,
	CategoryOther,
}

// byTransport: the network said what it was.
func byTransport(err error, _ *Failure) Category {
	var (
		unknownCA  x509.UnknownAuthorityError
		badHost    x509.HostnameError
		badCert    x509.CertificateInvalidError
		tlsRecord  tls.RecordHeaderError
		tlsAlert   tls.AlertError
		tlsVerify  *tls.CertificateVerificationError
		networkErr net.Error
	)
	switch {
	case errors.As(err, &unknownCA), errors.As(err, &badHost), errors.As(err, &badCert),
		errors.As(err, &tlsRecord), errors.As(err, &tlsAlert), errors.As(err, &tlsVerify):
		return CategoryTLS
	case errors.As(err, &networkErr) && networkErr.Timeout():
		return CategoryTimeout
	case errors.As(err, &networkErr), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return CategoryConnection
	}
	return ""
}

// byOrigin: the native error says at least which layer it comes from.
func byOrigin(err error, _ *Failure) Category {
	switch {
	case errors.Is(err, dbsqlerr.ExecutionError):
		return CategoryStatementFailed
	case errors.Is(err, dbsqlerr.RequestError):
		return CategoryInvalidRequest
	}
	return ""
}

// validSQLState lets through what is shaped like a SQLSTATE and nothing else. Those without a
// digit, which words are made of, are all of class XX.
func validSQLState(s string) string {
	if len(s) != 5 || !strings.ContainsAny(s, "0123456789") && !strings.HasPrefix(s, "XX") || strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	}) {
		return ""
	}
	return s
}
