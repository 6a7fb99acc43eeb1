/// The bus of a coordinator that is alone: there is nobody to tell.
package struct SilentBus: CoordinatorBus {
    package init() {}

    package func publish(_ signal: CoordinatorSignal) {}

    package func signals() -> AsyncStream<CoordinatorSignal> { AsyncStream { _ in } }
}
