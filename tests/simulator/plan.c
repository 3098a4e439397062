#include "tests/simulator/plan.h"

#include <assert.h>
#include <stdio.h>

static const char *const act_texts[] = {
#define X(name, text) [ACT_##name] = text,
    ACTS(X)
#undef X
};
static const char *const moment_texts[] = {
#define X(name, text) [MOMENT_##name] = text,
    MOMENTS(X)
#undef X
};

const char *act_text(enum act_kind kind)
{
    return act_texts[kind];
}

const char *moment_text(enum moment moment)
{
    return moment_texts[moment];
}

/* ---- who is there ------------------------------------------------------- */

static void make_version(struct version_plan *version, size_t number,
                         struct dice *dice)
{
    static const char *const changes[] = {
        NULL, "none", "none", "none", "expand", "contract", "irreversible"};
    (void)snprintf(version->name, sizeof version->name, "1.%zu", number);
    version->is_bad = number > 0 && dice_percent(dice, 60);
    version->onset = dice_one_in(dice, 2) ? 0 : dice_between(dice, 0, 60000);
    version->data_change = DICE_PICK(dice, changes);
}

static void make_service(struct plan *plan, size_t number, struct dice *dice)
{
    static const char *const names[PLAN_SERVICES_MAX] = {"shop", "cart", "mail",
                                                         "pay"};
    struct service_plan *service = &plan->services[number];
    (void)snprintf(service->name, sizeof service->name, "%s", names[number]);
    (void)snprintf(service->environment, sizeof service->environment, "prod");
    service->target = (uint16_t)dice_roll(dice, plan->targets_count);
    service->source = (uint16_t)dice_roll(dice, plan->sources_count);
    service->ceiling =
        dice_one_in(dice, 12) ? (enum mode)dice_roll(dice, 4) : MODE_AUTO;
    for (size_t i = 0; i < PLAN_VERSIONS; i++) {
        make_version(&service->versions[i], i, dice);
    }
}

static void make_target(struct target_plan *target, struct dice *dice)
{
    static const time_ms deadlines[] = {30000, 60000, 120000};
    static const time_ms timeouts[] = {2000, 5000, 10000};
    static const time_ms latencies[] = {20, 100, 1500};
    static const time_ms rollouts[] = {0, 1000, 8000, 20000};
    target->deadline = DICE_PICK(dice, deadlines);
    target->timeout = DICE_PICK(dice, timeouts);
    target->can_check = dice_one_in(dice, 3);
    target->compares = dice_one_in(dice, 2);
    target->honours_keys = dice_one_in(dice, 2);
    target->latency = DICE_PICK(dice, latencies);
    target->rollout = DICE_PICK(dice, rollouts);
}

static void make_policies(struct plan *plan, struct dice *dice)
{
    bool for_all = dice_one_in(dice, 2);
    plan->policies_count = for_all ? 1 : plan->services_count;
    for (size_t i = 0; i < plan->policies_count; i++) {
        bool acts = dice_percent(dice, 60);
        static const uint8_t acting[] = {0, 0, 1, 1, 9, 13, 15};
        plan->policies[i].service = for_all ? -1 : (int)i;
        plan->policies[i].flavour =
            acts ? DICE_PICK(dice, acting) : (uint8_t)dice_roll(dice, FLAVOURS);
    }
}

static void make_interlocks(struct plan *plan, struct dice *dice)
{
    static const time_ms windows[] = {60000, 180000, 1800000};
    plan->ceiling =
        dice_one_in(dice, 20) ? (enum mode)dice_roll(dice, 4) : MODE_AUTO;
    plan->per_service = 1 + (uint32_t)dice_roll(dice, 2);
    plan->per_service_window = DICE_PICK(dice, windows);
    plan->fleet = dice_one_in(dice, 3) ? 1 : 3;
    plan->fleet_window = DICE_PICK(dice, windows);
    plan->shared_services =
        dice_one_in(dice, 3) ? 0 : 2 + (uint32_t)dice_roll(dice, 2);
}

/* ---- what happens ------------------------------------------------------- */

static const struct {
    enum act_kind kind;
    uint8_t weight;
    bool at_worst; /* it comes at the worst moment, half of the time */
} chances[] = {
    {ACT_DEPLOY, 14, false}, {ACT_DEPLOY_SILENT, 5, true},
    {ACT_REGISTER, 6, true}, {ACT_TARGET, 14, true},
    {ACT_SOURCE, 8, true},   {ACT_TROUBLE, 3, false},
    {ACT_DISK, 8, true},     {ACT_SINK, 3, false},
    {ACT_CRASH, 12, true},   {ACT_CLOCK, 4, true},
    {ACT_STOP, 5, true},     {ACT_POLICY, 5, true},
    {ACT_ORDER, 12, true},   {ACT_GATE, 3, true},
};

static size_t pick_chance(struct dice *dice)
{
    uint64_t all = 0;
    for (size_t i = 0; i < sizeof chances / sizeof chances[0]; i++) {
        all += chances[i].weight;
    }
    uint64_t at = dice_roll(dice, all);
    size_t i = 0;
    while (at >= chances[i].weight) {
        at -= chances[i].weight;
        i++;
    }
    return i;
}

static void pick_moment(struct act *act, const struct plan *plan,
                        struct dice *dice)
{
    static const enum moment moments[] = {
        MOMENT_VERDICT, MOMENT_PROPOSED, MOMENT_INTENDED,  MOMENT_INTENDED,
        MOMENT_DURABLE, MOMENT_DURABLE,  MOMENT_REVERT,    MOMENT_REVERT,
        MOMENT_APPLIED, MOMENT_APPLIED,  MOMENT_VERIFYING, MOMENT_STARTED};
    static const time_ms delays[] = {0, 0, 1, 30, 300, 3000};
    static const enum moment of_crashes[] = {MOMENT_STEP, MOMENT_EFFECT,
                                             MOMENT_COMMITTED};
    act->moment = DICE_PICK(dice, moments);
    act->nth = 1 + (uint32_t)dice_roll(dice, 2);
    act->delay = DICE_PICK(dice, delays);
    if (act->kind == ACT_CRASH && dice_one_in(dice, 2)) {
        act->moment = DICE_PICK(dice, of_crashes);
        act->nth = 1 + (uint32_t)dice_roll(
                           dice, (uint64_t)(plan->storm / SECOND_MS) * 2);
        act->delay = 0;
    }
}

static void make_act(struct plan *plan, struct dice *dice)
{
    struct act *act = &plan->acts[plan->acts_count++];
    size_t chance = pick_chance(dice);
    act->kind = chances[chance].kind;
    act->moment = MOMENT_TIME;
    act->delay = dice_between(dice, 1000, plan->storm);
    act->service = (uint8_t)dice_roll(dice, plan->services_count);
    act->dice = dice_roll(dice, UINT64_MAX);
    if (chances[chance].at_worst && dice_one_in(dice, 2)) {
        pick_moment(act, plan, dice);
    }
}

/* The usual story: something is deployed while 1.0 is known to be good. */
static void make_first_deploy(struct plan *plan, struct dice *dice)
{
    for (size_t i = 0; i < plan->services_count; i++) {
        if (i > 0 && dice_one_in(dice, 2)) {
            continue;
        }
        plan->acts[plan->acts_count++] =
            (struct act){.kind = ACT_DEPLOY,
                         .delay = dice_between(dice, 5000, 60000),
                         .service = (uint8_t)i,
                         .dice = dice_roll(dice, UINT64_MAX)};
    }
}

void plan_make(struct plan *plan, uint64_t seed)
{
    static const time_ms storms[] = {90000, 120000, 180000, 300000};
    struct dice dice = {seed * UINT64_C(0x2545f4914f6cdd1d)};
    *plan = (struct plan){.seed = seed};
    plan->services_count =
        dice_percent(&dice, 60) ? 1 : 2 + dice_roll(&dice, 3);
    plan->targets_count = 1 + dice_roll(&dice, PLAN_TARGETS_MAX);
    plan->sources_count = 1 + dice_roll(&dice, PLAN_SOURCES_MAX);
    for (size_t i = 0; i < plan->targets_count; i++) {
        make_target(&plan->targets[i], &dice);
    }
    for (size_t i = 0; i < plan->sources_count; i++) {
        plan->sources[i].lag = dice_between(&dice, 500, 2000);
        plan->sources[i].timeout = dice_between(&dice, 1000, 4000);
    }
    for (size_t i = 0; i < plan->services_count; i++) {
        make_service(plan, i, &dice);
    }
    make_policies(plan, &dice);
    make_interlocks(plan, &dice);
    plan->storm = DICE_PICK(&dice, storms);
    make_first_deploy(plan, &dice);
    for (uint64_t left = dice_roll(&dice, 20); left > 0; left--) {
        make_act(plan, &dice);
    }
    assert(plan->acts_count <= PLAN_ACTS_MAX);
}
