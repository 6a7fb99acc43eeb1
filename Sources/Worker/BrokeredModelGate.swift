package import BlockingIO
package import Domain
package import Egress
import Glibc

/// Leads out of sandboxes through the broker, by a socket of its own for each job.
///
/// A job's folder is the same for every agent that works on it: a task that outlives an agent sees the socket that the next
/// one makes, because it is the folder that is bound into its sandbox.
package struct BrokeredModelGate: ModelGate {
    private let directory: String
    private let broker: EgressBroker
    private let pool: BlockingPool

    /// - Parameter directory: below which each job gets a folder; made when it is not there.
    package init(directory: String, broker: EgressBroker, pool: BlockingPool) {
        self.directory = directory
        self.broker = broker
        self.pool = pool
    }

    package func withWay<Value: Sendable>(
        to way: ModelWay, for job: JobID, _ body: (_ folder: String) async throws -> Value
    ) async throws -> Value {
        let folder = "\(directory)/\(job)"
        let directory = directory
        try await pool.run {
            try Workspace.makeFolder(directory)
            try Workspace.makeFolder(folder)
        }
        let socket = folder + "/model.sock"
        let grant =
            switch way {
            case .model(let endpoint, let witness, let silence):
                EgressGrant(socketPath: socket, job: job, allowed: [endpoint], silence: silence, witness: witness)
            case .recorded(let playback):
                EgressGrant(socketPath: socket, job: job, allowed: [], playback: playback)
            }
        let value = try await broker.withSocket(for: grant) { try await body(folder) }
        // Not when it throws: the task may go on without this agent, and the next one needs this very folder.
        rmdir(folder)
        return value
    }

    /// Deletes folders of jobs that are over.
    package func sweep(keeping jobs: Set<JobID>) async throws {
        let directory = directory
        try await pool.run {
            try Workspace.makeFolder(directory)
            for name in try FileTree.names(in: OpenFile(folder: directory))
            where !jobs.contains(where: { $0.text == name }) {
                try WorkspaceRemoval.remove("\(directory)/\(name)")
            }
        }
    }
}
