package workspace

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// memoryListener accepts connections from this process, without a network: the goroutines at both
// ends wait only for each other and for timers.
type memoryListener struct {
	address *net.TCPAddr
	dialed  chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

var _ net.Listener = (*memoryListener)(nil)

// memoryPorts numbers the memory listeners of the process. Their ports are not opened on loopback.
var memoryPorts atomic.Uint32

func newMemoryListener() *memoryListener {
	return &memoryListener{
		address: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(memoryPorts.Add(1)%65535) + 1},
		dialed:  make(chan net.Conn), closed: make(chan struct{}),
	}
}

func (l *memoryListener) Addr() net.Addr { return l.address }

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.dialed:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	reset := &atomic.Bool{}
	select {
	case l.dialed <- &memoryConn{server, reset}:
		return &memoryConn{client, reset}, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.address, Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// memoryConn is one end of a connection that can be reset.
type memoryConn struct {
	net.Conn
	reset *atomic.Bool // shared by both ends
}

// SetLinger works like that of net.TCPConn: with 0, Close resets the connection.
func (c *memoryConn) SetLinger(seconds int) error {
	c.reset.Store(seconds == 0)
	return nil
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == io.EOF && c.reset.Load() {
		err = &net.OpError{Op: "read", Net: "memory", Err: syscall.ECONNRESET}
	}
	return n, err
}
