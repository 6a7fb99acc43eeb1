/// Recognises the words by which somebody says that the plan made last is to be carried out.
package enum PlanApproval {
    private static let phrases: Set<String> = [
        "do it", "do that", "do this", "go ahead", "go", "go on", "yes", "yes do it", "yes please", "ok", "okay",
        "ok do it", "okay do it", "please do it", "please do", "run it", "run the plan", "carry it out",
        "carry out the plan", "make it so", "apply it", "apply the plan", "proceed", "looks good", "looks good do it",
        "mach es", "mach das", "ja", "ja mach es", "ja bitte", "los", "leg los", "ausführen",
    ]

    package static func isGiven(by prompt: Prompt) -> Bool {
        phrases.contains(WordSet.list(of: prompt.text).joined(separator: " "))
    }
}
