// Owns the text of values as clients see it: Trino's forms, type by type. Knows nothing of tables, CSV or NULL marks.

/// Formats values of one type as Trino's command line shows them.
///
/// Numbers in plain decimal; double and real as Java prints them (`1.0E10`); decimals with all digits of their scale;
/// dates `2020-01-31`, timestamps `2020-01-31 23:59:59.123`; intervals `1 02:03:04.000` and `3-11`; char padded to its
/// length; varbinary as hexadecimal bytes with blanks between them.
public struct ValueFormatter: Sendable {
  public let type: DataType

  /// Whether double and real are written as Trino casts them to varchar (`1.5E0`) and not as it shows them (`1.5`).
  private let isCast: Bool

  public init(_ type: DataType, asCast isCast: Bool = false) {
    self.type = type
    self.isCast = isCast
  }

  /// The texts of a flat vector of numbers, dates, times, intervals or booleans, as a flat varchar vector. NULLs stay.
  public func texts(_ vector: Vector) -> Vector {
    precondition(vector.encoding == .flat && type.layout != .string, "texts are made of flat values that are none")
    let views = Buffer(zeroed: vector.count * MemoryLayout<StringView>.stride)
    let target = views.pointer(to: StringView.self)
    let heap = StringHeap()
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NumberText.maximumByteCount) { scratch in
      let start = scratch.baseAddress.unsafelyUnwrapped  // Its capacity is not 0.
      for row in 0..<vector.count where !vector.isNull(row) {
        let count = write(vector.values, at: row, to: start)
        target[row] = heap.store(UnsafeBufferPointer(start: start, count: count))
      }
    }
    return Vector(
      flat: .varcharUnbounded, count: vector.count, values: views, validity: vector.validity,
      heaps: heap.byteCount > 0 ? [heap] : [])
  }

  /// The text of `value`, or nil for NULL. One allocation; for rows in bulk see `append`.
  public func text(_ value: Value) -> String? {
    if value.isNull { return nil }
    let vector = Vector.repeating(value, type: type, count: 1)
    var bytes: [UInt8] = []
    _ = append(vector, row: 0, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the text of row `row` to `bytes`; false, with nothing appended, where it is NULL.
  public func append(_ vector: Vector, row: Int, to bytes: inout [UInt8]) -> Bool {
    if vector.isNull(row) { return false }
    let position = vector.position(of: row)
    guard type.layout == .string else {
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: NumberText.maximumByteCount) { scratch in
        let start = scratch.baseAddress.unsafelyUnwrapped  // Its capacity is not 0.
        let count = write(vector.values, at: position, to: start)
        bytes.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
      }
      return true
    }
    vector.values.pointer(to: StringView.self)[position].withBytes { text in
      switch type {
      case .varbinary:
        for (index, byte) in text.enumerated() {
          if index > 0 { bytes.append(0x20) }
          bytes.append(Self.hexDigits[Int(byte >> 4)])
          bytes.append(Self.hexDigits[Int(byte & 15)])
        }
      case .char(let length):
        bytes.append(contentsOf: text)
        var codePoints = 0
        for byte in text where byte & 0xc0 != 0x80 { codePoints += 1 }
        for _ in codePoints..<max(length, codePoints) { bytes.append(0x20) }
      default:
        bytes.append(contentsOf: text)
      }
    }
    return true
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  /// Writes value `position` of `values`, which is no string, at `target`, which has room for
  /// `NumberText.maximumByteCount` bytes; returns the bytes written. No allocation except for real, and for double with
  /// many digits.
  public func write(_ values: Buffer, at position: Int, to target: UnsafeMutablePointer<UInt8>) -> Int {
    switch type {
    case .boolean, .unknown:
      let text: StaticString = values.pointer(to: UInt8.self)[position] != 0 ? "true" : "false"
      for index in 0..<text.utf8CodeUnitCount { target[index] = text.utf8Start[index] }
      return text.utf8CodeUnitCount
    case .tinyint: return NumberText.write(Int64(values.pointer(to: Int8.self)[position]), to: target)
    case .smallint: return NumberText.write(Int64(values.pointer(to: Int16.self)[position]), to: target)
    case .integer: return NumberText.write(Int64(values.pointer(to: Int32.self)[position]), to: target)
    case .bigint: return NumberText.write(values.pointer(to: Int64.self)[position], to: target)
    case .real where isCast:
      // Trino gives a real seven digits.
      return NumberText.writeScientific(
        Double(values.pointer(to: Float.self)[position]), maximumDigits: 7, to: target)
    case .double where isCast:
      return NumberText.writeScientific(values.pointer(to: Double.self)[position], to: target)
    case .real: return NumberText.write(values.pointer(to: Float.self)[position], to: target)
    case .double: return NumberText.write(values.pointer(to: Double.self)[position], to: target)
    case .decimal(let precision, let scale):
      let unscaled = precision <= 18
        ? Int128(values.pointer(to: Int64.self)[position]) : values.pointer(to: Int128.self)[position]
      return NumberText.write(unscaled, scale: scale, to: target)
    case .date: return DateTimeText.writeDate(values.pointer(to: Int32.self)[position], to: target)
    case .timestamp(let precision):
      return DateTimeText.writeTimestamp(
        values.pointer(to: Int64.self)[position], precision: precision, to: target)
    case .intervalDayToSecond:
      return DateTimeText.writeDayInterval(values.pointer(to: Int64.self)[position], to: target)
    case .intervalYearToMonth:
      return DateTimeText.writeYearInterval(values.pointer(to: Int32.self)[position], to: target)
    case .varchar, .char, .varbinary:
      preconditionFailure("strings are copied, not written")
    }
  }
}
