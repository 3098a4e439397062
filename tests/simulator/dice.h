/* Chance of a world: everything it decides comes from its seed. */
#ifndef SIMULATOR_DICE_H
#define SIMULATOR_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* 0 .. sides - 1 */
uint64_t dice_roll(struct dice *dice, uint64_t sides);
bool dice_one_in(struct dice *dice, uint64_t sides);
bool dice_percent(struct dice *dice, uint64_t percent);
/* low .. high, both included */
int64_t dice_between(struct dice *dice, int64_t low, int64_t high);

#define DICE_PICK(dice, list)                                                  \
    (list)[dice_roll(dice, sizeof(list) / sizeof((list)[0]))]

#endif
