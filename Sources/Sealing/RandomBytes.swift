// Owns the one source of cryptographic random bytes.
import Base
import COpenSSL

/// Random bytes fit for keys and nonces, from OpenSSL's generator, which the operating system seeds.
public enum RandomBytes {
  /// Fills `buffer`; throws where the operating system gives no randomness.
  public static func fill(_ buffer: UnsafeMutableRawBufferPointer) throws {
    guard !buffer.isEmpty else { return }
    precondition(buffer.count <= Int(Int32.max), "too many random bytes at once")
    guard RAND_bytes(buffer.bindMemory(to: UInt8.self).baseAddress, Int32(buffer.count)) == 1 else {
      throw OpenSSLFailure.error("RAND_bytes")
    }
  }

  /// `count` random bytes.
  public static func make(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes(fill)
    return bytes
  }
}

/// What OpenSSL left in its error queue, as an error.
enum OpenSSLFailure {
  /// An error that names the OpenSSL function that failed; empties the thread's error queue.
  static func error(_ function: String) -> WaterbearError {
    var causes: [String] = []
    var text = [CChar](repeating: 0, count: 256)
    while case let code = ERR_get_error(), code != 0 {
      ERR_error_string_n(code, &text, text.count)
      causes.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    return WaterbearError(.genericInternalError, "OpenSSL's \(function) failed", causes: causes)
  }
}
