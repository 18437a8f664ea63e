// Owns the settings of the supervisor: how patient it is with the daemon's processes.
import Base

extension SettingKey where Value == TimeSpan {
  public static var drainTimeout: Self {
    Self(
      "waterbear.drain-timeout", default: .fixed(.seconds(30)), range: .within(.zero ... .seconds(3600)),
      trino: .absent(because: "Trino's shutdown.grace-period waits for other servers to take notice"),
      "How long running tasks may take to finish when the daemon stops. What is cut off goes on at the next start.")
  }

  public static var hangTimeout: Self {
    Self(
      "waterbear.hang-timeout", default: .fixed(.seconds(10)), range: .within(.seconds(1) ... .seconds(3600)),
      trino: .absent(because: "in Trino an operator notices a server that hangs"),
      """
      How long a process may give no sign of life before it is killed and started again, or ended where it stops. \
      Processes give one every second, or four within this time.
      """)
  }

  public static var startTimeout: Self {
    Self(
      "waterbear.start-timeout", default: .fixed(.seconds(300)), range: .within(.seconds(1) ... .seconds(3600)),
      trino: .absent(because: "in Trino an operator notices a server that does not start"),
      """
      How long a process that starts may give no sign of life before it is killed and started again. The coordinator \
      gives one for each query that it takes up.
      """)
  }
}
