// Owns getting the bytes of a text file: a range of a plain one, or all of a compressed one. Knows no rows.

import Base
import CZlib
import CZstd
import Columnar
import Glibc
import Platform

/// How a file's bytes are packed.
public enum TextCompression: String, Codable, Sendable {
  case none
  case gzip
  case zstd
}

/// A stream of a file's text. Used by one thread.
///
/// Errors name the file and the offset in it, before decompression.
public final class TextInput {
  private let file: OwnedDescriptor
  /// For messages.
  public let name: String
  private var offset: Int64
  private let end: Int64
  private let inflater: Inflater?

  /// Text from `range` of a file; compressed files are read whole. `size` is the file's.
  public init(_ file: OwnedDescriptor, name: String, range: Range<Int64>, compression: TextCompression) throws {
    self.file = file
    self.name = name
    offset = range.lowerBound
    end = range.upperBound
    switch compression {
    case .none: inflater = nil
    case .gzip: inflater = try GzipInflater(starting: name)
    case .zstd: inflater = try ZstdInflater(starting: name)
    }
  }

  /// Reads up to `count` bytes; fewer only at the end, 0 there. FILES_BAD_DATA where the file is shorter than it was or
  /// its compression is damaged.
  public func read(into target: UnsafeMutablePointer<UInt8>, count: Int) throws -> Int {
    var filled = 0
    while filled < count {
      let got: Int
      if let inflater {
        got = try inflater.inflate(into: target + filled, count: count - filled) { buffer, room in
          try self.fetch(buffer, min(room, Int(self.end - self.offset)))
        }
      } else {
        got = try fetch(target + filled, min(count - filled, Int(end - offset)))
      }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  private func fetch(_ target: UnsafeMutablePointer<UInt8>, _ count: Int) throws -> Int {
    if count <= 0 { return 0 }
    let got = SystemCall.retrying { pread(file.number, target, count, off_t(offset)) }
    guard got >= 0 else {
      throw SystemCall.failure("cannot read \(name) at offset \(offset)", errno, code: .filesFilesystemError)
    }
    guard got > 0 else {
      throw WaterbearError(
        .filesBadData, "\(name) ends at offset \(offset), \(end - offset) bytes early",
        remedy: "It was cut while the query ran; run the query again.")
    }
    offset += Int64(got)
    return got
  }

  /// Reads bytes at an offset of a plain file; fewer only at its end.
  public static func read(
    _ file: OwnedDescriptor, name: String, at offset: Int64, into target: UnsafeMutablePointer<UInt8>, count: Int
  ) throws -> Int {
    var filled = 0
    while filled < count {
      let got = SystemCall.retrying { pread(file.number, target + filled, count - filled, off_t(offset) + filled) }
      guard got >= 0 else {
        throw SystemCall.failure("cannot read \(name) at offset \(offset)", errno, code: .filesFilesystemError)
      }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  /// The line of an offset of a plain file, counted from 1, for messages. Nil where the file cannot be read or that
  /// would take long. Cost: reads the file up to the offset.
  public static func line(of offset: Int64, in file: OwnedDescriptor, name: String, lineEnd: UInt8) -> Int? {
    guard offset <= 1 << 30 else { return nil }
    let buffer = Buffer(byteCount: 1 << 20)
    let bytes = buffer.pointer(to: UInt8.self)
    var line = 1
    var at: Int64 = 0
    while at < offset {
      let wanted = Int(min(Int64(buffer.byteCount), offset - at))
      // Only a message gets poorer.
      guard let count = try? read(file, name: name, at: at, into: bytes, count: wanted), count > 0 else { return nil }
      for index in 0..<count where bytes[index] == lineEnd { line += 1 }
      at += Int64(count)
    }
    return withExtendedLifetime(buffer) { line }
  }
}

/// Undoes a compression. `fetch` gives the next packed bytes, 0 at the end.
private class Inflater {
  typealias Fetch = (UnsafeMutablePointer<UInt8>, Int) throws -> Int

  let name: String
  let packed = UnsafeMutablePointer<UInt8>.allocate(capacity: Inflater.room)
  static let room = 256 << 10
  /// Packed bytes handed to the library so far.
  var consumed: Int64 = 0

  init(name: String) { self.name = name }
  deinit { packed.deallocate() }

  func inflate(into target: UnsafeMutablePointer<UInt8>, count: Int, fetch: Fetch) throws -> Int { 0 }

  func damaged(_ what: String) -> WaterbearError {
    WaterbearError(
      .filesBadData, "\(name): \(what) near offset \(consumed)",
      remedy: "The file is damaged or was not written to its end; make it anew or hide it with a dot in front.")
  }
}

/// gzip (RFC 1952), one member after the other.
private final class GzipInflater: Inflater {
  private var stream = z_stream()
  private var isBetweenMembers = true
  private var hasMember = false
  private var isAtEnd = false
  /// The last call filled its target: the library may hold more.
  private var mayHoldText = false

  init(starting name: String) throws {
    super.init(name: name)
    // 15 bits of window, plus 16 for gzip's header.
    guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw WaterbearError(.genericInsufficientResources, "\(name): no memory to decompress it")
    }
  }

  deinit { inflateEnd(&stream) }

  override func inflate(into target: UnsafeMutablePointer<UInt8>, count: Int, fetch: Fetch) throws -> Int {
    stream.next_out = target
    stream.avail_out = UInt32(min(count, 1 << 30))
    let wanted = Int(stream.avail_out)
    while stream.avail_out > 0, !isAtEnd {
      if stream.avail_in == 0, !mayHoldText {
        let got = try fetch(packed, Self.room)
        if got == 0 {
          guard isBetweenMembers else { throw damaged("gzip data end in the middle") }
          isAtEnd = true
          break
        }
        consumed += Int64(got)
        stream.next_in = packed
        stream.avail_in = UInt32(got)
      }
      if isBetweenMembers, hasMember, skipPadding() { continue }
      if stream.avail_in > 0 { isBetweenMembers = false }
      let status = CZlib.inflate(&stream, Z_NO_FLUSH)
      mayHoldText = stream.avail_out == 0 && status != Z_STREAM_END
      if status == Z_STREAM_END {
        isBetweenMembers = true
        hasMember = true
        guard inflateReset(&stream) == Z_OK else { throw damaged("gzip data cannot be read on") }
      } else if status != Z_OK && status != Z_BUF_ERROR {
        throw damaged("gzip data are damaged")
      }
    }
    return wanted - Int(stream.avail_out)
  }

  /// Passes over zeros behind a member, with which tapes and block devices fill up; whether nothing is behind them.
  private func skipPadding() -> Bool {
    while stream.avail_in > 0, stream.next_in.pointee == 0 {
      stream.next_in += 1
      stream.avail_in -= 1
    }
    return stream.avail_in == 0
  }
}

/// Zstandard (RFC 8878), one frame after the other.
private final class ZstdInflater: Inflater {
  private let context: OpaquePointer
  private var input = ZSTD_inBuffer()
  private var isBetweenFrames = true
  /// The last call filled its target: the library may hold more.
  private var mayHoldText = false

  init(starting name: String) throws {
    guard let context = ZSTD_createDStream() else {
      throw WaterbearError(.genericInsufficientResources, "\(name): no memory to decompress it")
    }
    self.context = context
    super.init(name: name)
    input.src = UnsafeRawPointer(packed)
  }

  deinit { ZSTD_freeDStream(context) }

  override func inflate(into target: UnsafeMutablePointer<UInt8>, count: Int, fetch: Fetch) throws -> Int {
    var output = ZSTD_outBuffer(dst: target, size: count, pos: 0)
    while output.pos < output.size {
      if input.pos == input.size, !mayHoldText {
        let got = try fetch(packed, Self.room)
        if got == 0 {
          guard isBetweenFrames else { throw damaged("zstd data end in the middle") }
          break
        }
        consumed += Int64(got)
        input.size = got
        input.pos = 0
      }
      let before = output.pos
      let hadInput = input.pos < input.size
      let rest = ZSTD_decompressStream(context, &output, &input)
      guard ZSTD_isError(rest) == 0 else { throw damaged("zstd data are damaged") }
      mayHoldText = output.pos == output.size && rest != 0
      // Without input and output nothing happened, and the library only says what it waits for.
      if hadInput || output.pos > before { isBetweenFrames = rest == 0 }
    }
    return output.pos
  }
}
