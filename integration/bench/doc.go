// Command bench measures what the wrapped driver costs, paired with the bare native one.
//
//	go run .                    every workload and variant, then docs/BENCHMARKS.md
//	go run . -short             a minute: prints, and fails on gross regressions
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
// A round runs one block of statements in each client, a fraction of a second long, in
// random order; the next round goes through them backwards. A ratio is taken within a round,
// between blocks that ran within seconds of each other, so that a machine that slows down
// slows both. Clients live for a few rounds and are then started afresh, because where a
// process happens to lie in memory is worth a percent, too.
//
// A process per variant keeps them apart: a goroutine, a timer or an allocation counts for
// the variant that made it, whenever it runs. Server and clients are kept on a CPU each
// (GOMAXPROCS=1), so that work in the background has no idle CPU to hide on: it takes time
// from the statements, and shows.
//
// What a client measures about itself (client.go) is wall time, CPU time of the process, and
// allocations; what it has asked for, the server counts. The raw results are files for
// benchstat, one per variant; package report makes the tables, the verdict and the pictures
// of them and of nothing else.
package main
