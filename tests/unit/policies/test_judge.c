/* One release from its deploy on: settling, holding, learning, refilling, and
 * the way through the tree. */
#include "help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static void assert_root(enum answer answer)
{
    assert_int_equal(world_answer(&world), answer);
}

static void assert_why(enum unknown reason)
{
    assert_root(ANSWER_UNKNOWN);
    assert_string_equal(unknown_name(world_why(&world)), unknown_name(reason));
}

/* --- for ------------------------------------------------------------------ */

static void for_holds_at_the_earliest_its_span_after_settle(void **state)
{
    (void)state;
    world_condition(&world, "x > 1 for 60s");
    world_say(&world, "x", 2);
    for (int n = 1; n <= WORLD_SETTLE; n++) {
        world_look(&world, n);
        assert_why(UNKNOWN_SETTLING);
    }
    for (int n = WORLD_SETTLE + 1; n < WORLD_SETTLE + 6; n++) {
        world_look(&world, n);
        assert_why(UNKNOWN_SETTLING);
    }
    world_look(&world, WORLD_SETTLE + 6);
    assert_root(ANSWER_YES);
    world_end(&world);
}

static void between_grid_times_settling_ends_the_same(void **state)
{
    (void)state;
    world_condition(&world, "x > 1 for 60s");
    /* Deployed 1 ms after a grid time: that of look 3 is still settling's. */
    judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED + 1);
    world_say(&world, "x", 2);
    world_looks(&world, 1, 8);
    assert_why(UNKNOWN_SETTLING);
    world_look(&world, 9);
    assert_root(ANSWER_YES);
    /* And 1 ms before: it is already after it. */
    judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED - 1);
    world_looks(&world, 1, 7);
    assert_why(UNKNOWN_SETTLING);
    world_look(&world, 8);
    assert_root(ANSWER_YES);
    world_end(&world);
}

static void one_false_makes_it_false_even_among_unknowns(void **state)
{
    (void)state;
    world_condition(&world, "x > 1 for 60s");
    world_say(&world, "x", 0);
    world_looks(&world, 1, 3);
    assert_why(UNKNOWN_SETTLING); /* false while settling is not false */
    world_look(&world, 4);
    assert_root(ANSWER_NO);
    world_unknown(&world, "x", UNKNOWN_STALE);
    world_looks(&world, 5, 9);
    assert_root(ANSWER_NO);
    world_look(&world, 10);
    assert_why(UNKNOWN_STALE);
    world_end(&world);
}

static void a_gap_between_looks_is_not_true(void **state)
{
    (void)state;
    world_condition(&world, "x > 1 for 60s");
    world_say(&world, "x", 2);
    world_looks(&world, 1, 12);
    assert_root(ANSWER_YES);
    world_look(&world, 14);
    assert_why(UNKNOWN_WINDOW);
    world_looks(&world, 15, 18);
    assert_why(UNKNOWN_WINDOW);
    world_look(&world, 19); /* 14 to 19 */
    assert_root(ANSWER_YES);
    world_end(&world);
}

static void k_of_n_bears_holes(void **state)
{
    (void)state;
    world_condition(&world, "x > 1 for 2 of 4");
    world_say(&world, "x", 2);
    world_looks(&world, 1, 4);
    assert_why(UNKNOWN_SETTLING);
    world_unknown(&world, "x", UNKNOWN_SOURCE_ERROR);
    world_look(&world, 5);
    assert_why(UNKNOWN_SOURCE_ERROR);
    world_say(&world, "x", 2);
    world_look(&world, 7); /* yes, error, hole, yes */
    assert_root(ANSWER_YES);
    world_say(&world, "x", 0);
    world_look(&world, 8);
    assert_why(UNKNOWN_WINDOW); /* error, hole, yes, no */
    world_looks(&world, 9, 10);
    assert_root(ANSWER_NO); /* yes, no, no, no */
    world_end(&world);
}

/* --- The time before ------------------------------------------------------ */

/* 30 grid times are the baseline's 5 min. */
static void the_median_before_the_deploy(void **state)
{
    (void)state;
    world_number(&world, "baseline(x)");
    world_past(&world, 60);
    for (size_t back = 0; back < 60; back++) {
        world_past_say(&world, back, "x", back < 30 ? (double)back : 1000);
    }
    world_look(&world, 1);
    assert_int_equal(world_value(&world, "v").unknown, UNKNOWN_NO_BASELINE);
    world_learn(&world);
    world_say(&world, "x", 5);
    world_look(&world, 2);
    assert_true(world_value(&world, "v").number == 14.5);
    assert_int_equal(world_value(&world, "v").unknown, KNOWN);
    world_end(&world);
}

static void half_of_the_grid_times_must_be_known(void **state)
{
    (void)state;
    for (size_t known = 13; known <= 16; known++) {
        world_number(&world, "change(x)");
        world_past(&world, 30);
        for (size_t back = 0; back < known; back++) {
            world_past_say(&world, 2 * (back % 15) + back / 15, "x", 4);
        }
        world_learn(&world);
        world_say(&world, "x", 6);
        world_look(&world, 1);
        if (known < 15) {
            assert_int_equal(world_value(&world, "v").unknown,
                             UNKNOWN_NO_BASELINE);
        } else {
            assert_true(world_value(&world, "v").number == 1.5);
        }
        world_end(&world);
    }
}

static void change_over_zero_is_unknown(void **state)
{
    (void)state;
    world_number(&world, "change(x)");
    world_past(&world, 30);
    for (size_t back = 0; back < 30; back++) {
        world_past_say(&world, back, "x", 0);
    }
    world_learn(&world);
    world_say(&world, "x", 6);
    world_look(&world, 1);
    assert_int_equal(world_value(&world, "v").unknown, UNKNOWN_DIVIDE_BY_ZERO);
    world_unknown(&world, "x", UNKNOWN_STALE);
    world_look(&world, 2);
    assert_int_equal(world_value(&world, "v").unknown, UNKNOWN_STALE);
    world_end(&world);
}

static void what_is_known_once_stays(void **state)
{
    (void)state;
    world_number(&world, "baseline(x) + baseline(y)");
    world_past(&world, 30);
    for (size_t back = 0; back < 30; back++) {
        world_past_say(&world, back, "x", 4); /* y's source had an error */
    }
    world_learn(&world);
    for (size_t back = 0; back < 30; back++) {
        world_past_say(&world, back, "x", 9);
        world_past_say(&world, back, "y", 1);
    }
    world_learn(&world);
    world_look(&world, 1);
    assert_true(world_value(&world, "v").number == 5);
    world_end(&world);
}

static void a_deploy_between_grid_times_has_its_last_one_before_it(void **state)
{
    (void)state;
    world_number(&world, "baseline(x)");
    world.facts.deployed_at = WORLD_DEPLOYED + 9999;
    judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED + 9999);
    assert_int_equal(judge_seen(world_judge(&world)), WORLD_DEPLOYED);
    world_past(&world, 31);
    for (size_t back = 0; back < 15; back++) {
        world_past_say(&world, 2 * back, "x", 3);
    }
    world_past_say(&world, 30, "x", 99); /* not within the 5 min */
    world_learn(&world);
    world_look(&world, 1);
    assert_true(world_value(&world, "v").number == 3);
    world_end(&world);
}

/* before(c, 100s): more than half of the known ones of 10 grid times. */
static void the_mean_at_the_moment_of_the_deploy(void **state)
{
    (void)state;
    world_number(&world, "at_deploy(x, 1m)");
    world_past(&world, 60);
    for (size_t back = 0; back < 60; back++) {
        world_past_say(&world, back, "x", back < 6 ? (double)back : 1000);
    }
    world_look(&world, 1);
    assert_int_equal(world_value(&world, "v").unknown, UNKNOWN_NO_BASELINE);
    world_learn(&world);
    world_look(&world, 2);
    assert_true(world_value(&world, "v").number == 2.5);
    world_end(&world);
}

/* 30 grid times of 100 requests a second, of which 0.5 % fail. */
static void learn_few_errors(size_t rows)
{
    world_past(&world, 30);
    for (size_t back = 0; back < rows; back++) {
        world_past_say(&world, back, "r", 100);
        world_past_say(&world, back, "e", 0.5);
    }
    world_learn(&world);
    world_say(&world, "r", 100);
}

/* Three and a half minutes are 21 looks, after 3 of settling. */
static void more_errors_are_worse_once_they_have_lasted(void **state)
{
    (void)state;
    world_condition(&world, "worsened(e, r, 200%, 1%, 10m)");
    learn_few_errors(30);
    world_say(&world, "e", 2);
    world_looks(&world, 1, 3);
    assert_why(UNKNOWN_WINDOW);
    world_looks(&world, 4, 24);
    assert_root(ANSWER_NO);
    world_looks(&world, 25, 26);
    assert_root(ANSWER_YES);
    world_end(&world);
}

static void a_blip_has_not_lasted(void **state)
{
    (void)state;
    world_condition(&world, "worsened(e, r, 200%, 1%, 10m)");
    learn_few_errors(30);
    world_say(&world, "e", 0.5);
    world_looks(&world, 1, 20);
    world_say(&world, "e", 60);
    for (int n = 21; n <= 41; n++) {
        world_look(&world, n);
        assert_root(ANSWER_NO);
    }
    world_say(&world, "e", 0.5);
    for (int n = 42; n <= 120; n++) {
        world_look(&world, n);
        assert_root(ANSWER_NO);
    }
    world_end(&world);
}

/* Five minutes are enough here, for they are all the baseline there is; less
 * is none. */
static void worse_than_what_nobody_saw_is_unknown(void **state)
{
    (void)state;
    world_condition(&world, "worsened(e, r, 200%, 1%, 10m)");
    learn_few_errors(29);
    world_say(&world, "e", 60);
    world_looks(&world, 1, 40);
    assert_why(UNKNOWN_NO_BASELINE);
    world_end(&world);
}

/* Requests at times when nobody counted errors would make the share of before
 * look smaller than it was. */
static void errors_and_requests_of_before_are_of_the_same_times(void **state)
{
    (void)state;
    world_policy(&world, "policy: p\nmode: auto\n"
                         "watch: {every: 10s, settle: 30s}\nbaseline: 20m\n"
                         "signals:\n"
                         "  e: {prometheus: e, unit: per_second}\n"
                         "  r: {prometheus: r, unit: per_second}\n"
                         "tree:\n"
                         "  question: q\n"
                         "  if: worsened(e, r, 150%, 1%, 10m)\n"
                         "  then: {page: worse}\n"
                         "  else: healthy\n");
    world_past(&world, 120);
    for (size_t back = 0; back < 120; back++) {
        world_past_say(&world, back, "r", 1000);
        if (back < 60) {
            world_past_say(&world, back, "e", 20);
        }
    }
    world_learn(&world);
    world_say(&world, "r", 1000);
    world_say(&world, "e", 25);
    world_looks(&world, 1, 63);
    assert_root(ANSWER_NO); /* 2.5 % after 2 % */
    world_say(&world, "e", 45);
    world_looks(&world, 64, 126);
    assert_root(ANSWER_YES);
    world_end(&world);
}

static void an_incident_before_the_deploy_was_worse_already(void **state)
{
    (void)state;
    world_condition(&world, "before(worsened(e, r, 200%, 1%, 10m), 1m)");
    world_past(&world, 90);
    for (size_t back = 0; back < 90; back++) {
        world_past_say(&world, back, "r", 100);
        world_past_say(&world, back, "e", 0.5);
    }
    world_learn(&world);
    world_look(&world, 1);
    assert_root(ANSWER_NO);
    world_end(&world);
}

static void what_outgrows_the_load(void **state)
{
    (void)state;
    world_condition(&world, "outgrows(x, r, 110%, 10m)");
    world_say(&world, "r", 100);
    for (int n = 1; n <= 63; n++) {
        world_say(&world, "x", 50 + n);
        world_look(&world, n);
        if (n <= 50) {
            assert_why(UNKNOWN_WINDOW); /* 80 % of 60 grid times */
        }
    }
    assert_root(ANSWER_YES);
    for (int n = 64; n <= 130; n++) { /* and now with it */
        world_say(&world, "x", 113 + n - 63);
        world_say(&world, "r", 100 * (113 + n - 63) / 113.0);
        world_look(&world, n);
    }
    assert_root(ANSWER_NO);
    world_unknown(&world, "r", UNKNOWN_SOURCE_ERROR);
    world_looks(&world, 131, 150);
    assert_why(UNKNOWN_WINDOW);
    world_end(&world);
}

static void before_is_true_at_more_than_half(void **state)
{
    (void)state;
    for (size_t yes = 0; yes <= 10; yes++) {
        for (size_t no = 0; yes + no <= 10; no++) {
            enum answer wanted = yes + no < 5 ? ANSWER_UNKNOWN
                                 : yes > no   ? ANSWER_YES
                                              : ANSWER_NO;

            world_condition(&world, "before(x > 1, 100s)");
            world_past(&world, 20);
            for (size_t i = 0; i < 20; i++) {
                if (i < yes + no) {
                    world_past_say(&world, i, "x", i < yes ? 2 : 0);
                } else if (i >= 10) {
                    world_past_say(&world, i, "x", 2);
                }
            }
            world_learn(&world);
            world_look(&world, 1);
            assert_root(wanted);
            if (wanted == ANSWER_UNKNOWN) {
                assert_why(UNKNOWN_NO_BASELINE);
            }
            world_end(&world);
        }
    }
}

/* The look-back that c itself needs is there too, and nothing is settling. */
static void before_looks_back_through_for(void **state)
{
    (void)state;
    world_condition(&world, "before(x > 1 for 30s, 100s)");
    world_past(&world, 12);
    for (size_t back = 0; back < 12; back++) {
        world_past_say(&world, back, "x", 2);
    }
    world_learn(&world);
    world_look(&world, 1);
    assert_root(ANSWER_YES);
    world_end(&world);
}

static void before_may_ask_for_the_baseline(void **state)
{
    (void)state;
    world_condition(&world, "before(x > 150% * baseline(x), 100s)");
    world_past(&world, 30);
    for (size_t back = 0; back < 30; back++) {
        world_past_say(&world, back, "x", back < 10 ? 7 : 4);
    }
    world_learn(&world);
    world_look(&world, 1);
    assert_root(ANSWER_YES); /* 7 > 1.5 * 4 */
    world_end(&world);
}

static void a_suspects_time_is_left_out(void **state)
{
    struct span suspect = {WORLD_DEPLOYED - 14 * WORLD_EVERY,
                           WORLD_DEPLOYED - 9 * WORLD_EVERY};

    (void)state;
    world_number(&world, "baseline(x)");
    world_past(&world, 30);
    for (size_t back = 0; back < 30; back++) {
        bool live = back >= 10 && back <= 14;

        world_past_say(&world, back, "x", live ? 1000 : (double)(back % 2));
    }
    world.history.without = &suspect;
    world.history.withouts = 1;
    world_learn(&world);
    world_look(&world, 1);
    assert_int_equal(world_value(&world, "v").unknown, KNOWN);
    assert_true(world_value(&world, "v").number == 1); /* 13 of 25 */

    /* Too much left out: 14 of 30 remain. */
    suspect.from = WORLD_DEPLOYED - 25 * WORLD_EVERY;
    judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED);
    world_learn(&world);
    world_look(&world, 1);
    assert_int_equal(world_value(&world, "v").unknown, UNKNOWN_NO_BASELINE);
    world_end(&world);
}

/* 6 of 10 maxima reach into the time of the suspect; of those that do not, 5
 * are known, one of them with the fifth that may be missing. */
static void windows_do_not_reach_into_a_suspects_time(void **state)
{
    const struct span suspect = {WORLD_DEPLOYED - 17 * WORLD_EVERY,
                                 WORLD_DEPLOYED - 7 * WORLD_EVERY};

    (void)state;
    world_condition(&world, "before(max(x, 50s) > 500, 100s)");
    world_past(&world, 30);
    for (size_t back = 0; back < 30; back++) {
        world_past_say(&world, back, "x", back >= 8 && back < 18 ? 1000 : 1);
    }
    world_learn(&world);
    world_look(&world, 1);
    assert_root(ANSWER_YES);

    world.history.without = &suspect;
    world.history.withouts = 1;
    judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED);
    world_learn(&world);
    world_look(&world, 1);
    assert_root(ANSWER_NO);
    world_end(&world);
}

static void frozen_values_come_back_after_a_restart(void **state)
{
    struct value kept[POLICY_FROZEN_MAX];

    (void)state;
    world_number(&world, "baseline(x)");
    world_past(&world, 30);
    for (size_t back = 0; back < 30; back++) {
        world_past_say(&world, back, "x", 4);
    }
    world_learn(&world);
    memcpy(kept, judge_frozen(world.policy, world_judge(&world)),
           world.policy->frozens * sizeof(kept[0]));
    judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED);
    judge_freeze(world.policy, world_judge(&world), kept);
    world_look(&world, 1);
    assert_true(world_value(&world, "v").number == 4);
    world_end(&world);
}

/* --- The tree ------------------------------------------------------------- */

static const char tree[] = "policy: tree\n"
                           "applies_to: {service: shop}\n"
                           "mode: suggest\n"
                           "watch: {every: 10s, settle: 0s}\n"
                           "signals:\n"
                           "  x: {prometheus: x, unit: count}\n"
                           "  y: {prometheus: y, unit: count}\n"
                           "tree:\n"
                           "  question: first?\n"
                           "  if: x > 1\n"
                           "  else: healthy\n"
                           "  then:\n"
                           "    question: second?\n"
                           "    if: y > 1\n"
                           "    unknown: then\n"
                           "    else: {page: low}\n"
                           "    then:\n"
                           "      question: third?\n"
                           "      if: x > y\n"
                           "      then: {page: more}\n"
                           "      else: {page: less}\n"
                           "      unknown: {page: who knows}\n";

static void assert_leaf(const char *text, size_t steps, bool unsure)
{
    const struct leaf *leaf = policy_leaf(world.policy, world.verdict.leaf);
    const char *said = leaf->text == 0
                           ? leaf->kind == LEAF_WAIT ? "wait" : "healthy"
                           : policy_text(world.policy, leaf->text);

    assert_string_equal(said, text);
    assert_int_equal(world.verdict.steps, steps);
    assert_int_equal(world.verdict.unsure, unsure);
}

static void the_way_through_the_tree(void **state)
{
    const struct {
        double x, y; /* below 0: unknown */
        const char *leaf;
        size_t steps;
        bool unsure;
    } cases[] = {
        {0, 0, "healthy", 1, false}, {0, -1, "healthy", 1, false},
        {2, 0, "low", 2, false},     {3, 2, "more", 3, false},
        {2, 3, "less", 3, false},    {2, -1, "who knows", 3, true},
        {-1, -1, "wait", 1, true},   {-1, 2, "wait", 1, true},
    };

    (void)state;
    world_policy(&world, tree);
    for (int i = 0; i < (int)(sizeof(cases) / sizeof(cases[0])); i++) {
        world_all_unknown(&world, UNKNOWN_STALE);
        if (cases[i].x >= 0) {
            world_say(&world, "x", cases[i].x);
        }
        if (cases[i].y >= 0) {
            world_say(&world, "y", cases[i].y);
        }
        world_look(&world, i + 1);
        assert_leaf(cases[i].leaf, cases[i].steps, cases[i].unsure);
        assert_int_equal(world.verdict.at,
                         WORLD_DEPLOYED + (i + 1) * WORLD_EVERY);
        assert_int_equal(judge_seen(world_judge(&world)), world.verdict.at);
    }
    world_end(&world);
}

/* --- The same rows, the same bytes ---------------------------------------- */

static const char busy[] =
    "policy: busy\n"
    "applies_to: {service: shop}\n"
    "mode: suggest\n"
    "watch: {every: 10s, settle: 30s}\n"
    "baseline: 5m\n"
    "signals:\n"
    "  x: {prometheus: x, unit: count}\n"
    "  y: {prometheus: y, unit: count}\n"
    "  c: {scrape: c, unit: count}\n"
    "  calm: {is: 'avg(x, 60s) < 5 for 1m'}\n"
    "  swing: {is: 'stddev(x / y, 2m) + quantile(x / y, 90%, 2m)'}\n"
    "  trend: {is: 'forecast(max(x, 40s), 2m, 3m) > 9 or rising(y, 3m)'}\n"
    "  more: {is: 'change(x) > 120% or before(x > 2, 2m)'}\n"
    "tree:\n"
    "  question: calm?\n"
    "  if: calm and rate(c) < 40/s and swing < 300%\n"
    "  then: healthy\n"
    "  unknown: else\n"
    "  else:\n"
    "    question: worse?\n"
    "    if: surely(trend for 2 of 5) and more and count(x > 3, 2m) > 2\n"
    "    then: {page: worse}\n"
    "    else: {page: odd}\n"
    "    unknown: {page: unclear}\n";

#define LOOKS 300

static struct sample rows[LOOKS][3];
static bool looked[LOOKS];

static void random_rows(unsigned seed)
{
    srand(seed);
    for (int n = 1; n < LOOKS; n++) {
        looked[n] = rand() % 15 != 0;
        rows[n][0] = (struct sample){rand() % 8, KNOWN};
        rows[n][1] = (struct sample){n / 50 + rand() % 3, KNOWN};
        rows[n][2] = (struct sample){n % 90 * 100, KNOWN};
        if (rand() % 10 == 0) {
            rows[n][rand() % 3].unknown =
                (enum unknown)(1 + rand() % (UNKNOWN_LAST - 1));
        }
    }
}

static void busy_look(int n)
{
    memcpy(world.row, rows[n], sizeof(rows[n]));
    if (looked[n]) {
        world_look(&world, n);
    }
}

static void busy_start(void)
{
    judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED);
    world_past(&world, 60);
    for (size_t back = 0; back < 60; back++) {
        world_past_say(&world, back, "x", (double)(back % 5));
        world_past_say(&world, back, "y", 1);
    }
    world_learn(&world);
}

static void assert_same_verdict(const struct verdict *a,
                                const struct verdict *b)
{
    assert_int_equal(a->at, b->at);
    assert_int_equal(a->leaf, b->leaf);
    assert_int_equal(a->root, b->root);
    assert_int_equal(a->unsure, b->unsure);
    assert_int_equal(a->steps, b->steps);
    for (size_t i = 0; i < a->steps; i++) {
        assert_int_equal(a->path[i].question, b->path[i].question);
        assert_int_equal(a->path[i].answer, b->path[i].answer);
    }
    for (size_t i = 0; i < world.policy->nodes; i++) {
        assert_memory_equal(&a->values[i].number, &b->values[i].number,
                            sizeof(double));
        assert_int_equal(a->values[i].unknown, b->values[i].unknown);
    }
}

/* Refill at every look from only as much past as the policy says it needs. */
static void refilling_is_the_same_as_having_watched(void **state)
{
    static struct verdict watched;
    static unsigned char memory[JUDGE_BYTES_MAX];

    (void)state;
    world_policy(&world, busy);
    for (int end = 1; end < LOOKS; end += 7) {
        int need =
            (int)((world.policy->lookback + WORLD_EVERY - 1) / WORLD_EVERY);

        random_rows((unsigned)end);
        looked[end] = true;
        busy_start();
        for (int n = 1; n <= end; n++) {
            busy_look(n);
        }
        watched = world.verdict;
        memcpy(memory, world.block.bytes, world.policy->judge_bytes);
        busy_start();
        for (int n = end > need ? end - need + 1 : 1; n <= end; n++) {
            busy_look(n);
        }
        assert_same_verdict(&watched, &world.verdict);
        assert_memory_equal(memory, world.block.bytes,
                            world.policy->judge_bytes);
    }
    world_end(&world);
}

static void the_same_rows_give_the_same_verdicts(void **state)
{
    static struct verdict first[LOOKS];
    int kinds[4] = {0};

    (void)state;
    random_rows(3);
    for (int round = 0; round < 2; round++) {
        world_policy(&world, busy);
        busy_start();
        for (int n = 1; n < LOOKS; n++) {
            memset(&world.verdict, round == 0 ? 0 : 0xff, 64);
            busy_look(n);
            if (!looked[n]) {
                continue;
            }
            if (round == 0) {
                first[n] = world.verdict;
                kinds[world.verdict.steps]++;
            } else {
                assert_same_verdict(&first[n], &world.verdict);
            }
        }
        world_end(&world);
    }
    assert_true(kinds[1] > 0 && kinds[2] > 0);
}

/* FNV-1a over the bits of every value. */
static uint64_t mix(uint64_t hash, const struct verdict *verdict, size_t nodes)
{
    for (size_t i = 0; i < nodes; i++) {
        uint64_t bits = 0;

        memcpy(&bits, &verdict->values[i].number, sizeof(bits));
        bits ^= (uint64_t)verdict->values[i].unknown << 48;
        for (int byte = 0; byte < 8; byte++) {
            hash = (hash ^ (bits >> (8 * byte) & 0xff)) * 1099511628211U;
        }
    }
    return hash;
}

/* Whatever the compiler and its optimisation: this number was made by gcc 12
 * without any.  It changes only when judging or the order of nodes does. */
static void every_build_gives_the_same_bits(void **state)
{
    uint64_t hash = 14695981039346656037U;
    uint32_t seed = 1;

    (void)state;
    world_policy(&world, busy);
    busy_start();
    for (int n = 1; n < LOOKS; n++) {
        for (int i = 0; i < 3; i++) {
            seed = seed * 1664525U + 1013904223U;
            world.row[i] = (struct sample){0.3 * n + seed / 4e9, KNOWN};
        }
        world_look(&world, n);
        hash = mix(hash, &world.verdict, world.policy->nodes);
    }
    assert_true(hash == 0x65d08563a75415a1U);
    world_end(&world);
}

static void no_value_is_ever_not_a_number(void **state)
{
    (void)state;
    world_policy(&world, busy);
    for (unsigned seed = 0; seed < 5; seed++) {
        random_rows(seed);
        for (int n = 1; n < LOOKS; n++) {
            rows[n][0].number = seed % 2 == 1 ? 1.7e308 : -1.7e308;
            rows[n][1].number *= 1e308;
        }
        busy_start();
        for (int n = 1; n < LOOKS; n++) {
            busy_look(n);
            for (size_t i = 0; looked[n] && i < world.policy->nodes; i++) {
                double number = world.verdict.values[i].number;

                assert_true(number - number == 0); /* finite */
                assert_true(world.verdict.values[i].unknown < UNKNOWN_LAST);
            }
        }
    }
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(for_holds_at_the_earliest_its_span_after_settle),
        cmocka_unit_test(between_grid_times_settling_ends_the_same),
        cmocka_unit_test(one_false_makes_it_false_even_among_unknowns),
        cmocka_unit_test(a_gap_between_looks_is_not_true),
        cmocka_unit_test(k_of_n_bears_holes),
        cmocka_unit_test(the_median_before_the_deploy),
        cmocka_unit_test(half_of_the_grid_times_must_be_known),
        cmocka_unit_test(change_over_zero_is_unknown),
        cmocka_unit_test(what_is_known_once_stays),
        cmocka_unit_test(
            a_deploy_between_grid_times_has_its_last_one_before_it),
        cmocka_unit_test(the_mean_at_the_moment_of_the_deploy),
        cmocka_unit_test(more_errors_are_worse_once_they_have_lasted),
        cmocka_unit_test(a_blip_has_not_lasted),
        cmocka_unit_test(worse_than_what_nobody_saw_is_unknown),
        cmocka_unit_test(errors_and_requests_of_before_are_of_the_same_times),
        cmocka_unit_test(an_incident_before_the_deploy_was_worse_already),
        cmocka_unit_test(what_outgrows_the_load),
        cmocka_unit_test(before_is_true_at_more_than_half),
        cmocka_unit_test(before_looks_back_through_for),
        cmocka_unit_test(before_may_ask_for_the_baseline),
        cmocka_unit_test(a_suspects_time_is_left_out),
        cmocka_unit_test(windows_do_not_reach_into_a_suspects_time),
        cmocka_unit_test(frozen_values_come_back_after_a_restart),
        cmocka_unit_test(the_way_through_the_tree),
        cmocka_unit_test(refilling_is_the_same_as_having_watched),
        cmocka_unit_test(the_same_rows_give_the_same_verdicts),
        cmocka_unit_test(every_build_gives_the_same_bits),
        cmocka_unit_test(no_value_is_ever_not_a_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
