/* Random numbers of a world: the same seed gives the same world everywhere. */
#ifndef WORLDS_CHANCE_H
#define WORLDS_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
    double stretch; /* see chance_pick() */
};

/* Worlds nobody tuned on are drawn from wider ranges: @stretch above 1. */
void chance_init(struct chance *chance, uint64_t seed, double stretch);

/* Uniform in [0, 1). */
double chance_share(struct chance *chance);
bool chance_is(struct chance *chance, double probability);
double chance_between(struct chance *chance, double low, double high);

/* Between @low and @high, both above 0, every factor alike; the ends are
 * pulled apart by `stretch`. */
double chance_pick(struct chance *chance, double low, double high);

double chance_normal(struct chance *chance);
/* How many of many rare events happen, @mean of them expected. */
double chance_poisson(struct chance *chance, double mean);
/* How many of @trials fail, each with probability @share. */
double chance_binomial(struct chance *chance, double trials, double share);

#endif
