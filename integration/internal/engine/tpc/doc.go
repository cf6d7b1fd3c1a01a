// Package tpc holds nothing but tests: the queries of TPC-H, each checked against values that
// Go computes from the same rows, and those of TPC-DS, which must run. The data is made here,
// small, always the same, and such that the constants in the queries select something.
package tpc
