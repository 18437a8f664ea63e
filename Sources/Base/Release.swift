// Owns the release's number.

/// The release that this source tree is.
public enum Release {
  /// Semantic version of this build.
  public static let version = "0.1.0"
}
