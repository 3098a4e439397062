/* Evidence against a canary, held against streams whose truth is known. */
#include "policies/sequential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define EVERY (15 * SECOND_MS)

/* --- By hand -------------------------------------------------------------- */

static void counted(struct trial *trial, double errors, double requests,
                    double control_errors, double control_requests)
{
    const double failed[SIDES] = {errors, control_errors};
    const double all[SIDES] = {requests, control_requests};

    trial_count(trial, failed, all, 1, EVERY);
}

static void assert_close(double number, double expected)
{
    if (fabs(number - expected) > 1e-9 * fabs(expected)) {
        fail_msg("%.17g is not %.17g", number, expected);
    }
}

/* What waits when the first look is over: 1/2 less what one look puts down. */
static double waiting_after(int looks)
{
    return 0.5 - 0.5 * looks * 15 / (48 * 3600.0);
}

/* With half of the requests an alternative of t times as bad expects t / (1 +
 * t) of the failures: over 1/2 that is 2t / (1 + t) for one failure. */
static void one_failure_is_worth_its_ratio_of_likelihoods(void **state)
{
    static const double times[] = {1.25, 1.5, 2, 3, 5, 10, 30, 100};
    struct trial trial = {0};
    double expected = waiting_after(1);

    (void)state;
    for (size_t i = 0; i < TRIAL_BETS; i++) {
        expected +=
            (1 - waiting_after(1)) / TRIAL_BETS * 2 * times[i] / (1 + times[i]);
    }
    counted(&trial, 1, 100, 0, 100);
    assert_close(trial.evidence, expected);
}

/* A control's failure makes it less, and the evidence keeps the most. */
static void evidence_is_the_most_that_it_ever_was(void **state)
{
    struct trial trial = {0};
    double most = 0;

    (void)state;
    counted(&trial, 1, 100, 0, 100);
    most = trial.evidence;
    counted(&trial, 0, 100, 1, 100);
    assert_close(trial.evidence, most);
    assert_true(trial.stakes[7] < 0.5 / 8);
}

static void a_burst_tells_no_more_than_one_failure(void **state)
{
    struct trial one = {0}, burst = {0};

    (void)state;
    counted(&one, 1, 100, 0, 100);
    counted(&burst, 50, 100, 0, 100);
    assert_close(burst.evidence, one.evidence);
}

/* Dust of a rate that fades is not a failure. */
static void less_than_one_failure_counts_in_proportion(void **state)
{
    struct trial trial = {0}, whole = {0};

    (void)state;
    counted(&trial, 0.01, 100, 0, 100);
    counted(&whole, 1, 100, 0, 100);
    assert_close(trial.evidence - 1, (whole.evidence - 1) / 100);
}

static void what_nobody_asked_for_tells_nothing(void **state)
{
    struct trial trial = {0};

    (void)state;
    counted(&trial, 0, 100, 0, 100);
    assert_close(trial.evidence, 1);
    counted(&trial, 5, 0, 0, 0); /* no requests: no part of them */
    assert_close(trial.evidence, 1);
    counted(&trial, 5, 1e308, 0, 1e308);
    assert_close(trial.evidence, 1);
    counted(&trial, 5, 100, 0, 0); /* all of the requests, all failures */
    assert_close(trial.evidence, 1);
    counted(&trial, 5, 0, 0, 100); /* late: as if it had had a part */
    assert_true(trial.evidence > 1);
    assert_true(isfinite(trial.evidence));
}

/* 150 % allowed is as if the canary had had half as many requests more. */
static void a_factor_is_allowed(void **state)
{
    struct trial allowed = {0}, more = {0};
    const double failed[SIDES] = {3, 1}, all[SIDES] = {100, 300};

    (void)state;
    trial_count(&allowed, failed, all, 1.5, EVERY);
    counted(&more, 3, 150, 1, 300);
    assert_close(allowed.evidence, more.evidence);
}

/* Half and half, all failures the canary's: nearly doubled a look. */
static void it_takes_some_looks_however_bad_it_is(void **state)
{
    struct trial trial = {0};
    int looks = 0;

    (void)state;
    while (!trial_is_proved(&trial)) {
        counted(&trial, 1000, 1000, 0, 1000);
        looks++;
    }
    assert_int_equal(looks, 10);
    looks = 0;
    memset(&trial, 0, sizeof(trial));
    while (!trial_is_proved(&trial)) {
        counted(&trial, 10, 10, 0, 990);
        looks++;
    }
    assert_int_equal(looks, 2);
}

static void what_was_proved_stays_proved_and_stays_a_number(void **state)
{
    struct trial trial = {0};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        counted(&trial, 10, 10, 0, 990);
    }
    assert_close(trial.evidence, 1e9);
    for (int i = 0; i < 100000; i++) {
        counted(&trial, 0, 10, 10, 990);
    }
    assert_true(trial_is_proved(&trial));
    for (int i = 0; i < TRIAL_BETS; i++) {
        assert_true(trial.stakes[i] >= 0);
    }
}

/* A day of health before: the stake that waited is there. */
static void what_begins_late_is_found(void **state)
{
    struct trial trial = {0};
    int looks = 0;

    (void)state;
    for (int i = 0; i < 5760; i++) {
        counted(&trial, 1, 100, 1, 100);
    }
    assert_false(trial_is_proved(&trial));
    while (!trial_is_proved(&trial) && looks < 1000) {
        counted(&trial, 10, 100, 1, 100);
        looks++;
    }
    assert_in_range(looks, 10, 60);
}

/* --- Higher or not -------------------------------------------------------- */

static void compared(struct trial *trial, double canary, double control)
{
    const double values[SIDES] = {canary, control};

    trial_compare(trial, values, 1.1, MINUTE_MS);
}

static void eleven_times_higher_is_proof(void **state)
{
    struct trial trial = {0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        compared(&trial, 1.2, 1);
    }
    assert_false(trial_is_proved(&trial));
    compared(&trial, 1.2, 1);
    assert_true(trial_is_proved(&trial));
    assert_close(trial_compared(&trial).events[SIDE_CANARY], 11);
    assert_close(trial_compared(&trial).of[SIDE_CANARY], 11);
}

static void what_is_allowed_or_equal_is_no_proof(void **state)
{
    struct trial trial = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        compared(&trial, 1.09, 1);
        compared(&trial, 1.1, 1); /* equal to the bar */
        compared(&trial, 0, 0);
    }
    assert_close(trial.evidence, 1);
    assert_close(trial_compared(&trial).of[SIDE_CANARY], 1000);
}

/* --- Streams -------------------------------------------------------------- */

/* SplitMix64 (Steele, Lea, Flood 2014); one sequence for a whole test. */
static uint64_t seed;

static double uniform(void)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static double poisson(double mean)
{
    double product = 1, least = exp(-mean), count = -1;

    do {
        product *= uniform();
        count++;
    } while (product > least);
    return count;
}

struct plan {
    double requests, part, share; /* a look; the canary's; that fails */
    double times;                 /* the canary's share over it */
    bool ramp, waves, bursts;
};

/* One stream of @looks; when it was proved, 0: never. */
static int live(const struct plan *plan, int looks)
{
    static const double steps[] = {0.01, 0.05, 0.25, 0.5};
    struct trial trial = {0};

    for (int look = 0; look < looks; look++) {
        double part = plan->ramp ? steps[look * 4 / looks] : plan->part;
        double share = plan->share * (plan->waves && look % 40 < 8 ? 20 : 1);
        double size = plan->bursts ? 5 : 1;
        double requests = plan->requests * (plan->waves ? 1 + look % 7 : 1);

        counted(&trial,
                size * poisson(requests * part * share * plan->times / size),
                requests * part,
                size * poisson(requests * (1 - part) * share / size),
                requests * (1 - part));
        if (trial_is_proved(&trial)) {
            return look + 1;
        }
    }
    return 0;
}

#define STREAMS 500
#define LOOKS   960 /* four hours */

/* In percent. */
static double alarms_of(struct plan plan)
{
    int alarms = 0;

    seed = 7;
    for (int i = 0; i < STREAMS; i++) {
        alarms += live(&plan, LOOKS) > 0;
    }
    return 100.0 * alarms / STREAMS;
}

static void a_canary_as_good_is_rarely_called_worse(void **state)
{
    static const struct plan plans[] = {
        {60, 0.5, 0.01, 1, false, false, false},   /* equal */
        {60, 0.5, 0.3, 1, false, false, false},    /* much fails */
        {60, 0.5, 0, 1, false, false, false},      /* nothing fails */
        {60, 0.5, 0.0005, 1, false, false, false}, /* sparse */
        {600, 0.01, 0.01, 1, false, false, false}, /* 1 % against 99 % */
        {60, 0.01, 0.01, 1, false, false, false},  /* and sparse */
        {120, 0, 0.01, 1, true, false, false},     /* 1, 5, 25, 50 % */
        {60, 0.2, 0.005, 1, false, true, false},   /* waves on both sides */
        {60, 0.2, 0.01, 1, false, false, true},    /* bursts of five */
        {60, 0.2, 0.01, 0.5, false, false, false}, /* better */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        double alarms = alarms_of(plans[i]);

        if (alarms > 1) {
            fail_msg("plan %zu: %.1f %% false alarms", i, alarms);
        }
    }
}

/* 4 requests/s, of which the canary has a tenth. */
static void a_canary_that_is_worse_is_found(void **state)
{
    static const struct {
        double times, share;
        int most; /* looks, of at least 95 % of the streams */
    } rows[] = {
        {10, 0.01, 60}, {5, 0.01, 160}, {2, 0.05, 600}, {10, 0.001, 500}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct plan plan = {60,    0.1,   rows[i].share, rows[i].times,
                                  false, false, false};
        int found = 0;

        seed = 11;
        for (int j = 0; j < 200; j++) {
            found += live(&plan, rows[i].most) > 0;
        }
        if (found < 190) {
            fail_msg("row %zu: found %d of 200", i, found);
        }
    }
}

/* By chance one side's is higher, for hours; common noise cancels. */
static void values_as_good_are_rarely_called_worse(void **state)
{
    int alarms = 0;

    (void)state;
    seed = 13;
    for (int i = 0; i < STREAMS; i++) {
        struct trial trial = {0};

        for (int minute = 0; minute < 1440; minute++) {
            double common = uniform() * 10;
            const double values[SIDES] = {common + uniform(),
                                          common + uniform()};

            trial_compare(&trial, values, 1, MINUTE_MS);
        }
        alarms += trial_is_proved(&trial);
    }
    assert_in_range(alarms, 0, STREAMS / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_failure_is_worth_its_ratio_of_likelihoods),
        cmocka_unit_test(evidence_is_the_most_that_it_ever_was),
        cmocka_unit_test(a_burst_tells_no_more_than_one_failure),
        cmocka_unit_test(less_than_one_failure_counts_in_proportion),
        cmocka_unit_test(what_nobody_asked_for_tells_nothing),
        cmocka_unit_test(a_factor_is_allowed),
        cmocka_unit_test(it_takes_some_looks_however_bad_it_is),
        cmocka_unit_test(what_was_proved_stays_proved_and_stays_a_number),
        cmocka_unit_test(what_begins_late_is_found),
        cmocka_unit_test(eleven_times_higher_is_proof),
        cmocka_unit_test(what_is_allowed_or_equal_is_no_proof),
        cmocka_unit_test(a_canary_as_good_is_rarely_called_worse),
        cmocka_unit_test(a_canary_that_is_worse_is_found),
        cmocka_unit_test(values_as_good_are_rarely_called_worse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
