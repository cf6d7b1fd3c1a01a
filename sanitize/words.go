package sanitize

// The words of server, driver and network messages. None of them can be told from
// another as a name would be: whoever calls a table "table" gives nothing away.
const (
	harmlessWords = `
a an the this that these those it its there here which what when while why how who all any some each every both either neither
no more most less least few many much other another same such only just also already still yet again once twice now then
one two three four five six seven eight nine ten first second third last next previous new old
be been being am being had do did done doing get got gets give given gives make made let's
you your we our they their them he she his her i me my us
very too so than before after during until since without within into onto upon through between among about against
above below over under up down out off away back again per via instead because if else though although unless
abort aborted aborting absent accept accepted acceptable accepts access accessed accessible action active actual add added additional
after ago allow allowed allows ambiguous analysis analyze anonymous apache api app append application apply approximate arithmetic
array arrow attempt attempted attempts authentication authenticate authenticated authorization authorized authorize auth automatic available avoid await awaiting aws azure
bad batch batches because been before begin behavior binary block blocked body bound bounded broken browser buffer build built busy byte bytes bypass
cache cached call called caller calls cancel canceled cancelled cancellation canceling cancelling cannot can't can cast casting charset catch cause caused causes certificate certificates change changed
character characters check checked checksum chunk chunks class cleared client clients close closed closing cloud cloudfetch code codec codes collation command commands commit committed comparison compatible complete completed compressed compression
concurrent condition conf config configuration configure configured conflict conflicting conflicts connect connected connecting connection connections consider constraint contact contain contains content context continue conversion convert converted copy correct correctness corrupt corrupted could count counts couldn't create created creating creation csv current cursor
data databricks date datatype dbsql deadline deadlock decimal declared decode decoding decompress decompression default define defined definition delete deleted delta denied deny deprecated descriptor deserialize detail details detected determine dial did didn't different digit direct directory disable disabled disconnect disconnected division divide divisor dns do document documentation does doesn't done don't down download downloaded downloading downstream driver drop dropped dry duplicate duplicated during duration dynamic
early eligible empty enable enabled encode encoding encountered encrypted end ended engine enough ensure enter entity environment eof equal error errors evaluate evaluated evaluation event events exceed exceeded exceeds except exception exceptions exclusive execute executed executing execution exhausted exist existing exists exit expect expected expiration expire expired expires explicit expression expressions external extra
fail failed failing fails failure failures false family fatal feature features fetch fetched fetching fewer fields files filter final find finish finished first flag float flow flush following follow for forbidden forced foreign form format formats forward found frame full fully further
gateway gcp gateways general generate generated generic go goroutine gone grant granted group grouping gzip
handle handler handles handshake hasn't have haven't header headers healthy held help hint hold hosts http https hung
ids idle ignore ignored illegal implemented implicit import inactive include included including incompatible incomplete inconsistent incorrect index indexes infer inferred info information initialize initialized initializing initiated inline insert inserted inside instance instances insufficient integer integrity interface intermediate internal interrupted interval into invalid invalidated invocation invoked ip is isn't isolation issue issued issuer item items iterator
java job jobs join json just jwt
keep keepalive keys kernel kill killed kind known
language large larger latency later layer leading least left length less level library license like limit limits link links list listed listen little load loaded loading local localhost location lock locked log logged logic login logs long longer lookup loop lost low lower
main maintenance malformed managed manager many map mapping match matched matches matching materialized max maximum may maybe mechanism memory metadata metastore method metrics microsoft min minimum minute minutes mismatch mismatched missing misbehaving mode model modified modify module moment move moved multi multiple must mutual
named namespace native need needed needs negative nested network never newer no nodes non nonexistent normal notation notebook nothing notice num numeric null number numbers
oauth oauth2 object objects observed occurred occurs off offline offset ok old older omitted online only opened opening operand operation operations operator optimize option optional options or order org original other otherwise our outer output outside over overflow overflowed override own
page pages parallel param params parent parse parsed parser parsing part partial partially partition partitions pass passed past pause payload peer pending perform performed period permanent permanently permission permissions permitted ping pipe pipeline plan plans please policy poll polling pool port pos position positional possible post precision prefix premature prepare prepared present prevent previous primary print private privilege privileges problem proceed process processed processing produced profile program progress project prompt properties property protocol provide provided provider proxy public pull push put python
qualified qualify quantity query queries queue queued quota quote quoted quotes
raise raised range rate rather raw reach reached read readable reader reading ready reason reasons receive received recent recognized record records recover recursive redirect reduce refer reference references refresh refused region register registered regular reject rejected related release released reload remote remove removed rename repeated replace replaced replay reply report request requested requests require required requirement requires reset resolve resolved resolution resource resources response responses restart restarted restricted result results resume retried retries retry retryable retrying return returned returning returns review revoked right role roll rollback root rounds route row rows rule rules run runnable running runtime
safe same sample save scala scalar scale scan schedule scheduled scheme scope script search section security see seek select selected semantic send sending sent separate sequence serialization serialize serializable serializer served server servers service serverless services session sessions set setting settings setup several severity shape share shared short should shut shutdown sign signed similar simple single size sizes sleep slow small snapshot so soon sorry source spark specific specified specify specifies spelling split sql ssl stack stage stale standard start started starting startup statement statements static status statistics step still stop stopped storage store stored stream streaming strict struct structure style sub subject submit submitted subquery success successful successfully such suffix suggestion suggestions suitable summary support supported supports suspended symbol sync syntax system
take taken takes target task tasks tcp telemetry temp temporarily temporary tenant terminate terminated terminating test text than thread threads threshold thrift throttled throttling thrown time timed timeout timeouts timestamp times tls today tolerate too took tool total trace traffic trailing transaction transactions transfer transform transient transport tried trigger trim truncate truncated trust trusted try trying type types
udp unable unaccepted unauthenticated unauthorized unavailable unbound uncaught unchanged unclosed uncompressed undefined underlying unencrypted unexpected unexpectedly unhandled unhealthy unified uninitialized unique unit unity unknown unless unlimited unnamed unprocessable unqualified unreachable unreadable unrecognized unreleased unresolved unsafe unset unspecified unsupported until unused unusable update updated updates upgrade upload uploaded uri url usage use used uses using usual utf utf-8 utf8
valid validate validated validation vacuum variant various verify verification version versions via violation violated visible
wait waited waiting want warning wasn't week weeks well were what when where whether which while whole wide width will window wire with withdrawn without won't word work worker workers working workspace would wouldn't write writer writing written wrong
x509 yes yet yourself zero zone zones zstd lz4 xml html utc base64 sha256 sha-256 sha1 md5 rsa http2 ipv4 ipv6 x-request-id content-type content-length retry-after user-agent
violates violate looks look gave go went says said say goes become becomes comes come seems means mean converting converts leads lead turn turned turns asks ask refers refer holds belongs belong applies differs differ matters occur lacks lack owned administrator admin administrators contacting
january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun gmt
hour hours minutes day days ms milliseconds seconds microseconds nanoseconds kb mb gb mib gib percent
adjacent alternative arg arguments asynchronous backend backoff bucketing budget capacity catalyst clash clear collect collection combined comma comment compare compile compute connector constant convention coordinator could core cost cross custom cycle cyclic dataset dataframe datasource dependency dependent deploy depth destination dialect disk duplicate eager edit element elements entry equality escape escaped evolution exchange existence expand extended extension extract failover fallback fixed folder forbid fraction frequency fs future garbage grammar guarantee hash heap high hive identity immutable inner inspect install interpreted invalidate invoke iteration keyword lambda lateral lazy left legacy lineage logical manual manually mask max merge mixed multipart mutable nan negated node nondeterministic nullable nullability observation one-time optimizer ordinal origin out outdated outdated overloaded overwrite pair parentheses parquet pattern physical pivot placeholder plugin pointer populate posix preview priority procedure projection propagate protobuf prune quality random re read-only rebuild receiver recommend reconnect recursion regex relation relational reorder repair replica reserved retain retention reuse reverse rewrite safety scalar seed self serde shallow shuffle side signal skew skip slot smaller sort stacktrace star strategy subexpression substitution switch synchronous tail templates terminal timezone toggle topic tree tumbling tuple typed unavailable unary unpivot untyped utils variables vector viewable virtual void watermark wildcard workload wrap wrapped wrapper
accessdenied authenticationfailed authorizationfailure expiredtoken invalidaccesskeyid invalidargument invalidrange invalidtoken nosuchbucket nosuchkey requesttimetooskewed signaturedoesnotmatch slowdown internalerror serviceunavailable serverbusy blobnotfound containernotfound resourcenotfound authenticationrequired operationtimedout requesttimeout
error_code error_type request_id error_state retry_after retryable access_token refresh_token client_secret client_id grant_type invalid_client invalid_grant invalid_request invalid_scope unauthorized_client access_denied server_error temporarily_unavailable http_path httppath session_id statement_id warehouse_id status_code trace_id details_code error_info errorclass @type invalid_token expired_token
optype sqlstate operationhandle errorcode errormessage gethandleidentifier httpcode httpstatus statuscode requestid maxrows ttransportexception
`
	joiningWords = `
or and but nor is isn't are aren't was wasn't were has hasn't have had does doesn't do not cannot can can't could couldn't may might must should shall will won't would
in on at to from for by as of with without because since when while if due must already exists exist expected found missing
privilege privileges permission permissions statement statements clause clauses command commands operation operations failed fails requires required
`
	connectingWords = `named called name names identifier identifiers with near like alias label the a an this that`

	nouns = `
table tables view views schema schemas catalog catalogs column columns database databases function functions volume volumes field fields
parameter parameters variable variables argument warehouse warehouses cluster clusters endpoint bucket buckets container containers
file files path paths directory folder host hostname lookup relation constraint credential storage_credential share recipient
open stat lstat mkdir unlink rename chdir readlink remove name names alias named called near identifier identifiers label routine procedure
location notebook model workspace org organization repository branch scope securable dataset namespace index
`
	people      = `user users principal principals account accounts owner group groups member members username login email role roles tenant subject`
	literals    = `id ids value values input literal literals default between like rlike ilike limit equals contains`
	secretWords = `token password passphrase secret key apikey bearer passwd pwd cookie jwt`

	announcingWords = `found exist exists missing unresolved unknown undefined named following suggestions ambiguous columns candidates did`

	codes = `
status status_code statuscode httpstatus httpcode code error_code errorcode errortype error_type line pos position port attempt attempts retries retry timeout
errorclass optype operationtype state offset length size count rows maxrows retry_after grant_type error expected actual version level batch page chunk
num_rows limit depth precision scale stage task partition index
`
	types = `
string int integer bigint smallint tinyint boolean bool float double decimal numeric date timestamp timestamp_ntz interval binary array map struct variant void null char varchar object long short real text int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64
`
	keywords = `
table view schema catalog column database function volume if exists not into or replace as on set all distinct temporary temp global external materialized
group order by limit offset and in between like is null cascade restrict add rename to using partitioned cluster overwrite partition tables schemas columns catalogs
usage manage modify any file inner left right full outer cross lateral case when then else end over window with recursive streaming live volumes databases functions views users groups recipients shares
`
	verbs = `select insert update delete merge create drop alter truncate replace use show describe desc explain grant revoke copy optimize vacuum analyze refresh call execute set values declare begin put get remove list with cache uncache msck restore clone comment`

	elements = `key bucketname bucket resource requestid hostid stringtosign stringtosignbytes canonicalrequest canonicalrequestbytes signatureprovided awsaccesskeyid region endpoint expires servertime authenticationerrordetail details detail proposedvalue argumentname argumentvalue method resourcetype x-ms-error-code token init a script style address`

	routes = `1.0 2.0 2.1 2.2 1.1 warehouses endpoints protocolv1 o statements connector-service feature-flags golang v1 v2 token authorize telemetry result chunks cancel`

	slashWords = `
and/or i/o n/a tcp/ip read/write input/output http/1.0 http/1.1 http/2 http/2.0 tls/ssl ssl/tls ascii/utf-8 create/replace schema/catalog table/view key/value on/off yes/no true/false client/server true/false
net/http database/sql crypto/tls crypto/x509 encoding/json net/url context.canceled context.deadlineexceeded client.timeout driver.value strconv.parseint strconv.parsefloat strconv.parsebool strconv.atoi io.eof io.unexpectedeof sql.errnorows driver.errbadconn arrow/ipc databricks/databricks-sql-go databricks-sql-go
application/json text/plain text/html text/xml application/xml application/octet-stream application/x-thrift application/vnd.apache.thrift.binary application/x-www-form-urlencoded
e.g i.e etc a.k.a u.s
`
	builtins = `try_cast try_divide try_add try_subtract try_multiply try_element_at try_to_timestamp try_to_date try_to_number try_avg try_sum
current_schema current_catalog current_database current_user session_user to_date to_timestamp get_json_object element_at`

	parameters = `
catalog schema timeout maxrows usecloudfetch maxdownloadthreads useragententry authtype clientid clientsecret accesstoken tokenprovider timezone retrymax
enabletelemetry telemetry_force_enable telemetry_batch_size telemetry_flush_interval telemetry_max_retries telemetry_retry_delay telemetry_queue_size
telemetry_close_timeout telemetry_circuit_breaker telemetry_circuit_breaker_threshold telemetry_circuit_breaker_timeout telemetry_log_level telemetry_sample_rate
ansi_mode statement_timeout use_cached_result enable_metric_view_metadata minretrywait maxretrywait token
`
)
