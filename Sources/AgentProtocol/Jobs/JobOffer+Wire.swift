package import Domain
import FoundationEssentials
import SwiftProtobuf

extension JobOffer {
    package init(wire: Pagewright_Agent_V1_Offer) throws(ServiceError) {
        try Field.count(wire.lookPages, "look_pages", atMost: PageChecks.pageLimit)
        var lookPages: [SitePath] = []
        for page in wire.lookPages { lookPages.append(try Field.path(page, "look_pages")) }
        self.init(
            lease: try JobLease(wire: try Field.present(wire.hasLease, wire.lease, "lease")),
            site: try Field.identifier(wire.siteID, "site_id"), kind: try Field.choice(wire.kind, "kind"),
            leaseDuration: try Field.duration(wire.leaseDurationMs, "lease_duration_ms"),
            base: try Field.digest(wire.base, "base"), engine: try Field.choice(wire.engine, "engine"),
            prompt: try Field.text(wire.prompt, "prompt", atMost: TextLimit.prompt),
            limits: try Limits(wire: try Field.present(wire.hasLimits, wire.limits, "limits")),
            model: wire.hasModel ? try ModelAccess(wire: wire.model) : nil,
            replay: Array(try Field.data(wire.replay, "replay", atMost: JobCompletion.transcriptLimit)),
            conversation: try Field.text(wire.conversation, "conversation", atMost: TextLimit.name),
            continuation: try Field.text(wire.continuation, "continuation", atMost: TextLimit.prompt),
            generation: wire.generation.isEmpty
                ? nil : try Field.text(wire.generation, "generation", atMost: GenerationTask.sizeLimit),
            lookPages: lookPages)
    }

    package var wire: Pagewright_Agent_V1_Offer {
        .with {
            $0.lease = lease.wire
            $0.siteID = site.text
            $0.kind = kind.rawValue
            $0.leaseDurationMs = leaseDuration.wholeMilliseconds
            $0.base = Data(base.bytes)
            $0.engine = engine.rawValue
            $0.prompt = prompt
            $0.limits = limits.wire
            if let model { $0.model = model.wire }
            $0.replay = Data(replay)
            $0.conversation = conversation
            $0.continuation = continuation
            $0.generation = generation ?? ""
            $0.lookPages = lookPages.map(\.text)
        }
    }
}

extension JobOffer.Limits {
    init(wire: Pagewright_Agent_V1_Limits) throws(ServiceError) {
        let positive: ClosedRange<Int64> = 1 ... .max
        self.init(
            wallTime: try Field.duration(wire.wallTimeMs, "limits.wall_time_ms"),
            memoryInBytes: Int64(try Field.integer(wire.memoryBytes, "limits.memory_bytes", in: positive)),
            processes: try Field.integer(wire.processes, "limits.processes", in: 1...1_000_000),
            outputInBytes: Int64(try Field.integer(wire.outputBytes, "limits.output_bytes", in: positive)),
            workspaceInBytes: Int64(try Field.integer(wire.workspaceBytes, "limits.workspace_bytes", in: positive)),
            workspaceFiles: try Field.integer(wire.workspaceFiles, "limits.workspace_files", in: positive))
    }

    var wire: Pagewright_Agent_V1_Limits {
        .with {
            $0.wallTimeMs = wallTime.wholeMilliseconds
            $0.memoryBytes = memoryInBytes
            $0.processes = Int64(processes)
            $0.outputBytes = outputInBytes
            $0.workspaceBytes = workspaceInBytes
            $0.workspaceFiles = Int64(workspaceFiles)
        }
    }
}
