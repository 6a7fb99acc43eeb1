import Coordinator
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// What a page's handler has to say; the site puts it into the layout and sends it.
struct PageAnswer {
    enum Content {
        case page(Page)
        /// A part of a page, for a script that puts it in place of an older one.
        case part(template: String, values: [String: Any])
        /// An address of ours.
        case redirect(String)
        case response(Response)
    }

    var content: Content
    var cookies: [String] = []
    /// The secret of the forms on the page, when it is a new one.
    var csrf: String?
    /// The session that begins with this answer: the page is for whoever has it.
    var session: IssuedSession?

    static func page(_ page: Page) -> Self { Self(content: .page(page)) }
    static func redirect(to path: String) -> Self { Self(content: .redirect(path)) }
    static func response(_ response: Response) -> Self { Self(content: .response(response)) }
    static func part(_ template: String, _ values: [String: Any]) -> Self {
        Self(content: .part(template: template, values: values))
    }
}

/// One page before it is laid out.
struct Page {
    /// The parts of the top that can be marked as the current one.
    enum Section: String {
        case sites, jobs, fleet, admin, profile
    }

    var template: String
    var title: String
    var section: Section?
    var status = HTTPResponse.Status.ok
    /// The command that does the same, such as `pagewright versions bakery`.
    var command: String?
    /// Origins whose pages may be shown in a frame.
    var frames: [String] = []
    /// Fills the width of the window.
    var isWide = false
    var values: [String: Any] = [:]

    init(
        _ template: String, title: String, section: Section? = nil, command: String? = nil,
        values: [String: Any] = [:]
    ) {
        self.template = template
        self.title = title
        self.section = section
        self.command = command
        self.values = values
    }
}
