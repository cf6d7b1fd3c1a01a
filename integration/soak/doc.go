// Package soak runs the wrapped driver for a long time, in large numbers and under faults, and
// compares the results with those of the native driver and with the counts of a sink.
//
//	soak      random programs on both drivers, with faults everywhere: the same results,
//	          every event accounted for, memory and goroutines constant
//	leaks     what is left after each way to use, misuse and break a connection
//	unclosed  rows that are never closed: counted, and kept in memory no longer than by the
//	          native driver alone
//	isolation authenticators and sinks that hang, panic or end their goroutine, and pools
//	          closed in turns: no other pool's events are late or missing
//	scale     5,000 connectors to 64 hosts in one process: memory, goroutines, requests
//	fleet     1,000 processes in fake time: the requests their service receives in each second
//
//	clock     steps of the wall clock while all that runs, in a build of the command clockstep:
//	          no duration and no wait follows them
//
// Each is a test, short by default, with flags for more:
//
//	go test -race -run TestSoak -v -timeout 0 . -soak 20m
//	UPDATE_SCALE=1 go test -run 'TestFleet|TestScale' .
//	go run ./clockstep test -race -run 'ClockSteps|TestSoak' -v -timeout 0 . -soak 20m
//
// The second writes the figures in docs/SCALE.md. The third is built with the tag clocksteps and a
// package time whose wall clock can be stepped.
package soak
