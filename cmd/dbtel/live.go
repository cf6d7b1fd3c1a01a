package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// drawAgain is how often the table is drawn at most.
const drawAgain = 250 * time.Millisecond

// live shows the ranking on the whole terminal and keeps it up to date. When it is
// interrupted, the terminal is as it was, and has the table once.
func (c *call) live(ctx context.Context, list *ranking) error {
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, err := c.input.open(reading, c.args)
	if err != nil {
		return err
	}
	c.input.complaints.hush = true
	_, _ = c.out.WriteString(control(enterFullView))
	err = c.redraw(ctx, list, messages)
	_, _ = c.out.WriteString(control(leaveFullView))
	list.print(c.out, c.screen)
	return err
}

// redraw draws until ctx is done, what is read ends, or it cannot.
func (c *call) redraw(ctx context.Context, list *ranking, messages <-chan message) error {
	ticker := time.NewTicker(drawAgain)
	defer ticker.Stop()
	changed := true
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, more := <-messages:
			if !more || ctx.Err() != nil {
				return nil
			}
			record, err := c.input.accept(m)
			if err != nil {
				return err
			}
			_ = list.take(record)
			changed = true
		case <-ticker.C:
			before := c.screen
			c.screen.resize(c.stdout)
			if !changed && c.screen == before {
				continue
			}
			changed = false
			if _, err := c.out.Write(c.frame(list)); err != nil {
				return err
			}
			if err := c.out.Flush(); err != nil {
				return err
			}
		}
	}
}

// frame is one picture: as many lines as there is room for, each erased to its end, so that
// nothing flickers.
func (c *call) frame(list *ranking) []byte {
	var b bytes.Buffer
	names := strings.Join(c.args, ", ")
	head := fmt.Sprintf("%s · %s", or(names, "standard input"), time.Now().Format("15:04:05"))
	if n := c.input.complaints.n; n > 0 {
		head += fmt.Sprintf(" · %s left out", format.Plural(n, "broken line"))
	}
	b.WriteString(c.screen.paint(bold, fit(clean(head), c.screen.width)) + "\n")
	shown := *list
	shown.statements = shown.statements[:min(len(shown.statements), max(1, c.screen.height-5))]
	shown.print(&b, c.screen)
	text := strings.ReplaceAll(b.String(), "\n", control(eraseLine+"\r")+"\n")
	return []byte(control(cursorHome) + text + control(eraseBelow))
}
