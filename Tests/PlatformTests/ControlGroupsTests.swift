// Tests what is read of control groups, in made-up trees of both versions below a directory that plays the root.
import Glibc
import TemporaryDirectories
import Testing

@testable import Platform

/// A root directory with these files.
private func root(_ files: [String: String]) -> TemporaryDirectory {
  let root = TemporaryDirectory()
  for (name, text) in files {
    var path = root.path
    for part in name.split(separator: "/").dropLast() {
      path += "/\(part)"
      mkdir(path, 0o755)
    }
    let file = fopen("\(root.path)/\(name)", "w")
    fputs(text + "\n", file)
    fclose(file)
  }
  return root
}

@Suite struct ControlGroupsTests {
  private static let own = "sys/fs/cgroup/system.slice/waterbear.service"

  /// What these files say: limit, available, cores, kills.
  private struct Figures: Equatable {
    var memoryLimit: Int64?
    var memoryAvailable: Int64?
    var coreLimit: Int?
    var memoryKills: Int64?
  }

  private func groups(_ files: [String: String]) -> Figures {
    let root = root(files)
    return withExtendedLifetime(root) {
      let groups = ControlGroups(root: root.path)
      return Figures(
        memoryLimit: groups.memoryLimit, memoryAvailable: groups.memoryAvailable, coreLimit: groups.coreLimit,
        memoryKills: groups.memoryKills)
    }
  }

  @Test func withoutAnyThereIsNoLimit() {
    #expect(groups([:]) == Figures())
  }

  @Test func theServicesOwnGroupLimitsIt() {
    let groups = groups([
      "proc/self/cgroup": "0::/system.slice/waterbear.service", "\(Self.own)/memory.max": "8589934592",
      "\(Self.own)/memory.current": "3000000000",
      "\(Self.own)/memory.stat": "anon 2500000000\ninactive_file 300000000\nactive_file 200000000",
      "\(Self.own)/cpu.max": "250000 100000", "\(Self.own)/memory.events": "oom 1\noom_kill 3",
    ])
    #expect(groups.memoryLimit == 8 << 30)
    #expect(groups.memoryAvailable == Int64(8 << 30) - 3_000_000_000 + 400_000_000)
    #expect(groups.coreLimit == 3)
    #expect(groups.memoryKills == 3)
  }

  /// The service itself has no limit, but the slice around it, and the one around that has a smaller one.
  @Test func aGroupAboveLimitsItToo() {
    let groups = groups([
      "proc/self/cgroup": "0::/a.slice/b.slice/waterbear.service",
      "sys/fs/cgroup/a.slice/memory.max": "2000000", "sys/fs/cgroup/a.slice/memory.current": "500000",
      "sys/fs/cgroup/a.slice/cpu.max": "max 100000",
      "sys/fs/cgroup/a.slice/b.slice/memory.max": "3000000", "sys/fs/cgroup/a.slice/b.slice/memory.current": "2900000",
      "sys/fs/cgroup/a.slice/b.slice/cpu.max": "400000 100000",
      "sys/fs/cgroup/a.slice/b.slice/waterbear.service/memory.max": "max",
      "sys/fs/cgroup/a.slice/b.slice/waterbear.service/memory.current": "1000",
      "sys/fs/cgroup/a.slice/b.slice/waterbear.service/cpu.max": "max 100000",
    ])
    #expect(groups.memoryLimit == 2_000_000)
    // The larger one has less left.
    #expect(groups.memoryAvailable == 100_000)
    #expect(groups.coreLimit == 4)
  }

  @Test func versionOneKeepsMemoryAndCoresApart() {
    let files = [
      "proc/self/cgroup": "12:memory:/system.slice/w.service\n4:cpu,cpuacct:/w\n1:name=systemd:/\n0::/",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
      "sys/fs/cgroup/memory/memory.usage_in_bytes": "5000",
      "sys/fs/cgroup/memory/system.slice/memory.limit_in_bytes": "1000000",
      "sys/fs/cgroup/memory/system.slice/memory.usage_in_bytes": "900000",
      "sys/fs/cgroup/memory/system.slice/memory.stat": "inactive_file 0\ntotal_inactive_file 50000",
      "sys/fs/cgroup/memory/system.slice/w.service/memory.limit_in_bytes": "9223372036854771712",
      "sys/fs/cgroup/memory/system.slice/w.service/memory.oom_control": "oom_kill_disable 0\noom_kill 2",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
      "sys/fs/cgroup/cpu,cpuacct/w/cpu.cfs_quota_us": "50000",
      "sys/fs/cgroup/cpu,cpuacct/w/cpu.cfs_period_us": "100000",
    ]
    let groups = groups(files)
    #expect(groups.memoryLimit == 1_000_000)
    #expect(groups.memoryAvailable == 150_000)
    #expect(groups.coreLimit == 1)
    #expect(groups.memoryKills == 2)
  }

  /// The path is one that only the host knows, or lies outside of what is mounted.
  @Test(arguments: ["0::/docker/abc", "0::/../../other", "0::/"])
  func aContainersOwnGroupIsWhatIsMounted(line: String) {
    let groups = groups([
      "proc/self/cgroup": line, "sys/fs/cgroup/memory.max": "1000000", "sys/fs/cgroup/cpu.max": "100000 100000",
    ])
    #expect(groups.memoryLimit == 1_000_000 && groups.coreLimit == 1)
  }

  @Test func whatTheKernelSaysOfTheMachineCountsWhereItIsLess() {
    let root = root([
      "proc/self/cgroup": "0::/w", "proc/meminfo": "MemTotal: 4000 kB\nMemAvailable:    1000 kB",
      "proc/vmstat": "oom_kill 9", "sys/fs/cgroup/w/memory.max": "5000000", "sys/fs/cgroup/w/memory.current": "0",
    ])
    #expect(KernelMemory.availableBytes(root: root.path) == 1_024_000)
    #expect(KernelMemory.kills(root: root.path) == 9)
    withExtendedLifetime(root) {}
  }
}
