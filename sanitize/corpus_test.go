package sanitize

import "slices"

// A sample is a text and what is left of it. Most were recorded from
// the scanner and then reviewed one by one, so they hold the behaviour in place; that
// nothing secret is left is what FuzzPlantedSecret checks independently.
type sample struct{ text, want string }

var corpus = slices.Concat(messages, mentions)

// messages are what servers, drivers, networks and storage say when something fails.
var messages = []sample{
	{
		"databricks: execution error: failed to execute query: unexpected operation state ERROR_STATE: [TABLE_OR_VIEW_NOT_FOUND] The table or view `main`.`finance`.`salaries` cannot be found. Verify the spelling and correctness of the schema and catalog.\nIf you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the correct schema and catalog.\nTo tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS. SQLSTATE: 42P01; line 1 pos 14",
		`databricks: execution error: failed to execute query: unexpected operation state ERROR_STATE: [TABLE_OR_VIEW_NOT_FOUND] The table or view <identifier> cannot be found. Verify the spelling and correctness of the schema and catalog. If you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the correct schema and catalog. To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS. SQLSTATE: 42P01; line 1 pos 14`,
	},
	{
		"[PARSE_SYNTAX_ERROR] Syntax error at or near 'FORM'. SQLSTATE: 42601 (line 1, pos 9)\n\n== SQL ==\nSELECT * FORM people WHERE ssn = '123-45-6789'\n---------^^^\n",
		`[PARSE_SYNTAX_ERROR] Syntax error at or near '<value>'. SQLSTATE: 42601 (line 1, pos 9) == SQL == <sql>`,
	},
	{
		"[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name `salry` cannot be resolved. Did you mean one of the following? [`salary`, `name`]. SQLSTATE: 42703; line 1 pos 7;\n'Project ['salry]\n+- SubqueryAlias spark_catalog.finance.salaries",
		`[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name <identifier> cannot be resolved. Did you mean one of the following? [<identifier>, <identifier>]. SQLSTATE: 42703; line 1 pos 7; <redacted>`,
	},
	{
		"[CAST_INVALID_INPUT] The value '4111-1111' of the type \"STRING\" cannot be cast to \"INT\" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error. SQLSTATE: 22018\n== SQL (line 1, position 8) ==\nSELECT CAST('4111-1111' AS INT)",
		"[CAST_INVALID_INPUT] The value '<value>' of the type \"STRING\" cannot be cast to \"INT\" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error. SQLSTATE: 22018 == SQL == <sql>",
	},
	{
		"[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error. SQLSTATE: 22012",
		"[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error. SQLSTATE: 22012",
	},
	{
		"[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User `alice@example.com` does not have permission SELECT on table `hr`.`pay`. SQLSTATE: 42501",
		`[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User <identifier> does not have permission SELECT on table <identifier>. SQLSTATE: 42501`,
	},
	{
		`PERMISSION_DENIED: User does not have USE SCHEMA on Schema 'main.finance'.`,
		`PERMISSION_DENIED: User does not have USE SCHEMA on Schema '<value>'.`,
	},
	{
		`PERMISSION_DENIED: User bob does not have SELECT on table main.finance.revenue.`,
		`PERMISSION_DENIED: User <identifier> does not have SELECT on table <identifier>.`,
	},
	{
		`Post "https://adb-1234567890.11.azuredatabricks.net:443/sql/1.0/warehouses/abc": dial tcp 10.0.0.1:443: connect: connection refused`,
		`Post "https://<host>:443/sql/1.0/warehouses/<id>": dial tcp <ip>:443: connect: connection refused`,
	},
	{
		`Get "https://bucket.s3.amazonaws.com/results/part-0.arrow?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20240101&X-Amz-Signature=abcdef0123456789": net/http: TLS handshake timeout`,
		`Get "https://<host>/<path>?<query>": net/http: TLS handshake timeout`,
	},
	{
		`Post "https://example.cloud.databricks.com:443/sql/1.0/endpoints/0123": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
		`Post "https://<host>:443/sql/1.0/endpoints/<id>": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
	},
	{
		`dial tcp: lookup adb-123.11.azuredatabricks.net on 127.0.0.53:53: no such host`,
		`dial tcp: lookup <host> on <ip>:53: no such host`,
	},
	{
		`read tcp 192.168.1.17:52344->10.1.2.3:443: read: connection reset by peer`,
		`read tcp <ip>:52344-><ip>:443: read: connection reset by peer`,
	},
	{
		`read tcp [fe80::1%eth0]:52344->[2001:db8::7]:443: i/o timeout`,
		`read tcp [<ip>]:52344->[<ip>]:443: i/o timeout`,
	},
	{
		`parse "databricks://token:dapi0123456789abcdef0123456789abcdef@host:port/sql/1.0/warehouses/a": invalid port ":port" after host`,
		`parse "databricks://<redacted>@<host>/sql/1.0/warehouses/<id>": invalid port "<value>" after host`,
	},
	{
		`invalid DSN: token:dapi0123456789abcdef0123456789abcdef-2@adb-1.azuredatabricks.net:443/sql/1.0/warehouses/abc?catalog=main&timeout=60&maxRows=1000`,
		`invalid DSN: token:<redacted>@<host>:443/sql/1.0/warehouses/<id>?catalog=<value>&timeout=60&maxRows=1000`,
	},
	{
		`databricks: request error: error connecting: host=adb-1.azuredatabricks.net port=443, httpPath=/sql/1.0/warehouses/9: databricks: request error: error sending http request: 403 Forbidden`,
		`databricks: request error: error connecting: host=<value> port=443, httpPath=/sql/1.0/warehouses/<id>: databricks: request error: error sending http request: 403 Forbidden`,
	},
	{
		`open /home/bob/secret.csv: no such file or directory`,
		`open <path>: no such file or directory`,
	},
	{
		`open C:\Users\bob\secret.csv: The system cannot find the file specified.`,
		`open <path>: The system cannot find the file specified.`,
	},
	{
		`stat secret: permission denied`,
		`stat secret: permission denied`,
	},
	{
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>900</X-Amz-Expires><RequestId>4442587FB7D0A2F9</RequestId><HostId>vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5NeC6qMa0emYBDXOo6QBU0Wo=</HostId></Error>",
		`<Error><Code>AccessDenied</Code><Message>Request has expired</Message><redacted><RequestId><redacted></RequestId><HostId><redacted></HostId></Error>`,
	},
	{
		"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nRequestId:6c3fc5d5-801e-0020-4e0e-7e0f1f000000\nTime:2024-01-01T00:00:00.0000000Z</Message><AuthenticationErrorDetail>Signed expiry time [Mon, 01 Jan 2024 00:00:00 GMT] must be after signed start time</AuthenticationErrorDetail></Error>",
		`<Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature. RequestId:<value> Time:<value></Message><AuthenticationErrorDetail><redacted></AuthenticationErrorDetail></Error>`,
	},
	{
		`<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Details>No such object: customers/secret.arrow</Details></Error>`,
		`<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Details><redacted></Details></Error>`,
	},
	{
		`{"error_code":"PERMISSION_DENIED","message":"User bob@corp.com does not have permission to use SQL warehouse 0123456789abcdef"}`,
		`{"error_code":"PERMISSION_DENIED","message":"User <email> does not have permission to use SQL warehouse <identifier>"}`,
	},
	{
		`{"error":"invalid_client","error_description":"Client authentication failed","client_secret":"dose0123456789abcdef"}`,
		`{"error":"invalid_client","error_description":"Client authentication failed","client_secret":"<redacted>"}`,
	},
	{
		"oauth2: cannot fetch token: 401 Unauthorized\nResponse: {\"error\":\"invalid_grant\",\"refresh_token\":\"doau.aaaa\"}",
		`oauth2: cannot fetch token: 401 Unauthorized Response: {"error":"invalid_grant","refresh_token":"<redacted>"}`,
	},
	{
		"Authorization: Bearer dapi0123456789abcdef0123456789abcdef\nX-Foo: bar",
		`Authorization: Bearer <redacted> X-Foo: bar`,
	},
	{
		"org.apache.hive.service.cli.HiveSQLException: Error running query: java.lang.NullPointerException\n\tat org.apache.spark.sql.hive.thriftserver.SparkExecuteStatementOperation.$anonfun$execute$1(SparkExecuteStatementOperation.scala:929)\n\tat com.acme.udf.Score.eval(Score.java:12)",
		`org.apache.hive.service.cli.HiveSQLException: Error running query: java.lang.NullPointerException at org.apache.spark.sql.hive.thriftserver.SparkExecuteStatementOperation.$anonfun$execute$1(SparkExecuteStatementOperation.scala:929) at <identifier>(Score.java:12)`,
	},
	{
		`error performing staging operation: Invalid OperationHandle: OperationHandle [opType=EXECUTE_STATEMENT, getHandleIdentifier()=86608ab4-3f84-45d4-8401-e6c10c6fd758]`,
		`error performing staging operation: Invalid OperationHandle: OperationHandle [opType=EXECUTE_STATEMENT, getHandleIdentifier()=<value>]`,
	},
	{
		`Table or view not found: customers; line 1 pos 14`,
		`Table or view not found: <identifier>; line 1 pos 14`,
	},
	{
		`failed to run query: select ssn, name from people where id = 42`,
		`failed to run query: <sql>`,
	},
	{
		`query SELECT 1`,
		`query <sql>`,
	},
	{
		`databricks: failed to execute query: delete from people where name = 'x'`,
		`databricks: failed to execute query: <sql>`,
	},
	{
		`Please select a warehouse from the list. You can't update rows that don't exist.`,
		`Please select a warehouse from the list. You can't update rows that don't exist.`,
	},
	{
		`The quick brown fox jumps over the lazy dog; it's the users' choice and they won't mind.`,
		`The quick brown fox jumps over the lazy dog; it's the users' choice and they won't mind.`,
	},
	{
		`x509: certificate signed by unknown authority`,
		`x509: certificate signed by unknown authority`,
	},
	{
		`tls: failed to verify certificate: x509: certificate is valid for *.corp.example.com, not adb-1.azuredatabricks.net`,
		`tls: failed to verify certificate: x509: certificate is valid for *.<host>, not <host>`,
	},
	{
		`[DELTA_CONCURRENT_APPEND] ConcurrentAppendException: Files were added to partition [date=2024-01-01, country=DE] by a concurrent update. Please try the operation again.`,
		`[DELTA_CONCURRENT_APPEND] ConcurrentAppendException: Files were added to partition [date=<value>, <redacted>] by a concurrent update. Please try the operation again.`,
	},
	{
		`abfss://data@acct.dfs.core.windows.net/customers/part-0.parquet: Operation failed: "Server failed to authenticate", 403, HEAD`,
		`abfss://<path>: Operation failed: "<value>", 403, HEAD`,
	},
	{
		`AccountKey=abcd/efgh+ijklmnop==;EndpointSuffix=core.windows.net;SharedAccessSignature=sv=2020&sig=abc%2Fdef`,
		`AccountKey=<redacted>;<redacted>;SharedAccessSignature=<redacted>`,
	},
	{
		"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY----- was not accepted",
		`<redacted> was not accepted`,
	},
	{
		`HTTP/1.1 429 Too Many Requests: retry after 30s, attempt 3 of 5`,
		`HTTP/1.1 429 Too Many Requests: retry after 30s, attempt 3 of 5`,
	},
	{
		`call me at +1 555 123 4567 or 4111 1111 1111 1111`,
		`call me at +<id> <id> <id> <id> or <id> <id> <id> <id>`,
	},
	{
		"goroutine 1 [running]:\nmain.main()\n\t/Users/bob/src/app/main.go:12 +0x1d",
		`goroutine 1 [running]: <identifier>() <path> +<id>`,
	},
	{
		`gs://bucket/x and s3://bucket/y and dbfs:/mnt/secret and /Volumes/main/default/v/file.csv`,
		`gs://<path> and s3://<path> and <path> and <path>`,
	},
	{
		`User with id 42 and email bob@x.com: password = hunter2 and pwd: foo`,
		`User with id <value> and email <email>: password = <redacted> and pwd: <redacted>`,
	},
	{
		`java.sql.SQLException: 'O'Brien's account`,
		`java.sql.SQLException: <redacted>`,
	},
	{
		`invalid access token: token has expired`,
		`invalid access token: token has expired`,
	},
	{
		`[NOT_NULL_CONSTRAINT_VIOLATION] NOT NULL constraint violated for column: ssn. SQLSTATE: 23502`,
		`[NOT_NULL_CONSTRAINT_VIOLATION] NOT NULL constraint violated for column: <identifier>. SQLSTATE: 23502`,
	},
	{
		"[REQUIRES_SINGLE_PART_NAMESPACE] spark_catalog requires a single-part namespace, but got `a`.`b`. SQLSTATE: 42K05",
		`[REQUIRES_SINGLE_PART_NAMESPACE] <identifier> requires a single-part namespace, but got <identifier>. SQLSTATE: 42K05`,
	},
	{
		`Job aborted due to stage failure: Task 0 in stage 3.0 failed 4 times, most recent failure: Lost task 0.3 in stage 3.0 (TID 12) (10.139.64.4 executor 1): org.apache.spark.SparkException: [FAILED_READ_FILE.NO_HINT] Error while reading file dbfs:/mnt/x/part-0.parquet. SQLSTATE: KD001`,
		`Job aborted due to stage failure: Task 0 in stage 3.0 failed 4 times, most recent failure: Lost task 0.3 in stage 3.0 (TID 12) (<ip> executor 1): org.apache.spark.SparkException: [FAILED_READ_FILE.NO_HINT] Error while reading file <path>. SQLSTATE: KD001`,
	},
	{
		`context deadline exceeded`,
		`context deadline exceeded`,
	},
	{
		`driver: bad connection`,
		`driver: bad connection`,
	},
	{
		`Lookup failed for account «Müller» and “Jane Doe” at 15 km`,
		`Lookup failed for account «<value>» and “<value>” at 15 km`,
	},
}
