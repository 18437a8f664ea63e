// Owns the way from a stream of bytes to frames. No I/O: the shell feeds bytes as they come, in pieces of any size.

import Base

/// Cuts a byte stream into frames. After it has thrown, the stream is out of step and must be closed.
public struct FrameDecoder: Sendable {
  /// The longest frame that is accepted, in bytes without the 4-byte length. A page of results fits with room.
  public static let defaultLimit = 64 << 20

  /// The longest frame that is accepted from here on, in bytes without the 4-byte length.
  public var limit: Int
  private var buffer: [UInt8] = []
  private var start = 0

  public init(limit: Int = FrameDecoder.defaultLimit) { self.limit = limit }

  /// Bytes that wait for the rest of their frame.
  public var bufferedBytes: Int { buffer.count - start }

  public mutating func append(_ bytes: some Collection<UInt8>) {
    if start == buffer.count {
      buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
      start = 0
    } else if start > 1 << 16, start > buffer.count / 2 {
      buffer.removeSubrange(..<start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame, or nil until more bytes come. Throws MALFORMED_FRAME; the length is checked against the
  /// limit as soon as its four bytes are there, before anything is allocated for it.
  public mutating func next() throws -> Frame? {
    guard bufferedBytes >= 4 else { return nil }
    let length = Int(integer(UInt32.self, at: start))
    guard length >= Frame.fixedBytes else {
      throw WaterbearError(.malformedFrame, "A frame of \(length) bytes is too short to be one")
    }
    guard length <= limit else {
      throw WaterbearError(
        .malformedFrame, "A frame of \(length) bytes exceeds the limit of \(limit)",
        remedy: "check that the peer is waterbear and of the same version")
    }
    guard bufferedBytes >= 4 + length else { return nil }
    let frame = try parse(at: start + 4, length: length)
    start += 4 + length
    return frame
  }

  private func parse(at offset: Int, length: Int) throws -> Frame {
    let end = offset + length
    let id = integer(UInt64.self, at: offset)
    let nameStart = offset + 9
    let nameLength = Int(buffer[offset + 8])
    guard nameStart + nameLength + 4 <= end else {
      throw WaterbearError(.malformedFrame, "A frame of \(length) bytes ends within its name")
    }
    let bodyStart = nameStart + nameLength + 4
    let bodyLength = Int(integer(UInt32.self, at: nameStart + nameLength))
    guard bodyLength <= end - bodyStart else {
      throw WaterbearError(.malformedFrame, "A frame of \(length) bytes claims a body of \(bodyLength)")
    }
    return Frame(
      name: String(decoding: buffer[nameStart..<nameStart + nameLength], as: UTF8.self), id: id,
      body: Array(buffer[bodyStart..<bodyStart + bodyLength]),
      attachment: Array(buffer[bodyStart + bodyLength..<end]))
  }

  private func integer<Integer: FixedWidthInteger>(_ type: Integer.Type, at offset: Int) -> Integer {
    var value: Integer = 0
    for index in 0..<Integer.bitWidth / 8 { value |= Integer(buffer[offset + index]) << (index * 8) }
    return value
  }
}
