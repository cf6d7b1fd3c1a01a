// Package page views the debug page as an operator does: in a browser, for a process that uses the real
// driver. ARTIFACTS=dir keeps the pictures.
package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// find returns the key of the first statement a list has.
func (b *busy) find(t *testing.T, query string) string {
	var list struct {
		Statements []struct {
			Key string `json:"key"`
		} `json:"statements"`
	}
	b.read(t, "statements"+query, &list)
	if len(list.Statements) == 0 {
		return ""
	}
	return list.Statements[0].Key
}

// hasReport reports whether the query history has reported a statement.
func (b *busy) hasReport(t *testing.T, id string) bool {
	var page struct {
		Report any `json:"server_report"`
	}
	b.read(t, "statement?id="+id, &page)
	return page.Report != nil
}

func (b *busy) read(t *testing.T, path string, into any) {
	t.Helper()
	answer, err := http.Get(b.url + path + "&format=json")
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	require.NoError(t, json.NewDecoder(answer.Body).Decode(into))
}

type pageOf struct{ name, path string }

func (b *busy) pages() []pageOf {
	return []pageOf{
		{"overview", ""},
		{"statements", "statements"},
		{"problems", "statements?outcome=problem&min=soon"},
		{"statement", "statement?id=" + b.downloaded},
		{"running", "statement?id=" + b.running},
		{"failed", "statement?id=" + b.failed},
		{"slow", "statement?id=" + b.slow},
		{"reported", "statement?id=" + b.reported},
		{"telemetry", "telemetry"},
		{"shapes", "shapes"},
		{"errors", "errors"},
	}
}

func TestAnOperatorSeesABusyProcess(t *testing.T) {
	busy, browser := newBusy(t), newBrowser(t)

	t.Run("a pool under pressure stands out", func(t *testing.T) {
		browser.visit(t, busy.url)
		require.Contains(t, ask[string](t, browser, "document.querySelector('h1').textContent"), "of pool orders")
	})

	t.Run("every page fits every window and can be read in light and dark", func(t *testing.T) {
		for _, page := range busy.pages() {
			browser.visit(t, busy.url+page.path)
			for _, width := range []int64{390, 768, 1280, 2560} {
				for _, scheme := range []string{"light", "dark"} {
					where := fmt.Sprintf("%s-%d-%s", page.name, width, scheme)
					browser.look(t, width, scheme)
					require.LessOrEqual(t, ask[int64](t, browser, "document.documentElement.scrollWidth"),
						ask[int64](t, browser, "document.documentElement.clientWidth"), "%s scrolls sideways", where)
					require.Empty(t, ask[[]string](t, browser, poorContrast), where)
					require.Empty(t, ask[[]string](t, browser, collisions), where)
					browser.picture(t, where, width, 6000)
				}
			}
		}
		browser.look(t, 1280, "light")
		browser.visit(t, busy.url)
		require.LessOrEqual(t, ask[int64](t, browser, "document.documentElement.scrollHeight"), int64(twoScreens), "the overview is longer than two screens")
		browser.quiet(t)
	})

	t.Run("on a phone tables are cards, which do not scroll sideways", func(t *testing.T) {
		for _, page := range busy.pages() {
			browser.visit(t, busy.url+page.path)
			browser.look(t, 390, "light")
			browser.do(t, chromedp.Evaluate("document.querySelectorAll('details:not(.document)').forEach(d => d.open = true)", nil))
			require.Empty(t, ask[[]string](t, browser, "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.ariaLabel)"), page.name)
			require.Empty(t, ask[[]string](t, browser, "[...document.querySelectorAll('.statements thead, .shapes thead')].filter(e => e.checkVisibility() && !e.querySelector('a')).map(e => e.textContent)"),
				"%s says “Sort by” and no order", page.name)
			browser.picture(t, page.name+"-390-unfolded", 390, 9000)
		}
	})

	t.Run("long durations stay beside the bars", func(t *testing.T) {
		for _, width := range []int64{1000, 1280, 2560} {
			browser.look(t, width, "light")
			browser.visit(t, busy.url+"statements")
			require.Empty(t, ask[[]string](t, browser, "document.querySelectorAll('td.total').forEach(c => c.textContent = '119 min 59 s …'), "+collisions), width)
		}
	})

	t.Run("the pictures of the documentation", func(t *testing.T) {
		for _, scheme := range []string{"light", "dark"} {
			browser.look(t, 1280, scheme)
			browser.visit(t, busy.url+"statement?id="+busy.downloaded)
			browser.picture(t, "debug-page-statement-"+scheme, 1280, 1200)
			browser.visit(t, busy.url)
			browser.picture(t, "debug-page-overview-"+scheme, 1280, 1300)
		}
		browser.look(t, 1280, "light")
	})

	t.Run("nothing needs a script", func(t *testing.T) {
		browser.do(t, emulation.SetScriptExecutionDisabled(true))
		defer browser.do(t, emulation.SetScriptExecutionDisabled(false))
		browser.visit(t, busy.url+"statements?outcome=completed")
		var heading string
		browser.do(t,
			chromedp.SetValue(`input[name=min]`, "500ms", chromedp.ByQuery),
			chromedp.Click(`form button`, chromedp.ByQuery), chromedp.WaitReady(`input[name=min][value="500ms"]`, chromedp.ByQuery),
			chromedp.Click(`table.statements a.id`, chromedp.ByQuery), chromedp.WaitReady("svg.bars", chromedp.ByQuery),
			chromedp.Click(`details.document summary`, chromedp.ByQuery), chromedp.WaitVisible(`details[open] pre`, chromedp.ByQuery),
			chromedp.Text("h1", &heading, chromedp.ByQuery))
		require.Contains(t, heading, "-bound")
		browser.quiet(t)
	})

	t.Run("the keyboard goes down the page in the order it is read", func(t *testing.T) {
		browser.visit(t, busy.url+"statements")
		previous := -1e9
		for step := range 14 {
			browser.do(t, chromedp.KeyEvent(kb.Tab))
			at := ask[struct {
				Tag     string
				Top     float64
				Outline string
			}](t, browser, `(() => { const e = document.activeElement, s = getComputedStyle(e);
				return {Tag: e.tagName, Top: e.getBoundingClientRect().top, Outline: s.outlineStyle} })()`)
			require.NotEqual(t, "BODY", at.Tag, "nothing has the focus after %d steps", step+1)
			require.NotEqual(t, "none", at.Outline, "the focus on %s is not visible", at.Tag)
			require.GreaterOrEqual(t, at.Top+40, previous, "the focus goes up again at %s", at.Tag)
			previous = at.Top
		}
	})

	t.Run("a statement that runs is drawn open-ended", func(t *testing.T) {
		browser.visit(t, busy.url+"statement?id="+busy.running)
		require.Positive(t, ask[int64](t, browser, "document.querySelectorAll('.bars path').length"))
	})

	t.Run("the server's lane opens into its phases where the query history reported them", func(t *testing.T) {
		const note = "drawn in their usual order"
		for _, width := range []int64{390, 1280} {
			browser.look(t, width, "light")
			browser.visit(t, busy.url+"statement?id="+busy.reported)
			names := ask[[]string](t, browser, laneNames)
			require.Subset(t, names, []string{"execute", "server", "compute", "compile"})
			require.Equal(t, []string{"server", "compute", "compile", "execute"}, names[2:6], "below call and execute")
			require.Empty(t, ask[[]string](t, browser, outsideServer))
			text := ask[string](t, browser, "document.querySelector('main').innerText")
			require.Contains(t, text, note)
			require.Contains(t, text, "for the warehouse to start")
			require.NotContains(t, text, "telemetry_query_history")

			browser.visit(t, busy.url+"statement?id="+busy.slow)
			require.NotContains(t, ask[[]string](t, browser, laneNames), "server")
			text = ask[string](t, browser, "document.querySelector('main').innerText")
			require.NotContains(t, text, note)
			require.Contains(t, text, "telemetry_query_history=slow")
			require.Contains(t, ask[string](t, browser, "document.querySelector('.advice a').href"), "/sql/history?queryId="+busy.slow)
		}
		browser.look(t, 1280, "light")
		browser.quiet(t)
	})

	t.Run("hostile text stays text", func(t *testing.T) {
		browser.visit(t, busy.url+"statements?q=hostile")
		require.Zero(t, ask[int64](t, browser, "document.scripts.length"))
		browser.quiet(t)
	})
}

// laneNames are the names beside the timeline, from top to bottom; outsideServer lists bars of phases that
// are not within the bar of the server, or not one after the other.
const (
	laneNames     = `[...document.querySelectorAll('.names text')].filter(e => e.getClientRects().length).map(e => e.textContent)`
	outsideServer = `(() => {
		const at = e => e.querySelector('rect').getBoundingClientRect(), bars = [...document.querySelectorAll('.bars .bar')];
		const server = at(bars.find(b => b.textContent.trim().startsWith('server:')));
		let end = server.left;
		return bars.filter(b => b.querySelector('.compute, .compiling, .executing')).filter(b => {
			const r = at(b), wrong = Math.abs(r.left - end) > 2 || r.right > server.right + 2;
			end = r.right;
			return wrong;
		}).map(b => b.textContent);
	})()`
)

// poorContrast lists texts whose contrast with their background is less than the 4.5 to 1 of WCAG's AA.
// The background of a text in a picture is the bar that contains it.
const poorContrast = `(() => {
	const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
	const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data] };
	const light = ([r, g, b]) => { const f = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; return .2126 * f(r) + .7152 * f(g) + .0722 * f(b) };
	const over = (top, a, bottom) => top.map((v, i) => i < 3 ? v * a + bottom[i] * (1 - a) : 255);
	const behind = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c } return [255, 255, 255, 255] };
	const poor = new Set();
	for (const e of document.querySelectorAll('body *')) {
		const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
		if (!own || !e.getClientRects().length || ['TITLE', 'title', 'desc', 'STYLE'].includes(e.tagName)) continue;
		const style = getComputedStyle(e), svg = e instanceof SVGElement;
		let ground = behind(svg ? e.ownerSVGElement.closest('figure') || e.ownerSVGElement : e);
		if (svg && e.classList.contains('label')) {
			const bars = [...e.parentElement.querySelectorAll('rect.fill')];
			const bar = bars.find(b => b.classList.contains('tint') === e.classList.contains('tinted'));
			const s = getComputedStyle(bar);
			ground = over(rgba(s.fill), Number(s.opacity), ground);
			if (e.parentElement.querySelector('.outline')) continue; // hatched; its title and the tables say the same
		}
		const ink = rgba(svg ? style.fill : style.color), a = light(ink), b = light(ground);
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < 4.5) poor.add(e.tagName + '.' + (e.getAttribute('class') || '') + ' ' + e.textContent.trim().slice(0, 20) + ' ' + ratio.toFixed(2));
	}
	return [...poor];
})()`
