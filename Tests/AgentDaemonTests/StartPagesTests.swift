import CLinux
import Foundation
import Testing

/// The memory of a program's own instructions, as the kernel counts it.
struct StartPagesTests {
    /// How much of this program's instructions is in memory, in bytes.
    private static func resident() throws -> Int {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var isOurs = false
        var bytes = 0
        for line in try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 5, words[0].contains("-") {
                isOurs = words[1].contains("x") && words.count >= 6 && words[5...].joined(separator: " ") == program
            } else if isOurs, words.count == 3, words[0] == "Rss:" {
                bytes += (Int(words[1]) ?? 0) * 1024
            }
        }
        return bytes
    }

    @Test("A program gives back what it does not use of itself, and goes on")
    func release() throws {
        let before = try Self.resident()
        try #require(before > 1_000_000)
        release_program_pages()
        let after = try Self.resident()
        #expect(after < before * 3 / 4)
        #expect("constants".uppercased() == "CONSTANTS")
    }
}
