// Owns what a `catalog/NAME.properties` file says. The keys besides `connector.name` mean something to the
// connector alone, which checks them with `require`.
import Base

/// A catalog: its name, its connector, and the connector's own properties as they were written.
public struct CatalogProperties: Sendable {
  public let name: String
  public let connectorName: String
  /// Path of the file, for messages.
  public let path: String
  /// Everything except `connector.name`, in file order.
  public let properties: [Property]

  /// The value of a connector's own key.
  public subscript(key: String) -> String? { properties.first { $0.key == key }?.value }

  init(name: String, file: PropertiesFile) throws(SettingProblem) {
    // Trino keeps catalog names in lower case; a name with other characters could not be written without quotes.
    let isPlain = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
    guard !name.isEmpty, isPlain else {
      throw SettingProblem("\(file.path): a catalog's name may have lower case letters, digits and _ only")
    }
    guard let connector = file.properties.first(where: { $0.key == "connector.name" }) else {
      throw SettingProblem("\(file.path): connector.name is missing")
    }
    self.name = name
    connectorName = connector.value
    path = file.path
    properties = file.properties.filter { $0.key != "connector.name" }
  }

  /// Throws CONFIGURATION_INVALID with the nearest known key where a key is none of `known`.
  public func require(keys known: [String]) throws {
    for property in properties where !known.contains(property.key) {
      throw WaterbearError(
        .configurationInvalid,
        "\(path):\(property.line): \(property.key) is not a property of the connector \(connectorName)"
          + EditDistance.hint(for: property.key, among: known),
        remedy: "Correct the file and start again.")
    }
  }
}
