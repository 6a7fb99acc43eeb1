import Domain

/// What the generator is told on its standard input.
struct GeneratorInput: Sendable, Equatable, Codable {
    let task: GenerationTask
    /// How to ask a model; `nil` for the built-in composer.
    let model: ModelRequest?

    /// - Parameter task: a ``Domain/GenerationTask`` as JSON already.
    static func serialized(_ task: String, model: ModelRequest? = nil) -> [UInt8] {
        var bytes = Array("{\"task\":".utf8) + Array(task.utf8)
        if let model { bytes += Array(",\"model\":".utf8) + model.serialized }
        return bytes + Array("}".utf8)
    }
}
