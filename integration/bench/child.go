package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/bench/internal/report"
)

// order is a request of the parent to a child, and answer the child's reply: one line of JSON each.
// A child does one thing at a time and ends when its input ends, so none outlives the parent.
type order struct {
	Do       string `json:"do"`
	Target   target `json:"target,omitzero"`
	Workload string `json:"workload,omitempty"`
	Ops      int    `json:"ops,omitempty"`
}

type answer struct {
	Error    string         `json:"error,omitempty"`
	Target   target         `json:"target,omitzero"`
	Requests requests       `json:"requests,omitzero"`
	Block    block          `json:"block,omitzero"`
	Shares   []report.Share `json:"shares,omitempty"`
}

// target tells a client where the workspaces are and how large a result is there.
type target struct {
	Reads  string `json:"reads"`  // DSN; answers repeated queries from a cache
	Writes string `json:"writes"` // DSN; has a table to write to
	Slow   string `json:"slow"`   // DSN; each statement takes slowness
	Rows   int    `json:"rows"`
}

// obey answers orders until the input ends.
func obey(in io.Reader, out io.Writer, do func(order) (answer, error)) error {
	orders, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		a, err := do(o)
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

// whileParented passes its input on and ends the process some time after the input has ended: a
// busy child would not notice that its parent is gone.
func whileParented(in io.Reader) io.Reader {
	out, copied := io.Pipe()
	go func() {
		_, err := io.Copy(copied, in)
		_ = copied.CloseWithError(err)
		time.Sleep(patience)
		os.Exit(1)
	}()
	return out
}

// patience is how long a child may take to end.
const patience = 5 * time.Second

// child is a process the parent has started. It is used by one goroutine.
type child struct {
	name    string
	process *exec.Cmd
	orders  io.WriteCloser
	answers *json.Decoder
}

// start runs this program again, as the server or as a client. If cpu is 0 or more, the process is
// bound to that CPU.
func start(cpu int, role ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := append([]string{self}, role...)
	if cpu >= 0 {
		args = append([]string{"taskset", "-c", strconv.Itoa(cpu)}, args...)
	}
	c := &child{name: strings.Join(role, " "), process: exec.Command(args[0], args[1:]...)}
	c.process.Env = environment(os.Environ())
	c.process.Stderr = os.Stderr
	if c.orders, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.answers = json.NewDecoder(out)
	return c, c.process.Start()
}

// ask gives an order and waits for the answer.
func (c *child) ask(o order) (answer, error) {
	var a answer
	err := json.NewEncoder(c.orders).Encode(o)
	if err == nil {
		err = c.answers.Decode(&a)
	}
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		return a, fmt.Errorf("%s: %s %s: %w", c.name, o.Do, o.Workload, err)
	}
	return a, nil
}

// stop closes the child's input and kills the child if it does not end.
func (c *child) stop() error {
	_ = c.orders.Close()
	kill := time.AfterFunc(2*patience, func() { _ = c.process.Process.Kill() })
	defer kill.Stop()
	return c.process.Wait()
}

// environment is the parent's, without variables that would change the behavior of a driver or the
// Go runtime.
func environment(parent []string) []string {
	kept := []string{"GOMAXPROCS=1"}
	for _, variable := range parent {
		name, _, _ := strings.Cut(variable, "=")
		switch {
		case strings.HasPrefix(name, "DATABRICKS_"), strings.HasPrefix(name, "OTEL_"),
			name == "DO_NOT_TRACK", name == "GOGC", name == "GOMEMLIMIT", name == "GODEBUG", name == "GOMAXPROCS":
		default:
			kept = append(kept, variable)
		}
	}
	return kept
}

// separateCPUs returns a CPU for the server and one for the clients, or -1 for both if processes
// cannot be bound to a CPU.
func separateCPUs() (server, client int) {
	if runtime.NumCPU() < 2 {
		return -1, -1
	}
	for _, cpu := range []string{"0", "1"} {
		if exec.Command("taskset", "-c", cpu, "true").Run() != nil {
			return -1, -1
		}
	}
	return 0, 1
}
