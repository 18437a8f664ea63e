// Owns the list of connectors: the one place where a new one is named. Knows nothing of what they do.

import Base
import ConnectorAPI
import FilesConnector
import Settings
import TPCHConnector

/// The connectors that this program has, by the names of `connector.name`.
public enum ConnectorRegistry {
  /// Makes a catalog's connector from its properties.
  typealias Factory = @Sendable (CatalogProperties) throws -> any Connector

  /// By `connector.name`.
  private static let factories: [String: Factory] = [
    "files": { catalog in
      let properties = try known(FilesConnector.propertyNames, of: catalog)
      return try FilesConnector(catalog: catalog.name, properties: properties)
    },
    "tpch": { catalog in
      let properties = try known(TPCHConnector.propertyNames, of: catalog)
      return try TPCHConnector(catalog: catalog.name, properties: properties)
    },
  ]

  /// A catalog's properties; CONFIGURATION_INVALID for one that the connector does not have.
  private static func known(_ keys: [String], of catalog: CatalogProperties) throws -> [String: String] {
    try catalog.require(keys: keys)
    var properties: [String: String] = [:]
    for key in keys { properties[key] = catalog[key] }
    return properties
  }

  /// The connectors of all configured catalogs. CONFIGURATION_INVALID names the file of one that cannot be made.
  public static func catalogs(_ settings: Settings) throws -> Catalogs {
    var connectors: [String: any Connector] = [:]
    for catalog in settings.catalogs {
      guard let factory = factories[catalog.connectorName] else {
        throw WaterbearError(
          .configurationInvalid, "\(catalog.path): there is no connector '\(catalog.connectorName)'",
          remedy: "connectors are: \(factories.keys.sorted().joined(separator: ", "))")
      }
      do {
        connectors[catalog.name] = try factory(catalog)
      } catch {
        throw WaterbearError.wrapping(error).asCause(
          of: "\(catalog.path): \(WaterbearError.wrapping(error).message)", code: .configurationInvalid)
      }
    }
    return Catalogs(connectors)
  }
}
