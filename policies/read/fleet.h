/* `fleet.*`: what a policy may ask about all services. */
#ifndef POLICIES_READ_FLEET_H
#define POLICIES_READ_FLEET_H

#include "policies/read/expression.h"

/* Compile the part of this name if it is a fact of the fleet: then true, and
 * @ret_good says how it went. */
bool compile_fleet(struct compiler *compiler, size_t part, const char *name,
                   size_t length, bool *ret_good);

/* "fleet.rollbacks" */
const char *fleet_name(enum fleet_fact fact);

/* The names there are, for suggestions; returns how many. */
#define FLEET_NAMES_MAX 8
size_t fleet_names(const char *ret_names[FLEET_NAMES_MAX]);

#endif
