/// What a client calls itself, in the words of people: `Firefox on Linux`.
struct AgentName {
    private static let programs = [
        ("pagewright/", "The command pagewright"), ("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"),
    ]
    private static let systems = [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]

    let text: String

    init(_ agent: String) {
        let program = Self.programs.first { agent.contains($0.0) }?.1
        let system = Self.systems.first { agent.contains($0.0) }?.1
        switch (program, system) {
        case (let program?, let system?): text = "\(program) on \(system)"
        case (let program?, nil): text = program
        case (nil, _): text = agent.isEmpty ? "An unknown program" : String(agent.prefix(60))
        }
    }
}
