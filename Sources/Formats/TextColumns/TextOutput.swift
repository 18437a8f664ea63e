// Owns the packing of text that is written: plain, gzip or zstd, handed on in blocks. It must not know where the bytes
// go.

import Base
import CZlib
import CZstd
import Columnar

/// A stream of text on its way to a file. Used by one thread.
public final class TextOutput {
  /// Takes bytes, which are valid during the call only.
  public typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  private let sink: Sink
  private let packer: Packer?
  private let pending = Buffer(byteCount: TextOutput.room)
  private var filled = 0
  private static let room = 256 << 10

  /// Text is packed by `compression` and given to `sink`, whose errors come out of the calls below.
  public init(_ compression: TextCompression, to sink: @escaping Sink) throws {
    self.sink = sink
    switch compression {
    case .none: packer = nil
    // What most programs take: a good size for bearable time.
    case .gzip: packer = try GzipPacker(level: 6)
    case .zstd: packer = try ZstdPacker(level: 3)
    }
  }

  /// Bytes held in memory, without what the libraries hold.
  public var retainedBytes: Int { Self.room + (packer == nil ? 0 : Packer.room) }

  /// Takes text. Cost: a copy, and the packing of full blocks.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count > 0 {
      if filled == Self.room { try flush() }
      let count = min(rest.count, Self.room - filled)
      (pending.base + filled).copyMemory(from: start, byteCount: count)
      filled += count
      rest = rest.dropFirst(count)
    }
  }

  /// Hands on all that is left, and what ends the compressed form. Called once, last.
  public func finish() throws {
    try flush()
    try packer?.finish(to: sink)
  }

  /// The error for a text that no reader of the file would take.
  public static func notUTF8(_ view: StringView) -> WaterbearError {
    let shown = view.withBytes { String(decoding: $0.prefix(100), as: UTF8.self) }
    return WaterbearError(
      .notSupported, "The text '\(shown)' is no UTF-8, and this table's files are text",
      remedy: "Write it into a table of Parquet files, or correct it where it comes from.")
  }

  private func flush() throws {
    guard filled > 0 else { return }
    let block = UnsafeRawBufferPointer(start: pending.base, count: filled)
    filled = 0
    if let packer { try packer.pack(block, to: sink) } else { try sink(block) }
  }
}

/// Does a compression.
private class Packer {
  static let room = 256 << 10
  let packed = Buffer(byteCount: Packer.room)

  func pack(_ text: UnsafeRawBufferPointer, to sink: TextOutput.Sink) throws {}
  func finish(to sink: TextOutput.Sink) throws {}

  func give(_ count: Int, to sink: TextOutput.Sink) throws {
    if count > 0 { try sink(UnsafeRawBufferPointer(start: packed.base, count: count)) }
  }

  static func failure(_ what: String) -> WaterbearError {
    WaterbearError(.genericInsufficientResources, "Text cannot be compressed: \(what)")
  }
}

/// gzip (RFC 1952), one member.
private final class GzipPacker: Packer {
  private var stream = z_stream()

  init(level: Int32) throws {
    super.init()
    // 15 bits of window, plus 16 for gzip's header; 8 is the library's default of memory.
    let status = deflateInit2_(
      &stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw Self.failure("zlib says \(status)") }
  }

  deinit { deflateEnd(&stream) }

  override func pack(_ text: UnsafeRawBufferPointer, to sink: TextOutput.Sink) throws {
    // zlib does not write to its input.
    stream.next_in = UnsafeMutablePointer(mutating: text.assumingMemoryBound(to: UInt8.self).baseAddress)
    stream.avail_in = UInt32(text.count)
    try run(Z_NO_FLUSH, to: sink)
  }

  override func finish(to sink: TextOutput.Sink) throws { try run(Z_FINISH, to: sink) }

  private func run(_ mode: Int32, to sink: TextOutput.Sink) throws {
    repeat {
      stream.next_out = packed.pointer(to: UInt8.self)
      stream.avail_out = UInt32(Self.room)
      let status = deflate(&stream, mode)
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw Self.failure("zlib says \(status)")
      }
      try give(Self.room - Int(stream.avail_out), to: sink)
    } while stream.avail_out == 0
  }
}

/// Zstandard (RFC 8878), one frame.
private final class ZstdPacker: Packer {
  private let context: OpaquePointer

  init(level: Int32) throws {
    guard let context = ZSTD_createCCtx() else { throw Self.failure("no memory") }
    self.context = context
    super.init()
    _ = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
  }

  deinit { ZSTD_freeCCtx(context) }

  override func pack(_ text: UnsafeRawBufferPointer, to sink: TextOutput.Sink) throws {
    var input = ZSTD_inBuffer(src: text.baseAddress, size: text.count, pos: 0)
    while input.pos < input.size { _ = try run(&input, ZSTD_e_continue, to: sink) }
  }

  override func finish(to sink: TextOutput.Sink) throws {
    var input = ZSTD_inBuffer()
    while try run(&input, ZSTD_e_end, to: sink) > 0 {}
  }

  /// Bytes that the library still holds.
  private func run(_ input: inout ZSTD_inBuffer, _ mode: ZSTD_EndDirective, to sink: TextOutput.Sink) throws -> Int {
    var output = ZSTD_outBuffer(dst: packed.base, size: Self.room, pos: 0)
    let rest = ZSTD_compressStream2(context, &output, &input, mode)
    guard ZSTD_isError(rest) == 0 else { throw Self.failure(String(cString: ZSTD_getErrorName(rest))) }
    try give(output.pos, to: sink)
    return rest
  }
}
