/* Who is to blame when several services are in trouble over what they share:
 * the release with most breaching signals of its own, then the newest.  The
 * others wait for what comes of it; and for a newer one that reads the same and
 * cannot be judged yet. */
#ifndef CORE_BLAME_H
#define CORE_BLAME_H

#include "controller/core/watch.h"

/* A look was taken, into core->verdict: note in which signals its trouble is
 * seen, and how many of them nobody else reads.  Costs one pass over the
 * watches, in trouble. */
void blame_note(struct core *core, struct service *service);

/* The release that is to blame before @release, or NULL; *ret_why goes on in
 * the sentence after its name.  Costs one pass over the watches. */
const struct release *blame_other(const struct core *core,
                                  const struct release *release,
                                  const char **ret_why);

#endif
