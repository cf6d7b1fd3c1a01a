package telemetry

// Category is a stable name for the cause of a failure. The Databricks drivers share these names.
type Category string

// The categories.
const (
	CategoryTimeout           Category = "timeout"
	CategoryCanceled          Category = "cancelled"
	CategoryConnection        Category = "connection_error"
	CategoryAuth              Category = "auth_error"
	CategoryPermission        Category = "permission_error"
	CategoryNotFound          Category = "not_found"
	CategorySyntax            Category = "syntax_error"
	CategoryInvalidRequest    Category = "invalid_request"
	CategoryChunkDownload     Category = "chunk_download_error"
	CategoryDecompression     Category = "decompression_error"
	CategoryArrowSchema       Category = "arrow_schema_parsing_error"
	CategoryResultSet         Category = "result_set_error"
	CategoryUnsupported       Category = "unsupported_operation"
	CategoryRateLimit         Category = "rate_limit_exceeded"
	CategoryTLS               Category = "ssl_handshake_error"
	CategoryStatementTimeout  Category = "statement_execution_timeout"
	CategoryStatementFailed   Category = "execute_statement_failed"
	CategoryStatementCanceled Category = "execute_statement_cancelled"
	CategorySessionClosed     Category = "session_closed"
	CategoryStatementClosed   Category = "statement_closed"
	CategoryOther             Category = "error"
)
