import Domain

/// What an agent said came in a session that is not its host's newest any more, or the host is shut out. Nothing of it has
/// an effect.
struct SupersededSession: Error {
    /// Throws itself unless `epoch` is that of the newest session of `host`, which is a member.
    static func check(_ epoch: Int64, of host: Host?) throws {
        guard let host, host.admits(frameOf: epoch) else { throw SupersededSession() }
    }
}
