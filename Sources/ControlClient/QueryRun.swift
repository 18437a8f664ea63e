// Owns the way of one query through this program: submission, progress, pages to the output, and the release of a
// result that has been written in full.
import Base
import ClientAPI
import Columnar
import Platform
import Wire

/// A verb's work with one query.
struct QueryRun {
  let console: Console
  let client: DaemonClient
  let progress: ProgressDisplay
  let interruption: Interruption
  /// The SQL as the user wrote it, for messages.
  var sql: String?
  /// Lines that were put in front of the user's SQL.
  var addedLines = 0
  /// Whether the daemon keeps the result after it has been printed.
  var keepsResult = false

  init(_ console: Console, _ connection: ConnectionOptions, cancelsOnInterrupt: Bool) throws {
    self.console = console
    progress = ProgressDisplay(console)
    client = connection.client(console, progress: progress)
    interruption = Interruption(
      console, socketPath: connection.socketPath(console), progress: progress, cancels: cancelsOnInterrupt)
    try interruption.watch()
  }

  /// Submits SQL; throws `QueryFailure` where the daemon refuses it. `isAwaited`: this program will take the result,
  /// in this format.
  func submit(
    _ sql: String, _ options: StatementOptions, isAwaited: Bool = true, format: OutputFormat? = nil
  ) throws -> QueryID {
    interruption.willSubmit()
    let query: QueryID
    do {
      query = try QueryStream.submit(
        sql, catalog: options.catalog, schema: options.schema, session: try options.properties(),
        isAwaited: isAwaited, needsDistinctNames: format == .parquet, client: client)
    } catch let error as WaterbearError {
      try interruption.settle()
      throw failure(nil, error)
    }
    try interruption.submitted(query)
    return query
  }

  /// Prints the query's result as it comes, and releases it once all of it has been written.
  func printResult(of query: QueryID, with writer: any ResultWriter, to output: OutputStream) throws {
    let stream = QueryStream(query, client: client)
    do {
      try copy(stream, to: writer, output)
    } catch {
      progress.end()
      try interruption.settle()
      throw explained(error, stream)
    }
    progress.end()
    try interruption.settle()
    guard !keepsResult else { return }
    client.patience = .seconds(2)
    // The user has the answer. A result that cannot be released now expires later, so a failure is no news.
    _ = try? stream.release()
  }

  private func copy(_ stream: QueryStream, to given: any ResultWriter, _ output: OutputStream) throws {
    var writer = given
    var types: [DataType]?
    var hasRows = false
    // Short waits where somebody watches the progress, long ones where nobody does.
    while let page = try stream.next(waitMilliseconds: progress.isActive ? 100 : 1000) {
      if types == nil, !page.columns.isEmpty {
        let columns = try page.columns.map {
          OutputColumn($0.name, try BinaryDecoder.decode(DataType.self, from: $0.type))
        }
        types = columns.map(\.type)
        if let update = page.status.updateType { writer = writer.writer(forUpdate: update) }
        try writer.begin(columns)
      }
      if let bytes = page.batch {
        guard let types else { throw WaterbearError(.malformedFrame, "Rows came before their columns") }
        let batch = try BatchCodec.decode(bytes, types: types)
        if console.outputIsTerminal { progress.clear() }
        try writer.write(batch)
        hasRows = true
        // Rows and progress cannot share a terminal: a row may still be without its end.
        if console.outputIsTerminal, output.hasOutput { progress.end() }
      } else if hasRows, !page.isLast {
        // Nothing to do until the next page: let the reader have what there is.
        try output.flush()
      }
      if !page.isLast { progress.show(page.status) }
    }
    progress.clear()
    if types == nil {
      if let update = stream.status?.updateType { writer = writer.writer(forUpdate: update) }
      try writer.begin([])
    }
    try writer.finish()
    try output.flush()
  }

  /// What ended the work on a query, in terms of the query.
  private func explained(_ error: any Error, _ stream: QueryStream) -> any Error {
    switch error {
    case let error as WaterbearError where error == stream.status?.error: return failure(stream.query, error)
    case is OutputClosed:
      // Whoever wanted the answer has gone; its query need not go on. Best effort: the reader's exit is no error.
      client.patience = .zero
      if interruption.cancels { _ = try? client.call(CancelQuery(query: stream.query), expecting: QueryStatus.self) }
      return error
    case let error as WaterbearError where error.code == .notFound || error.code == .permissionDenied: return error
    default: return QueryLeft(query: stream.query, reason: error)
    }
  }

  func failure(_ query: QueryID?, _ error: WaterbearError) -> QueryFailure {
    var error = error
    if addedLines > 0, let location = error.location, location.line > addedLines {
      error.location = SourceLocation(line: location.line - addedLines, column: location.column)
    }
    return QueryFailure(query: query, error: error, sql: sql)
  }
}
