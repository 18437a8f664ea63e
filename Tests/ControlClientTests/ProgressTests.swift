// Proves what progress looks like, and that it leaves no trace on the terminal.
import Base
import Testing
import Wire

@testable import ControlClient

struct ProgressTests {
  private func stage(_ number: Int, _ state: String = "RUNNING", total: Int = 20, running: Int = 4, finished: Int = 10)
    -> StageProgress
  {
    StageProgress(
      number: number, state: state, totalTasks: total, runningTasks: running, finishedTasks: finished, retries: 1,
      outputRows: 1_234_567, outputBytes: 3 << 20)
  }

  private func status(_ stages: [StageProgress], retried: Int = 0) -> QueryStatus {
    QueryStatus(
      query: FakeQuery.id, state: .running, error: nil, stages: stages, elapsedMicroseconds: 2_340_000,
      retriedAttempts: retried)
  }

  @Test func hasALineForEachStage() {
    let lines = ProgressText.lines(
      status([stage(10), stage(0, "PLANNED", total: 0, running: 0, finished: 0)], retried: 1),
      size: TerminalSize(columns: 120, rows: 24))
    #expect(
      lines == [
        "Query 20260131_235959_00001_abcde RUNNING  2.3s  1 retried",
        "  stage  0  PLANNED   [                    ]  0/0 tasks, 1 retried, 1.2M rows, 3MB",
        "  stage 10  RUNNING   [==========>>>>      ]  10/20 tasks, 4 running, 1 retried, 1.2M rows, 3MB",
      ])
  }

  @Test(arguments: [20, 40, 71, 72, 80, 200])
  func staysWithinTheTerminal(columns: Int) {
    let lines = ProgressText.lines(
      status((0..<50).map { stage($0, $0 < 40 ? "FINISHED" : "RUNNING") }),
      size: TerminalSize(columns: columns, rows: 10))
    #expect(lines.allSatisfy { $0.count < columns })
    #expect(lines.count < 10)
    #expect(lines.contains { $0.contains("stage 40") })
    #expect(!lines.contains { $0.contains("FINISHED") })
  }

  @Test func aTinyTerminalStillShowsTheQuery() {
    let lines = ProgressText.lines(status([stage(0), stage(1), stage(2)]), size: TerminalSize(columns: 10, rows: 2))
    #expect(lines.count >= 1)
    #expect(lines[0] == "Query 202")
  }

  @Test func isDrawnInPlaceAndTakenAway() {
    let file = TemporaryFile()
    let console = Console(
      input: 0, output: 1, error: file.descriptor, errorIsTerminal: true,
      size: { TerminalSize(columns: 80, rows: 24) })
    let display = ProgressDisplay(console, delay: .zero, interval: .zero)
    var terminal = VirtualTerminal(columns: 80)
    terminal.write("$ waterbearctl query\n")
    var seen = ""
    func screen() -> [String] {
      let all = file.contents()
      terminal.write(String(all.dropFirst(seen.count)))
      seen = all
      return terminal.screen
    }
    display.show(status([stage(0), stage(1)]))
    #expect(screen().count == 4)
    display.show(status([stage(0, finished: 20)]))
    let second = screen()
    #expect(second.count == 3)
    #expect(second[2].hasPrefix("  stage 0  RUNNING   [====================]  20/20 tasks"))
    display.clear()
    #expect(screen() == ["$ waterbearctl query"])
    console.tell("the daemon is away\n")
    display.show(status([stage(0)]))
    #expect(screen().prefix(2) == ["$ waterbearctl query", "the daemon is away"])
    display.end()
    display.show(status([stage(0)]))
    #expect(screen() == ["$ waterbearctl query", "the daemon is away"])
  }

  @Test func isNotDrawnForPipesDumbTerminalsAndShortQueries() {
    let file = TemporaryFile()
    let pipe = Console(input: 0, output: 1, error: file.descriptor)
    let dumb = Console(input: 0, output: 1, error: file.descriptor, errorIsTerminal: true, movesCursor: false)
    let terminal = Console(input: 0, output: 1, error: file.descriptor, errorIsTerminal: true)
    ProgressDisplay(pipe, delay: .zero).show(status([stage(0)]))
    ProgressDisplay(dumb, delay: .zero).show(status([stage(0)]))
    ProgressDisplay(terminal, delay: .seconds(100)).show(status([stage(0)]))
    #expect(file.contents() == "")
  }

  @Test(arguments: [
    (0, "0.0s"), (999_999, "0.9s"), (59_900_000, "59.9s"), (61_000_000, "1:01"), (3_661_000_000, "1:01:01"),
  ])
  func writesElapsedTime(microseconds: Int, text: String) {
    #expect(ProgressText.elapsed(Int64(microseconds)) == text)
  }

  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1K"), (1250, "1.3K"), (12_345, "12K"), (999_499, "999K"), (999_999, "1M"),
    (6_001_215, "6M"), (2_500_000_000, "2.5B"),
  ])
  func writesCounts(number: Int, text: String) { #expect(ProgressText.count(Int64(number)) == text) }
}
