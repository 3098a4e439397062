/* Releases by the idempotency key of their registration: every registration
 * asks, with tens of thousands remembered. */
#ifndef CORE_KEYS_H
#define CORE_KEYS_H

#include "controller/core/release.h"

/* The newest release with @key, which is not empty; NULL: none is remembered.
 */
const struct release *key_find(const struct core *core, const char *key);

/* It has its key (or none), and is forgotten with it.  Call only from
 * core_apply(); the key must not change between. */
void key_keep(struct core *core, struct release *release);
void key_drop(struct core *core, struct release *release);

#endif
