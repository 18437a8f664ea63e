// Owns the column of a batch: many values of one type in one of three encodings.

/// How a vector's values are found.
@frozen
public enum Encoding: UInt8, Sendable {
  /// Value `i` at position `i`.
  case flat
  /// One value for all rows.
  case constant
  /// Value `i` at position `indices[i]` of a flat dictionary.
  case dictionary
}

/// An immutable column of values. Sharing it costs one reference count, whatever its length.
///
/// Unchecked Sendable: all parts are immutable once the initialiser has returned (see `Buffer`).
public final class Vector: @unchecked Sendable {
  public let type: DataType
  public let encoding: Encoding
  /// Rows.
  public let count: Int
  /// Flat: `count` values. Constant: one value. Dictionary: the dictionary's values (the same buffer as
  /// `dictionary.values`).
  public let values: Buffer
  /// Flat: `count` bits. Constant: one bit. Dictionary: a bit for each value of the dictionary. Nil without NULLs.
  public let validity: Bitmap?
  /// The distinct values of a dictionary vector, a flat vector.
  public let dictionary: Vector?
  /// `count` positions (Int32) in the dictionary.
  public let indices: Buffer?
  /// What keeps the bytes behind string views alive.
  public let heaps: [StringHeap]

  /// A flat vector that takes over its parts.
  public init(
    flat type: DataType, count: Int, values: Buffer, validity: Bitmap? = nil, heaps: [StringHeap] = []
  ) {
    precondition(values.byteCount >= count * type.layout.stride, "\(count) values do not fit")
    self.type = type
    self.encoding = .flat
    self.count = count
    self.values = values
    self.validity = validity
    self.heaps = heaps
    dictionary = nil
    indices = nil
  }

  /// A vector of `count` rows that all have the one value of `single`, a flat vector of one row.
  public init(constant single: Vector, count: Int) {
    precondition(single.encoding == .flat && single.count == 1, "a constant is made of one flat value")
    type = single.type
    encoding = .constant
    self.count = count
    values = single.values
    validity = single.validity
    heaps = single.heaps
    dictionary = nil
    indices = nil
  }

  /// A vector whose row `i` is `dictionary[indices[i]]`; `indices` holds `count` Int32, each within the dictionary.
  public init(dictionary: Vector, indices: Buffer, count: Int) {
    precondition(dictionary.encoding == .flat, "a dictionary is flat")
    precondition(indices.byteCount >= count * 4, "\(count) indices do not fit")
    type = dictionary.type
    encoding = .dictionary
    self.count = count
    values = dictionary.values
    validity = dictionary.validity
    heaps = dictionary.heaps
    self.dictionary = dictionary
    self.indices = indices
  }

  /// The same values under another type of the same layout (such as varchar(5) as varchar).
  public func retyped(_ newType: DataType) -> Vector {
    precondition(newType.layout == type.layout, "\(type) is not laid out as \(newType)")
    switch encoding {
    case .flat:
      return Vector(flat: newType, count: count, values: values, validity: validity, heaps: heaps)
    case .constant:
      let single = Vector(flat: newType, count: 1, values: values, validity: validity, heaps: heaps)
      return Vector(constant: single, count: count)
    case .dictionary:
      // A dictionary vector has both parts by construction.
      return Vector(dictionary: dictionary!.retyped(newType), indices: indices!, count: count)
    }
  }

  /// Whether any row may be NULL. False is certain, true is not.
  @inlinable
  public var mayHaveNulls: Bool { validity != nil }

  /// Position in `values` and `validity` of row `row`. Not for loops: switch on `encoding` outside of them.
  @inlinable
  public func position(of row: Int) -> Int {
    switch encoding {
    case .flat: row
    case .constant: 0
    case .dictionary: Int(indices!.pointer(to: Int32.self)[row])
    }
  }

  /// Whether row `row` is NULL. For single rows; loops read `validity`.
  @inlinable
  public func isNull(_ row: Int) -> Bool {
    guard let validity else { return false }
    return !validity[position(of: row)]
  }

  /// The value of row `row`, boxed. Slow: for tests, messages and single values.
  public func value(at row: Int) -> Value {
    precondition(row >= 0 && row < count, "row \(row) of \(count)")
    if isNull(row) { return .null }
    let position = position(of: row)
    switch type.layout {
    case .boolean: return .boolean(values.pointer(to: UInt8.self)[position] != 0)
    case .int8: return .integer(Int64(values.pointer(to: Int8.self)[position]))
    case .int16: return .integer(Int64(values.pointer(to: Int16.self)[position]))
    case .int32: return .integer(Int64(values.pointer(to: Int32.self)[position]))
    case .int64: return .integer(values.pointer(to: Int64.self)[position])
    case .int128: return .int128(values.pointer(to: Int128.self)[position])
    case .float32: return .double(Double(values.pointer(to: Float.self)[position]))
    case .float64: return .double(values.pointer(to: Double.self)[position])
    case .string: return .bytes(values.pointer(to: StringView.self)[position].withBytes { Array($0) })
    }
  }

  /// Bytes of memory that this vector keeps alive, counting shared parts whole.
  public var retainedBytes: Int {
    var total = values.byteCount + (validity?.buffer.byteCount ?? 0) + (indices?.byteCount ?? 0)
    for heap in heaps { total += heap.byteCount }
    return total
  }
}

/// A column of NULLs or of one value.
extension Vector {
  /// `count` rows of `value`. The value's case must suit the type's layout.
  public static func repeating(_ value: Value, type: DataType, count: Int) -> Vector {
    var builder = VectorBuilder(type: type, capacity: 1)
    builder.append(value)
    return Vector(constant: builder.finish(), count: count)
  }
}
