package export

import (
	"context"
	"errors"
	"net/http"
)

// errAuthenticate stands for an authenticator that failed in any way.
var errAuthenticate = errors.New("the connection's authenticator failed")

// authenticate adds to req the headers that the connection's authenticator adds. The
// authenticator sees a request of its own: one that is late has nothing of ours in hand.
func (k *client) authenticate(ctx context.Context, a Authenticator, req *http.Request) error {
	asked := req.Clone(ctx)
	asked.Body, asked.GetBody, asked.ContentLength = http.NoBody, nil, 0
	var refused error
	err := k.authenticator.Run(ctx, func() { refused = a.Authenticate(asked) })
	if err != nil || refused != nil {
		return errAuthenticate
	}
	req.Header = asked.Header
	return nil
}

// errTransport stands for a transport that panicked, exited, or is still busy.
var errTransport = errors.New("the connection's transport failed")

// exchange makes a request and reads its answer. A transport of the application's need not
// heed the context, and is held to it.
func (k *client) exchange(ctx context.Context, req *http.Request) (reply, error) {
	if k.own != nil {
		return k.do(req)
	}
	var (
		r       reply
		problem error
	)
	err := k.transport.Run(ctx, func() { r, problem = k.do(req) })
	switch {
	case err == nil:
		return r, problem
	case ctx.Err() != nil:
		return reply{}, ctx.Err()
	}
	return reply{}, errTransport
}
