// Owns reading the environment without Foundation. Never writes it: setenv(3) is not safe beside other threads.
import Glibc

/// The variables this process was started with.
public enum ProcessEnvironment {
  /// All variables; of a name that appears twice the first counts, as in getenv(3).
  public static var current: [String: String] {
    var variables: [String: String] = [:]
    // Only a call of clearenv(3), which nothing here makes, would leave `environ` null.
    var entry: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = environ
    while let text = entry.pointee {
      let pair = String(cString: text)
      if let split = pair.firstIndex(of: "=") {
        let name = String(pair[..<split])
        if variables[name] == nil { variables[name] = String(pair[pair.index(after: split)...]) }
      }
      entry += 1
    }
    return variables
  }

  /// One variable's value; nil where it is not set.
  public static subscript(name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
