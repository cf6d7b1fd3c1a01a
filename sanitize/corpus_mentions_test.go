package sanitize

// mentions are messages that mention names, literals and SQL in passing, and plain ones
// that must come through.
var mentions = []sample{
	{
		`Error: user "alice" (alice.smith@corp.com) from 10.1.2.3 attempted DROP TABLE main.hr.pay`,
		`Error: user "<value>" (<email>) from <ip> attempted <sql>`,
	},
	{
		`Catalog 'prod_hr' was not found. Please verify that your catalog name is correct`,
		`Catalog '<value>' was not found. Please verify that your catalog name is correct`,
	},
	{
		`Schema hr_private does not exist`,
		`Schema <identifier> does not exist`,
	},
	{
		`column salary of table employees cannot be null`,
		`column <identifier> of table <identifier> cannot be null`,
	},
	{
		`duplicate key value violates unique constraint "employees_ssn_key" Detail: Key (ssn)=(123-45-6789) already exists.`,
		`duplicate key value violates unique constraint "<value>" Detail: Key (<redacted>)=(<value>) already exists.`,
	},
	{
		`Cannot resolve column name "salary" among (name, ssn, dob)`,
		`Cannot resolve column name "<value>" among (name, <identifier>, <identifier>)`,
	},
	{
		`cannot resolve 'foo' given input columns: [main.hr.pay.name, ssn]`,
		`cannot resolve '<value>' given input columns: [<identifier>, <identifier>]`,
	},
	{
		`[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES] Cannot resolve "(salary > abc)" due to data type mismatch: the left and right operands of the binary operator have incompatible types ("INT" and "STRING"). SQLSTATE: 42K09`,
		`[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES] Cannot resolve "<value>" due to data type mismatch: the left and right operands of the binary operator have incompatible types ("INT" and "STRING"). SQLSTATE: 42K09`,
	},
	{
		"[UC_VOLUME_NOT_FOUND] Volume `main`.`x`.`y` does not exist. Please use SHOW VOLUMES to list available volumes.",
		`[UC_VOLUME_NOT_FOUND] Volume <identifier> does not exist. Please use SHOW VOLUMES to list available volumes.`,
	},
	{
		`Volume /Volumes/main/x/y/file with spaces.csv not found`,
		`Volume <path> with <identifier> not found`,
	},
	{
		`Insert failed: values (1, 'bob', 99999)`,
		`Insert failed: values (<value>, '<value>', <value>)`,
	},
	{
		`filter: age > 42 and name = bob`,
		`filter: <identifier> > <value> and name = <value>`,
	},
	{
		`error: INSERT INTO people VALUES ('x', 42)`,
		`error: <sql>`,
	},
	{
		`query: "SELECT * FROM people" failed`,
		`query: "<value>" failed`,
	},
	{
		`query: with cte as (select a from b) select * from cte`,
		`query: <sql>`,
	},
	{
		`request id: 0d4f0a1c-1111-2222-3333-444455556666 status 500`,
		`request id: <value> status 500`,
	},
	{
		`error code 500051 SQL state 42P01`,
		`error code 500051 SQL state 42P01`,
	},
	{
		`{"message": "bad", "ssn": 123456789, "status": 403, "name": "Bob Jones", "ok": true}`,
		`{"message": "bad", "<identifier>": <value>, "status": 403, "name": "<value>", "ok": true}`,
	},
	{
		`map[Authorization:[Bearer dapi0123456789abcdef0123456789abcdef] Accept:[text/html] X-Foo:[secretvalue]]`,
		`map[Authorization: <redacted>`,
	},
	{
		`curl -H 'Authorization: Bearer abc' https://h/x`,
		`curl -H '<value>' https://<host>/<path>`,
	},
	{
		`oauth2: "invalid_client" "Client authentication failed" secret=foo`,
		`oauth2: "invalid_client" "<value>" secret=<redacted>`,
	},
	{
		`failed with token abcdefgh`,
		`failed with token <redacted>`,
	},
	{
		`jdbc:databricks://adb-1.azuredatabricks.net:443/default;transportMode=http;ssl=1;AuthMech=3;UID=token;PWD=dapi0123456789abcdef`,
		`<url>;<redacted>;ssl=<value>;<redacted>;UID=<redacted>;PWD=<redacted>`,
	},
	{
		`net/http: invalid header field value for "Authorization"`,
		`net/http: invalid header field value for "<value>"`,
	},
	{
		`tls: first record does not look like a TLS handshake`,
		`tls: first record does not look like a TLS handshake`,
	},
	{
		`http: server gave HTTP response to HTTPS client`,
		`http: server gave HTTP response to HTTPS client`,
	},
	{
		`EOF / unexpected EOF / broken pipe`,
		`EOF / unexpected EOF / broken pipe`,
	},
	{
		`proxyconnect tcp: dial tcp: lookup proxy.corp.internal: no such host`,
		`proxyconnect tcp: dial tcp: lookup <host>: no such host`,
	},
	{
		`proxyconnect tcp: dial tcp: lookup squid on 10.0.0.2:53: server misbehaving`,
		`proxyconnect tcp: dial tcp: lookup <identifier> on <ip>:53: server misbehaving`,
	},
	{
		`unexpected HTTP status 403 Forbidden`,
		`unexpected HTTP status 403 Forbidden`,
	},
	{
		`sql: Scan error on column index 2, name "salary": converting driver.Value type string ("12,000") to a int64: invalid syntax`,
		`sql: Scan error on column index 2, name "<value>": converting driver.Value type string ("<value>") to a int64: invalid syntax`,
	},
	{
		`sql: expected 2 arguments, got 3`,
		`sql: expected 2 arguments, got 3`,
	},
	{
		`strconv.ParseInt: parsing "bob": invalid syntax`,
		`strconv.ParseInt: parsing "<value>": invalid syntax`,
	},
	{
		`json: cannot unmarshal string into Go struct field Row.salary of type int`,
		`json: cannot unmarshal string into Go struct field <identifier> of type int`,
	},
	{
		`arrow/ipc: could not read message schema: EOF`,
		`arrow/ipc: could not read message schema: EOF`,
	},
	{
		`The account John Smith is disabled`,
		`The account <identifier> <identifier> is disabled`,
	},
	{
		`Unauthorized access to Org: 1234567890123456`,
		`Unauthorized access to Org: <id>`,
	},
	{
		`Table employees already exists; table: payroll, view payroll_v`,
		`Table <identifier> already exists; table: <identifier>, view <identifier>`,
	},
	{
		"[DELTA_TABLE_NOT_FOUND] Delta table `x` doesn't exist.",
		`[DELTA_TABLE_NOT_FOUND] Delta table <identifier> doesn't exist.`,
	},
	{
		`Invalid access to workspace contoso-prod`,
		`Invalid access to workspace <identifier>`,
	},
	{
		`Query exceeded 3600 s; statement 01ef-abc was cancelled by admin@corp.com at 2024-01-17T18:46:16Z`,
		`Query exceeded 3600 s; statement <id> was cancelled by <email> at <redacted>`,
	},
	{
		`SELECT`,
		`SELECT`,
	},
	{
		`permission to SELECT.`,
		`permission to SELECT.`,
	},
	{
		`You need CREATE TABLE permission, or USE CATALOG and USE SCHEMA on the parent.`,
		`You need CREATE TABLE permission, or USE CATALOG and USE SCHEMA on the parent.`,
	},
	{
		`bob's table and the users' data`,
		`bob's table and the users' data`,
	},
	{
		`AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=abcdef0123`,
		`AWS4-HMAC-SHA256 Credential=<redacted>, <redacted>, Signature=<redacted>`,
	},
	{
		`aws_access_key_id AKIAIOSFODNN7EXAMPLE aws_secret_access_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`,
		`<identifier> <redacted> <identifier> <path>`,
	},
	{
		`[RequestId=abc ErrorClass=TABLE_DOES_NOT_EXIST.RESOURCE_DOES_NOT_EXIST] Table 'x' does not exist.`,
		`[RequestId=<value> ErrorClass=TABLE_DOES_NOT_EXIST.RESOURCE_DOES_NOT_EXIST] Table '<value>' does not exist.`,
	},
	{
		"rejected: dapiabcdefabcdefabcd, AKIAIOSFODNNQEXAMPLE, doseba and AIzaabcdefgh",
		"rejected: <identifier>, <identifier>, doseba and <identifier>",
	},
	{
		"login with password: correcthorse, database_password: correcthorse, secret correcthorse and DB_PASSWORD correcthorse",
		"login with password: <redacted>, <identifier>: <redacted>, secret <redacted> and <identifier> <redacted>",
	},
}
