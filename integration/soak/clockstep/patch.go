package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
)

// step is the file that is added to package time.
const step = `package time

import "sync/atomic"

var wallOffset atomic.Int64 // nanoseconds

// StepWall moves the wall clock of this process by a duration.
func StepWall(by Duration) { wallOffset.Add(int64(by)) }

// stepped applies the offset to what the runtime reads from its clocks.
func stepped(sec int64, nsec int32, mono int64) (int64, int32, int64) {
	ns := wallOffset.Load() + int64(nsec)
	sec, ns = sec+ns/1e9, ns%1e9
	if ns < 0 {
		sec, ns = sec-1, ns+1e9
	}
	return sec, int32(ns), mono
}
`

// patch changes time.go of package time so that the clock readings of Now pass through stepped.
func patch(source []byte) ([]byte, error) {
	const read = "runtimeNow"
	file, err := parser.ParseFile(token.NewFileSet(), "time.go", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	now := function(file, "Now")
	if now == nil {
		return nil, errors.New("func Now not found")
	}
	calls := callsOf(now, read)
	if len(calls) != 1 {
		return nil, fmt.Errorf("func Now calls %s %d times, not once: this version of Go reads the clock in another way", read, len(calls))
	}
	from, to := calls[0].Pos()-file.FileStart, calls[0].End()-file.FileStart
	patched := append([]byte{}, source[:from]...)
	patched = append(patched, "stepped("...)
	patched = append(patched, source[from:to]...)
	patched = append(patched, ')')
	return append(patched, source[to:]...), nil
}

// function finds a function, not a method, of that name.
func function(file *ast.File, name string) *ast.FuncDecl {
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == name && f.Body != nil {
			return f
		}
	}
	return nil
}

func callsOf(in *ast.FuncDecl, name string) (calls []*ast.CallExpr) {
	ast.Inspect(in, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			if f, ok := c.Fun.(*ast.Ident); ok && f.Name == name {
				calls = append(calls, c)
			}
		}
		return true
	})
	return calls
}
