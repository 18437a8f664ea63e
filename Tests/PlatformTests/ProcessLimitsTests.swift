// Tests of exit codes and of the protection of new files.
import Glibc
import Platform
import Testing

@Suite struct ProcessLimitsTests {
  @Test func exitCodesAreWhatTheServiceUnitAndTheHelpSay() {
    #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 78, 130])
  }

  @Test func newFilesAreClosedToOthers() throws {
    let before = umask(0)
    defer { umask(before) }
    ProcessLimits.protectNewFiles()
    #expect(umask(0) == 0o027)
  }
}
