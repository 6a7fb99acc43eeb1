package import Database
package import Domain

/// The rows of roll-outs and of the hosts in them.
package struct RolloutStore: Sendable {
    package init() {}

    package func insert(_ rollout: Rollout, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            """
            INSERT INTO rollout (id, target, state, reason, starts_at, created_at, created_by, finished_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                SQLValue(rollout.id), .text(rollout.target.text), .text(rollout.state.rawValue),
                SQLValue(rollout.reason), SQLValue(rollout.startsAt), SQLValue(rollout.createdAt),
                .text(rollout.createdBy), SQLValue(rollout.finishedAt),
            ])
        for (position, member) in rollout.members.enumerated() {
            try await transaction.execute(
                """
                INSERT INTO rollout_member (rollout_id, host_id, position, wave, state, previous_version, epoch_before,
                    since, detail, tasks)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                """,
                [
                    SQLValue(rollout.id), SQLValue(member.host), SQLValue(position), SQLValue(member.wave),
                    .text(member.state.rawValue), .text(member.previousVersion), .integer(member.epochBefore),
                    SQLValue(member.since), .text(member.detail), Self.text(of: member.tasks),
                ])
        }
    }

    private static func text(of tasks: [JobID]) -> SQLValue { .text(tasks.map(\.text).joined(separator: ",")) }

    package func save(_ rollout: Rollout, in transaction: any SQLTransaction) async throws {
        try await transaction.execute(
            "UPDATE rollout SET state = $2, reason = $3, finished_at = $4 WHERE id = $1",
            [
                SQLValue(rollout.id), .text(rollout.state.rawValue), SQLValue(rollout.reason),
                SQLValue(rollout.finishedAt),
            ])
        for member in rollout.members {
            try await transaction.execute(
                """
                UPDATE rollout_member SET state = $3, previous_version = $4, epoch_before = $5, since = $6, detail = $7,
                    tasks = $8
                WHERE rollout_id = $1 AND host_id = $2
                """,
                [
                    SQLValue(rollout.id), SQLValue(member.host), .text(member.state.rawValue),
                    .text(member.previousVersion), .integer(member.epochBefore), SQLValue(member.since),
                    .text(member.detail), Self.text(of: member.tasks),
                ])
        }
    }

    package func find(_ id: RolloutID, in transaction: any SQLTransaction) async throws -> Rollout? {
        guard
            let row = try await transaction.query("SELECT * FROM rollout WHERE id = $1", [SQLValue(id)]).first
        else { return nil }
        return try await rollout(row, in: transaction)
    }

    /// Newest first, 100 at most.
    package func list(in transaction: any SQLTransaction) async throws -> [Rollout] {
        var rollouts: [Rollout] = []
        for row in try await transaction.query("SELECT * FROM rollout ORDER BY id DESC LIMIT 100") {
            rollouts.append(try await rollout(row, in: transaction))
        }
        return rollouts
    }

    /// Those that are not over, oldest first.
    package func open(in transaction: any SQLTransaction) async throws -> [Rollout] {
        var rollouts: [Rollout] = []
        let rows = try await transaction.query(
            "SELECT * FROM rollout WHERE state IN ('scheduled', 'running') ORDER BY id")
        for row in rows { rollouts.append(try await rollout(row, in: transaction)) }
        return rollouts
    }

    private func rollout(_ row: SQLRow, in transaction: any SQLTransaction) async throws -> Rollout {
        let id: RolloutID = try row.identifier("id")
        let members = try await transaction.query(
            "SELECT * FROM rollout_member WHERE rollout_id = $1 ORDER BY position", [SQLValue(id)]
        ).map { row in
            Rollout.Member(
                host: try row.identifier("host_id"), wave: Int(try row.integer("wave")), state: try row.word("state"),
                previousVersion: try row.text("previous_version"), epochBefore: try row.integer("epoch_before"),
                since: try row.optionalTimestamp("since"), detail: try row.text("detail"),
                tasks: try row.text("tasks").split(separator: ",").compactMap { JobID(String($0)) })
        }
        return Rollout(
            id: id, target: try ProgramVersionText(try row.text("target")), startsAt: try row.timestamp("starts_at"),
            createdAt: try row.timestamp("created_at"), createdBy: try row.text("created_by"),
            state: try row.word("state"), reason: try row.optionalText("reason"),
            finishedAt: try row.optionalTimestamp("finished_at"), members: members)
    }
}
