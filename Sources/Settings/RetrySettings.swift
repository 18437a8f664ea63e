// Owns the settings of retries: what is repeated, how often, after what delay.
import Base

extension SettingKey where Value == RetryPolicy {
  public static var retryPolicy: Self {
    Self(
      "retry-policy", default: .fixed(.task), session: true,
      trino: .differs("NONE", because: "fault tolerance is the normal way to run here"),
      "What runs again after a failure: nothing, the whole query, or the task that failed.")
  }
}

extension SettingKey where Value == [RetryPolicy] {
  public static var allowedRetryPolicies: Self {
    Self(
      "retry-policy.allowed", default: .fixed(RetryPolicy.allCases),
      "The retry policies that sessions may choose; must contain retry-policy.")
  }
}

extension SettingKey where Value == Int {
  public static var queryRetryAttempts: Self {
    Self(
      "query-retry-attempts", default: .fixed(4), range: .atLeast(0), session: true,
      "How often a query may be retried after its first attempt under retry-policy=QUERY.")
  }

  public static var taskRetryAttemptsPerTask: Self {
    Self(
      "task-retry-attempts-per-task", default: .fixed(4), range: .within(0...126), session: true,
      "How often one task may be retried after its first attempt under retry-policy=TASK.")
  }
}

extension SettingKey where Value == TimeSpan {
  public static var retryInitialDelay: Self {
    Self(
      "retry-initial-delay", default: .fixed(.milliseconds(200)), session: true,
      trino: .differs("10s", because: "a process on this machine is back in milliseconds"),
      """
      Delay before a retry that has to wait. An internal error waits from a task's second on; one of something \
      outside, or a lack of room or descriptors, always; a lack of memory, or the death of a task's worker, never. \
      Each task waits by itself. What is repeated after a query's end, such as a commit, waits by the file's value.
      """)
  }

  public static var retryMaxDelay: Self {
    Self(
      "retry-max-delay", default: .fixed(.seconds(10)), session: true,
      trino: .differs("1m", because: "what recovers on one machine recovers within seconds"),
      "The longest delay before a retry.")
  }

  public static var maxSpoolWait: Self {
    Self(
      "waterbear.max-spool-wait", default: .fixed(.seconds(300)), range: .atLeast(.zero),
      trino: .absent(because: "in Trino a full or failing exchange storage uses up the attempts of tasks"),
      """
      How long a task waits in all while no directory of exchange.base-directories takes its output, because all are \
      full or gone. It goes on at once when one works again; after this time the query fails. From the fifth attempt \
      on that finds no place, the time that such attempts took counts, too.
      """)
  }

  public static var spoolCallTimeout: Self {
    Self(
      "waterbear.spool-call-timeout", default: .fixed(.seconds(20)), range: .atLeast(.seconds(1)),
      trino: .absent(because: "in Trino tasks hang with the exchange storage"),
      """
      How long one call on a directory of exchange.base-directories may take, such as a write of some hundred \
      kilobytes. After that the directory counts as hanging: it is set aside until it answers, and the task runs again.
      """)
  }

  public static var remoteTaskMaxErrorDuration: Self {
    Self(
      "query.remote-task.max-error-duration", default: .fixed(.seconds(10)), range: .atLeast(.seconds(1)),
      trino: .differs("1m", because: "no network lies between coordinator and workers"),
      """
      How long a worker may be silent before it is killed and its tasks run elsewhere. Workers give a sign of life \
      every second, or four within this time.
      """)
  }
}

extension SettingKey where Value == Double {
  public static var retryDelayScaleFactor: Self {
    Self(
      "retry-delay-scale-factor", default: .fixed(2), range: .atLeast(1), session: true,
      "What the delay is multiplied with after each further failure.")
  }
}
