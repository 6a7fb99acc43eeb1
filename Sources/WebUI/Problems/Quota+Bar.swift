import Domain

extension Quota {
    /// A bar of what is used, which says in words too when there is little or nothing left.
    var values: [String: Any] {
        // Used above what a browser calls high, the bar has the colour of the end; above low, that of little left.
        var values: [String: Any] = [
            "used": used, "allowed": allowed, "unit": unit, "low": allowed * 4 / 5, "high": max(0, allowed - 1),
        ]
        if used >= allowed {
            (values["isFull"], values["kind"]) = (true, "full")
        } else if used * 5 >= allowed * 4 {
            (values["isNear"], values["kind"]) = (true, "near")
        }
        return values
    }
}
