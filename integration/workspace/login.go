package workspace

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"time"
)

// login is a user who has logged in with a browser, for a program that has not fetched its
// token yet.
type login struct {
	client    string // id of the program
	redirect  string // where its user was sent back to
	challenge string // hash of the secret it will show
	at        time.Time
}

// loginLifetime is how long a program may take to fetch its token.
const loginLifetime = 10 * time.Minute

// serveLogin is the page a program opens in its user's browser. The user is logged in
// already, as with single sign-on, so the browser is sent back to the program at once.
func (w *Workspace) serveLogin(x *exchange) {
	q := x.r.URL.Query()
	l := login{client: q.Get("client_id"), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), at: time.Now()}
	back, err := url.Parse(l.redirect)
	switch {
	case err != nil, !loopback(back), l.client == "":
		x.sendError(&httpError{http.StatusBadRequest, "BAD_REQUEST", "client_id and a redirect_uri on this machine are required"})
		return
	case q.Get("response_type") != "code", q.Get("code_challenge_method") != "S256", l.challenge == "":
		x.sendError(&httpError{http.StatusBadRequest, "BAD_REQUEST", "only the code flow with an S256 challenge is supported"})
		return
	}
	answer := back.Query()
	answer.Set("code", w.auth.admit(l))
	answer.Set("state", q.Get("state"))
	back.RawQuery = answer.Encode()
	x.w.Header().Set("Location", back.String())
	x.send(http.StatusFound, "text/html", nil)
}

// loopback reports whether a URL points to the browser's own machine.
func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// admit remembers a login and returns its code.
func (a *authenticator) admit(l login) string {
	code := randomHex(16)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.logins[code] = l
	return code
}

// redeem returns a token for a code, or "" if the code was not issued to this program. A code works
// once, and the program that shows it must know the secret behind its challenge.
func (a *authenticator) redeem(code, client, redirect, verifier string) string {
	hash := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(hash[:])
	a.mu.Lock()
	l, ok := a.logins[code]
	delete(a.logins, code)
	a.mu.Unlock()
	if !ok || l.client != client || l.redirect != redirect || l.challenge != challenge {
		return ""
	}
	return a.newToken()
}
