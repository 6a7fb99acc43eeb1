import Domain
import Mustache

/// The templates of all pages. What is put into them is escaped, always; only the layout takes the page as it is.
struct PageTemplates: Sendable {
    private let library: MustacheLibrary

    init(_ files: [(name: String, bytes: [UInt8])]) throws {
        MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
        var library = MustacheLibrary()
        for file in files where file.name.hasSuffix(".mustache") {
            let text = String(decoding: file.bytes, as: UTF8.self)
            try library.register(
                "{{% CONTENT_TYPE:\(HTMLText.name)}}\n" + text, named: String(file.name.dropLast(".mustache".count)))
        }
        self.library = library
    }

    func render(_ name: String, _ values: [String: Any]) throws -> String {
        guard let text = library.render(values, withTemplate: name) else {
            throw ServiceError(.internalError, "there is no template \(name)")
        }
        return text
    }
}
