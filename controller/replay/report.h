/* What a replay found, as a story for people or as JSON for machines.
 *
 * The JSON is stable (product.md: Replay) and is written as it comes, one
 * decision a line, so that a long table costs no memory. */
#ifndef REPLAY_REPORT_H
#define REPLAY_REPORT_H

#include "controller/replay/csv.h"
#include "controller/replay/options.h"
#include "controller/replay/release.h"

struct told;
struct ending;

/* Somebody who wants to know instead of reading: nothing is printed then.
 * What is given lives until the call returns. */
struct report_listener {
    void *data;
    /* A look, news or not; its verdict's values are those of this look. */
    void (*look)(void *data, const struct verdict *verdict,
                 const struct facts *facts);
    void (*decision)(void *data, const struct told *told);
    void (*end)(void *data, const struct ending *ending);
};

/* Somebody who looks on besides. */
struct report_watcher {
    void *data;
    void (*look)(void *data, const struct verdict *verdict);
    void (*end)(void *data, const struct ending *ending);
};

struct report {
    FILE *out;
    const struct report_watcher *watcher;   /* NULL: nobody */
    const struct report_listener *listener; /* NULL: it is printed */
    bool json, colour;
    int columns; /* of the page */
    const struct replay_release *release;
    const struct csv *csv;
    size_t decisions; /* told so far */
};

/* A change of verdict or path, with the effective mode of its leaf. */
struct told {
    enum mode mode;
    time_ms countdown;
    const struct policy *policy;
    const struct verdict *verdict;
    const struct facts *facts;
};

/* How it ended.
 *
 * @final is "rollback" if and only if one would be carried out.  Else it is the
 * last verdict's word: "healthy", "wait", "page", "hold"; "wait" also when no
 * look was taken.  A rollback that is the last verdict and is not carried out
 * says why: "rollback (observe)", "rollback (suggest)", "rollback (countdown)"
 * when the table ends before the countdown does, "rollback (refused)". */
struct ending {
    const char *final;
    time_ms at; /* the last moment that was judged */
    bool acts;
    time_ms first_action_at;
    bool by_countdown;       /* it ran down */
    const struct told *last; /* the decision that stands; NULL: none */
};

/* "auto", "countdown 60s", ...: a countdown as the policy spells it.  Returns
 * @text. */
#define MODE_TEXT_MAX 64
const char *report_mode(const struct told *told, char text[MODE_TEXT_MAX]);

void report_begin(struct report *report, const struct policy *policy,
                  const struct replay_options *options);
void report_decision(struct report *report, const struct told *told);

/* A look was taken: for listeners only. */
void report_look(struct report *report, const struct verdict *verdict,
                 const struct facts *facts);

/* Something else that happened: for people only. */
void report_note(struct report *report, time_ms at, const char *word,
                 const char *text);

void report_end(struct report *report, const struct ending *ending);

#endif
