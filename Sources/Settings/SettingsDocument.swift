// Owns the texts that are made from the settings table: `docs/settings.md` and the commented files in `etc/`.
// A test compares them with the files, so table and files cannot part.

/// Renderings of the settings table.
public enum SettingsDocument {
  /// The whole of `docs/settings.md`.
  public static var markdown: String {
    var text = """
      # Settings

      Made from the settings table in `Sources/Settings`; do not edit by hand.

      Settings are read from `config.properties` and `exchange-manager.properties` in the directory that
      `waterbeard serve --etc-dir` names. Names and types are Trino's, and so are ranges, except where an entry
      gives Trino's; some values beyond what is of use count as the most, or the least, that is, as the entry says.
      Durations go up to 104,000 days. The last section lists settings of Trino's that are not here. The files have
      the syntax of Java's properties: `key=value`, `#` for comments, `\\` at the end of a line to continue it.
      `${ENV:NAME}` in a value stands for the environment variable `NAME`. An unknown key, a malformed value or a key
      set twice stops the start with file, line and the nearest known key.

      Each file `catalog/NAME.properties` makes a catalog `NAME`. Its `connector.name` chooses the connector; the
      other keys are the connector's own.

      `etc/profiles/trino-defaults` is such a directory with Trino's default for every setting whose default differs.

      A setting with a session property can be changed for one query:
      `waterbearctl query --session retry_policy=NONE …`.

      Memory and cores, from which defaults follow, are the machine's, or less where the daemon's control group, one
      above it, or its affinity allow less.

      Data sizes have the units B, kB, MB, GB, TB and PB, where 1kB is 1024B. Durations have the units ns, us, ms, s,
      m, h and d.

      """
    for group in Setting.groups {
      text += "\n## \(group.title)\n"
      for setting in group.settings { text += "\n" + entry(setting) }
    }
    text += "\n## Settings of Trino's that are not here\n\nA file that sets one of them is refused with the reason.\n\n"
    text += "| settings | why |\n|---|---|\n"
    for absent in AbsentSetting.all {
      text += "| \(absent.names.map { "`\($0)`" }.joined(separator: ", ")) | \(absent.reason) |\n"
    }
    return text
  }

  private static func entry(_ setting: Setting) -> String {
    var text = "### `\(setting.name)`\n\n\(setting.meaning)\n\n"
    text += "- Type: \(setting.type)\(setting.range.map { ", \($0)" } ?? "")\n"
    text += "- Default: \(setting.hasFixedDefault ? "`\(setting.defaultText)`" : setting.defaultText)\n"
    if let range = setting.trinoRange { text += "- Trino's range: \(range)\n" }
    if let order = setting.order { text += "- Also: \(order); where only one of the two is set, the other gives way\n" }
    if let note = note(setting) { text += "- \(note)\n" }
    if let session = setting.sessionProperty { text += "- Session property: `\(session)`\n" }
    if setting.file != .config { text += "- File: `\(setting.file.rawValue)`\n" }
    return text
  }

  private static func note(_ setting: Setting) -> String? {
    switch setting.trinoDefault {
    case .same: nil
    case .differs(let value, let reason, _): "Trino: \(value). The difference: \(reason)."
    case .absent(let reason): "Not in Trino: \(reason)."
    }
  }

  /// The file as it ships: every setting commented out with its default.
  public static func properties(for file: SettingsFile) -> String {
    var text = """
      # Settings of Waterbear. Each line shows a default; remove the # to change it.
      # docs/settings.md says more, and `waterbearctl config` shows what is in effect.

      """
    for group in Setting.groups {
      let settings = group.settings.filter { $0.file == file }
      if settings.isEmpty { continue }
      text += "\n# --- \(group.title) ---\n"
      for setting in settings {
        text += "\n" + wrapped(setting.meaning)
        let values = [setting.range, setting.order].compactMap { $0 }.joined(separator: "; ")
        if !values.isEmpty { text += wrapped("Values: \(values).") }
        if setting.hasFixedDefault {
          text += "#\(setting.name)=\(setting.defaultText)\n"
        } else {
          text += "# Default: \(setting.defaultText).\n#\(setting.name)=\n"
        }
      }
    }
    return text
  }

  /// A file of the profile that sets Trino's default wherever ours differs, for measuring one beside the other.
  public static func trinoProfile(for file: SettingsFile) -> String {
    var text = """
      # Trino's default for every setting whose default differs here; docs/settings.md says why it does.
      # What depends on the machine, or has no counterpart, is a comment.

      """
    for group in Setting.groups {
      for setting in group.settings where setting.file == file {
        guard case .differs(let words, _, _) = setting.trinoDefault else { continue }
        if let value = setting.trinoValue {
          text += "\n\(setting.name)=\(value)\n"
        } else {
          text += "\n# \(setting.name): \(words)\n"
        }
      }
    }
    return text
  }

  /// Comment lines of at most 100 columns.
  private static func wrapped(_ sentence: String) -> String {
    var lines = ["#"]
    for word in sentence.split(whereSeparator: { $0 == " " || $0.isNewline }) {
      if lines[lines.count - 1].count + 1 + word.count > 100 { lines.append("#") }
      lines[lines.count - 1] += " \(word)"
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
