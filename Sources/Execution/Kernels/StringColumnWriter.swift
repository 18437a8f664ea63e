// Owns the making of string columns by kernels: views into the arguments' bytes where possible, else into a new heap.

import Columnar

/// Fills a column of strings row by row. Rows that are not put are empty.
struct StringColumnWriter {
  private let values: Buffer
  private let views: UnsafeMutablePointer<StringView>
  private let heap = StringHeap()
  private let count: Int

  init(count: Int) {
    self.count = count
    values = Buffer(zeroed: count * MemoryLayout<StringView>.stride)
    views = values.pointer(to: StringView.self)
  }

  /// A view whose bytes some heap of the finished column keeps alive.
  @inline(__always)
  func put(_ view: StringView, at row: Int) { views[row] = view }

  /// A copy of `count` bytes.
  @inline(__always)
  func put(copying bytes: Bytes, count: Int, at row: Int) {
    views[row] = heap.store(UnsafeBufferPointer(start: bytes, count: count))
  }

  /// A part of a string: a view where it is long, which needs the string's own heap, else a copy in the view itself.
  @inline(__always)
  func put(sharing bytes: Bytes, count: Int, at row: Int) { views[row] = StringView(bytes, count: count) }

  /// `count` bytes that `fill` writes. Long strings are written in place, short ones through a small buffer.
  @inline(__always)
  func put(count: Int, at row: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Void) {
    if count > StringView.inlineCapacity {
      let target = heap.allocate(count)
      fill(target)
      views[row] = StringView(target, count: count)
      return
    }
    var small: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &small) { bytes in
      // The tuple has 16 bytes, and at most 12 are written.
      let target = bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
      fill(target)
      views[row] = StringView(target, count: count)
    }
  }

  /// The column; `sources` are the vectors whose bytes were shared.
  func finish(_ type: DataType, validity: Bitmap?, sharing sources: [Vector] = []) -> Vector {
    var heaps: [StringHeap] = heap.byteCount > 0 ? [heap] : []
    for source in sources {
      for heap in source.heaps where !heaps.contains(where: { $0 === heap }) { heaps.append(heap) }
    }
    return Vector(flat: type, count: count, values: values, validity: validity, heaps: heaps)
  }
}

/// A char column with its blanks: each value padded to `length` code points, as varchar. NULLs stay.
func blankPadded(_ vector: Vector, length: Int, _ input: KernelInput) -> Vector {
  let count = vector.encoding == .constant ? 1 : input.count
  let writer = StringColumnWriter(count: count)
  let views = UnsafePointer(vector.values.pointer(to: StringView.self))
  for row in 0..<count where count == 1 || input.isPresent(row) {
    let bytes = stringBytes(views + row)
    let byteCount = views[row].count
    let missing = max(0, length - ByteSearch.countCodePoints(bytes, count: byteCount))
    if missing == 0 {
      writer.put(views[row], at: row)
    } else {
      writer.put(count: byteCount + missing, at: row) { target in
        target.update(from: bytes, count: byteCount)
        (target + byteCount).update(repeating: 0x20, count: missing)
      }
    }
  }
  let padded = writer.finish(.varcharUnbounded, validity: vector.validity, sharing: [vector])
  return vector.encoding == .constant ? Vector(constant: padded, count: input.count) : padded
}
