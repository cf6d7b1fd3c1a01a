package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
)

// canned is a workspace that takes no time: a transport that answers each call of the driver with
// the recorded answer of a real exchange. What remains of a statement is the client's own work, so
// that differences of a microsecond can be measured.
type canned struct {
	answers   map[string][]byte // by Thrift method
	statement []byte            // the statement id within the answers
	flag      bool              // whether telemetry is wanted
	served    atomic.Uint64
}

// can runs a statement against a workspace and keeps the answers.
func can(ctx context.Context, dsn string) (*canned, error) {
	c := &canned{answers: map[string][]byte{}}
	options, err := optionsOf(dsn)
	if err != nil {
		return nil, err
	}
	db, err := openOptions(append(options, dbsql.WithTransport(recorder{c})))
	if err != nil {
		return nil, err
	}
	ctx = driverctx.NewContextWithQueryIdCallback(ctx, func(id string) {
		if raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", "")); err == nil && len(raw) > 0 {
			c.statement = raw
		}
	})
	if err := errors.Join(oneRow(ctx, db, target{}), db.Close()); err != nil {
		return nil, err
	}
	if !bytes.Contains(c.answers["ExecuteStatement"], c.statement) || len(c.statement) == 0 {
		return nil, errors.New("the answer to ExecuteStatement does not name its statement")
	}
	return c, nil
}

// recorder is a transport that fills the can.
type recorder struct{ *canned }

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return r.reply(req, r.flagAnswer()), nil
	}
	call, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(call))
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if method, _, ok := header(call); ok {
		r.answers[method] = body
	}
	return resp, err
}

// RoundTrip answers with the recorded response. Each statement gets a new id, so that code that
// tracks statements by id sees a new one.
func (c *canned) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return c.reply(req, c.flagAnswer()), nil
	}
	defer func() { _ = req.Body.Close() }()
	if req.Header.Get("Content-Type") == "application/json" { // an upload of telemetry; a count too high is as good as the right one
		_, err := io.Copy(io.Discard, req.Body)
		return c.reply(req, []byte(`{"errors":[],"numSuccess":0,"numProtoSuccess":1000000}`)), err
	}
	call, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	method, sequence, ok := header(call)
	if !ok {
		return nil, errors.New("neither Thrift nor telemetry")
	}
	body := bytes.Clone(c.answers[method])
	if _, at, ok := header(body); ok {
		copy(body[at:at+4], call[sequence:sequence+4])
	}
	if method == "ExecuteStatement" {
		id := bytes.Index(body, c.statement)
		binary.BigEndian.PutUint64(body[id:], c.served.Add(1))
	}
	return c.reply(req, body), nil
}

func (c *canned) flagAnswer() []byte {
	value := "false"
	if c.flag {
		value = "true"
	}
	return []byte(`{"flags":[{"name":"databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver","value":"` +
		value + `"}],"ttl_seconds":900}`)
}

// reply returns an answer as net/http makes one: its header is parsed, and its body is read through
// the same layers as from a network.
func (*canned) reply(req *http.Request, body []byte) *http.Response {
	head := "HTTP/1.1 200 OK\r\nX-Databricks-Org-Id: 1234567890123456\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	resp, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader(head), bytes.NewReader(body))), req)
	if err != nil {
		panic(err) // reply writes it above
	}
	return resp
}

// header reads the beginning of a strict Thrift message: version, length of the method's name, the
// name, and the offset of the sequence number.
func header(message []byte) (method string, sequence int, ok bool) {
	if len(message) < 8 || message[0] != 0x80 || message[1] != 0x01 {
		return "", 0, false
	}
	end := 8 + int(binary.BigEndian.Uint32(message[4:]))
	if end < 8 || end+4 > len(message) {
		return "", 0, false
	}
	return string(message[8:end]), end, true
}
