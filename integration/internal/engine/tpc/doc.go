// Package tpc contains only tests: the queries of TPC-H, each checked against values that Go
// computes from the same rows, and those of TPC-DS, which must run. The tests generate the data:
// small, always the same, and such that the constants in the queries select rows.
package tpc
