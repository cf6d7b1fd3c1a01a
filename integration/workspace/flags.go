package workspace

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	flagPrefix        = "/api/2.0/connector-service/feature-flags/"
	telemetryFlagName = "databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver"
)

// Flag is the value of a feature flag.
type Flag int

// The values of a flag.
const (
	FlagAbsent Flag = iota // the answer does not mention it, which means off
	FlagOff
	FlagOn
)

// flagService answers feature-flag requests.
type flagService struct {
	ttl time.Duration

	mu        sync.Mutex
	telemetry Flag // guarded by mu
}

func newFlagService(o Options) *flagService {
	return &flagService{ttl: o.FlagTTL, telemetry: o.TelemetryFlag}
}

// SetTelemetryFlag changes the flag that switches driver telemetry on. Clients see the change the
// next time they ask.
func (w *Workspace) SetTelemetryFlag(f Flag) {
	w.flags.mu.Lock()
	defer w.flags.mu.Unlock()
	w.flags.telemetry = f
}

// FlagRequests is the number of times clients have asked for the flags, including attempts a
// fault answered.
func (w *Workspace) FlagRequests() int { return w.Count(Endpoint(flagPrefix)) }

func (w *Workspace) serveFlags(x *exchange) {
	if x.lacksOrgID() {
		return
	}
	client, version, _ := strings.Cut(strings.TrimPrefix(x.r.URL.Path, flagPrefix), "/")
	if x.r.Method != http.MethodGet || client != "GOLANG" || version == "" {
		x.sendError(&httpError{http.StatusNotFound, "ENDPOINT_NOT_FOUND", "No such client: " + client})
		return
	}
	w.flags.mu.Lock()
	value := w.flags.telemetry
	w.flags.mu.Unlock()
	type flag struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	list := []flag{}
	switch value {
	case FlagOn:
		list = append(list, flag{telemetryFlagName, "true"})
	case FlagOff:
		list = append(list, flag{telemetryFlagName, "false"})
	}
	x.sendJSON(http.StatusOK, map[string]any{"flags": list, "ttl_seconds": int(w.flags.ttl.Seconds())})
}
