/// One small piece of markup that came into a page, or went from it, while every other byte stayed as it was.
///
/// Only pieces that a page can take in or do without count: links within the site, list items and emphasis, complete in
/// themselves, at a place in the body where text stands. Everything around such a piece means what it meant before, so
/// that whoever knows the piece knows how the pages differ. This takes one look at their bytes and no parser.
package struct SmallChange: Sendable, Equatable {
    package enum Kind: Sendable { case came, went }

    /// Larger pieces are not small.
    package static let sizeLimit = 4096
    /// How many ways to cut out the piece are tried: of `<li>A</li><li>B</li>` either half may be the new one.
    private static let cutLimit = 64

    package let kind: Kind
    /// It begins and ends with a tag or white space.
    package let piece: [UInt8]

    /// `nil` when the pages differ in another way, or not at all.
    package init?(from base: [UInt8], to target: [UInt8]) {
        guard base.count != target.count, abs(base.count - target.count) <= Self.sizeLimit else { return nil }
        kind = base.count < target.count ? .came : .went
        guard
            let piece =
                kind == .came
                ? Self.piece(of: target, without: base, kind) : Self.piece(of: base, without: target, kind)
        else { return nil }
        self.piece = piece
    }

    /// What has to be taken out of `large` to get `small`.
    private static func piece(of large: [UInt8], without small: [UInt8], _ kind: Kind) -> [UInt8]? {
        large.withUnsafeBufferPointer { large in
            small.withUnsafeBufferPointer { small in
                let length = large.count - small.count
                var start = 0
                while start < small.count, large[start] == small[start] { start += 1 }
                var index = start
                while index < small.count, large[index + length] == small[index] { index += 1 }
                guard index == small.count else { return nil }
                var cuts = 0
                while true {
                    let isBoundary =
                        isTagOrSpace(large[start], 0x3c) && isTagOrSpace(large[start + length - 1], 0x3e)
                    if isBoundary {
                        let piece = Array(large[start..<(start + length)])
                        if CompletePiece.isOne(piece) {
                            // Words that become one would be new ones, and nobody knows what they say.
                            guard kind == .came || !joins(small, at: start) else { return nil }
                            var place = MarkupPlace(bytes: large, end: start)
                            return place.isText() ? piece : nil
                        }
                        cuts += 1
                    }
                    // The same pages, with the piece cut out one byte earlier.
                    guard cuts < cutLimit, start > 0, large[start - 1] == large[start + length - 1] else { return nil }
                    start -= 1
                }
            }
        }
    }

    /// Whether text stands on both sides of a place, with nothing but white space between.
    private static func joins(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) -> Bool {
        let before = bytes[..<place].last { !$0.isHTMLSpace }
        let after = bytes[place...].first { !$0.isHTMLSpace }
        return before != nil && before != 0x3e && after != nil && after != 0x3c
    }

    private static func isTagOrSpace(_ byte: UInt8, _ bracket: UInt8) -> Bool { byte == bracket || byte.isHTMLSpace }
}
