package failure_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"syscall"
	"testing"

	dbsqlerr "github.com/databricks/databricks-sql-go/errors"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// executionError has the shape of the driver's own, whose type is internal.
type executionError struct {
	dbsqlerr.DBExecutionError // what the tests do not need
	error
	state     string
	retryable bool
}

func (e executionError) Error() string      { return e.error.Error() }
func (e executionError) Unwrap() error      { return e.error }
func (e executionError) IsRetryable() bool  { return e.retryable }
func (e executionError) SqlState() string   { return e.state }
func (executionError) Is(target error) bool { return target == dbsqlerr.ExecutionError }

// declared has the method newer drivers tag their errors with.
type (
	tag      string
	declared struct {
		error
		as tag
	}
)

func (d declared) Category() tag { return d.as }
func (d declared) Unwrap() error { return d.error }

// otherCategory has a method named Category with another meaning.
type otherCategory struct{ error }

func (otherCategory) Category(int) string { return "timeout" }

func TestFailuresAreClassifiedByTypeAndStateNeverByText(t *testing.T) {
	text := errors.New("syntax error: timeout: permission denied for user bob@example.com")
	state := func(s string) error { return executionError{error: text, state: s} }
	tests := map[string]struct {
		err  error
		want telemetry.Failure
	}{
		"text alone":           {text, telemetry.Failure{Category: telemetry.CategoryOther}},
		"canceled":             {fmt.Errorf("a: %w", context.Canceled), telemetry.Failure{Category: telemetry.CategoryCanceled}},
		"deadline":             {context.DeadlineExceeded, telemetry.Failure{Category: telemetry.CategoryTimeout}},
		"syntax":               {state("42601"), telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601"}},
		"table not found":      {state("42P01"), telemetry.Failure{Category: telemetry.CategoryNotFound, SQLState: "42P01"}},
		"permission":           {state("42501"), telemetry.Failure{Category: telemetry.CategoryPermission, SQLState: "42501"}},
		"login":                {state("28000"), telemetry.Failure{Category: telemetry.CategoryAuth, SQLState: "28000"}},
		"connection class":     {state("08006"), telemetry.Failure{Category: telemetry.CategoryConnection, SQLState: "08006"}},
		"internal":             {state("XXKST"), telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "XXKST"}},
		"a word, no state":     {state("SMITH"), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"other state":          {state("22012"), telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "22012"}},
		"no state":             {state(""), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"state with a secret":  {state("dapi0"), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"state too long":       {state("42P01X"), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"state too short":      {state("42"), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"state with a space":   {state("4260 "), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"state with a colon":   {state("4260:"), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
		"every kind of digit":  {state("ZA0Z9"), telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "ZA0Z9"}},
		"retryable":            {executionError{error: text, retryable: true}, telemetry.Failure{Category: telemetry.CategoryStatementFailed, Retryable: true}},
		"declared":             {fmt.Errorf("a: %w", declared{text, "chunk_download_error"}), telemetry.Failure{Category: telemetry.CategoryChunkDownload}},
		"declared deeper":      {declared{declared{text, "decompression_error"}, "result_set_error"}, telemetry.Failure{Category: telemetry.CategoryDecompression}},
		"declared unknown":     {declared{text, "users_bob"}, telemetry.Failure{Category: telemetry.CategoryOther}},
		"declared otherwise":   {otherCategory{text}, telemetry.Failure{Category: telemetry.CategoryOther}},
		"unknown authority":    {fmt.Errorf("a: %w", x509.UnknownAuthorityError{}), telemetry.Failure{Category: telemetry.CategoryTLS}},
		"another host's":       {x509.HostnameError{}, telemetry.Failure{Category: telemetry.CategoryTLS}},
		"expired certificate":  {x509.CertificateInvalidError{}, telemetry.Failure{Category: telemetry.CategoryTLS}},
		"no verification":      {&tls.CertificateVerificationError{}, telemetry.Failure{Category: telemetry.CategoryTLS}},
		"a TLS alert":          {tls.AlertError(40), telemetry.Failure{Category: telemetry.CategoryTLS}},
		"no TLS record":        {tls.RecordHeaderError{}, telemetry.Failure{Category: telemetry.CategoryTLS}},
		"no such host":         {&net.DNSError{Err: "no such host"}, telemetry.Failure{Category: telemetry.CategoryConnection}},
		"dial timeout":         {&net.DNSError{IsTimeout: true}, telemetry.Failure{Category: telemetry.CategoryTimeout}},
		"bad connection":       {driver.ErrBadConn, telemetry.Failure{Category: telemetry.CategoryOther}},
		"no session":           {executionError{error: driver.ErrBadConn}, telemetry.Failure{Category: telemetry.CategorySessionClosed}},
		"a failed ping":        {errors.Join(driver.ErrBadConn, state("42601")), telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601"}},
		"success is no reason": {state("00000"), telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "00000"}},
		"reset":                {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, telemetry.Failure{Category: telemetry.CategoryConnection}},
		"half an answer":       {&url.Error{Op: "Put", Err: io.ErrUnexpectedEOF}, telemetry.Failure{Category: telemetry.CategoryConnection}},
		"half a frame":         {io.ErrUnexpectedEOF, telemetry.Failure{Category: telemetry.CategoryOther}},
		"an HTTP error":        {&url.Error{Op: "Post", Err: text}, telemetry.Failure{Category: telemetry.CategoryOther}},
		"a system call":        {syscall.ENOENT, telemetry.Failure{Category: telemetry.CategoryOther}},
		"a missing file":       {fmt.Errorf("a: %w", &fs.PathError{Op: "open", Err: syscall.ENOENT}), telemetry.Failure{Category: telemetry.CategoryStatementFailed}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, &test.want, failure.Of(test.err, cloudfetch.Fault{}))
		})
	}
}

// With the code of a success, a warning or "no data" in an answer that failed, the rest of the evidence decides.
func TestTheCodeOfASuccessIsNoReason(t *testing.T) {
	for _, state := range []string{"00000", "01000", "02000"} {
		got := failure.Of(errors.New("x"), cloudfetch.Fault{SQLState: state, CallFailed: true, Status: http.StatusTooManyRequests})
		require.Equal(t, &telemetry.Failure{Category: telemetry.CategoryRateLimit, SQLState: state}, got)
	}
}

// A statement that fails with 08000 has lost a connection of the server's, such as one to another database.
func TestACallThatTheServerRefusesForAClosedStatementIsNoConnectionError(t *testing.T) {
	for refused, want := range map[bool]telemetry.Category{true: telemetry.CategoryStatementClosed, false: telemetry.CategoryConnection} {
		require.Equal(t, want, failure.Of(errors.New("x"), cloudfetch.Fault{SQLState: "08000", Refused: refused}).Category)
		require.Equal(t, telemetry.CategoryConnection, failure.Of(errors.New("x"), cloudfetch.Fault{SQLState: "08006", Refused: refused}).Category)
	}
}

// Evidence is taken away one by one, the strongest first: what is left decides.
func TestTheStrongestEvidenceDecides(t *testing.T) {
	file := &fs.PathError{Op: "open", Err: &net.OpError{Op: "read", Err: errors.New("x")}}
	err := fmt.Errorf("a: %w", context.Canceled)
	seen := cloudfetch.Fault{
		SQLState: "42601", CallFailed: true, Status: 429, Broke: context.DeadlineExceeded, FailedFiles: 1,
		Complete: telemetry.FormatColumnarInline, RowsFetched: true,
	}
	for _, step := range []struct {
		want telemetry.Category
		take func()
	}{
		{telemetry.CategoryCanceled, func() { err = declared{file, "unsupported_operation"} }},
		{telemetry.CategorySyntax, func() { seen.SQLState = "" }},
		{telemetry.CategoryRateLimit, func() { seen.Status = 0 }},
		{telemetry.CategoryTimeout, func() { seen.Broke = io.ErrUnexpectedEOF }},
		{telemetry.CategoryConnection, func() { seen.Broke = nil }},
		{telemetry.CategoryResultSet, func() { seen.CallFailed = false }},
		{telemetry.CategoryChunkDownload, func() { seen.FailedFiles = 0 }},
		{telemetry.CategoryResultSet, func() { seen.Complete = "" }},
		{telemetry.CategoryStatementFailed, func() { err = declared{file.Err, "unsupported_operation"} }},
		{telemetry.CategoryUnsupported, func() { err = file.Err }},
		{telemetry.CategoryConnection, func() { err = executionError{error: errors.New("x")} }},
		{telemetry.CategoryStatementFailed, func() { err = errors.New("x") }},
		{telemetry.CategoryOther, func() {}},
	} {
		require.Equal(t, step.want, failure.Of(err, seen).Category)
		step.take()
	}
}

// claimed is the error of a network timeout: those of packages net and net/http claim to be that of a context.
type claimed struct{ error }

func (claimed) Is(target error) bool { return target == context.DeadlineExceeded }
func (claimed) Timeout() bool        { return true }
func (claimed) Temporary() bool      { return true }

// The caller's context ends a download with its own error.
func TestAFileThatTimesOutIsNoContext(t *testing.T) {
	files := cloudfetch.Fault{FailedFiles: 1}
	of := func(err error, seen cloudfetch.Fault) telemetry.Category {
		return failure.Of(fmt.Errorf("a: %w", err), seen).Category
	}
	dial := &url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: claimed{errors.New("i/o timeout")}}}
	require.ErrorIs(t, dial, context.DeadlineExceeded)
	require.Equal(t, telemetry.CategoryChunkDownload, of(dial, files))
	require.Equal(t, telemetry.CategoryChunkDownload, of(claimed{errors.New("Client.Timeout exceeded while reading body")}, files))
	require.Equal(t, telemetry.CategoryTimeout, of(context.DeadlineExceeded, files))
	require.Equal(t, telemetry.CategoryCanceled, of(context.Canceled, files))
	require.Equal(t, telemetry.CategoryTimeout, of(dial, cloudfetch.Fault{}))
}

// A server that has no version of TLS in common with the client, or wants its certificate, says so in an alert.
func TestAnAlertOfTheServerIsTLS(t *testing.T) {
	old := httptest.NewUnstartedServer(nil)
	old.TLS, old.Config.ErrorLog = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, log.New(io.Discard, "", 0)
	old.StartTLS()
	defer old.Close()
	_, err := old.Client().Get(old.URL)
	require.ErrorContains(t, err, "remote error: tls")
	require.Equal(t, telemetry.CategoryTLS, failure.Of(err, cloudfetch.Fault{}).Category)
	require.Equal(t, telemetry.CategoryTLS, failure.Of(errors.New("x"), cloudfetch.Fault{CallFailed: true, Broke: err}).Category)
	require.Equal(t, telemetry.CategoryTLS, failure.Of(&net.OpError{Op: "local error", Err: errors.New("bad record MAC")}, cloudfetch.Fault{}).Category)
}

func TestAServerWithoutTLSIsTLS(t *testing.T) {
	server := httptest.NewServer(nil)
	defer server.Close()
	_, err := http.Get("https://" + server.Listener.Addr().String())
	require.ErrorIs(t, err, http.ErrSchemeMismatch)
	require.Equal(t, telemetry.CategoryTLS, failure.Of(err, cloudfetch.Fault{}).Category)
}

func TestACallThatWasNeverSentFailedToAuthenticate(t *testing.T) {
	call := func(err error) error {
		return fmt.Errorf("a: %w", &url.Error{Op: "Post", Err: fmt.Errorf("b: %w", &url.Error{Op: "Post", Err: err})})
	}
	refused := errors.New("invalid_client")
	seen := cloudfetch.Fault{Observed: true, Complete: telemetry.FormatInlineArrow, RowsFetched: true}
	for _, step := range []struct {
		err  error
		seen cloudfetch.Fault
		want telemetry.Category
	}{
		{call(refused), seen, telemetry.CategoryAuth},
		{call(&fs.PathError{Op: "open", Err: fs.ErrNotExist}), seen, telemetry.CategoryAuth},
		{call(&url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}), seen, telemetry.CategoryConnection},
		{call(context.DeadlineExceeded), seen, telemetry.CategoryTimeout},
		{call(refused), cloudfetch.Fault{}, telemetry.CategoryOther},
		{call(refused), cloudfetch.Fault{Observed: true, CallFailed: true, Status: 403}, telemetry.CategoryPermission},
		{&url.Error{Op: "Put", Err: refused}, cloudfetch.Fault{Observed: true}, telemetry.CategoryOther},
	} {
		require.Equal(t, step.want, failure.Of(step.err, step.seen).Category)
	}
}

func TestRowsThatCameWholeAndCannotBeReadAreToldApart(t *testing.T) {
	reading := func(err error, format telemetry.ResultFormat, compressed bool) telemetry.Category {
		return failure.Of(fmt.Errorf("a: %w", err), cloudfetch.Fault{RowsFetched: true, Complete: format, Compressed: compressed}).Category
	}
	for _, format := range []telemetry.ResultFormat{telemetry.FormatInlineArrow, telemetry.FormatExternalLinks} {
		require.Equal(t, telemetry.CategoryArrowSchema, reading(io.ErrUnexpectedEOF, format, false))
		require.Equal(t, telemetry.CategoryArrowSchema, reading(errors.New("x"), format, true))
		require.Equal(t, telemetry.CategoryDecompression, reading(io.ErrUnexpectedEOF, format, true))
	}
	require.Equal(t, telemetry.CategoryResultSet, reading(errors.New("x"), telemetry.FormatColumnarInline, false))
}

// The driver's retries stand between the error of the request and its cause.
func TestATimeoutIsFoundBelowARequest(t *testing.T) {
	cause := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	err := &url.Error{Op: "Post", Err: fmt.Errorf("giving up after 2 attempts: %w", &url.Error{Op: "Post", Err: fmt.Errorf("a: %w", cause)})}
	require.Equal(t, telemetry.CategoryTimeout, failure.Of(err, cloudfetch.Fault{}).Category)
}

// requestError has the shape of the driver's own.
type requestError struct{ error }

func (requestError) Is(target error) bool { return target == dbsqlerr.RequestError }

// The driver makes a request error of a 503, too.
func TestARequestErrorIsAnInvalidRequestOnlyWhereTheWireIsSeen(t *testing.T) {
	err := requestError{errors.New("x")}
	require.Equal(t, telemetry.CategoryInvalidRequest, failure.Of(err, cloudfetch.Fault{Observed: true}).Category)
	require.Equal(t, telemetry.CategoryOther, failure.Of(err, cloudfetch.Fault{}).Category)
}

func TestAnHTTPStatusThatIsNotListedSaysOnlyWhoseFaultItWas(t *testing.T) {
	of := func(status int, err error) telemetry.Category {
		return failure.Of(err, cloudfetch.Fault{CallFailed: true, Status: status}).Category
	}
	require.Equal(t, telemetry.CategoryInvalidRequest, of(422, errors.New("x")))
	require.Equal(t, telemetry.CategoryStatementFailed, of(507, errors.New("x")))
	require.Equal(t, telemetry.CategoryStatementFailed, of(200, errors.New("x")), "refused, or no Thrift")
	require.Equal(t, telemetry.CategorySessionClosed, of(200, executionError{error: driver.ErrBadConn}))
	require.Equal(t, telemetry.CategoryStatementFailed, of(200, driver.ErrBadConn), "of a Ping")
}
