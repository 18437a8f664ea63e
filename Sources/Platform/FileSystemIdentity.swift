// Owns telling one mounted file system from another, over restarts of the machine too.
import CPlatform

/// What a file system is known by.
public enum FileSystemIdentity {
  /// A number for the file system that `path` lies on. File systems of one kind that have no number of their own, such
  /// as NFS and FUSE mounts, have the same. Nil with `errno` set where it cannot be asked. Asks the file system.
  public static func number(of path: String) -> UInt64? {
    var identity: UInt64 = 0
    return wb_file_system_identity(path, &identity) == 0 ? identity : nil
  }
}
