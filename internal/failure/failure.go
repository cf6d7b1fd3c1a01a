// Package failure reduces errors to what a record may say of them: a category, a SQLSTATE, and
// whether a retry may succeed. It reads types and codes, never a text.
//
//	error ──▶ Of ──▶ telemetry.Failure ──▶ Refine ──▶ record
//	                                         ▲
//	SQLSTATE and HTTP status on the wire ────┘
//
// The first of these that decides counts: the caller's context, the SQLSTATE, the category that
// newer drivers declare, the network and TLS, the layer the native error names.
package failure

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

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Of reduces an error to a Failure; nil stays nil. An error whose types and SQLSTATE decide
// nothing is telemetry.CategoryOther.
func Of(err error) *telemetry.Failure {
	if err == nil {
		return nil
	}
	f := &telemetry.Failure{Category: telemetry.CategoryOther}

	var execution dbsqlerr.DBExecutionError
	if errors.As(err, &execution) {
		f.SQLState = validSQLState(execution.SqlState())
	}
	var native dbsqlerr.DBError
	if errors.As(err, &native) {
		f.Retryable = native.IsRetryable()
	}
	for _, classify := range []func(error, *telemetry.Failure) telemetry.Category{byContext, bySQLState, byDeclaration, byTransport, byOrigin} {
		if c := classify(err, f); c != "" {
			f.Category = c
			break
		}
	}
	return f
}

// Refine makes a failure more precise by the server's answer on the wire: a SQLSTATE that the
// driver did not pass on (empty for none), and the HTTP status (0 for none). On nil, which is no
// failure, it does nothing.
func Refine(f *telemetry.Failure, sqlState string, status int) {
	if f == nil {
		return
	}
	if f.SQLState == "" {
		f.SQLState = validSQLState(sqlState)
	}
	switch f.Category {
	case telemetry.CategoryOther, telemetry.CategoryInvalidRequest, telemetry.CategoryStatementFailed, telemetry.CategoryConnection:
	default:
		return
	}
	if c := bySQLState(nil, f); c != "" && c != telemetry.CategoryStatementFailed {
		f.Category = c
		return
	}
	if c, ok := httpStatuses[status]; ok {
		f.Category = c
	}
}

var httpStatuses = map[int]telemetry.Category{
	400: telemetry.CategoryInvalidRequest,
	401: telemetry.CategoryAuth,
	403: telemetry.CategoryPermission,
	404: telemetry.CategoryNotFound,
	408: telemetry.CategoryTimeout,
	429: telemetry.CategoryRateLimit,
	502: telemetry.CategoryConnection,
	503: telemetry.CategoryConnection,
	504: telemetry.CategoryTimeout,
}

// byContext: the caller's context was done.
func byContext(err error, _ *telemetry.Failure) telemetry.Category {
	switch {
	case errors.Is(err, context.Canceled):
		return telemetry.CategoryCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return telemetry.CategoryTimeout
	}
	return ""
}

// bySQLState: the server named the cause. Exact codes first, then their class.
func bySQLState(_ error, f *telemetry.Failure) telemetry.Category {
	if f.SQLState == "" {
		return ""
	}
	if c, ok := sqlStates[f.SQLState]; ok {
		return c
	}
	if c, ok := sqlStateClasses[f.SQLState[:2]]; ok {
		return c
	}
	return telemetry.CategoryStatementFailed
}

var sqlStates = map[string]telemetry.Category{
	"42601": telemetry.CategorySyntax,
	"42000": telemetry.CategorySyntax,
	"42501": telemetry.CategoryPermission,
	"42P01": telemetry.CategoryNotFound, // table or view
	"42703": telemetry.CategoryNotFound, // column
	"42704": telemetry.CategoryNotFound, // schema, catalog
	"42883": telemetry.CategoryNotFound, // routine
	"57014": telemetry.CategoryStatementCanceled,
	"HY008": telemetry.CategoryStatementCanceled,
	"57KD0": telemetry.CategoryStatementTimeout,
	"HYT00": telemetry.CategoryStatementTimeout,
	"0A000": telemetry.CategoryUnsupported,
}

var sqlStateClasses = map[string]telemetry.Category{
	"08": telemetry.CategoryConnection,
	"0A": telemetry.CategoryUnsupported,
	"28": telemetry.CategoryAuth,
}

// byDeclaration: the driver (since 1.15) tags errors at their source with a method
// Category() of a string type that cannot be named from outside, hence the reflection. The
// innermost tag is the most specific.
func byDeclaration(err error, _ *telemetry.Failure) telemetry.Category {
	var declared telemetry.Category
	for e := err; e != nil; e = errors.Unwrap(e) {
		m := reflect.ValueOf(e).MethodByName("Category")
		if !m.IsValid() {
			continue
		}
		if t := m.Type(); t.NumIn() == 0 && t.NumOut() == 1 && t.Out(0).Kind() == reflect.String {
			if c := telemetry.Category(m.Call(nil)[0].String()); c != telemetry.CategoryOther && slices.Contains(registry.Categories, c) {
				declared = c
			}
		}
	}
	return declared
}

// byTransport: the network, or TLS, failed.
func byTransport(err error, _ *telemetry.Failure) telemetry.Category {
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
		return telemetry.CategoryTLS
	case errors.As(err, &networkErr) && networkErr.Timeout():
		return telemetry.CategoryTimeout
	case errors.As(err, &networkErr), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return telemetry.CategoryConnection
	}
	return ""
}

// byOrigin: the native error names at least the layer it comes from.
func byOrigin(err error, _ *telemetry.Failure) telemetry.Category {
	switch {
	case errors.Is(err, dbsqlerr.ExecutionError):
		return telemetry.CategoryStatementFailed
	case errors.Is(err, dbsqlerr.RequestError):
		return telemetry.CategoryInvalidRequest
	}
	return ""
}

// validSQLState returns s when it has the form of a SQLSTATE, else "". Without a digit, as in a
// word, only codes of class XX are valid.
func validSQLState(s string) string {
	if len(s) != 5 || !strings.ContainsAny(s, "0123456789") && !strings.HasPrefix(s, "XX") || strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	}) {
		return ""
	}
	return s
}
