// Owns finding the partition of each row: from values of partition columns to the names of directories. Writes nothing.

import Base
import Columnar
import Glibc

/// Parts batches by the values of the last columns. Partitions are counted from 0 in the order in which they are first
/// seen. Used by one thread.
final class PartitionRouter {
  /// The rows of a batch that are in one partition.
  struct Part {
    var partition: Int
    var rows: Selection
  }

  /// As file systems have it.
  private static let mostNameBytes = 255

  private let keys: [TableLayout.Column]
  private let formatters: [ValueFormatter]
  /// Numbers of partitions by their values: for each column a byte that tells NULL, the text and its length.
  private var numbers: [[UInt8]: Int] = [:]
  private var directories: [String] = []
  /// Their numbers. Several values may have one directory.
  private var directoryNumbers: [ExactText: Int] = [:]

  init(_ keys: [TableLayout.Column]) {
    self.keys = keys
    formatters = keys.map { ValueFormatter($0.type) }
  }

  /// The directories of a partition, below the table's.
  func directory(of partition: Int) -> String { directories[partition] }

  /// The rows of each partition in a batch, new partitions in the order of their numbers. Cost: a look-up for each run
  /// of rows with the same values, and two passes. NOT_SUPPORTED for a value that is too long for a directory's name.
  func parts(of batch: Batch, firstColumn: Int) throws -> [Part] {
    let columns = keys.indices.map { batch.columns[firstColumn + $0].flattened() }
    let partitions = Buffer(count: batch.count, of: Int32.self)
    let target = partitions.pointer(to: Int32.self)
    var key: [UInt8] = []
    var counts = [Int](repeating: 0, count: directories.count)
    for row in 0..<batch.count {
      if row > 0, Self.isSame(columns, row, row &- 1) {
        target[row] = target[row &- 1]
      } else {
        target[row] = Int32(try number(columns, row, &key))
        if Int(target[row]) == counts.count { counts.append(0) }
      }
      counts[Int(target[row])] += 1
    }
    return withExtendedLifetime(partitions) { Self.parts(target, batch.count, counts) }
  }

  private static func parts(_ partitions: UnsafePointer<Int32>, _ count: Int, _ counts: [Int]) -> [Part] {
    var parts: [Part] = []
    for (partition, rows) in counts.enumerated() where rows > 0 {
      if rows == count { return [Part(partition: partition, rows: .all(count))] }
      let indices = Buffer(count: rows, of: Int32.self)
      parts.append(Part(partition: partition, rows: Selection(indices: indices, count: rows)))
    }
    var targets = [UnsafeMutablePointer<Int32>?](repeating: nil, count: counts.count)
    for part in parts { targets[part.partition] = part.rows.indices?.pointer(to: Int32.self) }
    withExtendedLifetime(parts) {
      for row in 0..<count {
        let partition = Int(partitions[row])
        targets[partition]?.pointee = Int32(truncatingIfNeeded: row)
        targets[partition] = targets[partition].map { $0 + 1 }
      }
    }
    return parts
  }

  /// Whether two rows have the same values.
  private static func isSame(_ columns: [Vector], _ left: Int, _ right: Int) -> Bool {
    for column in columns {
      if let validity = column.validity {
        guard validity[left] == validity[right] else { return false }
        if !validity[left] { continue }
      }
      let stride = column.type.layout.stride
      if column.type.layout == .string {
        let views = column.values.pointer(to: StringView.self)
        guard StringView.equal(views[left], views[right]) else { return false }
      } else {
        let base = column.values.base
        guard memcmp(base + left &* stride, base + right &* stride, stride) == 0 else { return false }
      }
    }
    return true
  }

  private func number(_ columns: [Vector], _ row: Int, _ key: inout [UInt8]) throws -> Int {
    key.removeAll(keepingCapacity: true)
    for index in columns.indices {
      let start = key.count
      let isNull = !formatters[index].append(columns[index], row: row, to: &key)
      var length = UInt32(key.count - start)
      withUnsafeBytes(of: &length) { key.append(contentsOf: $0) }
      key.append(isNull ? 1 : 0)
    }
    if let known = numbers[key] { return known }
    let names = try columns.indices.map { index -> String in
      let text = formatters[index].text(columns[index].value(at: row))
      let name = PartitionName.name(key: keys[index].name, value: text)
      guard name.utf8.count <= Self.mostNameBytes else {
        throw WaterbearError(
          .notSupported,
          "A value of partition column '\(keys[index].name)' is too long for a directory's name: "
            + "\(name.utf8.count) bytes of at most \(Self.mostNameBytes), \(name.prefix(40))…",
          remedy: "Write such rows into a table that is partitioned by something shorter.")
      }
      return name
    }
    // The empty text has NULL's directory.
    let directory = names.joined(separator: "/")
    let number = directoryNumbers[ExactText(directory)] ?? directories.count
    if number == directories.count {
      directoryNumbers[ExactText(directory)] = number
      directories.append(directory)
    }
    numbers[key] = number
    return number
  }
}
