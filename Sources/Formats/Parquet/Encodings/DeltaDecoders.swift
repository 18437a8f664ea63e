// Owns decoding values in the three encodings that are built on deltas.

import Columnar

/// Integers as deltas.
final class DeltaIntegerDecoder: ValueDecoder {
  private var runs: DeltaRuns

  init(_ bytes: UnsafeBufferPointer<UInt8>, stride: Int) throws(Damage) {
    runs = try DeltaRuns(bytes)
    super.init(stride: stride)
  }

  override func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    if stride == 4 {
      try runs.decode(count, into: target.assumingMemoryBound(to: Int32.self))
    } else {
      try runs.decode(count, into: target.assumingMemoryBound(to: Int64.self))
    }
  }
}

/// Byte arrays: all lengths as deltas, then all bytes.
final class DeltaLengthDecoder: ValueDecoder {
  private var lengths: DeltaRuns
  private var next: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(Damage) {
    lengths = try DeltaRuns(bytes)
    next = bytes.baseAddress! + (try lengths.end(of: bytes))
    end = bytes.baseAddress! + bytes.count
    super.init(stride: 16)
  }

  override func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    let views = target.assumingMemoryBound(to: StringView.self)
    try withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1024) { (scratch) throws(Damage) in
      var done = 0
      while done < count {
        let part = min(1024, count - done)
        try lengths.decode(part, into: scratch.baseAddress!)
        for index in 0..<part {
          let length = Int(scratch[index])
          guard length >= 0, length <= end - next else {
            throw Damage("a value of \(length) bytes where \(end - next) are left")
          }
          views[done &+ index] = StringView(padded: next, count: length)
          next += length
        }
        done += part
      }
    }
  }
}

/// Byte arrays: the lengths of the prefixes shared with the value before, and the rest as in `DeltaLengthDecoder`.
final class DeltaBytesDecoder: ValueDecoder {
  /// Bytes that the values of the page may still have.
  private var bytesLeft: Int
  private var prefixes: DeltaRuns
  private let suffixes: DeltaLengthDecoder
  /// The values of the last call: those before are kept by whoever wanted them.
  private var texts = StringHeap()
  /// The value before, whose bytes lie in the view or in that heap.
  private var last = StringView.empty

  override var heap: StringHeap? { texts }
  /// The length that all values must have, where there is one.
  private let fixedLength: Int?

  /// `bytesMax`: bytes that all values together may have. A few bits can stand for a long value.
  init(
    _ bytes: UnsafeBufferPointer<UInt8>, fixedLength: Int?, bytesMax: Int = ParquetLimits().pageBytes
  ) throws(Damage) {
    self.fixedLength = fixedLength
    bytesLeft = bytesMax
    prefixes = try DeltaRuns(bytes)
    let start = try prefixes.end(of: bytes)
    suffixes = try DeltaLengthDecoder(UnsafeBufferPointer(rebasing: bytes[start...]))
    super.init(stride: 16)
  }

  override func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    let views = target.assumingMemoryBound(to: StringView.self)
    try suffixes.decode(count, into: target)
    let before = texts
    defer { withExtendedLifetime(before) {} }
    texts = StringHeap()
    try withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1024) { (scratch) throws(Damage) in
      var done = 0
      while done < count {
        let part = min(1024, count - done)
        try prefixes.decode(part, into: scratch.baseAddress!)
        for index in done..<done + part {
          let prefix = Int(scratch[index &- done])
          guard prefix >= 0, prefix <= last.count else {
            throw Damage("a prefix of \(prefix) bytes of a value of \(last.count)")
          }
          let suffix = views[index]
          let length = prefix + suffix.count
          guard fixedLength == nil || length == fixedLength else { throw Damage("a value of \(length) bytes") }
          guard length <= bytesLeft, length <= Int(Int32.max) else { throw Damage("a page whose values are too long") }
          bytesLeft -= length
          if length > 0 {
            let copy = texts.allocate(length)
            last.withBytes { copy.update(from: $0.baseAddress!, count: prefix) }
            suffix.withBytes { (copy + prefix).update(from: $0.baseAddress!, count: $0.count) }
            last = StringView(copy, count: length)
          } else {
            last = .empty
          }
          views[index] = last
        }
        done += part
      }
    }
  }
}
