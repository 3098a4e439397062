#include "policies/compare.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define SLOPES_MAX (PAIRED_MAX * (PAIRED_MAX - 1) / 2)

/* --- Taken together ------------------------------------------------------- */

double window_sum(const struct window *window)
{
    double sum = 0;

    for (size_t i = 0; i < window->count; i++) {
        sum += window->numbers[i];
    }
    return sum;
}

double window_mean(const struct window *window)
{
    assert(window->count > 0);
    return window_sum(window) / (double)window->count;
}

double window_least(const struct window *window)
{
    double least = window->numbers[0];

    assert(window->count > 0);
    for (size_t i = 1; i < window->count; i++) {
        least = window->numbers[i] < least ? window->numbers[i] : least;
    }
    return least;
}

double window_greatest(const struct window *window)
{
    double greatest = window->numbers[0];

    assert(window->count > 0);
    for (size_t i = 1; i < window->count; i++) {
        greatest =
            window->numbers[i] > greatest ? window->numbers[i] : greatest;
    }
    return greatest;
}

double window_deviation(const struct window *window)
{
    double mean = window_mean(window);
    double squares = 0;

    assert(window->count > 1);
    for (size_t i = 0; i < window->count; i++) {
        double off = window->numbers[i] - mean;

        squares += off * off;
    }
    return sqrt(squares / (double)(window->count - 1));
}

bool window_is_flat(const struct window *window)
{
    for (size_t i = 1; i < window->count; i++) {
        if (window->numbers[i] != window->numbers[0]) {
            return false;
        }
    }
    return true;
}

double window_rate(const struct window *window)
{
    size_t last = window->count - 1;
    double growth = 0;

    assert(window->count > 1);
    for (size_t i = 1; i <= last; i++) {
        double before = window->numbers[i - 1];
        double now = window->numbers[i];

        growth += now < before ? now : now - before;
    }
    return growth / (window->seconds[last] - window->seconds[0]);
}

/* --- Order ---------------------------------------------------------------- */

/* The next pivot's place; a linear congruential generator (Numerical Recipes)
 * with a fixed seed is deterministic and still meets no pattern in data. */
static size_t next_place(uint32_t *seed, size_t count)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (size_t)(((uint64_t)*seed * count) >> 32);
}

static double middle_of_three(double a, double b, double c)
{
    double low = a < b ? a : b;
    double high = a < b ? b : a;

    if (c < low) {
        return low;
    }
    return c > high ? high : c;
}

static double choose_pivot(const double *numbers, size_t count, uint32_t *seed)
{
    return middle_of_three(numbers[next_place(seed, count)],
                           numbers[next_place(seed, count)],
                           numbers[next_place(seed, count)]);
}

/* Those below @pivot move to the front, those above it are copied to
 * @ret_above.  Without branches, for half of them would be mispredicted. */
static void part(double *numbers, size_t count, double pivot, double *ret_above,
                 size_t counts[2])
{
    size_t below = 0, above = 0;

    for (size_t i = 0; i < count; i++) {
        double number = numbers[i];

        numbers[below] = number;
        ret_above[above] = number;
        below += number < pivot;
        above += number > pivot;
    }
    counts[0] = below;
    counts[1] = above;
}

static void sort_few(double *numbers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        double number = numbers[i];
        size_t to = i;

        for (; to > 0 && numbers[to - 1] > number; to--) {
            numbers[to] = numbers[to - 1];
        }
        numbers[to] = number;
    }
}

static double least_of(const double *numbers, size_t count, double otherwise)
{
    double least = otherwise;

    for (size_t i = 0; i < count; i++) {
        least = numbers[i] < least ? numbers[i] : least;
    }
    return least;
}

/* So few are sorted rather than parted. */
#define FEW 16

/* The numbers of rank @rank and @rank + 1 (from 0; the greatest has no
 * successor and gets infinity), at most SLOPES_MAX.  Destroys @numbers.  Each
 * round keeps only the side where the rank lies, so all equal ones end it at
 * once. */
static void select_two(double *numbers, size_t count, size_t rank,
                       double *ret_number, double *ret_next)
{
    double room[SLOPES_MAX];
    double *spare = room;
    double next = (double)INFINITY; /* the least of those left out above */
    uint32_t seed = 1;

    assert(rank < count);
    assert(count <= SLOPES_MAX);
    while (count > FEW) {
        double pivot = choose_pivot(numbers, count, &seed);
        size_t sides[2];

        part(numbers, count, pivot, spare, sides);
        assert(sides[0] + sides[1] < count); /* every round ends with fewer */
        if (rank < sides[0]) {
            next = pivot;
            count = sides[0];
        } else if (rank < count - sides[1]) {
            *ret_number = pivot;
            *ret_next = rank + 1 < count - sides[1]
                            ? pivot
                            : least_of(spare, sides[1], next);
            return;
        } else {
            double *above = spare;

            rank -= count - sides[1];
            count = sides[1];
            spare = numbers;
            numbers = above;
        }
    }
    sort_few(numbers, count);
    *ret_number = numbers[rank];
    *ret_next = rank + 1 < count ? numbers[rank + 1] : next;
}

double median_of(double *numbers, size_t count)
{
    double middle = 0, next = 0;

    assert(count > 0);
    select_two(numbers, count, (count - 1) / 2, &middle, &next);
    return count % 2 == 1 ? middle : (middle + next) / 2;
}

double window_quantile(const struct window *window, double q)
{
    double numbers[SAMPLES_MAX];
    double rank = (double)(window->count - 1) * q;
    size_t whole = (size_t)rank;
    double number = 0, next = 0;

    assert(window->count > 0);
    assert(q >= 0 && q <= 1);
    memcpy(numbers, window->numbers, window->count * sizeof(double));
    select_two(numbers, window->count, whole, &number, &next);
    if (rank <= (double)whole) {
        return number;
    }
    return number + (rank - (double)whole) * (next - number);
}

/* --- A line --------------------------------------------------------------- */

/* By distance instead of by first value: the inner loop has no dependencies,
 * so compilers divide several pairs at a time. */
static size_t slopes_of(const struct window *window,
                        double *restrict ret_slopes)
{
    size_t count = 0;

    for (size_t apart = 1; apart < window->count; apart++) {
        for (size_t i = 0; i + apart < window->count; i++) {
            ret_slopes[count++] =
                (window->numbers[i + apart] - window->numbers[i]) /
                (window->seconds[i + apart] - window->seconds[i]);
        }
    }
    return count;
}

/* Counted in a form of which compilers do several at a time; a sum would have
 * a chain of additions to wait for. */
static bool all_finite(const double *numbers, size_t count)
{
    size_t odd = 0;

    for (size_t i = 0; i < count; i++) {
        if (!(numbers[i] - numbers[i] == 0)) {
            odd++;
        }
    }
    return odd == 0;
}

struct line line_through(struct window *window)
{
    double slopes[SLOPES_MAX];
    double levels[PAIRED_MAX];
    struct line line = {(double)INFINITY, (double)INFINITY};
    size_t count = 0;

    assert(window->count >= 2);
    window_thin(window, PAIRED_MAX);
    count = slopes_of(window, slopes);
    if (!all_finite(slopes, count)) {
        return line;
    }
    line.slope = median_of(slopes, count);
    for (size_t i = 0; i < window->count; i++) {
        levels[i] = window->numbers[i] - line.slope * window->seconds[i];
    }
    if (all_finite(levels, window->count)) {
        line.level = median_of(levels, window->count);
    }
    return line;
}

double line_at(struct line line, time_ms horizon)
{
    return line.level + line.slope * ((double)horizon / 1000);
}
