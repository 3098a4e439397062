/* What a person would see: problems as they are printed, and small policies
 * to put an expression or a tree into. */
#ifndef HELP_GOLDEN_H
#define HELP_GOLDEN_H

#include "policies/read/policy_read.h"
#include "policies/read/yaml_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* A source and all that is printed about it. */
struct golden {
    const char *source;
    const char *printed;
};

/* Read each as policy.yaml and compare what is printed, byte for byte. */
void check_policies(const struct golden *golden, size_t count);

/* The same, as a mere tree. */
void check_trees(const char *path, const struct golden *golden, size_t count);

/* The same, as the `if` of a policy's only question.  `printed` holds the
 * lines "COLUMN: message" with ", write: FIX" when there is one. */
void check_conditions(const struct golden *golden, size_t count);

/* A policy with @condition as its only question; fails when it is refused.
 * Signals: errors requests per_second, size count, share ratio, wait seconds,
 * memory bytes, hits_total a scraped counter; named: rate_of (ratio), hurt (a
 * condition).  Grid times are 15 s apart. */
struct policy *policy_of_condition(const char *condition);

/* A policy that is good; fails when it is not. */
struct policy *policy_of_source(const char *source);

#endif
