// Owns a query as a fake daemon answers for it: its columns, its pages, its end.
import Base
import Columnar
import Wire

/// A query with a result that exists from the start.
struct FakeQuery: Sendable {
  static let id = QueryID("20260131_235959_00001_abcde")

  var columns: [(String, DataType)] = [("n", .bigint), ("s", .varcharUnbounded)]
  var pages: [[[Value]]] = [[[.integer(1), .text("one")], [.integer(2), .null]], [[.integer(3), .text("")]]]
  var error: WaterbearError?
  var stages: [StageProgress] = []
  var updateType: String?

  func status(_ state: QueryState = .finished) -> QueryStatus {
    QueryStatus(
      query: Self.id, state: error == nil ? state : .failed, error: error, stages: stages,
      elapsedMicroseconds: 1_200_000, retriedAttempts: 0, updateType: updateType)
  }

  /// Answers what a client asks in the life of a query.
  func reply(to frame: Frame) throws -> FakeReply {
    switch frame.name {
    case SubmitQuery.name: return .answer(Submitted(query: Self.id))
    case FetchResult.name: return try page(at: frame.message(FetchResult.self).position.page)
    case CancelQuery.name, ReleaseResult.name, WaitForQuery.name: return .answer(status())
    default: return .refuse(WaterbearError(.notSupported, "no \(frame.name) here"))
    }
  }

  func page(at number: Int) throws -> FakeReply {
    let wire = try columns.map { ResultColumn(name: $0.0, type: try BinaryEncoder.encode($0.1)) }
    guard number < pages.count, error == nil else {
      return .answer(
        ResultPage(status: status(), columns: wire, next: ResultPosition(task: 0, page: number), isLast: true))
    }
    let page = ResultPage(
      status: status(.running), columns: wire, next: ResultPosition(task: 0, page: number + 1),
      isLast: number + 1 == pages.count)
    let batch = TestBatch.make(pages[number], types: columns.map(\.1))
    return .answer(page, attachment: TestBatch.encode(batch))
  }
}

/// Batches from literal values.
enum TestBatch {
  static func make(_ rows: [[Value]], types: [DataType]) -> Batch {
    let vectors = types.indices.map { index in
      var builder = VectorBuilder(type: types[index])
      for row in rows { builder.append(row[index]) }
      return builder.finish()
    }
    return Batch(columns: vectors, count: rows.count)
  }

  static func encode(_ batch: Batch) -> [UInt8] {
    var encoder = BatchEncoder()
    return encoder.encode(batch) { Array($0) }
  }
}
