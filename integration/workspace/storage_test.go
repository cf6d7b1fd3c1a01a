package workspace_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v12/arrow/ipc"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func download(r *wire.ExecuteStatementReq) {
	yes := true
	r.CanDownloadResult = &yes
}

func compressed(r *wire.ExecuteStatementReq) {
	yes := true
	r.CanDecompressLZ4 = &yes
}

// countRows reads a whole IPC stream.
func countRows(t *testing.T, stream []byte) (rows int64) {
	r, err := ipc.NewReader(bytes.NewReader(stream))
	require.NoError(t, err)
	defer r.Release()
	for r.Next() {
		rows += r.Record().NumRows()
	}
	require.NoError(t, r.Err())
	return rows
}

func TestLargeResultsGoThroughObjectStorage(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1000, FileRows: 100, LinksPerPage: 4})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT id FROM range(1050)", download)
	d := resp.DirectResults
	assert.Equal(t, wire.FormatURL, *d.ResultSetMetadata.ResultFormat)
	assert.Nil(t, d.CloseOperation, "files must outlive the answer")
	links := d.ResultSet.Results.ResultLinks
	require.Len(t, links, 4)
	for more := *d.ResultSet.HasMoreRows; more; {
		page := c.fetch(resp.OperationHandle)
		links = append(links, page.Results.ResultLinks...)
		more = *page.HasMoreRows
	}
	require.Len(t, links, 11)
	c.closeOperation(resp.OperationHandle)

	var rows int64
	for i, k := range links {
		assert.EqualValues(t, 100*i, k.StartRowOffset)
		resp, body := c.do(http.MethodGet, k.FileLink, nil, nil)
		require.Equal(t, http.StatusOK, resp.StatusCode, "links work after CloseOperation")
		assert.Equal(t, "binary/octet-stream", resp.Header.Get("Content-Type"))
		assert.EqualValues(t, len(body), k.BytesNum)
		assert.Equal(t, k.RowCount, countRows(t, body))
		rows += k.RowCount
	}
	assert.EqualValues(t, 1050, rows)

	f := ws.Statements()[0]
	assert.Equal(t, workspace.ExternalLinks, f.Format)
	assert.EqualValues(t, 1050, f.RowsSent)
	require.Len(t, f.Links, 11)
	for _, k := range f.Links {
		require.Len(t, k.Downloads, 1)
		assert.True(t, k.Downloads[0].Completed)
		assert.Equal(t, k.Bytes, k.Downloads[0].Bytes)
	}
}

func TestSmallAndEmptyResultsStayInline(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1})
	c := newClient(t, ws)
	s := c.open()
	empty := c.execute(s, "SELECT id FROM range(0)", download)
	assert.Equal(t, wire.FormatArrow, *empty.DirectResults.ResultSetMetadata.ResultFormat)
	never := workspace.New(t, workspace.Options{CloudFetchThreshold: -1})
	c = newClient(t, never)
	inline := c.execute(c.open(), "SELECT id FROM range(1000)", download)
	assert.Equal(t, wire.FormatArrow, *inline.DirectResults.ResultSetMetadata.ResultFormat)
}

func TestCompressionCoversBatchesAndFiles(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 4000})
	c := newClient(t, ws)
	s := c.open()
	inline := c.execute(s, "SELECT id FROM range(100)", compressed).DirectResults
	assert.True(t, *inline.ResultSetMetadata.LZ4Compressed)
	stream := append([]byte{}, inline.ResultSetMetadata.ArrowSchema...)
	stream = append(stream, decompress(t, inline.ResultSet.Results.ArrowBatches[0].Batch)...)
	assert.EqualValues(t, 100, countRows(t, stream))

	files := c.execute(s, "SELECT id FROM range(1000)", download, compressed).DirectResults
	assert.True(t, *files.ResultSetMetadata.LZ4Compressed)
	assert.Less(t, *files.ResultSetMetadata.CompressedBytes, *files.ResultSetMetadata.UncompressedBytes)
	_, body := c.do(http.MethodGet, files.ResultSet.Results.ResultLinks[0].FileLink, nil, nil)
	assert.EqualValues(t, 1000, countRows(t, decompress(t, body)))
}

func decompress(t *testing.T, b []byte) []byte {
	var out bytes.Buffer
	_, err := out.ReadFrom(lz4.NewReader(bytes.NewReader(b)))
	require.NoError(t, err)
	return out.Bytes()
}

func TestPresignedLinksHoldOnlyWhatWasSigned(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, LinkHeaders: map[string]string{"X-Key": "k"}})
	c := newClient(t, ws)
	link := c.execute(c.open(), "SELECT id FROM range(10)", download).DirectResults.ResultSet.Results.ResultLinks[0]
	assert.Equal(t, map[string]string{"X-Key": "k"}, link.HTTPHeaders)
	header := http.Header{"X-Key": {"k"}}

	with := func(change func(u *url.URL, q url.Values)) string {
		u, err := url.Parse(link.FileLink)
		require.NoError(t, err)
		q := u.Query()
		change(u, q)
		u.RawQuery = q.Encode()
		return u.String()
	}
	for name, c2 := range map[string]struct {
		method, url string
		header      http.Header
		status      int
		code        string
	}{
		"as signed":       {http.MethodGet, link.FileLink, header, 200, ""},
		"header missing":  {http.MethodGet, link.FileLink, nil, 403, "AccessDenied"},
		"other method":    {http.MethodDelete, link.FileLink, header, 403, "SignatureDoesNotMatch"},
		"later expiry":    {http.MethodGet, with(func(_ *url.URL, q url.Values) { q.Set("Expires", "9999999999") }), header, 403, "SignatureDoesNotMatch"},
		"no signature":    {http.MethodGet, with(func(_ *url.URL, q url.Values) { q.Del("Signature") }), header, 403, "SignatureDoesNotMatch"},
		"another path":    {http.MethodGet, with(func(u *url.URL, _ url.Values) { u.Path += "x" }), header, 403, "SignatureDoesNotMatch"},
		"no query at all": {http.MethodGet, ws.StorageURL() + "/results/none", header, 403, "SignatureDoesNotMatch"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := c.do(c2.method, c2.url, nil, c2.header)
			assert.Equal(t, c2.status, resp.StatusCode)
			if c2.code != "" {
				assert.Contains(t, string(body), "<Code>"+c2.code+"</Code>")
			}
		})
	}
}

func TestExpiredAndForgottenLinks(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, LinkLifetime: time.Nanosecond})
	c := newClient(t, ws)
	link := c.execute(c.open(), "SELECT id FROM range(10)", download).DirectResults.ResultSet.Results.ResultLinks[0]
	resp, body := c.do(http.MethodGet, link.FileLink, nil, nil)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Contains(t, string(body), "Request has expired")
	assert.Equal(t, http.StatusForbidden, ws.Statements()[0].Links[0].Downloads[0].Status)

	ws = workspace.New(t, workspace.Options{CloudFetchThreshold: 1})
	c = newClient(t, ws)
	link = c.execute(c.open(), "SELECT id FROM range(10)", download).DirectResults.ResultSet.Results.ResultLinks[0]
	ws.ExpireSession(ws.Sessions()[0].ID)
	resp, body = c.do(http.MethodGet, link.FileLink, nil, nil)
	assert.Equal(t, http.StatusNotFound, resp.StatusCode, "files go with their session")
	assert.Contains(t, string(body), "NoSuchKey")
}

func TestLinksSayWhenTheyExpire(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, LinkLifetime: time.Hour})
	c := newClient(t, ws)
	link := c.execute(c.open(), "SELECT id FROM range(10)", download).DirectResults.ResultSet.Results.ResultLinks[0]
	made := ws.Statements()[0].Completed
	assert.GreaterOrEqual(t, link.ExpiryTime, made.Add(time.Hour-time.Second).UnixMilli(), "milliseconds")
	assert.LessOrEqual(t, link.ExpiryTime, time.Now().Add(time.Hour).UnixMilli())
	u, err := url.Parse(link.FileLink)
	require.NoError(t, err)
	assert.Equal(t, strconv.FormatInt(link.ExpiryTime/1000, 10), u.Query().Get("Expires"))
}

func TestProtocolVersionLimitsWhatAClientGets(t *testing.T) {
	all := []func(*wire.ExecuteStatementReq){download, compressed}
	for version, want := range map[int32]struct {
		direct bool
		format wire.ResultFormat
		lz4    bool
	}{
		wire.ProtocolHiveV8:  {false, wire.FormatColumn, false},
		wire.ProtocolSparkV1: {true, wire.FormatColumn, false},
		wire.ProtocolSparkV3: {true, wire.FormatColumn, false},
		wire.ProtocolSparkV5: {true, wire.FormatURL, false},
		wire.ProtocolSparkV6: {true, wire.FormatURL, true},
		wire.ProtocolSparkV9: {true, wire.FormatURL, true},
	} {
		ws := workspace.New(t, workspace.Options{ProtocolVersion: version, CloudFetchThreshold: 1})
		c := newClient(t, ws)
		resp := c.execute(c.open(), "SELECT id FROM range(10)", all...)
		require.Equal(t, want.direct, resp.DirectResults != nil, version)
		meta := &wire.GetResultSetMetadataResp{}
		if want.direct {
			meta = resp.DirectResults.ResultSetMetadata
		} else {
			eventually.True(t, func() bool {
				meta = call[wire.GetResultSetMetadataResp](c, "GetResultSetMetadata",
					&wire.GetResultSetMetadataReq{OperationHandle: resp.OperationHandle})
				return meta.Status.StatusCode == wire.StatusSuccess
			})
		}
		assert.Equal(t, want.format, *meta.ResultFormat, version)
		assert.Equal(t, want.lz4, *meta.LZ4Compressed, version)
	}
}

// stagingRow runs a staging statement and returns the row that tells the client what to do.
func stagingRow(t *testing.T, c *client, s *wire.SessionHandle, sql string) []string {
	d := c.execute(s, sql, func(r *wire.ExecuteStatementReq) { r.CanReadArrowResult = nil }).DirectResults
	require.NotNil(t, d.ResultSetMetadata, "%+v", d.OperationStatus)
	require.True(t, *d.ResultSetMetadata.IsStagingOperation)
	var row []string
	for _, col := range d.ResultSet.Results.Columns {
		row = append(row, col.String.Values...)
	}
	return row
}

func TestVolumeFilesTravelThroughPresignedURLs(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	s := c.open()
	const path = "/Volumes/main/default/v/it's.txt"
	quoted := strings.ReplaceAll(path, "'", "''")

	put := stagingRow(t, c, s, "PUT '/tmp/a' INTO '"+quoted+"'")
	assert.Equal(t, []string{"PUT", put[1], "{}", "/tmp/a"}, put)
	resp, _ := c.do(http.MethodPut, put[1], []byte("hello"), nil)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	content, ok := ws.Volume(path)
	require.True(t, ok)
	assert.Equal(t, "hello", string(content))
	assert.Equal(t, []string{path}, ws.VolumePaths())

	again := c.execute(s, "PUT '/tmp/a' INTO '"+quoted+"'")
	assert.Equal(t, wire.StatusError, again.Status.StatusCode, "OVERWRITE is missing")
	stagingRow(t, c, s, "put '/tmp/a' into '"+quoted+"' overwrite;")

	get := stagingRow(t, c, s, "GET '"+quoted+"' TO '/tmp/b'")
	assert.Equal(t, "/tmp/b", get[3])
	_, body := c.do(http.MethodGet, get[1], nil, nil)
	assert.Equal(t, "hello", string(body))
	resp, _ = c.do(http.MethodPut, get[1], []byte("x"), nil)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "a link to read does not write")

	remove := stagingRow(t, c, s, "REMOVE '"+quoted+"'")
	assert.Len(t, remove, 3)
	resp, _ = c.do(http.MethodDelete, remove[1], nil, nil)
	assert.Equal(t, http.StatusNoContent, resp.StatusCode)
	resp, _ = c.do(http.MethodDelete, remove[1], nil, nil)
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	_, ok = ws.Volume(path)
	assert.False(t, ok)

	outside := c.execute(s, "REMOVE '/etc/passwd'")
	assert.Equal(t, wire.StatusError, outside.Status.StatusCode)

	f := ws.Statements()[0]
	assert.True(t, f.Staging)
	require.Len(t, f.Links, 1)
	assert.EqualValues(t, 5, f.Links[0].Downloads[0].Bytes)
}
