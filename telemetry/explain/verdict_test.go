package explain_test

import (
	"cmp"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

const second = time.Second

func known[T any](v T) telemetry.Maybe[T] { return telemetry.Known(v) }

// observed is in a record whose requests to Databricks were observed.
var observed = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}}

// executed is the call of a statement that was answered at once.
var executed = telemetry.Call{Method: "ExecuteStatement", FirstByte: known(second / 10), End: known(second / 10), Status: 200, Attempts: 1}

func polls(n int64) telemetry.Maybe[telemetry.Polling] {
	return known(telemetry.Polling{Calls: n})
}

// rpcs are the sums of a statement that called one method besides ExecuteStatement.
func rpcs(more ...telemetry.RPC) []telemetry.RPC { return append(observed[:1:1], more...) }

const requestID = "0a1b2c3d-0000-4000-8000-000000000001"

func TestVerdictsSayWhatTheRecordProves(t *testing.T) {
	type split = telemetry.Split
	for name, c := range map[string]struct {
		of               telemetry.Statement
		sentence, advice string // all of the sentence, and words of the advice
	}{
		"nothing passed": {},
		"a record without parts": {
			telemetry.Statement{Total: second, RPCs: observed},
			"unknown: 100 % of 1.0 s in parts that the record does not have", "older version",
		},
		"what is left of the parts": {
			telemetry.Statement{Total: second, RPCs: observed, Split: split{telemetry.PartServer: second / 10}},
			"unknown: 90 % of 1.0 s not observed: a message or the link of a file was not seen or not understood, or what the driver did without a request could not be told (signing in, a pause, decoding, a transfer)", "query history",
		},
		"behind Wrap": {
			telemetry.Statement{Total: second, Split: split{telemetry.PartUnknown: second}},
			"unknown: 100 % of 1.0 s not observed: behind driverwrap.Wrap, what the driver waits for cannot be told apart", "driverwrap.NewConnector",
		},

		// The server.
		"server, direct results": {
			telemetry.Statement{Total: 1600 * time.Millisecond, RPCs: observed, State: "FINISHED", Polling: polls(0), Split: split{telemetry.PartServer: 1500 * time.Millisecond, telemetry.PartNetwork: 100 * time.Millisecond}},
			"server-bound: 94 % of 1.6 s waiting for the server, as seen on the wire", "query profile",
		},
		"a part beside which there is little": {
			telemetry.Statement{Total: 10 * second, RPCs: observed, State: "FINISHED", Split: split{telemetry.PartServer: 9960 * time.Millisecond, telemetry.PartNetwork: 40 * time.Millisecond}},
			"server-bound: >99 % of 10 s waiting for the server, as seen on the wire", "query profile",
		},
		"server, as it reports": {
			telemetry.Statement{Total: 10 * second, RPCs: observed, State: "FINISHED", ServerTime: known(8 * second), Split: split{telemetry.PartServer: 8 * second, telemetry.PartPoll: 2 * second}},
			"server-bound: 80 % of 10 s waiting for the server, which reports 8.0 s of work", "query profile",
		},
		"no answer yet": {
			telemetry.Statement{Total: 15 * time.Minute, Outcome: telemetry.OutcomeRunning, RPCs: observed, Calls: []telemetry.Call{{Method: "ExecuteStatement", Attempts: 1}}, Split: split{telemetry.PartServer: 15 * time.Minute}},
			"server-bound: 100 % of 15 min 00 s waiting for the server: no byte of an answer to ExecuteStatement for 15 min 00 s", "warehouse that is starting or full",
		},
		"no answer until the client gave up": {
			telemetry.Statement{
				Total: 4 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{}, RPCs: observed, Split: split{telemetry.PartServer: 4 * second},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", Attempts: 1, End: known(4 * second), Failed: true}},
			},
			"server-bound: 100 % of 4.0 s waiting for the server: no byte of an answer to ExecuteStatement for 4.0 s", "deadline",
		},
		"no answer to the second attempt": {
			telemetry.Statement{
				Total: 10 * second, Outcome: telemetry.OutcomeRunning, RPCs: observed, Split: split{telemetry.PartServer: 8 * second, telemetry.PartRetry: 2 * second},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", Attempts: 2, Retried: []telemetry.Attempt{{End: 2 * second, Status: 503}}}},
			},
			"server-bound: 80 % of 10 s waiting for the server: no byte of an answer to ExecuteStatement for 8.0 s", "deadline",
		},
		"no answer to the latest of more attempts than are listed": {
			telemetry.Statement{
				Total: 60 * second, Outcome: telemetry.OutcomeRunning, RPCs: observed, Split: split{telemetry.PartServer: 55 * second, telemetry.PartRetry: 5 * second},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", Attempts: 40, Retried: []telemetry.Attempt{{End: 2 * second, Status: 503}}, Latest: 57 * second}},
			},
			"server-bound: 92 % of 60 s waiting for the server: no byte of an answer to ExecuteStatement for 3.0 s", "deadline",
		},
		"running after three polls": {
			telemetry.Statement{
				Total: 4 * second, Outcome: telemetry.OutcomeRunning, State: "RUNNING", RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 3}), Polling: polls(3), Split: split{telemetry.PartServer: 4 * second},
				Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1), call("GetOperationStatus", 2000, 2010, -1), call("GetOperationStatus", 3000, 3010, -1)},
			},
			"server-bound: 100 % of 4.0 s waiting for the server: still RUNNING at poll 3", "query profile",
		},
		"the fourth poll is under way": {
			telemetry.Statement{
				Total: 8 * second, Outcome: telemetry.OutcomeRunning, State: "PENDING", RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1}), Polling: polls(1), Split: split{telemetry.PartServer: 8 * second},
				Calls: []telemetry.Call{executed, call("GetOperationStatus", 7000, -1, -1)},
			},
			"server-bound: 100 % of 8.0 s waiting for the server: still PENDING in the answer to ExecuteStatement", "query profile",
		},
		"a poll without an answer": {
			telemetry.Statement{
				Total: 8 * second, Outcome: telemetry.OutcomeRunning, State: "RUNNING", RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1}), Polling: polls(1), Split: split{telemetry.PartServer: 8 * second},
				Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, -1, -1)},
			},
			"server-bound: 100 % of 8.0 s waiting for the server: no byte of an answer to GetOperationStatus for 7.0 s", "beyond a deadline",
		},
		"more polls than are listed": {
			telemetry.Statement{Total: 80 * second, Outcome: telemetry.OutcomeRunning, State: "RUNNING", RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 70}), Polling: polls(70), Calls: []telemetry.Call{executed}, Split: split{telemetry.PartServer: 80 * second}},
			"server-bound: 100 % of 80 s waiting for the server: still RUNNING at poll 69 or later", "query profile",
		},
		"a statement that the server no longer knew": {
			telemetry.Statement{
				Total: 3 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryConnection, SQLState: "08000"}, State: "RUNNING", Polling: polls(3), Split: split{telemetry.PartServer: 3 * second},
				RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 3, LastStatus: 200}),
				Calls: []telemetry.Call{
					executed, call("GetOperationStatus", 1000, 1010, -1), call("GetOperationStatus", 2000, 2010, -1),
					{Method: "GetOperationStatus", Start: 2900 * time.Millisecond, FirstByte: known(3 * second), End: known(3 * second), Status: 200, Failed: true, Attempts: 1},
				},
			},
			"server-bound: 100 % of 3.0 s waiting for the server, which had not finished: last seen RUNNING at poll 2", "answered a later call with an error",
		},
		"canceled while the server worked": {
			telemetry.Statement{
				Total: 4 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{}, State: "RUNNING", RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 3}), Polling: polls(3), Split: split{telemetry.PartServer: 3 * second, telemetry.PartClose: second},
				Calls: []telemetry.Call{
					executed, call("GetOperationStatus", 1000, 1010, -1), call("GetOperationStatus", 2000, 2010, -1),
					{Method: "GetOperationStatus", Start: 2900 * time.Millisecond, End: known(3 * second), Failed: true, Attempts: 1}, call("CancelOperation", 3000, 3900, -1),
				},
			},
			"server-bound: 75 % of 4.0 s waiting for the server, which had not finished: last seen RUNNING at poll 2", "query profile",
		},
		"a request that was refused": {
			telemetry.Statement{
				Total: 3 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, Split: split{telemetry.PartServer: 3 * second},
				RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 403, FailedStatus: 403}},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", FirstByte: known(3 * second), End: known(3 * second), Status: 403, Failed: true, Attempts: 1, RequestID: requestID}},
			},
			"server-bound: 100 % of 3.0 s waiting for the server, as seen on the wire; ExecuteStatement failed, last status 403", "refused access: look at the credential, and at network rules. Databricks support can look up the request " + requestID,
		},
		"a connection that broke": {
			telemetry.Statement{
				Total: 4 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, RPCs: observed, Split: split{telemetry.PartServer: 4 * second},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", Attempts: 1, End: known(4 * second), Failed: true}},
			},
			"server-bound: 100 % of 4.0 s waiting for the server: no byte of an answer to ExecuteStatement for 4.0 s; ExecuteStatement failed, last without a complete answer", "No complete answer came",
		},
		"a request that was not sent": {
			telemetry.Statement{
				Total: 4 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}, Split: split{telemetry.PartNetwork: 4 * second},
				RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Latency: 4 * second}},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", Attempts: 1, End: known(4 * second), Failed: true}},
			},
			"network-bound: 100 % of 4.0 s in none of the other parts: the network, and the driver itself; ExecuteStatement failed, last without a complete answer", "The request was not sent: look at the credential",
		},
		"a status call that failed, beyond those that are listed": {
			telemetry.Statement{
				Total: 80 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, State: "RUNNING", Polling: polls(70), Split: split{telemetry.PartServer: 80 * second},
				RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 70, LastStatus: 404, FailedStatus: 404}), Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1)},
			},
			"server-bound: 100 % of 80 s waiting for the server, which had not finished: last seen RUNNING at poll 69; GetOperationStatus failed, last status 404", "error of the statement",
		},
		"what the driver asks after a status call that failed": {
			telemetry.Statement{
				Total: 8 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, State: "RUNNING", Polling: polls(2), Split: split{telemetry.PartServer: 8 * second},
				RPCs:  rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 2, LastStatus: 404, FailedStatus: 404}, telemetry.RPC{Method: "GetResultSetMetadata", Calls: 1, LastStatus: 500, FailedStatus: 500}),
				Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1)},
			},
			"server-bound: 100 % of 8.0 s waiting for the server, which had not finished: last seen RUNNING at poll 1; GetOperationStatus failed, last status 404", "error of the statement",
		},
		"what the driver asks after a status call that was never sent": {
			telemetry.Statement{
				Total: 8 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}, State: "RUNNING", Polling: polls(1), Split: split{telemetry.PartServer: 8 * second},
				RPCs:  rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1, LastStatus: 200}, telemetry.RPC{Method: "GetResultSetMetadata", Calls: 1, LastStatus: 500, FailedStatus: 500}),
				Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1)},
			},
			"server-bound: 100 % of 8.0 s waiting for the server, which had not finished: last seen RUNNING at poll 1", "The request was not sent: look at the credential",
		},
		"the description of a result, and what follows": {
			telemetry.Statement{
				Total: 8 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, State: "FINISHED", Polling: polls(1), Split: split{telemetry.PartServer: 8 * second},
				RPCs:  rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1, LastStatus: 200}, telemetry.RPC{Method: "GetResultSetMetadata", Calls: 1, LastStatus: 403, FailedStatus: 403}, telemetry.RPC{Method: "FetchResults", Calls: 1, LastStatus: 500, FailedStatus: 500}),
				Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1)},
			},
			"server-bound: 100 % of 8.0 s waiting for the server, as seen on the wire (1 status call); GetResultSetMetadata failed, last status 403", "refused access",
		},
		"an error of the server": {
			telemetry.Statement{
				StatementID: "id", Total: 2 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{SQLState: "42601"}, Split: split{telemetry.PartServer: 2 * second}, Polling: polls(0),
				RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 200}},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", FirstByte: known(2 * second), End: known(2 * second), Status: 200, Failed: true, Attempts: 1}},
			},
			"server-bound: 100 % of 2.0 s waiting for the server, as seen on the wire", "query profile",
		},
		"a page of a proxy": {
			telemetry.Statement{
				Total: 2 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, Split: split{telemetry.PartServer: 2 * second},
				RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 200}},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", FirstByte: known(2 * second), End: known(2 * second), Status: 200, Failed: true, Attempts: 1}},
			},
			"server-bound: 100 % of 2.0 s waiting for the server, as seen on the wire; ExecuteStatement failed, with an answer that could not be read", "proxies on the way",
		},
		"an error after a page whose rows are unknown": {
			telemetry.Statement{
				StatementID: "id", Total: 2 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{SQLState: "22012"}, Split: split{telemetry.PartServer: 2 * second},
				RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 200}, {Method: "FetchResults", Calls: 2, LastStatus: 200}},
				Calls: []telemetry.Call{executed, {Method: "FetchResults", FirstByte: known(2 * second), End: known(2 * second), Status: 200, Failed: true, Attempts: 1}},
			},
			"server-bound: 100 % of 2.0 s waiting for the server, as seen on the wire", "query profile",
		},
		"an answer that broke off": {
			telemetry.Statement{
				Total: 2 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, Split: split{telemetry.PartServer: 2 * second}, Polling: polls(0),
				RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 200, FailedStatus: 200}},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", FirstByte: known(2 * second), End: known(2 * second), Status: 200, Failed: true, Attempts: 1}},
			},
			"server-bound: 100 % of 2.0 s waiting for the server, as seen on the wire; ExecuteStatement failed, last without a complete answer", "Connections broke off",
		},
		"a sign-in page": {
			telemetry.Statement{
				Total: 2 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, Split: split{telemetry.PartServer: 2 * second},
				RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 303}},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", FirstByte: known(2 * second), End: known(2 * second), Status: 303, Failed: true, Attempts: 1}},
			},
			"server-bound: 100 % of 2.0 s waiting for the server, as seen on the wire; ExecuteStatement failed, last status 303", "ask to sign in",
		},
		"a status call that was repeated is none that failed": {
			telemetry.Statement{
				StatementID: "id", Total: 9 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{SQLState: "42601"}, State: "ERROR", Polling: polls(1), Split: split{telemetry.PartServer: 8 * second, telemetry.PartRetry: second},
				RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1, Retries: 1, LastStatus: 200, FailedStatus: 503}), Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 9000, -1)},
			},
			"server-bound: 89 % of 9.0 s waiting for the server, as seen on the wire (1 status call)", "query profile",
		},
		"canceling has no answer yet": {
			telemetry.Statement{
				Total: 20 * second, Outcome: telemetry.OutcomeRunning, State: "RUNNING", RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1}), Polling: polls(1), Split: split{telemetry.PartServer: 11 * second, telemetry.PartClose: 9 * second},
				Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1), call("CancelOperation", 11000, -1, -1)},
			},
			"server-bound: 55 % of 20 s waiting for the server: still RUNNING at poll 1", "query profile",
		},
		"closing after a slow page has no answer yet": {
			telemetry.Statement{
				Total: 20 * second, Outcome: telemetry.OutcomeRunning, State: "FINISHED", RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 1, Slowest: 11 * second}), Split: split{telemetry.PartPage: 11 * second, telemetry.PartClose: 9 * second},
				Calls: []telemetry.Call{executed, call("FetchResults", 0, 11000, 1), call("CloseOperation", 11000, -1, -1)},
			},
			"page-bound: 55 % of 20 s waiting for result pages, slowest 11 s", "CloudFetch",
		},
		"given up while it was queued": {
			telemetry.Statement{
				Total: 4 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{}, State: "PENDING", RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1}), Polling: polls(1), Split: split{telemetry.PartServer: 4 * second},
				Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1)},
			},
			"server-bound: 100 % of 4.0 s waiting for the server, which had not finished: last seen PENDING at poll 1", "its warehouse was starting or full",
		},
		"failed after the server had finished": {
			telemetry.Statement{Total: 10 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, State: "FINISHED", RPCs: observed, Split: split{telemetry.PartServer: 9 * second, telemetry.PartFile: second}},
			"server-bound: 90 % of 10 s waiting for the server, as seen on the wire", "query profile",
		},
		"a slow status call": {
			telemetry.Statement{
				Total: 7 * second, State: "FINISHED", RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 2, Slowest: 6 * second}), Polling: polls(2), Split: split{telemetry.PartServer: 7 * second},
				Calls: []telemetry.Call{executed, {Method: "GetOperationStatus", Start: second, FirstByte: known(7 * second), End: known(7 * second), Status: 200, Attempts: 1, RequestID: requestID}},
			},
			"server-bound: 100 % of 7.0 s waiting for the server: a status call itself took 6.0 s", "Databricks support can look up the request " + requestID,
		},
		"between two polls": {
			telemetry.Statement{Total: 1500 * time.Millisecond, State: "FINISHED", RPCs: observed, Polling: known(telemetry.Polling{Calls: 2, Unseen: second}), Split: split{telemetry.PartServer: 1500 * time.Millisecond}},
			"server-bound: 100 % of 1.5 s waiting for the server, which may have finished up to 1.0 s before a status call noticed (2 status calls)", "query history",
		},
		"poll wait, as the server reports": {
			telemetry.Statement{Total: 1500 * time.Millisecond, RPCs: observed, ServerTime: known(second / 2), Polling: polls(2), Split: split{telemetry.PartServer: second / 2, telemetry.PartPoll: second}},
			"poll-bound: 67 % of 1.5 s after the server had finished, until a status call noticed (2 status calls)", "poll interval",
		},
		"a slow status call after the server had finished": {
			telemetry.Statement{Total: 8 * second, RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1, Slowest: 6 * second}), Polling: polls(1), Split: split{telemetry.PartServer: second, telemetry.PartPoll: 7 * second}},
			"poll-bound: 88 % of 8.0 s after the server had finished: a status call itself took 6.0 s", "answered a status call late",
		},

		// Retries.
		"one file, five attempts": {
			telemetry.Statement{Total: 15 * second, RPCs: observed, CloudFetch: &telemetry.CloudFetch{Present: 3, Downloaded: 3, Retries: 4, Retried: 1, MostAttempts: 5, RetryStatus: 503}, Split: split{telemetry.PartRetry: 14 * second, telemetry.PartFile: second}},
			"retry-bound: 93 % of 15 s repeating requests: one file needed 5 attempts, last status 503", "storage answered with errors",
		},
		"two files, two attempts": {
			telemetry.Statement{Total: second, RPCs: observed, CloudFetch: &telemetry.CloudFetch{Present: 3, Downloaded: 3, Retries: 2, Retried: 2, MostAttempts: 2, RetryStatus: 503}, Split: split{telemetry.PartRetry: second}},
			"retry-bound: 100 % of 1.0 s repeating requests: 2 files needed 2 attempts each, last status 503", "storage answered with errors",
		},
		"files and calls": {
			telemetry.Statement{
				Total: 15 * second, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 3, Retries: 2, FailedStatus: 429}), Split: split{telemetry.PartRetry: 15 * second},
				CloudFetch: &telemetry.CloudFetch{Present: 3, Downloaded: 2, Failed: 1, Retries: 6, Retried: 2, MostAttempts: 5},
			},
			"retry-bound: 100 % of 15 s repeating requests: 2 files needed up to 5 attempts, last without a complete answer, and 1 file failed; 2 retries of FetchResults, last status 429", "rate limit raised. No complete answer came",
		},
		"one call": {
			telemetry.Statement{
				Total: 5 * second, RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 3, FailedStatus: 503}}, Split: split{telemetry.PartServer: second, telemetry.PartRetry: 4 * second},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", Attempts: 4, Retried: []telemetry.Attempt{{Status: 503, RequestID: "first"}, {Status: 503, RequestID: requestID}}, End: known(5 * second), FirstByte: known(5 * second), RequestID: "latest"}},
			},
			"retry-bound: 80 % of 5.0 s repeating requests: 3 retries of ExecuteStatement, last status 503", "look up the request " + requestID,
		},
		"a failed call that was not repeated": {
			telemetry.Statement{
				Total: 5 * second, RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, FailedStatus: 429}}, Split: split{telemetry.PartRetry: 5 * second},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", Attempts: 1, End: known(second), FirstByte: known(second), Status: 429, Failed: true, RequestID: requestID}},
			},
			"retry-bound: 100 % of 5.0 s repeating requests: ExecuteStatement failed, last status 429", "rate limit raised. Databricks support can look up the request " + requestID,
		},

		// The result.
		"pages": {
			telemetry.Statement{Total: 10 * second, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 12, Slowest: 2 * second}), Result: telemetry.Result{Pages: known[int64](12)}, Split: split{telemetry.PartServer: second, telemetry.PartPage: 7 * second, telemetry.PartApplication: 2 * second}},
			"page-bound: 70 % of 10 s waiting for 12 result pages, slowest 2.0 s", "CloudFetch",
		},
		"pages of links": {
			telemetry.Statement{Total: 10 * second, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 12}), Result: telemetry.Result{Format: telemetry.FormatExternalLinks, Pages: known[int64](12)}, Split: split{telemetry.PartPage: 10 * second}},
			"page-bound: 100 % of 10 s waiting for 12 result pages", "links of files",
		},
		"a page without an answer": {
			telemetry.Statement{Total: 10 * second, Outcome: telemetry.OutcomeRunning, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 1}), Calls: []telemetry.Call{executed, call("FetchResults", 1000, -1, -1)}, Split: split{telemetry.PartPage: 9 * second, telemetry.PartServer: second}},
			"page-bound: 90 % of 10 s waiting for the result: no byte of an answer to FetchResults for 9.0 s", "beyond a deadline",
		},
		"a page that failed": {
			telemetry.Statement{Total: 10 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 1, Slowest: 9 * second, LastStatus: 403, FailedStatus: 403}), Calls: []telemetry.Call{executed, {Method: "FetchResults", Start: second, FirstByte: known(10 * second), End: known(10 * second), Status: 403, Failed: true}}, Split: split{telemetry.PartPage: 9 * second, telemetry.PartServer: second}},
			"page-bound: 90 % of 10 s waiting for result pages, slowest 9.0 s; FetchResults failed, last status 403", "workspace refused access",
		},
		"a page that was repeated": {
			telemetry.Statement{Total: 10 * second, Outcome: telemetry.OutcomeCompleted, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 1, Retries: 1, Slowest: 10 * second, LastStatus: 200, FailedStatus: 503}), Calls: []telemetry.Call{executed, call("FetchResults", 1000, 10000, -1)}, Split: split{telemetry.PartPage: 9 * second, telemetry.PartRetry: second}},
			"page-bound: 90 % of 10 s waiting for result pages, slowest 9.0 s", "CloudFetch",
		},
		"the rest of direct results": {
			telemetry.Statement{
				Total: 5 * second, RPCs: observed, Result: telemetry.Result{Pages: known[int64](1)}, Split: split{telemetry.PartPage: 5 * second},
				Calls: []telemetry.Call{{Method: "ExecuteStatement", FirstByte: known(second / 10), End: known(5 * second), Status: 200, Attempts: 1}},
			},
			"page-bound: 100 % of 5.0 s waiting for the rest of the answer to ExecuteStatement, which took 4.9 s from its first byte to its last", "proxies on the way",
		},
		"metadata, asked for twice": {
			telemetry.Statement{Total: 9 * second, RPCs: rpcs(telemetry.RPC{Method: "GetResultSetMetadata", Calls: 2, Slowest: 4 * second, Latency: 8 * second}), Result: telemetry.Result{Pages: known[int64](1)}, Split: split{telemetry.PartPage: 8 * second, telemetry.PartServer: second}},
			"page-bound: 89 % of 9.0 s waiting for what describes the result: GetResultSetMetadata took 8.0 s in 2 calls", "late",
		},
		"metadata": {
			telemetry.Statement{Total: 3 * second, RPCs: rpcs(telemetry.RPC{Method: "GetResultSetMetadata", Calls: 1, Slowest: 2 * second}), Split: split{telemetry.PartPage: 2 * second, telemetry.PartServer: second}},
			"page-bound: 67 % of 3.0 s waiting for what describes the result: GetResultSetMetadata took 2.0 s", "late",
		},
		"files": {
			telemetry.Statement{Total: 4200 * time.Millisecond, RPCs: observed, CloudFetch: &telemetry.CloudFetch{Present: 20, Downloaded: 20, Slowest: 900 * time.Millisecond}, Split: split{telemetry.PartServer: 1200 * time.Millisecond, telemetry.PartFile: 3 * second}},
			"file-bound: 71 % of 4.2 s waiting for 20 files, slowest 900 ms", "maxDownloadThreads",
		},
		"the first file of a running statement": {
			telemetry.Statement{Total: 3 * second, Outcome: telemetry.OutcomeRunning, RPCs: observed, CloudFetch: &telemetry.CloudFetch{Present: 20, Files: []telemetry.File{file(0, "DOWNLOADING", 0, 100, -1, -1)}}, Split: split{telemetry.PartFile: 3 * second}},
			"file-bound: 100 % of 3.0 s waiting for 20 files, 0 complete, file 0 on its way for 2.9 s", "maxDownloadThreads",
		},
		"one file": {
			telemetry.Statement{Total: 3 * second, RPCs: observed, CloudFetch: &telemetry.CloudFetch{Present: 1, Downloaded: 1, Slowest: 3 * second}, Split: split{telemetry.PartFile: 3 * second}},
			"file-bound: 100 % of 3.0 s waiting for 1 file, slowest 3.0 s", "nearer region",
		},
		"a file that was given up": {
			telemetry.Statement{
				Total: 30 * second, Outcome: telemetry.OutcomeCanceled, RPCs: observed,
				CloudFetch: &telemetry.CloudFetch{Present: 3, Downloaded: 1, Abandoned: 2, Slowest: 40 * time.Millisecond, Files: []telemetry.File{{State: "DOWNLOADED"}, {State: "ABANDONED", Start: known(second)}, {State: "ABANDONED"}}},
				Split:      split{telemetry.PartFile: 30 * second},
			},
			"file-bound: 100 % of 30 s waiting for 3 files, slowest complete 40 ms", "maxDownloadThreads",
		},
		"a page that was given up": {
			telemetry.Statement{
				Total: 30 * second, Outcome: telemetry.OutcomeCanceled, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 2, Slowest: 40 * time.Millisecond}), Result: telemetry.Result{Pages: known[int64](2)},
				Calls: []telemetry.Call{executed, {Method: "FetchResults", Start: second, End: known(1040 * time.Millisecond), Status: 200, Rows: known[int64](10), Attempts: 1}, {Method: "FetchResults", Start: 2 * second, FirstByte: known(3 * second), End: known(29 * second), Failed: true, Attempts: 1}},
				Split: split{telemetry.PartPage: 30 * second},
			},
			"page-bound: 100 % of 30 s waiting for 2 result pages", "Results come page after page",
		},
		"a file that is refused": {
			telemetry.Statement{Total: 2100 * time.Millisecond, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryChunkDownload}, RPCs: observed, CloudFetch: &telemetry.CloudFetch{Present: 2, Failed: 1, FailedStatus: known[int64](403)}, Split: split{telemetry.PartFile: 2 * second, telemetry.PartServer: second / 10}},
			"file-bound: 95 % of 2.1 s waiting for 2 files; 1 file failed, last status 403", "links that expired",
		},
		"a file that is refused after the server took its time": {
			telemetry.Statement{Total: 10 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryChunkDownload}, RPCs: observed, State: "FINISHED", Polling: polls(0), CloudFetch: &telemetry.CloudFetch{Present: 2, Failed: 1, FailedStatus: known[int64](403)}, Split: split{telemetry.PartServer: 9 * second, telemetry.PartFile: second}},
			"server-bound: 90 % of 10 s waiting for the server, as seen on the wire; 1 file failed, last status 403", "links that expired",
		},
		"files that are refused after their pages took their time": {
			telemetry.Statement{Total: 10 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryChunkDownload}, RPCs: observed, Result: telemetry.Result{Pages: known[int64](3)}, CloudFetch: &telemetry.CloudFetch{Present: 9, Failed: 2, FailedStatus: known[int64](503)}, Split: split{telemetry.PartPage: 9 * second, telemetry.PartFile: second}},
			"page-bound: 90 % of 10 s waiting for 3 result pages; 2 files failed (the first of them: last status 503)", "The storage answered with errors",
		},
		"files that arrived and could not be decoded": {
			telemetry.Statement{Total: 10 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryDecompression}, RPCs: observed, Result: telemetry.Result{Pages: known[int64](3)}, CloudFetch: &telemetry.CloudFetch{Present: 9, Failed: 2, FailedStatus: known[int64](503)}, Split: split{telemetry.PartPage: 9 * second, telemetry.PartFile: second}},
			"page-bound: 90 % of 10 s waiting for 3 result pages", "smaller result",
		},
		"a volume file": {
			telemetry.Statement{Total: 2500 * time.Millisecond, Kind: telemetry.KindVolume, Volume: "PUT", RPCs: observed, Split: split{telemetry.PartTransfer: 2 * second, telemetry.PartServer: second / 2}},
			"transfer-bound: 80 % of 2.5 s sending a file to the volume (PUT)", "send less",
		},
		"a volume file that failed": {
			telemetry.Statement{Total: 30 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, Kind: telemetry.KindVolume, Volume: "PUT", RPCs: observed, Split: split{telemetry.PartTransfer: 30 * second}},
			"transfer-bound: 100 % of 30 s sending a file to the volume (PUT), which failed", "error of the statement",
		},
		"decoding": {
			telemetry.Statement{Total: 10 * second, RPCs: observed, RowsRead: known[int64](1e6), Split: split{telemetry.PartDecode: 9 * second, telemetry.PartServer: second}},
			"decode-bound: 90 % of 10 s in the driver, which turned bytes into rows (1,000,000 rows)", "fewer columns",
		},

		// The application.
		"before the first row": {
			telemetry.Statement{Total: 1100 * time.Millisecond, RPCs: observed, RowsRead: known[int64](0), Application: telemetry.Application{Before: second}, Split: split{telemetry.PartApplication: second, telemetry.PartServer: second / 10}},
			"application-bound: 91 % of 1.1 s in the application, before it asked for rows or closed them", "at once",
		},
		"one row read, and left open": {
			telemetry.Statement{
				Total: 8200 * time.Millisecond, Outcome: telemetry.OutcomeClosedEarly, RPCs: observed, RowsRead: known[int64](1), Result: telemetry.Result{Rows: known[int64](3000)},
				Application: telemetry.Application{Between: 8 * second}, Split: split{telemetry.PartApplication: 8 * second, telemetry.PartServer: second / 5},
			},
			"application-bound: 98 % of 8.2 s in the application: 1 of at least 3,000 rows read, then left open for 8.0 s", "LIMIT",
		},
		"one row read, and open": {
			telemetry.Statement{
				Total: 30 * second, Outcome: telemetry.OutcomeRunning, RPCs: observed, RowsRead: known[int64](1), Result: telemetry.Result{Rows: known[int64](80)},
				Application: telemetry.Application{Between: 29 * second}, Split: split{telemetry.PartApplication: 29 * second, telemetry.PartServer: second},
			},
			"application-bound: 97 % of 30 s in the application: 1 of at least 80 rows read, open for 29 s since", "LIMIT",
		},
		"links that expired while the application waited": {
			telemetry.Statement{
				Close: known[time.Duration](0),
				Total: 20 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, RPCs: observed, RowsRead: known[int64](0), CloudFetch: &telemetry.CloudFetch{Present: 2, Failed: 1, FailedStatus: known[int64](403)},
				Application: telemetry.Application{Before: 20 * second}, Split: split{telemetry.PartApplication: 20 * second},
			},
			"application-bound: 100 % of 20 s in the application, before it asked for rows or closed them; 1 file failed, last status 403", "links that expired",
		},
		"some rows read": {
			telemetry.Statement{
				Total: 8 * second, Outcome: telemetry.OutcomeClosedEarly, RPCs: observed, RowsRead: known[int64](1500), Result: telemetry.Result{Rows: known[int64](3000)},
				Application: telemetry.Application{Between: 8 * second}, Split: split{telemetry.PartApplication: 8 * second},
			},
			"application-bound: 100 % of 8.0 s in the application, between rows and before it closed them (1,500 of at least 3,000 rows read)", "LIMIT",
		},
		"dropped": {
			telemetry.Statement{
				Total: 8 * second, Outcome: telemetry.OutcomeAbandoned, RPCs: observed, RowsRead: known[int64](1500), Result: telemetry.Result{Rows: known[int64](3000)},
				Application: telemetry.Application{Between: 8 * second}, Split: split{telemetry.PartApplication: 8 * second},
			},
			"application-bound: 100 % of 8.0 s in the application, between rows and after it left them (1,500 of at least 3,000 rows read)", "Close rows",
		},
		"reading": {
			telemetry.Statement{
				Total: 8 * second, Outcome: telemetry.OutcomeRunning, RPCs: observed, RowsRead: known[int64](1500), Result: telemetry.Result{Rows: known[int64](3000)},
				Application: telemetry.Application{Between: 8 * second}, Split: split{telemetry.PartApplication: 8 * second},
			},
			"application-bound: 100 % of 8.0 s in the application between rows, where the driver's decoding of rows that are read one by one counts, too (1,500 of at least 3,000 rows read)", "between rows",
		},
		"read to the end": {
			telemetry.Statement{Total: 60 * second, RPCs: observed, RowsRead: known[int64](1e6), Application: telemetry.Application{Between: 54 * second}, Split: split{telemetry.PartApplication: 54 * second, telemetry.PartServer: 6 * second}},
			"application-bound: 90 % of 60 s in the application between rows, where the driver's decoding of rows that are read one by one counts, too (1,000,000 rows)", "between rows",
		},
		"streams": {
			telemetry.Statement{Total: 10 * second, RPCs: observed, Application: telemetry.Application{Between: 9 * second}, Split: split{telemetry.PartApplication: 9 * second, telemetry.PartServer: second}},
			"application-bound: 90 % of 10 s in the application between the batches it read, or after the last and before it closed them", "batches",
		},
		"after the last row": {
			telemetry.Statement{Total: 10 * second, RPCs: observed, Application: telemetry.Application{After: 9 * second}, Split: split{telemetry.PartApplication: 9 * second, telemetry.PartServer: second}},
			"application-bound: 90 % of 10 s in the application, after the rows had ended and before it closed them", "Close rows",
		},

		// The end.
		"cancel": {
			telemetry.Statement{Total: 2 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{}, RPCs: rpcs(telemetry.RPC{Method: "CancelOperation", Calls: 1, Slowest: 1300 * time.Millisecond}), Split: split{telemetry.PartClose: 1300 * time.Millisecond, telemetry.PartServer: 700 * time.Millisecond}},
			"close-bound: 65 % of 2.0 s canceling the statement: CancelOperation took 1.3 s", "cancel",
		},
		"close": {
			telemetry.Statement{Total: 5 * second, RPCs: rpcs(telemetry.RPC{Method: "CloseOperation", Calls: 1, Slowest: 4 * second}), Split: split{telemetry.PartClose: 4 * second, telemetry.PartServer: second}},
			"close-bound: 80 % of 5.0 s closing the statement: CloseOperation took 4.0 s", "late",
		},
		"close that a proxy refused": {
			telemetry.Statement{Total: 5 * second, RPCs: rpcs(telemetry.RPC{Method: "CloseOperation", Calls: 1, Slowest: 4 * second, LastStatus: 407, FailedStatus: 407}), Calls: []telemetry.Call{executed, {Method: "CloseOperation", Start: second, FirstByte: known(4 * second), Attempts: 1, Status: 407, Failed: true}}, Split: split{telemetry.PartClose: 4 * second, telemetry.PartServer: second}},
			"close-bound: 80 % of 5.0 s closing the statement: CloseOperation took 4.0 s, and failed, last status 407", "proxy on the way refused",
		},
		"cancel whose answer broke off": {
			telemetry.Statement{Total: 5 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{}, RPCs: rpcs(telemetry.RPC{Method: "CancelOperation", Calls: 1, Slowest: 4 * second, LastStatus: 200, FailedStatus: 200}), Calls: []telemetry.Call{executed, {Method: "CancelOperation", Start: second, FirstByte: known(4 * second), Attempts: 1, Status: 200, Failed: true}}, Split: split{telemetry.PartClose: 4 * second, telemetry.PartServer: second}},
			"close-bound: 80 % of 5.0 s canceling the statement: CancelOperation took 4.0 s, and failed, last without a complete answer", "broke off",
		},
		"close that was refused": {
			telemetry.Statement{Total: 5 * second, RPCs: rpcs(telemetry.RPC{Method: "CloseOperation", Calls: 1, Slowest: 4 * second, LastStatus: 404, FailedStatus: 404}), Calls: []telemetry.Call{executed, {Method: "CloseOperation", Start: second, FirstByte: known(4 * second), Attempts: 1, Status: 404, Failed: true}}, Split: split{telemetry.PartClose: 4 * second, telemetry.PartServer: second}},
			"close-bound: 80 % of 5.0 s closing the statement: CloseOperation took 4.0 s, and failed, last status 404", "refused the request.",
		},
		"close without an answer": {
			telemetry.Statement{Total: 5 * second, Outcome: telemetry.OutcomeRunning, RPCs: rpcs(telemetry.RPC{Method: "CloseOperation", Calls: 1}), Calls: []telemetry.Call{executed, call("CloseOperation", 1000, -1, -1)}, Split: split{telemetry.PartClose: 4 * second, telemetry.PartServer: second}},
			"close-bound: 80 % of 5.0 s closing the rows: no byte of an answer to CloseOperation for 4.0 s", "close",
		},
		"closing waits for downloads": {
			telemetry.Statement{Total: 5 * second, RPCs: rpcs(telemetry.RPC{Method: "CloseOperation", Calls: 1, Slowest: second}), Split: split{telemetry.PartClose: 4 * second, telemetry.PartServer: second}},
			"close-bound: 80 % of 5.0 s closing the rows", "downloads under way",
		},

		// The network.
		"connecting": {
			telemetry.Statement{Total: 5 * second, RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Connecting: 4 * second}}, Calls: []telemetry.Call{executed}, Split: split{telemetry.PartNetwork: 4 * second, telemetry.PartServer: second}},
			"network-bound: 80 % of 5.0 s waiting for a network connection to the workspace, for 4.0 s", "DNS",
		},
		"connecting for an attempt that was repeated": {
			telemetry.Statement{Total: 10 * second, RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 1, Latency: 10 * second, Connecting: 4 * second}}, Calls: []telemetry.Call{executed}, Split: split{telemetry.PartNetwork: 6 * second, telemetry.PartRetry: 4 * second}},
			"network-bound: 60 % of 10 s in none of the other parts: the network, and the driver itself", "distance",
		},
		"connecting while the server worked": {
			telemetry.Statement{Total: 10 * second, RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Latency: 6 * second}, {Method: "GetOperationStatus", Calls: 1, Latency: 4 * second, Connecting: 4 * second}}, Calls: []telemetry.Call{executed}, Split: split{telemetry.PartNetwork: 6 * second, telemetry.PartServer: 4 * second}},
			"network-bound: 60 % of 10 s in none of the other parts: the network, and the driver itself", "distance",
		},
		"signing in": {
			telemetry.Statement{Total: 5 * second, RPCs: observed, Calls: []telemetry.Call{call("ExecuteStatement", 4000, 4100, -1)}, Split: split{telemetry.PartNetwork: 4 * second, telemetry.PartServer: second}},
			"network-bound: 80 % of 5.0 s in the driver, before its first request", "identity provider",
		},
		"between requests": {
			telemetry.Statement{Total: 5 * second, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 1, Latency: second}), Calls: []telemetry.Call{executed, call("FetchResults", 4000, 5000, -1)}, Split: split{telemetry.PartNetwork: 4 * second, telemetry.PartPage: second}},
			"network-bound: 80 % of 5.0 s in the driver, between its requests", "identity provider",
		},
		"between requests, before one that is under way": {
			telemetry.Statement{Total: 5 * second, Outcome: telemetry.OutcomeRunning, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 1}), Calls: []telemetry.Call{executed, call("FetchResults", 1000, -1, -1)}, Split: split{telemetry.PartNetwork: 5 * second}},
			"network-bound: 100 % of 5.0 s in none of the other parts: the network, and the driver itself", "distance",
		},
		"a request left that is not listed": {
			telemetry.Statement{Total: 5 * second, RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Latency: 5 * second}}, Split: split{telemetry.PartNetwork: 5 * second}},
			"network-bound: 100 % of 5.0 s in none of the other parts: the network, and the driver itself", "distance",
		},
		"a request never left": {
			telemetry.Statement{Total: 5 * second, RPCs: []telemetry.RPC{}, Split: split{telemetry.PartNetwork: 5 * second}},
			"network-bound: 100 % of 5.0 s in the driver, before its first request", "identity provider",
		},
		"the rest": {
			telemetry.Statement{Total: second, RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Latency: second}}, Calls: []telemetry.Call{executed}, Split: split{telemetry.PartNetwork: second}},
			"network-bound: 100 % of 1.0 s in none of the other parts: the network, and the driver itself", "TLS",
		},
	} {
		v := explain.Of(&c.of)
		require.Equal(t, c.sentence, v.Sentence, name)
		require.Contains(t, v.Advice, c.advice, name)
		require.Equal(t, c.sentence == "", v.Bound == "", name)
		require.Equal(t, c.sentence == "", v.Advice == "", "%s: every verdict has advice", name)
		require.NotContains(t, v.Advice, "  ", name)
	}
}

func TestPoolVerdictCoversTheTimeBetweenTwoReadings(t *testing.T) {
	before := sql.DBStats{WaitCount: 10, WaitDuration: 10 * second, MaxOpenConnections: 4}
	require.Equal(t, explain.Verdict{}, explain.OfPool("main", before, before))
	now := sql.DBStats{WaitCount: 13, WaitDuration: 16 * second, MaxOpenConnections: 4}
	v := explain.OfPool("main", before, now)
	require.Equal(t, "pool-bound", v.Bound)
	require.Equal(t, "pool-bound: 3 calls waited for a connection of pool main, which may open 4; the waits that ended took 6.0 s in all", v.Sentence)
	require.NotEmpty(t, v.Advice)

	now.WaitDuration = before.WaitDuration // database/sql adds the time of a wait when it ends
	v = explain.OfPool("main", before, now)
	require.Equal(t, "pool-bound: 3 calls have waited without success for a connection of pool main, which may open 4", v.Sentence)
	require.Contains(t, v.Advice, "roll back")
}

// The last status call was repeated and then said FINISHED: its failed attempts and pauses are in
// PartRetry (see PartRetry), so they explain nothing of PartServer.
func TestPausesThatAreRetryTimeDoNotExplainTheServersTime(t *testing.T) {
	s := &telemetry.Statement{
		Total: 17 * second, Outcome: telemetry.OutcomeCompleted, State: "FINISHED", Polling: polls(11),
		RPCs:  rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 11, Retries: 2, LastStatus: 200, FailedStatus: 503, Backoff: 6 * second, Slowest: 6200 * time.Millisecond}),
		Calls: []telemetry.Call{executed},
		Split: telemetry.Split{telemetry.PartServer: 10 * second, telemetry.PartRetry: 6200 * time.Millisecond, telemetry.PartNetwork: 800 * time.Millisecond},
	}
	v := explain.Of(s)
	require.NotContains(t, v.Sentence, "repeated", v.Advice)
	require.NotContains(t, v.Sentence, "a status call itself")
}

func TestASlowStatusCallThatIsRetryTimeDoesNotExplainTheServersTime(t *testing.T) {
	s := &telemetry.Statement{
		Total: 17 * second, Outcome: telemetry.OutcomeCompleted, State: "FINISHED", Polling: polls(11),
		RPCs:  rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 11, Retries: 2, LastStatus: 200, FailedStatus: 503, Backoff: 3 * second, Slowest: 6200 * time.Millisecond}),
		Calls: []telemetry.Call{executed},
		Split: telemetry.Split{telemetry.PartServer: 10 * second, telemetry.PartRetry: 6 * second, telemetry.PartNetwork: second},
	}
	require.NotContains(t, explain.Of(s).Sentence, "a status call itself took")
}

// A deadline passes while a status call hangs until the client's timeout; then the driver tidies up.
func TestAStatusCallThatWasNeverAnsweredWasNotAnsweredLate(t *testing.T) {
	s := &telemetry.Statement{
		Total: 901 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{Category: telemetry.CategoryTimeout}, State: "RUNNING", Polling: polls(2),
		RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 2, Slowest: 899 * second}, telemetry.RPC{Method: "CloseOperation", Calls: 1, LastStatus: 200}),
		Calls: []telemetry.Call{
			executed, call("GetOperationStatus", 1000, 1010, -1),
			{Method: "GetOperationStatus", Start: 2 * second, Latest: 2 * second, End: known(900 * second), Failed: true, Attempts: 1},
			{Method: "CloseOperation", Start: 900 * second, Latest: 900 * second, FirstByte: known(900 * second), End: known(900 * second), Status: 200, Attempts: 1},
		},
		Split: telemetry.Split{telemetry.PartServer: 900 * second, telemetry.PartClose: second},
	}
	v := explain.Of(s)
	require.NotContains(t, v.Advice, "answered a status call late", v.Sentence)
}

// Advice on retries is about the requests that were repeated, and those that took the time.
func TestAdviceOnRetriesIsAboutWhatWasRepeated(t *testing.T) {
	s := &telemetry.Statement{
		Total: 10 * second, Outcome: telemetry.OutcomeCompleted,
		RPCs: []telemetry.RPC{
			{Method: "ExecuteStatement", Calls: 1, Retries: 3, LastStatus: 200, Backoff: 7 * second}, // broke off, no status
			{Method: "CloseOperation", Calls: 1, LastStatus: 403, FailedStatus: 403},
		},
		Split: telemetry.Split{telemetry.PartRetry: 9 * second, telemetry.PartServer: second},
	}
	v := explain.Of(s)
	require.NotContains(t, v.Advice, "refused access", v.Sentence)
	require.Contains(t, v.Advice, "No complete answer came")
}

func TestAdviceOnRetriesIsAboutTheLongest(t *testing.T) {
	s := &telemetry.Statement{
		Total: 32 * second, Outcome: telemetry.OutcomeCompleted,
		RPCs: []telemetry.RPC{
			{Method: "ExecuteStatement", Calls: 1, Retries: 1, LastStatus: 200, FailedStatus: 429, Backoff: 100 * time.Millisecond},
			{Method: "FetchResults", Calls: 3, Retries: 4, LastStatus: 200, FailedStatus: 503, Backoff: 30 * second},
		},
		Split: telemetry.Split{telemetry.PartRetry: 31 * second, telemetry.PartServer: second},
	}
	v := explain.Of(s)
	require.Contains(t, v.Advice, "answered with errors", v.Sentence)
}

// CancelOperation took 10 ms of 5 s.
func TestCancelingIsBlamedOnlyForItsTime(t *testing.T) {
	s := &telemetry.Statement{
		Total: 6 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{},
		RPCs:  rpcs(telemetry.RPC{Method: "CancelOperation", Calls: 1, LastStatus: 200, Slowest: 10 * time.Millisecond}),
		Split: telemetry.Split{telemetry.PartClose: 5 * second, telemetry.PartServer: second},
	}
	v := explain.Of(s)
	require.NotContains(t, v.Sentence, "CancelOperation took 10 ms", v.Advice)
}

// Time to open a connection counts as the network's or stays unexplained: the workspace has not
// answered late.
func TestACallThatWaitedForAConnectionWasNotAnsweredLate(t *testing.T) {
	for method, of := range map[string]telemetry.Part{
		"GetResultSetMetadata": telemetry.PartPage, "GetOperationStatus": telemetry.PartServer, "CloseOperation": telemetry.PartClose,
	} {
		s := &telemetry.Statement{
			Total: 25 * second, Outcome: telemetry.OutcomeCompleted, State: "FINISHED", Polling: polls(2), Calls: []telemetry.Call{executed},
			RPCs:  rpcs(telemetry.RPC{Method: method, Calls: 1, LastStatus: 200, Latency: 10 * second, Slowest: 10 * second, Connecting: 9900 * time.Millisecond}),
			Split: telemetry.Split{telemetry.PartNetwork: 12 * second},
		}
		s.Split[of] = 13 * second
		v := explain.Of(s)
		require.Equal(t, of, v.Part)
		require.NotContains(t, v.Sentence, "took 10 s")
		require.NotContains(t, v.Advice, "late")
	}
}

// 100 calls waited since long before the first reading and got their connections; one began to wait.
func TestTheTimeOfWaitsThatEndedIsNotThatOfThoseThatBegan(t *testing.T) {
	before := sql.DBStats{WaitCount: 100, WaitDuration: 0, MaxOpenConnections: 4}
	now := sql.DBStats{WaitCount: 101, WaitDuration: 1000 * second, MaxOpenConnections: 4}
	require.Equal(t, "pool-bound: 1 call waited for a connection of pool main, which may open 4; the waits that ended took 16 min 40 s in all", explain.OfPool("main", before, now).Sentence)
}

func TestAPoolWithoutALimitMayOpenMoreThanNone(t *testing.T) {
	v := explain.OfPool("main", sql.DBStats{MaxOpenConnections: 4}, sql.DBStats{WaitCount: 3, WaitDuration: 6 * second}) // SetMaxOpenConns(0) in between
	require.NotContains(t, v.Sentence, "may open 0")
}

// Poll 70 of 70 was answered, which the record does not say.
func TestAPollThatIsNotListedMayBeTheLatestThatWasAnswered(t *testing.T) {
	s := &telemetry.Statement{
		Total: 80 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{}, State: "RUNNING", Polling: polls(70),
		RPCs:  rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 70, LastStatus: 200}),
		Calls: []telemetry.Call{executed}, Split: telemetry.Split{telemetry.PartServer: 80 * second},
	}
	require.Contains(t, explain.Of(s).Sentence, "last seen RUNNING at poll 69 or later")
}

// A record made by hand, or by an older version, has application time and not its division.
func TestApplicationTimeWithoutItsDivision(t *testing.T) {
	s := &telemetry.Statement{Total: 10 * second, Outcome: telemetry.OutcomeClosedEarly, RowsRead: known[int64](1), Result: telemetry.Result{Rows: known[int64](3000)}, Split: telemetry.Split{telemetry.PartApplication: 10 * second}}
	require.Equal(t, "application-bound: 100 % of 10 s in the application, which had control", explain.Of(s).Sentence)
}

func TestAdviceIsGivenOnce(t *testing.T) {
	s := &telemetry.Statement{
		Total: 10 * time.Second, Split: telemetry.Split{telemetry.PartRetry: 10 * time.Second}, Outcome: telemetry.OutcomeFailed,
		Failure:    &telemetry.Failure{Category: telemetry.CategoryChunkDownload},
		RPCs:       []telemetry.RPC{{Method: "GetOperationStatus", Calls: 2, Retries: 2, Backoff: 5 * time.Second}},
		CloudFetch: &telemetry.CloudFetch{Present: 2, Retries: 4, Retried: 1, MostAttempts: 5, RetryStatus: 429, Failed: 1},
	}
	require.Equal(t, 1, strings.Count(explain.Of(s).Advice, "No complete answer came"), explain.Of(s).Advice)
}

// The call waited for a connection twice, and another was repeated, too: less of it is certain than the call took.
func TestACallThatWasRepeatedTookItsLatestAttempt(t *testing.T) {
	s := &telemetry.Statement{
		Total: 7 * second, Split: telemetry.Split{telemetry.PartRetry: 2 * second, telemetry.PartClose: 4 * second, telemetry.PartNetwork: second}, Outcome: telemetry.OutcomeCompleted,
		RPCs: []telemetry.RPC{
			{Method: "GetOperationStatus", Calls: 2, Retries: 1, FailedStatus: 503, LastStatus: 200},
			{Method: "CloseOperation", Calls: 1, Retries: 1, FailedStatus: 503, LastStatus: 200, Slowest: 6 * second, Connecting: second},
		},
		Calls: []telemetry.Call{{
			Method: "CloseOperation", Start: second, Latest: 2 * second, FirstByte: known(7 * second), End: known(7 * second), Status: 200, Attempts: 2,
			Retried: []telemetry.Attempt{{Start: second, End: second, Status: 503}},
		}},
	}
	require.Contains(t, explain.Of(s).Sentence, "CloseOperation took 4.0 s")
}

// Databricks support would look in vain at the request of another call than the one that took so long.
func TestTheRequestToLookUpIsThatOfTheSlowCall(t *testing.T) {
	page := func(start, end int, request string) telemetry.Call {
		c := call("FetchResults", start, end, 10)
		c.RequestID = request
		return c
	}
	pages := &telemetry.Statement{
		Total: 2 * second, State: "FINISHED", RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 2, Retries: 1, FailedStatus: 503, LastStatus: 200, Slowest: 900 * ms}),
		Calls: []telemetry.Call{executed, page(100, 1000, ""), page(1100, 1400, requestID)}, // repeated at once, so its id is known
		Split: telemetry.Split{telemetry.PartPage: 1900 * ms, telemetry.PartRetry: 100 * ms},
	}
	pages.Calls[2].Attempts, pages.Calls[2].Latest = 2, 1200*ms
	require.Contains(t, explain.Of(pages).Sentence, "slowest 900 ms")
	require.NotContains(t, explain.Of(pages).Advice, requestID, "it was faster than the call without an id")
	pages.Calls[1].RequestID = "0a1b2c3d-0000-4000-8000-000000000002"
	require.Contains(t, explain.Of(pages).Advice, "look up the request "+pages.Calls[1].RequestID)

	polls := &telemetry.Statement{
		Total: 99 * second, State: "FINISHED", Polling: polls(80), RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 80, LastStatus: 200, Slowest: 60 * second}),
		Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 2000, -1)}, // and 79 that are not listed
		Split: telemetry.Split{telemetry.PartServer: 99 * second},
	}
	polls.Calls[1].RequestID = requestID
	require.Contains(t, explain.Of(polls).Sentence, "a status call itself took 60 s")
	require.NotContains(t, explain.Of(polls).Advice, requestID, "the call that took 60 s is not listed")
}

// What answers decides what to look at, and without an answer what the error says.
func TestTheAdviceFitsHowARequestFailed(t *testing.T) {
	for _, c := range []struct {
		status   int
		category telemetry.Category
		advice   string // on a call
		storage  string // on a file, if that differs
	}{
		{401, telemetry.CategoryAuth, "look at the credential, and at network rules", "links that expired"},
		{403, telemetry.CategoryPermission, "look at the credential, and at network rules", "links that expired"},
		{407, telemetry.CategoryAuth, "A proxy on the way refused access", ""},
		{429, telemetry.CategoryRateLimit, "asked to slow down", ""},
		{408, telemetry.CategoryTimeout, "answered with errors", ""},
		{500, telemetry.CategoryStatementFailed, "answered with errors", ""},
		{400, telemetry.CategoryInvalidRequest, "refused the request", ""},
		{300, telemetry.CategoryOther, "sent the request elsewhere", ""},
		{204, telemetry.CategoryOther, "no answer that the driver could use", ""},
		{0, telemetry.CategoryConnection, "look at DNS", ""},
		{0, telemetry.CategoryAuth, "The request was not sent: look at the credential", ""},
		{0, telemetry.CategoryTLS, "look at certificates", ""},
		{0, telemetry.CategoryTimeout, "No complete answer came in time", ""},
	} {
		failed := executed
		failed.Failed, failed.Status, failed.FirstByte = true, c.status, telemetry.Maybe[time.Duration]{}
		s := &telemetry.Statement{
			Total: second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: c.category}, Split: telemetry.Split{telemetry.PartNetwork: second},
			RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: c.status, FailedStatus: c.status}}, Calls: []telemetry.Call{failed},
		}
		require.Contains(t, explain.Of(s).Advice, c.advice, "%d %s", c.status, c.category)

		s.RPCs, s.Calls, s.Split = observed, []telemetry.Call{executed}, telemetry.Split{telemetry.PartFile: second}
		s.CloudFetch = &telemetry.CloudFetch{Present: 1, Failed: 1, FailedStatus: known(int64(c.status))}
		require.Contains(t, explain.Of(s).Advice, cmp.Or(c.storage, c.advice), "%d %s of a file", c.status, c.category)
	}
}

// The driver signs in, and connects to do so, before a request: it failed without one.
func TestTheAdviceOnARequestThatWasNeverMadeFitsTheError(t *testing.T) {
	s := &telemetry.Statement{
		Total: second, Outcome: telemetry.OutcomeFailed, RPCs: []telemetry.RPC{}, Split: telemetry.Split{telemetry.PartNetwork: second},
	}
	for category, advice := range map[telemetry.Category]string{
		telemetry.CategoryAuth:       "The request was not sent: look at the credential",
		telemetry.CategoryTLS:        "look at certificates",
		telemetry.CategoryConnection: "look at DNS",
		telemetry.CategoryTimeout:    "No complete answer came in time",
		telemetry.CategoryOther:      "Where the driver signs in with OAuth",
	} {
		s.Failure = &telemetry.Failure{Category: category}
		require.Contains(t, explain.Of(s).Advice, advice, category)
		if category != telemetry.CategoryAuth {
			require.Contains(t, explain.Of(s).Advice, "Where the driver signs in with OAuth", category)
		}
	}
}
