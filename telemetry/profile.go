package telemetry

import (
	"net/url"
	"strings"
)

// ProfileURL returns the address of the statement's query profile, a page of the workspace for people
// who may see the statement. It is empty if the server or the statement's id is unknown.
func (s *Statement) ProfileURL() string {
	host := strings.TrimSuffix(s.Server, ":443")
	if host == "" || s.StatementID == "" || strings.Trim(host, hostCharacters) != "" {
		return ""
	}
	address := "https://" + host + "/sql/history?queryId=" + url.QueryEscape(s.StatementID)
	if s.WorkspaceID != "" {
		address += "&o=" + url.QueryEscape(s.WorkspaceID)
	}
	if _, err := url.Parse(address); err != nil {
		return ""
	}
	return address
}

// hostCharacters are the characters that host:port may have. A record that was read from a file may
// have any.
const hostCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]"
