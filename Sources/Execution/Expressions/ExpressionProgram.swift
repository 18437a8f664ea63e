// Owns the public face of compiled expressions: one value per row of a batch.

import Base
import Columnar
import Planning

/// An expression compiled for batches of one layout. Compile once per task; it holds scratch memory, so one thread
/// uses it.
public final class ExpressionProgram {
  private let root: ExpressionNode
  private let sharedSlots: Int

  /// Compiles `expression`; a symbol's position in `layout` is its column's index in the batches. `seed` decides what
  /// `random()` gives. Throws where a symbol is missing or the types fit no kernel.
  public init(_ expression: Expression, layout: [Symbol], seed: UInt64 = 0) throws {
    let compiler = ExpressionCompiler(layout: layout, seed: seed)
    root = try compiler.compile([expression])[0]
    sharedSlots = compiler.sharedSlots
  }

  /// The type of the values.
  public var type: DataType { root.type }

  /// The value for each row: `batch.count` rows in any encoding. Throws the SQL error of the first row found to fail.
  public func evaluate(_ batch: Batch) throws -> Vector {
    try root.evaluate(Rows(batch, sharedSlots: sharedSlots))
  }
}

/// Several expressions compiled together: what they have in common is computed once, and each call of `random()` among
/// them gives numbers of its own. Otherwise as `ExpressionProgram`.
public final class ProjectionProgram {
  private let roots: [ExpressionNode]
  private let sharedSlots: Int

  public init(_ expressions: [Expression], layout: [Symbol], seed: UInt64 = 0) throws {
    let compiler = ExpressionCompiler(layout: layout, seed: seed)
    roots = try compiler.compile(expressions)
    sharedSlots = compiler.sharedSlots
  }

  /// One vector for each expression, in order, each of `batch.count` rows.
  public func evaluate(_ batch: Batch) throws -> [Vector] {
    let rows = Rows(batch, sharedSlots: sharedSlots)
    return try roots.map { try $0.evaluate(rows) }
  }
}
