// Owns the list of connectors: the one place where a new one is named. Knows nothing of what they do.

import Base
import ConnectorAPI
import Settings
import TPCHConnector

/// The connectors that this program has, by the names of `connector.name`.
public enum ConnectorRegistry {
  /// Makes a catalog's connector from its properties.
  typealias Factory = @Sendable (CatalogProperties) throws -> any Connector

  /// By `connector.name`.
  private static let factories: [String: Factory] = [
    "tpch": { catalog in
      let keys = TPCHConnector.propertyNames
      try catalog.require(keys: keys)
      var properties: [String: String] = [:]
      for key in keys { properties[key] = catalog[key] }
      return try TPCHConnector(catalog: catalog.name, properties: properties)
    }
  ]

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
