package wrapped

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// stage is where a fault strikes: a method of the service, or a download.
type stage struct {
	name   string
	method string // empty for the download of a file
	opts   workspace.Options
	skip   int      // that many requests pass before
	rows   bool     // rows are fetched, or were
	how    []string // readings that report a fault there to the application; the Arrow iterators hide some
}

func stages() []stage {
	polled := workspace.Options{NoDirectResults: true, CloudFetchThreshold: -1}
	paged := workspace.Options{CloudFetchThreshold: -1, PageRows: 40}
	files := workspace.Options{CloudFetchThreshold: 1, FileRows: 40}
	all, read, exec := []string{"rows", "prepared", "arrow", "ipc", "exec"}, []string{"rows", "prepared"}, []string{"exec"}
	return []stage{
		{name: "OpenSession", method: "OpenSession", how: all},
		{name: "ExecuteStatement", method: "ExecuteStatement", how: all},
		{name: "GetOperationStatus", method: "GetOperationStatus", opts: polled, how: all},
		{name: "GetResultSetMetadata", method: "GetResultSetMetadata", opts: polled, rows: true, how: read},
		{name: "GetResultSetMetadata, Exec", method: "GetResultSetMetadata", opts: polled, how: exec},
		{name: "FetchResults, first page", method: "FetchResults", opts: polled, rows: true, how: read},
		{name: "FetchResults, second page", method: "FetchResults", opts: paged, rows: true, how: read},
		{name: "first file", opts: files, rows: true, how: all[:4]},
		{name: "second file", opts: files, skip: 1, rows: true, how: all[:4]},
	}
}

func (at stage) target() workspace.Target {
	if at.method == "" {
		return workspace.ResultDownloads()
	}
	return workspace.Method(at.method)
}

// unexplained is the category of a failure that the service does not explain further.
func (at stage) unexplained() telemetry.Category {
	if at.rows {
		return telemetry.CategoryResultSet
	}
	return telemetry.CategoryStatementFailed
}

// strikes returns a function that reports whether a client's request is one of the target's.
func (at stage) strikes() func(*http.Request) bool {
	var seen atomic.Int64
	return func(r *http.Request) bool {
		if at.method == "" {
			return r.Method == http.MethodGet && seen.Add(1) > int64(at.skip)
		}
		if r.Method != http.MethodPost {
			return false
		}
		body, err := r.GetBody()
		if err != nil {
			return false
		}
		call, _ := io.ReadAll(body)
		return bytes.Contains(call[:min(len(call), 40)], []byte(at.method))
	}
}

// cause is a fault of the server, or on the way to it.
type cause struct {
	name string
	do   workspace.Action
	err  error
	want func(stage) telemetry.Category // where a method of the service is struck
}

func causes() (all []cause) {
	always := func(c telemetry.Category) func(stage) telemetry.Category {
		return func(stage) telemetry.Category { return c }
	}
	for status, want := range map[int]func(stage) telemetry.Category{
		400: always(telemetry.CategoryInvalidRequest),
		401: always(telemetry.CategoryAuth),
		403: always(telemetry.CategoryPermission),
		404: always(telemetry.CategoryNotFound),
		407: always(telemetry.CategoryAuth),
		408: always(telemetry.CategoryTimeout),
		413: always(telemetry.CategoryInvalidRequest),
		422: always(telemetry.CategoryInvalidRequest), // of no category of its own
		429: always(telemetry.CategoryRateLimit),
		500: stage.unexplained,
		501: stage.unexplained,
		502: always(telemetry.CategoryConnection),
		503: always(telemetry.CategoryConnection),
		504: always(telemetry.CategoryTimeout),
		507: stage.unexplained, // of no category of its own
	} {
		all = append(all, cause{name: fmt.Sprint("HTTP ", status), do: workspace.Status(status), want: want})
	}
	connection := always(telemetry.CategoryConnection)
	return append(all,
		cause{name: "reset", do: workspace.Reset(), want: connection},
		cause{name: "half body", do: workspace.HalfBody(), want: connection},
		cause{name: "no answer", do: workspace.DropResponse(), want: connection},
		cause{name: "refused", err: &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}, want: connection},
		cause{name: "no such host", err: &net.DNSError{Err: "no such host", IsNotFound: true}, want: connection},
		cause{name: "timeout", err: &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}, want: always(telemetry.CategoryTimeout)},
		cause{name: "dial timeout", err: dialTimeout(), want: always(telemetry.CategoryTimeout)}, // as from a firewall that drops packets
		cause{name: "TLS alert", err: &net.OpError{Op: "remote error", Err: errors.New("certificate required")}, want: always(telemetry.CategoryTLS)},
		cause{name: "TLS", err: x509.UnknownAuthorityError{}, want: always(telemetry.CategoryTLS)},
	)
}

// dialTimeout is the error of package net, which claims to be that of a context.
func dialTimeout() error {
	_, err := (&net.Dialer{Timeout: time.Nanosecond}).Dial("tcp", "127.0.0.1:1")
	return err
}

func (c cause) category(at stage) telemetry.Category {
	if at.method == "" {
		return telemetry.CategoryChunkDownload
	}
	return c.want(at)
}

// meddler is a user's transport that aborts requests and rewrites answers.
type meddler struct {
	http.RoundTripper
	breaks  func(*http.Request) error
	rewrite func(r *http.Request, body []byte) []byte
}

func (m meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.breaks != nil {
		if err := m.breaks(r); err != nil {
			return nil, err
		}
	}
	resp, err := m.RoundTripper.RoundTrip(r)
	if err != nil || m.rewrite == nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	body = m.rewrite(r, body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// failures runs a statement that must fail and returns the failures recorded of it: one, or one
// per connection that the pool tried.
func failures(t *testing.T, ws *workspace.Workspace, m meddler, lz4 bool, how string, more ...dbsql.ConnOption) (all []*telemetry.Failure) {
	t.Helper()
	all = recorded(t, ws, m, lz4, how, more...).failures()
	require.NotEmpty(t, all)
	return all
}

// failures of opening connections and of statements.
func (m *memory) failures() (all []*telemetry.Failure) {
	for _, s := range m.opened {
		if s.Failure != nil {
			all = append(all, s.Failure)
		}
	}
	for _, s := range m.statements {
		if s.Failure != nil {
			all = append(all, s.Failure)
		}
	}
	return all
}

// recorded runs a statement and returns what was recorded.
func recorded(t *testing.T, ws *workspace.Workspace, m meddler, lz4 bool, how string, more ...dbsql.ConnOption) *memory {
	sink := &memory{}
	tr := ws.Transport()
	defer tr.CloseIdleConnections()
	m.RoundTripper = tr
	opts := append(options(ws), dbsql.WithRetries(1, time.Millisecond, time.Millisecond), tuned(lz4), dbsql.WithTransport(m))
	c, err := listening(sink).NewConnector(append(opts, more...)...)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	_, _ = readings[how](t.Context(), db, 100) // the records have the failures
	_ = db.Close()
	return sink
}

func TestAFaultHasItsCategoryWhereverItStrikes(t *testing.T) {
	for _, at := range stages() {
		for _, c := range causes() {
			t.Run(at.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				for _, how := range at.how {
					ws := workspace.New(t, at.opts)
					for _, f := range failures(t, ws, c.inject(ws, at), false, how) {
						require.Equal(t, c.category(at), f.Category, how)
					}
				}
			})
		}
	}
}

// With Wrap the HTTP status is not seen, so no category may depend on it. Network errors are in the chain,
// except where the driver drops them, before 1.15.
func TestBehindWrapACategoryIsWhatTheErrorProves(t *testing.T) {
	for _, at := range stages() {
		if at.method == "" {
			continue
		}
		for _, c := range causes() {
			t.Run(at.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				ws := workspace.New(t, at.opts)
				m := c.inject(ws, at)
				tr := ws.Transport()
				defer tr.CloseIdleConnections()
				m.RoundTripper = tr
				native, err := dbsql.NewConnector(append(options(ws), dbsql.WithRetries(1, time.Millisecond, time.Millisecond), tuned(false), dbsql.WithTransport(m))...)
				require.NoError(t, err)
				sink := &memory{}
				db := sql.OpenDB(listening(sink).Wrap(native))
				_, _ = readings[at.how[0]](t.Context(), db, 100)
				require.NoError(t, db.Close())
				all := sink.failures()
				require.NotEmpty(t, all)
				for _, f := range all {
					switch {
					case c.err == nil:
						require.NotContains(t, []telemetry.Category{telemetry.CategoryAuth, telemetry.CategoryPermission, telemetry.CategoryInvalidRequest, telemetry.CategoryTimeout}, f.Category)
					case at.method == "GetResultSetMetadata" && at.rows:
						require.Contains(t, []telemetry.Category{c.want(at), telemetry.CategoryOther, telemetry.CategoryResultSet}, f.Category)
					default:
						require.Contains(t, []telemetry.Category{c.want(at), telemetry.CategoryResultSet}, f.Category)
					}
				}
			})
		}
	}
}

// The native Ping and Close make a driver.ErrBadConn of any error.
func TestAPingThatFailsIsNotASessionThatIsGone(t *testing.T) {
	for name, test := range map[string]struct {
		do         workspace.Action
		seen, wrap telemetry.Category
	}{
		"a login page": {workspace.Answer(200, "text/html", "<html>login</html>"), telemetry.CategoryStatementFailed, telemetry.CategoryStatementFailed},
		"HTTP 401":     {workspace.Status(401), telemetry.CategoryAuth, telemetry.CategoryStatementFailed},
		"reset":        {workspace.Reset(), telemetry.CategoryConnection, telemetry.CategoryConnection},
		"no session":   {workspace.Action{}, telemetry.CategorySessionClosed, telemetry.CategorySessionClosed},
	} {
		for entry, open := range map[string]func(driverwrap.Config, ...dbsql.ConnOption) (driver.Connector, error){
			"seen": driverwrap.Config.NewConnector,
			"wrap": func(c driverwrap.Config, opts ...dbsql.ConnOption) (driver.Connector, error) {
				native, err := dbsql.NewConnector(opts...)
				return c.Wrap(native), err
			},
		} {
			t.Run(name+"/"+entry, func(t *testing.T) {
				t.Parallel()
				ws, sink := workspace.New(t, workspace.Options{}), &memory{}
				c, err := open(listening(sink), append(options(ws), dbsql.WithRetries(1, time.Millisecond, time.Millisecond))...)
				require.NoError(t, err)
				conn, err := c.Connect(t.Context())
				require.NoError(t, err)
				if name == "no session" {
					for _, s := range ws.Sessions() {
						require.True(t, ws.ExpireSession(s.ID))
					}
				} else {
					ws.Inject(workspace.Fault{Do: test.do})
				}
				require.ErrorIs(t, conn.(driver.Pinger).Ping(t.Context()), driver.ErrBadConn)
				_ = conn.Close()
				require.NoError(t, c.(io.Closer).Close())
				want := test.seen
				if entry == "wrap" {
					want = test.wrap
				}
				require.Equal(t, want, sink.failures()[0].Category)
				if name != "no session" {
					require.NotEqual(t, telemetry.CategorySessionClosed, sink.closed[0].Failure.Category)
				}
			})
		}
	}
}

// panicking is an application's transport that panics once.
type panicking struct {
	http.RoundTripper
	strikes func(*http.Request) bool
	once    sync.Once
}

func (p *panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.strikes(r) {
		p.once.Do(func() { panic("transport") })
	}
	return p.RoundTripper.RoundTrip(r)
}

// The driver closes a statement while it reads the last row. The rows before it are complete, and not the
// reason for the failure.
func TestATransportThatPanicsSaysNothingOfTheRows(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 40})
	sink := &memory{}
	own := &panicking{RoundTripper: http.DefaultTransport, strikes: stage{method: "CloseOperation"}.strikes()}
	c, err := listening(sink).NewConnector(append(options(ws), dbsql.WithTransport(own))...)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	rows, err := db.Query(statement(100))
	require.NoError(t, err)
	require.PanicsWithValue(t, "transport", func() {
		for rows.Next() {
		}
	})
	_ = rows.Close()
	require.NoError(t, db.Close())
	require.Len(t, sink.statements, 1)
	require.Equal(t, telemetry.CategoryOther, sink.statements[0].Failure.Category)
}

// authenticator fails for some requests.
type authenticator struct {
	signer
	fails func(*http.Request) error
}

func (a authenticator) Authenticate(r *http.Request) error {
	_ = a.signer.Authenticate(r)
	return a.fails(r)
}

// A rotated secret, a token file that is gone, or one that ends with a line feed, keeps a call from
// being sent at all.
func TestACredentialThatCannotBeHadHasItsCategoryWhereverItIsNeeded(t *testing.T) {
	for _, at := range stages() {
		if at.method == "" {
			continue // files are downloaded without authentication
		}
		for name, c := range map[string]struct {
			err  error
			want telemetry.Category
		}{
			"refused":     {errors.New("invalid_client"), telemetry.CategoryAuth},
			"no file":     {&os.PathError{Op: "open", Err: os.ErrNotExist}, telemetry.CategoryAuth},
			"unreachable": {&net.OpError{Op: "dial", Err: errors.New("refused")}, telemetry.CategoryConnection},
			"canceled":    {fmt.Errorf("token: %w", context.Canceled), telemetry.CategoryAuth}, // the context that a token source was made with
			"a line feed": {nil, telemetry.CategoryAuth},
		} {
			if at.method == "GetResultSetMetadata" && at.rows && c.want == telemetry.CategoryConnection {
				continue // the driver drops the cause there, before 1.15
			}
			t.Run(at.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				for _, how := range at.how {
					ws, strikes := workspace.New(t, at.opts), at.strikes()
					a := authenticator{signer{ws.Token()}, func(r *http.Request) error {
						if !strikes(r) {
							return nil
						}
						if c.err == nil {
							r.Header.Set("Authorization", "Bearer "+ws.Token()+"\n")
						}
						return c.err
					}}
					for _, f := range failures(t, ws, meddler{}, false, how, dbsql.WithAuthenticator(a)) {
						require.Equal(t, c.want, f.Category, how)
					}
				}
			})
		}
	}
}

// Contexts are canceled not only by the application, but also by a transport that closes or waits for a
// token.
func TestACancellationThatIsNotTheCallersIsNone(t *testing.T) {
	for _, at := range stages() {
		if at.method == "" {
			continue
		}
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			for _, how := range at.how {
				ws := workspace.New(t, at.opts)
				for _, f := range failures(t, ws, cause{err: context.Canceled}.inject(ws, at), false, how) {
					require.Equal(t, telemetry.CategoryConnection, f.Category, how)
				}
			}
		})
	}
}

func TestAUserAgentThatCannotBeSentIsNoFaultOfTheConnection(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	for _, f := range failures(t, ws, meddler{}, false, "rows", dbsql.WithUserAgentEntry("billing\n")) {
		require.Equal(t, telemetry.CategoryInvalidRequest, f.Category)
	}
}

// inject puts a cause into effect: in the workspace, or in the returned transport.
func (c cause) inject(ws *workspace.Workspace, at stage) (m meddler) {
	if c.err == nil {
		ws.Inject(workspace.Fault{On: at.target(), Skip: at.skip, Do: c.do})
		return m
	}
	strikes := at.strikes()
	m.breaks = func(r *http.Request) error {
		if strikes(r) {
			return c.err
		}
		return nil
	}
	return m
}

// Calls that close fail for their own reasons, which say nothing about the statement.
func TestAFailureToCloseHasItsOwnCategory(t *testing.T) {
	opts := workspace.Options{NoDirectResults: true, CloudFetchThreshold: -1, PageRows: 40}
	for _, c := range causes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			at := stage{method: "CloseOperation"}
			ws := workspace.New(t, opts)
			sink := recorded(t, ws, c.inject(ws, at), false, "closed early")
			require.Len(t, sink.statements, 1)
			require.Nil(t, sink.statements[0].Failure)
			require.NotNil(t, sink.statements[0].CloseFailure)
			require.Equal(t, c.category(at), sink.statements[0].CloseFailure.Category)

			for _, how := range []string{"exec", "rows"} { // the driver drops their errors
				ws = workspace.New(t, opts)
				sink = recorded(t, ws, c.inject(ws, at), false, how)
				require.Len(t, sink.statements, 1)
				require.Nil(t, sink.statements[0].Failure)
				require.NotNil(t, sink.statements[0].CloseFailure, how)
				require.Equal(t, c.category(at), sink.statements[0].CloseFailure.Category, how)
			}

			ws = workspace.New(t, opts)
			ws.Inject(workspace.Fault{On: workspace.Method("FetchResults"), Do: workspace.Status(403)})
			sink = recorded(t, ws, c.inject(ws, at), false, "rows")
			require.Equal(t, telemetry.CategoryPermission, sink.statements[0].Failure.Category)

			at = stage{method: "CloseSession"}
			ws = workspace.New(t, opts)
			sink = recorded(t, ws, c.inject(ws, at), false, "rows")
			require.Len(t, sink.closed, 1)
			require.NotNil(t, sink.closed[0].Failure)
			require.Equal(t, c.category(at), sink.closed[0].Failure.Category)
		})
	}
}

// spoil overwrites what follows the n-th mark, counted from 0.
func spoil(mark []byte, n int, with []byte) func(*http.Request, []byte) []byte {
	return func(_ *http.Request, body []byte) []byte {
		from := 0
		for range n + 1 {
			i := bytes.Index(body[from:], mark)
			if i < 0 {
				return body
			}
			from += i + len(mark)
		}
		copy(body[from:], with)
		return body
	}
}

// ofFiles applies to downloads alone.
func ofFiles(rewrite func([]byte) []byte) func(*http.Request, []byte) []byte {
	return func(r *http.Request, body []byte) []byte {
		if r.Method == http.MethodGet {
			return rewrite(body)
		}
		return body
	}
}

func TestRowsThatCameWholeAndCannotBeReadAreNoNetworkError(t *testing.T) {
	arrow := []byte{0xff, 0xff, 0xff, 0xff}                  // begins a message of an IPC stream; its length follows
	tooLong := binary.LittleEndian.AppendUint32(nil, 1<<20)  // more than the message has
	lz4 := binary.LittleEndian.AppendUint32(nil, 0x184D2204) // begins a frame; its flags follow
	body := func(s string) func(*http.Request, []byte) []byte {
		return ofFiles(func([]byte) []byte { return []byte(s) })
	}
	half := ofFiles(func(b []byte) []byte { return b[:len(b)/2] })
	inline := workspace.Options{CloudFetchThreshold: -1}
	polled := workspace.Options{CloudFetchThreshold: -1, NoDirectResults: true}
	files := workspace.Options{CloudFetchThreshold: 1, FileRows: 40}
	for name, test := range map[string]struct {
		opts    workspace.Options
		lz4     bool
		rewrite func(*http.Request, []byte) []byte
		want    telemetry.Category
	}{
		"inline schema":       {inline, false, spoil(arrow, 0, tooLong), telemetry.CategoryArrowSchema},
		"inline batch":        {inline, false, spoil(arrow, 1, tooLong), telemetry.CategoryArrowSchema},
		"polled batch":        {polled, false, spoil(arrow, 0, tooLong), telemetry.CategoryArrowSchema},
		"inline, LZ4 flags":   {inline, true, spoil(lz4, 0, []byte{0, 0}), telemetry.CategoryDecompression},
		"inline, LZ4 blocks":  {inline, true, spoil(lz4, 0, []byte{0x40, 0x40, 0xc0, 1, 2, 3, 0x7f}), telemetry.CategoryDecompression},
		"polled, LZ4 flags":   {polled, true, spoil(lz4, 0, []byte{0, 0}), telemetry.CategoryDecompression},
		"empty file":          {files, false, body(""), telemetry.CategoryArrowSchema},
		"file of text":        {files, false, body("abcd"), telemetry.CategoryArrowSchema},
		"half a file":         {files, false, half, telemetry.CategoryArrowSchema},
		"file, spoiled batch": {files, false, ofFiles(func(b []byte) []byte { return spoil(arrow, 1, tooLong)(nil, b) }), telemetry.CategoryArrowSchema},
		"empty file, LZ4":     {files, true, body(""), telemetry.CategoryDecompression},
		"file of text, LZ4":   {files, true, body("abcd"), telemetry.CategoryDecompression},
		"half a file, LZ4":    {files, true, half, telemetry.CategoryDecompression},
		"file, LZ4 flags":     {files, true, ofFiles(func(b []byte) []byte { return spoil(lz4, 0, []byte{0, 0})(nil, b) }), telemetry.CategoryDecompression},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, how := range []string{"rows", "prepared", "arrow"} {
				for _, f := range failures(t, workspace.New(t, test.opts), meddler{rewrite: test.rewrite}, test.lz4, how) {
					require.Equal(t, test.want, f.Category, how)
				}
			}
		})
	}
}

// A refusal without a SQLSTATE, or an answer that is not Thrift, is the service's failure.
func TestAnAnswerThatIsNoneHasTheSameCategoryOnEveryDriver(t *testing.T) {
	for _, at := range stages() {
		if at.method == "" {
			continue
		}
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			for _, do := range []workspace.Action{
				workspace.Garbage(), workspace.Answer(200, "application/x-thrift", ""), workspace.Answer(200, "text/html", "<html>login</html>"),
			} {
				ws := workspace.New(t, at.opts)
				ws.Inject(workspace.Fault{On: at.target(), Do: do})
				for _, f := range failures(t, ws, meddler{}, false, at.how[0]) {
					require.Equal(t, at.unexplained(), f.Category, do)
				}
			}
		})
	}
}

func TestAVolumeOperationIsKnownHoweverItIsWritten(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	require.NoError(t, os.WriteFile(file, []byte("hello"), 0o600))
	sink := &memory{}
	c, err := listening(sink).OpenConnector(ws.DSN())
	require.NoError(t, err)
	db := sql.OpenDB(c)
	ctx := driverctx.NewContextWithStagingInfo(t.Context(), []string{dir})
	const there = "'/Volumes/main/default/v/a.txt'"
	for _, query := range []string{
		"put\n'" + file + "' INTO " + there + " OVERWRITE",
		"\tPut\t'" + file + "' INTO " + there + " OVERWRITE",
		"-- nightly\nPUT '" + file + "' INTO " + there + " OVERWRITE",
		"/* nightly */ PUT '" + file + "' INTO " + there + " OVERWRITE",
	} {
		_, err := db.ExecContext(ctx, query)
		require.NoError(t, err, query)
	}
	_, err = db.ExecContext(ctx, "PUT '"+file+".missing' INTO "+there+" OVERWRITE")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, db.Close())
	for i, s := range sink.statements {
		require.Equal(t, telemetry.KindVolume, s.Kind, i)
		require.Equal(t, "PUT", s.Volume, i)
	}
	require.Equal(t, telemetry.CategoryStatementFailed, sink.statements[4].Failure.Category)
}

func TestTheReportCountsTheRetriesOfFilesToo(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, CloudFetchThreshold: 1, FileRows: 40})
	ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), First: 2, Do: workspace.Status(503)})
	ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), First: 1, Do: workspace.Status(503)})
	c, err := reportingTo(&memory{}).NewConnector(append(options(ws), dbsql.WithRetries(4, time.Millisecond, time.Millisecond))...)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	_, err = drain(db.Query(statement(100)))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.Equal(t, []int64{1 + 2}, reportedRetries(ws))
	require.Empty(t, ws.TelemetryErrors())
}

// The result of a polled Exec is described but never fetched, so no file can have been downloaded.
func TestTheReportCountsTheRetriesOfStatementsWithoutFiles(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, CloudFetchThreshold: 1, NoDirectResults: true})
	ws.Inject(workspace.Fault{On: workspace.Method("GetResultSetMetadata"), First: 2, Do: workspace.Status(503)})
	c, err := reportingTo(&memory{}).NewConnector(append(options(ws), tuned(false), dbsql.WithRetries(4, time.Millisecond, time.Millisecond))...)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	_, err = db.Exec(statement(100))
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.Equal(t, workspace.ExternalLinks, ws.Statements()[0].Format)
	require.Equal(t, []int64{2}, reportedRetries(ws))
	require.Empty(t, ws.TelemetryErrors())
}

func reportedRetries(ws *workspace.Workspace) (counts []int64) {
	for _, e := range ws.Telemetry() {
		if o := e.Log().SQLOperation; o.OperationDetail.OperationType == "EXECUTE_STATEMENT" {
			counts = append(counts, o.RetryCount)
		}
	}
	return counts
}
