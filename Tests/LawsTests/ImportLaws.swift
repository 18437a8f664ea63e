// Owns the laws about what may import what, and their reasons.

/// Laws about modules.
enum ImportLaws {
  /// Modules of the system and the toolchain, which the manifest does not name.
  static let system: Set = ["Glibc", "Synchronization", "Dispatch", "Foundation", "Testing"]

  /// Modules that a target must not import, and why.
  struct Prohibition {
    let targets: Set<String>
    let modules: Set<String>
    let reason: String
  }

  static let prohibitions = [
    Prohibition(
      targets: ["Scheduling", "Planning", "SQLSyntax", "Columnar", "Execution", "Base", "Wire", "ConnectorAPI"],
      modules: ["Foundation", "Dispatch"],
      reason: "cores and data work without Foundation, whose types are slow and whose loading costs every process"),
    Prohibition(
      targets: ["Scheduling", "Planning", "SQLSyntax", "Base", "Wire", "ConnectorAPI"],
      modules: ["Glibc"],
      reason: "pure cores make no system calls: no I/O, no clock, no randomness"),
    Prohibition(
      targets: ["Scheduling", "Planning", "SQLSyntax", "Columnar", "Base", "Wire", "ConnectorAPI"],
      modules: ["Synchronization"],
      reason: "pure cores are values without locks; whoever shares one locks it"),
  ]

  /// What must not be linked, directly or through others, and why.
  static let unlinked = [
    Prohibition(
      targets: ["SupervisorProcess"],
      modules: [
        "SQLSyntax", "Planning", "Execution", "Scheduling", "TaskStore", "Exchange", "ConnectorRegistry", "Transport",
        "GRDB", "NIOCore", "NIOPosix",
      ],
      reason: "the supervisor outlives everything, so it links no engine, store, scheduler or event loop"),
    Prohibition(
      targets: ["waterbearctl", "ControlClient"],
      modules: [
        "SQLSyntax", "Planning", "Execution", "Scheduling", "TaskStore", "Exchange", "ConnectorRegistry", "Transport",
        "Sealing", "GRDB", "NIOCore", "NIOPosix",
      ],
      reason: "the control program talks to the daemon over the socket and starts in milliseconds"),
    Prohibition(
      targets: ["Scheduling"],
      modules: ["Columnar", "Platform", "Sealing"],
      reason: "the scheduler imports Base only, so that a simulator can run it"),
  ]

  /// Words that a pure core must not use, and why.
  static let impureWords = [
    "async", "await", "Task", "actor", "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", "random",
    "randomElement", "shuffled", "shuffle", "clock_gettime", "DispatchQueue", "Thread", "print", "readLine",
  ]

  /// A file imports what its target declares, and nothing that is prohibited.
  static func violations(in file: SourceFile, of manifest: Manifest) -> [Violation] {
    guard let target = manifest.target(ofFile: file.path) else {
      return file.path == "Package.swift" ? [] : [file.violation(0, "belongs to no target of Package.swift")]
    }
    var allowed = system.union(target.dependencies).union(target.outside)
    allowed.insert(target.name)
    // Tests name what the code under test takes and gives, wherever that comes from.
    if file.path.hasPrefix("Tests/") { allowed.formUnion(manifest.closure(of: target.name)) }
    return file.imports.flatMap { module, line -> [Violation] in
      if !allowed.contains(module) {
        return [file.violation(line, "imports \(module), which Package.swift does not give to \(target.name)")]
      }
      return prohibitions.filter { $0.targets.contains(target.name) && $0.modules.contains(module) }
        .map { file.violation(line, "\(target.name) must not import \(module): \($0.reason)") }
    }
  }

  /// The manifest declares targets from the bottom up, names what exists, and links nothing that is prohibited.
  static func violations(in manifest: Manifest) -> [Violation] {
    var found: [Violation] = []
    var declared: Set<String> = []
    func report(_ target: Manifest.Target, _ message: String) {
      found.append(Violation(path: "Package.swift", line: target.line, message: message))
    }
    for target in manifest.targets {
      for dependency in target.dependencies where !declared.contains(dependency) {
        report(target, "\(target.name) depends on \(dependency), which is not declared above it: imports point down")
      }
      declared.insert(target.name)
      let isTest = target.path.hasPrefix("Tests/")
      for dependency in target.dependencies
      where !isTest && manifest[dependency]?.path.hasPrefix("Tests/") == true {
        report(target, "\(target.name) is product and depends on \(dependency), which is test")
      }
      let closure = manifest.closure(of: target.name)
      for prohibition in unlinked where prohibition.targets.contains(target.name) {
        for module in closure.intersection(prohibition.modules).sorted() {
          report(target, "\(target.name) must not link \(module): \(prohibition.reason)")
        }
      }
    }
    return found
  }

  /// What a target declares is imported somewhere in it, so that Package.swift shows the true picture.
  static func unusedDependencies(in manifest: Manifest, files: [SourceFile]) -> [Violation] {
    var imported: [String: Set<String>] = [:]
    for file in files {
      guard let target = manifest.target(ofFile: file.path) else { continue }
      imported[target.name, default: []].formUnion(file.imports.map(\.module))
    }
    return manifest.targets.flatMap { target -> [Violation] in
      guard target.kind != "systemLibrary", let used = imported[target.name] else { return [] }
      return (target.dependencies + target.outside)
        // A test depends on a program in order to have it built.
        .filter { !used.contains($0) && manifest[$0]?.kind != "executableTarget" }
        .map {
          Violation(
            path: "Package.swift", line: target.line, message: "\(target.name) declares \($0) and never imports it")
        }
    }
  }

  /// The scheduler has no clock, no chance and no concurrency of its own.
  static func impurities(in file: SourceFile) -> [Violation] {
    file.code.enumerated().flatMap { index, line in
      impureWords.filter { line.containsWord($0) }.map {
        file.violation(index + 1, "uses \($0): a pure core has no clock, no chance, no concurrency and no I/O")
      }
    }
  }
}
