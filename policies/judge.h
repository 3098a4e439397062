/* Is this release good?  One look of one release at one grid time.
 *
 * The judge is a pure stepper: the same policy, the same rows in the same
 * order, the same facts give the same verdicts, byte for byte, in the daemon,
 * in replay and in tests.  It allocates nothing.  Its memory of a release is
 * one block of policy->judge_bytes that the caller owns: rings with the past
 * of exactly those nodes that some window, `for` or `of` looks back on, and
 * the frozen values of the time before the deploy.
 *
 * To refill after a gap, a restart or a new policy: judge_start(), then
 * judge_look() over the past rows in order.  There is no other restore path. */
#ifndef POLICIES_JUDGE_H
#define POLICIES_JUDGE_H

#include "policies/policy.h"

/* What a source said about one fetched signal at one grid time.  `number` is
 * as fetched (the judge scales it); ignored unless KNOWN.  UNKNOWN_NO_DATA is
 * "an answer with nothing in it": on_no_data decides what it means. */
struct sample {
    double number;
    enum unknown unknown;
};

struct label {
    char name[64];
    char value[NAME_MAX_BYTES + 1];
};
#define LABELS_MAX 16

/* Everything about a release that a policy may ask, at this look. */
struct facts {
    const char *service, *environment, *version;
    const char *control_version; /* last good at the deploy; NULL: none */
    const char *kind;            /* NULL: not said */
    const char *data_change;     /* NULL: not said */
    const struct label *labels;
    size_t labels_count;
    time_ms deployed_at;
    enum answer rollback_safe;
    bool stuck;
    double fleet[POLICY_FLEET_MAX]; /* in the order of policy_fleet() */
};

/* One step on the path through the tree. */
struct step {
    uint16_t question;
    enum answer answer;
};

/* The two sides of a canary. */
enum canary_side { SIDE_CANARY, SIDE_CONTROL, SIDES };

/* What a worse() has seen so far: errors of requests on each side; or how
 * often the canary's was higher, of how many comparisons (the control's are 0).
 * Its evidence speaks against "no worse", times : 1; 0 before the first look
 * after settling at which both sides were known. */
struct compared {
    double events[SIDES], of[SIDES];
    double times;
};

struct verdict {
    time_ms at;
    uint16_t leaf;    /* index; WAIT also when an unknown had no branch */
    enum answer root; /* of the root question */
    bool unsure;      /* some question on the path was unknown */
    uint8_t steps;
    struct step path[POLICY_DEPTH_MAX];
    struct value values[POLICY_NODES_MAX];       /* of each node, [0, nodes) */
    struct compared compared[POLICY_TRIALS_MAX]; /* [0, trials) */
};

/* A block of policy->judge_bytes, aligned to 8:
 *   the header, JUDGE_HEADER_BYTES;
 *   policy->frozens x struct value;
 *   policy->trials x struct trial (sequential.h);
 *   the rings, each at ring.offset from the start of this block: a number's
 *   ring is slots doubles, then slots bytes of enum unknown; a condition's is
 *   slots bytes of enum answer; both padded to a multiple of 8. */
struct judge;
#define JUDGE_HEADER_BYTES 64

/* Begin: deployed at @deployed_at, nothing seen, nothing frozen. */
void judge_start(const struct policy *policy, struct judge *judge,
                 time_ms deployed_at);

/* Judge grid time @g (a multiple of watch.every, later than the last one and
 * than deployed_at).  @row holds one sample for each fetched signal.  Grid
 * times between the last look and @g that were never given count as missing.
 *
 * While the release settles, @g at most deployed_at + settle, everything is
 * evaluated all the same: windows are not covered and `for` is unknown then,
 * but a condition without either answers.  Not to act on such a verdict, and
 * not to count it, is the caller's part. */
void judge_look(const struct policy *policy, struct judge *judge, time_ms g,
                const struct sample *row, const struct facts *facts,
                struct verdict *ret_verdict);

/* Where @answer leads. */
const struct branch *question_branch(const struct question *question,
                                     enum answer answer);

/* The last grid time given to judge_look(), or deployed_at's own grid time. */
time_ms judge_seen(const struct judge *judge);

/* What it remembers, slot by slot of each of the policy's rings, to be recorded
 * beside a verdict; and a memory made of that: begin as one that was deployed
 * at @deployed_at and saw all up to @seen, then set the slots and freeze.  The
 * next judge_look() is that of the grid time after @seen.  A look that is taken
 * again on the memory that it left gives the same verdict: it only puts again
 * what it has put. */
time_ms judge_deployed_at(const struct judge *judge);
struct value judge_slot(const struct policy *policy, const struct judge *judge,
                        uint16_t ring, uint16_t slot);
void judge_resume(const struct policy *policy, struct judge *judge,
                  time_ms deployed_at, time_ms seen);
void judge_set_slot(const struct policy *policy, struct judge *judge,
                    uint16_t ring, uint16_t slot, struct value value);

/* The same of the evidence of each worse(), [0, policy->trials). */
#define TRIAL_NUMBERS 15
const double *judge_trial(const struct policy *policy,
                          const struct judge *judge, uint16_t trial);
void judge_set_trial(const struct policy *policy, struct judge *judge,
                     uint16_t trial, const double numbers[TRIAL_NUMBERS]);

/* The time before the deploy: rows at from, from + every, ... up to and
 * including the last grid time at or before deployed_at. */
struct span {
    time_ms from, to; /* [from, to) */
};
struct history {
    time_ms from;
    size_t rows;                  /* at most HISTORY_ROWS_MAX */
    const struct sample *samples; /* rows x policy->signals, row by row */
    const struct span *without;   /* a suspect version was live then */
    size_t withouts;
};
#define HISTORY_ROWS_MAX (3 * SAMPLES_MAX)

/* Work space of judge_learn(); one is enough for any number of releases. */
struct judge_scratch {
    uint64_t block[JUDGE_BYTES_MAX / sizeof(uint64_t)];
    double numbers[SAMPLES_MAX * POLICY_FROZEN_MAX];
    struct verdict verdict;
};

/* Work out baseline(), change() and before() from @history and freeze them.
 * What is known already stays.  A node for which fewer than 50 % of all grid
 * times of its span are known stays "no baseline"; grid times in @without
 * count as not known, and no window reaches into them.  Two passes: baselines
 * first, then before(), whose condition may use them.  Costs two looks a row,
 * at those nodes that judge_needs() names. */
void judge_learn(const struct policy *policy, struct judge *judge,
                 const struct history *history, const struct facts *facts,
                 struct judge_scratch *scratch);

/* The nodes that each of the two passes works out at every row. */
void judge_needs(const struct policy *policy,
                 bool ret_baselines[POLICY_NODES_MAX],
                 bool ret_befores[POLICY_NODES_MAX]);

/* The frozen values, [0, policy->frozens): to be recorded once, and given
 * back after a restart.  Until learned or given they are "no baseline". */
const struct value *judge_frozen(const struct policy *policy,
                                 const struct judge *judge);
void judge_freeze(const struct policy *policy, struct judge *judge,
                  const struct value *values);

#endif
