// Package soak runs the wrapped driver for long, in numbers and under fire, and holds what
// comes of it against the bare driver and against the books.
//
//	soak      random programs on both drivers, with faults everywhere: the same results,
//	          every event accounted for, memory and goroutines flat
//	leaks     what is left after each way to use, misuse and break a connection
//	unclosed  rows that nobody closes: counted, and kept alive no longer than without us
//	rogue     authenticators and sinks that hang, panic or end their goroutine, and pools
//	          closed in turns: nobody else's events are late or missing
//	scale     5,000 connectors to 64 hosts in one process: memory, goroutines, requests
//	fleet     1,000 processes in fake time: what their service receives, second by second
//
// Each is a test, short by default, with flags for more:
//
//	go test -race -run TestSoak -v -timeout 0 . -soak 20m
//	UPDATE_SCALE=1 go test -run 'TestFleet|TestScale' .
//
// The second writes the figures in docs/SCALE.md.
package soak
