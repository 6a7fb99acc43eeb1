import Domain

/// What can happen next. Events of a party carry its life: those of an earlier life are void.
enum Event {
    case toCoordinator(connection: Int, AgentMessage, sentAt: Int64)
    case toAgent(connection: Int, CoordinatorMessage)
    case closed(connection: Int, atAgent: Bool)
    case silence(connection: Int, atAgent: Bool)
    case connect(host: Int, life: Int)
    case heartbeat(connection: Int)
    case resend(connection: Int)

    case start(coordinator: Int)
    case dispatch(coordinator: Int, life: Int)
    case grant(coordinator: Int, life: Int, job: Int, host: Int, connection: Int)
    case reconcile(coordinator: Int, life: Int)
    case reap(coordinator: Int, life: Int)
    case push(connection: Int, isResync: Bool)
    case commit(connection: Int, life: Int, JobCompletion, JobCompletion.Outcome)

    case attempt(host: Int, life: Int, lease: JobLease, stage: AttemptStage)
    case deadline(host: Int, life: Int, lease: JobLease)
    case attemptEnded(host: Int, life: Int, lease: JobLease)

    case serve(host: Int, life: Int, site: Int, work: Int, stage: ServingStage)
    case retry(host: Int, life: Int, site: Int, attempt: Int)
    case bootAgent(host: Int)

    case user(Scenario.Action)
    case submit(key: Int, site: Int)
    case writeKey(key: Int, job: Int)
    case fault(Scenario.Fault)
    case mend(Scenario.Fault, party: Int)
    case backUp
    case acceptRecovery
    case calm
    case lookAround
}

enum AttemptStage: Int { case fetch, run, collect, upload, spool }

/// After `ServingStep`: what a crash can come between.
enum ServingStage: Int { case verify, fetch, buildTrees, buildGeneration, rename, sync, probe }
