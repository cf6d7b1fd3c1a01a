package workspace

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	resultPrefix = "/results/"
	volumePrefix = "/volumes/"
)

// link is one presigned URL. It is immutable but for index, which the ledger owns.
type link struct {
	path      string
	method    string // the HTTP method it was signed for
	expires   time.Time
	operation string // statement id
	session   string
	file      *resultFile // for results
	volume    string      // for volumes: the file's path in the volume
	index     int         // among the links of the statement; guarded by ledger.mu
}

func (w *Workspace) presignResult(o *operation, f *resultFile) (*link, string) {
	return w.presign(&link{
		path:   resultPrefix + o.id + "/" + uuid.NewString() + ".arrow",
		method: http.MethodGet, operation: o.id, session: o.session.id, file: f,
	})
}

func (w *Workspace) presignVolume(o *operation, method, volume string) (*link, string) {
	return w.presign(&link{
		path:   volumePrefix + uuid.NewString() + "/" + hex.EncodeToString([]byte(volume)),
		method: method, operation: o.id, session: o.session.id, volume: volume,
	})
}

func (w *Workspace) presign(k *link) (*link, string) {
	// The signed expiry is in whole seconds.
	k.expires = time.Now().Add(w.opts.LinkLifetime).Truncate(time.Second)
	w.objects.add(k)
	expires := strconv.FormatInt(k.expires.Unix(), 10)
	q := url.Values{"Expires": {expires}, "Signature": {w.objects.sign(k.method, k.path, expires)}}
	return k, w.StorageURL() + k.path + "?" + q.Encode()
}

// etag returns an opaque tag for an object, in place of S3's tag of the content.
func (s *objectStore) etag(path string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(path))
	return mac.Sum(nil)[:16]
}

func (s *objectStore) sign(method, path, expires string) string {
	mac := hmac.New(sha256.New, s.key)
	fmt.Fprintf(mac, "%s\n%s\n%s", method, path, expires)
	return hex.EncodeToString(mac.Sum(nil))
}

// serveStorage serves the object storage listener: presigned reads and writes, nothing else.
func (w *Workspace) serveStorage(rw http.ResponseWriter, r *http.Request) {
	if !w.enter() {
		panic(http.ErrAbortHandler)
	}
	defer w.running.Done()
	x, err := w.begin(ListenerStorage, rw, r)
	x.link = w.objects.use(r.URL.Path)
	x.storageHeader()
	defer x.endTransfer()
	if err != nil {
		x.sendStorageError(http.StatusRequestEntityTooLarge, "EntityTooLarge", err.Error())
		return
	}
	if k := x.link; k != nil {
		w.ledger.update(func() { x.record.StatementID, x.record.SessionID = k.operation, k.session })
	}
	if w.faults.apply(x) || !x.signatureHolds() {
		return
	}
	switch k := x.link; {
	case k == nil:
		x.sendStorageError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	case k.file != nil:
		x.send(http.StatusOK, "binary/octet-stream", k.file.body)
	default:
		x.serveVolume(k)
	}
}

// storageHeader sets what S3 sends with every answer.
func (x *exchange) storageHeader() {
	h := x.w.Header()
	h.Set("Server", "AmazonS3")
	h.Set(storageIDHeader, strings.ToUpper(randomHex(8)))
	if k := x.link; k != nil {
		h.Set("Accept-Ranges", "bytes")
		h.Set("Etag", `"`+hex.EncodeToString(x.ws.objects.etag(k.path))+`"`)
		h.Set("X-Amz-Server-Side-Encryption", "AES256")
	}
}

// endTransfer writes the transfer into the facts of its statement, before the record of the
// request closes.
func (x *exchange) endTransfer() {
	if k := x.link; k != nil {
		w := x.w
		moved := w.written
		if x.r.Method == http.MethodPut {
			moved = int64(len(x.body))
		}
		complete := !w.broken && !w.failed && (w.status == http.StatusOK || w.status == http.StatusNoContent)
		x.ws.ledger.downloaded(k, Download{
			At: x.record.Received, Duration: time.Since(x.record.Received),
			Status: w.status, Bytes: moved, Completed: complete,
		})
		if complete {
			x.ws.objects.transferred(k)
		}
	}
	x.end()
}

func (x *exchange) signatureHolds() bool {
	q := x.r.URL.Query()
	expires := q.Get("Expires")
	want := x.ws.objects.sign(x.r.Method, x.r.URL.Path, expires)
	if !hmac.Equal([]byte(want), []byte(q.Get("Signature"))) {
		x.sendStorageError(http.StatusForbidden, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided.")
		return false
	}
	if at, err := strconv.ParseInt(expires, 10, 64); err != nil || time.Now().Unix() >= at {
		x.sendStorageError(http.StatusForbidden, "AccessDenied", "Request has expired")
		return false
	}
	for name, value := range x.ws.opts.LinkHeaders {
		if x.r.Header.Get(name) != value {
			x.sendStorageError(http.StatusForbidden, "AccessDenied", "There were headers missing in the request: "+name)
			return false
		}
	}
	return true
}

// sendStorageError answers the way S3 does.
func (x *exchange) sendStorageError(status int, code, message string) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	_ = xml.NewEncoder(&b).Encode(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: code, Message: message})
	x.send(status, "application/xml", b.Bytes())
}
