import Coordinator
import Domain

enum HostBody {
    static let roles = JSONSchema.array(.words(HostRole.allCases.map(\.rawValue)))

    static let table = ObjectBody<HostView>(
        "Host",
        [
            .init("id", .text) { .string($0.host.id.text) },
            .init("name", .text) { .string($0.host.name) },
            .init("roles", roles) { .roles($0.host.roles) },
            .init("state", .words(Host.State.allCases.map(\.rawValue))) { .string($0.host.state.rawValue) },
            .init("labels", .text, "As key=value,key=value.") { .string($0.host.labels.description) },
            .init("upgrading_to", .nullable(.text), "The version that it was told to run.") {
                .optional($0.host.upgradeOrder) { .string($0.version.text) }
            },
            .init("connected", .boolean) { .boolean($0.isConnected) },
            .init("agent_version", .text) { .string($0.host.agentVersion) },
            .init("certificate_expires_at", .time) { .time($0.host.certificateExpiresAt) },
            .init("last_seen_at", .nullable(.time)) { .optional($0.host.lastSeenAt, JSONValue.time) },
            .init("disk_free_bytes", .nullable(.count)) { .optional($0.diskFreeBytes) { .integer($0) } },
            .init("disk_total_bytes", .nullable(.count)) { .optional($0.diskTotalBytes) { .integer($0) } },
            .init("credit", .count, "How many more jobs it can take.") { .count($0.credit) },
            .init("jobs", .count, "How many jobs it works on.") { .count($0.jobs.count) },
            .init("created_at", .time) { .time($0.host.createdAt) },
        ])
}

enum InvitationBody {
    static let table = ObjectBody<Invitation>(
        "Invitation",
        [
            .init("token", .text, "Shown once.") { .string($0.token) },
            .init("expires_at", .time) { .time($0.expiresAt) },
            .init("roles", HostBody.roles) { .roles($0.roles) },
            .init("command", .text, "What to run on the new machine.") { .string($0.command) },
        ])
}

extension JSONValue {
    fileprivate static func roles(_ roles: Set<HostRole>) -> JSONValue {
        .array(roles.map(\.rawValue).sorted().map { .string($0) })
    }
}
