#include "help_reference.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_UNIT                                                             \
    {                                                                          \
        1, 0, 0                                                                \
    }
#define RATE_UNIT                                                              \
    {                                                                          \
        1, -1, 0                                                               \
    }

const struct reference_signal reference_signals[SIGNALS] = {
    [X] = {"x", "{prometheus: x, unit: count}", COUNT_UNIT, 1, false},
    [Y] = {"y", "{prometheus: y, unit: count}", COUNT_UNIT, 1, false},
    [E] = {"e", "{prometheus: e, unit: per_second}", RATE_UNIT, 1, false},
    [R] = {"r", "{prometheus: r, unit: per_second}", RATE_UNIT, 1, false},
    [P] = {"p", "{prometheus: p, unit: ratio}", {0, 0, 0}, 1, false},
    [Z] = {"z", "{prometheus: z, unit: count, on_no_data: zero}", COUNT_UNIT, 1,
           true},
    [C] = {"c", "{scrape: c, unit: count}", COUNT_UNIT, 1, false},
    [MS] =
        {"ms", "{prometheus: ms, unit: milliseconds}", {0, 1, 0}, 0.001, false},
};

static const struct worth unknown = {false, 0};

/* Where a value is asked for: after the deploy, or among the times before. */
enum side { NOW, THEN };

static struct worth worth_at(const struct story *story,
                             const struct expression *expression, int n,
                             enum side side);

static struct worth known(double number)
{
    return isfinite(number) ? (struct worth){true, number} : unknown;
}

static struct worth truth(bool so)
{
    return (struct worth){true, so};
}

/* --- Windows -------------------------------------------------------------- */

/* May grid time @n be looked back on? */
static bool counts(const struct story *story, int n, enum side side)
{
    if (side == NOW) {
        return n > REFERENCE_SETTLE && story->asked[AT(n)];
    }
    return n >= -PAST_TIMES && story->asked[AT(n)];
}

struct values {
    size_t count;
    double numbers[TIMES];
    double seconds[TIMES]; /* after the time asked about */
};

/* The known values among the last @times grid times. */
static struct values values_of(const struct story *story,
                               const struct expression *expression, int n,
                               int times, enum side side)
{
    struct values values = {0};

    for (int i = n - times + 1; i <= n; i++) {
        struct worth worth = counts(story, i, side)
                                 ? worth_at(story, expression, i, side)
                                 : unknown;

        if (worth.known) {
            values.numbers[values.count] = worth.number;
            values.seconds[values.count] =
                (i - n) * (double)REFERENCE_EVERY / 1000;
            values.count++;
        }
    }
    return values;
}

static int by_size(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;

    return (first > second) - (first < second);
}

/* R's type 7. */
static double quantile_of(const double *numbers, size_t count, double q)
{
    double sorted[TIMES * TIMES], rank = (double)(count - 1) * q;
    size_t whole = (size_t)floor(rank);

    memcpy(sorted, numbers, count * sizeof(double));
    qsort(sorted, count, sizeof(double), by_size);
    if (whole + 1 >= count) {
        return sorted[count - 1];
    }
    return sorted[whole] +
           (rank - (double)whole) * (sorted[whole + 1] - sorted[whole]);
}

static double median_of_sorted(const double *numbers, size_t count)
{
    double sorted[TIMES * TIMES];

    memcpy(sorted, numbers, count * sizeof(double));
    qsort(sorted, count, sizeof(double), by_size);
    return count % 2 == 1 ? sorted[count / 2]
                          : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double sum_of(const struct values *values)
{
    double sum = 0;

    for (size_t i = 0; i < values->count; i++) {
        sum += values->numbers[i];
    }
    return sum;
}

static double deviation_of(const struct values *values)
{
    double mean = sum_of(values) / (double)values->count, squares = 0;

    for (size_t i = 0; i < values->count; i++) {
        squares += (values->numbers[i] - mean) * (values->numbers[i] - mean);
    }
    return sqrt(squares / (double)(values->count - 1));
}

static double extreme_of(const struct values *values, double sign)
{
    double extreme = sign * values->numbers[0];

    for (size_t i = 1; i < values->count; i++) {
        extreme = fmax(extreme, sign * values->numbers[i]);
    }
    return sign * extreme;
}

static double slope_of(const struct values *values)
{
    double slopes[TIMES * TIMES];
    size_t count = 0;

    for (size_t i = 0; i < values->count; i++) {
        for (size_t j = i + 1; j < values->count; j++) {
            slopes[count++] = (values->numbers[j] - values->numbers[i]) /
                              (values->seconds[j] - values->seconds[i]);
        }
    }
    return median_of_sorted(slopes, count);
}

static double forecast_of(const struct values *values, double seconds)
{
    double slope = slope_of(values), levels[TIMES];

    for (size_t i = 0; i < values->count; i++) {
        levels[i] = values->numbers[i] - slope * values->seconds[i];
    }
    return median_of_sorted(levels, values->count) + slope * seconds;
}

static double rate_of(const struct values *values)
{
    double growth = 0;

    for (size_t i = 1; i < values->count; i++) {
        double step = values->numbers[i] - values->numbers[i - 1];

        growth += step < 0 ? values->numbers[i] : step;
    }
    return growth / (values->seconds[values->count - 1] - values->seconds[0]);
}

static double ties(double alike)
{
    return alike * (alike - 1) * (2 * alike + 5);
}

static bool is_rising(const struct values *values)
{
    size_t n = values->count, third = n / 3;
    double score = 0, variance = ties((double)n) / 18;

    for (size_t i = 0; i < n; i++) {
        double alike = 0, earlier = 0;

        for (size_t j = 0; j < n; j++) {
            alike += values->numbers[j] == values->numbers[i];
            earlier += j < i && values->numbers[j] == values->numbers[i];
            if (j > i) {
                score += (values->numbers[j] > values->numbers[i]) -
                         (values->numbers[j] < values->numbers[i]);
            }
        }
        variance -= earlier == 0 ? ties(alike) / 18 : 0;
    }
    return score > 0 && score * score > 5.412 * variance &&
           median_of_sorted(values->numbers + n - third, third) >=
               1.05 * median_of_sorted(values->numbers, third);
}

static struct worth taken_together(const struct expression *expression,
                                   const struct values *values)
{
    switch ((int)expression->kind) {
    case AVG:
        return known(sum_of(values) / (double)values->count);
    case MIN:
        return known(extreme_of(values, -1));
    case MAX:
        return known(extreme_of(values, 1));
    case SUM:
        return known(sum_of(values));
    case STDDEV:
        return known(deviation_of(values));
    case QUANTILE:
        return known(
            quantile_of(values->numbers, values->count, expression->number));
    case SLOPE:
        return known(slope_of(values));
    case FORECAST:
        return known(forecast_of(values, expression->number *
                                             (double)REFERENCE_EVERY / 1000));
    case RATE:
        return known(rate_of(values));
    case RISING:
        return truth(is_rising(values));
    default:
        assert(expression->kind == FLAT);
        return truth(extreme_of(values, -1) == extreme_of(values, 1));
    }
}

static int least_of_function(enum kind kind)
{
    if (kind == RATE) {
        return 2;
    }
    return kind == SLOPE || kind == FORECAST || kind == RISING || kind == FLAT
               ? 8
               : 3;
}

static struct worth over_window(const struct story *story,
                                const struct expression *expression, int n,
                                enum side side)
{
    struct values values =
        values_of(story, expression->a, n, expression->times, side);

    if ((int)values.count < least_of_function(expression->kind) ||
        (double)values.count < 0.8 * expression->times) {
        return unknown;
    }
    return taken_together(expression, &values);
}

/* --- for, of, count ------------------------------------------------------- */

static struct worth held(const struct story *story,
                         const struct expression *expression, int n,
                         enum side side)
{
    struct values values =
        values_of(story, expression->a, n, expression->times, side);
    int yes = (int)sum_of(&values), no = (int)values.count - yes;
    int wanted =
        expression->kind == FOR ? expression->times : (int)expression->number;

    if (expression->kind == COUNT) {
        return values.count == 0 ? unknown : known(yes);
    }
    if (yes >= wanted) {
        return truth(true);
    }
    return no > expression->times - wanted ? truth(false) : unknown;
}

/* --- Before the deploy ---------------------------------------------------- */

static struct worth learned(const struct story *story,
                            const struct expression *expression)
{
    int times =
        expression->kind == BEFORE ? expression->times : REFERENCE_BASELINE;
    struct values values = values_of(story, expression->a, 0, times, THEN);

    if (values.count == 0 || values.count * 2 < (size_t)times) {
        return unknown;
    }
    return expression->kind == BEFORE
               ? truth(sum_of(&values) * 2 > (double)values.count)
               : known(median_of_sorted(values.numbers, values.count));
}

/* --- Logic and arithmetic ------------------------------------------------- */

static struct worth logic(const struct expression *expression, struct worth a,
                          struct worth b)
{
    bool and = expression->kind == AND;
    bool a_decides = a.known && (a.number == 0) == and;
    bool b_decides = b.known && (b.number == 0) == and;

    if (a_decides || b_decides) {
        return truth(!and);
    }
    return a.known && b.known ? truth(and) : unknown;
}

static struct worth binary(const struct expression *expression, struct worth a,
                           struct worth b)
{
    if (expression->kind == MULTIPLY &&
        ((a.known && a.number == 0) || (b.known && b.number == 0))) {
        return known(0);
    }
    if (!a.known || !b.known) {
        return unknown;
    }
    switch ((int)expression->kind) {
    case ADD:
        return known(a.number + b.number);
    case SUBTRACT:
        return known(a.number - b.number);
    case MULTIPLY:
        return known(a.number * b.number);
    case LESS:
        return truth(a.number < b.number);
    case LESS_EQUAL:
        return truth(a.number <= b.number);
    case GREATER:
        return truth(a.number > b.number);
    case GREATER_EQUAL:
        return truth(a.number >= b.number);
    default:
        return b.number == 0 ? unknown : known(a.number / b.number);
    }
}

static struct worth sample(const struct story *story, size_t signal, int n)
{
    if (story->said[signal][AT(n)] == SAID_NOTHING &&
        reference_signals[signal].zero_when_empty) {
        return known(0);
    }
    return story->said[signal][AT(n)] == SAID_NUMBER
               ? known(story->numbers[signal][AT(n)] *
                       reference_signals[signal].scale)
               : unknown;
}

/* Facts, and what the source said. */
static struct worth given(const struct story *story,
                          const struct expression *expression, int n)
{
    switch ((int)expression->kind) {
    case NUMBER:
    case TRUTH:
        return known(expression->number);
    case SIGNAL:
        return sample(story, expression->signal, n);
    case AGE:
        return known(n * (double)REFERENCE_EVERY / 1000);
    case STUCK:
        return truth(story->stuck);
    case SAFE:
        return story->safe == 0 || story->safe == 1 ? truth(story->safe)
                                                    : unknown;
    case KIND_IS_A:
        return story->kind == NULL ? unknown
                                   : truth(strcmp(story->kind, "a") == 0);
    default:
        assert(expression->kind == ABSENT);
        return story->said[expression->a->signal][AT(n)] == SAID_ERROR
                   ? unknown
                   : truth(story->said[expression->a->signal][AT(n)] ==
                           SAID_NOTHING);
    }
}

static struct worth unary(const struct expression *expression, struct worth a)
{
    switch ((int)expression->kind) {
    case MINUS:
        return a.known ? known(-a.number) : unknown;
    case NOT:
        return a.known ? truth(a.number == 0) : unknown;
    default:
        assert(expression->kind == SURELY);
        return truth(a.known && a.number != 0);
    }
}

static struct worth changed(const struct story *story,
                            const struct expression *expression, int n,
                            enum side side)
{
    struct worth now = worth_at(story, expression->a, n, side);
    struct worth before = learned(story, expression);

    if (!now.known || !before.known || before.number == 0) {
        return unknown;
    }
    return known(now.number / before.number);
}

static struct worth worth_at(const struct story *story,
                             const struct expression *expression, int n,
                             enum side side)
{
    struct worth a = unknown, b = unknown;

    switch (expression->kind) {
    case NUMBER:
    case SIGNAL:
    case AGE:
    case TRUTH:
    case STUCK:
    case SAFE:
    case KIND_IS_A:
    case ABSENT:
        return given(story, expression, n);
    case AVG:
    case MIN:
    case MAX:
    case SUM:
    case STDDEV:
    case QUANTILE:
    case SLOPE:
    case FORECAST:
    case RATE:
    case RISING:
    case FLAT:
        return over_window(story, expression, n, side);
    case FOR:
    case OF:
    case COUNT:
        return held(story, expression, n, side);
    case BASELINE:
    case BEFORE:
        return learned(story, expression);
    case CHANGE:
        return changed(story, expression, n, side);
    case MINUS:
    case NOT:
    case SURELY:
        return unary(expression, worth_at(story, expression->a, n, side));
    case AND:
    case OR:
        a = worth_at(story, expression->a, n, side);
        b = worth_at(story, expression->b, n, side);
        return logic(expression, a, b);
    case ADD:
    case SUBTRACT:
    case MULTIPLY:
    case DIVIDE:
    case LESS:
    case LESS_EQUAL:
    case GREATER:
    case GREATER_EQUAL:
        a = worth_at(story, expression->a, n, side);
        b = worth_at(story, expression->b, n, side);
        return binary(expression, a, b);
    case KINDS:
        break;
    }
    abort();
}

struct worth reference_worth(const struct story *story,
                             const struct expression *expression, int n)
{
    return worth_at(story, expression, n, NOW);
}

/* --- Units ---------------------------------------------------------------- */

static struct unit factor(const struct meaning_of *meaning)
{
    return meaning->bare ? (struct unit){0, 0, 0} : meaning->unit;
}

static struct unit plus(struct unit a, struct unit b, int sign)
{
    return (struct unit){(int8_t)(a.count + sign * b.count),
                         (int8_t)(a.second + sign * b.second),
                         (int8_t)(a.byte + sign * b.byte)};
}

static bool same(struct unit a, struct unit b)
{
    return a.count == b.count && a.second == b.second && a.byte == b.byte;
}

static bool is_small(struct unit unit)
{
    return abs(unit.count) <= 8 && abs(unit.second) <= 8 && abs(unit.byte) <= 8;
}

/* What an expression is made of, were it allowed. */
static struct meaning_of meaning_of_two(enum kind kind,
                                        const struct meaning_of *a,
                                        const struct meaning_of *b)
{
    struct meaning_of made = {.allowed = !a->condition && !b->condition};

    switch ((int)kind) {
    case ADD:
    case SUBTRACT:
        made.allowed = made.allowed && same(a->unit, b->unit);
        made.bare = a->bare && b->bare;
        made.unit = a->unit;
        break;
    case MULTIPLY:
    case DIVIDE:
        made.bare = a->bare && b->bare;
        made.unit = made.bare
                        ? (struct unit)COUNT_UNIT
                        : plus(factor(a), factor(b), kind == MULTIPLY ? 1 : -1);
        made.allowed = made.allowed && is_small(made.unit);
        break;
    case AND:
    case OR:
        made.allowed = a->condition && b->condition;
        made.condition = true;
        break;
    default:
        made.allowed = made.allowed && same(a->unit, b->unit);
        made.condition = true;
        break;
    }
    return made;
}

static struct meaning_of meaning_of_one(const struct expression *expression,
                                        const struct meaning_of *a)
{
    static const struct unit second = {0, 1, 0};
    struct meaning_of made = {.allowed = !a->condition, .unit = a->unit};

    switch ((int)expression->kind) {
    case MINUS:
        made.bare = a->bare;
        break;
    case RATE:
    case SLOPE:
        made.unit = plus(a->unit, second, -1);
        break;
    case COUNT:
        made.allowed = a->condition;
        made.unit = (struct unit)COUNT_UNIT;
        break;
    case BASELINE:
    case CHANGE:
        made.allowed = made.allowed && !a->frozen;
        made.frozen = true;
        made.unit =
            expression->kind == CHANGE ? (struct unit){0, 0, 0} : a->unit;
        break;
    case BEFORE:
        made.allowed = a->condition && !a->before;
        made.frozen = made.before = made.condition = true;
        break;
    case NOT:
    case FOR:
    case OF:
    case SURELY:
        made.allowed = a->condition;
        made.condition = true;
        break;
    case RISING:
    case FLAT:
    case ABSENT:
        made.condition = true;
        break;
    default:
        break;
    }
    return made;
}

struct meaning_of reference_meaning(const struct expression *expression)
{
    struct meaning_of a = {.allowed = true}, b = {.allowed = true}, made;

    if (expression->a != NULL) {
        a = reference_meaning(expression->a);
    }
    if (expression->b != NULL) {
        b = reference_meaning(expression->b);
        made = meaning_of_two(expression->kind, &a, &b);
    } else if (expression->a != NULL) {
        made = meaning_of_one(expression, &a);
    } else {
        made = (struct meaning_of){
            .allowed = true,
            .condition = expression->kind >= TRUTH,
            .bare = expression->kind == NUMBER &&
                    same(expression->unit, (struct unit)COUNT_UNIT),
            .unit = expression->kind == SIGNAL
                        ? reference_signals[expression->signal].unit
                        : expression->unit};
    }
    made.allowed = made.allowed && a.allowed && b.allowed;
    made.frozen = made.frozen || a.frozen || b.frozen;
    made.before = made.before || a.before || b.before;
    return made;
}
