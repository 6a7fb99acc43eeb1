package import Domain

/// A role, or a part of one, as the session sees it. The session calls these one at a time and in order, so none of
/// them may wait for long: work goes into tasks of the participant's own service.
package protocol SessionParticipant: Sendable {
    /// Adds what it holds to the first frame of a new session.
    func describe(in hello: inout AgentMessage.Hello) async
    /// A session is open; `outbox` is good until ``sessionClosed()``.
    func sessionOpened(_ welcome: CoordinatorMessage.Welcome, outbox: any AgentOutbox) async
    /// A frame came. Every participant sees every frame and takes what is its own.
    func receive(_ message: CoordinatorMessage) async
    func sessionClosed() async
    /// Adds its part to what `pagewright-agent status` shows.
    func report(in status: inout AgentStatus) async
}
