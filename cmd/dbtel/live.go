package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// redrawInterval is the shortest time between two drawings of the table.
const redrawInterval = 250 * time.Millisecond

// live shows the ranking on the whole terminal and keeps it up to date. When interrupted, it restores
// the terminal and prints the table once.
func (inv *invocation) live(ctx context.Context, list *ranking) error {
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	results, err := inv.input.open(reading, inv.args)
	if err != nil {
		return err
	}
	inv.input.lineErrors.quiet = true
	_, _ = inv.out.WriteString(control(enterFullView))
	err = inv.redraw(ctx, list, results)
	_, _ = inv.out.WriteString(control(leaveFullView))
	list.print(inv.out, inv.screen)
	return err
}

// redraw draws until ctx is done, the input ends, or reading or writing fails.
func (inv *invocation) redraw(ctx context.Context, list *ranking, results <-chan result) error {
	ticker := time.NewTicker(redrawInterval)
	defer ticker.Stop()
	changed := true
	for {
		select {
		case <-ctx.Done():
			return nil
		case r, more := <-results:
			if !more || ctx.Err() != nil {
				return nil
			}
			if err := inv.input.deliver(r, list.add); err != nil {
				return err
			}
			changed = true
		case <-ticker.C:
			before := inv.screen
			inv.screen.resize(inv.stdout)
			if !changed && inv.screen == before {
				continue
			}
			changed = false
			if _, err := inv.out.Write(inv.frame(list)); err != nil {
				return err
			}
			if err := inv.out.Flush(); err != nil {
				return err
			}
		}
	}
}

// frame returns one drawing, of as many lines as fit. Each line is erased to its end after it is
// written, which avoids flicker.
func (inv *invocation) frame(list *ranking) []byte {
	var b bytes.Buffer
	names := strings.Join(inv.args, ", ")
	head := fmt.Sprintf("%s · %s", cmp.Or(names, "standard input"), time.Now().Format("15:04:05"))
	if n := inv.input.lineErrors.n; n > 0 {
		head += fmt.Sprintf(" · %s skipped", format.Plural(n, "broken line"))
	}
	b.WriteString(inv.screen.paint(bold, truncate(clean(head), inv.screen.width)) + "\n")
	shown := *list
	shown.statements = shown.statements[:min(len(shown.statements), max(1, inv.screen.height-4-len(wrap(list.heading(), inv.screen.width))))]
	shown.print(&b, inv.screen)
	text := strings.ReplaceAll(b.String(), "\n", control(eraseLine+"\r")+"\n")
	return []byte(control(cursorHome) + text + control(eraseBelow))
}
