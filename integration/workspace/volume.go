package workspace

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
)

// volumeStore holds the files of all volumes by their path.
type volumeStore struct {
	mu    sync.Mutex
	files map[string][]byte // guarded by mu; contents are never changed in place
}

func newVolumeStore() *volumeStore { return &volumeStore{files: map[string][]byte{}} }

// Volume returns the content of a volume file, such as "/Volumes/main/default/v/a.csv".
func (w *Workspace) Volume(path string) ([]byte, bool) {
	w.volumes.mu.Lock()
	defer w.volumes.mu.Unlock()
	b, ok := w.volumes.files[path]
	return bytes.Clone(b), ok
}

// SetVolume writes a volume file, as an upload would.
func (w *Workspace) SetVolume(path string, content []byte) {
	w.volumes.mu.Lock()
	defer w.volumes.mu.Unlock()
	w.volumes.files[path] = bytes.Clone(content)
}

// VolumePaths returns the paths of all volume files, sorted.
func (w *Workspace) VolumePaths() []string {
	w.volumes.mu.Lock()
	defer w.volumes.mu.Unlock()
	paths := make([]string, 0, len(w.volumes.files))
	for p := range w.volumes.files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}

// beforeStatement matches white space and comments, which may stand before a statement.
const beforeStatement = `(?is)^(?:\s|--[^\n]*\n|/\*.*?\*/)*`

var (
	putStatement    = regexp.MustCompile(beforeStatement + `PUT\s+'((?:[^']|'')*)'\s+INTO\s+'((?:[^']|'')*)'(\s+OVERWRITE)?\s*;?\s*$`)
	getStatement    = regexp.MustCompile(beforeStatement + `GET\s+'((?:[^']|'')*)'\s+TO\s+'((?:[^']|'')*)'\s*;?\s*$`)
	removeStatement = regexp.MustCompile(beforeStatement + `REMOVE\s+'((?:[^']|'')*)'\s*;?\s*$`)
)

// staged is the outcome of a staging statement: one row that tells the client which request
// to make.
type staged struct {
	resultSet
	err error
}

// stagingOperation recognizes PUT, GET and REMOVE, which the client carries out itself with
// a presigned URL.
func (w *Workspace) stagingOperation(o *operation) (staged, bool) {
	sql := o.req.Statement
	var verb, httpMethod, local, remote string
	switch {
	case putStatement.MatchString(sql):
		m := putStatement.FindStringSubmatch(sql)
		verb, httpMethod, local, remote = "PUT", http.MethodPut, unquote(m[1]), unquote(m[2])
		if _, exists := w.Volume(remote); exists && m[3] == "" {
			return staged{err: &engine.Error{
				Class: "FILE_ALREADY_EXISTS", SQLState: "42K04",
				Message: "[FILE_ALREADY_EXISTS] The file '" + remote + "' exists already; use OVERWRITE to replace it.",
			}}, true
		}
	case getStatement.MatchString(sql):
		m := getStatement.FindStringSubmatch(sql)
		verb, httpMethod, local, remote = "GET", http.MethodGet, unquote(m[2]), unquote(m[1])
	case removeStatement.MatchString(sql):
		m := removeStatement.FindStringSubmatch(sql)
		verb, httpMethod, remote = "REMOVE", http.MethodDelete, unquote(m[1])
	default:
		return staged{}, false
	}
	if !strings.HasPrefix(remote, "/Volumes/") || strings.Count(remote, "/") < 5 {
		return staged{err: &engine.Error{
			Class: "INVALID_VOLUME_PATH", SQLState: "22000",
			Message: "[INVALID_VOLUME_PATH] '" + remote + "' is not /Volumes/<catalog>/<schema>/<volume>/<path>.",
		}}, true
	}
	k, url := w.presignVolume(o, httpMethod, remote)
	w.ledger.linkIssued(o, k)
	headers, _ := json.Marshal(w.opts.LinkHeaders)
	if w.opts.LinkHeaders == nil {
		headers = []byte("{}")
	}
	row := []engine.Column{
		text("operation", verb), text("presignedUrl", url), text("headers", string(headers)),
	}
	if verb != "REMOVE" { // REMOVE has no local file, so its row has three columns
		row = append(row, text("localFile", local))
	}
	rs, err := w.encodeResult(o, &resultBase{columns: row, count: 1, staging: true, limits: w.opts})
	return staged{rs, err}, true
}

func text(name, value string) engine.Column {
	return engine.Column{Name: name, Type: engine.Type{ID: engine.String}, Strings: []string{value}}
}

func unquote(s string) string { return strings.ReplaceAll(s, "''", "'") }

// serveVolume carries out what a presigned URL of a volume allows.
func (x *exchange) serveVolume(k *link) {
	w := x.ws
	switch x.r.Method {
	case http.MethodPut:
		w.SetVolume(k.volume, x.body)
		x.send(http.StatusOK, "", nil)
	case http.MethodGet:
		content, ok := w.Volume(k.volume)
		if !ok {
			x.sendStorageError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
			return
		}
		x.send(http.StatusOK, "application/octet-stream", content)
	case http.MethodDelete:
		w.volumes.mu.Lock()
		_, ok := w.volumes.files[k.volume]
		delete(w.volumes.files, k.volume)
		w.volumes.mu.Unlock()
		if !ok {
			x.sendStorageError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
			return
		}
		x.w.WriteHeader(http.StatusNoContent)
	default:
		x.sendStorageError(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed.")
	}
}
