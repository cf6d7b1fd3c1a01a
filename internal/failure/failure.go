// Package failure reduces errors to what a record may say about them: a category, a SQLSTATE, and
// whether a retry may succeed. It uses types, codes and what passed over the wire, never text.
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

// Of reduces an error, which must not be nil, to a Failure. seen is what the wire showed about the error, or the
// zero value. An error that no classifier recognizes is telemetry.CategoryOther.
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
// the driver shows on the wire comes before what one version says about its errors, so that a fault
// has the same category with all versions.
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

// byContext: the caller's context was done. Contexts that are not the caller's, such as that of a token source,
// may also be canceled. Timeouts of packages net and net/http also match context.DeadlineExceeded; they do not
// count if the storage did not deliver a file.
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

// bySQLState: the server named the cause. The exact code decides, or else its class. Success,
// warnings and "no data" are not failures. A server that answers is connected: with 08000 it refuses a call
// for a statement that it has closed, such as one whose rows nobody asked for in a long time.
func bySQLState(_ error, seen *cloudfetch.Fault) telemetry.Category {
	if seen.SQLState == "" {
		return ""
	}
	class := seen.SQLState[:2]
	switch {
	case class == "00", class == "01", class == "02":
		return ""
	case seen.SQLState == "08000" && seen.Refused:
		return telemetry.CategoryStatementClosed
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

// byCall: a call has no usable answer. The HTTP status says why, or else the error that broke off the
// call. A server that fails without saying why has failed to run the statement or to return its rows.
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

// byBreak classifies the error that broke off an HTTP exchange. The header with the credential is set by
// the authenticator.
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

// byFiles: the storage did not deliver a file.
func byFiles(_ error, seen *cloudfetch.Fault) telemetry.Category {
	if seen.FailedFiles > 0 {
		return telemetry.CategoryChunkDownload
	}
	return ""
}

// byAuthentication: a call failed and was never sent. Between beginning a call and sending it, the
// driver only calls its authenticator, which may itself need the network. Before 1.15, the driver
// drops the cause when it asks for the description of rows.
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

// byResult: rows arrived completely and cannot be read. In compressed Arrow, an early end is that of
// an LZ4 frame, because nothing cut off the rows on their way.
func byResult(err error, seen *cloudfetch.Fault) telemetry.Category {
	switch seen.Complete {
	case "":
		return ""
	case telemetry.FormatInlineArrow, telemetry.FormatExternalLinks:
		if seen.Compressed && (ofLZ4(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
			return telemetry.CategoryDecompression
		}
		if seen.Streams {
			return "" // Arrow streams are not read here
		}
		return telemetry.CategoryArrowSchema
	}
	return telemetry.CategoryResultSet
}

// ofLZ4 reports whether the error comes from the driver's LZ4 library, whose error type cannot be
// named from outside.
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

// bySession: the server no longer knows the session. The driver reports that as a driver.ErrBadConn wrapped in its
// own error. A driver.ErrBadConn that wraps the driver's error is no evidence, because Ping and Close turn any
// error into one.
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

// byTransport: the network or TLS failed. Over TCP, package crypto/tls puts alerts into a net.OpError, whose Op
// shows which side sent them. An early end counts as the network's only in an error of package net/http, because
// Arrow and LZ4 have the same error.
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

// timedOut reports whether an error in the chain is a timeout of the network. The error of a request knows only
// about the error directly below it, and not once the driver has given up on retries.
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

// byOrigin: the native error names the layer that it comes from. If no call failed on the wire, a request error
// means that the driver could not make a request. If the wire is not read, a server that is down gives the same
// error.
func byOrigin(err error, seen *cloudfetch.Fault) telemetry.Category {
	switch {
	case errors.Is(err, dbsqlerr.ExecutionError):
		return telemetry.CategoryStatementFailed
	case seen.Observed && errors.Is(err, dbsqlerr.RequestError):
		return telemetry.CategoryInvalidRequest
	}
	return ""
}

// validSQLState returns s if it has the form of a SQLSTATE, and "" otherwise. A code without a digit
// could be a word, so only those of class XX are valid.
func validSQLState(s string) string {
	if len(s) != 5 || !strings.ContainsAny(s, "0123456789") && !strings.HasPrefix(s, "XX") || strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z')
	}) {
		return ""
	}
	return s
}
