package page

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
)

// browser is a Chromium whose console messages and exceptions are recorded.
type browser struct {
	ctx context.Context

	mu       sync.Mutex
	messages []string // guarded by mu
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	binary, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("REQUIRE_TOOLS") == "1" {
			t.Fatal("chromium is not in PATH, and REQUIRE_TOOLS=1 asks for it")
		}
		t.Skip("chromium is not in PATH")
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(binary), chromedp.NoSandbox, chromedp.WSURLReadTimeout(time.Minute))...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	b := &browser{ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e := event.(type) {
		case *cdplog.EventEntryAdded:
			b.messages = append(b.messages, e.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			b.messages = append(b.messages, "console."+e.Type.String())
		case *runtime.EventExceptionThrown:
			b.messages = append(b.messages, e.ExceptionDetails.Error())
		}
	})
	require.NoError(t, chromedp.Run(ctx, cdplog.Enable(), runtime.Enable())) // the browser runs as long as this context
	return b
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	defer context.AfterFunc(eventually.Context(t), cancel)()
	require.NoError(t, chromedp.Run(ctx, actions...))
}

// visit opens an address.
func (b *browser) visit(t *testing.T, address string) {
	t.Helper()
	b.do(t, chromedp.Navigate(address), chromedp.WaitReady("main"))
}

// look gives the window a width and a color scheme.
func (b *browser) look(t *testing.T, width int64, scheme string) {
	t.Helper()
	b.do(t,
		emulation.SetDeviceMetricsOverride(width, max(width*10/16, 700), 1, width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// ask evaluates an expression. The page's policy allows no scripts in the page; this one is the
// debugger's.
func ask[T any](t *testing.T, b *browser, expression string) (answer T) {
	t.Helper()
	b.do(t, chromedp.Evaluate(expression, &answer))
	return answer
}

// picture saves what the window shows, down to limit, in the folder ARTIFACTS.
func (b *browser) picture(t *testing.T, name string, width, limit int64) {
	t.Helper()
	dir := os.Getenv("ARTIFACTS")
	if dir == "" {
		return // whether it can be drawn is known from the visit
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	height := min(limit, ask[int64](t, b, "document.documentElement.scrollHeight"))
	var png []byte
	b.do(t, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).
			WithClip(&page.Viewport{Width: float64(width), Height: float64(height), Scale: 1}).Do(ctx)
		if err == nil && len(png) == 0 {
			err = errors.New("an empty picture")
		}
		return err
	}))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
}

func (b *browser) quiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(t, b.messages, "the browser reported errors")
}
