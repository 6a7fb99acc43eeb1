import Artifacts
import ArtifactsS3
import BlockingIO
import Domain
import Foundation
import Logging

/// Where the content of all versions is, and the keys to it.
struct BlobSettings: Sendable {
    /// `directory` (in the state folder), `directory:PATH`, or `s3://…`; see ``S3Location``.
    let address: String
    /// A file with keys as Amazon's tools write it.
    let credentialsFile: String?
    /// The keys themselves, when there is no file.
    let credentials: S3Credentials?
    /// Whether hosts may read from S3 by themselves.
    let isLent: Bool

    /// A folder below that of the state.
    static let directory = BlobSettings(address: "directory", credentialsFile: nil, credentials: nil, isLent: false)

    private init(address: String, credentialsFile: String?, credentials: S3Credentials?, isLent: Bool) {
        self.address = address
        self.credentialsFile = credentialsFile
        self.credentials = credentials
        self.isLent = isLent
    }

    /// The same keys for another place, unless there are others for it.
    func moved(to address: String, credentialsFile: String?) -> BlobSettings {
        BlobSettings(
            address: address, credentialsFile: credentialsFile ?? self.credentialsFile,
            credentials: credentialsFile == nil ? credentials : nil, isLent: false)
    }

    init(
        _ source: SettingSource, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ServiceError) {
        address = try source.requiredText(.blobs)
        isLent = try source.boolean(.s3Presigned)
        credentialsFile = source.text(.s3Credentials)
        let own = (
            access: try source.secret(.s3AccessKey), secret: try source.secret(.s3SecretKey),
            token: try source.secret(.s3SessionToken)
        )
        if let access = own.access ?? environment["AWS_ACCESS_KEY_ID"] {
            // Keys of one place with those of another would fit by accident only.
            let isOwn = own.access != nil
            credentials = try S3Credentials(
                accessKey: access, secretKey: (isOwn ? own.secret : environment["AWS_SECRET_ACCESS_KEY"]) ?? "",
                sessionToken: isOwn ? own.token : environment["AWS_SESSION_TOKEN"].flatMap { $0.isEmpty ? nil : $0 })
        } else {
            credentials = nil
        }
    }

    /// Throws what is wrong with the settings themselves. No file is read, and no server asked.
    func examine() throws {
        guard !isLent || address.hasPrefix("s3://") else {
            throw ServiceError(
                .failedPrecondition, "s3.presigned is set, and the blobs are not in S3", field: "s3.presigned",
                nextStep: "Leave s3.presigned out, or say s3://bucket/prefix?endpoint=… as blobs.")
        }
        if let path = path(in: nil) {
            guard path.hasPrefix("/") else {
                throw ServiceError(
                    .invalidArgument, "the folder of the blobs \"\(path)\" does not begin with /", field: "blobs",
                    nextStep: "Write it like directory:/srv/pagewright/blobs.")
            }
            return
        }
        if address == "directory" { return }
        guard address.hasPrefix("s3://") else {
            throw ServiceError(
                .invalidArgument, "\"\(address.prefix(60))\" is no place for blobs", field: "blobs",
                nextStep: "Say directory, directory:PATH or s3://bucket/prefix?endpoint=…&region=….")
        }
        let location = try S3Location(address)
        guard isLent, !location.isSecure else { return }
        throw ServiceError(
            .failedPrecondition, "s3.presigned needs an endpoint that begins with https://", field: "s3.presigned",
            rule: "s3-presigned-tls",
            nextStep: "Whoever sees a signed address can read the content. Use TLS, or leave s3.presigned out.")
    }

    /// The folder that holds the blobs; `nil` when they are in S3, or in the state folder and that is not given.
    private func path(in folder: StateFolder?) -> String? {
        if address == "directory" { return folder?.blobs }
        return address.hasPrefix("directory:") ? String(address.dropFirst(10)) : nil
    }

    /// Opens the store. Nothing is asked of a server yet.
    func open(
        in folder: StateFolder, pool: BlockingPool, clock: any WallClock, logger: Logger
    ) async throws -> any BlobInventory {
        try examine()
        if let path = path(in: folder) { return try await DirectoryBlobStore(directory: path, pool: pool) }
        let location = try S3Location(address)
        if let file = location.authorityFile, !FileManager.default.isReadableFile(atPath: file) {
            throw ServiceError(
                .failedPrecondition, "cannot read the certificates in \(file)", field: "blobs",
                nextStep: "Correct ca=… in --blobs, or let this user read that file.")
        }
        return try await S3BlobStore(
            location: location, credentials: try await credentialSource(pool), spool: folder.spool, pool: pool,
            lending: try lending(location), clock: clock, logger: logger)
    }

    private func lending(_ location: S3Location) throws -> S3BlobStore.Lending? {
        guard isLent else { return nil }
        guard let file = location.authorityFile else { return S3BlobStore.Lending(authorities: "") }
        return S3BlobStore.Lending(authorities: try String(contentsOfFile: file, encoding: .utf8))
    }

    /// The keys for S3, of blobs as of backups.
    func credentialSource(_ pool: BlockingPool) async throws -> S3CredentialSource {
        if let credentialsFile { return try await S3CredentialSource(file: credentialsFile, pool: pool) }
        if let credentials { return S3CredentialSource(credentials, pool: pool) }
        throw ServiceError(
            .failedPrecondition, "there are no keys for the blobs in S3", field: "blobs", rule: "s3-credentials",
            nextStep:
                "Set PAGEWRIGHT_S3_ACCESS_KEY and PAGEWRIGHT_S3_SECRET_KEY, or name a file with --s3-credentials.")
    }
}
