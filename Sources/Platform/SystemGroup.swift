// Owns the groups of this machine.
import Base
import Glibc

/// The groups of this machine.
public enum SystemGroup {
  /// The number of a group; nil where the machine has none of that name.
  public static func number(of name: String) -> gid_t? {
    var entry = group()
    var found: UnsafeMutablePointer<group>?
    var buffer = [CChar](repeating: 0, count: 16 << 10)
    return buffer.withUnsafeMutableBufferPointer { text in
      // The buffer is not empty, so it has a base address.
      guard getgrnam_r(name, &entry, text.baseAddress!, text.count, &found) == 0, found != nil else { return nil }
      return entry.gr_gid
    }
  }
}
