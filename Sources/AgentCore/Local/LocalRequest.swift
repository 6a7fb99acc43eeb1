import Domain
import FoundationEssentials

/// What a command on this host asks of the agent that runs there: one line of JSON over the local socket.
package struct LocalRequest: Sendable, Codable, Equatable {
    package enum Verb: String, Sendable, Codable, CaseIterable {
        case verify
        case rollback
        case collectionPlan = "gc-plan"
        case drain
        case resume
        case rotate = "rotate-cert"
        case logs
    }

    package var verb: Verb
    /// A site's id or one of its names.
    package var site: String?
    package var version: Int?
    /// Take a local roll-back back.
    package var isUndo: Bool?
    /// Of the log: only what came after this line.
    package var after: UInt64?

    package init(_ verb: Verb, site: String? = nil, version: Int? = nil, isUndo: Bool? = nil, after: UInt64? = nil) {
        self.verb = verb
        self.site = site
        self.version = version
        self.isUndo = isUndo
        self.after = after
    }

    /// Reading a whole site again takes its time; the others answer at once.
    package var patience: Duration {
        switch verb {
        case .verify: .seconds(1800)
        case .rollback, .rotate, .collectionPlan: .seconds(60)
        case .drain, .resume, .logs: .seconds(5)
        }
    }
}

/// A part of the agent that answers some of the requests.
package protocol LocalAnswering: Sendable {
    /// JSON; `nil` when the request is another part's. Throws what the person who asked shall see.
    func answer(_ request: LocalRequest) async throws -> [UInt8]?
}

/// The answer as it travels: a result, or why there is none.
struct LocalAnswer: Codable {
    struct Refusal: Codable {
        var code: String
        var message: String
        var rule: String?
        var nextStep: String?

        init(_ error: any Error) {
            let error = error as? ServiceError
            code = (error?.code ?? .internalError).rawValue
            message = error?.message ?? "the agent could not do it"
            rule = error?.rule
            nextStep = error?.nextStep
        }

        var error: ServiceError {
            ServiceError(
                ServiceError.Code(rawValue: code) ?? .internalError, message, rule: rule, nextStep: nextStep)
        }
    }

    var result: String?
    var error: Refusal?
}

extension LocalAnswering {
    /// An answer in the form that ``StatusClient/ask(_:as:)`` reads.
    package func encoded(_ value: some Encodable) throws -> [UInt8] {
        Array(try AgentStatus.encoder.encode(value))
    }
}

/// What `verify` found.
package struct LocalVerification: Sendable, Codable, Equatable {
    package struct Site: Sendable, Codable, Equatable {
        package var site: String
        /// Files that are not what their version says: a kind and a path each, 100 at most.
        package var damage: [String]

        package init(site: String, damage: [String]) {
            self.site = site
            self.damage = damage
        }
    }

    package var sites: [Site]

    package init(sites: [Site]) { self.sites = sites }
}

/// What the next clean-up would take away.
package struct LocalCollectionPlan: Sendable, Codable, Equatable {
    package var generations: [String]
    package var trees: [String]
    package var blobs: Int
    package var blobBytes: Int64
    /// Why nothing is taken away now; `nil` when something may be.
    package var obstacle: String?

    package init(
        generations: [String] = [], trees: [String] = [], blobs: Int = 0, blobBytes: Int64 = 0, obstacle: String? = nil
    ) {
        self.generations = generations
        self.trees = trees
        self.blobs = blobs
        self.blobBytes = blobBytes
        self.obstacle = obstacle
    }
}

/// What was said with the last lines of the agent's log.
package struct LocalLog: Sendable, Codable, Equatable {
    package var lines: [String]
    /// To be given as `after` with the next question.
    package var last: UInt64
    /// Lines that were said since `after` and are gone.
    package var isGapped: Bool

    package init(lines: [String], last: UInt64, isGapped: Bool) {
        self.lines = lines
        self.last = last
        self.isGapped = isGapped
    }
}

/// A sentence about what was done.
package struct LocalWord: Sendable, Codable, Equatable {
    package var text: String

    package init(text: String) { self.text = text }
}
