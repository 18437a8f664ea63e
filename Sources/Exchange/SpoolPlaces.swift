// Owns the question whether base directories lie apart from each other and from what is not the spool's, whatever their
// paths say. It must not know what is stored in any of them.
import Base
import Synchronization

/// A directory that holds something other than the spool.
public struct SpoolNeighbour: Sendable {
  /// How near a base directory may be.
  public enum Distance: Sendable {
    /// It may lie in this one, or around it, but not be it.
    case different
    /// Nor may one of the two lie in the other.
    case apart
  }

  /// Absolute.
  public var path: String
  /// What it is, such as `the data directory`.
  public var name: String
  public var distance: Distance

  public init(path: String, name: String, distance: Distance) {
    self.path = path
    self.name = name
    self.distance = distance
  }
}

/// A file or directory, whatever it is called: `st_dev` and `st_ino`.
public struct FileIdentity: Hashable, Sendable {
  public var device: UInt64
  public var file: UInt64

  public init(device: UInt64, file: UInt64) {
    self.device = device
    self.file = file
  }
}

/// Where directories lie, as far as they have answered.
///
/// The same directory may be named by symbolic links, `..` or a bind mount, so directories are compared by what they
/// are: each with all those above it.
struct SpoolPlaces {
  /// A directory and those above it.
  struct Place {
    /// Nil where it is still to be made.
    var own: FileIdentity?
    var above: [FileIdentity]

    func isSame(_ other: Place) -> Bool { own != nil && own == other.own }
    func isIn(_ other: Place) -> Bool { other.own.map { above.contains($0) } ?? false }
  }

  /// In this order, whoever comes first.
  private let paths: [String]
  private var places: [String: Place] = [:]
  private var neighbours: [(neighbour: SpoolNeighbour, place: Place?)] = []
  /// Why base directories are not used at all.
  private var refusals: [String: WaterbearError] = [:]

  init(paths: [String]) { self.paths = paths }

  func knows(_ path: String) -> Bool { places[path]?.own != nil && refusals[path] == nil }

  /// `place` is nil where it is not known.
  mutating func add(_ neighbour: SpoolNeighbour, at place: Place?) { neighbours.append((neighbour, place)) }

  /// Notes where a base directory lies. CONFIGURATION_INVALID where that is too near to something else.
  mutating func note(_ path: String, at place: Place) throws(WaterbearError) {
    if let refusal = refusals[path] { throw refusal }
    try checkNeighbours(path, place)
    if let conflict = conflict(of: path, place) { throw conflict.refusal }
    places[path] = place
  }

  /// The same at a start, at which neither of two that do not lie apart is used: that is said when they are to be.
  mutating func noteFirst(_ path: String, at place: Place) {
    if let conflict = conflict(of: path, place) {
      refusals[path] = conflict.refusal
      refusals[conflict.other] = conflict.refusal
    }
    do throws(WaterbearError) {
      try note(path, at: place)
    } catch {
      refusals[path] = error
    }
  }

  private func checkNeighbours(_ path: String, _ place: Place) throws(WaterbearError) {
    if place.own != nil, place.above.isEmpty {
      throw Self.refusal("\(path) is the root directory", "Give the spool a directory of its own.")
    }
    for (neighbour, other) in neighbours { try Self.check(path, place, neighbour, other) }
  }

  private func conflict(of path: String, _ place: Place) -> (other: String, refusal: WaterbearError)? {
    for other in paths where other != path {
      guard let otherPlace = places[other] else { continue }
      if place.isSame(otherPlace) {
        return (
          other,
          Self.refusal("\(path) and \(other) are the same directory, by a link, a mount or ..", "Name it once."))
      }
      guard place.isIn(otherPlace) || otherPlace.isIn(place) else { continue }
      let (inner, outer) = place.isIn(otherPlace) ? (path, other) : (other, path)
      return (
        other,
        Self.refusal(
          "\(inner) lies in \(outer), which is a base directory, too",
          "Name only one, or two that lie beside each other."))
    }
    return nil
  }

  private static func check(
    _ path: String, _ place: Place, _ neighbour: SpoolNeighbour, _ other: Place?
  ) throws(WaterbearError) {
    let own = "Give the spool a directory of its own."
    if path == neighbour.path || other.map({ place.isSame($0) }) ?? false {
      throw refusal("\(path) is \(neighbour.name) itself", own)
    }
    guard neighbour.distance == .apart else { return }
    if contains(neighbour.path, path) || other.map({ place.isIn($0) }) ?? false {
      throw refusal("\(path) lies in \(neighbour.path), which is \(neighbour.name)", own)
    }
    if contains(path, neighbour.path) || other.map({ $0.isIn(place) }) ?? false {
      throw refusal("\(path) contains \(neighbour.path), which is \(neighbour.name)", own)
    }
  }

  private static func refusal(_ message: String, _ remedy: String) -> WaterbearError {
    WaterbearError(.configurationInvalid, message, remedy: remedy)
  }

  /// Whether a path lies below a directory, or is it, by their names.
  static func contains(_ directory: String, _ path: String) -> Bool {
    let (directory, path) = (directory.utf8, path.utf8)
    guard path.starts(with: directory) else { return false }
    let rest = path.dropFirst(directory.count)
    return rest.isEmpty || rest.first == UInt8(ascii: "/") || directory.last == UInt8(ascii: "/")
  }
}

extension SpoolDirectories {
  /// Finds out where the neighbours and the base directories lie, each on a thread of its own, and compares those that
  /// have answered `within` that time; of neighbours that have not only the names are known. Whether each of the base
  /// directories has answered.
  func locate(_ neighbours: [SpoolNeighbour], within patience: TimeSpan) -> [Bool] {
    let others = neighbours.map(\.path)
    let gathered = GatheredAnswers<SpoolPlaces.Place?>(count: allPaths.count + others.count)
    for (position, path) in (allPaths + others).enumerated() {
      let isBase = position < allPaths.count
      let isUnderWay = run(isBase ? .trial : .search, in: path) { [self] in
        // Why a directory cannot be found is said when it is prepared; a neighbour is compared by its name then.
        gathered.put(position, try? isBase ? place(of: path) : existingPlace(of: path))
      }
      if !isUnderWay { gathered.put(position, nil) }
    }
    let answers = gathered.wait(patience)
    places.withLock { places in
      for (neighbour, place) in zip(neighbours, answers[allPaths.count...]) { places.add(neighbour, at: place ?? nil) }
      for case (let path, let place??) in zip(allPaths, answers) { places.noteFirst(path, at: place) }
    }
    return answers.prefix(allPaths.count).map { $0 != nil }
  }

  /// Of a directory that need not exist: that of the nearest one above it that does.
  private func existingPlace(of path: String) throws(FileSystemFailure) -> SpoolPlaces.Place {
    var place = try place(of: path)
    var path = path
    while place.own == nil, place.above.isEmpty, path != "/" {
      path = Self.parent(of: path)
      place.above = try self.place(of: path).all
    }
    return place
  }

  /// CONFIGURATION_INVALID where a base directory is, by whatever name, another one, or too near to what is not the
  /// spool's. Asks the disk until that is known, then never again.
  func checkPlace(_ path: String) throws {
    guard !places.withLock({ $0.knows(path) }) else { return }
    let place = try place(of: path)
    try places.withLock { try $0.note(path, at: place) }
  }

  /// Where a directory lies, or would: below its parent, if it is still to be made.
  private func place(of path: String) throws(FileSystemFailure) -> SpoolPlaces.Place {
    do {
      let lineage = try trialFileSystem.lineage(of: path)
      return SpoolPlaces.Place(own: lineage.first, above: Array(lineage.dropFirst()))
    } catch where error.number == FileSystemFailure.missing {
      do {
        return SpoolPlaces.Place(own: nil, above: try trialFileSystem.lineage(of: Self.parent(of: path)))
      } catch where error.number == FileSystemFailure.missing {
        return SpoolPlaces.Place(own: nil, above: [])
      }
    }
  }
}

extension SpoolPlaces.Place {
  fileprivate var all: [FileIdentity] { (own.map { [$0] } ?? []) + above }
}
