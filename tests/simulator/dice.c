#include "tests/simulator/dice.h"

/* splitmix64 */
static uint64_t next(struct dice *dice)
{
    dice->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = dice->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t dice_roll(struct dice *dice, uint64_t sides)
{
    return next(dice) % sides;
}

bool dice_one_in(struct dice *dice, uint64_t sides)
{
    return dice_roll(dice, sides) == 0;
}

bool dice_percent(struct dice *dice, uint64_t percent)
{
    return dice_roll(dice, 100) < percent;
}

int64_t dice_between(struct dice *dice, int64_t low, int64_t high)
{
    return low + (int64_t)dice_roll(dice, (uint64_t)(high - low) + 1);
}
