/* The core, given a table: what it decides and when it would act.
 *
 * Data time is the only time: questions are answered at the moment they are
 * asked about, the release is live and complete from its deploy on, and a
 * revert is the end (or, when going on, is refused by a target that is not
 * there).  A countdown begins with the first look at which its rollback could
 * be carried out; a known leaf of another kind withdraws it; at its end the
 * leaf must stand, else it waits for the leaf to come back. */
#ifndef REPLAY_RUN_H
#define REPLAY_RUN_H

#include "controller/replay/report.h"
#include "controller/replay/table.h"

struct run_options {
    const struct csv *csv; /* loaded */
    enum csv_fill fill;
    const struct policy *policy; /* lent */
    const struct replay_release *release;
    bool goes_on; /* past a rollback and past the watch */
};

/* Judge the table from the deploy to the end, telling @report.  False with
 * one line in @ret_error when the core refuses the release. */
bool run_judge(const struct run_options *options, struct report *report,
               char *ret_error, size_t size);

#endif
