#include "help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "policies/read/policy_read.h"

static const char frame[] =
    "policy: world\n"
    "applies_to: {service: shop}\n"
    "mode: suggest\n"
    "watch: {every: 10s, settle: 30s}\n"
    "baseline: 5m\n"
    "signals:\n"
    "  x: {prometheus: x, unit: count}\n"
    "  y: {prometheus: y, unit: count}\n"
    "  e: {prometheus: e, unit: per_second}\n"
    "  r: {prometheus: r, unit: per_second}\n"
    "  p: {prometheus: p, unit: ratio}\n"
    "  z: {prometheus: z, unit: count, on_no_data: zero}\n"
    "  c: {scrape: c, unit: count}\n"
    "  ms: {prometheus: ms, unit: milliseconds}\n"
    "%s"
    "tree:\n"
    "  question: Is it so?\n"
    "  if: '%s'\n"
    "  then: {page: so}\n"
    "  else: healthy\n";

void world_condition(struct world *world, const char *condition)
{
    char source[4096];

    (void)snprintf(source, sizeof(source), frame, "", condition);
    world_policy(world, source);
}

void world_number(struct world *world, const char *number)
{
    char source[4096], named[1024];

    (void)snprintf(named, sizeof(named), "  v: {is: '%s'}\n", number);
    (void)snprintf(source, sizeof(source), frame, named, "v > v - v");
    world_policy(world, source);
}

void world_policy(struct world *world, const char *source)
{
    static struct problems problems;

    problems_init(&problems, "world.yaml");
    memset(world, 0, sizeof(*world));
    world->policy =
        policy_read("world.yaml", source, strlen(source), &problems);
    if (world->policy == NULL) {
        problems_print(&problems, source, strlen(source), false, stderr);
        fail_msg("the world's policy is refused");
    }
    world->facts = (struct facts){
        .service = "shop",
        .environment = "production",
        .version = "2.0.0",
        .deployed_at = WORLD_DEPLOYED,
        .rollback_safe = ANSWER_UNKNOWN,
    };
    world_all_unknown(world, UNKNOWN_NOT_ASKED);
    judge_start(world->policy, world_judge(world), WORLD_DEPLOYED);
}

void world_library(struct world *world, const char *path)
{
    static char source[POLICY_FILE_MAX + 1];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    source[fread(source, 1, POLICY_FILE_MAX, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    world_policy(world, source);
}

void world_end(struct world *world)
{
    policy_free(world->policy);
}

struct judge *world_judge(struct world *world)
{
    return (struct judge *)(void *)world->block.bytes;
}

static size_t signal_index(const struct policy *policy, const char *name)
{
    for (uint16_t i = 0; i < policy->signals; i++) {
        if (strcmp(policy_text(policy, policy_signal(policy, i)->name), name) ==
            0) {
            return i;
        }
    }
    fail_msg("no signal %s", name);
    return 0;
}

void world_say(struct world *world, const char *signal, double number)
{
    world->row[signal_index(world->policy, signal)] =
        (struct sample){number, KNOWN};
}

void world_unknown(struct world *world, const char *signal,
                   enum unknown unknown)
{
    world->row[signal_index(world->policy, signal)] =
        (struct sample){77, unknown};
}

void world_all_unknown(struct world *world, enum unknown unknown)
{
    for (uint16_t i = 0; i < world->policy->signals; i++) {
        world->row[i] = (struct sample){77, unknown};
    }
}

void world_look(struct world *world, int n)
{
    judge_look(world->policy, world_judge(world),
               WORLD_DEPLOYED + n * world->policy->watch.every, world->row,
               &world->facts, &world->verdict);
}

void world_looks(struct world *world, int from, int to)
{
    for (int n = from; n <= to; n++) {
        world_look(world, n);
    }
}

static struct value root_value(const struct world *world)
{
    uint16_t question = world->verdict.path[0].question;

    return world->verdict
        .values[policy_question(world->policy, question)->node];
}

enum answer world_answer(const struct world *world)
{
    return world->verdict.root;
}

enum unknown world_why(const struct world *world)
{
    return root_value(world).unknown;
}

struct value world_value(const struct world *world, const char *name)
{
    for (uint16_t i = 0; i < world->policy->nodes; i++) {
        const struct node *node = policy_node(world->policy, i);

        if ((node->op == OP_NAMED || node->op == OP_SIGNAL) &&
            strcmp(policy_text(world->policy, node->text), name) == 0) {
            return world->verdict.values[i];
        }
    }
    fail_msg("nothing is named %s", name);
    return (struct value){0, KNOWN};
}

void world_past(struct world *world, size_t rows)
{
    size_t samples = rows * world->policy->signals;

    assert_true(rows <= HISTORY_ROWS_MAX);
    for (size_t i = 0; i < samples; i++) {
        world->past[i] = (struct sample){77, UNKNOWN_NO_DATA};
    }
    world->history = (struct history){
        .from =
            WORLD_DEPLOYED - (time_ms)(rows - 1) * world->policy->watch.every,
        .rows = rows,
        .samples = world->past,
    };
}

void world_past_say(struct world *world, size_t back, const char *signal,
                    double number)
{
    size_t row = world->history.rows - 1 - back;

    world->past[row * world->policy->signals +
                signal_index(world->policy, signal)] =
        (struct sample){number, KNOWN};
}

void world_learn(struct world *world)
{
    judge_learn(world->policy, world_judge(world), &world->history,
                &world->facts, &world->scratch);
}
