// Owns the building of flat vectors value by value: for literals, small results and tests. Kernels fill
// buffers directly.

/// Collects values of one type into a flat vector.
public struct VectorBuilder {
  public let type: DataType
  public private(set) var count = 0
  private var values: Buffer
  private var capacity: Int
  private var validity: Bitmap?
  private let heap = StringHeap()

  public init(type: DataType, capacity: Int = 64) {
    self.type = type
    self.capacity = max(capacity, 1)
    values = Buffer(zeroed: self.capacity * type.layout.stride)
  }

  /// Appends a value; its case must suit the type (an integer suits every integer layout).
  public mutating func append(_ value: Value) {
    if count == capacity { grow() }
    switch (type.layout, value) {
    case (_, .null):
      if validity == nil { validity = Bitmap(repeating: true, count: capacity) }
      validity?.clear(count)
    case (.boolean, .boolean(let flag)): values.pointer(to: UInt8.self)[count] = flag ? 1 : 0
    case (.int8, .integer(let number)): values.pointer(to: Int8.self)[count] = Int8(number)
    case (.int16, .integer(let number)): values.pointer(to: Int16.self)[count] = Int16(number)
    case (.int32, .integer(let number)): values.pointer(to: Int32.self)[count] = Int32(number)
    case (.int64, .integer(let number)): values.pointer(to: Int64.self)[count] = number
    case (.int64, .int128(let number)): values.pointer(to: Int64.self)[count] = Int64(number)
    case (.int128, .integer(let number)): values.pointer(to: Int128.self)[count] = Int128(number)
    case (.int128, .int128(let number)): values.pointer(to: Int128.self)[count] = number
    case (.float32, .double(let number)): values.pointer(to: Float.self)[count] = Float(number)
    case (.float64, .double(let number)): values.pointer(to: Double.self)[count] = number
    case (.string, .bytes(let bytes)):
      values.pointer(to: StringView.self)[count] = bytes.withUnsafeBufferPointer { heap.store($0) }
    default: preconditionFailure("\(value) is no value of \(type)")
    }
    count += 1
  }

  /// The vector; the builder must not be used afterwards.
  public func finish() -> Vector {
    let bits = validity.map { Bitmap(buffer: $0.buffer, count: count) }
    return Vector(
      flat: type, count: count, values: values, validity: bits,
      heaps: type.layout == .string && heap.byteCount > 0 ? [heap] : [])
  }

  private mutating func grow() {
    let larger = Buffer(zeroed: capacity * 2 * type.layout.stride)
    larger.base.copyMemory(from: values.base, byteCount: count * type.layout.stride)
    if let old = validity {
      let bits = Bitmap(repeating: true, count: capacity * 2)
      for row in 0..<count where !old[row] { bits.clear(row) }
      validity = bits
    }
    values = larger
    capacity *= 2
  }
}
