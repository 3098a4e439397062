/* The kinds of worlds that the judge is measured on.
 *
 * A class draws plans: every number of every world is drawn anew, so that no
 * two worlds of a class are alike.  Who tunes a policy looks at the worlds of
 * one seed and measures on another seed, with wider ranges (chance.h). */
#ifndef WORLDS_CLASSES_H
#define WORLDS_CLASSES_H

#include "tests/worlds/world.h"

struct world_class {
    const char *name;
    enum wanted wanted;
    void (*draw)(struct plan *plan, struct chance *chance);
};

extern const struct world_class world_classes[];
extern const size_t world_classes_count;

/* NULL when there is none of that name. */
const struct world_class *world_class_named(const char *name);

/* World @number of @world_class in the universe @seed.  A @stretch of 1 draws
 * from the ranges as they are written, 1.3 from ranges pulled apart by 30 % at
 * both ends.  Owned by the caller (free). */
struct world *world_make(const struct world_class *world_class, uint64_t seed,
                         unsigned number, double stretch);

#endif
