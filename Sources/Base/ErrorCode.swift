// Owns the names of everything that can go wrong, and which of them may be retried.
// Names and types are Trino's (io.trino.spi.StandardErrorCode and the exchange's own codes); codes that Trino does
// not have are listed last and say so.

/// What kind of failure an error is. The kind alone decides whether a retry makes sense; text never does.
public enum ErrorType: String, Codable, Sendable, CaseIterable {
  /// The query is at fault; running it again gives the same error.
  case userError = "USER_ERROR"
  /// Waterbear or one of its processes is at fault.
  case internalError = "INTERNAL_ERROR"
  /// Memory, disk or another resource did not suffice.
  case insufficientResources = "INSUFFICIENT_RESOURCES"
  /// Something outside of Waterbear is at fault: a data source, a file system.
  case external = "EXTERNAL"
}

/// A stable error name, spelled as Trino spells it.
public enum ErrorCode: String, Codable, Sendable, CaseIterable {
  // USER_ERROR
  case genericUserError = "GENERIC_USER_ERROR"
  case syntaxError = "SYNTAX_ERROR"
  case userCanceled = "USER_CANCELED"
  case permissionDenied = "PERMISSION_DENIED"
  case notFound = "NOT_FOUND"
  case functionNotFound = "FUNCTION_NOT_FOUND"
  case invalidFunctionArgument = "INVALID_FUNCTION_ARGUMENT"
  case divisionByZero = "DIVISION_BY_ZERO"
  case invalidCastArgument = "INVALID_CAST_ARGUMENT"
  case operatorNotFound = "OPERATOR_NOT_FOUND"
  case alreadyExists = "ALREADY_EXISTS"
  case tableAlreadyExists = "TABLE_ALREADY_EXISTS"
  case invalidTableProperty = "INVALID_TABLE_PROPERTY"
  /// A file does not hold what its format demands. A repetition would find the same bytes, so the query fails at once.
  case filesBadData = "FILES_BAD_DATA"
  /// The file system refused or failed; another attempt may succeed.
  case filesFilesystemError = "FILES_FILESYSTEM_ERROR"
  case notSupported = "NOT_SUPPORTED"
  case invalidSessionProperty = "INVALID_SESSION_PROPERTY"
  case numericValueOutOfRange = "NUMERIC_VALUE_OUT_OF_RANGE"
  case unknownTransaction = "UNKNOWN_TRANSACTION"
  case typeMismatch = "TYPE_MISMATCH"
  case typeNotFound = "TYPE_NOT_FOUND"
  case columnNotFound = "COLUMN_NOT_FOUND"
  case tableNotFound = "TABLE_NOT_FOUND"
  case schemaNotFound = "SCHEMA_NOT_FOUND"
  case catalogNotFound = "CATALOG_NOT_FOUND"
  case ambiguousName = "AMBIGUOUS_NAME"
  case ambiguousColumn = "AMBIGUOUS_COLUMN"
  case missingSchemaName = "MISSING_SCHEMA_NAME"
  case missingCatalogName = "MISSING_CATALOG_NAME"
  case missingColumnName = "MISSING_COLUMN_NAME"
  case mismatchedColumnAliases = "MISMATCHED_COLUMN_ALIASES"
  case duplicateColumnName = "DUPLICATE_COLUMN_NAME"
  case duplicateProperty = "DUPLICATE_PROPERTY"
  case duplicateNamedQuery = "DUPLICATE_NAMED_QUERY"
  case columnTypeUnknown = "COLUMN_TYPE_UNKNOWN"
  case expressionNotAggregate = "EXPRESSION_NOT_AGGREGATE"
  case expressionNotScalar = "EXPRESSION_NOT_SCALAR"
  case expressionNotConstant = "EXPRESSION_NOT_CONSTANT"
  case expressionNotInDistinct = "EXPRESSION_NOT_IN_DISTINCT"
  case invalidColumnReference = "INVALID_COLUMN_REFERENCE"
  case invalidLiteral = "INVALID_LITERAL"
  case invalidLimitClause = "INVALID_LIMIT_CLAUSE"
  case invalidArguments = "INVALID_ARGUMENTS"
  case nestedAggregation = "NESTED_AGGREGATION"
  case functionNotAggregate = "FUNCTION_NOT_AGGREGATE"
  case subqueryMultipleRows = "SUBQUERY_MULTIPLE_ROWS"
  case missingGroupBy = "MISSING_GROUP_BY"
  case missingOrderBy = "MISSING_ORDER_BY"
  case tooManyArguments = "TOO_MANY_ARGUMENTS"
  case tooManyGroupingSets = "TOO_MANY_GROUPING_SETS"
  case maxOutputPartitionCountExceeded = "MAX_OUTPUT_PARTITION_COUNT_EXCEEDED"
  case queryHasTooManyStages = "QUERY_HAS_TOO_MANY_STAGES"
  case abandonedQuery = "ABANDONED_QUERY"
  case administrativelyKilled = "ADMINISTRATIVELY_KILLED"

  // INTERNAL_ERROR
  case genericInternalError = "GENERIC_INTERNAL_ERROR"
  case tooManyRequestsFailed = "TOO_MANY_REQUESTS_FAILED"
  case pageTransportError = "PAGE_TRANSPORT_ERROR"
  case pageTransportTimeout = "PAGE_TRANSPORT_TIMEOUT"
  case noNodesAvailable = "NO_NODES_AVAILABLE"
  case remoteTaskError = "REMOTE_TASK_ERROR"
  case remoteHostGone = "REMOTE_HOST_GONE"
  case abandonedTask = "ABANDONED_TASK"
  case serverShuttingDown = "SERVER_SHUTTING_DOWN"
  case configurationInvalid = "CONFIGURATION_INVALID"
  case exchangeManagerNotConfigured = "EXCHANGE_MANAGER_NOT_CONFIGURED"
  case exchangeDataUnrecoverable = "EXCHANGE_DATA_UNRECOVERABLE"

  // INSUFFICIENT_RESOURCES
  case genericInsufficientResources = "GENERIC_INSUFFICIENT_RESOURCES"
  case exceededLocalMemoryLimit = "EXCEEDED_LOCAL_MEMORY_LIMIT"
  case clusterOutOfMemory = "CLUSTER_OUT_OF_MEMORY"
  case exceededTimeLimit = "EXCEEDED_TIME_LIMIT"
  case queryQueueFull = "QUERY_QUEUE_FULL"

  // EXTERNAL
  case genericExternal = "GENERIC_EXTERNAL"

  // Waterbear's own.
  /// INTERNAL_ERROR: the task store failed its integrity check or an SQLite call failed.
  case taskStoreFailed = "TASK_STORE_FAILED"
  /// EXTERNAL: a spool directory, or all of them, did not take an output. Never the task's fault, so it does not use up
  /// a task's attempts: the task runs again elsewhere, or waits until a directory works again.
  case spoolUnavailable = "SPOOL_UNAVAILABLE"
  /// INTERNAL_ERROR: a frame on a socket broke the protocol.
  case malformedFrame = "MALFORMED_FRAME"

  /// The kind that decides about retries.
  public var type: ErrorType {
    switch self {
    case .genericInternalError, .tooManyRequestsFailed, .pageTransportError, .pageTransportTimeout,
      .noNodesAvailable, .remoteTaskError, .remoteHostGone, .abandonedTask, .serverShuttingDown,
      .configurationInvalid, .exchangeManagerNotConfigured, .exchangeDataUnrecoverable,
      .taskStoreFailed, .malformedFrame:
      return .internalError
    case .genericInsufficientResources, .exceededLocalMemoryLimit, .clusterOutOfMemory,
      .exceededTimeLimit, .queryQueueFull:
      return .insufficientResources
    case .genericExternal, .filesFilesystemError, .spoolUnavailable:
      return .external
    default:
      return .userError
    }
  }
}
