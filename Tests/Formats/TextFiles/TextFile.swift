// Owns a file with a text for one test, gone with it. Knows no format.

import Base
import Columnar
import Glibc
import Platform

/// A file in the system's temporary directory, deleted in `deinit`.
public final class TextFile: Sendable {
  public let path: String
  /// Bytes.
  public let size: Int64

  public init(_ bytes: [UInt8], suffix: String = "") throws {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
    var template = Array("\(base)/wb-text-XXXXXX\(suffix)".utf8CString)
    let descriptor = mkstemps(&template, Int32(suffix.utf8.count))
    precondition(descriptor >= 0, "no file can be made in \(base)")
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }  // mkstemps leaves a closing zero.
    size = Int64(bytes.count)
    let file = OwnedDescriptor(adopting: descriptor)
    try file.writeAll(bytes)
  }

  public convenience init(_ text: String) throws { try self.init(Array(text.utf8)) }

  deinit { unlink(path) }

  public func open() throws -> OwnedDescriptor { try OwnedDescriptor.open(path, O_RDONLY) }

  /// All rows that readers of ranges of `step` bytes give, one reader after the other; NULL as `nil`. `next` makes a
  /// reader of a range and returns how to get its next batch.
  public func rows(
    step: Int64?, _ reader: (OwnedDescriptor, Range<Int64>) throws -> () throws -> Batch?
  ) throws -> [[String?]] {
    var rows: [[String?]] = []
    for start in stride(from: 0, to: size, by: Int(step ?? max(size, 1))) {
      let next = try reader(open(), start..<min(start + (step ?? size), size))
      while let batch = try next() {
        precondition(batch.count > 0, "a reader gave a batch of no rows")
        for row in 0..<batch.count {
          rows.append(batch.columns.map { ValueFormatter($0.type).text($0.value(at: row)) })
        }
      }
    }
    return rows
  }
}

/// The error that `body` throws.
public func failure(_ body: () throws -> Void) -> WaterbearError? {
  do {
    try body()
    return nil
  } catch {
    return WaterbearError.wrapping(error)
  }
}
