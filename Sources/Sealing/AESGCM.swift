// Owns AES-256-GCM over raw buffers with one reused OpenSSL context: the hot path for many messages under one key.
// It must not know what the messages are, nor choose nonces.
import Base
import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) in one direction under one key. Not for use from two threads at once.
///
/// No call allocates: the context with its key schedule is made once in `init`.
public final class AESGCM {
  /// Whether an instance seals or opens.
  public enum Direction: Sendable {
    case sealing
    case opening
  }

  /// The length of a nonce.
  public static let nonceByteCount = 12
  /// The length of the tag that proves a message unchanged.
  public static let tagByteCount = 16
  /// The longest message: OpenSSL counts in 32-bit integers.
  public static let maxMessageByteCount = Int(Int32.max) - 64

  private let context: OpaquePointer
  private let direction: Direction

  /// A context for messages under `key`. Throws only where OpenSSL has no memory or no AES.
  public init(key: SealingKey, direction: Direction) throws {
    guard let context = EVP_CIPHER_CTX_new() else { throw OpenSSLFailure.error("EVP_CIPHER_CTX_new") }
    self.context = context
    self.direction = direction
    let status = key.withUnsafeBytes { key in
      let bytes = key.bindMemory(to: UInt8.self).baseAddress
      return EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, bytes, nil, direction == .sealing ? 1 : 0)
    }
    guard status == 1 else { throw OpenSSLFailure.error("EVP_CipherInit_ex") }
  }

  deinit {
    EVP_CIPHER_CTX_free(context)
  }

  /// Seals `plain` and writes ciphertext and tag to `output`, which has `plain.count + tagByteCount` bytes and does
  /// not overlap `plain` (or starts where it starts). A nonce must never be used twice under one key.
  public func seal(
    _ plain: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associated: UnsafeRawBufferPointer,
    into output: UnsafeMutableRawBufferPointer
  ) throws {
    precondition(direction == .sealing, "this context opens")
    precondition(output.count == plain.count + Self.tagByteCount, "the output holds ciphertext and tag")
    try start(nonce: nonce, associated: associated)
    let written = try update(plain, into: output)
    try finish(into: output, at: written)
    guard let target = output.baseAddress,
      EVP_CIPHER_CTX_ctrl(
        context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagByteCount), target + plain.count) == 1
    else { throw OpenSSLFailure.error("EVP_CTRL_AEAD_GET_TAG") }
  }

  /// Opens ciphertext and tag and writes the plain bytes to `output`, which has `sealed.count - tagByteCount` bytes.
  /// False where the tag does not match; `output` is then wiped. `sealed` has at least a tag's length.
  public func open(
    _ sealed: UnsafeRawBufferPointer, nonce: UnsafeRawBufferPointer, associated: UnsafeRawBufferPointer,
    into output: UnsafeMutableRawBufferPointer
  ) throws -> Bool {
    precondition(direction == .opening, "this context seals")
    precondition(output.count == sealed.count - Self.tagByteCount, "the output holds the plain bytes")
    try start(nonce: nonce, associated: associated)
    let written = try update(UnsafeRawBufferPointer(rebasing: sealed[..<output.count]), into: output)
    // OpenSSL takes the expected tag through a mutable pointer and only reads it.
    let tag = UnsafeMutableRawPointer(mutating: sealed.baseAddress).map { $0 + output.count }
    guard EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagByteCount), tag) == 1 else {
      throw OpenSSLFailure.error("EVP_CTRL_AEAD_SET_TAG")
    }
    var rest = Int32(0)
    // GCM writes nothing here, but the call wants a place of a block's size.
    let matches = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { scratch in
      EVP_CipherFinal_ex(context, scratch.bindMemory(to: UInt8.self).baseAddress, &rest) == 1
    }
    if matches && written == output.count { return true }
    ERR_clear_error()
    OPENSSL_cleanse(output.baseAddress, output.count)
    return false
  }

  private func start(nonce: UnsafeRawBufferPointer, associated: UnsafeRawBufferPointer) throws {
    precondition(nonce.count == Self.nonceByteCount, "a nonce has 12 bytes")
    let bytes = nonce.bindMemory(to: UInt8.self).baseAddress
    guard EVP_CipherInit_ex(context, nil, nil, nil, bytes, -1) == 1 else {
      throw OpenSSLFailure.error("EVP_CipherInit_ex")
    }
    guard !associated.isEmpty else { return }
    precondition(associated.count <= Self.maxMessageByteCount, "associated data is too long")
    var length = Int32(0)
    guard EVP_CipherUpdate(
      context, nil, &length, associated.bindMemory(to: UInt8.self).baseAddress, Int32(associated.count)) == 1
    else { throw OpenSSLFailure.error("EVP_CipherUpdate") }
  }

  private func update(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws -> Int {
    precondition(input.count <= Self.maxMessageByteCount, "a message is too long")
    guard !input.isEmpty else { return 0 }
    var length = Int32(0)
    guard EVP_CipherUpdate(
      context, output.bindMemory(to: UInt8.self).baseAddress, &length,
      input.bindMemory(to: UInt8.self).baseAddress, Int32(input.count)) == 1
    else { throw OpenSSLFailure.error("EVP_CipherUpdate") }
    return Int(length)
  }

  private func finish(into output: UnsafeMutableRawBufferPointer, at written: Int) throws {
    var rest = Int32(0)
    let place = output.bindMemory(to: UInt8.self).baseAddress.map { $0 + written }
    guard EVP_CipherFinal_ex(context, place, &rest) == 1 else {
      throw OpenSSLFailure.error("EVP_CipherFinal_ex")
    }
  }
}
