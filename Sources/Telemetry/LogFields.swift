// Owns the values that a log line carries besides its event: typed fields in a fixed order.
import Base

/// A field's value.
public enum LogValue: Sendable, Equatable {
  case string(String)
  case integer(Int64)
  case double(Double)
  case bool(Bool)
  case strings([String])

  /// Any integer; one beyond 64 bits becomes the nearest.
  public static func int(_ value: some BinaryInteger) -> LogValue { .integer(Int64(clamping: value)) }
}

extension LogValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

/// Fields in the order in which they were given. A name given twice is written twice; do not.
public struct LogFields: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  public private(set) var pairs: [(name: String, value: LogValue)] = []

  public init(dictionaryLiteral elements: (String, LogValue)...) {
    pairs = elements.map { (name: $0.0, value: $0.1) }
  }

  public mutating func add(_ name: String, _ value: LogValue) { pairs.append((name, value)) }

  /// These fields, then those.
  public static func + (left: LogFields, right: LogFields) -> LogFields {
    var sum = left
    sum.pairs += right.pairs
    return sum
  }

  /// The fields that every event with an error has: `error_code`, `error_type`, `error`, and `causes` if any.
  public static func error(_ error: any Error) -> LogFields {
    let known = WaterbearError.wrapping(error)
    var fields: LogFields = [
      "error_code": .string(known.code.rawValue), "error_type": .string(known.code.type.rawValue),
      "error": .string(known.description),
    ]
    if !known.causes.isEmpty { fields.add("causes", .strings(known.causes)) }
    return fields
  }

  public static func == (left: LogFields, right: LogFields) -> Bool {
    left.pairs.elementsEqual(right.pairs) { $0.name == $1.name && $0.value == $1.value }
  }
}

/// What a log line is about. It becomes the fields `query`, `stage`, `task` and `attempt`.
public enum LogSubject: Sendable, Equatable {
  case query(QueryID)
  case stage(StageID)
  case task(TaskID)
  case attempt(AttemptID)

  var query: QueryID {
    switch self {
    case .query(let id): id
    case .stage(let id): id.query
    case .task(let id): id.stage.query
    case .attempt(let id): id.task.stage.query
    }
  }

  /// Stage, task (its partition) and attempt numbers, as far as there are any.
  var numbers: [(name: String, value: Int)] {
    switch self {
    case .query: []
    case .stage(let id): [("stage", id.number)]
    case .task(let id): [("stage", id.stage.number), ("task", id.partition)]
    case .attempt(let id):
      [("stage", id.task.stage.number), ("task", id.task.partition), ("attempt", id.number)]
    }
  }
}
