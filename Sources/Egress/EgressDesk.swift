import Domain
import Logging
import NIOCore
import NIOHTTP1

/// Answers one task's requests: checks each, asks the model, and hands the answer on as it comes.
struct EgressDesk: Sendable {
    let grant: EgressGrant
    let ledger: EgressLedger
    let settings: EgressSettings
    let model: ModelConnection
    let logger: Logger

    /// Until the connection ends.
    func attend(_ client: EgressBroker.Client) async {
        guard ledger.beginConnection(limit: settings.connections) else {
            // Also a connection that nobody attends to has to be ended in order.
            try? await client.executeThenClose { _, _ in }
            return
        }
        defer { ledger.endConnection() }
        do {
            try await client.executeThenClose { requests, replies in
                var head: HTTPRequestHead?
                var body = ByteBuffer()
                var isTooLarge = false
                for try await part in requests {
                    switch part {
                    case .head(let asked):
                        (head, body, isTooLarge) = (asked, ByteBuffer(), false)
                    case .body(var piece):
                        // The rest is read and forgotten, so that whoever sends it hears the answer.
                        isTooLarge = isTooLarge || body.readableBytes + piece.readableBytes > settings.bodyLimit
                        if isTooLarge { body.clear() } else { body.writeBuffer(&piece) }
                    case .end:
                        guard let asked = head else { return }
                        let goesOn = try await answer(asked, body: isTooLarge ? nil : body, replies)
                        body = ByteBuffer()
                        guard goesOn else { return }
                    }
                }
            }
        } catch is CancellationError {
        } catch {
            logger.debug(
                "A task's connection broke", metadata: ["job.id": "\(grant.job)", "error": "\(type(of: error))"])
        }
    }

    private typealias Replies = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

    /// What is said about one request in the log.
    private struct Account {
        var peer = "-"
        var status = 0
        var sent = 0
        var received = 0
    }

    /// Returns whether the connection can be used for another request.
    private func answer(_ asked: HTTPRequestHead, body: ByteBuffer?, _ replies: Replies) async throws -> Bool {
        let began = ContinuousClock.now
        var account = Account()
        var hasBegun = false
        do {
            guard let body else { throw EgressRefusal.bodySize }
            if let playback = grant.playback {
                try ledger.beginRequest()
                account.received = try await play(playback, asked, replies)
                account.status = 200
                log("Answered a request from a transcript", asked, account, began)
                return asked.isKeepAlive
            }
            let request = try EgressRequest(asked, bodySize: body.readableBytes, allowed: grant.allowed)
            try ledger.beginRequest()
            if let witness = grant.witness {
                guard witness.mayAsk() else { throw EgressRefusal.tokenBudget }
                await witness.taskAsks()
            }
            try ledger.count(body.readableBytes)
            account.sent = body.readableBytes
            let (stream, peer) = try await model.open(request.address)
            account.peer = "\(peer.ipAddress ?? "?"):\(peer.port ?? 0)"
            try await exchange(
                request, to: Self.operation(of: asked), body, stream, replies, &account, &hasBegun)
            log("Let a request through", asked, account, began)
            return asked.isKeepAlive
        } catch let refusal as EgressRefusal {
            log("Refused a request", asked, account, began, refusal)
            // An answer that has begun can only be cut off.
            guard !hasBegun else { return false }
            try await refuse(refusal, replies)
            return asked.isKeepAlive
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            log("A request failed", asked, account, began, error)
            guard !hasBegun else { return false }
            try await refuse(.answer, replies)
            return asked.isKeepAlive
        }
    }

    private static func operation(of asked: HTTPRequestHead) -> String { String(asked.uri.prefix { $0 != "?" }) }

    /// Returns how long the answer was.
    private func play(
        _ playback: any EgressPlayback, _ asked: HTTPRequestHead, _ replies: Replies
    ) async throws -> Int {
        guard asked.method == .POST else { throw EgressRefusal.method }
        await playback.taskAsks()
        guard let answer = playback.next(to: Self.operation(of: asked)) else { throw EgressRefusal.playback }
        try ledger.count(answer.body.count)
        let headers = HTTPHeaders([
            ("content-type", answer.contentType), ("content-length", "\(answer.body.count)"),
        ])
        try await replies.write(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)))
        try await replies.write(.body(.byteBuffer(ByteBuffer(bytes: answer.body))))
        try await replies.write(.end(nil))
        return answer.body.count
    }

    private func exchange(
        _ request: EgressRequest, to operation: String, _ body: ByteBuffer, _ stream: ModelConnection.Stream,
        _ replies: Replies, _ account: inout Account, _ hasBegun: inout Bool
    ) async throws {
        var (seen, begun) = (account, hasBegun)
        defer { (account, hasBegun) = (seen, begun) }
        try await stream.executeThenClose { answer, outbound in
            try await outbound.write(.head(request.head))
            if body.readableBytes > 0 { try await outbound.write(.body(.byteBuffer(body))) }
            try await outbound.write(.end(nil))
            var scrubber = SecretScrubber(request.secret)
            var reader: (any EgressAnswerReader)?
            for try await part in answer {
                switch part {
                case .head(let head):
                    // Such as 103 Early Hints.
                    if (100..<200).contains(head.status.code) { continue }
                    seen.status = Int(head.status.code)
                    guard !(300..<400).contains(head.status.code) else { throw EgressRefusal.redirect }
                    begun = true
                    if head.status == .ok {
                        reader = grant.witness?.answer(
                            to: operation, contentType: head.headers.first(name: "content-type") ?? "")
                    }
                    try await replies.write(
                        .head(
                            HTTPResponseHead(
                                version: .http1_1, status: head.status,
                                headers: EgressRequest.answerHeaders(head.headers, secret: request.secret))))
                case .body(let piece):
                    seen.received += piece.readableBytes
                    try ledger.count(piece.readableBytes)
                    let clean = scrubber.scrub(piece.readableBytesView)
                    if !clean.isEmpty {
                        reader?.read(clean)
                        try await replies.write(.body(.byteBuffer(ByteBuffer(bytes: clean))))
                    }
                case .end:
                    let rest = scrubber.finish()
                    reader?.read(rest)
                    await reader?.finish()
                    if !rest.isEmpty { try await replies.write(.body(.byteBuffer(ByteBuffer(bytes: rest)))) }
                    try await replies.write(.end(nil))
                    return
                }
            }
            throw EgressRefusal.answer
        }
    }

    private func refuse(_ refusal: EgressRefusal, _ replies: Replies) async throws {
        let body = ByteBuffer(string: refusal.body)
        let headers = HTTPHeaders([
            ("content-type", "application/json"), ("content-length", "\(body.readableBytes)"),
        ])
        try await replies.write(.head(HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers)))
        try await replies.write(.body(.byteBuffer(body)))
        try await replies.write(.end(nil))
    }

    /// Every request of every task, let through or not. Nothing of its headers or body is said.
    private func log(
        _ message: Logger.Message, _ asked: HTTPRequestHead, _ account: Account, _ began: ContinuousClock.Instant,
        _ error: (any Error)? = nil
    ) {
        var metadata: Logger.Metadata = [
            "job.id": "\(grant.job)", "method": "\(asked.method.rawValue.shown)", "target": "\(asked.uri.shown)",
            "peer": "\(account.peer)", "status": "\(account.status)", "bytes.sent": "\(account.sent)",
            "bytes.received": "\(account.received)", "duration": "\(ContinuousClock.now - began)",
        ]
        switch error {
        case let refusal as EgressRefusal: metadata["rule"] = "\(refusal.rule)"
        case let error?: metadata["error"] = "\(error)"
        case nil: break
        }
        logger.log(level: error == nil ? .info : .notice, message, metadata: metadata)
    }
}

extension String {
    /// What a task wrote, fit for a log.
    fileprivate var shown: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.prefix(200).map { (0x20..<0x7f).contains($0.value) ? $0 : "\u{FFFD}" }))
    }
}
