// Owns the release's number.

public enum Release {
  /// Semantic version of this build.
  public static let version = "0.1.0"
}
