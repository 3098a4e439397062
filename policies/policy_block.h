/* How a compiled policy lies in memory: shared by the compiler, which writes
 * the block, and by policy.c, which reads it.  Nobody else includes this.
 *
 *   struct policy | "*" and its NUL | texts | nodes | signals | questions | ...
 *
 * The text "*" always stands right behind the struct, so that
 * policy_apply_to_all() has a pattern to point at. */
#ifndef POLICIES_POLICY_BLOCK_H
#define POLICIES_POLICY_BLOCK_H

#include "policies/policy.h"

#define POLICY_STAR_AT ((uint32_t)sizeof(struct policy))

#endif
