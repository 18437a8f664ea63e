// Owns the frame: the unit that crosses a socket, and its bytes. Knows no message and no socket. docs/wire.md
// describes it.

import Base

/// A message's name, the number that ties an answer to its request, the encoded message, and bytes that travel along
/// without being encoded again (a page of rows).
public struct Frame: Sendable {
  public var name: String
  /// A request's number, repeated by its answer; 0 where there is no answer.
  public var id: UInt64
  /// The message in CBOR.
  public var body: [UInt8]
  public var attachment: [UInt8]

  public init(name: String, id: UInt64, body: [UInt8], attachment: [UInt8] = []) {
    self.name = name
    self.id = id
    self.body = body
    self.attachment = attachment
  }

  public init<Message: WireMessage>(_ message: Message, id: UInt64 = 0, attachment: [UInt8] = []) throws {
    self.init(name: Message.name, id: id, body: try BinaryEncoder.encode(message), attachment: attachment)
  }

  /// The message; MALFORMED_FRAME where the body is not one of `type`.
  public func message<Message: WireMessage>(_ type: Message.Type) throws -> Message {
    guard name == Message.name else {
      throw WaterbearError(.malformedFrame, "Expected a message '\(Message.name)', got '\(name)'")
    }
    return try BinaryDecoder.decode(type, from: body)
  }

  /// Bytes of the frame behind its length: what a decoder's limit is compared with.
  public var byteCount: Int { Self.fixedBytes + name.utf8.count + body.count + attachment.count }

  /// The frame as it goes over the socket, the length first.
  public func encoded() -> [UInt8] {
    let nameBytes = Array(name.utf8)
    let length = byteCount
    precondition(nameBytes.count <= 255 && length <= Int(UInt32.max), "frame '\(name)' of \(length) bytes")
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 + length)
    bytes.appendLittleEndian(UInt32(length))
    bytes.appendLittleEndian(id)
    bytes.append(UInt8(nameBytes.count))
    bytes += nameBytes
    bytes.appendLittleEndian(UInt32(body.count))
    bytes += body
    bytes += attachment
    return bytes
  }

  /// Bytes of a frame behind its length when name, body and attachment are empty: id, name length, body length.
  static let fixedBytes = 8 + 1 + 4
}

/// Something that travels as the body of a frame. Fields are keyed by name: new ones must be optional.
public protocol WireMessage: Codable, Sendable {
  static var name: String { get }
}

extension Array where Element == UInt8 {
  mutating func appendLittleEndian<Integer: FixedWidthInteger>(_ value: Integer) {
    for shift in stride(from: 0, to: Integer.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}
