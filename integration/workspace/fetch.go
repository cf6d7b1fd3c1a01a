package workspace

import "github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"

// resultSet is a finished statement's result in the format in which it is sent. Implementations:
// arrowResult, columnResult, cloudResult. A resultSet belongs to one operation; pages are made
// under the operation's mu.
type resultSet interface {
	// metadata describes the result.
	metadata() *wire.GetResultSetMetadataResp
	// rows is the number of rows of the whole result.
	rows() int64
	// page makes the page that starts at row start.
	page(start int64, want pageRequest) page
	// closesWhenRead reports whether the server closes the operation itself when direct results
	// held everything: true for inline results, false for files, which must stay.
	closesWhenRead() bool
	// held is the number of bytes that the result occupies until its operation is closed.
	held() int64
}

// pageRequest is how much a client asks for. Zero means no preference.
type pageRequest struct {
	rows, bytes int64
	direct      bool
}

// page is one answer with rows.
type page struct {
	rowSet *wire.RowSet
	rows   int64
	bytes  int64 // as sent, after compression; for links, of the files
	links  []*link
	more   bool
}

// cursor is a client's position in a result.
type cursor struct {
	next   int64   // first row of the next page
	end    int64   // first row that no page has held yet
	starts []int64 // where earlier pages began, for FETCH_PRIOR
}

// nextPage returns the page at the cursor and moves the cursor past it.
func (w *Workspace) nextPage(o *operation, rs resultSet, want pageRequest) page {
	o.mu.Lock()
	start := o.cursor.next
	p := rs.page(start, want)
	o.cursor.starts = append(o.cursor.starts, start)
	o.cursor.next = start + p.rows
	o.cursor.end = max(o.cursor.end, o.cursor.next)
	p.more = o.cursor.next < rs.rows()
	o.mu.Unlock()
	w.ledger.pageAnswered(o, p, want.direct)
	return p
}

func fetchResults(x *exchange, req *wire.FetchResultsReq) (*wire.FetchResultsResp, error) {
	o := x.ws.operation(req.OperationHandle)
	if o == nil {
		return &wire.FetchResultsResp{Status: invalidHandle(req.OperationHandle)}, nil
	}
	rs, status := o.readable()
	if rs == nil {
		return &wire.FetchResultsResp{Status: status}, nil
	}
	o.move(req)
	p := x.ws.nextPage(o, rs, pageRequest{rows: req.MaxRows, bytes: deref(req.MaxBytes)})
	resp := &wire.FetchResultsResp{Status: success(), HasMoreRows: &p.more, Results: p.rowSet}
	if deref(req.IncludeResultSetMetadata) {
		resp.ResultSetMetadata = o.metadata(rs)
	}
	return resp, nil
}

// move sets the cursor for the orientation of a fetch. FetchNext needs no move.
func (o *operation) move(req *wire.FetchResultsReq) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := &o.cursor
	switch {
	case req.StartRowOffset != nil:
		c.next = max(*req.StartRowOffset, 0)
	case req.Orientation == wire.FetchFirst:
		c.next, c.starts = 0, c.starts[:0]
	case req.Orientation == wire.FetchPrior:
		// The last start is that of the page the client has; it wants the page before.
		if n := len(c.starts); n >= 2 {
			c.next, c.starts = c.starts[n-2], c.starts[:n-2]
		} else {
			c.next, c.starts = 0, nil
		}
	}
}

func getResultSetMetadata(x *exchange, req *wire.GetResultSetMetadataReq) (*wire.GetResultSetMetadataResp, error) {
	o := x.ws.operation(req.OperationHandle)
	if o == nil {
		return &wire.GetResultSetMetadataResp{Status: invalidHandle(req.OperationHandle)}, nil
	}
	rs, status := o.readable()
	if rs == nil {
		return &wire.GetResultSetMetadataResp{Status: status}, nil
	}
	return o.metadata(rs), nil
}

// readable returns the result set, or the status that explains why there is none.
func (o *operation) readable() (resultSet, *wire.Status) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.result != nil:
		return o.result, nil
	case o.message != "":
		return nil, failure(o.sqlState, o.message)
	case o.state == wire.StateFinished:
		return nil, failure(stateCanceledSQL, "The result is gone: the statement was canceled")
	default:
		return nil, failure("HY010", "The statement has not finished")
	}
}
