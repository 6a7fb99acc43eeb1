// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

// Tests see the whole of what they import; Foundation is welcome there.
let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

// Thousands of simulated hours are only worth having when they pass quickly; the rules that are simulated stay as the
// debug build makes them.
let simulationSettings =
    testSettings + [
        .unsafeFlags(
            ["-O", "-wmo", "-num-threads", "2", "-enforce-exclusivity=unchecked"], .when(configuration: .debug))
    ]

// Debian's releases have different versions of some libraries. A build for packages takes those in: `make release` names a
// folder with their static forms.
let ownLibraries: [LinkerSetting] =
    Context.environment["PAGEWRIGHT_STATIC_LIBRARIES"].map { [.unsafeFlags(["-L\($0)"])] } ?? []

// Libraries, each chosen for its own field; versions are exact so that two builds are the same build.
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grpcCore = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcProtobuf = Target.Dependency.product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")
let grpcTransport = Target.Dependency.product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let coreMetrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")

let package = Package(
    name: "pagewright",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "pagewright-coordinator", targets: ["CoordinatorServer"]),
        .executable(name: "pagewright-agent", targets: ["AgentDaemon"]),
        .executable(name: "pagewright", targets: ["PagewrightCLI"]),
        .executable(name: "pagewright-shim", targets: ["Shim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1"),
        .package(url: "https://github.com/grpc/grpc-swift-2.git", exact: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", exact: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", exact: "2.4.1"),
        .package(url: "https://github.com/apple/swift-protobuf.git", exact: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", exact: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-certificates.git", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1.git", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/vapor/jwt-kit.git", exact: "5.7.1"),
        .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", exact: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-system.git", exact: "1.8.1"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-configuration.git", exact: "1.4.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", exact: "2.1.1"),
    ],
    targets: [
        // 1: what knows nothing of Pagewright
        .systemLibrary(name: "CArchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        // libgumbo (apt: libgumbo-dev) behind a guard in C: memory, time and assertions of a parse
        .target(
            name: "CGumbo", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))],
            linkerSettings: [.linkedLibrary("gumbo")] + ownLibraries),
        .systemLibrary(name: "CEpoll"),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CPostgres", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "BlockingIO", dependencies: ["CLinux"], swiftSettings: settings),
        .target(name: "Faults", dependencies: [], swiftSettings: settings),
        // Reads every byte of every page: without optimisation a large site takes minutes.
        .target(
            name: "Markup", dependencies: ["CGumbo"],
            swiftSettings: settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]),
        .target(name: "Nginx", dependencies: [subprocess, system, logging], swiftSettings: settings),
        .target(name: "Sandbox", dependencies: [protobuf], swiftSettings: settings),
        .target(name: "Systemd", dependencies: [lifecycle], swiftSettings: settings),
        .target(name: "Telemetry", dependencies: [coreMetrics, logging], swiftSettings: settings),

        // 2: values, rules and the database seam
        .target(name: "Database", dependencies: [], swiftSettings: settings),
        .target(name: "Domain", dependencies: [], swiftSettings: settings),

        // 3: one outside thing each
        .target(name: "Artifacts", dependencies: ["BlockingIO", "Domain", crypto, nioCore], swiftSettings: settings),
        .target(
            name: "Archives",
            dependencies: ["Artifacts", "BlockingIO", "CArchive", "CLinux", "CZlib", "Domain", nioCore],
            swiftSettings: settings),
        .target(name: "Browser", dependencies: ["Sandbox"], swiftSettings: settings),
        .target(
            name: "DatabasePostgres",
            dependencies: ["BlockingIO", "CEpoll", "CPostgres", "Database", "Telemetry", logging, metrics],
            swiftSettings: settings),
        .target(name: "DatabaseSQLite", dependencies: ["BlockingIO", "Database", grdb], swiftSettings: settings),
        .target(
            name: "Egress",
            dependencies: ["BlockingIO", "Domain", logging, nioCore, nioHTTP1, nioPosix, nioSSL],
            swiftSettings: settings),
        .target(
            name: "FleetIdentity", dependencies: ["Domain", asn1, crypto, cryptoExtras, x509],
            swiftSettings: settings),
        .target(
            name: "HTTPBodies", dependencies: ["BlockingIO", hummingbirdCore, nioCore], swiftSettings: settings),
        .target(name: "Queue", dependencies: ["Domain"], swiftSettings: settings),
        .target(
            name: "Redis",
            dependencies: [
                "CHiredis", "Domain", "Telemetry", lifecycle, logging, metrics, nioCore, nioPosix, nioSSL,
            ], swiftSettings: settings),
        .target(name: "Validation", dependencies: ["Domain", "Markup"], swiftSettings: settings),

        // 4: the seams filled
        .target(
            name: "AgentProtocol", dependencies: ["Domain", grpcCore, grpcProtobuf, protobuf],
            swiftSettings: settings),
        .target(
            name: "ArtifactsS3",
            dependencies: [
                "Artifacts", "BlockingIO", "Domain", "Telemetry", asyncHTTPClient, crypto, logging, metrics, nioCore,
                nioHTTP1, nioSSL,
            ], swiftSettings: settings),
        .target(
            name: "Engines", dependencies: ["BlockingIO", "Domain", "Markup", "Sandbox", crypto],
            swiftSettings: settings),
        .target(name: "Persistence", dependencies: ["Database", "Domain", crypto], swiftSettings: settings),
        .target(name: "QueueEmbedded", dependencies: ["Domain", "Queue"], swiftSettings: settings),
        .target(
            name: "QueueRedis", dependencies: ["Domain", "Queue", "Redis", lifecycle], swiftSettings: settings),

        // 5: use cases; what both roles of an agent share
        .target(
            name: "AgentCore",
            dependencies: [
                "AgentProtocol", "Artifacts", "BlockingIO", "Domain", "Faults", "FleetIdentity",
                crypto, grpcCore, grpcProtobuf, grpcTransport, lifecycle, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
                protobuf, x509,
            ], swiftSettings: settings),
        .target(
            name: "Coordinator",
            dependencies: [
                "Archives", "Artifacts", "BlockingIO", "CCrypt", "Database", "Domain", "Faults", "FleetIdentity",
                "Markup", "Persistence", "Queue", "Telemetry", "Validation", crypto, jwtKit, lifecycle, logging,
                metrics, nioCore,
            ], resources: [.copy("Resources")], swiftSettings: settings),

        // 6: gateways; roles
        .target(
            name: "AgentGateway",
            dependencies: [
                "AgentProtocol", "Artifacts", "Coordinator", "Domain", "Faults", "FleetIdentity", "Telemetry",
                grpcCore, grpcProtobuf, grpcTransport, lifecycle, logging, metrics, nioCore, nioPosix, nioSSL, protobuf,
                x509,
            ], swiftSettings: settings),
        .target(
            name: "RESTAPI",
            dependencies: [
                "Artifacts", "BlockingIO", "Coordinator", "Database", "Domain", "HTTPBodies", "Persistence",
                "Telemetry",
                coreMetrics, httpTypes, nioHTTPTypes, hummingbird, hummingbirdCore, lifecycle, logging, nioCore,
            ], swiftSettings: settings),
        .target(
            name: "Serving",
            dependencies: ["AgentCore", "Artifacts", "BlockingIO", "Domain", "Nginx", lifecycle, logging, nioCore],
            swiftSettings: settings),
        .target(
            name: "WebUI",
            dependencies: [
                "Archives", "Artifacts", "BlockingIO", "Coordinator", "Domain", "HTTPBodies", "Persistence", httpTypes,
                hummingbird, hummingbirdCore, logging, mustache, nioCore,
            ], resources: [.copy("Resources")], swiftSettings: settings),
        .target(
            name: "Worker",
            dependencies: [
                "AgentCore", "AgentProtocol", "Artifacts", "BlockingIO", "Browser", "Domain", "Egress", "Engines",
                "Faults",
                "Sandbox", lifecycle, logging, nioCore,
            ], swiftSettings: settings),

        // 7: programs
        .executableTarget(
            name: "AgentDaemon",
            dependencies: [
                "AgentCore", "Artifacts", "BlockingIO", "Browser", "CLinux", "Domain", "Egress", "Engines", "Faults",
                "FleetIdentity",
                "Nginx", "Sandbox", "Serving", "Systemd", "Telemetry", "Worker", argumentParser, lifecycle, logging,
                unixSignals,
            ], swiftSettings: settings),
        .executableTarget(
            name: "CoordinatorServer",
            dependencies: [
                "AgentGateway", "Archives", "Artifacts", "ArtifactsS3", "BlockingIO", "Coordinator", "Database",
                "DatabasePostgres", "DatabaseSQLite", "Domain", "FleetIdentity", "Persistence", "Queue",
                "QueueEmbedded", "QueueRedis", "RESTAPI", "Redis", "Systemd", "Telemetry", "WebUI", argumentParser,
                asyncHTTPClient, configuration, lifecycle, logging, metrics, nioCore, nioHTTP1, unixSignals, yams,
            ], swiftSettings: settings),
        .executableTarget(
            name: "PagewrightCLI",
            dependencies: ["CArchive", argumentParser, asyncHTTPClient, crypto, nioCore, nioHTTP1, subprocess, system],
            swiftSettings: settings),
        // Owns one running task. In C (apt: libprotobuf-c-dev), because one of them waits beside every task.
        .executableTarget(
            name: "Shim",
            cSettings: [
                .headerSearchPath("Generated"), .define("_GNU_SOURCE"),
                .unsafeFlags(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]),
            ],
            linkerSettings: [
                .unsafeFlags(["-static-executable"]), .linkedLibrary("protobuf-c"),
            ]),

        // Tests
        .target(name: "TestSupport", dependencies: [], path: "Tests/TestSupport", swiftSettings: testSettings),
        .target(
            name: "TestDatabases",
            dependencies: ["Database", "DatabasePostgres", "DatabaseSQLite", "Persistence", "TestSupport", logging],
            path: "Tests/TestDatabases", swiftSettings: testSettings),
        .testTarget(
            name: "HouseTests", dependencies: [],
            swiftSettings: testSettings),
        .testTarget(
            name: "BlockingIOTests", dependencies: ["BlockingIO", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "DomainTests", dependencies: ["Domain"],
            swiftSettings: testSettings),
        .target(
            name: "Simulation", dependencies: ["Domain"], path: "Tests/Simulation", swiftSettings: simulationSettings),
        .executableTarget(
            name: "Simulate", dependencies: ["Simulation"], path: "Tests/Simulate", swiftSettings: testSettings),
        // For bench/run; an optimised build is what counts.
        .executableTarget(
            name: "LoadBench",
            dependencies: [
                "AgentCore", "Archives", "Artifacts", "BlockingIO", "Coordinator", "Database", "DatabasePostgres",
                "DatabaseSQLite", "Domain", "FleetIdentity", "Persistence", "Queue", "QueueEmbedded", "QueueRedis",
                "Redis", "Sandbox", argumentParser, lifecycle, logging,
            ], path: "Tests/LoadBench", swiftSettings: testSettings),
        .testTarget(
            name: "SimulationTests", dependencies: ["Domain", "Simulate", "Simulation"],
            swiftSettings: testSettings),
        .testTarget(
            name: "MarkupTests", dependencies: ["Markup"],
            swiftSettings: testSettings),
        .testTarget(
            name: "SandboxTests", dependencies: ["Sandbox", "TestSupport", protobuf],
            swiftSettings: testSettings),
        .testTarget(
            name: "EgressTests",
            dependencies: [
                "Egress", "BlockingIO", "Domain", "Sandbox", "TestSupport", logging, nioCore, nioHTTP1, nioPosix,
                nioSSL,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "BrowserTests", dependencies: ["Browser", "Sandbox", "TestSupport"],
            swiftSettings: testSettings),
        .testTarget(
            name: "NginxTests", dependencies: ["Nginx", "TestSupport", logging],
            swiftSettings: testSettings),
        .testTarget(
            name: "SystemdTests", dependencies: ["Systemd", "TestSupport", lifecycle],
            swiftSettings: testSettings),
        .testTarget(
            name: "TelemetryTests", dependencies: ["Telemetry", "TestSupport", coreMetrics, logging],
            swiftSettings: testSettings),
        .testTarget(
            name: "ArtifactsTests",
            dependencies: ["Artifacts", "ArtifactsS3", "BlockingIO", "Domain", "TestSupport", logging, nioCore],
            swiftSettings: testSettings),
        .testTarget(
            name: "ArtifactsS3Tests",
            dependencies: [
                "Artifacts", "ArtifactsS3", "BlockingIO", "Domain", "TestSupport", logging, nioCore, nioHTTP1, nioPosix,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "ArchivesTests",
            dependencies: ["Archives", "Artifacts", "BlockingIO", "Domain", "TestSupport", nioCore],
            resources: [.copy("Fixtures")],
            swiftSettings: testSettings),
        .testTarget(
            name: "DatabaseTests",
            dependencies: [
                "Database", "DatabasePostgres", "DatabaseSQLite", "Persistence", "Domain", "TestSupport", logging,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "RedisTests",
            dependencies: ["Redis", "Domain", "TestSupport", lifecycle, logging, nioCore, nioPosix],
            swiftSettings: testSettings),
        .testTarget(
            name: "QueueTests",
            dependencies: [
                "Queue", "QueueEmbedded", "QueueRedis", "Redis", "Domain", "TestSupport", lifecycle, logging,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "FleetIdentityTests", dependencies: ["FleetIdentity", "Domain", "TestSupport", x509, crypto],
            swiftSettings: testSettings),
        .testTarget(
            name: "ValidationTests", dependencies: ["Validation", "Domain"],
            swiftSettings: testSettings),
        .testTarget(
            name: "EnginesTests",
            dependencies: ["Engines", "Domain", "Markup", "Sandbox", "TestSupport", "Validation"],
            resources: [.copy("Fixtures")],
            swiftSettings: testSettings),
        .testTarget(
            name: "AgentProtocolTests", dependencies: ["AgentProtocol", "Domain", grpcCore, protobuf],
            swiftSettings: testSettings),
        .testTarget(
            name: "AgentCoreTests",
            dependencies: [
                "AgentCore", "AgentProtocol", "Artifacts", "BlockingIO", "Domain", "FleetIdentity", "TestSupport",
                grpcCore, grpcTransport, lifecycle, logging, nioCore, nioPosix, nioSSL, protobuf, x509,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "CoordinatorTests",
            dependencies: [
                "Coordinator", "Archives", "Artifacts", "ArtifactsS3", "BlockingIO", "Database", "DatabasePostgres",
                "DatabaseSQLite", "Domain", "FleetIdentity", "Persistence", "Queue", "QueueEmbedded", "QueueRedis",
                "Redis", "TestDatabases", "TestSupport", lifecycle, logging, nioCore,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "WorkerTests",
            dependencies: [
                "Worker", "AgentCore", "Artifacts", "BlockingIO", "Domain", "Egress", "Engines", "Sandbox",
                "TestSupport",
                lifecycle, logging, nioCore,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "ServingTests",
            dependencies: [
                "Serving", "AgentCore", "Artifacts", "BlockingIO", "Domain", "Nginx", "TestSupport", logging, nioCore,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "RESTAPITests",
            dependencies: [
                "RESTAPI", "Archives", "Coordinator", "Artifacts", "BlockingIO", "Database", "DatabaseSQLite", "Domain",
                "FleetIdentity", "Persistence", "QueueEmbedded", "Telemetry", "TestDatabases", "TestSupport",
                asyncHTTPClient, logging,
                hummingbird, hummingbirdCore, httpTypes, lifecycle, nioCore, nioHTTP1,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "WebUITests",
            dependencies: [
                "WebUI", "RESTAPI", "Archives", "Coordinator", "Artifacts", "BlockingIO", "Database", "DatabaseSQLite",
                "Domain", "FleetIdentity", "Persistence", "QueueEmbedded", "Telemetry", "TestSupport", asyncHTTPClient,
                hummingbirdCore, logging, lifecycle, nioCore, nioHTTP1,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "AgentGatewayTests",
            dependencies: [
                "AgentGateway", "AgentCore", "AgentProtocol", "Archives", "Coordinator", "Artifacts", "BlockingIO",
                "Database", "DatabaseSQLite", "Domain", "FleetIdentity", "Persistence", "QueueEmbedded", "TestSupport",
                logging, nioCore, grpcCore, grpcTransport, lifecycle,
            ], resources: [.copy("Fixtures")],
            swiftSettings: testSettings),
        .testTarget(
            name: "AgentDaemonTests",
            dependencies: [
                "AgentDaemon", "AgentCore", "BlockingIO", "CLinux", "Domain", "TestSupport", argumentParser,
            ],
            swiftSettings: testSettings),
        .testTarget(
            name: "CLITests", dependencies: ["PagewrightCLI", "TestSupport", argumentParser],
            swiftSettings: testSettings),
        .testTarget(
            name: "CoordinatorServerTests",
            dependencies: ["CoordinatorServer", "Domain", "TestSupport", argumentParser],
            swiftSettings: testSettings),
        .testTarget(
            name: "SystemTests", dependencies: ["CoordinatorServer", "AgentDaemon", "PagewrightCLI", "TestSupport"],
            swiftSettings: testSettings),
    ]
)
