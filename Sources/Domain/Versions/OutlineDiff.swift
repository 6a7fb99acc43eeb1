/// What differs between two versions of a page, in the words of those who read it.
package struct OutlineDiff: Sendable, Equatable {
    package enum Change: String, Sendable, CaseIterable { case added, removed, changed, moved }

    package struct Entry: Sendable, Equatable {
        package let change: Change
        /// `nil` when it is new.
        package let before: OutlineItem?
        /// `nil` when it is gone.
        package let after: OutlineItem?

        package init(change: Change, before: OutlineItem?, after: OutlineItem?) {
            self.change = change
            self.before = before
            self.after = after
        }

        /// What it is about; one of the two sides is always there.
        package var item: OutlineItem { after ?? before ?? OutlineItem(kind: .text, text: "") }

        /// Such as `Changed the heading "Hello" to "Good morning".`
        package var sentence: String {
            switch change {
            case .added: return "Added \(item.name)\(place)."
            case .removed: return "Removed \(item.name)\(place)."
            case .moved: return "Moved \(item.name)\(place)."
            case .changed:
                guard let before, let after else { return "" }
                if before.text == after.text, before.target != after.target {
                    return "Changed where \(before.name) points: now \"\(after.target.abridged(to: 80))\"."
                }
                if before.text == after.text { return "Made \(before.name) a heading of level \(after.level)." }
                return "Changed \(before.name) to \"\(after.text.abridged(to: 80))\"."
            }
        }

        private var place: String {
            item.kind == .heading || item.section.isEmpty ? "" : " under \"\(item.section.abridged(to: 60))\""
        }
    }

    /// In the order of the page.
    package let entries: [Entry]

    /// Comparing takes time that grows with the number of changes; what is beyond is not compared.
    package static let itemLimit = 3000

    package init(from base: [OutlineItem], to target: [OutlineItem]) {
        let before = Array(base.prefix(Self.itemLimit))
        let after = Array(target.prefix(Self.itemLimit))
        var gone = [Bool](repeating: false, count: before.count)
        var new = [Bool](repeating: false, count: after.count)
        // What only one side has is in no common sequence; without it, far less is compared.
        let inBefore = Set(before.map(\.identity))
        let inAfter = Set(after.map(\.identity))
        for index in before.indices { gone[index] = !inAfter.contains(before[index].identity) }
        for index in after.indices { new[index] = !inBefore.contains(after[index].identity) }
        let stayed = before.indices.filter { !gone[$0] }
        let known = after.indices.filter { !new[$0] }
        for change in known.map({ after[$0].identity }).difference(from: stayed.map { before[$0].identity }) {
            switch change {
            case .remove(let offset, _, _): gone[stayed[offset]] = true
            case .insert(let offset, _, _): new[known[offset]] = true
            }
        }
        var entries: [Entry] = []
        var (left, right) = (0, 0)
        while left < before.count || right < after.count {
            var removed: [OutlineItem] = []
            var added: [OutlineItem] = []
            while left < before.count, gone[left] {
                removed.append(before[left])
                left += 1
            }
            while right < after.count, new[right] {
                added.append(after[right])
                right += 1
            }
            entries += Self.pairs(removed, added)
            if left < before.count { left += 1 }
            if right < after.count { right += 1 }
        }
        self.entries = Self.withMoves(entries)
    }

    /// Pairs what came with what went at the same place: first what is alike, then one by one.
    private static func pairs(_ removed: [OutlineItem], _ added: [OutlineItem]) -> [Entry] {
        var partners = [Int?](repeating: nil, count: removed.count)
        var isTaken = [Bool](repeating: false, count: added.count)
        let old = removed.map { WordSet($0.text) }
        let new = added.map { WordSet($0.text) }
        func pair(_ isPartner: (Int, Int) -> Bool) {
            for (index, item) in removed.enumerated() where partners[index] == nil {
                guard
                    let match = added.indices.first(where: {
                        !isTaken[$0] && added[$0].kind == item.kind && isPartner(index, $0)
                    })
                else { continue }
                partners[index] = match
                isTaken[match] = true
            }
        }
        pair { left, right in
            let (one, other) = (removed[left], added[right])
            return one.text == other.text && !one.text.isEmpty || one.target == other.target && !one.target.isEmpty
        }
        // In a page that was written anew as a whole, one by one is as good.
        if removed.count * added.count <= 250_000 { pair { old[$0].likeness(to: new[$1]) >= 0.3 } }
        pair { _, _ in true }
        var entries = removed.enumerated().map { index, item in
            Entry(
                change: partners[index] == nil ? .removed : .changed, before: item,
                after: partners[index].map { added[$0] })
        }
        for (index, item) in added.enumerated() where !isTaken[index] {
            entries.append(Entry(change: .added, before: nil, after: item))
        }
        return entries
    }

    /// The same thing gone here and new there was moved.
    private static func withMoves(_ entries: [Entry]) -> [Entry] {
        var places: [OutlineItem.Identity: [Int]] = [:]
        for (index, entry) in entries.enumerated() where entry.change == .added {
            places[entry.item.identity, default: []].append(index)
        }
        var dropped = Set<Int>()
        var moved: [Int: Entry] = [:]
        for (index, entry) in entries.enumerated() where entry.change == .removed {
            guard var found = places[entry.item.identity], let place = found.popLast() else { continue }
            places[entry.item.identity] = found
            dropped.insert(index)
            moved[place] = Entry(change: .moved, before: entry.before, after: entries[place].after)
        }
        return entries.enumerated().compactMap { index, entry in dropped.contains(index) ? nil : moved[index] ?? entry }
    }
}

/// The words of a text, for comparing: lower case, letters and digits only.
package struct WordSet: Sendable, Equatable {
    package let words: Set<String>

    package init(_ text: String) {
        words = Set(Self.list(of: text))
    }

    /// In order, with repetitions.
    package static func list(of text: some StringProtocol) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// Which share of all their words both have: 0 to 1. Two empty texts are alike.
    package func likeness(to other: WordSet) -> Double {
        let all = words.union(other.words).count
        return all == 0 ? 1 : Double(words.intersection(other.words).count) / Double(all)
    }

    /// Which share of these words the other has: 0 to 1.
    package func share(in other: WordSet) -> Double {
        words.isEmpty ? 1 : Double(words.intersection(other.words).count) / Double(words.count)
    }
}
