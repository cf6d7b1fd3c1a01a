// Package failure reduces errors to what a record may say of them: a category, a SQLSTATE, and
// whether a retry may succeed. It reads types, codes and what passed over the wire, never text.
//
//	error ──────────────▶ Of ──▶ telemetry.Failure ──▶ record
//	                       ▲
//	    cloudfetch.Fault ──┘
package failure

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"syscall"

	dbsqlerr "github.com/databricks/databricks-sql-go/errors"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Of reduces an error, which is not nil, to a Failure, with what the wire showed of it; the zero value where that is
// nothing. An error that nothing classifies is telemetry.CategoryOther.
func Of(err error, seen cloudfetch.Fault) *telemetry.Failure {
	f := &telemetry.Failure{Category: telemetry.CategoryOther}
	var native dbsqlerr.DBError
	if errors.As(err, &native) {
		f.Retryable = native.IsRetryable()
	}
	var execution dbsqlerr.DBExecutionError
	if errors.As(err, &execution) {
		f.SQLState = validSQLState(execution.SqlState())
	}
	if f.SQLState == "" {
		f.SQLState = validSQLState(seen.SQLState)
	}
	seen.SQLState = f.SQLState
	for _, classify := range classifiers {
		if c := classify(err, &seen); c != "" {
			f.Category = c
			break
		}
	}
	return f
}

// classifiers decide on a category, those with the strongest evidence first. What every version of
// the driver shows on the wire comes before what one version says of its errors, so that a fault
// has the same category with all of them.
var classifiers = []func(error, *cloudfetch.Fault) telemetry.Category{
	byContext,
	bySQLState,
	byCall,
	byFiles,
	byAuthentication,
	byResult,
	byLocalFile,
	bySession,
	byDeclaration,
	byTransport,
	byOrigin,
}

// byContext: the caller's context was done. One that is not the caller's may be canceled, too, such as that of
// a token source. The timeouts of packages net and net/http say that they are that of a context, too; where the
// storage did not give a file, they are none.
func byContext(err error, seen *cloudfetch.Fault) telemetry.Category {
	switch {
	case errors.Is(err, context.Canceled) && !seen.Waiting:
		return telemetry.CategoryCanceled
	case errors.Is(err, context.DeadlineExceeded) && (seen.FailedFiles == 0 || isDeadline(err)):
		return telemetry.CategoryTimeout
	}
	return ""
}

// isDeadline reports whether an error is, or wraps, that of a context itself.
func isDeadline(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if err == context.DeadlineExceeded {
			return true
		}
	}
	return false
}

// bySQLState: the server named the cause. The exact code decides, else its class. Success, warnings
// and "no data" are no failures.
func bySQLState(_ error, seen *cloudfetch.Fault) telemetry.Category {
	if seen.SQLState == "" {
		return ""
	}
	class := seen.SQLState[:2]
	switch class {
	case "00", "01", "02":
		return ""
	}
	return cmp.Or(sqlStates[seen.SQLState], sqlStateClasses[class], telemetry.CategoryStatementFailed)
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

// byCall: a call has no usable answer. Its HTTP status says why, or what broke the call off.
// A server that fails without saying why has failed to run the statement, or to return its rows.
func byCall(err error, seen *cloudfetch.Fault) telemetry.Category {
	c, listed := httpStatuses[seen.Status]
	switch {
	case !seen.CallFailed:
		return ""
	case bySession(err, nil) != "":
		return telemetry.CategorySessionClosed
	case listed:
		return c
	case seen.Broke != nil:
		return byBreak(seen)
	case seen.Status >= 400 && seen.Status < 500:
		return telemetry.CategoryInvalidRequest
	case seen.RowsFetched:
		return telemetry.CategoryResultSet
	}
	return telemetry.CategoryStatementFailed
}

var httpStatuses = map[int]telemetry.Category{
	http.StatusBadRequest:            telemetry.CategoryInvalidRequest,
	http.StatusUnauthorized:          telemetry.CategoryAuth,
	http.StatusForbidden:             telemetry.CategoryPermission,
	http.StatusNotFound:              telemetry.CategoryNotFound,
	http.StatusProxyAuthRequired:     telemetry.CategoryAuth,
	http.StatusRequestTimeout:        telemetry.CategoryTimeout,
	http.StatusRequestEntityTooLarge: telemetry.CategoryInvalidRequest,
	http.StatusTooManyRequests:       telemetry.CategoryRateLimit,
	http.StatusBadGateway:            telemetry.CategoryConnection,
	http.StatusServiceUnavailable:    telemetry.CategoryConnection,
	http.StatusGatewayTimeout:        telemetry.CategoryTimeout,
}

// byBreak classifies what broke an HTTP exchange off. Of its headers, the authenticator sets the one with
// the credential.
func byBreak(seen *cloudfetch.Fault) telemetry.Category {
	switch c := cmp.Or(byContext(seen.Broke, seen), byTransport(seen.Broke, nil)); {
	case c != "":
		return c
	case seen.Header == "Authorization":
		return telemetry.CategoryAuth
	case seen.Header != "":
		return telemetry.CategoryInvalidRequest
	}
	return telemetry.CategoryConnection
}

// byFiles: the storage did not give a file.
func byFiles(_ error, seen *cloudfetch.Fault) telemetry.Category {
	if seen.FailedFiles > 0 {
		return telemetry.CategoryChunkDownload
	}
	return ""
}

// byAuthentication: a call failed and was never sent. All that the driver does between beginning a
// call and sending it is to ask its authenticator, which may itself need the network. Before 1.15 the
// driver drops the cause where it asks for the description of rows.
func byAuthentication(err error, seen *cloudfetch.Fault) (c telemetry.Category) {
	switch {
	case !seen.Observed:
		return ""
	case seen.RowsFetched && errors.Is(err, dbsqlerr.RequestError):
		c = telemetry.CategoryAuth
	}
	for err != nil {
		var call *url.Error
		if !errors.As(err, &call) || call.Op != "Post" {
			return c
		}
		err = call.Err
		c = cmp.Or(byTransport(err, nil), telemetry.CategoryAuth)
	}
	return c
}

// byResult: rows arrived whole and cannot be read. In compressed Arrow, an early end is that of an
// LZ4 frame, because nothing cut the rows off on their way.
func byResult(err error, seen *cloudfetch.Fault) telemetry.Category {
	switch seen.Complete {
	case "":
		return ""
	case telemetry.FormatInlineArrow, telemetry.FormatExternalLinks:
		if seen.Compressed && (ofLZ4(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
			return telemetry.CategoryDecompression
		}
		if seen.Streams {
			return "" // they are not read here
		}
		return telemetry.CategoryArrowSchema
	}
	return telemetry.CategoryResultSet
}

// ofLZ4 reports whether the driver's LZ4 library made the error. Its type cannot be named from
// outside.
func ofLZ4(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(reflect.TypeOf(err).PkgPath(), "pierrec/lz4") {
			return true
		}
	}
	return false
}

// byLocalFile: a file on this machine, which a volume operation reads or writes.
func byLocalFile(err error, _ *cloudfetch.Fault) telemetry.Category {
	var file *fs.PathError
	if errors.As(err, &file) {
		return telemetry.CategoryStatementFailed
	}
	return ""
}

// bySession: the server no longer knows the session. The driver says so with a driver.ErrBadConn below its own error.
// One above it says nothing: Ping and Close make it of any error.
func bySession(err error, _ *cloudfetch.Fault) telemetry.Category {
	var native dbsqlerr.DBError
	if errors.As(err, &native) && errors.Is(native, driver.ErrBadConn) {
		return telemetry.CategorySessionClosed
	}
	return ""
}

// byDeclaration: the driver (since 1.15) tags errors at their source with a method
// Category() of a string type that cannot be named from outside, hence the reflection. The
// innermost tag is the most specific.
func byDeclaration(err error, _ *cloudfetch.Fault) telemetry.Category {
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

// byTransport: the network, or TLS, failed. Over TCP, package crypto/tls puts alerts into a net.OpError, which tells
// by its Op whose they are. An early end counts as the network's only in an error of package net/http: Arrow and LZ4
// have the same error.
func byTransport(err error, _ *cloudfetch.Fault) telemetry.Category {
	var (
		unknownCA x509.UnknownAuthorityError
		badHost   x509.HostnameError
		badCert   x509.CertificateInvalidError
		tlsRecord tls.RecordHeaderError
		tlsAlert  tls.AlertError
		tlsVerify *tls.CertificateVerificationError
		operation *net.OpError
		lookup    *net.DNSError
		request   *url.Error
	)
	switch {
	case errors.As(err, &unknownCA), errors.As(err, &badHost), errors.As(err, &badCert),
		errors.As(err, &tlsRecord), errors.As(err, &tlsAlert), errors.As(err, &tlsVerify), errors.Is(err, http.ErrSchemeMismatch),
		errors.As(err, &operation) && (operation.Op == "remote error" || operation.Op == "local error"):
		return telemetry.CategoryTLS
	case timedOut(err):
		return telemetry.CategoryTimeout
	case errors.As(err, &operation), errors.As(err, &lookup),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.As(err, &request) && (errors.Is(request, io.EOF) || errors.Is(request, io.ErrUnexpectedEOF)):
		return telemetry.CategoryConnection
	}
	return ""
}

// timedOut reports whether an error in the chain is a timeout of the network. That of a request knows it only of
// the error directly below, and not once the driver has given up on retries.
func timedOut(err error) bool {
	var networkErr net.Error
	for errors.As(err, &networkErr) {
		if networkErr.Timeout() {
			return true
		}
		err = errors.Unwrap(networkErr)
	}
	return false
}

// byOrigin: the native error names the layer that it comes from. A request error is that of a request the driver
// could not make, where no call failed on the wire; where the wire is not seen, a server that is down gives the same.
func byOrigin(err error, seen *cloudfetch.Fault) telemetry.Category {
	switch {
	case errors.Is(err, dbsqlerr.ExecutionError):
		return telemetry.CategoryStatementFailed
	case seen.Observed && errors.Is(err, dbsqlerr.RequestError):
		return telemetry.CategoryInvalidRequest
	}
	return ""
}

// validSQLState returns s if it has the form of a SQLSTATE, else "". Of codes without a digit, which
// could be words, only those of class XX are valid.
func validSQLState(s string) string {
	if len(s) != 5 || !strings.ContainsAny(s, "0123456789") && !strings.HasPrefix(s, "XX") || strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	}) {
		return ""
	}
	return s
}
