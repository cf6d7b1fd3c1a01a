// Command bench measures what the wrapped driver costs, paired with the bare native one.
//
//	go run .                    every workload and variant, then docs/BENCHMARKS.md
//	go run . -short             a minute: prints, and fails on allocations beyond their limits
//	go run . -run 'OneRow|Exec' -variants native,ours
//	go run . -report            rewrites the report from the raw results at hand
//
// It starts itself again, several times:
//
//	          ┌── server    the simulated workspace; counts requests
//	parent ───┼── client    native          ┐
//	(waits)   ├── client    native again    │ one process per variant, one at work at a time
//	          └── client    ours, ...       ┘
//
// A round runs one block of statements in each client, a fraction of a second long, in random
// order; the next round goes through them backwards. A ratio is taken within a round, between
// blocks that ran within seconds of each other, so that a machine that slows down slows both.
// Clients are restarted after a few rounds, because the memory layout of a process alone can change
// its time by a percent.
//
// A process per variant keeps them apart: a goroutine, a timer or an allocation counts for the
// variant that made it, whenever it runs. The server and the clients are each bound to one CPU
// (GOMAXPROCS=1), so that background work cannot use an idle CPU: it takes time from the statements
// and becomes visible.
//
// A client measures its own wall time, CPU time and allocations (client.go); the server counts its
// requests. The raw results are files for benchstat, one per variant. Package report makes the
// tables, the verdict and the pictures from these files alone.
package main
