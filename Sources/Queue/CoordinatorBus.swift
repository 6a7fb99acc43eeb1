/// Carries signals from one coordinator to all others. Signals may be lost, late or repeated: what they point at is
/// looked at periodically too, so a bus that is gone costs time and nothing else.
package protocol CoordinatorBus: Sendable {
    /// Tells the others. Never waits and never fails; signals that are alike may become one.
    func publish(_ signal: CoordinatorSignal)
    /// What the others say, from now on. The stream holds a bounded number; more become `missed`.
    func signals() -> AsyncStream<CoordinatorSignal>
}
