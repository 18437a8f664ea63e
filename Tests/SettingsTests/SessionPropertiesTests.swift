// Tests of session properties: what a session sees, and how a wrong one is refused.
import Base
import Testing

@testable import Settings

@Suite struct SessionPropertiesTests {
  let settings = Settings(environment: machine)

  @Test func aSessionSeesItsOwnValues() throws {
    let session = try SessionProperties(
      settings, given: ["retry_policy": "none", "retry_max_delay": " 3s ", "join_max_broadcast_table_size": "1GB"])
    #expect(session[.retryPolicy] == .none)
    #expect(session[.retryMaxDelay] == .seconds(3))
    #expect(session[.joinMaxBroadcastTableSize] == .gigabytes(1))
    #expect(session[.queryRetryAttempts] == 4)
    #expect(session[.workers] == settings[.workers])
  }

  @Test func resetBringsTheInstallationsValueBack() throws {
    var session = try SessionProperties(settings, given: ["query_retry_attempts": "9"])
    try session.reset("query_retry_attempts")
    #expect(session[.queryRetryAttempts] == 4)
    #expect(throws: WaterbearError.self) { try session.reset("nothing") }
  }

  @Test(arguments: [
    ("retry_polcy", "TASK", "Session property 'retry_polcy' does not exist; did you mean retry_policy?"),
    ("log_level", "INFO", "Session property 'log_level' does not exist"),
    ("query_retry_attempts", "-1", "query_retry_attempts is '-1', but must be at least 0"),
    ("retry_policy", "", "retry_policy is '', but must be NONE | QUERY | TASK"),
  ])
  func wrongPropertiesAreRefused(name: String, value: String, message: String) {
    let error = SessionProperties.validate(name, value, in: settings)
    #expect(error?.code == .invalidSessionProperty)
    #expect(error?.message == message)
    #expect(throws: WaterbearError.self) { try SessionProperties(settings, given: [name: value]) }
  }

  @Test func whatASessionDoesNotSetGivesWay() throws {
    let session = try SessionProperties(settings, given: ["retry_initial_delay": "30s"])
    #expect(session[.retryInitialDelay] == .seconds(30) && session[.retryMaxDelay] == .seconds(30))
    #expect(session.rows.first { $0.name == "retry_max_delay" }?.value == "30s")
    let fewer = try SessionProperties(settings, given: ["fault_tolerant_execution_max_partition_count": "2"])
    #expect(fewer[.minPartitionCount] == 2)
    // Whichever comes first by name.
    let both = try SessionProperties(settings, given: ["retry_initial_delay": "30s", "retry_max_delay": "40s"])
    #expect(both[.retryMaxDelay] == .seconds(40))
  }

  @Test func twoThatAreSetAgainstTheirOrderAreRefused() throws {
    let error = #expect(throws: WaterbearError.self) {
      try SessionProperties(settings, given: ["retry_initial_delay": "30s", "retry_max_delay": "20s"])
    }
    #expect(error?.code == .invalidSessionProperty)
    #expect(error?.message == "retry_max_delay is '20s', which must not be less than retry_initial_delay, '30s'")
  }

  /// As in a profile that sets all: a session's one value must do.
  @Test func whatTheInstallationSetsGivesWayToASession() throws {
    let set = try load(["config.properties": "retry-initial-delay=10s\nretry-max-delay=1m"])
    let short = try SessionProperties(set, given: ["retry_max_delay": "5s"])
    #expect(short[.retryInitialDelay] == .seconds(5) && short[.retryMaxDelay] == .seconds(5))
    let long = try SessionProperties(set, given: ["retry_initial_delay": "2m"])
    #expect(long[.retryMaxDelay] == .seconds(120))
    #expect(try SessionProperties(set, given: ["retry_initial_delay": "9s"])[.retryMaxDelay] == .seconds(60))
  }

  @Test func aPropertyOfTrinosThatIsNotHereIsRefusedWithItsReason() {
    let error = SessionProperties.validate("query_max_total_memory", "1GB", in: settings)
    #expect(error?.code == .invalidSessionProperty)
    #expect(error?.message == "Session property 'query_max_total_memory' does not exist: it is Trino's, and not here")
    #expect(error?.remedy?.contains("query.max-memory") == true)
  }

  @Test func aGoodPropertyIsNoError() {
    #expect(SessionProperties.validate("retry_policy", "QUERY", in: settings) == nil)
  }

  @Test func onlyAllowedRetryPoliciesMayBeChosen() throws {
    let narrow = try load(["config.properties": "retry-policy.allowed=TASK,NONE"])
    let error = SessionProperties.validate("retry_policy", "QUERY", in: narrow)
    #expect(error?.message == "retry_policy may only be one of TASK,NONE in this installation")
  }

  @Test func rowsShowValueAndDefault() throws {
    let session = try SessionProperties(settings, given: ["query_retry_attempts": "9"])
    let row = try #require(session.rows.first { $0.name == "query_retry_attempts" })
    #expect((row.value, row.standard, row.type) == ("9", "4", "integer"))
    #expect(session.rows.map(\.name) == session.rows.map(\.name).sorted())
  }
}
