// Owns the values of nation and region, which have the same few rows at every scale.

import Columnar

final class NationGenerator: KeyedGenerator {
  private enum Column: Int { case key, name, regionKey, comment }

  private static let names = WordList(Words.nations, length: 25)
  private static let comment = CommentColumn(origin: 606_179_079, averageLength: 72)
  private let scratch: Scratch

  init(rows: Int) { scratch = Scratch(lanes: 2, capacity: rows) }

  func vector(_ column: Int, first: Int64, count: Int) -> Vector {
    let start = Int(first)
    switch Column(rawValue: column)! {
    case .key: return .identifiers(count: count) { first &+ Int64($0) }
    case .name: return .picks(of: Self.names, count: count) { Int32(truncatingIfNeeded: start &+ $0) }
    case .regionKey: return .identifiers(count: count) { Words.regionOfNation[start + $0] }
    case .comment:
      return Self.comment.vector(
        of: .varchar(length: 152), row: first, count: count, pool: .shared, scratch: scratch)
    }
  }
}

final class RegionGenerator: KeyedGenerator {
  private enum Column: Int { case key, name, comment }

  private static let names = WordList(Words.regions, length: 25)
  private static let comment = CommentColumn(origin: 1_500_869_201, averageLength: 72)
  private let scratch: Scratch

  init(rows: Int) { scratch = Scratch(lanes: 2, capacity: rows) }

  func vector(_ column: Int, first: Int64, count: Int) -> Vector {
    let start = Int(first)
    switch Column(rawValue: column)! {
    case .key: return .identifiers(count: count) { first &+ Int64($0) }
    case .name: return .picks(of: Self.names, count: count) { Int32(truncatingIfNeeded: start &+ $0) }
    case .comment:
      return Self.comment.vector(
        of: .varchar(length: 152), row: first, count: count, pool: .shared, scratch: scratch)
    }
  }
}
