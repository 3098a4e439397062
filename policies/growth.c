#include "policies/growth.h"

#include "policies/compare.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* 3.090 squared: a standard normal exceeds it once in 1,000. */
#define DEVIATIONS_SQUARED 9.549
#define LOAD_GROWTH_MOST   1.15
#define GOES_ON_LEAST      0.35
#define SAMPLES_LEAST      8

/* --- Making ready --------------------------------------------------------- */

static void drop_repeats(struct window *x, struct window *load)
{
    size_t kept = 0;

    for (size_t i = 0; i < x->count; i++) {
        bool repeats = kept > 0 && x->numbers[i] == x->numbers[kept - 1] &&
                       load->numbers[i] == load->numbers[kept - 1];

        if (!repeats) {
            x->numbers[kept] = x->numbers[i];
            x->seconds[kept] = x->seconds[i];
            load->numbers[kept] = load->numbers[i];
            load->seconds[kept] = load->seconds[i];
            kept++;
        }
    }
    x->count = kept;
    load->count = kept;
}

/* The mean of each sample and its neighbours, a sixteenth of all on either
 * side, so that noise in the load makes no pairs. */
static void smooth(const struct window *window, double *ret_numbers)
{
    size_t reach = window->count / 16;

    for (size_t i = 0; i < window->count; i++) {
        size_t from = i < reach ? 0 : i - reach;
        size_t to = i + reach < window->count ? i + reach : window->count - 1;
        double sum = 0;

        for (size_t j = from; j <= to; j++) {
            sum += window->numbers[j];
        }
        ret_numbers[i] = sum / (double)(to - from + 1);
    }
}

/* --- Pairs ---------------------------------------------------------------- */

struct course {
    size_t count;
    const double *x;
    double load[PAIRED_MAX];
};

/* How far the later sample lies above what the earlier one and the load
 * excuse; false when the pair proves nothing. */
static bool compare_pair(const struct course *course, size_t early, size_t late,
                         double *ret_growth)
{
    double before = course->load[early], after = course->load[late];
    double excused = course->x[early];

    if (after > before * LOAD_GROWTH_MOST) {
        return false;
    }
    if (after > before) {
        excused *= after / before * (after / before);
    }
    *ret_growth = course->x[late] - excused;
    return true;
}

/* S and its variance under "no growth": each sample's rank counts as often as
 * it is the later minus how often it is the earlier of a pair, and each pair
 * adds its own third.  With all pairs this is Mann and Kendall's. */
static bool is_beyond_chance(const struct course *course)
{
    int64_t balance[PAIRED_MAX] = {0};
    int64_t score = 0, pairs = 0, squares = 0;

    for (size_t late = 1; late < course->count; late++) {
        for (size_t early = 0; early < late; early++) {
            double growth = 0;

            if (compare_pair(course, early, late, &growth)) {
                score += (growth > 0) - (growth < 0);
                pairs++;
                balance[late]++;
                balance[early]--;
            }
        }
    }
    for (size_t i = 0; i < course->count; i++) {
        squares += balance[i] * balance[i];
    }
    return score > 0 && (double)(score * score) * 3 >
                            DEVIATIONS_SQUARED * (double)(squares + pairs);
}

/* The typical growth from one stretch of samples to a later one; false when
 * fewer than a quarter of the pairs prove anything. */
static bool typical_growth(const struct course *course, size_t early,
                           size_t late, size_t length, double *ret_growth)
{
    double growths[PAIRED_MAX / 3 * (PAIRED_MAX / 3)];
    size_t count = 0;

    assert(length <= PAIRED_MAX / 3);
    for (size_t i = 0; i < length; i++) {
        for (size_t j = 0; j < length; j++) {
            count += compare_pair(course, early + i, late + j, &growths[count]);
        }
    }
    if (count * 4 < length * length || count == 0) {
        return false;
    }
    *ret_growth = median_of(growths, count);
    return true;
}

static double median_from(const struct window *window, size_t from,
                          size_t count)
{
    double numbers[PAIRED_MAX];

    assert(from + count <= PAIRED_MAX);
    memcpy(numbers, window->numbers + from, count * sizeof(double));
    return median_of(numbers, count);
}

/* The cheap questions first: mostly nothing grows. */
bool window_outgrows(struct window *x, struct window *load, double factor)
{
    struct course course = {0};
    double first = 0, whole = 0, latter = 0;
    size_t third = 0;

    drop_repeats(x, load);
    window_thin(x, PAIRED_MAX);
    window_thin(load, PAIRED_MAX);
    if (x->count < SAMPLES_LEAST) {
        return false;
    }
    course.count = x->count;
    course.x = x->numbers;
    smooth(load, course.load);
    third = course.count / 3;
    first = median_from(x, 0, third);
    if (median_from(x, course.count - third, third) <= first ||
        !typical_growth(&course, 0, course.count - third, third, &whole) ||
        !typical_growth(&course, third, course.count - third, third, &latter)) {
        return false;
    }
    return whole > 0 && whole >= (factor - 1) * first &&
           latter >= GOES_ON_LEAST * whole && is_beyond_chance(&course);
}
