/* What becomes of a world when a policy watches it, and when a plain alert
 * does. */
#ifndef WORLDS_MEASURE_H
#define WORLDS_MEASURE_H

#include "controller/replay/table.h"
#include "tests/worlds/world.h"

/* Times are seconds after the deploy. */
struct outcome {
    bool reverts;
    double reverted_at;
    bool holds; /* a look said hold */
    double held_at;
    bool pages;
};

/* A look of the way, for charts: NULL when nobody watches. */
typedef void measure_look(const struct policy *policy,
                          const struct verdict *verdict, double at,
                          void *context);

struct measure_options {
    const char *path; /* of the policy */
    const char *source;
    measure_look *look;
    void *context;
};

/* Judge the world as replay does: the table's samples on the policy's grid,
 * what is unsure counts down.  Ends with the first revert.  Exits with a
 * message when policy or table cannot be read. */
struct outcome measure_policy(const struct world *world,
                              const struct measure_options *options);

/* Errors above 5 % or a pool above 95 %, for a minute of rows after the
 * deploy: whoever is paged then goes back. */
struct outcome measure_alert(const struct world *world);

/* Did the outcome do what was wanted, and not before there was a reason? */
bool outcome_is_right(const struct plan *plan, const struct outcome *outcome);

#endif
