// Owns following one query from its submission to its last page.

import Base
import Glibc
import Wire

/// A page of a result as it arrived: an encoded batch, and how the query stood.
public struct QueryPage: Sendable {
  public var columns: [ResultColumn]
  /// Nil while there are no rows yet.
  public var batch: [UInt8]?
  public var status: QueryStatus
  public var isLast: Bool
}

/// The result of a query, page by page. Survives reconnects: the position is the client's.
public final class QueryStream {
  public let query: QueryID
  private let client: DaemonClient
  private var position = ResultPosition()
  private var isAtEnd = false
  /// How the query stood when it was last heard of; tells its own error from one of the request.
  public private(set) var status: QueryStatus?

  /// Follows a query that was submitted before, from its first row on.
  public init(_ query: QueryID, client: DaemonClient) {
    self.query = query
    self.client = client
  }

  /// Submits a query and returns its id once the daemon has made it durable. Submitting again after a lost
  /// connection does not start it twice. `isAwaited`: somebody will ask for its rows or its end, and the daemon may end
  /// it when nobody has for `query.client.timeout`. `needsDistinctNames`: a result with two columns of one name is
  /// refused with DUPLICATE_COLUMN_NAME before anything runs.
  public static func submit(
    _ sql: String, catalog: String?, schema: String?, session: [String: String], isAwaited: Bool,
    needsDistinctNames: Bool = false, client: DaemonClient
  ) throws -> QueryID {
    var random = SystemRandomNumberGenerator()
    let nonce = String(random.next(), radix: 36) + String(random.next(), radix: 36)
    let request = SubmitQuery(
      nonce: nonce, sql: sql, catalog: catalog, schema: schema, session: session, isAwaited: isAwaited,
      needsDistinctNames: needsDistinctNames ? true : nil)
    return try client.call(request, expecting: Submitted.self).message.query
  }

  /// The next page; one without rows when none came within `waitMilliseconds`; nil behind the last. Throws the query's
  /// error if it failed.
  public func next(waitMilliseconds: Int = 1000) throws -> QueryPage? {
    guard !isAtEnd else { return nil }
    let request = FetchResult(query: query, position: position, waitMilliseconds: waitMilliseconds)
    let (page, batch) = try client.call(request, expecting: ResultPage.self)
    status = page.status
    if let error = page.status.error { throw error }
    position = page.next
    isAtEnd = page.isLast
    return QueryPage(
      columns: page.columns ?? [], batch: batch.isEmpty ? nil : batch, status: page.status, isLast: page.isLast)
  }

  /// Lets the daemon delete the result, which has been taken over.
  public func release() throws { _ = try client.call(ReleaseResult(query: query), expecting: QueryStatus.self) }

  /// Waits for the query's end without taking its rows.
  public static func wait(for query: QueryID, client: DaemonClient, onProgress: (QueryStatus) -> Void) throws
    -> QueryStatus
  {
    while true {
      let status = try client.call(
        WaitForQuery(query: query, waitMilliseconds: 1000), expecting: QueryStatus.self
      ).message
      onProgress(status)
      if status.state.isEnd { return status }
    }
  }
}
