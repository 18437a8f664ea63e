// Owns the settings of queries as a whole: limits, how long results are kept, how joins are distributed.
import Base

extension SettingKey where Value == Int {
  public static var queryMaxStageCount: Self {
    Self(
      "query.max-stage-count", default: .fixed(150), range: .atLeast(1), session: true,
      "The most stages a query may have; more fail with QUERY_HAS_TOO_MANY_STAGES.")
  }

  public static var queryMaxLength: Self {
    Self(
      "query.max-length", default: .fixed(1_000_000), range: .within(0...1_000_000_000),
      "The most characters of SQL text in one query.")
  }

  public static var queryMaxHistory: Self {
    Self(
      "query.max-history", default: .fixed(100), range: .atLeast(0),
      "How many finished queries stay in the history.")
  }
}

extension SettingKey where Value == TimeSpan {
  public static var queryMaxRunTime: Self {
    Self(
      "query.max-run-time", default: .fixed(.seconds(100 * 86_400)), session: true,
      "How long a query may take from its submission to its end, planning and waiting included.")
  }

  public static var queryMaxExecutionTime: Self {
    Self(
      "query.max-execution-time", default: .fixed(.seconds(100 * 86_400)),
      session: true,
      "How long a query may take from the start of its first task to its end.")
  }

  public static var queryMaxQueuedTime: Self {
    Self(
      "query.max-queued-time", default: .fixed(.seconds(100 * 86_400)),
      session: true,
      trino: .absent(because: "there a resource group queues queries; here they wait for a planner and for slots"),
      "How long a query may wait from its submission to the start of its first task.")
  }

  public static var queryClientTimeout: Self {
    Self(
      "query.client.timeout", default: .fixed(.seconds(300)), range: .atLeast(.seconds(1)),
      """
      How long a running query goes on while its client neither asks for rows nor waits. Queries that waterbearctl
      submit has started have no such client.
      """)
  }

  public static var queryMinExpireAge: Self {
    Self(
      "query.min-expire-age", default: .fixed(.seconds(900)),
      "How long the results of a finished query are kept for fetching again, and with them what the last stage has "
        + "read, so that a part that is lost is made again without starting over. All other intermediate data goes as "
        + "soon as it is not read any more, that of a write when it is committed.")
  }

  public static var queryMaxPlanningTime: Self {
    Self(
      "query.max-planning-time", default: .fixed(.seconds(600)), session: true,
      "How long the planning of a query may take, with looking at its tables' files.")
  }
}

extension SettingKey where Value == JoinDistributionType {
  public static var joinDistributionType: Self {
    Self(
      "join-distribution-type", default: .fixed(.automatic), session: true,
      "How the sides of a join meet: chosen by size, build side copied, or both sides split by hash.")
  }
}

extension SettingKey where Value == DataSize {
  public static var joinMaxBroadcastTableSize: Self {
    Self(
      "join-max-broadcast-table-size", default: .fixed(.megabytes(100)), session: true,
      "The largest build side that is copied to every task when the choice is automatic.")
  }
}
