package workspace_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestWrongTokenIsAnsweredTheWayDatabricksDoes(t *testing.T) {
	ws := workspace.New(t, workspace.Options{Tokens: []string{"second"}})
	c := newClient(t, ws)
	status := func(token string) int {
		c.token = token
		resp, body := c.do(http.MethodGet, ws.URL()+flagURL, nil, c.bearer())
		if resp.StatusCode == http.StatusUnauthorized {
			assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
			assert.Equal(t, `Bearer realm="DatabricksRealm"`, resp.Header.Get("WWW-Authenticate"))
			assert.Empty(t, resp.Header.Values("X-Databricks-Org-Id"))
			sentence := "Credential was not sent or was of an unsupported type for this API. [ReqId: " + resp.Header.Get("X-Request-Id") + "]"
			assert.Equal(t, sentence, resp.Header.Get("X-Databricks-Reason-Phrase"))
			assert.JSONEq(t, `{"error_code":401,"message":"`+sentence+`"}`, string(body))
		}
		return resp.StatusCode
	}
	assert.Equal(t, 401, status(""))
	assert.Equal(t, 401, status("wrong"))
	assert.Equal(t, 200, status(ws.Token()))
	assert.Equal(t, 200, status("second"))
	ws.RevokeToken("second")
	assert.Equal(t, 401, status("second"))
}

func TestServicePrincipalExchangesCredentialsForATokenThatExpires(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	for _, path := range []string{"/oidc/.well-known/oauth-authorization-server", "/oidc/.well-known/openid-configuration"} {
		_, body := c.do(http.MethodGet, ws.URL()+path, nil, nil)
		var doc struct {
			Issuer string `json:"issuer"`
			Token  string `json:"token_endpoint"`
		}
		require.NoError(t, json.Unmarshal(body, &doc))
		assert.Equal(t, ws.URL()+"/oidc", doc.Issuer)
		assert.Equal(t, ws.URL()+"/oidc/v1/token", doc.Token)
	}
	exchange := func(ws *workspace.Workspace, id, secret string) (int, string) {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
		resp, body := c.do(http.MethodPost, ws.URL()+"/oidc/v1/token", []byte(form.Encode()), nil)
		var a struct {
			Token string `json:"access_token"`
		}
		require.NoError(t, json.Unmarshal(body, &a))
		return resp.StatusCode, a.Token
	}
	status, _ := exchange(ws, ws.ClientID(), "wrong")
	assert.Equal(t, http.StatusUnauthorized, status)
	_, c.token = exchange(ws, ws.ClientID(), ws.ClientSecret())
	resp, _ := c.do(http.MethodGet, ws.URL()+flagURL, nil, c.bearer())
	assert.Equal(t, http.StatusOK, resp.StatusCode)

	brief := workspace.New(t, workspace.Options{TokenLifetime: time.Nanosecond})
	_, c.token = exchange(brief, brief.ClientID(), brief.ClientSecret())
	resp, _ = c.do(http.MethodGet, brief.URL()+flagURL, nil, c.bearer())
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
}

func TestUserWhoLogsInWithABrowserGetsATokenForTheProgramOnce(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	const verifier = "a-secret-that-only-the-program-knows"
	hash := sha256.Sum256([]byte(verifier))
	login := func(change ...string) *http.Response {
		q := url.Values{
			"response_type": {"code"}, "client_id": {"databricks-sql-connector"}, "redirect_uri": {"http://localhost:8030"}, "state": {"s"},
			"code_challenge": {base64.RawURLEncoding.EncodeToString(hash[:])}, "code_challenge_method": {"S256"},
		}
		for i := 0; i < len(change); i += 2 {
			q.Set(change[i], change[i+1])
		}
		resp, _ := c.do(http.MethodGet, ws.URL()+"/oidc/v1/authorize?"+q.Encode(), nil, nil)
		return resp
	}
	code := func() string {
		resp := login()
		require.Equal(t, http.StatusFound, resp.StatusCode)
		back, err := resp.Location()
		require.NoError(t, err)
		require.Equal(t, "localhost:8030", back.Host)
		require.Equal(t, "s", back.Query().Get("state"))
		return back.Query().Get("code")
	}
	redeem := func(code string, change ...string) (int, string) {
		form := url.Values{
			"grant_type": {"authorization_code"}, "client_id": {"databricks-sql-connector"}, "redirect_uri": {"http://localhost:8030"},
			"code": {code}, "code_verifier": {verifier},
		}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		resp, body := c.do(http.MethodPost, ws.URL()+"/oidc/v1/token", []byte(form.Encode()), nil)
		var a struct {
			Token string `json:"access_token"`
		}
		require.NoError(t, json.Unmarshal(body, &a))
		return resp.StatusCode, a.Token
	}

	good := code()
	status, token := redeem(good)
	require.Equal(t, http.StatusOK, status)
	c.token = token
	resp, _ := c.do(http.MethodGet, ws.URL()+flagURL, nil, c.bearer())
	assert.Equal(t, http.StatusOK, resp.StatusCode)

	for _, bad := range [][]string{
		{"code", good}, {"code", "guess"}, {"code_verifier", "guess"}, {"client_id", "another"}, {"redirect_uri", "http://localhost:1"}, {"grant_type", "password"},
	} {
		status, token := redeem(code(), bad...)
		assert.Equal(t, http.StatusBadRequest, status, bad)
		assert.Empty(t, token)
	}
	for _, bad := range [][]string{
		{"redirect_uri", "http://evil.example.com"}, {"redirect_uri", "https://localhost"}, {"redirect_uri", "%"}, {"client_id", ""},
		{"response_type", "token"}, {"code_challenge_method", "plain"}, {"code_challenge", ""},
	} {
		assert.Equal(t, http.StatusBadRequest, login(bad...).StatusCode, bad)
	}
}
