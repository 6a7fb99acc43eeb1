/// What the checks of a site need to know of a style sheet. Depends on its bytes alone.
package struct StylesheetFacts: Codable, Sendable, Equatable {
    /// The addresses of `url(…)` and `@import`, each once, in order; `data:` left out.
    package let references: [Reference]

    package init(of source: [UInt8]) {
        var seen = Set<String>()
        references = CSSReferences.references(in: source).map(\.value)
            .filter { !$0.isEmbeddedData && seen.insert($0).inserted }
            .map { Reference(kind: .asset, value: $0) }
    }
}

extension StringProtocol {
    /// Whether an address carries its content with it, so that there is nothing to find.
    var isEmbeddedData: Bool {
        utf8.first.map { $0 | 0x20 } == 0x64 && utf8.prefix(5).map { $0 | 0x20 }.elementsEqual("data:".utf8)
    }
}
