#include "tests/worlds/chance.h"

#include <math.h>

void chance_init(struct chance *chance, uint64_t seed, double stretch)
{
    chance->state = seed * 0x9e3779b97f4a7c15ULL + 0x632be59bd9b4e019ULL;
    chance->stretch = stretch;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_bits(struct chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

double chance_share(struct chance *chance)
{
    return (double)(next_bits(chance) >> 11) / 9007199254740992.0;
}

bool chance_is(struct chance *chance, double probability)
{
    return chance_share(chance) < probability;
}

double chance_between(struct chance *chance, double low, double high)
{
    return low + (high - low) * chance_share(chance);
}

double chance_pick(struct chance *chance, double low, double high)
{
    double from = log(low / chance->stretch);
    double to = log(high * chance->stretch);

    return exp(chance_between(chance, from, to));
}

/* Box and Muller; one of the pair is enough here. */
double chance_normal(struct chance *chance)
{
    double radius = sqrt(-2 * log(1 - chance_share(chance)));

    return radius * cos(6.283185307179586 * chance_share(chance));
}

static double rounded_normal(struct chance *chance, double mean, double spread)
{
    double drawn = floor(mean + spread * chance_normal(chance) + 0.5);

    return drawn > 0 ? drawn : 0;
}

double chance_poisson(struct chance *chance, double mean)
{
    double product = 1, least = 0;
    int count = -1;

    if (mean > 50) {
        return rounded_normal(chance, mean, sqrt(mean));
    }
    least = exp(-mean);
    do {
        product *= chance_share(chance);
        count++;
    } while (product > least);
    return count;
}

double chance_binomial(struct chance *chance, double trials, double share)
{
    double failed = 0;

    if (share <= 0 || trials <= 0) {
        return 0;
    }
    if (share >= 1) {
        return trials;
    }
    if (trials < 50) {
        for (int i = 0; i < (int)trials; i++) {
            failed += chance_is(chance, share);
        }
        return failed;
    }
    failed = trials * share < 30
                 ? chance_poisson(chance, trials * share)
                 : rounded_normal(chance, trials * share,
                                  sqrt(trials * share * (1 - share)));
    return failed < trials ? failed : trials;
}
