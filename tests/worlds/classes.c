#include "tests/worlds/classes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MINUTES 60.0
#define HOURS   3600.0

/* --- What all worlds share ------------------------------------------------ */

static double one_of(struct chance *chance, const double *numbers, size_t count)
{
    return numbers[(size_t)(chance_share(chance) * (double)count)];
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double greatest(double a, double b)
{
    return a > b ? a : b;
}

static void draw_meter(struct plan *plan, struct chance *chance)
{
    static const double every[] = {5, 15, 15, 15, 30, 60};
    static const double before[] = {3600, 3600, 5400, 2400, 1200, 7200};

    plan->every = (int)one_of(chance, every, 6);
    plan->before = one_of(chance, before, 6);
    plan->after = chance_between(chance, 2, 4) * HOURS;
    plan->offset =
        chance_is(chance, 0.5) ? 0 : chance_between(chance, 0, plan->every);
    plan->smooth = plan->every <= 15 && chance_is(chance, 0.3);
    plan->instant_pool = chance_is(chance, 0.5);
    plan->has_pool = true;
    plan->has_latency = chance_is(chance, 0.8);
    plan->idle = (enum idle_cell)(chance_share(chance) * 3);
    plan->gaps = chance_is(chance, 0.2) ? 0.003 : 0;
    plan->empty = chance_is(chance, 0.2) ? 0.01 : 0;
}

/* A pool that is @low to @high full: any two of rate, hold time and
 * connections give the third. */
static void draw_pool(struct plan *plan, struct chance *chance, double low,
                      double high)
{
    double busy = 0;

    plan->size = (double)(int)chance_pick(chance, 7, 1500);
    plan->hold = chance_pick(chance, 0.004, 0.8);
    busy = plan->size * least(chance_between(chance, low, high), 0.97);
    plan->rate = busy / plan->hold;
    if (plan->rate > 5000) {
        plan->rate = 5000;
    }
    if (plan->rate < 1) {
        plan->rate = 1;
    }
    plan->hold = busy / plan->rate;
    plan->hold_wander = chance_pick(chance, 0.005, 0.05);
    plan->timeout = chance_pick(chance, 0.5, 10);
}

static void draw_traffic(struct plan *plan, struct chance *chance)
{
    plan->wander = chance_pick(chance, 0.005, 0.06);
    plan->day_depth = chance_between(chance, 0, 0.3);
    plan->day_phase = chance_between(chance, 0, 24 * HOURS);
    plan->day_length = 24 * HOURS;
}

static void draw_errors(struct plan *plan, struct chance *chance)
{
    static const double bases[] = {0, 0, 0.0001, 0.0005, 0.001, 0.003};

    plan->errors_base = one_of(chance, bases, 6);
    plan->errors_wander = chance_pick(chance, 0.05, 0.4);
}

static void draw_common(struct plan *plan, struct chance *chance)
{
    draw_meter(plan, chance);
    draw_pool(plan, chance, 0.1, 0.55);
    draw_traffic(plan, chance);
    draw_errors(plan, chance);
    if (chance_is(chance, 0.3)) {
        plan->turbulence = (struct spell){0, chance_between(chance, 10, 55),
                                          chance_between(chance, 0, 0.4)};
        plan->turbulence_hold = chance_between(chance, 1, 2);
    }
}

static void set_rate(struct plan *plan, double rate)
{
    plan->hold *= plan->rate / rate;
    plan->rate = rate;
    if (plan->hold > 3) {
        plan->hold = 3;
    }
}

/* How often the load may grow before the pool is really too small: a pool has
 * to have room for what comes by chance, else requests do wait and fail. */
static double room_to_grow(const struct plan *plan)
{
    double root = (sqrt(3.5 * 3.5 + 4 * 0.97 * plan->size) - 3.5) / 2;
    double factor = root * root / (plan->rate * plan->hold);

    return factor > 1.01 ? factor : 1.01;
}

static double soon(struct chance *chance)
{
    return chance_is(chance, 0.5) ? 0 : chance_between(chance, 0, 900);
}

/* --- Releases that must go back ------------------------------------------- */

static void draw_error_spike(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = soon(chance);
    plan->bad_errors = chance_pick(chance, 0.07, 0.7);
}

static void draw_error_creep(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->after = 4 * HOURS;
    plan->onset = soon(chance);
    plan->bad_errors = chance_pick(chance, 0.07, 0.4);
    plan->bad_errors_over = chance_pick(chance, 20, 120) * MINUTES;
}

/* The traffic grows the same hour, and is not to blame. */
static void draw_error_ramp(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = soon(chance);
    plan->bad_errors = chance_pick(chance, 0.06, 0.3);
    plan->bad_errors_over = chance_pick(chance, 3, 30) * MINUTES;
    plan->ramp = (struct ramp){chance_between(chance, -600, 1200),
                               chance_pick(chance, 5, 40) * MINUTES,
                               chance_between(chance, 1.2, 1.7)};
}

static void draw_low_traffic_errors(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    set_rate(plan, chance_pick(chance, 0.13, 2));
    plan->errors_base = chance_is(chance, 0.5) ? 0 : 0.005;
    plan->onset = soon(chance);
    plan->bad_errors = chance_pick(chance, 0.2, 0.7);
}

static void leak_fully_in(struct plan *plan, double seconds)
{
    plan->leak_from = plan->onset;
    plan->leak = 1 / seconds;
    plan->after =
        greatest(plan->after, least(plan->onset + seconds, 7 * HOURS));
}

static void draw_fast_leak(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = soon(chance);
    leak_fully_in(plan, chance_pick(chance, 8, 45) * MINUTES);
}

static void draw_slow_leak(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = soon(chance);
    leak_fully_in(plan, chance_pick(chance, 1.2, 6) * HOURS);
}

static void draw_leak_in_ramp(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = soon(chance);
    leak_fully_in(plan, chance_pick(chance, 20, 150) * MINUTES);
    plan->ramp = (struct ramp){chance_between(chance, -600, 1800),
                               chance_pick(chance, 8, 50) * MINUTES,
                               chance_between(chance, 1.2, 1.7)};
}

static void draw_leak_in_falling_load(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    draw_pool(plan, chance, 0.3, 0.65);
    plan->onset = soon(chance);
    leak_fully_in(plan, chance_pick(chance, 1.5, 5) * HOURS);
    plan->day_depth = 0;
    plan->ramp = (struct ramp){0, chance_pick(chance, 0.7, 2.5) * HOURS,
                               chance_between(chance, 0.35, 0.75)};
}

static void draw_leak_with_restarts(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->after = 4 * HOURS;
    plan->onset = 0;
    plan->restart_every = chance_between(chance, 20, 30) * MINUTES;
    plan->restart_first = plan->restart_every;
    plan->restart_takes = chance_between(chance, 2, 45);
    leak_fully_in(plan, plan->restart_every * chance_pick(chance, 1, 3));
}

static void draw_flapping(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = soon(chance);
    plan->bad_errors = chance_pick(chance, 0.12, 0.6);
    plan->flap_on = chance_pick(chance, 50, 300);
    plan->flap_off = plan->flap_on * chance_pick(chance, 0.7, 3);
}

static void draw_late_errors(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = chance_pick(chance, 1.2, 5) * HOURS;
    plan->after = plan->onset + 1.5 * HOURS;
    plan->bad_errors = chance_pick(chance, 0.04, 0.5);
}

static void draw_late_leak(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = chance_pick(chance, 1.2, 4) * HOURS;
    plan->after = plan->onset + 2.5 * HOURS;
    leak_fully_in(plan, chance_pick(chance, 15, 120) * MINUTES);
}

static void draw_more_of_few(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    set_rate(plan, chance_pick(chance, 8, 2000));
    plan->errors_base = chance_pick(chance, 0.005, 0.03);
    plan->onset = soon(chance);
    plan->bad_errors = plan->errors_base * (chance_between(chance, 2, 8) - 1);
}

static void draw_eight_times_tiny(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    set_rate(plan, chance_pick(chance, 15, 3000));
    plan->errors_base = chance_pick(chance, 0.0008, 0.003);
    plan->onset = soon(chance);
    plan->bad_errors = plan->errors_base * 7;
}

static void draw_sparse_from_nothing(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    set_rate(plan, chance_pick(chance, 1.5, 60));
    plan->errors_base = 0;
    plan->onset = soon(chance);
    plan->bad_errors = chance_pick(chance, 0.015, 0.04);
}

static void draw_latency_fills(struct plan *plan, struct chance *chance)
{
    double full = 0;

    draw_common(plan, chance);
    plan->onset = soon(chance);
    full = plan->size / (plan->rate * plan->hold);
    plan->bad_hold = (struct ramp){
        plan->onset,
        chance_is(chance, 0.5) ? 1 : chance_pick(chance, 1, 30) * MINUTES,
        full * chance_between(chance, 0.97, 1.6)};
    plan->day_depth = chance_between(chance, 0, 0.1);
}

static void draw_errors_alone(struct plan *plan, struct chance *chance)
{
    draw_error_spike(plan, chance);
    set_rate(plan, chance_pick(chance, 0.3, 4000));
    plan->bad_errors = chance_pick(chance, 0.12, 0.7);
    plan->has_pool = false;
    plan->has_latency = false;
}

static void draw_errors_without_past(struct plan *plan, struct chance *chance)
{
    draw_error_spike(plan, chance);
    plan->bad_errors = chance_pick(chance, 0.1, 0.7);
    plan->before = 0;
}

static void draw_leak_without_past(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->onset = soon(chance);
    leak_fully_in(plan, chance_pick(chance, 15, 120) * MINUTES);
    plan->before = 0;
}

static void draw_slow_alone(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    set_rate(plan, chance_pick(chance, 3, 3000));
    plan->onset = soon(chance);
    plan->bad_hold = (struct ramp){plan->onset, 1, chance_pick(chance, 5, 15)};
    plan->size = 1 + 30 * plan->rate * plan->hold + 30; /* never in the way */
    plan->has_pool = false;
    plan->has_latency = true;
    plan->day_depth = chance_between(chance, 0, 0.1);
}

static void draw_bad_while_burning(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    set_rate(plan, chance_pick(chance, 4, 3000));
    plan->onset = soon(chance);
    plan->burning = (struct spell){-1e6, 1e6, chance_pick(chance, 0.03, 0.08)};
    plan->bad_errors = plan->burning.size * chance_between(chance, 2.5, 6);
    plan->errors_wander = chance_pick(chance, 0.05, 0.2);
}

/* --- Releases that must stay ---------------------------------------------- */

static void draw_long(struct plan *plan, struct chance *chance)
{
    draw_common(plan, chance);
    plan->after = chance_between(chance, 3, 8) * HOURS;
}

static void draw_healthy(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    if (chance_is(chance, 0.3)) { /* a little slower, a little faster */
        plan->bad_hold =
            (struct ramp){0, 1, chance_between(chance, 0.85, 1.12)};
    }
}

static void draw_turbulence(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    plan->turbulence = (struct spell){0, chance_between(chance, 30, 120),
                                      chance_between(chance, 0.05, 0.6)};
    plan->turbulence_hold = chance_between(chance, 1, 6);
}

static void draw_harmless_ramp(struct plan *plan, struct chance *chance)
{
    double most = 0;

    draw_long(plan, chance);
    most = room_to_grow(plan);
    plan->day_depth = 0;
    plan->ramp = (struct ramp){chance_between(chance, -1200, 3600),
                               chance_pick(chance, 4, 90) * MINUTES,
                               least(most, chance_between(chance, 1.2, 2.5))};
}

static void draw_flash_crowd(struct plan *plan, struct chance *chance)
{
    double most = 0, from = chance_between(chance, -300, 7200);

    draw_long(plan, chance);
    most = room_to_grow(plan);
    plan->day_depth = 0;
    plan->crowd =
        (struct spell){from, from + chance_pick(chance, 3, 60) * MINUTES,
                       least(most, chance_between(chance, 1.5, 6))};
}

/* A ramp makes the database slower, and then it is as slow as it gets. */
static void draw_slowing_ramp(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    plan->day_depth = 0;
    plan->ramp = (struct ramp){chance_between(chance, -600, 3600),
                               chance_pick(chance, 4, 60) * MINUTES,
                               chance_between(chance, 1.2, 1.8)};
    plan->slowing = chance_between(chance, 0.3, 1.2);
    plan->slowing_most = 1 + plan->slowing * (plan->ramp.factor - 1);
    plan->slowing_lag =
        chance_is(chance, 0.4) ? chance_pick(chance, 20, 200) : 0;
    if (plan->ramp.factor * plan->slowing_most > room_to_grow(plan)) {
        double busy =
            plan->rate * plan->hold * plan->ramp.factor * plan->slowing_most;

        plan->size =
            floor(busy / chance_between(chance, 0.6, 0.9) + 3.5 * sqrt(busy));
    }
}

static void draw_burning(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    plan->burning = (struct spell){-1e6, 1e6, chance_pick(chance, 0.06, 0.5)};
    plan->errors_wander = chance_pick(chance, 0.05, 0.25);
}

/* Somebody else's incident, minutes before the deploy (perhaps its remedy). */
static void draw_burning_since_minutes(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    plan->burning = (struct spell){-chance_between(chance, 240, 1500),
                                   chance_pick(chance, 10, 300) * MINUTES,
                                   chance_pick(chance, 0.06, 0.5)};
    plan->errors_wander = chance_pick(chance, 0.05, 0.2);
}

static void draw_already_full(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    draw_pool(plan, chance, 0.8, 0.96);
    plan->day_depth = chance_between(chance, 0, 0.02);
    plan->wander = chance_between(chance, 0.002, 0.01);
    plan->hold_wander = chance_between(chance, 0.002, 0.01);
    if (plan->size < 40) {
        plan->size *= 8;
        plan->rate *= 8;
    }
}

/* The version before leaked as well. */
static void draw_already_leaking(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    draw_pool(plan, chance, 0.1, 0.4);
    plan->leak_from = -chance_between(chance, 2000, 3600);
    plan->leak = chance_between(chance, 0.5, 0.9) /
                 (chance_pick(chance, 2.5, 5) * HOURS);
    plan->before = 3600;
    plan->gaps = 0;
    plan->after = 1 * HOURS;
}

static void draw_deploy_in_ramp(struct plan *plan, struct chance *chance)
{
    double most = 0, over = chance_pick(chance, 20, 120) * MINUTES;

    draw_long(plan, chance);
    most = room_to_grow(plan);
    plan->day_depth = 0;
    plan->ramp = (struct ramp){-over * chance_between(chance, 0.2, 0.9), over,
                               least(most, chance_between(chance, 1.3, 3))};
    if (chance_is(chance, 0.5)) {
        plan->slowing = chance_between(chance, 0, 0.3);
        plan->slowing_most = 1.3;
        plan->size *= 1.3;
    }
}

static void draw_one_blip(struct plan *plan, struct chance *chance)
{
    double from = chance_between(chance, 200, 9000);

    draw_long(plan, chance);
    plan->blip = (struct spell){from, from + chance_between(chance, 40, 120),
                                chance_between(chance, 0.2, 0.6)};
}

static void draw_few_requests(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    set_rate(plan, chance_pick(chance, 0.1, 0.7));
    plan->errors_base = chance_between(chance, 0, 0.02);
}

static void draw_counter_resets(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    plan->reset_every = chance_pick(chance, 5, 60) * MINUTES;
    if (chance_is(chance, 0.5)) {
        plan->restart_every = chance_pick(chance, 15, 90) * MINUTES;
        plan->restart_takes = chance_between(chance, 2, 40);
    }
}

static void draw_daily_peak(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    draw_pool(plan, chance, 0.1, 0.35);
    plan->after = chance_between(chance, 6, 9) * HOURS;
    plan->day_depth = chance_between(chance, 0.2, 0.6);
    plan->day_length = chance_between(chance, 14, 24) * HOURS;
    plan->day_phase = chance_between(chance, -0.25, 0.25) * plan->day_length;
    plan->slowing = chance_between(chance, 0, 0.3);
    plan->slowing_most = 1.4;
}

static void draw_pool_resized(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    plan->day_depth = 0;
    plan->resize = (struct ramp){
        chance_is(chance, 0.5) ? 0 : chance_between(chance, 0, 6000), 1,
        chance_is(chance, 0.5) ? chance_between(chance, 1.2, 3)
                               : greatest(least(1, 1 / room_to_grow(plan)),
                                          chance_between(chance, 0.3, 0.8))};
}

static void draw_falling_load(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    plan->day_depth = 0;
    plan->ramp = (struct ramp){chance_between(chance, -1200, 3600),
                               chance_pick(chance, 5, 120) * MINUTES,
                               chance_between(chance, 0.15, 0.8)};
}

static void draw_some_errors_always(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    plan->errors_base = chance_pick(chance, 0.005, 0.03);
    plan->errors_wander = chance_pick(chance, 0.05, 0.25);
}

static void draw_patchy(struct plan *plan, struct chance *chance)
{
    draw_healthy(plan, chance);
    plan->gaps = chance_pick(chance, 0.005, 0.03);
    plan->empty = chance_pick(chance, 0.01, 0.2);
}

static void draw_quiet_without_past(struct plan *plan, struct chance *chance)
{
    draw_healthy(plan, chance);
    plan->before = 0;
    if (chance_is(chance, 0.5)) {
        plan->errors_base = chance_pick(chance, 0.002, 0.015);
        plan->errors_wander = 0.1;
    }
}

/* Each request costs a little more; that is a price, not an incident. */
static void draw_a_little_slower(struct plan *plan, struct chance *chance)
{
    draw_long(plan, chance);
    draw_pool(plan, chance, 0.1, 0.4);
    plan->bad_hold = (struct ramp){0, chance_pick(chance, 1, 60),
                                   chance_between(chance, 1.1, 1.6)};
}

static void draw_ramp_without_past(struct plan *plan, struct chance *chance)
{
    if (chance_is(chance, 0.5)) {
        draw_harmless_ramp(plan, chance);
    } else {
        draw_slowing_ramp(plan, chance);
    }
    plan->before = 0;
}

static void draw_alone_and_well(struct plan *plan, struct chance *chance)
{
    draw_healthy(plan, chance);
    set_rate(plan, chance_pick(chance, 0.13, 4000));
    plan->has_pool = false;
    plan->has_latency = false;
}

/* --- No way back, and nothing to see -------------------------------------- */

static void draw_bad(struct plan *plan, struct chance *chance)
{
    switch ((int)(chance_share(chance) * 4)) {
    case 0:
        draw_error_spike(plan, chance);
        return;
    case 1:
        draw_fast_leak(plan, chance);
        return;
    case 2:
        draw_latency_fills(plan, chance);
        return;
    default:
        draw_flapping(plan, chance);
        return;
    }
}

static void draw_one_way(struct plan *plan, struct chance *chance)
{
    draw_bad(plan, chance);
    plan->data_change = chance_is(chance, 0.5) ? "contract" : "irreversible";
}

/* The source goes at the deploy, whatever the release does. */
static void draw_blind(struct plan *plan, struct chance *chance)
{
    if (chance_is(chance, 0.5)) {
        draw_bad(plan, chance);
    } else {
        draw_healthy(plan, chance);
    }
    plan->gaps = 0;
    plan->blindness = (enum blindness)(1 + (int)(chance_share(chance) * 4));
    plan->blind_from = chance_between(chance, -120, 120);
    if (plan->blindness == BLIND_FROZEN &&
        plan->blind_from > plan->onset - 60) {
        plan->blind_from = chance_between(chance, -120, -20);
    }
}

/* --- The table ------------------------------------------------------------ */

const struct world_class world_classes[] = {
    {"error-spike", WANTED_ROLLBACK, draw_error_spike},
    {"error-creep", WANTED_ROLLBACK, draw_error_creep},
    {"error-ramp", WANTED_ROLLBACK, draw_error_ramp},
    {"low-traffic-errors", WANTED_ROLLBACK, draw_low_traffic_errors},
    {"fast-leak", WANTED_ROLLBACK, draw_fast_leak},
    {"slow-leak", WANTED_ROLLBACK, draw_slow_leak},
    {"leak-in-ramp", WANTED_ROLLBACK, draw_leak_in_ramp},
    {"leak-in-falling-load", WANTED_ROLLBACK, draw_leak_in_falling_load},
    {"leak-with-restarts", WANTED_ROLLBACK, draw_leak_with_restarts},
    {"flapping", WANTED_ROLLBACK, draw_flapping},
    {"late-errors", WANTED_ROLLBACK, draw_late_errors},
    {"late-leak", WANTED_ROLLBACK, draw_late_leak},
    {"more-of-few-errors", WANTED_ROLLBACK, draw_more_of_few},
    {"eight-times-tiny", WANTED_ROLLBACK, draw_eight_times_tiny},
    {"sparse-from-nothing", WANTED_ROLLBACK, draw_sparse_from_nothing},
    {"latency-fills-pool", WANTED_ROLLBACK, draw_latency_fills},
    {"errors-alone", WANTED_ROLLBACK, draw_errors_alone},
    {"errors-without-past", WANTED_ROLLBACK, draw_errors_without_past},
    {"leak-without-past", WANTED_ROLLBACK, draw_leak_without_past},
    {"slow-alone", WANTED_ROLLBACK, draw_slow_alone},
    {"bad-while-burning", WANTED_ROLLBACK, draw_bad_while_burning},
    {"healthy", WANTED_STAY, draw_healthy},
    {"turbulence", WANTED_STAY, draw_turbulence},
    {"harmless-ramp", WANTED_STAY, draw_harmless_ramp},
    {"flash-crowd", WANTED_STAY, draw_flash_crowd},
    {"slowing-ramp", WANTED_STAY, draw_slowing_ramp},
    {"already-burning", WANTED_STAY, draw_burning},
    {"burning-since-minutes", WANTED_STAY, draw_burning_since_minutes},
    {"already-full", WANTED_STAY, draw_already_full},
    {"already-leaking", WANTED_STAY, draw_already_leaking},
    {"deploy-in-ramp", WANTED_STAY, draw_deploy_in_ramp},
    {"one-blip", WANTED_STAY, draw_one_blip},
    {"few-requests", WANTED_STAY, draw_few_requests},
    {"counter-resets", WANTED_STAY, draw_counter_resets},
    {"daily-peak", WANTED_STAY, draw_daily_peak},
    {"pool-resized", WANTED_STAY, draw_pool_resized},
    {"falling-load", WANTED_STAY, draw_falling_load},
    {"some-errors-always", WANTED_STAY, draw_some_errors_always},
    {"patchy", WANTED_STAY, draw_patchy},
    {"quiet-without-past", WANTED_STAY, draw_quiet_without_past},
    {"a-little-slower", WANTED_STAY, draw_a_little_slower},
    {"ramp-without-past", WANTED_STAY, draw_ramp_without_past},
    {"alone-and-well", WANTED_STAY, draw_alone_and_well},
    {"one-way", WANTED_HOLD, draw_one_way},
    {"blind", WANTED_BLIND_STAY, draw_blind},
};
const size_t world_classes_count =
    sizeof(world_classes) / sizeof(world_classes[0]);

const struct world_class *world_class_named(const char *name)
{
    for (size_t i = 0; i < world_classes_count; i++) {
        if (strcmp(world_classes[i].name, name) == 0) {
            return &world_classes[i];
        }
    }
    return NULL;
}

static uint64_t seed_of(const struct world_class *world_class, uint64_t seed,
                        unsigned number)
{
    uint64_t mixed = seed * 1000003ULL + number;

    for (const char *letter = world_class->name; *letter != '\0'; letter++) {
        mixed = mixed * 1099511628211ULL + (unsigned char)*letter;
    }
    return mixed;
}

/* A service that is well has a pool for its busiest second, with room for what
 * comes by chance; else requests do wait and fail, and it is not well. */
static void make_room(struct plan *plan)
{
    double busiest = 0, needed = 0;

    for (double t = -plan->before; t < plan->after; t += 30) {
        busiest = greatest(busiest, plan_busy(plan, t));
    }
    busiest *= 1 + 3 * plan->wander;
    needed = busiest * (1 + 2 * plan->hold_wander) + 3.5 * sqrt(busiest) + 1;
    if (plan->resize.factor > 0 && plan->resize.factor < 1) {
        needed /= plan->resize.factor;
    }
    if (plan->size < needed) {
        plan->size = ceil(needed);
    }
}

struct world *world_make(const struct world_class *world_class, uint64_t seed,
                         unsigned number, double stretch)
{
    struct world *world = calloc(1, sizeof(*world));
    struct chance chance;

    assert(world != NULL);
    chance_init(&chance, seed_of(world_class, seed, number), stretch);
    world->plan.wanted = world_class->wanted;
    world->plan.data_change = chance_is(&chance, 0.5) ? "none" : "expand";
    world_class->draw(&world->plan, &chance);
    if (world_class->wanted == WANTED_STAY &&
        world_class->draw != draw_already_full) {
        make_room(&world->plan);
    }
    world_run(world, &chance);
    return world;
}
