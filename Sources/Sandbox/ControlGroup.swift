import Glibc
import Synchronization

/// Where this agent may make control groups; they limit memory and processes of a sandbox as a whole. The shim of a task
/// makes the group and removes it.
///
/// Where there is none, a sandbox is watched instead: see ``SandboxRunner``.
package enum ControlGroupParent: Sendable, Equatable {
    case unified(String)
    case legacy(memory: String, processes: String)

    private static let prefix = "pagewright-"
    /// Tells groups of this process apart.
    private static let serial = Atomic<Int>(0)

    /// Finds the place by making a group and removing it again; `nil` when this process may not.
    package static func detect() -> ControlGroupParent? {
        guard let own = SmallFile.read("/proc/self/cgroup"), let mounts = SmallFile.read("/proc/self/mounts") else {
            return nil
        }
        let found = unifiedParent(own: own, mounts: mounts) ?? legacyParent(own: own, mounts: mounts)
        guard let found, let probe = try? found.makeGroup(memoryInBytes: 1 << 30, processes: 16), probe.remove()
        else { return nil }
        found.sweep()
        return found
    }

    private var folders: [String] {
        switch self {
        case .unified(let folder): [folder]
        case .legacy(let memory, let processes): [memory, processes]
        }
    }

    /// Removes empty groups of shims that were killed.
    private func sweep() {
        for parent in folders {
            guard let folder = opendir(parent) else { continue }
            defer { closedir(folder) }
            while let entry = readdir(folder) {
                let name = DirectoryEntry.name(of: entry)
                guard name.hasPrefix(Self.prefix),
                    let owner = pid_t(name.dropFirst(Self.prefix.count).prefix { $0.isNumber }),
                    access("/proc/\(owner)", F_OK) != 0
                else { continue }
                rmdir(parent + "/" + name)
            }
        }
    }

    /// The fields of each line of a kernel's table.
    private static func table(_ text: String, separator: Character, fields: Int) -> [[String]] {
        text.split(separator: "\n").map { line in
            line.split(separator: separator, maxSplits: fields - 1, omittingEmptySubsequences: false).map(String.init)
        }.filter { $0.count == fields }
    }

    private static func unifiedParent(own: String, mounts: String) -> ControlGroupParent? {
        let membership = table(own, separator: ":", fields: 3).first { $0[0] == "0" }
        let mount = table(mounts, separator: " ", fields: 6).first { $0[2] == "cgroup2" }
        guard let path = membership?[2], let root = mount?[1] else { return nil }
        let here = path == "/" ? root : root + path
        // Members of a group and limits for its children exclude each other, so the group above is tried as well.
        var candidates = [here]
        if here != root, let slash = here.lastIndex(of: "/") { candidates.append(String(here[..<slash])) }
        for candidate in candidates {
            let offered = (SmallFile.read(candidate + "/cgroup.controllers") ?? "").split { $0 == " " || $0 == "\n" }
            guard offered.contains("memory"), offered.contains("pids") else { continue }
            if SmallFile.write("+memory +pids", to: candidate + "/cgroup.subtree_control") {
                return .unified(candidate)
            }
        }
        return nil
    }

    private static func legacyParent(own: String, mounts: String) -> ControlGroupParent? {
        func place(_ controller: String) -> String? {
            let mount = table(mounts, separator: " ", fields: 6).first {
                $0[2] == "cgroup" && $0[3].split(separator: ",").map(String.init).contains(controller)
            }
            let membership = table(own, separator: ":", fields: 3).first {
                $0[1].split(separator: ",").map(String.init).contains(controller)
            }
            guard let mount, let membership else { return nil }
            return membership[2] == "/" ? mount[1] : mount[1] + membership[2]
        }
        guard let memory = place("memory"), let processes = place("pids") else { return nil }
        return .legacy(memory: memory, processes: processes)
    }

    func makeGroup(memoryInBytes: Int64, processes: Int) throws(SandboxError) -> ControlGroup {
        let name = "\(Self.prefix)\(getpid())-\(Self.serial.add(1, ordering: .relaxed).newValue)"
        let folders: [String]
        var settings: [(file: String, value: String, isRequired: Bool)]
        switch self {
        case .unified(let parent):
            let folder = parent + "/" + name
            folders = [folder]
            settings = [
                (folder + "/memory.max", "\(memoryInBytes)", true), (folder + "/memory.swap.max", "0", false),
                (folder + "/memory.oom.group", "1", false), (folder + "/pids.max", "\(processes)", true),
            ]
        case .legacy(let memory, let pids):
            let memoryFolder = memory + "/" + name
            let processFolder = pids + "/" + name
            folders = [memoryFolder, processFolder]
            settings = [
                (memoryFolder + "/memory.limit_in_bytes", "\(memoryInBytes)", true),
                (memoryFolder + "/memory.memsw.limit_in_bytes", "\(memoryInBytes)", false),
                (processFolder + "/pids.max", "\(processes)", true),
            ]
        }
        let group = ControlGroup(folders: folders)
        for folder in folders where mkdir(folder, 0o755) != 0 && errno != EEXIST {
            let reason = String(cString: strerror(errno))
            group.remove()
            throw .cannotStart("cannot make the control group \(folder): \(reason)")
        }
        for setting in settings where !SmallFile.write(setting.value, to: setting.file) && setting.isRequired {
            group.remove()
            throw .cannotStart("cannot write \(setting.file)")
        }
        return group
    }
}

/// A control group that was made to see whether one can be made.
struct ControlGroup: Sendable {
    let folders: [String]

    /// Kills whatever is left and removes the group; `false` when it is still there.
    @discardableResult
    func remove() -> Bool {
        var isGone = true
        for folder in folders {
            for attempt in 0..<40 {
                if rmdir(folder) == 0 || errno == ENOENT { break }
                if attempt == 39 { isGone = false }
                if !SmallFile.write("1", to: folder + "/cgroup.kill") {
                    for process in (SmallFile.read(folder + "/cgroup.procs") ?? "").split(separator: "\n") {
                        if let process = pid_t(process), process > 1 { kill(process, SIGKILL) }
                    }
                }
                usleep(5_000)
            }
        }
        return isGone
    }
}
