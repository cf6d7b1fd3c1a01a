package main

import (
	"runtime"
	"syscall"
	"time"
)

// usage is what the process has used since it was started.
type usage struct {
	cpu           time.Duration
	allocs, bytes uint64
}

func take() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{cpu: cpuTime(), allocs: m.Mallocs, bytes: m.TotalAlloc}
}

func (u usage) since(before usage) usage {
	return usage{cpu: u.cpu - before.cpu, allocs: u.allocs - before.allocs, bytes: u.bytes - before.bytes}
}

// cpuTime is user and system time of all the process's threads.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
