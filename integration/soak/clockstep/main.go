// Command clockstep runs a go command on a program whose wall clock can be stepped:
//
//	go run ./clockstep test -run TestSoak . -soak 5m
//
// runs go test with the build tag clocksteps and an overlay that adds a function to package time:
//
//	// StepWall moves the wall clock of this process by a duration.
//	func StepWall(by Duration)
//
// All code of the program sees the step, as it would see one of CLOCK_REALTIME: time.Now reads
// another wall time and the same monotonic time. Timers, contexts and time.Since do not notice it,
// and the clock of the machine stays as it is.
//
// The overlay is made of the toolchain's own source when the command runs, in a temporary folder.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// tag is the build tag of files that call time.StepWall.
const tag = "clocksteps"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: clockstep test|build|vet [arguments of the go command]")
		os.Exit(2)
	}
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // the go command receives it, too, and ends
	err := run(".", os.Args[1], os.Args[2:])
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "clockstep:", err)
		os.Exit(1)
	}
}

// run runs a go command in a folder.
func run(dir, command string, args []string) error {
	temporary, err := os.MkdirTemp("", "clockstep-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temporary) }()
	tools, err := findToolchain(dir, temporary)
	if err != nil {
		return err
	}
	overlay, err := tools.writeOverlay(temporary)
	if err != nil {
		return err
	}
	cmd := exec.Command(tools.command, slices.Concat([]string{command, "-tags", tag, "-overlay", overlay}, args)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), tools.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}

// toolchain is the Go that builds a folder.
type toolchain struct {
	command string // its go command
	goroot  string
	env     []string // what the command needs besides the environment
}

// findToolchain asks the go command which toolchain builds a folder. The go command accepts no
// overlay for files in the module cache, where it keeps a downloaded toolchain, so such a toolchain
// is used through a link in a temporary folder.
func findToolchain(dir, temporary string) (toolchain, error) {
	cmd := exec.Command("go", "env", "GOROOT", "GOMODCACHE")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return toolchain{}, err
	}
	goroot, cache, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if !strings.HasPrefix(goroot, cache+string(filepath.Separator)) {
		return toolchain{command: "go", goroot: goroot}, nil
	}
	link := filepath.Join(temporary, "goroot")
	return toolchain{
		command: filepath.Join(link, "bin", "go"), goroot: link, env: []string{"GOROOT=" + link, "GOTOOLCHAIN=local"},
	}, os.Symlink(goroot, link)
}

// writeOverlay writes the files of the overlay into a folder, and returns the name of the one that
// lists them.
func (t toolchain) writeOverlay(into string) (string, error) {
	pkg := filepath.Join(t.goroot, "src", "time")
	original := filepath.Join(pkg, "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	patched, err := patch(source)
	if err != nil {
		return "", fmt.Errorf("%s: %w", original, err)
	}
	replacements := map[string]string{}
	for name, text := range map[string][]byte{"time.go": patched, "clockstep.go": []byte(step)} {
		replacements[filepath.Join(pkg, name)] = filepath.Join(into, name)
		if err := os.WriteFile(filepath.Join(into, name), text, 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replacements})
	if err != nil {
		return "", err
	}
	name := filepath.Join(into, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}
