package wire

// Protocol versions that a server may answer with; each adds features that a client may ask for.
const (
	ProtocolHiveV8  int32 = 7     // nothing beyond Hive: polling and columns
	ProtocolSparkV1 int32 = 42241 // direct results
	ProtocolSparkV2 int32 = 42242
	ProtocolSparkV3 int32 = 42243 // CloudFetch
	ProtocolSparkV4 int32 = 42244 // several catalogs
	ProtocolSparkV5 int32 = 42245 // Arrow
	ProtocolSparkV6 int32 = 42246 // LZ4
	ProtocolSparkV7 int32 = 42247
	ProtocolSparkV8 int32 = 42248 // parameters
	ProtocolSparkV9 int32 = 42249
)

// Namespace is a catalog and a schema.
type Namespace struct {
	CatalogName *string `thrift:"1"`
	SchemaName  *string `thrift:"2"`
}

// SessionHandle names a session on the wire.
type SessionHandle struct {
	SessionID             *HandleIdentifier `thrift:"1"`
	ServerProtocolVersion *int32            `thrift:"3329"`
}

// OpenSessionReq opens a session.
type OpenSessionReq struct {
	Configuration          map[string]string `thrift:"4"`
	ClientProtocolI64      *int64            `thrift:"1282"`
	InitialNamespace       *Namespace        `thrift:"1284"`
	CanUseMultipleCatalogs *bool             `thrift:"1285"`
}

// OpenSessionResp answers it.
type OpenSessionResp struct {
	Status                 *Status           `thrift:"1"`
	ServerProtocolVersion  int32             `thrift:"2"`
	SessionHandle          *SessionHandle    `thrift:"3"`
	Configuration          map[string]string `thrift:"4"`
	InitialNamespace       *Namespace        `thrift:"1284"`
	CanUseMultipleCatalogs *bool             `thrift:"1285"`
}

// CloseSessionReq ends a session.
type CloseSessionReq struct {
	SessionHandle *SessionHandle `thrift:"1"`
}

// CloseSessionResp answers it.
type CloseSessionResp struct {
	Status *Status `thrift:"1"`
}
