package export

import (
	"context"
	"errors"
	"net/http"
)

// errAuthenticate is the error of an authenticator that failed in any way. Its own error may have
// secrets in its text.
var errAuthenticate = errors.New("the connection's authenticator failed")

// authenticate adds to req the headers that the connection's authenticator adds. It gets
// a copy of the request: an authenticator that returns late changes nothing that is sent.
func (k *client) authenticate(ctx context.Context, a Authenticator, req *http.Request) error {
	copied := req.Clone(ctx)
	copied.Body, copied.GetBody, copied.ContentLength = http.NoBody, nil, 0
	var authErr error
	if !k.authenticator.Run(ctx, func() { authErr = a.Authenticate(copied) }) || authErr != nil {
		return errAuthenticate
	}
	req.Header = copied.Header
	return nil
}

// errTransport is the error of a transport that panicked, exited, or is still busy.
var errTransport = errors.New("the connection's transport failed")

// roundTrip makes a request and reads its response. A user-supplied transport may ignore the
// context, so it runs on a goroutine of its own that roundTrip does not wait for.
func roundTrip[T any](k *client, req *http.Request, read func(*http.Response) (T, error)) (T, error) {
	if k.own != nil {
		return do(k, req, read)
	}
	var (
		none, r T
		doErr   error
	)
	ctx := req.Context()
	switch returned := k.transport.Run(ctx, func() { r, doErr = do(k, req, read) }); {
	case returned:
		return r, doErr
	case ctx.Err() != nil:
		return none, ctx.Err()
	}
	return none, errTransport
}

func do[T any](k *client, req *http.Request, read func(*http.Response) (T, error)) (r T, err error) {
	resp, err := k.http.Do(req)
	if err != nil {
		return r, err
	}
	defer func() { _ = resp.Body.Close() }()
	return read(resp)
}
