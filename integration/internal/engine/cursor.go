package engine

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// cursor reads the rows of a query with SQLite's own functions. It belongs to the goroutine
// that uses its connection.
type cursor struct {
	tls  *libc.TLS
	db   uintptr
	stmt uintptr
	text arena
	size int // bytes of text and blobs read so far
}

// sqliteError is an error with SQLite's own text.
type sqliteError struct {
	code int
	text string
}

// Error is the message.
func (e *sqliteError) Error() string { return e.text }

// Code is SQLite's extended result code.
func (e *sqliteError) Code() int { return e.code }

// unlock removes the connection's mutex, which SQLite would lock and unlock for every cell. One
// goroutine uses a connection at a time, as with SQLITE_OPEN_NOMUTEX, which the driver does not
// offer; sqlite3_interrupt, the one call from elsewhere, takes no lock.
func (c *conn) unlock() {
	db := (*sqlite3.Tsqlite3)(pointer(c.db))
	sqlite3.Xsqlite3_mutex_free(c.tls, db.Fmutex)
	db.Fmutex = 0
}

// pointer is an address in SQLite's memory, which Go neither moves nor frees.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

func (c *conn) prepare(text string) (*cursor, error) {
	z, err := libc.CString(text)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, z)
	out := c.tls.Alloc(int(unsafe.Sizeof(uintptr(0))))
	defer c.tls.Free(int(unsafe.Sizeof(uintptr(0))))
	if rc := sqlite3.Xsqlite3_prepare_v2(c.tls, c.db, z, -1, out, 0); rc != sqlite3.SQLITE_OK {
		return nil, c.lastError()
	}
	return &cursor{tls: c.tls, db: c.db, stmt: *(*uintptr)(pointer(out))}, nil
}

func (c *conn) lastError() error {
	return &sqliteError{
		code: int(sqlite3.Xsqlite3_extended_errcode(c.tls, c.db)),
		text: libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db)),
	}
}

// next steps to the next row. ok is false after the last.
func (r *cursor) next() (ok bool, err error) {
	switch rc := sqlite3.Xsqlite3_step(r.tls, r.stmt); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	}
	return false, (&conn{tls: r.tls, db: r.db}).lastError()
}

func (r *cursor) close() { sqlite3.Xsqlite3_finalize(r.tls, r.stmt) }

func (r *cursor) kind(i int) int32 { return sqlite3.Xsqlite3_column_type(r.tls, r.stmt, int32(i)) }

func (r *cursor) integer(i int) int64 {
	return sqlite3.Xsqlite3_column_int64(r.tls, r.stmt, int32(i))
}

func (r *cursor) float(i int) float64 {
	return sqlite3.Xsqlite3_column_double(r.tls, r.stmt, int32(i))
}

// bytes are the text or blob of a column, valid until the next call.
func (r *cursor) bytes(i int) []byte {
	p := sqlite3.Xsqlite3_column_blob(r.tls, r.stmt, int32(i))
	n := sqlite3.Xsqlite3_column_bytes(r.tls, r.stmt, int32(i))
	if p == 0 || n == 0 {
		return nil
	}
	r.size += int(n)
	return unsafe.Slice((*byte)(pointer(p)), n)
}

// str is the text of a column.
func (r *cursor) str(i int) string { return r.text.keep(r.bytes(i)) }

// value is a column as the driver would return it.
func (r *cursor) value(i int) any {
	switch r.kind(i) {
	case sqlite3.SQLITE_INTEGER:
		return r.integer(i)
	case sqlite3.SQLITE_FLOAT:
		return r.float(i)
	case sqlite3.SQLITE_TEXT:
		return r.str(i)
	case sqlite3.SQLITE_BLOB:
		return append([]byte{}, r.bytes(i)...)
	}
	return nil
}

// arena allocates strings in large chunks, because a result has millions of small ones with the
// same lifetime.
type arena struct{ chunk []byte }

const arenaChunk = 64 << 10

func (a *arena) keep(b []byte) string {
	switch {
	case len(b) == 0:
		return ""
	case len(b) > arenaChunk/8:
		return string(b)
	case len(b) > cap(a.chunk)-len(a.chunk):
		a.chunk = make([]byte, 0, arenaChunk)
	}
	start := len(a.chunk)
	a.chunk = append(a.chunk, b...)
	return unsafe.String(&a.chunk[start], len(b)) // this part of the chunk is never written again
}
