package workspace

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Workspace is a running workspace: a warehouse, its object storage and the services around
// it. All methods may be called from any goroutine.
type Workspace struct {
	opts Options

	api     *listener
	storage *listener
	ca      *authority // nil without TLS

	db         database
	auth       *authenticator
	warehouses map[string]*warehouse // by id; never changed
	sessions   *sessionTable
	objects    *objectStore
	volumes    *volumeStore
	cache      *resultCache
	faults     *faultSet
	ledger     *ledger
	telemetry  *telemetryStore
	flags      *flagService

	// ctx ends when Close begins.
	ctx       context.Context
	stop      context.CancelFunc
	closeOnce sync.Once
	closeErr  error

	// running counts listeners, handlers and statements, which Close waits for. Nothing is
	// added to it once closed is set; mu guards that, not running itself.
	running sync.WaitGroup
	mu      sync.Mutex
	closed  bool
}

// enter counts one more handler or statement, unless the workspace is closing. The caller
// calls w.running.Done when it is over.
func (w *Workspace) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.running.Add(1)
	}
	return !w.closed
}

// spawn runs f in the background, or not at all when the workspace is closing.
func (w *Workspace) spawn(f func()) bool {
	if !w.enter() {
		return false
	}
	go func() {
		defer w.running.Done()
		f()
	}()
	return true
}

// usedPorts are the ports chosen for workspaces of this process. No port is chosen twice: a client
// caches facts about a host, such as its feature flag, which would be those of another workspace.
var usedPorts sync.Map

// listenLoopback listens on port or, if that is 0, on a free port that was not used before.
func listenLoopback(port int) (net.Listener, error) {
	var used []net.Listener // kept open until a new port is found, so that they are not offered again
	defer func() {
		for _, ln := range used {
			_ = ln.Close()
		}
	}()
	for {
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil || port != 0 {
			return ln, err
		}
		if _, again := usedPorts.LoadOrStore(ln.Addr().String(), true); !again || len(used) == 100 {
			return ln, nil
		}
		used = append(used, ln)
	}
}

// listener is one of the two ports.
type listener struct {
	net.Listener
	server *http.Server

	mu    sync.Mutex
	conns map[net.Conn]struct{} // open connections; guarded by mu
}

// Start starts a workspace on loopback and returns when it accepts connections.
func Start(opts Options) (*Workspace, error) {
	opts = opts.withDefaults()
	w := &Workspace{
		opts:       opts,
		auth:       newAuthenticator(opts),
		warehouses: newWarehouses(opts.Warehouses),
		sessions:   newSessionTable(),
		objects:    newObjectStore(opts),
		volumes:    newVolumeStore(),
		faults:     newFaultSet(opts.Seed),
		ledger:     newLedger(opts.Keep),
		telemetry:  newTelemetryStore(opts.Keep),
		flags:      newFlagService(opts),
	}
	if opts.ResultCache {
		w.cache = newResultCache()
	}
	if opts.TLS {
		ca, err := newAuthority(opts.Hostname)
		if err != nil {
			return nil, fmt.Errorf("workspace: certificate: %w", err)
		}
		w.ca = ca
	}
	db, err := newDatabase()
	if err != nil {
		return nil, fmt.Errorf("workspace: database: %w", err)
	}
	w.db = db
	w.ctx, w.stop = context.WithCancel(context.Background())
	if w.api, err = w.listen(opts.Port, w.serveAPI); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if w.storage, err = w.listen(opts.StoragePort, w.serveStorage); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	w.spawn(w.sweepRegularly)
	return w, nil
}

func (w *Workspace) listen(port int, serve http.HandlerFunc) (*listener, error) {
	var ln net.Listener = newMemoryListener()
	if !w.opts.InMemory {
		var err error
		if ln, err = listenLoopback(port); err != nil {
			return nil, fmt.Errorf("workspace: %w", err)
		}
	}
	l := &listener{Listener: ln, conns: map[net.Conn]struct{}{}}
	l.server = &http.Server{
		Handler:           serve,
		ReadHeaderTimeout: 30 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return w.ctx },
		ConnState:         l.track,
		ErrorLog:          log.New(io.Discard, "", 0), // aborted handlers are on purpose
	}
	w.spawn(func() {
		if w.ca != nil {
			l.server.TLSConfig = w.ca.serverConfig()
			_ = l.server.ServeTLS(ln, "", "")
			return
		}
		_ = l.server.Serve(ln)
	})
	return l, nil
}

func (l *listener) track(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateNew:
		l.conns[c] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(l.conns, c)
	}
}

// Close ends every request, statement and session, closes both ports and returns when no
// goroutine of the workspace is left. Closing twice is fine.
func (w *Workspace) Close() error {
	w.closeOnce.Do(func() {
		w.stop()
		for _, h := range w.warehouses {
			h.stop()
		}
		w.sessions.closeAll(w)
		var errs []error
		for _, l := range []*listener{w.api, w.storage} {
			if l != nil { // nil when Start has failed
				errs = append(errs, l.server.Close())
			}
		}
		w.mu.Lock()
		w.closed = true
		w.mu.Unlock()
		w.running.Wait()
		w.closeErr = errors.Join(append(errs, w.db.Close())...)
	})
	return w.closeErr
}

// DropConnections closes every client connection on both listeners, as a restarting gateway
// does. Sessions live on.
func (w *Workspace) DropConnections() {
	for _, l := range []*listener{w.api, w.storage} {
		l.mu.Lock()
		for c := range l.conns {
			_ = c.Close()
		}
		l.mu.Unlock()
	}
}

// Host is the address of both listeners: always "127.0.0.1".
func (w *Workspace) Host() string { return "127.0.0.1" }

// Port is the port of the workspace listener.
func (w *Workspace) Port() int { return w.api.Addr().(*net.TCPAddr).Port }

// HTTPPath is the path of the first warehouse.
func (w *Workspace) HTTPPath() string { return warehousePrefix + w.opts.WarehouseID }

// Token is the personal access token that DSN uses.
func (w *Workspace) Token() string { return w.opts.Token }

// WorkspaceID is the number clients find in x-databricks-org-id.
func (w *Workspace) WorkspaceID() int64 { return w.opts.WorkspaceID }

// ClientID and ClientSecret are the OAuth credentials of a service principal.
func (w *Workspace) ClientID() string { return w.opts.ClientID }

// ClientSecret belongs to ClientID.
func (w *Workspace) ClientSecret() string { return w.opts.ClientSecret }

// URL is the base of the workspace listener, without a trailing slash.
func (w *Workspace) URL() string { return w.scheme() + "://" + w.api.Addr().String() }

// StorageURL is the base of the object storage listener, without a trailing slash.
func (w *Workspace) StorageURL() string { return w.scheme() + "://" + w.storage.Addr().String() }

func (w *Workspace) scheme() string {
	if w.ca != nil {
		return "https"
	}
	return "http"
}

// DSN is the data source name for sql.Open("databricks", dsn), of the first warehouse. Each
// parameter is "name=value"; values are escaped here.
func (w *Workspace) DSN(params ...string) string { return w.DSNAt(w.HTTPPath(), params...) }

// DSNAt is like DSN for any HTTP path, such as "/sql/1.0/warehouses/" and an id.
func (w *Workspace) DSNAt(httpPath string, params ...string) string {
	query := make([]string, len(params))
	for i, p := range params {
		name, value, _ := strings.Cut(p, "=")
		query[i] = url.QueryEscape(name) + "=" + url.QueryEscape(value)
	}
	user := url.UserPassword("token", w.opts.Token)
	dsn := fmt.Sprintf("%s://%s@%s%s", w.scheme(), user, w.api.Addr(), httpPath)
	if len(query) > 0 {
		dsn += "?" + strings.Join(query, "&")
	}
	return dsn
}

// CertPool holds the authority that signed the certificates of a workspace with TLS; nil
// without TLS.
func (w *Workspace) CertPool() *x509.CertPool {
	if w.ca == nil {
		return nil
	}
	return w.ca.pool
}

// Exec runs statements in a session of their own that leaves no trace in the facts, to put
// tables in place for a test.
func (w *Workspace) Exec(ctx context.Context, statements ...string) error {
	s, err := w.db.NewSession("", "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for _, sql := range statements {
		if _, err := s.Execute(ctx, sql, nil); err != nil {
			return fmt.Errorf("%w in: %s", err, sql)
		}
	}
	return nil
}
