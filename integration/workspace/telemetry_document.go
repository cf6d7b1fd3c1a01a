package workspace

// TelemetryDocument is one protoLogs entry: the proto OssSqlDriverTelemetryLog in its frame,
// in JSON. Field names and enum values are the service's; nothing else is accepted.
type TelemetryDocument struct {
	WorkspaceID int64             `json:"workspace_id"`
	EventID     string            `json:"frontend_log_event_id"`
	Context     *TelemetryContext `json:"context"`
	Entry       *TelemetryEntry   `json:"entry"`
}

// TelemetryContext holds the client context.
type TelemetryContext struct {
	ClientContext *ClientContext `json:"client_context"`
}

// ClientContext says when and by whom the event was made.
type ClientContext struct {
	TimestampMillis int64  `json:"timestamp_millis"`
	UserAgent       string `json:"user_agent"`
}

// TelemetryEntry holds the event.
type TelemetryEntry struct {
	SQLDriverLog *SQLDriverLog `json:"sql_driver_log"`
}

// SQLDriverLog is one event of a driver.
type SQLDriverLog struct {
	SessionID           string               `json:"session_id"`
	StatementID         string               `json:"sql_statement_id"`
	AuthType            string               `json:"auth_type"`
	OperationLatencyMs  int64                `json:"operation_latency_ms"`
	SystemConfiguration *SystemConfiguration `json:"system_configuration"`
	ConnectionParams    *ConnectionParams    `json:"driver_connection_params"`
	SQLOperation        *SQLOperation        `json:"sql_operation"`
	VolumeOperation     *VolumeOperation     `json:"vol_operation"`
	ErrorInfo           *ErrorInfo           `json:"error_info"`
}

// SystemConfiguration describes the process the driver runs in.
type SystemConfiguration struct {
	DriverVersion   string `json:"driver_version"`
	RuntimeName     string `json:"runtime_name"`
	RuntimeVersion  string `json:"runtime_version"`
	RuntimeVendor   string `json:"runtime_vendor"`
	OSName          string `json:"os_name"`
	OSVersion       string `json:"os_version"`
	OSArch          string `json:"os_arch"`
	DriverName      string `json:"driver_name"`
	ClientAppName   string `json:"client_app_name"`
	LocaleName      string `json:"locale_name"`
	CharSetEncoding string `json:"char_set_encoding"`
	ProcessName     string `json:"process_name"`
}

// HostDetails is an address and how a proxy there authenticates.
type HostDetails struct {
	HostURL       string `json:"host_url"`
	Port          int32  `json:"port"`
	ProxyAuthType string `json:"proxy_auth_type" enum:"NONE BASIC SPNEGO"`
}

// ConnectionParams describes how the connection was configured.
type ConnectionParams struct {
	HTTPPath                 string       `json:"http_path"`
	Mode                     string       `json:"mode" enum:"THRIFT SEA"`
	HostInfo                 *HostDetails `json:"host_info"`
	UseProxy                 bool         `json:"use_proxy"`
	AuthMech                 string       `json:"auth_mech" enum:"OTHER PAT OAUTH"`
	AuthFlow                 string       `json:"auth_flow" enum:"TOKEN_PASSTHROUGH CLIENT_CREDENTIALS BROWSER_BASED_AUTHENTICATION"`
	AuthScope                string       `json:"auth_scope"`
	UseSystemProxy           bool         `json:"use_system_proxy"`
	NonProxyHosts            []string     `json:"non_proxy_hosts"`
	UseCFProxy               bool         `json:"use_cf_proxy"`
	ProxyHostInfo            *HostDetails `json:"proxy_host_info"`
	CFProxyHostInfo          *HostDetails `json:"cf_proxy_host_info"`
	DiscoveryModeEnabled     bool         `json:"discovery_mode_enabled"`
	DiscoveryURL             string       `json:"discovery_url"`
	IdentityFederationClient string       `json:"identity_federation_client_id"`
	UseEmptyMetadata         bool         `json:"use_empty_metadata"`
	SupportManyParameters    bool         `json:"support_many_parameters"`
	SSLTrustStoreType        string       `json:"ssl_trust_store_type"`
	CheckRevocation          bool         `json:"check_certificate_revocation"`
	AcceptUndetermined       bool         `json:"accept_undetermined_certificate_revocation"`
	EnableArrow              bool         `json:"enable_arrow"`
	EnableDirectResults      bool         `json:"enable_direct_results"`
	EnableComplexTypes       bool         `json:"enable_complex_datatype_support"`
	EnableGeospatial         bool         `json:"enable_geospatial_support"`
	AzureWorkspaceResourceID string       `json:"azure_workspace_resource_id"`
	AzureTenantID            string       `json:"azure_tenant_id"`
	StringColumnLength       int32        `json:"string_column_length"`
	SocketTimeout            int64        `json:"socket_timeout"` // seconds
	EnableTokenCache         bool         `json:"enable_token_cache"`
	AuthEndpoint             string       `json:"auth_endpoint"`
	TokenEndpoint            string       `json:"token_endpoint"`
	HTTPConnectionPoolSize   int32        `json:"http_connection_pool_size"`
	EnableSEAHybridResults   bool         `json:"enable_sea_hybrid_results"`
	AllowSelfSigned          bool         `json:"allow_self_signed_support"`
	UseSystemTrustStore      bool         `json:"use_system_trust_store"`
	RowsFetchedPerBlock      int32        `json:"rows_fetched_per_block"`
	AsyncPollIntervalMillis  int32        `json:"async_poll_interval_millis"`
	EnableMetricViewMetadata bool         `json:"enable_metric_view_metadata"`
	QueryTags                string       `json:"query_tags"`
	AutoCommit               bool         `json:"auto_commit"`
}

// SQLOperation is what a statement cost.
type SQLOperation struct {
	StatementType   string           `json:"statement_type" enum:"TYPE_UNSPECIFIED QUERY SQL UPDATE METADATA VOLUME"`
	IsCompressed    bool             `json:"is_compressed"`
	ExecutionResult string           `json:"execution_result" enum:"FORMAT_UNSPECIFIED INLINE_ARROW INLINE_JSON EXTERNAL_LINKS COLUMNAR_INLINE"`
	ChunkID         int64            `json:"chunk_id"` // of the failing chunk only
	RetryCount      int64            `json:"retry_count"`
	ChunkDetails    *ChunkDetails    `json:"chunk_details"`
	ResultLatency   *ResultLatency   `json:"result_latency"`
	OperationDetail *OperationDetail `json:"operation_detail"`
}

// ChunkDetails sums up the downloads of a statement.
type ChunkDetails struct {
	InitialChunkLatencyMillis   int64 `json:"initial_chunk_latency_millis"`
	SlowestChunkLatencyMillis   int64 `json:"slowest_chunk_latency_millis"`
	TotalChunksPresent          int32 `json:"total_chunks_present"`
	TotalChunksIterated         int32 `json:"total_chunks_iterated"`
	SumChunksDownloadTimeMillis int64 `json:"sum_chunks_download_time_millis"`
}

// ResultLatency is how long a result took to be ready and to be read.
type ResultLatency struct {
	ReadyMillis       int64 `json:"result_set_ready_latency_millis"`
	ConsumptionMillis int64 `json:"result_set_consumption_latency_millis"`
}

// OperationDetail is what the client did for the operation.
type OperationDetail struct {
	StatusCalls         int32  `json:"n_operation_status_calls"`
	StatusLatencyMillis int64  `json:"operation_status_latency_millis"`
	OperationType       string `json:"operation_type" enum:"TYPE_UNSPECIFIED CREATE_SESSION DELETE_SESSION EXECUTE_STATEMENT EXECUTE_STATEMENT_ASYNC CLOSE_STATEMENT CANCEL_STATEMENT LIST_TYPE_INFO LIST_CATALOGS LIST_SCHEMAS LIST_TABLES LIST_TABLE_TYPES LIST_COLUMNS LIST_FUNCTIONS LIST_PRIMARY_KEYS LIST_IMPORTED_KEYS LIST_EXPORTED_KEYS LIST_CROSS_REFERENCES"`
	IsInternalCall      bool   `json:"is_internal_call"`
}

// VolumeOperation is an upload, a download or a removal.
type VolumeOperation struct {
	Type      string `json:"volume_operation_type" enum:"TYPE_UNSPECIFIED PUT GET DELETE LIST QUERY"`
	Path      string `json:"volume_path"`
	LocalFile string `json:"local_file"`
}

// ErrorInfo names a failure.
type ErrorInfo struct {
	ErrorName  string `json:"error_name"`
	StackTrace string `json:"stack_trace"`
}
