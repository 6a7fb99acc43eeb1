/// A piece of a program that a web server would have to run, found in a file that is only ever sent as it is.
package struct ServerCode: Codable, Hashable, Sendable {
    package enum Language: String, Codable, Sendable {
        case php = "PHP"
        case activeServerPages = "ASP or JSP"
        case serverSideIncludes = "server-side includes"
    }

    package let language: Language
    /// From 1.
    package let line: Int

    /// The first piece of each language in a page.
    package static func pieces(of document: HTMLDocument) -> [ServerCode] {
        var found: [Language: Int] = [:]
        func note(_ language: Language, at offset: Int) { found[language] = min(found[language] ?? offset, offset) }
        let source = document.source
        for range in document.commentRanges {
            let bytes = source[range]
            if bytes.isPHP { note(.php, at: range.lowerBound) }
            if bytes.isServerSideInclude { note(.serverSideIncludes, at: range.lowerBound) }
        }
        // Elsewhere: in attributes, scripts and texts, where a browser sees no comment.
        let suspects = document.openings.filter { offset in
            offset + 2 < source.count && (source[offset + 1] == 0x3f || source[offset + 1] == 0x25)
        }
        guard !suspects.isEmpty else { return sorted(found, in: document) }
        var comments = document.commentRanges.sorted { $0.lowerBound < $1.lowerBound }[...]
        for offset in suspects where source[offset...].isPHP {
            while let first = comments.first, first.upperBound <= offset { comments.removeFirst() }
            if !(comments.first?.contains(offset) ?? false) { note(.php, at: offset) }
        }
        // `<% … %>` in a script or a template is for the browser; anywhere else it was meant for a server.
        for text in document.texts {
            guard let range = text.range, !(text.parent.map { templateNames.contains($0.name) } ?? false) else {
                continue
            }
            if let offset = suspects.first(where: { range.contains($0) && source[$0...].isActiveServerPage }) {
                note(.activeServerPages, at: offset)
                break
            }
        }
        return sorted(found, in: document)
    }

    private static func sorted(_ found: [Language: Int], in document: HTMLDocument) -> [ServerCode] {
        found.sorted { $0.value < $1.value }.map { ServerCode(language: $0.key, line: document.line(at: $0.value)) }
    }

    /// What a file of another kind begins with: a text that is a program from its first byte on.
    package static func opening(of bytes: [UInt8]) -> ServerCode? {
        let start = bytes.prefix(256).drop { $0 <= 0x20 || [0xef, 0xbb, 0xbf].contains($0) }
        if start.isPHP { return ServerCode(language: .php, line: 1) }
        return start.starts(with: "<%@".utf8) ? ServerCode(language: .activeServerPages, line: 1) : nil
    }

    private static let templateNames: Set<String> = ["script", "style", "template", "textarea", "xmp"]
}

extension ArraySlice<UInt8> {
    fileprivate var isPHP: Bool {
        starts(with: "<?=".utf8)
            || (starts(with: "<?".utf8) && prefix(5).map { $0 | 0x20 }.elementsEqual("<?php".utf8.map { $0 | 0x20 }))
    }

    fileprivate var isActiveServerPage: Bool {
        guard starts(with: "<%".utf8), count >= 3 else { return false }
        let next = self[startIndex + 2]
        return next == 0x40 || next == 0x3d || next == 0x21 || next <= 0x20
    }

    /// `<!--#include …`: a command directly after the hash, as servers want it.
    fileprivate var isServerSideInclude: Bool {
        guard starts(with: "<!--#".utf8) else { return false }
        let word = String(decoding: dropFirst(5).prefix(12).prefix { (0x61...0x7a).contains($0 | 0x20) }, as: UTF8.self)
        return [
            "include", "exec", "echo", "config", "fsize", "flastmod", "printenv", "set", "if", "elif", "else", "endif",
        ]
        .contains(word.lowercased())
    }
}
