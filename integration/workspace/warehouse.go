package workspace

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	warehousePrefix = "/sql/1.0/warehouses/"
	endpointPrefix  = "/sql/1.0/endpoints/" // the older name of warehousePrefix
	clusterPrefix   = "/sql/protocolv1/o/"  // <workspace id>/<cluster id>
)

// Warehouse is one SQL warehouse. The zero value runs and takes any number of statements at
// once. Each is reached at /sql/1.0/warehouses/<id>, at /sql/1.0/endpoints/<id>, and as if it
// were a cluster at /sql/protocolv1/o/<workspace id or 0>/<id>.
type Warehouse struct {
	// ID ends its HTTP paths. Default: random.
	ID string

	// Stopped creates the warehouse stopped: its first statement starts it and is pending until it
	// runs. Default: false.
	Stopped bool

	// StartTime is how long it takes to start. Negative: until [Workspace.StartWarehouse] is
	// called. Default: 0.
	StartTime time.Duration

	// Capacity is the number of statements that run at once; others are pending until one of
	// them ends. Default: 0, no limit.
	Capacity int
}

func warehousesWithDefaults(list []Warehouse, first string) []Warehouse {
	list = slices.Clone(list)
	if len(list) == 0 {
		list = []Warehouse{{}}
	}
	orDefault(&list[0].ID, first)
	for i := range list {
		orDefault(&list[i].ID, randomHex(8))
	}
	return list
}

// warehouse is a Warehouse at work.
type warehouse struct {
	Warehouse
	slots chan struct{} // one value per statement that runs; nil without a limit

	mu      sync.Mutex
	running chan struct{} // closed when the warehouse runs; guarded by mu
	timer   *time.Timer   // ends a start; nil unless it is starting. Guarded by mu.
}

func newWarehouses(list []Warehouse) map[string]*warehouse {
	all := map[string]*warehouse{}
	for _, o := range list {
		h := &warehouse{Warehouse: o, running: make(chan struct{})}
		if o.Capacity > 0 {
			h.slots = make(chan struct{}, o.Capacity)
		}
		if !o.Stopped {
			close(h.running)
		}
		all[o.ID] = h
	}
	return all
}

// ready starts the warehouse unless it runs or is starting. The channel is closed when it runs.
func (h *warehouse) ready() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if isClosed(h.running) || h.timer != nil || h.StartTime < 0 {
		return h.running
	}
	if h.StartTime == 0 {
		close(h.running)
		return h.running
	}
	h.timer = time.AfterFunc(h.StartTime, h.run)
	return h.running
}

// run ends a start.
func (h *warehouse) run() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopTimer()
	if !isClosed(h.running) {
		close(h.running)
	}
}

func (h *warehouse) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopTimer()
	if isClosed(h.running) {
		h.running = make(chan struct{})
	}
}

// stopTimer ends a start that is under way. h.mu is held.
func (h *warehouse) stopTimer() {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// admit waits for compute, then for capacity, and calls waiting before each wait that does not end
// at once. The caller calls leave when the statement has ended.
func (h *warehouse) admit(ctx context.Context, waiting func(forCompute bool)) (leave func(), err error) {
	if ready := h.ready(); !isClosed(ready) {
		waiting(true)
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if h.slots == nil {
		return func() {}, nil
	}
	leave = func() { <-h.slots }
	select {
	case h.slots <- struct{}{}:
		return leave, nil
	default:
	}
	waiting(false)
	select {
	case h.slots <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// warehouseAt finds the warehouse an HTTP path leads to; nil when it leads to none.
func (w *Workspace) warehouseAt(path string) *warehouse {
	id, ok := strings.CutPrefix(path, warehousePrefix)
	if !ok {
		id, ok = strings.CutPrefix(path, endpointPrefix)
	}
	if !ok {
		rest, isCluster := strings.CutPrefix(path, clusterPrefix)
		org, cluster, _ := strings.Cut(rest, "/")
		if !isCluster || org != "0" && org != strconv.FormatInt(w.opts.WorkspaceID, 10) {
			return nil
		}
		id = cluster
	}
	return w.warehouses[id]
}

// Warehouses lists the ids of the warehouses, in the order of Options.Warehouses.
func (w *Workspace) Warehouses() []string {
	ids := make([]string, len(w.opts.Warehouses))
	for i := range w.opts.Warehouses {
		ids[i] = w.opts.Warehouses[i].ID
	}
	return ids
}

// StartWarehouse lets a warehouse run at once, whatever its StartTime, and reports whether there
// is one with that id.
func (w *Workspace) StartWarehouse(id string) bool {
	h := w.warehouses[id]
	if h != nil {
		h.run()
	}
	return h != nil
}

// StopWarehouse stops a warehouse and reports whether there is one with that id. Its sessions
// end, and with them the statements that run; the next statement starts it again.
func (w *Workspace) StopWarehouse(id string) bool {
	h := w.warehouses[id]
	if h == nil {
		return false
	}
	h.stop()
	for _, s := range w.sessions.all() {
		if s.warehouse == h {
			w.endSession(s, true)
		}
	}
	return true
}
