package privacy

import (
	"bytes"
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	_ "github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage"
	_ "github.com/seed-01322ee7/databricks-telemetry/telemetry/expvars"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// The outputs of eight programs: each token that one of them plants, or the environment has, is only where its rule
// lets it be, also in part and encoded, and is where the documents promise to show it.
func TestEveryTokenIsOnlyWhereItMayBe(t *testing.T) {
	if planted.found != nil {
		t.Skip("the debug page and the environment are those of the process: it runs once")
	}
	dbtel := filepath.Join(t.TempDir(), "dbtel")
	const command = "github.com/seed-01322ee7/databricks-telemetry/cmd/dbtel"
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dbtel, command).CombinedOutput()
	require.NoError(t, err, "%s", out)
	// One after the other, because each page and each collection of metrics looks at the connectors of all.
	for _, p := range []*program{
		{setting: class, entry: open}, {setting: redacted, entry: open},
		{setting: text, entry: open}, {setting: full, entry: open},
		{setting: redacted, entry: newConnector}, {setting: full, entry: newConnector},
		{setting: text, entry: wrap}, {setting: full, entry: oauth},
	} {
		t.Run(p.setting.name+", "+p.entry, func(t *testing.T) {
			p.t, p.dir, p.records = t, t.TempDir(), &memory{}
			p.observe(dbtel)
		})
	}
	show(telemetry.ReadStats(), &telemetry.Default, http.DefaultServeMux)
	planted.look(logged, infoLog.String())
	places := map[string]bool{}
	for _, c := range telemetry.ReadStats().Contained {
		places[c.Place] = c.First != ""
	}
	require.Equal(t, map[string]bool{"sink": true, "spans": true, "authenticator": true, "transport": true}, places)
	planted.check(t)
}

// observe runs the program and looks at everything that comes out.
func (p *program) observe(dbtel string) {
	t := p.t
	var written, messages bytes.Buffer
	exported, reader := tracetest.NewInMemoryExporter(), metric.NewManualReader()
	tracer, meter := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exported)), metric.NewMeterProvider(metric.WithReader(reader))
	panics := &tellingError{p.plant("panic of a filter", nowhere)}
	filter := otelsink.WithFilter(func(_ context.Context, s telemetry.StatementStart) bool {
		if s.Internal {
			panic(panics)
		}
		return true
	})
	tracing := otelsink.New(otelsink.WithTracerProvider(tracer), otelsink.WithMeterProvider(meter), filter)
	sinks := []telemetry.Sink{
		p.records, ndjson.New(&written), tracing, faulty{p.plant("panic of a sink", driverOnly)},
		logsink.New(slog.New(slog.NewJSONHandler(&messages, &slog.HandlerOptions{Level: slog.LevelDebug})), slog.LevelDebug, 0),
	}
	db := p.start(sinks)
	unregister := telemetry.RegisterPool(p.plant("pool", poolName), db)
	defer unregister()
	for _, sink := range sinks {
		if _, ok := sink.(faulty); !ok {
			show(sink)
		}
	}
	p.run(db)
	for _, c := range telemetry.Default.Connectors() {
		show(c, c.Info())
		for _, r := range c.Running() {
			planted.look(records, fmt.Sprintf("%+v", r))
		}
	}
	planted.look(variables, expvar.Get("databricks_telemetry").String())
	planted.look(stats, fmt.Sprintf("%+v", telemetry.ReadStats()))
	var measured metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &measured))
	show(db.Close(), db)
	require.NoError(t, reader.Collect(t.Context(), &measured))

	p.look()
	p.crawl("?window=all", "statements?outcome=failed", "shapes", "errors?window=all", "telemetry")
	for _, r := range p.records.list() {
		var all strings.Builder
		texts(reflect.ValueOf(r), map[uintptr]bool{}, &all)
		planted.look(records, all.String()+fmt.Sprintf("%v %+v %#v", r, r, r))
	}
	planted.look(lines, written.String())
	planted.look(logged, messages.String())
	for _, s := range exported.GetSpans() {
		planted.look(spans, fmt.Sprint(s.Name, s.Attributes, s.Status, s.Events, s.Links, s.Resource, s.InstrumentationScope))
		for _, a := range s.Attributes {
			planted.look(spans, string(a.Key)+"="+a.Value.String())
		}
	}
	b, err := json.Marshal(measured)
	require.NoError(t, err)
	planted.look(metrics, string(b))
	for _, r := range p.ws.Requests() {
		for _, secret := range []string{
			must(url.ParseQuery(r.Query)).Get("Signature"), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "),
		} {
			if secret != "" && !p.setting.full {
				require.NotContains(t, written.String()+messages.String(), secret)
			}
		}
	}
	if p.entry != wrap {
		require.NotEmpty(t, p.ws.Telemetry())
	}
	p.dbtel(dbtel, written.String())
	p.requests()
	show(tracing, meter)
	require.NoError(t, tracing.Close())
}

// dbtel runs the command on the lines.
func (p *program) dbtel(dbtel, written string) {
	file := filepath.Join(p.dir, "records.ndjson")
	require.NoError(p.t, os.WriteFile(file, []byte(written), 0o600))
	commands := [][]string{{"top", "-n", "1000"}, {"top", "-n", "1000", "--json"}, {"summary"}, {"summary", "--json"}, {"show", "slowest"}}
	n := 0
	for _, r := range p.records.list() {
		if s, ok := r.(*telemetry.Statement); ok && s.StatementID != "" {
			if n++; n%4 == 1 {
				commands = append(commands, []string{"show", s.StatementID}, []string{"show", "--json", s.StatementID})
			}
		}
	}
	for _, args := range commands {
		out, _ := exec.CommandContext(p.t.Context(), dbtel, append(args, file)...).CombinedOutput()
		planted.look(terminal, string(out))
	}
}

// requests looks at the requests that the workspace has received.
func (p *program) requests() {
	for _, r := range p.ws.Requests() {
		output := server
		switch {
		case p.entry == wrap: // the native driver reports there
		case strings.HasPrefix(r.Path, "/telemetry"):
			output = databricks
		case strings.Contains(r.Path, "feature-flags"):
			output = flag
		case strings.Contains(r.Path, "/sql/history"):
			output = history
		}
		header := r.Header.Clone()
		if output != server {
			header.Del("Authorization")
			header.Del("Proxy-Authorization")
		}
		planted.look(output, fmt.Sprint(r.Method, r.Path, r.Query, header)+string(r.Body))
		if output == databricks {
			var upload struct {
				ProtoLogs []string `json:"protoLogs"`
			}
			require.NoError(p.t, json.Unmarshal(r.Body, &upload))
			planted.look(output, strings.Join(upload.ProtoLogs, "\n"))
		}
	}
}

// look reads the pages of the statements that have ended since the latest look: the page keeps only the latest.
func (p *program) look() {
	show(telemetry.Flush(p.t.Context())) // the error says what still waits after the faults of the telemetry endpoint
	all := p.records.list()
	for _, r := range all[p.looked:] {
		if s, ok := r.(*telemetry.Statement); ok && s.StatementID != "" {
			p.crawl("statement?id=" + s.StatementID)
		}
	}
	p.looked = len(all)
}

// crawl reads pages of the debug page, in every form, and their headers.
func (p *program) crawl(paths ...string) {
	for _, path := range paths {
		for _, suffix := range []string{"", "format=json"} {
			if suffix != "" && strings.Contains(path, "?") {
				suffix = "&" + suffix
			} else if suffix != "" {
				suffix = "?" + suffix
			}
			w := httptest.NewRecorder()
			http.DefaultServeMux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/debug/databricks/"+path+suffix, nil))
			planted.look(page, fmt.Sprint(w.Header(), "\n", w.Body))
		}
	}
}

// memory keeps records.
type memory struct {
	mu  sync.Mutex
	all []any
}

func (m *memory) add(r any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, r)
}

func (m *memory) list() []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}

func (m *memory) StatementFinished(r *telemetry.Statement) { m.add(r) }
func (m *memory) SessionOpened(r *telemetry.SessionOpened) { m.add(r) }
func (m *memory) SessionClosed(r *telemetry.SessionClosed) { m.add(r) }
func (m *memory) ServerReported(r *telemetry.ServerReport) { m.add(r) }

// faulty is a sink that panics with a secret.
type faulty struct{ secret string }

func (f faulty) StatementFinished(*telemetry.Statement) { panic(&tellingError{f.secret}) }

// texts collects the strings that a value leads to.
func texts(v reflect.Value, seen map[uintptr]bool, to *strings.Builder) {
	switch v.Kind() {
	case reflect.String:
		to.WriteString(v.String() + "\n")
	case reflect.Pointer:
		if !v.IsNil() && !seen[v.Pointer()] {
			seen[v.Pointer()] = true
			texts(v.Elem(), seen, to)
		}
	case reflect.Interface:
		if !v.IsNil() {
			texts(v.Elem(), seen, to)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			texts(v.Field(i), seen, to)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			to.WriteString(string(v.Bytes()) + "\n")
			return
		}
		for i := range v.Len() {
			texts(v.Index(i), seen, to)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			texts(k, seen, to)
			texts(v.MapIndex(k), seen, to)
		}
	}
}

// show prints values as an application may.
func show(values ...any) {
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			planted.look(printed, fmt.Sprintf("%T "+verb, v, v))
		}
		if b, err := json.Marshal(v); err == nil {
			planted.look(printed, string(b))
		}
		planted.look(printed, slog.AnyValue(v).String())
	}
}
