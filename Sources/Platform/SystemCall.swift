// Owns turning a failed system call into an error that a person can act on. Knows no policy about retries of calls.
import Base
import Glibc

/// Names for failures of the operating system.
public enum SystemCall {
  /// The system's words for an errno value, such as `No space left on device`.
  public static func message(_ number: Int32) -> String {
    // strerror_r in its GNU form may return a static text instead of filling the buffer; the XSI form is not imported.
    guard let text = strerror(number) else { return "error \(number)" }
    return String(cString: text)
  }

  /// The error for a call that failed with `number`; read `errno` before anything else runs and hand it in.
  ///
  /// A full disk, a spent quota and too many open files are INSUFFICIENT_RESOURCES, all else is `code`.
  public static func failure(
    _ what: String, _ number: Int32, code: ErrorCode = .genericInternalError, remedy: String? = nil
  ) -> WaterbearError {
    let scarce = [ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM].contains(number)
    return WaterbearError(
      scarce ? .genericInsufficientResources : code, "\(what): \(message(number))", remedy: remedy)
  }

  /// Repeats a call while a signal interrupts it; the result is -1 with `errno` set where it failed otherwise.
  @inlinable
  public static func retrying<Value: SignedInteger>(_ call: () -> Value) -> Value {
    while true {
      let result = call()
      if result == -1 && errno == EINTR { continue }
      return result
    }
  }
}
