// Owns the names of spool files and directories. Whatever does not match them is never deleted.
import Base

/// A file that belongs to an attempt.
public struct SpoolFile: Hashable, Sendable {
  /// The base directory.
  public var directory: String
  public var attempt: AttemptID
  /// The name within the query's directory.
  public var name: String
  /// Not committed: still being written, or left by a writer that died.
  public var isTemporary: Bool

  /// Where the file lies.
  public var path: String { "\(directory)/\(attempt.task.stage.query)/\(name)" }
}

/// `<base>/<query>/<stage>.<partition>.<attempt>.spool`, while it is written `….<unique>.tmp`.
enum SpoolName {
  /// The marker file in each base directory.
  static let marker = ".waterbear-spool"
  static let committedSuffix = "spool"
  static let temporarySuffix = "tmp"

  static func committed(_ attempt: AttemptID) -> String {
    "\(attempt.task.stage.number).\(attempt.task.partition).\(attempt.number).\(committedSuffix)"
  }

  static func temporary(_ attempt: AttemptID, unique: String) -> String {
    "\(attempt.task.stage.number).\(attempt.task.partition).\(attempt.number).\(unique).\(temporarySuffix)"
  }

  static func relativePath(of attempt: AttemptID) -> String {
    "\(attempt.task.stage.query)/\(committed(attempt))"
  }

  /// Whether a query's name can be a directory's: letters, digits, `_` and `-` only.
  static func isQueryName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= SpoolFormat.maxQueryNameByteCount
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  /// Whether `name` has the form that Trino gives to queries: `yyyyMMdd_HHmmss_nnnnn_xxxxx`.
  static func isTrinoQueryName(_ name: String) -> Bool {
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    return isQueryName(name) && parts.map(\.count) == [8, 6, 5, 5]
      && parts.prefix(3).allSatisfy { $0.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") } }
  }

  /// The file that `name` in the directory of `query` stands for; nil where it is none of ours.
  static func parse(_ name: String, query: QueryID, directory: String) -> SpoolFile? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 4, let stage = number(parts[0]), let partition = number(parts[1]),
      let attempt = number(parts[2])
    else { return nil }
    let isTemporary = parts.count == 5 && parts[4] == temporarySuffix && isQueryName(String(parts[3]))
    guard isTemporary || parts.count == 4 && parts[3] == committedSuffix else { return nil }
    let task = TaskID(stage: StageID(query: query, number: stage), partition: partition)
    return SpoolFile(
      directory: directory, attempt: AttemptID(task: task, number: attempt), name: name, isTemporary: isTemporary)
  }

  /// A number in the one way that this program writes it.
  private static func number(_ text: Substring) -> Int? {
    guard let value = Int(text), value >= 0, String(value) == text else { return nil }
    return value
  }
}
