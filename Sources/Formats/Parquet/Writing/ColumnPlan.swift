// Owns how a SQL type becomes a physical and a logical type of Parquet, and the values with it.
// The types: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
import Columnar
import Glibc

/// A column as it is written.
struct ColumnPlan {
  let name: String
  let type: DataType
  let physical: PhysicalType
  let logical: LogicalType?

  init(name: String, type: DataType) {
    self.name = name
    self.type = type
    switch type {
    case .boolean: (physical, logical) = (.boolean, nil)
    case .tinyint: (physical, logical) = (.int32, .integer(bits: 8, isSigned: true))
    case .smallint: (physical, logical) = (.int32, .integer(bits: 16, isSigned: true))
    case .integer, .intervalYearToMonth: (physical, logical) = (.int32, nil)
    case .bigint, .intervalDayToSecond: (physical, logical) = (.int64, nil)
    case .real: (physical, logical) = (.float, nil)
    case .double: (physical, logical) = (.double, nil)
    case .decimal(let precision, let scale):
      physical = precision <= 9 ? .int32 : precision <= 18 ? .int64 : .fixedLengthByteArray
      logical = .decimal(precision: Int32(precision), scale: Int32(scale))
    case .varchar, .char: (physical, logical) = (.byteArray, .string)
    case .varbinary: (physical, logical) = (.byteArray, nil)
    case .date: (physical, logical) = (.int32, .date)
    case .timestamp(let precision):
      (physical, logical) = (.int64, .timestamp(unit: precision > 3 ? .micros : .millis, isAdjustedToUTC: false))
    case .unknown: (physical, logical) = (.int32, .null)
    }
  }

  /// The values of a flat vector as the physical type has them, in a vector of a type with that layout. No copy where
  /// they lie so already.
  func converted(_ flat: Vector) -> Vector {
    switch type {
    case .tinyint: narrow(flat, Int8.self)
    case .smallint: narrow(flat, Int16.self)
    case .decimal(let precision, _) where precision <= 9: narrow(flat, Int64.self)
    case .timestamp(let precision) where precision <= 3: milliseconds(flat)
    case .char(let length): padded(flat, length: length)
    default: flat
    }
  }

  private func narrow<Source: FixedWidthInteger & BitwiseCopyable>(_ flat: Vector, _ source: Source.Type) -> Vector {
    let values = Buffer(count: flat.count, of: Int32.self)
    withExtendedLifetime((flat, values)) {
      let from = UnsafePointer(flat.values.pointer(to: source))
      let to = values.pointer(to: Int32.self)
      for row in 0..<flat.count { to[row] = Int32(truncatingIfNeeded: from[row]) }
    }
    return Vector(flat: .integer, count: flat.count, values: values, validity: flat.validity)
  }

  /// Rounded down.
  private func milliseconds(_ flat: Vector) -> Vector {
    let values = Buffer(count: flat.count, of: Int64.self)
    withExtendedLifetime((flat, values)) {
      let from = UnsafePointer(flat.values.pointer(to: Int64.self))
      let to = values.pointer(to: Int64.self)
      for row in 0..<flat.count { to[row] = from[row].flooredQuotient(by: 1000) }
    }
    return Vector(flat: .bigint, count: flat.count, values: values, validity: flat.validity)
  }

  /// With blanks up to `length` code points.
  private func padded(_ flat: Vector, length: Int) -> Vector {
    let values = Buffer(zeroed: flat.count * MemoryLayout<StringView>.stride)
    let heap = StringHeap()
    withExtendedLifetime((flat, values)) {
      let from = UnsafePointer(flat.values.pointer(to: StringView.self))
      let to = values.pointer(to: StringView.self)
      for row in 0..<flat.count where !flat.isNull(row) {
        to[row] = from[row].withBytes { bytes in
          var codePoints = 0
          for byte in bytes { codePoints &+= byte & 0xc0 != 0x80 ? 1 : 0 }
          let total = bytes.count &+ max(0, length &- codePoints)
          return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: total + 1) { text in
            // Its capacity is not 0.
            let start = text.baseAddress.unsafelyUnwrapped
            if let source = bytes.baseAddress { memcpy(start, source, bytes.count) }
            memset(start + bytes.count, 0x20, total &- bytes.count)
            return heap.store(UnsafeBufferPointer(start: start, count: total))
          }
        }
      }
    }
    return Vector(
      flat: .varcharUnbounded, count: flat.count, values: values, validity: flat.validity,
      heaps: heap.byteCount > 0 ? [heap] : [])
  }
}

/// Converts vectors of every encoding. A dictionary that comes again with the next batch is converted once.
struct VectorConversion {
  private let plan: ColumnPlan
  private var last: (source: Vector, converted: Vector)?

  init(_ plan: ColumnPlan) { self.plan = plan }

  mutating func callAsFunction(_ vector: Vector) -> Vector {
    switch vector.encoding {
    case .flat: return plan.converted(vector)
    case .constant: return Vector(constant: plan.converted(vector.single), count: vector.count)
    case .dictionary:
      // A dictionary vector has both parts by construction.
      let source = vector.dictionary!
      if let last, last.source === source {
        return Vector(dictionary: last.converted, indices: vector.indices!, count: vector.count)
      }
      let converted = plan.converted(source)
      if converted === source { return vector }
      last = (source, converted)
      return Vector(dictionary: converted, indices: vector.indices!, count: vector.count)
    }
  }
}
