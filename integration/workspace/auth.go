package workspace

import (
	"crypto/subtle"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// authenticator knows which bearer tokens are good.
type authenticator struct {
	lifetime time.Duration
	id       string
	secret   string

	mu     sync.Mutex
	tokens map[string]time.Time // when a token expires; zero: never. Guarded by mu.
	logins map[string]login     // by code, until it is exchanged. Guarded by mu.
}

func newAuthenticator(o Options) *authenticator {
	a := &authenticator{
		lifetime: o.TokenLifetime, id: o.ClientID, secret: o.ClientSecret,
		tokens: map[string]time.Time{o.Token: {}}, logins: map[string]login{},
	}
	for _, t := range o.Tokens {
		a.tokens[t] = time.Time{}
	}
	return a
}

// allows checks the Authorization header of a request.
func (a *authenticator) allows(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	end, known := a.tokens[token]
	return known && (end.IsZero() || time.Now().Before(end))
}

// issue returns a new token for a service principal, or "" for wrong credentials.
func (a *authenticator) issue(id, secret string) string {
	if subtle.ConstantTimeCompare([]byte(id+"\x00"+secret), []byte(a.id+"\x00"+a.secret)) != 1 {
		return ""
	}
	return a.newToken()
}

func (a *authenticator) newToken() string {
	token := "eyJ" + randomHex(24)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens[token] = time.Now().Add(a.lifetime)
	return token
}

// sweep removes expired tokens and logins.
func (a *authenticator) sweep(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.tokens, func(_ string, end time.Time) bool { return !end.IsZero() && !now.Before(end) })
	maps.DeleteFunc(a.logins, func(_ string, l login) bool { return now.Sub(l.at) > loginLifetime })
}

// RevokeToken makes a token invalid from the next request on.
func (w *Workspace) RevokeToken(token string) {
	w.auth.mu.Lock()
	defer w.auth.mu.Unlock()
	delete(w.auth.tokens, token)
}

// sendUnauthorized answers as the service does: without the header that names the workspace.
func (x *exchange) sendUnauthorized() {
	h := x.w.Header()
	h.Del(orgIDHeader)
	message := "Credential was not sent or was of an unsupported type for this API. [ReqId: " + h.Get(requestIDHeader) + "]"
	h.Set("WWW-Authenticate", `Bearer realm="DatabricksRealm"`)
	h.Set("X-Databricks-Reason-Phrase", message)
	x.sendJSON(http.StatusUnauthorized, map[string]any{"error_code": http.StatusUnauthorized, "message": message})
}

// serveOAuth serves the endpoints from which a service principal (machine to machine) or a user
// with a browser (user to machine, see login.go) gets a token. It reports whether the request was
// for one of them.
func (w *Workspace) serveOAuth(x *exchange) bool {
	base := w.scheme() + "://" + x.r.Host
	switch x.r.URL.Path {
	case "/.well-known/databricks-config":
		x.sendJSON(http.StatusOK, map[string]any{"oidc_endpoint": base + "/oidc"})
	case "/oidc/.well-known/oauth-authorization-server", "/oidc/.well-known/openid-configuration":
		x.sendJSON(http.StatusOK, map[string]any{
			"issuer":                                base + "/oidc",
			"authorization_endpoint":                base + "/oidc/v1/authorize",
			"token_endpoint":                        base + "/oidc/v1/token",
			"jwks_uri":                              base + "/oidc/jwks.json",
			"grant_types_supported":                 []string{"client_credentials", "authorization_code"},
			"response_types_supported":              []string{"code"},
			"code_challenge_methods_supported":      []string{"S256"},
			"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "none"},
			"scopes_supported":                      []string{"all-apis", "sql", "offline_access"},
		})
	case "/oidc/v1/authorize", "/oidc/oauth2/v2.0/authorize":
		w.serveLogin(x)
	case "/oidc/v1/token", "/oidc/oauth2/v2.0/token":
		w.serveToken(x)
	default:
		return false
	}
	return true
}

func (w *Workspace) serveToken(x *exchange) {
	form, err := url.ParseQuery(string(x.body))
	if err != nil {
		x.sendJSON(http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	id, secret, basic := x.r.BasicAuth()
	if !basic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	var token string
	switch form.Get("grant_type") {
	case "client_credentials":
		if token = w.auth.issue(id, secret); token == "" {
			x.sendJSON(http.StatusUnauthorized, map[string]string{
				"error": "invalid_client", "error_description": "Client authentication failed",
			})
			return
		}
	case "authorization_code":
		if token = w.auth.redeem(form.Get("code"), id, form.Get("redirect_uri"), form.Get("code_verifier")); token == "" {
			x.sendJSON(http.StatusBadRequest, map[string]string{
				"error": "invalid_grant", "error_description": "The code is not valid for this client",
			})
			return
		}
	default:
		x.sendJSON(http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
		return
	}
	x.sendJSON(http.StatusOK, map[string]any{
		"access_token": token, "token_type": "Bearer", "scope": form.Get("scope"),
		"expires_in": int(w.auth.lifetime.Seconds()),
	})
}
