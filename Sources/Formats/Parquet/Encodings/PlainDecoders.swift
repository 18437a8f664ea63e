// Owns decoding values in PLAIN encoding, of each physical type.

import Columnar

/// Numbers of a fixed width, one after the other.
final class PlainFixedDecoder: ValueDecoder {
  private var next: UnsafeRawPointer
  private let end: UnsafeRawPointer

  init(_ bytes: UnsafeBufferPointer<UInt8>, stride: Int) {
    next = UnsafeRawPointer(bytes.baseAddress!)
    end = next + bytes.count
    super.init(stride: stride)
  }

  private func take(_ count: Int) throws(Damage) -> UnsafeRawPointer {
    guard count * stride <= end - next else { throw Damage("a page with fewer values than it counts") }
    defer { next += count * stride }
    return next
  }

  override func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    target.copyMemory(from: try take(count), byteCount: count * stride)
  }

  override func skip(_ count: Int) throws(Damage) { _ = try take(count) }

  override func gather(
    _ positions: UnsafePointer<Int32>, count: Int, base: Int, span: Int, into target: UnsafeMutableRawPointer
  ) throws(Damage) {
    StridedCopy.gather(try take(span), stride: stride, positions, count: count, base: base, into: target)
  }
}

/// Booleans of a bit each.
final class PlainBooleanDecoder: ValueDecoder {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    super.init(stride: 1)
  }

  override func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    let first = position
    try skip(count)
    let flags = target.assumingMemoryBound(to: UInt8.self)
    let source = bytes.baseAddress!
    for index in 0..<count {
      let bit = first &+ index
      flags[index] = (source[bit &>> 3] &>> UInt8(bit & 7)) & 1
    }
  }

  override func skip(_ count: Int) throws(Damage) {
    guard count <= bytes.count * 8 - position else { throw Damage("a page with fewer values than it counts") }
    position += count
  }
}

/// Booleans in runs, behind the runs' length in four bytes.
final class HybridBooleanDecoder: ValueDecoder {
  private var runs: HybridRuns

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(Damage) {
    runs = try HybridRuns(try LengthPrefix.split(bytes).inside, width: 1)
    super.init(stride: 1)
  }

  override func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    let flags = target.assumingMemoryBound(to: UInt8.self)
    try withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1024) { (scratch) throws(Damage) in
      var done = 0
      while done < count {
        let part = min(1024, count - done)
        try runs.decode(part, into: scratch.baseAddress!)
        for index in 0..<part { flags[done &+ index] = UInt8(truncatingIfNeeded: scratch[index]) }
        done += part
      }
    }
  }

  override func skip(_ count: Int) throws(Damage) { try runs.skip(count) }
}

/// Stretches of bytes with their length in front.
enum LengthPrefix {
  /// The bytes that a length in four bytes counts, and those behind them.
  static func split(_ bytes: UnsafeBufferPointer<UInt8>) throws(Damage) -> (
    inside: UnsafeBufferPointer<UInt8>, rest: UnsafeBufferPointer<UInt8>
  ) {
    guard bytes.count >= 4 else { throw Damage("a page that ends in a length") }
    let count = Int(UnsafeRawPointer(bytes.baseAddress!).loadUnaligned(as: UInt32.self))
    guard count <= bytes.count - 4 else { throw Damage("\(count) bytes where \(bytes.count - 4) are left") }
    return (
      UnsafeBufferPointer(rebasing: bytes[4..<4 + count]), UnsafeBufferPointer(rebasing: bytes[(4 + count)...])
    )
  }
}

/// Byte arrays, each behind its length in four bytes.
final class PlainBytesDecoder: ValueDecoder {
  private var next: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    next = bytes.baseAddress!
    end = next + bytes.count
    super.init(stride: 16)
  }

  override func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    let views = target.assumingMemoryBound(to: StringView.self)
    var at = next
    // The buffer is padded: a length may be read before it is known to be there.
    for index in 0..<count {
      let length = Int(UnsafeRawPointer(at).loadUnaligned(as: UInt32.self))
      at += 4
      guard length <= end - at else { throw Self.overrun(length, end - at) }
      views[index] = StringView(padded: at, count: length)
      at += length
    }
    next = at
  }

  override func skip(_ count: Int) throws(Damage) {
    var at = next
    for _ in 0..<count {
      let length = Int(UnsafeRawPointer(at).loadUnaligned(as: UInt32.self))
      at += 4
      guard length <= end - at else { throw Self.overrun(length, end - at) }
      at += length
    }
    next = at
  }

  override func gather(
    _ positions: UnsafePointer<Int32>, count: Int, base: Int, span: Int, into target: UnsafeMutableRawPointer
  ) throws(Damage) {
    let views = target.assumingMemoryBound(to: StringView.self)
    var row = base
    for index in 0..<count {
      let wanted = Int(positions[index])
      try skip(wanted &- row)
      let length = Int(UnsafeRawPointer(next).loadUnaligned(as: UInt32.self))
      next += 4
      guard length <= end - next else { throw Self.overrun(length, end - next) }
      views[index] = StringView(padded: next, count: length)
      next += length
      row = wanted &+ 1
    }
    try skip(base &+ span &- row)
  }

  private static func overrun(_ length: Int, _ room: Int) -> Damage {
    room < 0
      ? Damage("a page with fewer values than it counts") : Damage("a value of \(length) bytes where \(room) are left")
  }
}

/// Byte arrays of one length.
final class PlainFixedBytesDecoder: ValueDecoder {
  private var next: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private let length: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, length: Int) {
    next = bytes.baseAddress!
    end = next + bytes.count
    self.length = length
    super.init(stride: 16)
  }

  override func decode(_ count: Int, into target: UnsafeMutableRawPointer) throws(Damage) {
    let views = target.assumingMemoryBound(to: StringView.self)
    let first = next
    try skip(count)
    for index in 0..<count { views[index] = StringView(padded: first + index &* length, count: length) }
  }

  override func skip(_ count: Int) throws(Damage) {
    guard count * length <= end - next else { throw Damage("a page with fewer values than it counts") }
    next += count * length
  }
}

extension StringView {
  /// As `init(_:count:)`, where at least 12 bytes may be read whatever the length.
  @inline(__always)
  init(padded bytes: UnsafePointer<UInt8>, count: Int) {
    let start = UnsafeRawPointer(bytes)
    let first = start.loadUnaligned(as: UInt64.self)
    if count > StringView.inlineCapacity {
      self.init(
        head: UInt64(truncatingIfNeeded: count) | first &<< 32, tail: UInt64(UInt(bitPattern: bytes)))
    } else if count >= 8 {
      let last = UInt64(start.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
      let kept = last & ((1 &<< UInt64(truncatingIfNeeded: (count &- 8) &* 8)) &- 1)
      self.init(head: UInt64(truncatingIfNeeded: count) | first &<< 32, tail: first &>> 32 | kept &<< 32)
    } else {
      let kept = first & ((1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1)
      self.init(head: UInt64(truncatingIfNeeded: count) | kept &<< 32, tail: kept &>> 32)
    }
  }
}
