/// Moves addresses that begin at the root of a site below a folder of ours: `/style.css` to `/view/…/style.css`.
enum RootAddresses {
    private static let openings = ["=\"/", "='/", "url(/", "url(\"/", "url('/"].map { Array($0.utf8) }

    /// Addresses of other hosts (`//…`) stay. `prefix` begins and ends with a slash.
    static func moved(_ source: [UInt8], below prefix: String) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let inserted = Array(prefix.utf8.dropFirst())
        var result: [UInt8] = []
        result.reserveCapacity(source.count + 1024)
        for (index, byte) in source.enumerated() {
            result.append(byte)
            guard byte == slash, index + 1 >= source.count || source[index + 1] != slash else { continue }
            let isRoot = openings.contains { opening in
                index + 1 >= opening.count
                    && source[(index + 1 - opening.count)...index].elementsEqual(opening)
            }
            if isRoot { result += inserted }
        }
        return result
    }
}
