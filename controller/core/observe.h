/* What is live: asked regularly, learned, and squared with the ledger. */
#ifndef CORE_OBSERVE_H
#define CORE_OBSERVE_H

#include "controller/core/service.h"

struct input;

/* TIMER_OBSERVE: ask. */
void observe_due(struct core *core, struct service *service);

/* The answer to a regular observation. */
void observe_answered(struct core *core, struct service *service,
                      const struct input *input);

/* Does the answer say what is live?  A version that is no name does not. */
bool observe_is_clear(const struct input *input);

/* It does not: keep why, for people. */
void observe_note_failure(struct core *core, struct service *service,
                          const struct input *input);

/* A clear answer was learned; false: one that was asked for later came first,
 * so this one tells nothing of now. */
bool observe_take(struct core *core, struct service *service,
                  const struct input *input);

/* What somebody saw: recorded when it is news. */
void observe_learn(struct core *core, struct service *service,
                   const char *version, bool complete);

/* Ask soon. */
void observe_soon(struct core *core, struct service *service);

/* TIMER_RECONCILE: a version that nobody told us of is discovered, older
 * releases are superseded, a candidate that is live is watched. */
void reconcile_due(struct core *core, struct service *service);
void reconcile_soon(struct core *core, struct service *service);

#endif
