package import Database
package import Domain

/// What hosts said last of themselves, and of what they were ordered.
package struct HostWordStore: Sendable {
    /// The newest word of one host.
    package struct Word: Sendable {
        package var condition: HostCondition
        package var report: UpgradeReport?
        /// The session in which it said how it is.
        package var epoch: Int64
    }

    package init() {}

    package func note(
        _ condition: HostCondition, of host: HostID, epoch: Int64, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO host_word (host_id, level, problem, drained, epoch) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (host_id) DO UPDATE SET level = $2, problem = $3, drained = $4, epoch = $5
            """,
            [
                SQLValue(host), SQLValue(condition.level.rawValue), .text(String(condition.problem.prefix(1000))),
                SQLValue(condition.isDrained), .integer(epoch),
            ])
    }

    package func note(
        _ report: UpgradeReport, of host: HostID, in transaction: any SQLTransaction
    ) async throws {
        try await transaction.execute(
            """
            INSERT INTO host_word (host_id, level, problem, drained, epoch, upgrade_order, upgrade_outcome,
                upgrade_detail)
            VALUES ($1, 0, '', 0, 0, $2, $3, $4)
            ON CONFLICT (host_id) DO UPDATE SET upgrade_order = $2, upgrade_outcome = $3, upgrade_detail = $4
            """,
            [
                SQLValue(host), .text(report.order), .text(report.outcome.rawValue),
                .text(String(report.detail.prefix(1000))),
            ])
    }

    package func all(in transaction: any SQLTransaction) async throws -> [HostID: Word] {
        var words: [HostID: Word] = [:]
        for row in try await transaction.query("SELECT * FROM host_word") {
            var report: UpgradeReport?
            if let order = try row.optionalText("upgrade_order") {
                report = UpgradeReport(
                    order: order, outcome: try row.word("upgrade_outcome"),
                    detail: try row.optionalText("upgrade_detail") ?? "")
            }
            guard let level = HostCondition.Level(rawValue: Int(try row.integer("level"))) else {
                throw SQLError(.badRow, "level is out of range")
            }
            words[try row.identifier("host_id")] = Word(
                condition: HostCondition(
                    level: level, problem: try row.text("problem"), isDrained: try row.boolean("drained")),
                report: report, epoch: try row.integer("epoch"))
        }
        return words
    }
}
