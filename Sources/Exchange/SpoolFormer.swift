// Owns the directories that are only read: base directories that hold outputs, and that are not configured any more.
// It must not know what is stored in them.

extension SpoolDirectories {
  /// `allPaths`, and then those that are only read. Each is known by its place in this list, which never changes.
  public var knownPaths: [String] { calls.directories }

  /// Whether a directory is one of `allPaths`, so that files may be made there.
  public func takesFiles(_ directory: String) -> Bool { paths.contains(directory) || directory == memoryPath }

  /// Has what lies in a directory read, though it is not configured: its calls are timed, and it may be silent and
  /// answer again, as any other. Nothing is made, marked or tried by writing there. Touches no disk; without effect
  /// where the directory is known, or can be none.
  public func keepReading(_ directory: String) {
    guard directory.hasPrefix("/"), directory != "/" else { return }
    calls.add(directory)
  }

  /// What there is to say of a directory that is only read.
  public static func whyOnlyRead(_ directory: String) -> String {
    "\(directory) is not configured any more: what lies there is read, and nothing is written"
  }
}
