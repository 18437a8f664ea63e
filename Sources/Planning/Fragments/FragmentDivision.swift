// Owns which rows of a fragment's tasks may be divided by hash, so that tasks that read a share each give together what
// one would. Knows no hash and no tasks.

extension PlanFragment {
  /// Whether tasks may be divided by this input. By a partitioned one: all rows that must meet have the same hash of
  /// its keys, as otherwise partitions would not do. By a broadcast one: see `divisibleJoin`.
  public func isDivisible(by input: FragmentInput) -> Bool {
    switch input.mode {
    case .partitioned: input.keys != nil
    case .broadcast: divisibleJoin(building: input.fragment) != nil
    case .gathered: false
    }
  }

  /// The join whose table is made of a broadcast fragment and whose two sides may be divided by the hash of its keys,
  /// by its place among the nodes in pre-order; nil where there is none, or rows would be lost or doubled.
  ///
  /// All of a left row's partners have its hash, and a left row is in one share only. So it is with the rows further
  /// up, as long as nothing there puts rows of the task together that must not be apart.
  public func divisibleJoin(building fragment: Int) -> Int? {
    guard kind != .single, isDeterministic, root.remoteSources(of: fragment) == 1 else { return nil }
    return root.divisibleJoin(building: fragment, place: 0)
  }
}

extension JoinNode {
  /// Whether shares of both sides have all that a row needs. With NOT IN under a condition, a row with a NULL key needs
  /// to meet all rows.
  fileprivate var isDivisible: Bool {
    !criteria.isEmpty && (kind != .nullAwareAnti || filter == nil) && !left.makesIDs && !right.makesIDs
  }
}

extension SemiJoinNode {
  fileprivate var isDivisible: Bool {
    !criteria.isEmpty && (!isNullAware || filter == nil) && !source.makesIDs && !filteringSource.makesIDs
  }
}

extension PlanNode {
  /// Whether numbers are made here that differ from task to task: rows that stem from one row of a table, and are in
  /// several shares, would get different ones.
  fileprivate var makesIDs: Bool {
    if case .uniqueID = self { return true }
    return sources.contains(where: \.makesIDs)
  }

  fileprivate func remoteSources(of fragment: Int) -> Int {
    if case .remoteSource(let source) = self { return source.fragments.contains(fragment) ? 1 : 0 }
    return sources.reduce(0) { $0 + $1.remoteSources(of: fragment) }
  }

  fileprivate func divisibleJoin(building fragment: Int, place: Int) -> Int? {
    switch self {
    case .join(let join):
      guard ![.right, .full].contains(join.kind) else { return nil }
      if join.right.remoteSources(of: fragment) > 0 { return join.isDivisible ? place : nil }
    case .semiJoin(let join):
      if join.filteringSource.remoteSources(of: fragment) > 0 { return join.isDivisible ? place : nil }
    case .aggregate(let aggregate):
      guard aggregate.step == .partial else { return nil }
    case .limit(let limit):
      // One with an offset is the last one.
      guard limit.offset == 0 else { return nil }
    case .filter, .project, .topN, .sort, .uniqueID, .tableWriter, .output: break
    case .tableScan, .values, .union, .enforceSingleRow, .rowNumber, .exchange, .remoteSource, .tableFinish: return nil
    }
    // Of a join that is the left side, which streams.
    return sources.first?.divisibleJoin(building: fragment, place: place + 1)
  }
}
