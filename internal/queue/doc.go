// Package queue is the queue in front of a slow receiver: a sink or Databricks. It keeps items in the
// order of arrival, numbers them, and decides which item is dropped when there is no room.
//
//	Push ──▶ successes ─┐
//	    └──▶ failures  ─┴─▶ Pop    the oldest of both
//	                    └─▶ Evict  the oldest success, or else the oldest failure
//
// Push, Pop and Evict take constant time, because they may run on an application's goroutine.
package queue
