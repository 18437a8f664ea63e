// Owns a 256-bit key: how it is made, derived, wiped, and how it seals a small secret (such as another key).
// It must not know what is sealed, nor where keys are kept. The hot path for many messages is `AESGCM`.
import Base
import COpenSSL

/// A 256-bit AES key. Its bytes are wiped when the last reference goes.
///
/// `@unchecked Sendable`: the bytes behind the pointer are written once in `init` and wiped in `deinit`; in between
/// they are only read.
public final class SealingKey: @unchecked Sendable {
  /// A key's length in bytes.
  public static let byteCount = 32

  private let storage: UnsafeMutableRawBufferPointer

  /// A key from its bytes; throws where there are not exactly 32 of them.
  public init(bytes: [UInt8]) throws {
    guard bytes.count == Self.byteCount else {
      throw WaterbearError(
        .genericInternalError, "A key has \(Self.byteCount) bytes, but \(bytes.count) were given")
    }
    storage = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.byteCount, alignment: 16)
    storage.copyBytes(from: bytes)
  }

  /// Fills a new key through `fill`; the memory is zeroed before.
  private init(filledBy fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
    storage = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.byteCount, alignment: 16)
    storage.initializeMemory(as: UInt8.self, repeating: 0)
    try fill(storage)
  }

  deinit {
    OPENSSL_cleanse(storage.baseAddress, storage.count)
    storage.deallocate()
  }

  /// A new key from the operating system's random source.
  public static func random() throws -> SealingKey {
    try SealingKey(filledBy: RandomBytes.fill)
  }

  /// The key's bytes, for sealing it under another key or handing it to a process that needs it. The copy is the
  /// caller's to keep short-lived: arrays are not wiped.
  public var bytes: [UInt8] { [UInt8](storage) }

  /// Calls `body` with the key's bytes, which must not outlive the call.
  public func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try body(UnsafeRawBufferPointer(storage))
  }

  /// A key of its own for the purpose that `info` names: HKDF-Expand with SHA-256 (RFC 5869), one block long. The
  /// extract step is left out, as RFC 5869, section 3.3, allows for a key that is uniformly random already.
  ///
  /// Different `info` give keys that tell nothing about each other or about this one.
  public func derived(for info: [UInt8]) throws -> SealingKey {
    let message = info + [1]
    return try SealingKey(filledBy: { output in
      var length = UInt32(0)
      let bytes = output.bindMemory(to: UInt8.self)
      guard HMAC(EVP_sha256(), storage.baseAddress, Int32(storage.count), message, message.count,
        bytes.baseAddress, &length) != nil, length == UInt32(Self.byteCount)
      else { throw OpenSSLFailure.error("HMAC") }
    })
  }

  /// Bytes that `seal` adds: a nonce of 12 and a tag of 16.
  public static let sealOverhead = AESGCM.nonceByteCount + AESGCM.tagByteCount

  /// Seals `plain` with a random nonce and returns nonce, ciphertext and tag in this order. `associated` is bound to
  /// the result but not contained in it.
  ///
  /// For small secrets: at most 2^32 messages under one key (NIST SP 800-38D, 8.3). Keys used here must not be used
  /// with `AESGCM` counters as well.
  public func seal(_ plain: [UInt8], associated: [UInt8]) throws -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: plain.count + Self.sealOverhead)
    try sealed.withUnsafeMutableBytes { output in
      let nonce = UnsafeMutableRawBufferPointer(rebasing: output[..<AESGCM.nonceByteCount])
      let body = UnsafeMutableRawBufferPointer(rebasing: output[AESGCM.nonceByteCount...])
      try RandomBytes.fill(nonce)
      let cipher = try AESGCM(key: self, direction: .sealing)
      try plain.withUnsafeBytes { plain in
        try associated.withUnsafeBytes { associated in
          try cipher.seal(plain, nonce: UnsafeRawBufferPointer(nonce), associated: associated, into: body)
        }
      }
    }
    return sealed
  }

  /// Opens what `seal` returned for the same `associated`; throws where anything differs or is damaged.
  public func open(_ sealed: [UInt8], associated: [UInt8]) throws -> [UInt8] {
    guard sealed.count >= Self.sealOverhead else {
      throw WaterbearError(
        .genericInternalError,
        "Sealed data has \(sealed.count) bytes, fewer than the \(Self.sealOverhead) of its nonce and tag")
    }
    var plain = [UInt8](repeating: 0, count: sealed.count - Self.sealOverhead)
    let matches = try sealed.withUnsafeBytes { input in
      let cipher = try AESGCM(key: self, direction: .opening)
      return try associated.withUnsafeBytes { associated in
        try plain.withUnsafeMutableBytes { plain in
          try cipher.open(
            UnsafeRawBufferPointer(rebasing: input[AESGCM.nonceByteCount...]),
            nonce: UnsafeRawBufferPointer(rebasing: input[..<AESGCM.nonceByteCount]),
            associated: associated, into: plain)
        }
      }
    }
    guard matches else {
      throw WaterbearError(
        .genericInternalError,
        "Sealed data of \(sealed.count) bytes does not match its tag: it is damaged, belongs elsewhere, or was sealed "
          + "under another key")
    }
    return plain
  }
}
