import Domain
import NIOCore

/// One entry of an archive, as the archive says.
struct ArchiveItem {
    enum Kind {
        case file
        case folder
        case symbolicLink
        case hardLink
        case device
        case pipe
        case socket
        case sparseFile
        case other
    }

    let kind: Kind
    /// As it is in the archive; nothing was checked.
    let name: [UInt8]
    /// `nil` when the archive says it only after the content.
    let sizeInBytes: Int64?
}

/// The entries of an archive, in order. Blocks.
protocol ArchiveItems: AnyObject {
    /// The next entry, after what is left of the content of the one before; `nil` at the end.
    func next() throws -> ArchiveItem?
    /// The next piece of the content of the file that ``next()`` returned last; empty at its end.
    func nextPiece() throws -> ByteBuffer
}

extension ServiceError {
    static func archive(_ rule: String, _ message: String, nextStep: String? = nil) -> ServiceError {
        ServiceError(.validationFailed, message, field: "archive", rule: rule, nextStep: nextStep)
    }

    static let notAnArchive = archive(
        "archive-format", "the file is not an archive that can be read",
        nextStep: "Send a .tar.gz, .tar or .zip file with the files of the site.")

    static let cutOff = archive(
        "archive-damaged", "the archive ends too early", nextStep: "Make the archive again and send it once more.")

    static func damagedArchive(_ detail: String) -> ServiceError {
        archive(
            "archive-damaged", "the archive is damaged (\(detail))",
            nextStep: "Make the archive again and send it once more.")
    }
}
