// Owns the set of catalogs that a process serves.

import Base

/// Connectors by catalog name.
public struct Catalogs: Sendable {
  private let connectors: [String: any Connector]

  public init(_ connectors: [String: any Connector]) { self.connectors = connectors }

  /// Catalog names in order.
  public var names: [String] { connectors.keys.sorted() }

  /// The directories that hold nothing but tables, with the names of their catalogs, in order.
  public var ownDirectories: [(catalog: String, path: String)] {
    names.flatMap { name in (connectors[name]?.ownDirectories ?? []).map { (name, $0) } }
  }

  /// Frees what connectors can make again.
  public func releaseMemory() { for connector in connectors.values { connector.releaseMemory() } }

  /// The connector of `catalog`; CATALOG_NOT_FOUND where there is none.
  public func connector(_ catalog: String) throws -> any Connector {
    guard let connector = connectors[catalog] else {
      throw WaterbearError(
        .catalogNotFound, "Catalog '\(catalog)' not found",
        remedy: "configured catalogs are \(names.joined(separator: ", ")); each is a file "
          + "catalog/NAME.properties in the directory that the daemon was given with --etc-dir")
    }
    return connector
  }
}
