/* What peeking costs: worse(), looked at every 15 s for a day, beside a
 * Mann-Whitney test at 98 % and a test made for one look at the end, both
 * peeked at as often.  False alarms where the canary is as good as the
 * control; then how many of the canary's requests show that it is worse.
 * Takes the number of streams; prints tables, nothing is asserted. */
#include "policies/sequential.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/worlds/chance.h"

#define STREAMS 10000
#define LOOKS   5760 /* a day of 15 s */
#define EVERY   (15 * SECOND_MS)
#define MINUTE  4      /* looks */
#define Z_99    2.3263 /* one-sided 1 %, so two-sided 98 % */
#define Z_80    0.8416

/* --- Streams -------------------------------------------------------------- */

enum shape {
    STEADY,
    RAMP,   /* the canary's part goes 1, 5, 25, 50 % */
    WAVES,  /* both sides fail 50 times as often, 10 minutes of each hour */
    SMOOTH, /* rates over a minute, read every 15 s */
    BURSTS, /* every error is five */
    WANDER, /* each side's share by itself, for minutes */
};

struct plan {
    const char *name;
    double requests; /* of both sides, a look */
    double part;     /* of them the canary's */
    double share;    /* of the control's requests that fail */
    double times;    /* the canary's share over it */
    enum shape shape;
};

struct stream {
    const struct plan *plan;
    struct chance *chance;         /* goes on from stream to stream */
    double past[MINUTE][SIDES][2]; /* errors, requests */
    double errors[SIDES], requests[SIDES];
    double own[SIDES]; /* what a side's share wanders by */
};

static double part_at(const struct plan *plan, int look)
{
    static const double steps[] = {0.01, 0.05, 0.25, 0.5};
    int step = look / 240; /* an hour each */

    return plan->shape == RAMP ? steps[step < 3 ? step : 3] : plan->part;
}

static double share_at(struct stream *stream, int look, int side)
{
    const struct plan *plan = stream->plan;
    double share = plan->share * (side == SIDE_CANARY ? plan->times : 1);
    double *own = &stream->own[side];

    if (plan->shape == WAVES && look % 240 < 40) {
        share *= 50;
    }
    if (plan->shape == WANDER) {
        *own = 0.9 * *own + sqrt(1 - 0.9 * 0.9) * chance_normal(stream->chance);
        share *= exp(0.5 * *own);
    }
    return share;
}

static double errors_of(struct stream *stream, double mean)
{
    return stream->plan->shape == BURSTS
               ? 5 * chance_poisson(stream->chance, mean / 5)
               : chance_poisson(stream->chance, mean);
}

/* A minute's mean, as rate(...[1m]) says it; in counts a look. */
static void smooth(struct stream *stream, int look)
{
    for (int side = 0; side < SIDES; side++) {
        double *now = stream->past[look % MINUTE][side];

        now[0] = stream->errors[side];
        now[1] = stream->requests[side];
        stream->errors[side] = stream->requests[side] = 0;
        for (int i = 0; i < MINUTE; i++) {
            stream->errors[side] += stream->past[i][side][0] / MINUTE;
            stream->requests[side] += stream->past[i][side][1] / MINUTE;
        }
    }
}

static void draw(struct stream *stream, int look)
{
    const struct plan *plan = stream->plan;
    double part = part_at(plan, look);

    for (int side = 0; side < SIDES; side++) {
        double share = share_at(stream, look, side);
        double mean = plan->requests * (side == SIDE_CANARY ? part : 1 - part);

        stream->requests[side] = mean;
        stream->errors[side] =
            errors_of(stream, mean * (share < 1 ? share : 1));
    }
    if (plan->shape == SMOOTH) {
        smooth(stream, look);
    }
}

static void begin(struct stream *stream, const struct plan *plan,
                  struct chance *chance)
{
    memset(stream, 0, sizeof(*stream));
    stream->plan = plan;
    stream->chance = chance;
}

/* As a policy does: what is smoothed over a minute is judged once a minute. */
static void count(struct trial *trial, const struct stream *stream, int look)
{
    bool smooth = stream->plan->shape == SMOOTH;
    double errors[SIDES], requests[SIDES];

    if (smooth && look % MINUTE != MINUTE - 1) {
        return;
    }
    for (int side = 0; side < SIDES; side++) {
        errors[side] = stream->errors[side] * (smooth ? MINUTE : 1);
        requests[side] = stream->requests[side] * (smooth ? MINUTE : 1);
    }
    trial_count(trial, errors, requests, 1, smooth ? MINUTE_MS : EVERY);
}

/* --- What it is compared with --------------------------------------------- */

/* Of all errors so far, are too many the canary's? */
struct fixed {
    double errors[SIDES], requests[SIDES];
};

static bool fixed_alarms(struct fixed *fixed, const struct stream *stream)
{
    double all = 0, part = 0;

    for (int side = 0; side < SIDES; side++) {
        fixed->errors[side] += stream->errors[side];
        fixed->requests[side] += stream->requests[side];
    }
    all = fixed->errors[SIDE_CANARY] + fixed->errors[SIDE_CONTROL];
    part = fixed->requests[SIDE_CANARY] /
           (fixed->requests[SIDE_CANARY] + fixed->requests[SIDE_CONTROL]);
    return fixed->errors[SIDE_CANARY] - all * part >
               Z_99 * sqrt(all * part * (1 - part)) &&
           all > 0;
}

/* Mann and Whitney's test of all shares so far, ties corrected for. */
struct ranks {
    int count;
    double values[SIDES][LOOKS];
    double wins, ties; /* of the canary over the control; sum of t^3 - t */
};

static void rank(struct ranks *ranks, enum canary_side side, double value)
{
    double equal = 0;

    for (int other = 0; other < SIDES; other++) {
        int known = ranks->count + (other < (int)side);
        double below = 0, same = 0;

        for (int i = 0; i < known; i++) {
            below += ranks->values[other][i] < value;
            same += ranks->values[other][i] == value;
        }
        equal += same;
        if (other == (int)side) {
            continue;
        }
        ranks->wins +=
            side == SIDE_CANARY ? below + same / 2 : known - below - same / 2;
    }
    ranks->ties += 3 * equal * equal + 3 * equal;
    ranks->values[side][ranks->count] = value;
}

static bool ranks_alarm(struct ranks *ranks, const struct stream *stream)
{
    double n = 0, variance = 0;

    for (int side = 0; side < SIDES; side++) {
        rank(ranks, (enum canary_side)side,
             stream->errors[side] / stream->requests[side]);
    }
    ranks->count++;
    n = ranks->count;
    variance = n * n / 12 * (2 * n + 1 - ranks->ties / (2 * n * (2 * n - 1)));
    return ranks->count >= 10 && variance > 0 &&
           ranks->wins - n * n / 2 > Z_99 * sqrt(variance);
}

/* --- False alarms --------------------------------------------------------- */

static void print_alarms(const struct plan *plan, int streams)
{
    int worse = 0, peeked = 0, once = 0, mann_whitney = 0;
    int ranked = streams / 20;
    struct chance chance;

    chance_init(&chance, 1, 1);
    for (int i = 0; i < streams; i++) {
        static struct ranks ranks;
        struct trial trial = {0};
        struct fixed fixed = {0};
        struct stream stream;
        bool alarm = false, rank_alarm = false, last = false;

        begin(&stream, plan, &chance);
        ranks.count = 0;
        ranks.wins = ranks.ties = 0;
        for (int look = 0; look < LOOKS; look++) {
            draw(&stream, look);
            count(&trial, &stream, look);
            last = fixed_alarms(&fixed, &stream);
            alarm = alarm || last;
            if (i < ranked && look % MINUTE == 0 && !rank_alarm) {
                rank_alarm = ranks_alarm(&ranks, &stream);
            }
        }
        worse += trial_is_proved(&trial);
        peeked += alarm;
        once += last;
        mann_whitney += rank_alarm;
    }
    (void)printf("  %-44s %6.2f %% %10.1f %% %10.1f %% %8.1f %%\n", plan->name,
                 100.0 * worse / streams, 100.0 * mann_whitney / ranked,
                 100.0 * peeked / streams, 100.0 * once / streams);
    (void)fflush(stdout);
}

static void false_alarms(int streams)
{
    static const struct plan plans[] = {
        {"1 % fail, half and half", 60, 0.5, 0.01, 1, STEADY},
        {"30 % fail, half and half", 60, 0.5, 0.3, 1, STEADY},
        {"nothing fails", 60, 0.5, 0, 1, STEADY},
        {"sparse: 3 errors an hour", 60, 0.5, 0.0002, 1, STEADY},
        {"canary 1 %, control 99 %", 600, 0.01, 0.01, 1, STEADY},
        {"canary 1 %, sparse", 600, 0.01, 0.0001, 1, STEADY},
        {"steps 1, 5, 25, 50 %", 120, 0.01, 0.01, 1, RAMP},
        {"waves: both sides 50 times as bad", 60, 0.2, 0.002, 1, WAVES},
        {"rate over 1m, read every 15 s", 60, 0.05, 0.01, 1, SMOOTH},
        {"canary half as bad", 60, 0.2, 0.01, 0.5, STEADY},
        {"errors in bursts of 5", 60, 0.2, 0.01, 1, BURSTS},
        {"(not covered) each share wanders by 50 %", 60, 0.2, 0.01, 1, WANDER},
    };

    (void)printf("False alarms within 24 h of a canary that is as good, %d "
                 "streams (goal: at most 1 %%;\nMann-Whitney each minute, of "
                 "every twentieth stream)\n"
                 "  %-44s %8s %12s %12s %10s\n",
                 streams, "", "worse()", "Mann-Wh. 98", "fixed peeked",
                 "fixed once");
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        print_alarms(&plans[i], streams);
    }
}

/* --- worse(x) ------------------------------------------------------------- */

/* Noise of both sides around a common level; @keeps of a side's own is kept
 * from minute to minute. */
static double compare_alarms(double times, double keeps, int streams,
                             double *ret_median)
{
    int alarms = 0;
    int *minutes = calloc((size_t)streams, sizeof(int));
    struct chance chance;

    chance_init(&chance, 2, 1);
    for (int i = 0; i < streams; i++) {
        struct trial trial = {0};
        double own[SIDES] = {0};
        int minute = 0;

        for (; minute < LOOKS / MINUTE && !trial_is_proved(&trial); minute++) {
            double level = 0.2 + 0.1 * sin(minute / 100.0);
            double values[SIDES];

            for (int side = 0; side < SIDES; side++) {
                own[side] = keeps * own[side] +
                            sqrt(1 - keeps * keeps) * chance_normal(&chance);
                values[side] = level * exp(0.2 * own[side]) *
                               (side == SIDE_CANARY ? times : 1);
            }
            trial_compare(&trial, values, 1, MINUTE_MS);
        }
        alarms += trial_is_proved(&trial);
        for (int at = i; at >= 0; at--) { /* in order */
            if (at == 0 || minutes[at - 1] <= minute) {
                minutes[at] = minute;
                break;
            }
            minutes[at] = minutes[at - 1];
        }
    }
    *ret_median = minutes[streams / 2];
    free(minutes);
    return 100.0 * alarms / streams;
}

static void comparisons(int streams)
{
    static const struct {
        const char *name;
        double times, keeps;
    } rows[] = {
        {"as good", 1, 0},
        {"(not covered) as good, wanders: half is kept", 1, 0.5},
        {"10 % slower", 1.1, 0},
        {"20 % slower", 1.2, 0},
        {"50 % slower", 1.5, 0},
    };
    double median = 0;

    (void)printf("\nworse(x): noise of 20 %% a minute on each side, 24 h\n"
                 "  %-46s %8s %14s\n",
                 "", "alarms", "median minutes");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double alarms =
            compare_alarms(rows[i].times, rows[i].keeps, streams, &median);

        (void)printf("  %-46s %6.2f %% %14.0f\n", rows[i].name, alarms, median);
    }
}

/* --- What is needed ------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void print_needed(double share, double times, double part, int streams)
{
    const struct plan plan = {"", 60, part, share, times, STEADY};
    double *worse = calloc((size_t)streams, sizeof(double));
    double *ranked = calloc((size_t)streams, sizeof(double));
    double ratio = part / (1 - part), high = share * times;
    double z = Z_99 + Z_80;
    double fixed =
        z * z * (high + share * ratio) / (high - share) / (high - share);
    struct chance chance;

    chance_init(&chance, 3, 1);
    for (int i = 0; i < streams; i++) {
        static struct ranks ranks;
        struct trial trial = {0};
        struct stream stream;

        begin(&stream, &plan, &chance);
        ranks.count = 0;
        ranks.wins = ranks.ties = 0;
        worse[i] = ranked[i] = INFINITY;
        for (int look = 0; look < LOOKS && (isinf(worse[i]) ||
                                            (isinf(ranked[i]) && look < 2000));
             look++) {
            double seen = plan.requests * part * (look + 1);

            draw(&stream, look);
            count(&trial, &stream, look);
            if (isinf(worse[i]) && trial_is_proved(&trial)) {
                worse[i] = seen;
            }
            if (isinf(ranked[i]) && look < 2000 &&
                ranks_alarm(&ranks, &stream)) {
                ranked[i] = seen;
            }
        }
    }
    qsort(worse, (size_t)streams, sizeof(double), by_size);
    qsort(ranked, (size_t)streams, sizeof(double), by_size);
    (void)printf("  %5.1f %% %6.0f x %7.0f %% %10.0f %10.0f %12.0f %12.0f\n",
                 100 * share, times, 100 * part, worse[streams / 2],
                 worse[streams * 9 / 10], fixed, ranked[streams / 2]);
    (void)fflush(stdout);
    free(worse);
    free(ranked);
}

static void needed(int streams)
{
    static const double shares[] = {0.001, 0.01}, parts[] = {0.05, 0.5};
    static const double times[] = {2, 5, 10};

    (void)printf("\nRequests of the canary until it is found out, %d streams "
                 "of 4 requests/s (fixed: a look\nplanned for 80 %% power; "
                 "Mann-Whitney peeked, with its false alarms)\n"
                 "  %7s %8s %9s %10s %10s %12s %12s\n",
                 streams, "control", "canary", "its part", "median", "90 %",
                 "fixed", "Mann-Wh.");
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) {
            for (size_t k = 0; k < 3; k++) {
                print_needed(shares[i], times[k], parts[j], streams);
            }
        }
    }
}

int main(int argc, char **argv)
{
    int streams = argc > 1 ? atoi(argv[1]) : STREAMS;

    if (streams < 40) {
        (void)fprintf(stderr, "usage: bench_canary [STREAMS], 40 or more\n");
        return 1;
    }
    false_alarms(streams);
    comparisons(streams);
    needed(streams / 20 < 40 ? 40 : streams / 20);
    return 0;
}
