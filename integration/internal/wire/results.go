package wire

// ResultFormat is the format in which rows are sent.
type ResultFormat = int32

// The result formats of the service.
const (
	FormatArrow  ResultFormat = 0 // Arrow batches inside the Thrift response
	FormatColumn ResultFormat = 1 // columns of Thrift values
	FormatRow    ResultFormat = 2
	FormatURL    ResultFormat = 3 // CloudFetch: links to Arrow files
)

// Outcomes of a lookup in the result cache.
const (
	CacheIneligible int32 = 0
	CacheLocalHit   int32 = 1
	CacheRemoteHit  int32 = 2
	CacheMiss       int32 = 3
)

// GetResultSetMetadataReq asks for the schema of a result.
type GetResultSetMetadataReq struct {
	OperationHandle *OperationHandle `thrift:"1"`
}

// GetResultSetMetadataResp answers it. ArrowSchema is the schema message of an Arrow IPC
// stream and nothing else.
type GetResultSetMetadataResp struct {
	Status             *Status      `thrift:"1"`
	Schema             *TableSchema `thrift:"2"`
	ResultFormat       *int32       `thrift:"1281"`
	LZ4Compressed      *bool        `thrift:"1282"`
	ArrowSchema        []byte       `thrift:"1283"`
	CacheLookupResult  *int32       `thrift:"1284"`
	UncompressedBytes  *int64       `thrift:"1285"`
	CompressedBytes    *int64       `thrift:"1286"`
	IsStagingOperation *bool        `thrift:"1287"`

	// Fields of the service that no released client reads.
	NoCloudFetchReason *int32 `thrift:"3329"`
	CacheLookupLatency *int64 `thrift:"3333"` // ms
	Truncated          *bool  `thrift:"3345"` // by ResultRowLimit, not by LIMIT
}

// Reasons why a result is not sent by CloudFetch.
const (
	NoCloudFetchArrow    int32 = 0 // the client cannot read Arrow
	NoCloudFetchClient   int32 = 1 // the client cannot download
	NoCloudFetchProtocol int32 = 2
	NoCloudFetchSmall    int32 = 5
	NoCloudFetchUnknown  int32 = 7
)

// TableSchema lists the columns of a result.
type TableSchema struct {
	Columns []*ColumnDesc `thrift:"1"`
}

// ColumnDesc describes one column. Position counts from 1.
type ColumnDesc struct {
	ColumnName string    `thrift:"1"`
	TypeDesc   *TypeDesc `thrift:"2"`
	Position   int32     `thrift:"3"`
	Comment    *string   `thrift:"4"`
}

// TypeDesc wraps a type. Its list is meant for nested types, which never occur here.
type TypeDesc struct {
	Types []*TypeEntry `thrift:"1"`
}

// TypeEntry is a union; the service uses only this member.
type TypeEntry struct {
	PrimitiveEntry *PrimitiveTypeEntry `thrift:"1"`
}

// PrimitiveTypeEntry is a type and, for DECIMAL, its precision and scale.
type PrimitiveTypeEntry struct {
	Type           int32           `thrift:"1"`
	TypeQualifiers *TypeQualifiers `thrift:"2"`
}

// TypeQualifiers holds "precision" and "scale".
type TypeQualifiers struct {
	Qualifiers map[string]*TypeQualifierValue `thrift:"1"`
}

// TypeQualifierValue is a union.
type TypeQualifierValue struct {
	I32Value    *int32  `thrift:"1"`
	StringValue *string `thrift:"2"`
}

// Fetch orientations.
const (
	FetchNext  int32 = 0
	FetchPrior int32 = 1
	FetchFirst int32 = 4
)

// FetchResultsReq asks for a page of a result.
type FetchResultsReq struct {
	OperationHandle          *OperationHandle `thrift:"1"`
	Orientation              int32            `thrift:"2"`
	MaxRows                  int64            `thrift:"3"`
	MaxBytes                 *int64           `thrift:"1281"`
	StartRowOffset           *int64           `thrift:"1282"`
	IncludeResultSetMetadata *bool            `thrift:"1283"`
}

// FetchResultsResp answers it.
type FetchResultsResp struct {
	Status            *Status                   `thrift:"1"`
	HasMoreRows       *bool                     `thrift:"2"`
	Results           *RowSet                   `thrift:"3"`
	ResultSetMetadata *GetResultSetMetadataResp `thrift:"1281"`
}

// RowSet is one page. Exactly one of Columns, ArrowBatches and ResultLinks is set; an empty
// page has an empty list, because absent lists do not indicate the format.
type RowSet struct {
	StartRowOffset int64         `thrift:"1"`
	Rows           []*Row        `thrift:"2"`
	Columns        []*Column     `thrift:"3"`
	ArrowBatches   []*ArrowBatch `thrift:"1281"`
	ResultLinks    []*ResultLink `thrift:"1282"`
}

// Row is the row based format, which is required on the wire and always empty.
type Row struct{}

// ArrowBatch is the record batches of an IPC stream without their schema, LZ4 compressed
// when the metadata says so.
type ArrowBatch struct {
	Batch    []byte `thrift:"1"`
	RowCount int64  `thrift:"2"`
}

// ResultLink is one CloudFetch file.
type ResultLink struct {
	FileLink       string            `thrift:"1"`
	ExpiryTime     int64             `thrift:"2"` // ms since the epoch
	StartRowOffset int64             `thrift:"3"`
	RowCount       int64             `thrift:"4"`
	BytesNum       int64             `thrift:"5"`
	HTTPHeaders    map[string]string `thrift:"6"`
}

// Column is a union: one column of a page. Nulls is a bitmap, least significant bit first.
type Column struct {
	Bool   *BoolColumn   `thrift:"1"`
	Byte   *ByteColumn   `thrift:"2"`
	I16    *I16Column    `thrift:"3"`
	I32    *I32Column    `thrift:"4"`
	I64    *I64Column    `thrift:"5"`
	Double *DoubleColumn `thrift:"6"`
	String *StringColumn `thrift:"7"`
	Binary *BinaryColumn `thrift:"8"`
}

// The members of Column. A NULL has a zero value in Values and its bit set in Nulls.
type (
	// BoolColumn holds BOOLEAN.
	BoolColumn struct {
		Values []bool `thrift:"1"`
		Nulls  []byte `thrift:"2"`
	}
	// ByteColumn holds TINYINT.
	ByteColumn struct {
		Values []int8 `thrift:"1"`
		Nulls  []byte `thrift:"2"`
	}
	// I16Column holds SMALLINT.
	I16Column struct {
		Values []int16 `thrift:"1"`
		Nulls  []byte  `thrift:"2"`
	}
	// I32Column holds INT.
	I32Column struct {
		Values []int32 `thrift:"1"`
		Nulls  []byte  `thrift:"2"`
	}
	// I64Column holds BIGINT.
	I64Column struct {
		Values []int64 `thrift:"1"`
		Nulls  []byte  `thrift:"2"`
	}
	// DoubleColumn holds FLOAT and DOUBLE.
	DoubleColumn struct {
		Values []float64 `thrift:"1"`
		Nulls  []byte    `thrift:"2"`
	}
	// StringColumn holds STRING, and DATE, TIMESTAMP and DECIMAL as text.
	StringColumn struct {
		Values []string `thrift:"1"`
		Nulls  []byte   `thrift:"2"`
	}
	// BinaryColumn holds BINARY.
	BinaryColumn struct {
		Values [][]byte `thrift:"1"`
		Nulls  []byte   `thrift:"2"`
	}
)
