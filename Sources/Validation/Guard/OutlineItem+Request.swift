import Domain

extension OutlineItem {
    /// What the words of a request call it.
    var thing: RequestWords.Thing? {
        switch kind {
        case .heading: .heading
        case .text: .text
        case .link: .link
        case .image: .image
        case .form: .form
        case .script: .script
        case .frame: .frame
        case .title, .description: nil
        }
    }

    /// By which words somebody could mean it.
    var names: [String] {
        let file = target.split { "?#".contains($0) }.first?.split(separator: "/").last.map(String.init) ?? ""
        let stem = String(file.prefix { $0 != "." })
        return switch kind {
        case .heading, .title, .description: [text]
        case .text: [text, String(text.prefix(60))]
        case .link, .form: [text, stem]
        case .image: [text, stem]
        case .script, .frame: [text, stem] + (WebHost.host(of: target).map { [$0] } ?? [])
        }
    }
}
