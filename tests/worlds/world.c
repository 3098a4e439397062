#include "tests/worlds/world.h"

#include <math.h>
#include <string.h>

/* --- Courses -------------------------------------------------------------- */

static double ramp_at(const struct ramp *ramp, double t)
{
    if (ramp->factor <= 0 || t <= ramp->from) {
        return 1;
    }
    if (t >= ramp->from + ramp->over) {
        return ramp->factor;
    }
    return 1 + (ramp->factor - 1) * (t - ramp->from) / ramp->over;
}

static double spell_at(const struct spell *spell, double t)
{
    return t > spell->from && t <= spell->until ? spell->size : 0;
}

/* A number that wanders around 0 with a memory of @memory seconds. */
static void wander(double *at, double spread, double memory,
                   struct chance *chance)
{
    double keep = exp(-1 / memory);

    *at = *at * keep + spread * sqrt(1 - keep * keep) * chance_normal(chance);
}

/* --- The service ---------------------------------------------------------- */

struct service {
    double load;   /* growth of the traffic, 1: as planned */
    double slowed; /* the database's answer to it */
    double rate_wander, hold_wander, errors_wander;
    double busy; /* connections really used */
    double leaked;
    double queue;
    double down_until;
    /* Of this second. */
    double requests, errors, in_use, size, latency;
};

static double load_at(const struct plan *plan, double t)
{
    double day = plan->day_depth *
                 sin(6.283185307179586 * (t + plan->day_phase) /
                     (plan->day_length > 0 ? plan->day_length : 86400));
    double day_then = plan->day_depth *
                      sin(6.283185307179586 * plan->day_phase /
                          (plan->day_length > 0 ? plan->day_length : 86400));
    double crowd = spell_at(&plan->crowd, t);

    return ramp_at(&plan->ramp, t) * ramp_at(&plan->second_ramp, t) *
           (crowd > 0 ? crowd : 1) * (1 + day) / (1 + day_then);
}

/* A loaded database slows down, but only so far. */
static double slowed_to(const struct plan *plan, double load)
{
    double factor = 1 + plan->slowing * (load - 1);

    if (factor < 1) {
        factor = 1;
    }
    return plan->slowing_most > 0 && factor > plan->slowing_most
               ? plan->slowing_most
               : factor;
}

double plan_busy(const struct plan *plan, double t)
{
    double load = load_at(plan, t);

    return plan->rate * load * plan->hold * slowed_to(plan, load) *
           ramp_at(&plan->bad_hold, t);
}

static bool is_bad_now(const struct plan *plan, double t)
{
    double period = plan->flap_on + plan->flap_off;

    if (t < plan->onset || plan->wanted == WANTED_STAY) {
        return false;
    }
    return period <= 0 || fmod(t - plan->onset, period) < plan->flap_on;
}

static double error_share(const struct plan *plan,
                          const struct service *service, double t)
{
    double share =
        plan->errors_base * exp(service->errors_wander) +
        spell_at(&plan->burning, t) * exp(service->errors_wander / 2);
    double blip = spell_at(&plan->blip, t);
    double turbulence = spell_at(&plan->turbulence, t);

    if (is_bad_now(plan, t)) {
        double grown = plan->bad_errors_over > 0
                           ? (t - plan->onset) / plan->bad_errors_over
                           : 1;

        share += plan->bad_errors * (grown < 1 ? grown : 1) *
                 exp(service->errors_wander / 2);
    }
    share = share > blip ? share : blip;
    return share > turbulence ? share : turbulence;
}

static double hold_time(const struct plan *plan, const struct service *service,
                        double t)
{
    double hold = plan->hold * service->slowed * exp(service->hold_wander);

    if (plan->wanted != WANTED_STAY || plan->bad_hold.factor < 2) {
        hold *= ramp_at(&plan->bad_hold, t);
    }
    if (spell_at(&plan->turbulence, t) > 0) {
        hold *= plan->turbulence_hold;
    }
    return hold;
}

static void leak_on(const struct plan *plan, struct service *service, double t)
{
    if (plan->leak > 0 && t >= plan->leak_from) {
        service->leaked += plan->leak * plan->size;
    }
    if (service->leaked > service->size) {
        service->leaked = service->size;
    }
}

static void restart(const struct plan *plan, struct service *service, double t)
{
    bool due = plan->restart_every > 0 && t >= plan->restart_first &&
               fmod(t - plan->restart_first, plan->restart_every) < 1;

    if (due) {
        service->leaked = 0;
        service->busy = 0;
        service->queue = 0;
        service->down_until = t + plan->restart_takes;
    }
}

/* Arrivals take connections for @hold seconds each; those who find none wait,
 * and fail when that takes too long. */
static void use_pool(const struct plan *plan, struct service *service,
                     double rate, double hold, struct chance *chance)
{
    double left = floor(service->size - service->leaked + 0.5);
    double capacity = left / hold; /* requests per second */
    double mean = rate * hold;
    double keep = exp(-1 / hold);
    double failed = 0;

    service->busy = mean + (service->busy - mean) * keep +
                    sqrt(mean * (1 - keep * keep)) * chance_normal(chance);
    if (service->busy < 0) {
        service->busy = 0;
    }
    service->queue += service->requests - capacity;
    if (service->queue < 0) {
        service->queue = 0;
    }
    if (service->queue > plan->timeout * capacity) {
        failed = service->queue - plan->timeout * capacity;
        service->queue = plan->timeout * capacity;
    }
    if (service->busy > left || service->queue > 0) {
        service->busy = left;
    }
    service->errors += failed;
    if (service->errors > service->requests) {
        service->errors = service->requests;
    }
    service->in_use = service->busy + service->leaked;
    service->latency =
        4 * hold + (capacity > 0 ? service->queue / capacity : plan->timeout);
}

static void live_second(const struct plan *plan, struct service *service,
                        double t, struct chance *chance)
{
    double hold = 0, rate = 0;

    wander(&service->rate_wander, plan->wander, 300, chance);
    wander(&service->hold_wander, plan->hold_wander, 400, chance);
    wander(&service->errors_wander, plan->errors_wander, 120, chance);
    service->load = load_at(plan, t);
    service->slowed += (slowed_to(plan, service->load) - service->slowed) *
                       (plan->slowing_lag > 1 ? 1 / plan->slowing_lag : 1);
    service->size = floor(plan->size * ramp_at(&plan->resize, t) + 0.5);
    restart(plan, service, t);
    leak_on(plan, service, t);
    rate = plan->rate * service->load * exp(service->rate_wander);
    if (t < service->down_until) {
        rate *= 0.02;
    }
    hold = hold_time(plan, service, t);
    service->requests = chance_poisson(chance, rate);
    service->errors = chance_binomial(chance, service->requests,
                                      error_share(plan, service, t));
    use_pool(plan, service, rate, hold, chance);
}

/* --- The meter ------------------------------------------------------------ */

#define MINUTE 60

struct meter {
    double requests[MINUTE], errors[MINUTE], in_use[MINUTE], latency[MINUTE];
    long seconds;
    double gap_until;
    struct reading last;
};

static void meter_add(struct meter *meter, const struct service *service)
{
    size_t slot = (size_t)(meter->seconds++ % MINUTE);

    meter->requests[slot] = service->requests;
    meter->errors[slot] = service->errors;
    meter->in_use[slot] = service->in_use;
    meter->latency[slot] = service->latency;
}

static double meter_sum(const struct meter *meter, const double *numbers,
                        int seconds)
{
    double sum = 0;

    for (long i = 1; i <= seconds && i <= meter->seconds; i++) {
        sum += numbers[(meter->seconds - i) % MINUTE];
    }
    return sum;
}

static double floor_at_0(double number)
{
    return number > 0 ? number : 0;
}

static struct reading meter_read(const struct plan *plan, struct meter *meter,
                                 const struct service *service, double t,
                                 struct chance *chance)
{
    int over = plan->smooth ? MINUTE : plan->every;
    double requests = meter_sum(meter, meter->requests, over);
    double errors = meter_sum(meter, meter->errors, over);
    double few = 1 / sqrt(requests + 1);
    struct reading reading = {.at = t, .pool_size = service->size};

    reading.requests = requests / over;
    reading.error_rate = requests > 0 ? errors / requests : 0;
    if (requests <= 0 && plan->idle != IDLE_ZERO) {
        *(plan->idle == IDLE_NAN ? &reading.nan : &reading.empty) |= 1;
    }
    reading.pool_in_use = plan->instant_pool
                              ? floor(service->in_use + 0.5)
                              : meter_sum(meter, meter->in_use, over) / over;
    reading.latency_p99 = meter_sum(meter, meter->latency, over) / over *
                          exp((0.05 + few) * chance_normal(chance) - few);
    if (requests <= 0) {
        reading.empty |= 16;
    }
    if (plan->reset_every > 0 &&
        fmod(t + 1e7, plan->reset_every) < plan->every) {
        reading.requests *= floor_at_0(chance_between(chance, -0.5, 1));
        reading.error_rate = chance_is(chance, 0.5) ? 0 : reading.error_rate;
    }
    return reading;
}

/* Whether a row is written at all; and what is missing of it. */
static bool is_written(const struct plan *plan, struct meter *meter,
                       struct reading *reading, struct chance *chance)
{
    double t = reading->at;

    if (plan->gaps > 0 && chance_is(chance, plan->gaps)) {
        meter->gap_until = t + chance_pick(chance, 15, 240);
    }
    for (int cell = 0; cell < READING_CELLS; cell++) {
        if (plan->empty > 0 && chance_is(chance, plan->empty)) {
            reading->empty |= (uint8_t)(1 << cell);
        }
    }
    if (plan->blindness != BLIND_NOT && t >= plan->blind_from) {
        double at = t;

        switch (plan->blindness) {
        case BLIND_NOT:
            break;
        case BLIND_NO_ROWS:
            return false;
        case BLIND_EMPTY:
            reading->empty = 31;
            break;
        case BLIND_NAN:
            reading->nan = 31;
            break;
        case BLIND_FROZEN:
            *reading = meter->last;
            reading->at = at;
            break;
        }
        return true;
    }
    meter->last = *reading;
    return t >= meter->gap_until;
}

void world_run(struct world *world, struct chance *chance)
{
    const struct plan *plan = &world->plan;
    struct service service = {.slowed = 1, .down_until = -1e9};
    struct meter meter = {.gap_until = -1e9};
    double begin = -plan->before - 900; /* a quarter of an hour unseen */
    double first = -plan->before + plan->offset;
    double next = first;

    world->count = 0;
    service.slowed = slowed_to(plan, load_at(plan, begin));
    service.busy = plan->rate * plan->hold;
    for (double t = begin; t <= plan->after; t += 1) {
        live_second(plan, &service, t, chance);
        meter_add(&meter, &service);
        if (t + 1 > next && world->count < READINGS_MAX) {
            struct reading reading =
                meter_read(plan, &meter, &service, next, chance);

            if (is_written(plan, &meter, &reading, chance)) {
                world->readings[world->count++] = reading;
            }
            next += plan->every;
        }
    }
}
