// Owns the part of a spool file that is in memory: reads go through it, so that small reads become few.
// It must not know the format.

/// Memory that readers use again from file to file. For one thread at a time. Readers that take turns may share it,
/// but each turn then reads its part of the file again; better give each of them buffers of its own.
public final class SpoolReadBuffers {
  var window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// Counts the fillings of `window`, so that a reader notices that another one has used it.
  var fillings: UInt64 = 0
  /// Decrypted bytes on their way to decompression.
  var plain = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  let decompressor = PageDecompressor()

  /// Neighbouring pages are read together up to this size.
  let readAheadBytes: Int

  /// What suits a reader of one file after the other.
  public static let usualReadAheadBytes = 1 << 20

  /// `readAheadBytes`: 0 reads each page by itself, for who has many files open at once.
  public init(readAheadBytes: Int = usualReadAheadBytes) { self.readAheadBytes = readAheadBytes }

  deinit {
    window.deallocate()
    plain.deallocate()
  }

  /// Memory that is held, in bytes.
  public var byteCount: Int { window.count + plain.count }

  /// Lets a buffer have at least `count` bytes; what it held is lost if it grows.
  func grow(_ buffer: inout UnsafeMutableRawBufferPointer, to count: Int) {
    guard buffer.count < count else { return }
    buffer.deallocate()
    buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
  }
}

/// A file of a known length, seen through a window that moves.
struct SpoolWindow {
  private let file: any SpoolFileSource
  let buffers: SpoolReadBuffers
  /// What part of the file the window holds.
  private var range = 0..<0
  /// Which filling of the buffers that was.
  private var filling: UInt64 = 0

  /// Throws where the file has another length than `fileBytes`.
  init(_ file: any SpoolFileSource, fileBytes: Int, buffers: SpoolReadBuffers) throws {
    self.file = file
    self.buffers = buffers
    let found = try file.byteCount()
    guard found == Int64(fileBytes) else { throw SpoolDamage("it has \(found) bytes instead of \(fileBytes)") }
  }

  /// Whether `part` can be had without reading.
  func holds(_ part: Range<Int>) -> Bool {
    filling == buffers.fillings && part.lowerBound >= range.lowerBound && part.upperBound <= range.upperBound
  }

  /// The bytes of `part`, valid until the next call. Where they must be read, `whole`, which contains `part`, is read
  /// along and stays for later calls.
  mutating func bytes(of part: Range<Int>, reading whole: Range<Int>) throws -> UnsafeRawBufferPointer {
    if !holds(part) {
      range = 0..<0
      buffers.fillings += 1
      filling = buffers.fillings
      buffers.grow(&buffers.window, to: whole.count)
      let target = UnsafeMutableRawBufferPointer(rebasing: buffers.window[..<whole.count])
      let count = try file.read(at: Int64(whole.lowerBound), into: target)
      guard count == whole.count else {
        throw SpoolDamage("it ends at byte \(whole.lowerBound + count), \(whole.count - count) bytes too early")
      }
      range = whole
    }
    let start = part.lowerBound - range.lowerBound
    return UnsafeRawBufferPointer(rebasing: buffers.window[start..<(start + part.count)])
  }
}
