// Owns how bytes of a spool file are bound to their place: AES-256-GCM under a key of the attempt's own, or a checksum
// where encryption is off. It must not know what the bytes mean, nor do any input or output.
import Base
import Sealing

/// What a tag binds besides the bytes themselves and the file's header.
struct PagePlace {
  /// 0 for a page, 1 for the index: see docs/spool-format.md.
  var kind: UInt32
  var partition: Int
  /// Counts the pages of the partition from 0.
  var number: Int
  var rawBytes: Int
  var rows: Int
  var codec: SpoolCodec
  /// Where the stored bytes start in the file; makes the nonce.
  var offset: Int

  static func index(offset: Int, rawBytes: Int) -> PagePlace {
    PagePlace(kind: 1, partition: 0, number: 0, rawBytes: rawBytes, rows: 0, codec: .none, offset: offset)
  }

  static func page(_ number: Int, of partition: Int, _ entry: SpoolPageEntry) -> PagePlace {
    PagePlace(
      kind: 0, partition: partition, number: number, rawBytes: entry.rawBytes, rows: entry.rows, codec: entry.codec,
      offset: entry.offset)
  }
}

/// Seals or opens the pages and the index of one file. Nothing is allocated per page. For one thread at a time.
final class PageSeal {
  let tagByteCount: Int
  private let cipher: AESGCM?
  /// The file's identity, then room for a place, then for a nonce.
  private let scratch: UnsafeMutableRawBufferPointer
  private let identityByteCount: Int
  private let identityHash: UInt64
  private static let placeByteCount = 28

  /// `key` is the query's and given exactly if `header` says that the file is encrypted.
  init(_ header: SpoolHeader, key: SealingKey?, direction: AESGCM.Direction) throws {
    precondition(header.isEncrypted == (key != nil), "a key exactly if the file is encrypted")
    let identity = header.identity
    // Attempts are never reused and the salt is random besides, so no two files share a key, and within a file
    // no two offsets are equal: a nonce is never used twice under a key.
    let own = try key?.derived(for: Array("waterbear spool 1".utf8) + identity)
    cipher = try own.map { try AESGCM(key: $0, direction: direction) }
    tagByteCount = cipher == nil ? SpoolFormat.checksumByteCount : AESGCM.tagByteCount
    identityByteCount = identity.count
    identityHash = identity.withUnsafeBytes { XXH64.hash($0) }
    scratch = UnsafeMutableRawBufferPointer.allocate(
      byteCount: identity.count + Self.placeByteCount + AESGCM.nonceByteCount, alignment: 8)
    scratch.copyBytes(from: identity)
  }

  deinit { scratch.deallocate() }

  /// Seals `plain` into `output`, which has room for it and a tag. The two may start at the same address.
  func seal(
    _ plain: UnsafeRawBufferPointer, at place: PagePlace, into output: UnsafeMutableRawBufferPointer
  ) throws {
    precondition(output.count == plain.count + tagByteCount, "the output holds bytes and tag")
    setPlace(place, storedBytes: output.count)
    guard let cipher else {
      if output.baseAddress != UnsafeMutableRawPointer(mutating: plain.baseAddress) { output.copyMemory(from: plain) }
      output.put(checksum(plain, place), at: plain.count)
      return
    }
    try cipher.seal(plain, nonce: nonce, associated: associated, into: output)
  }

  /// Opens `sealed` into `output`, which has room for all but the tag. False where the tag does not match.
  func open(
    _ sealed: UnsafeRawBufferPointer, at place: PagePlace, into output: UnsafeMutableRawBufferPointer
  ) throws -> Bool {
    precondition(output.count == sealed.count - tagByteCount, "the output holds the bytes without the tag")
    setPlace(place, storedBytes: sealed.count)
    guard let cipher else {
      let plain = UnsafeRawBufferPointer(rebasing: sealed[..<output.count])
      guard sealed.number(at: output.count, as: UInt64.self) == checksum(plain, place) else { return false }
      output.copyMemory(from: plain)
      return true
    }
    return try cipher.open(sealed, nonce: nonce, associated: associated, into: output)
  }

  /// Identity and place.
  private var associated: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: scratch[..<(identityByteCount + Self.placeByteCount)])
  }

  private var nonce: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: scratch[(identityByteCount + Self.placeByteCount)...])
  }

  private func setPlace(_ place: PagePlace, storedBytes: Int) {
    let start = identityByteCount
    scratch.put(place.kind, at: start)
    scratch.put(UInt32(place.partition), at: start + 4)
    scratch.put(UInt32(place.number), at: start + 8)
    scratch.put(UInt32(storedBytes), at: start + 12)
    scratch.put(UInt32(place.rawBytes), at: start + 16)
    scratch.put(UInt32(place.rows), at: start + 20)
    scratch.put(place.codec.rawValue, at: start + 24)
    scratch.put(place.kind, at: start + Self.placeByteCount)
    scratch.put(UInt64(place.offset), at: start + Self.placeByteCount + 4)
  }

  /// The checksum that stands in for a tag: over the place and offset, seeded by the identity, then over the bytes.
  private func checksum(_ plain: UnsafeRawBufferPointer, _ place: PagePlace) -> UInt64 {
    let placeAndNonce = UnsafeRawBufferPointer(rebasing: scratch[identityByteCount...])
    return XXH64.hash(plain, seed: XXH64.hash(placeAndNonce, seed: identityHash))
  }
}
