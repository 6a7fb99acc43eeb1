/* The core of the control plane: the line of jobs of one site, grants, fences, offers, sessions, completions, and one
   serving host that converges to a desired generation.  NJ jobs, NW workers, NREP coordinators that push.  The two halves
   meet in one number only, the desired generation, so each is checked without the other: -DNOHOST and -DNOJOBS.

   Every atomic{} on shared variables is ONE database transaction.  The reaper may fire at ANY moment, which stands for
   wrong clocks and paused workers.  Frames are delayed and doubled; a worker's session may be replaced while frames of
   the old one are under way.  `make model` checks this with Spin, and that each mutant below is caught:

   With -DTRIES the jobs try one request side by side: all may be ready and leased at once, and none moves the pointer.

   -DM_STATEONLY  a completion is taken when the job is leased, whoever holds it
   -DM_NOFENCE    a completion is compared by attempt only
   -DM_POLLDEL    a job's row is deleted when it is handed out
   -DM_NOGEN      a host takes whatever it is sent
   -DM_GENFILE    a host keeps its generation in a file beside what it serves
   -DM_NOFLOOR    a restored database goes on counting where the backup was
   -DM_EDGE       a generation is pushed once, when it changes
   -DM_NOREAP     nobody looks for expired leases
   -DM_NOEPOCH    frames of a session that is over count
   -DM_HANDBACK   an offer that was not taken counts as a lost attempt
   -DM_NOMOVEUP   a cancelled or dead head of the line does not make room for the next job                        */
#ifndef NJ
#define NJ 2
#endif
#define NW   2
#define MAXL 2                      /* accepted attempts that may be lost before a job is dead */
#ifndef MAXF
#define MAXF 9                      /* bound on fences: no more grants above it */
#endif
#define NONE 255

mtype = { QUEUED, READY, LEASED, DONE, DEAD, GONE };

mtype state[NJ] = QUEUED;
byte  attempt[NJ];                  /* of the grant made last; never decreases */
byte  losses[NJ];                   /* accepted attempts that were lost */
byte  leased[NJ];                   /* fence of the lease that is held now (the token is as unique) */
bool  accepted[NJ];
bool  mute[NJ];                   /* ghost: its worker died before it answered the offer */
byte  owner[NJ] = NONE;             /* ghost: the worker that holds the lease */
byte  commits[NJ];                  /* ghost: accepted completions */
byte  counted[NJ];                  /* ghost: accepted attempts that really were lost */
byte  fence;                        /* of the site */
byte  granted;                      /* ghost: the largest fence ever granted */
byte  epoch[NW];                    /* the newest session of each worker */
byte  handbacks = 1;                /* budgets of the environment */
byte  deaths = 1;
byte  reconnects = 1;
byte  lossb = 1;
byte  crashb = 1;
bool  unlocked, restored, snapped;

byte  desired = 1;                  /* generation of the site on the host, in the database */
bool  blobs[MAXF + 4];              /* on the host: fetched, verified and synced */
byte  serving;                      /* where `current` leads: the truth on the host's disk */
byte  genfile;                      /* the mutant's file */
byte  gmaxserving;                  /* ghost */

mtype sstate[NJ]; byte sattempt[NJ]; byte slosses[NJ]; byte sfence; byte sdesired;   /* the backup */

chan done = [3] of { byte, byte, byte, byte, byte };    /* job, attempt, fence, worker, epoch */
chan push = [2] of { byte };                            /* generation */

inline moveup() {                   /* the head of the line is ready while the site is idle */
#if NJ > 1 && defined(TRIES)
  if :: state[0] == QUEUED -> state[0] = READY :: else -> skip fi;
  if :: state[1] == QUEUED -> state[1] = READY :: else -> skip fi
#else
#if NJ > 1
  if
  :: (state[0] != READY && state[0] != LEASED && state[1] != READY && state[1] != LEASED) ->
       if :: state[0] == QUEUED -> state[0] = READY
          :: else -> if :: state[1] == QUEUED -> state[1] = READY :: else -> skip fi
       fi
  :: else -> skip
  fi
#else
  if :: state[0] == QUEUED -> state[0] = READY :: else -> skip fi
#endif
#endif
}

inline lose(j) {                    /* Job.lose with Site.raiseFence: the holder is stale from this instant */
  if :: accepted[j] -> losses[j]++; counted[j]++ :: else -> skip fi;
  accepted[j] = false; mute[j] = false; owner[j] = NONE; leased[j] = 0; fence++;
  if :: losses[j] >= MAXL -> state[j] = DEAD :: else -> state[j] = READY fi;
#ifndef M_NOMOVEUP
  moveup()
#endif
}

#ifndef NOJOBS
#define EPOCHOK(w, e) (epoch[w] == e)
#ifdef M_NOEPOCH
#define NEWEST true
#else
#define NEWEST EPOCHOK(w, e)
#endif

active [NW] proctype Worker() {
  byte j, a, f, e;
  byte me = _pid;
end_w:
  do
  :: atomic {                       /* the grant: site row first, then job row */
       fence < MAXF && (state[0] == READY
#if NJ > 1
         || state[1] == READY
#endif
       ) ->
       if :: state[0] == READY -> j = 0
#if NJ > 1
          :: state[1] == READY -> j = 1
#endif
       fi;
       fence++;
       assert(fence > granted);                          /* L1 */
       granted = fence;
       state[j] = LEASED; attempt[j]++; leased[j] = fence; owner[j] = me; accepted[j] = false;
       a = attempt[j]; f = fence; e = epoch[me] }
     if
     :: atomic { handbacks > 0 -> handbacks--;           /* the host says no, or the offer is withdrawn */
          if :: state[j] == LEASED && attempt[j] == a && leased[j] == f && !accepted[j] ->
#ifdef M_HANDBACK
                  losses[j]++;
#endif
                  assert(losses[j] == counted[j]);       /* Q7 */
                  state[j] = READY; owner[j] = NONE; leased[j] = 0
             :: else -> skip
          fi }
     :: atomic { deaths > 0 -> deaths--;                 /* dies before it answers */
          if :: state[j] == LEASED && leased[j] == f -> mute[j] = true :: else -> skip fi }
     :: atomic { if :: state[j] == LEASED && attempt[j] == a && leased[j] == f -> accepted[j] = true :: else -> skip fi };
          if
          :: done!j,a,f,me,e                             /* the report */
          :: done!j,a,f,me,e; done!j,a,f,me,e            /* said again, because the answer was lost */
          :: atomic { reconnects > 0 -> reconnects--; epoch[me]++ };   /* a newer session, while the old frame is under way */
             done!j,a,f,me,e; e = epoch[me]; done!j,a,f,me,e           /* the spool says it again there */
          :: skip                                        /* kill -9 of the worker */
          fi
     fi;
     j = 0; a = 0; f = 0; e = 0
  od
}

#ifndef M_NOREAP
active proctype Reaper() {          /* expiry, at any time */
end_r:
  do
  :: atomic { state[0] == LEASED && (accepted[0] || mute[0]) && fence < MAXF + 2 -> lose(0) }
#if NJ > 1
  :: atomic { state[1] == LEASED && (accepted[1] || mute[1]) && fence < MAXF + 2 -> lose(1) }
#endif
  od
}
#endif

#ifdef M_STATEONLY
#define HELD (state[j] == LEASED)
#else
#ifdef M_NOFENCE
#define HELD (state[j] == LEASED && attempt[j] == a)
#else
#ifdef TRIES
#define HELD (state[j] == LEASED && attempt[j] == a && leased[j] == f && f <= fence)   /* Site.admits, of a try */
#else
#define HELD (state[j] == LEASED && attempt[j] == a && leased[j] == f && fence == f)   /* Site.admits */
#endif
#endif
#endif

/* The head of the site has one writer: nobody else holds anything of the site when a completion moves it. */
#if NJ > 1
#define ALONE (state[1 - j] != READY && state[1 - j] != LEASED)
#else
#define ALONE true
#endif

active proctype Completions() {     /* JobCompletions */
  byte j, a, f, w, e;
end_c:
  do
  :: atomic { done?j,a,f,w,e ->
       if
       :: HELD && NEWEST ->
            assert(owner[j] == w && leased[j] == f);     /* Q5 */
#ifndef TRIES
            assert(f == granted && ALONE);               /* L2, Q6 */
#endif
            assert(EPOCHOK(w, e));                       /* A2 */
            state[j] = DONE; commits[j]++; owner[j] = NONE; leased[j] = 0; accepted[j] = false;
            assert(commits[j] == 1);                     /* Q4 */
            fence++;                                     /* the version */
#ifndef TRIES
            desired++;                                   /* the pointer, the generation */
#endif
            moveup()
       :: else -> skip                                   /* DUPLICATE or STALE */
       fi; j = 0; a = 0; f = 0; w = 0; e = 0 }
  od
}

#else
active proctype Editor() {          /* all that the host sees of jobs: commits that raise the generation, and a restore */
  byte edits = 2;
end_j:
  do
  :: atomic { edits > 0 -> edits--; desired++ }
#ifdef RESTORE
  :: atomic { !snapped && !restored -> snapped = true; sdesired = desired }
  :: atomic { snapped && !restored -> restored = true; desired = sdesired }
#endif
  od
}
#endif

#ifndef NOHOST
#ifndef NREP
#define NREP 2
#endif
active [NREP] proctype Replica() {  /* reads what is desired and sends it later, when it may be old */
  byte g;
end_p:
  do
#ifdef M_EDGE
  :: atomic { desired > g -> g = desired };              /* once, and it may be lost */
     if :: push!g :: atomic { lossb > 0 -> lossb-- } fi
#else
#ifndef M_NOFLOOR
  :: atomic { serving > desired -> desired = serving + 1 }        /* Placement.compare: the host is ahead */
#endif
  :: atomic { desired != serving -> g = desired };       /* level-triggered: compared, and sent again */
     if :: push!g :: atomic { lossb > 0 -> lossb-- } fi; g = 0
#endif
  od
}

#ifdef M_NOGEN
#define NEWER true
#else
#ifdef M_GENFILE
#define NEWER (g > genfile)
#else
#define NEWER (g > serving)         /* SiteReplica.reply */
#endif
#endif

active proctype Host() {
  byte g;
end_h:
  do
  :: push?g ->
       if
       :: NEWER ->
            if :: blobs[g] = true
               :: atomic { crashb > 0 -> crashb-- }; goto crash fi;
            atomic { assert(blobs[g]);                   /* R3 */
                     serving = g;                        /* the rename */
                     assert(serving >= gmaxserving);     /* R4 */
                     gmaxserving = serving };
            if :: skip :: atomic { crashb > 0 -> crashb-- }; goto crash fi;
            genfile = g
       :: else -> skip
       fi;
crash: g = 0
  od
}
#endif

#ifndef NOJOBS
active proctype Env() {
  atomic { moveup() };
end_e:
  do
  :: atomic { !unlocked && state[0] == LEASED && fence < MAXF -> unlocked = true; lose(0) }   /* an admin */
#ifdef M_POLLDEL
  :: atomic { deaths > 0 && state[0] == LEASED -> deaths--; state[0] = GONE; owner[0] = NONE }
#endif
#ifdef RESTORE
  :: atomic { !snapped && !restored -> snapped = true; sfence = fence; sdesired = desired;
       sstate[0] = state[0]; sattempt[0] = attempt[0]; slosses[0] = losses[0]
#if NJ > 1
       ; sstate[1] = state[1]; sattempt[1] = attempt[1]; slosses[1] = losses[1]
#endif
     }
  :: atomic { snapped && !restored && fence < MAXF - 2 -> restored = true; snapped = false;
       state[0] = sstate[0]; attempt[0] = sattempt[0]; losses[0] = slosses[0]; counted[0] = slosses[0];
       accepted[0] = false; mute[0] = false; owner[0] = NONE; leased[0] = 0;
       commits[0] = 0; if :: sstate[0] == DONE -> commits[0] = 1 :: else -> skip fi;
       if :: state[0] == LEASED -> state[0] = READY :: else -> skip fi;
#if NJ > 1
       state[1] = sstate[1]; attempt[1] = sattempt[1]; losses[1] = slosses[1]; counted[1] = slosses[1];
       accepted[1] = false; mute[1] = false; owner[1] = NONE; leased[1] = 0;
       commits[1] = 0; if :: sstate[1] == DONE -> commits[1] = 1 :: else -> skip fi;
       if :: state[1] == LEASED -> state[1] = READY :: else -> skip fi;
#endif
       desired = sdesired;
#ifdef M_NOFLOOR
       fence = sfence;
#else
       fence++;                     /* Site.enter(incarnation:): above every fence that was ever given */
#endif
       moveup() }
#endif
  od
}

#endif

#ifdef P_ENDS
#if NJ > 1
#define OVER(x) (state[x] == DONE || state[x] == DEAD)
active proctype Ends() { end_m: timeout -> assert((OVER(0) && OVER(1)) || fence >= MAXF) }
#else
active proctype Ends() { end_m: timeout -> assert(state[0] == DONE || state[0] == DEAD || fence >= MAXF) }
#endif
#endif
#ifdef P_CONVERGES
active proctype Converges() { end_n: timeout -> assert(serving == desired) }
#endif
