package import Glibc

/// What a process and everything that descends from it use now, as `/proc` tells.
struct ProcessTree: Equatable {
    let processes: Int
    let memoryInBytes: Int64

    /// Looks at every process of the host once.
    static func measure(root: pid_t) -> ProcessTree {
        guard let folder = opendir("/proc") else { return ProcessTree(processes: 0, memoryInBytes: 0) }
        defer { closedir(folder) }
        var children: [pid_t: [(process: pid_t, pages: Int64)]] = [:]
        while let entry = readdir(folder) {
            guard let process = pid_t(DirectoryEntry.name(of: entry)),
                let stat = SmallFile.read("/proc/\(process)/stat", limit: 4096),
                let end = stat.lastIndex(of: ")")
            else { continue }
            // After the name in parentheses: state, parent, …; the 22nd of these is the resident set.
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            guard fields.count > 21, let parent = pid_t(fields[1]), let pages = Int64(fields[21]) else { continue }
            children[parent, default: []].append((process, pages))
        }
        var count = 0
        var pages: Int64 = 0
        var waiting = [root]
        while let parent = waiting.popLast() {
            for child in children.removeValue(forKey: parent) ?? [] {
                count += 1
                pages += child.pages
                waiting.append(child.process)
            }
        }
        return ProcessTree(processes: count, memoryInBytes: pages * Int64(sysconf(Int32(_SC_PAGESIZE))))
    }
}

/// The name in a directory entry.
package enum DirectoryEntry {
    package static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        String(decoding: nameBytes(of: entry), as: UTF8.self)
    }

    /// Names need not be text.
    package static func nameBytes(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name)!
        let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: UInt8.self)
        return Array(
            UnsafeBufferPointer(
                start: start, count: strlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))))
    }
}
