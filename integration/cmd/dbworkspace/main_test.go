package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunServesUntilItIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	ca, script := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "init.sql")
	require.NoError(t, os.WriteFile(script, []byte("CREATE TABLE a (x INT);\r\nINSERT INTO a VALUES (1),\n(2);\n"), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	var out testenv.Buffer
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-tls", "-ca", ca, "-sql", script, "-token", "dapi-x", "-warehouse", "small", "-warehouse", "large"}, &out, io.Discard)
	}()

	eventually.True(t, func() bool { return strings.Contains(out.String(), "Ctrl-C") })
	printed := func(name string) string {
		m := regexp.MustCompile(`(?m)^  ` + name + ` +(\S+)$`).FindStringSubmatch(out.String())
		require.Len(t, m, 2, "%s in %s", name, out.String())
		return m[1]
	}
	address := printed("host") + ":" + printed("port")
	assert.Equal(t, "https://token:dapi-x@"+address+"/sql/1.0/warehouses/small", printed("DSN"))
	assert.Equal(t, "/sql/1.0/warehouses/small", printed("HTTP path"))
	assert.Equal(t, "/sql/1.0/warehouses/large", printed("and"))
	assert.Equal(t, "dapi-x", printed("token"))
	assert.Contains(t, out.String(), "authority in\n  "+ca+"\n"+howToTrust(runtime.GOOS, ca))
	pem, err := os.ReadFile(ca)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(pem))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	resp, err := (&http.Client{Transport: transport}).Get("https://" + address + "/nothing")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	transport.CloseIdleConnections()
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)

	cancel()
	require.NoError(t, <-done)
	assert.Contains(t, out.String(), "Stopped after 1 requests, 0 sessions")
}

func TestMistakesAreExplained(t *testing.T) {
	for want, args := range map[string][]string{
		`unexpected argument "x"`:                {"x"},
		`-telemetry-flag is on, off or absent`:   {"-telemetry-flag", "maybe"},
		"flag provided but not defined: -nope":   {"-nope"},
		"no such file":                           {"-sql", filepath.Join(t.TempDir(), "none.sql")},
		"-ca needs -tls":                         {"-ca", "x.pem"},
		"-hostname needs -tls":                   {"-hostname", "x"},
		"-capacity is never negative":            {"-capacity", "-1"},
		"-latency is never negative":             {"-latency", "-1s"},
		"-session-timeout is never 0":            {"-session-timeout", "0"},
		"-start-time needs -stopped":             {"-start-time", "1s"},
		`-warehouse "a" is empty or given twice`: {"-warehouse", "a", "-warehouse", "a"},
	} {
		assert.ErrorContains(t, run(t.Context(), args, io.Discard, io.Discard), want)
	}
}

// crypto/x509 reads SSL_CERT_FILE on Unix systems other than macOS.
func TestTheVariableOfTheAuthorityIsNamedWhereGoReadsIt(t *testing.T) {
	for _, system := range []string{"linux", "freebsd"} {
		assert.Contains(t, howToTrust(system, "/a.pem"), "export SSL_CERT_FILE=/a.pem\n", system)
	}
	for _, system := range []string{"darwin", "windows"} {
		assert.NotContains(t, howToTrust(system, "/a.pem"), "export", system)
	}
}

func TestZeroMeansZero(t *testing.T) {
	o, _, err := parse([]string{"-direct-result-wait", "0", "-cloudfetch-threshold", "0"}, io.Discard)
	require.NoError(t, err)
	assert.Negative(t, o.DirectResultWait)
	assert.EqualValues(t, 1, o.CloudFetchThreshold)
	o, _, err = parse([]string{"-cloudfetch-threshold", "-1"}, io.Discard)
	require.NoError(t, err)
	assert.EqualValues(t, -1, o.CloudFetchThreshold)
}

func TestScriptsHaveCommentsAndBlanks(t *testing.T) {
	assert.Equal(t, []string{"-- first;\nCREATE TABLE a (x INT)", "INSERT INTO a\nVALUES (1)", "SELECT ';' -- kept", "SELECT 2"},
		statements("-- first;\nCREATE TABLE a (x INT); \t\r\n\nINSERT INTO a\r\nVALUES (1);\n;\nSELECT ';' -- kept\n;\nSELECT 2\n"))
	assert.Empty(t, statements("-- nothing\n\n  -- at all;"))
	assert.Equal(t, []string{"SELECT 1"}, statements("SELECT 1;\n-- end\n"))
}

func TestAuthorityIsWrittenWhereNoFileIsNamedAndRemovedAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir) // on Unix
	ctx, cancel := context.WithCancel(t.Context())
	var out testenv.Buffer
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"-tls"}, &out, io.Discard) }()
	eventually.True(t, func() bool { return strings.Contains(out.String(), "Ctrl-C") })
	file := regexp.MustCompile(`authority in\n +(.+)`).FindStringSubmatch(out.String())[1]
	pem, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, x509.NewCertPool().AppendCertsFromPEM(pem))
	cancel()
	require.NoError(t, <-done)
	assert.NoFileExists(t, file)
}
