/* Policies from text. */
#ifndef POLICIES_POLICY_READ_H
#define POLICIES_POLICY_READ_H

#include "policies/policy.h"

/* Read a policy from @source (YAML, or JSON when @path ends in ".json").
 * Returns the compiled block, owned by the caller (policy_free), or NULL with
 * at least one error in @problems.  Warnings may come with success.
 * Digest, offsets and node order depend on the text alone. */
struct policy *policy_read(const char *path, const char *source, size_t length,
                           struct problems *problems);

/* Does a file's name say that it is a policy?  *.yaml, *.yml and *.json do;
 * hidden files, tests (*.test.yaml) and schemas (*.schema.json) do not. */
bool policy_file_is_named(const char *name);

/* What replay changes about a policy. */
struct policy_changes {
    time_ms every;              /* the grid, 0: as the policy says */
    const char *const *columns; /* names that a table has */
    size_t count;
};

/* Read a policy as policy_read() does, then change it: an `is` signal that is
 * among the columns is no longer worked out but fetched under its own name,
 * with the unit it had (a condition is true above one half), and what only its
<<<<<<< HEAD
 * expression read is read no more (signal.node is NONE_INDEX).  So is a fact
 * that a table may tell: `release.stuck`, `fleet.breaching`,
 * `fleet.rollbacks(1h)`, `fleet.released(30m)`.  Other names among the columns
=======
 * expression read is read no more (signal.node is NONE_INDEX).  The control's
 * side of a signal x is the column "x:control".  Other names among the columns
>>>>>>> 8378c92 (policies: two versions side by side: canary(), control(),
worse())
 * change nothing.  A max_age that is not written is 0. */
struct policy *policy_read_changed(const char *path, const char *source,
                                   size_t length,
                                   const struct policy_changes *changes,
                                   struct problems *problems);

#endif
