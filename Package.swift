// swift-tools-version: 6.1
// The one place where targets and the imports between them are declared; `Tests/LawsTests` keeps it honest.
// Layers from the top down, as in docs/architecture.md: executables, process shells, edges, cores, data, leaves.
import PackageDescription

/// Packages from outside, by the product a target asks for.
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")

let package = Package(
  name: "waterbear",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "waterbeard", targets: ["waterbeard"]),
    .executable(name: "waterbearctl", targets: ["waterbearctl"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    // Leaves.
    .target(name: "CPlatform"),
    .target(name: "CTextScan"),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CBrotli", pkgConfig: "libbrotlidec", providers: [.apt(["libbrotli-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "Base"),
    .target(name: "Sealing", dependencies: ["Base", "COpenSSL"]),
    .target(name: "Platform", dependencies: ["Base", "CPlatform"]),

    // Data, syntax and settings.
    .target(name: "Columnar", dependencies: ["Base"]),
    .target(name: "SQLSyntax", dependencies: ["Base"]),
    .target(name: "ConnectorAPI", dependencies: ["Base", "Columnar"]),
    .target(name: "Settings", dependencies: ["Base", "Platform"]),
    .target(name: "ArrowIPC", dependencies: ["Base", "Columnar"], path: "Sources/Formats/ArrowIPC"),
    .target(
      name: "Parquet",
      dependencies: ["Base", "Columnar", "ConnectorAPI", "CBrotli", "CLZ4", "CSnappy", "CZlib", "CZstd"],
      path: "Sources/Formats/Parquet"),
    .target(
      name: "TextColumns",
      dependencies: ["Base", "CTextScan", "CZlib", "CZstd", "Columnar", "ConnectorAPI", "Platform"],
      path: "Sources/Formats/TextColumns"),
    .target(
      name: "Delimited",
      dependencies: ["Base", "CTextScan", "Columnar", "ConnectorAPI", "Platform", "TextColumns"],
      path: "Sources/Formats/Delimited"),
    .target(
      name: "JSONLines",
      dependencies: ["Base", "CTextScan", "Columnar", "ConnectorAPI", "Platform", "TextColumns"],
      path: "Sources/Formats/JSONLines"),

    // Pure, query, durable.
    .target(name: "Scheduling", dependencies: ["Base"]),
    .target(name: "Planning", dependencies: ["Base", "Columnar", "ConnectorAPI", "SQLSyntax"]),
    .target(name: "Execution", dependencies: ["Base", "Columnar", "ConnectorAPI", "Planning"]),
    .target(name: "Exchange", dependencies: ["Base", "CLZ4", "CZstd", "Columnar", "Platform", "Sealing"]),
    .target(
      name: "TPCHConnector", dependencies: ["Base", "Columnar", "ConnectorAPI"],
      path: "Sources/Connectors/TPCH"),
    .target(
      name: "FilesConnector",
      dependencies: [
        "Base", "Columnar", "ConnectorAPI", "Delimited", "JSONLines", "Parquet", "Platform", "TextColumns",
      ],
      path: "Sources/Connectors/Files"),
    .target(
      name: "ConnectorRegistry",
      dependencies: ["Base", "ConnectorAPI", "FilesConnector", "Settings", "TPCHConnector"],
      path: "Sources/Connectors/Registry"),
    .target(name: "TaskStore", dependencies: ["Base", "Sealing", grdb]),
    .target(name: "Wire", dependencies: ["Base"]),

    // Edges of a process.
    .target(name: "Telemetry", dependencies: ["Base", "Platform", log]),
    .target(name: "Transport", dependencies: ["Base", "Wire", "Platform", nioCore, nioPosix]),
    .target(name: "Sockets", dependencies: ["Base", "Wire", "Platform"]),
    .target(name: "ClientAPI", dependencies: ["Base", "Wire", "Platform", "Sockets"]),

    // Shells.
    .target(name: "Wiring", dependencies: ["Base", "Exchange", "Platform", "Settings", "Telemetry"]),
    .target(
      name: "ControlClient",
      dependencies: [
        "ArrowIPC", "Base", "CPlatform", "Platform", "Columnar", "ClientAPI", "Parquet", "Wire", argumentParser,
      ]),
    .target(name: "SupervisorProcess", dependencies: ["Base", "Platform", "Settings", "Telemetry"]),
    .target(
      name: "CoordinatorProcess",
      dependencies: [
        "Base", "Platform", "Columnar", "ConnectorAPI", "SQLSyntax", "Scheduling", "Planning",
        "Execution", "Exchange", "Sealing", "ConnectorRegistry", "TaskStore", "Wire", "Settings",
        "Telemetry", "Transport", "Wiring", nioCore, nioPosix,
      ]),
    .target(
      name: "WorkerProcess",
      dependencies: [
        "Base", "Platform", "Columnar", "ConnectorAPI", "Planning", "Execution", "Exchange",
        "Sealing", "ConnectorRegistry", "Wire", "Settings", "Sockets", "Telemetry", "Wiring",
      ]),

    // Executables.
    .executableTarget(
      name: "waterbeard",
      dependencies: [
        "Base", "Platform", "SupervisorProcess", "CoordinatorProcess", "WorkerProcess",
        argumentParser,
      ]),
    // Linked statically with Swift's libraries: loading them would be half of a short command's time.
    .executableTarget(
      name: "waterbearctl", dependencies: ["ControlClient"],
      linkerSettings: [
        .unsafeFlags(["-static-stdlib", "-use-ld=lld"]), .linkedLibrary("_FoundationCShims"),
        .linkedLibrary("_FoundationCollections"),
      ]),

    // Tests mirror Sources.
    .target(name: "TemporaryDirectories", path: "Tests/TemporaryDirectories"),
    .testTarget(name: "BaseTests", dependencies: ["Base"]),
    .testTarget(name: "SealingTests", dependencies: ["Sealing"]),
    .testTarget(name: "ColumnarTests", dependencies: ["Columnar"]),
    .testTarget(name: "ArrowIPCTests", dependencies: ["ArrowIPC"], path: "Tests/Formats/ArrowIPCTests"),
    .testTarget(
      name: "ParquetTests", dependencies: ["Parquet"],
      path: "Tests/Formats/ParquetTests", exclude: ["Samples"]),
    .testTarget(name: "TextColumnsTests", dependencies: ["TextColumns"], path: "Tests/Formats/TextColumnsTests"),
    .target(
      name: "TextFiles", dependencies: ["Base", "Columnar", "ConnectorAPI", "Platform"],
      path: "Tests/Formats/TextFiles"),
    .testTarget(
      name: "DelimitedTests",
      dependencies: ["Base", "Columnar", "ConnectorAPI", "Delimited", "TextColumns", "TextFiles"],
      path: "Tests/Formats/DelimitedTests"),
    .testTarget(
      name: "JSONLinesTests",
      dependencies: ["Columnar", "ConnectorAPI", "JSONLines", "TextColumns", "TextFiles"],
      path: "Tests/Formats/JSONLinesTests"),
    .testTarget(name: "SQLSyntaxTests", dependencies: ["SQLSyntax"]),
    .target(name: "Simulator", dependencies: ["Base", "Scheduling"], path: "Tests/Simulator"),
    .testTarget(name: "SchedulingTests", dependencies: ["Scheduling", "Simulator"]),
    // tools/simulate.
    .executableTarget(
      name: "waterbear-simulate", dependencies: ["Scheduling", "Simulator", argumentParser],
      path: "Tests/SimulateCommand"),
    // Runs whole queries in one process, for every test that wants rows from SQL.
    .target(
      name: "LocalRunner",
      dependencies: ["Base", "Columnar", "ConnectorAPI", "Execution", "Planning", "SQLSyntax"],
      path: "Tests/LocalRunner"),
    // What is in Tests/sql, and when an outcome is the one that is written there.
    .target(name: "SQLScripts", dependencies: ["Base", "Columnar"], path: "Tests/SQLScripts"),
    .testTarget(
      name: "FilesConnectorTests",
      dependencies: ["Base", "Columnar", "ConnectorAPI", "FilesConnector", "LocalRunner", "Parquet"]),
    .testTarget(
      name: "PlanningTests", dependencies: ["Execution", "LocalRunner", "Planning", "TPCHConnector"],
      exclude: ["Plans"]),
    .testTarget(name: "ExecutionTests", dependencies: ["Execution"]),
    .testTarget(
      name: "SQLTests",
      dependencies: ["Base", "Columnar", "ConnectorAPI", "LocalRunner", "Planning", "SQLScripts", "TPCHConnector"]),
    .testTarget(name: "ExchangeTests", dependencies: ["Exchange", "TemporaryDirectories"], exclude: ["Samples"]),
    .testTarget(name: "TPCHConnectorTests", dependencies: ["TPCHConnector"], exclude: ["Samples"]),
    .testTarget(name: "TaskStoreTests", dependencies: ["Base", "Sealing", "TaskStore", grdb]),
    .testTarget(name: "WireTests", dependencies: ["Wire"]),
    .testTarget(name: "SettingsTests", dependencies: ["Settings", "TemporaryDirectories"]),
    .testTarget(name: "PlatformTests", dependencies: ["Platform", "TemporaryDirectories"]),
    .testTarget(name: "TelemetryTests", dependencies: ["Platform", "Telemetry", log]),
    // A daemon whose children do no work but misbehave as a test asks, so that tests of the supervisor need no engine.
    .executableTarget(
      name: "supervisor-test-daemon", dependencies: ["Base", "Platform", "SupervisorProcess", "Telemetry"],
      path: "Tests/SupervisorTestDaemon"),
    .testTarget(
      name: "SupervisorProcessTests",
      dependencies: ["Base", "Platform", "SupervisorProcess", "supervisor-test-daemon"]),
    .testTarget(
      name: "WorkerProcessTests",
      dependencies: [
        "Base", "Columnar", "ConnectorAPI", "Exchange", "Execution", "Platform", "Telemetry", "TemporaryDirectories",
        "Transport", "Wire", "WorkerProcess", nioCore, nioPosix,
      ]),
    .testTarget(
      name: "TransportTests",
      dependencies: ["Base", "Sockets", "TemporaryDirectories", "Transport", "Wire", nioCore, nioPosix]),
    .testTarget(
      name: "CoordinatorProcessTests",
      dependencies: [
        "Base", "Columnar", "ConnectorAPI", "ConnectorRegistry", "CoordinatorProcess", "Exchange", "Execution",
        "LocalRunner", "Planning", "Platform", "SQLSyntax", "Scheduling", "Sealing", "Settings", "Sockets",
        "SupervisorProcess", "TaskStore", "Telemetry", "TemporaryDirectories", "Transport", "Wire", "Wiring",
        "WorkerProcess", nioCore, nioPosix,
      ]),
    .testTarget(name: "WaterbeardTests", dependencies: ["waterbeard"]),
    .testTarget(
      name: "ControlClientTests",
      dependencies: [
        "ArrowIPC", "Base", "Columnar", "ControlClient", "Parquet", "Platform", "TemporaryDirectories", "Wire",
      ]),
    // Whole daemons of the built programs, driven through waterbearctl.
    .testTarget(
      name: "EndToEndTests",
      dependencies: ["Base", "ClientAPI", "Columnar", "Platform", "SQLScripts", "Wire", "waterbeard"]),
    .testTarget(name: "LawsTests"),
  ]
)
