/* The policy file: the one that is printed in the manual, and bad ones. */
#include "help_golden.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- The printed policy --------------------------------------------------- */

static struct policy *printed_policy(void)
{
    static char source[POLICY_FILE_MAX];
    FILE *file = fopen(SOURCE_DIR "/policies/library/user-service.yaml", "r");
    struct problems *problems = malloc(sizeof(*problems));
    struct policy *policy = NULL;
    size_t length = 0;

    assert_non_null(file);
    assert_non_null(problems);
    length = fread(source, 1, sizeof(source), file);
    assert_int_equal(fclose(file), 0);
    problems_init(problems, "user-service.yaml");
    policy = policy_read("user-service.yaml", source, length, problems);
    if (policy == NULL || problems->count > 0) {
        problems_print(problems, source, length, false, stderr);
    }
    assert_non_null(policy);
    assert_int_equal(problems->count, 0);
    assert_int_equal(policy->source_length, length);
    assert_memory_equal(policy_text(policy, policy->source_text), source,
                        length);
    free(problems);
    return policy;
}

static void the_printed_policy_loads_without_a_word(void **state)
{
    struct policy *policy = printed_policy();

    (void)state;
    assert_string_equal(policy_text(policy, policy->name), "user-service");
    assert_int_equal(policy->mode, MODE_AUTO);
    assert_int_equal(policy->unsure, MODE_COUNTDOWN);
    assert_int_equal(policy->unsure_countdown, MINUTE_MS);
    assert_int_equal(policy->watch.lasts, DAY_MS);
    assert_int_equal(policy->watch.every, 15 * SECOND_MS);
    assert_int_equal(policy->watch.settle, MINUTE_MS);
    assert_int_equal(policy->watch.provisional, HOUR_MS);
    assert_int_equal(policy->watch.at_most, 2 * DAY_MS);
    assert_true(policy->watch.needs_known == 0.9);
    assert_true(policy->watch.needs_requests == 500);
    assert_int_equal(policy->baseline, HOUR_MS);
    assert_int_equal(policy->verify_within, 15 * MINUTE_MS);
    assert_int_equal(policy->verify_for, 2 * MINUTE_MS);
    assert_int_equal(policy->history, HOUR_MS);
    assert_int_equal(policy->lookback, 11 * MINUTE_MS);
    assert_int_equal(policy->root_window, 11 * MINUTE_MS);
    assert_true(policy->judge_bytes <= 4096);
    policy_free(policy);
}

static void the_printed_policy_compiles_to_these_nodes(void **state)
{
    static const enum op expected[] = {
        OP_SIGNAL,
        OP_SIGNAL,
        OP_DIVIDE,
        OP_NAMED, /* error_rate */
        OP_SIGNAL,
        OP_SIGNAL,
        OP_DIVIDE,
        OP_NAMED, /* saturation */
        OP_DIVIDE,
        OP_NAMED, /* hold_time */
        OP_LITERAL,
        OP_GREATER,
        OP_LITERAL,
        OP_GREATER, /* hurt */
        OP_AND,
        OP_FOR,
        OP_NAMED, /**/
        OP_LITERAL,
        OP_GREATER,
        OP_FOR,
        OP_FORECAST, /* filling */
        OP_LITERAL,
        OP_GREATER_EQUAL,
        OP_RISING,
        OP_AND, /**/
        OP_FOR,
        OP_OR,
        OP_NAMED, /**/
        OP_AVG,
        OP_BASELINE,
        OP_LITERAL,
        OP_MULTIPLY, /* holding */
        OP_GREATER_EQUAL,
        OP_NAMED, /**/
        OP_OR,    /* users hurt? */
        OP_SURELY,
        OP_BEFORE,
        OP_NOT,
        OP_AND, /* new? */
        OP_SURELY,
        OP_BEFORE,
        OP_NOT,
        OP_AND,
        OP_OR,
        OP_NOT,
        OP_NOT,
        OP_AND,  /* traffic? */
        OP_FACT, /* safe? */
    };
    struct policy *policy = printed_policy();

    (void)state;
    assert_int_equal(policy->nodes, COUNT(expected));
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        assert_int_equal(node->op, expected[i]);
        assert_true(node->a == NONE_INDEX || node->a < i);
        assert_true(node->b == NONE_INDEX || node->b < i);
    }
    policy_free(policy);
}

static void check_branch(struct branch branch, int to, uint16_t index)
{
    assert_int_equal(branch.to, to);
    assert_int_equal(branch.index, index);
}

static void the_printed_tree_leads_where_it_says(void **state)
{
    struct policy *policy = printed_policy();
    const struct question *question = policy_question(policy, 0);

    (void)state;
    check_branch(policy->root, TO_QUESTION, 0);
    check_branch(question->yes, TO_QUESTION, 1);
    check_branch(question->no, TO_LEAF, LEAF_INDEX_HEALTHY);
    assert_int_equal(question->unknown.to, TO_WAIT);
    question = policy_question(policy, 1);
    check_branch(question->yes, TO_QUESTION, 2);
    check_branch(question->unknown, TO_QUESTION, 2);
    assert_int_equal(policy_leaf(policy, question->no.index)->kind, LEAF_PAGE);
    question = policy_question(policy, 2);
    check_branch(question->no, TO_QUESTION, 3);
    check_branch(question->unknown, TO_QUESTION, 3);
    question = policy_question(policy, 3);
    assert_int_equal(policy_leaf(policy, question->yes.index)->kind,
                     LEAF_ROLLBACK);
    check_branch(question->unknown, TO_LEAF, question->yes.index);
    assert_int_equal(policy_leaf(policy, question->no.index)->kind, LEAF_HOLD);
    policy_free(policy);
}

static void the_printed_leaves_say_what_they_do(void **state)
{
    struct policy *policy = printed_policy();
    const struct leaf *scale = policy_leaf(policy, 2);
    const struct leaf *rollback = policy_leaf(policy, 3);
    char text[80];

    (void)state;
    assert_string_equal(policy_text(policy, scale->run), "scale-pool");
    assert_true(scale->blames_nobody);
    assert_false(scale->freezes);
    assert_true(rollback->freezes);
    assert_int_equal(rollback->freeze, DAY_MS);
    assert_int_equal(rollback->notifies, 2);
    assert_string_equal(policy_text(policy, rollback->notify[1]),
                        "status-page");
    leaf_text(policy, 4, "user-service", "production", "2.4.0", "2.3.2", text,
              sizeof(text));
    assert_string_equal(text, "2.4.0 changed data one way: roll forward");
    leaf_text(policy, 5, "user-service", "production", "2.4.0", NULL, text,
              sizeof(text));
    assert_string_equal(text, "user-service was already so before 2.4.0");
    leaf_text(policy, 3, "user-service", "production", "2.4.0", "2.3.2", text,
              sizeof(text));
    assert_string_equal(text, "roll user-service back from 2.4.0 to 2.3.2");
    policy_free(policy);
}

static void the_printed_signals_are_fetched_as_they_say(void **state)
{
    struct policy *policy = printed_policy();
    const struct signal *errors = policy_signal(policy, 0);
    const struct signal *pool = policy_signal(policy, 2);

    (void)state;
    assert_int_equal(policy->signals, 4);
    assert_string_equal(
        policy_text(policy, errors->query),
        "sum by (service) (rate(http_requests_total{code=~\"5..\"}[1m]))");
    assert_true(errors->zero_when_empty);
    assert_int_equal(errors->max_age, 30 * SECOND_MS);
    assert_int_equal(errors->selects, 1);
    assert_true(errors->select[0].is_fact);
    assert_int_equal(errors->select[0].fact, FACT_SERVICE);
    assert_false(pool->select[0].is_fact);
    assert_string_equal(policy_text(policy, pool->select[0].label), "database");
    assert_string_equal(policy_text(policy, pool->select[0].value), "users");
    assert_int_equal(policy_node(policy, pool->node)->signal, 2);
    assert_int_equal(policy_node(policy, policy->watch.requests_node)->signal,
                     1);
    policy_free(policy);
}

static void the_same_text_has_the_same_digest(void **state)
{
    struct policy *first = printed_policy(), *second = printed_policy();

    (void)state;
    assert_string_equal(first->digest, second->digest);
    assert_int_equal(strlen(first->digest), 64);
    assert_int_equal(first->bytes, second->bytes);
    policy_free(first);
    policy_free(second);
}

/* --- Scope ---------------------------------------------------------------- */

#define TREE                                                                   \
    "tree: {question: q, if: release.stuck, then: wait, else: healthy}\n"

static int match(const char *scope, const char *service,
                 const char *environment)
{
    char source[512];
    struct policy *policy = NULL;
    int rank = 0;

    (void)snprintf(source, sizeof(source), "policy: p\nmode: auto\n%s\n" TREE,
                   scope);
    policy = policy_of_source(source);
    rank = policy_match(policy, service, environment);
    policy_free(policy);
    return rank;
}

static void the_more_specific_policy_matches_higher(void **state)
{
    static const char *const scopes[] = {
        "applies_to: {service: \"*\", environment: \"*\"}",
        "applies_to: {environment: prod-*}",
        "applies_to: {environment: prod-eu}",
        "applies_to: {service: user*}",
        "applies_to: {service: user*, environment: prod-eu}",
        "applies_to: {service: user-*}",
        "applies_to: {service: user-service}",
        "applies_to: {service: user-service, environment: prod-*}",
        "applies_to: {service: user-service, environment: prod-eu}",
    };
    int lower = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(scopes); i++) {
        int rank = match(scopes[i], "user-service", "prod-eu");

        assert_true(rank > lower);
        lower = rank;
    }
    assert_int_equal(match(scopes[5], "users", "prod-eu"), 0);
    assert_int_equal(match(scopes[6], "user-service2", "prod-eu"), 0);
    assert_int_equal(match(scopes[7], "user-service", "staging"), 0);
}

static void replay_applies_to_all(void **state)
{
    struct policy *policy = printed_policy();

    (void)state;
    assert_int_equal(policy_match(policy, "other", "staging"), 0);
    policy_apply_to_all(policy);
    assert_true(policy_match(policy, "other", "staging") > 0);
    policy_free(policy);
}

/* --- What may be left out ------------------------------------------------- */

static void what_is_left_out_has_a_default(void **state)
{
    struct policy *policy = policy_of_source("policy: p\n" TREE);

    (void)state;
    assert_int_equal(policy->mode, MODE_OBSERVE);
    assert_int_equal(policy->unsure, MODE_SUGGEST);
    assert_int_equal(policy->watch.lasts, DAY_MS);
    assert_int_equal(policy->watch.every, 15 * SECOND_MS);
    assert_int_equal(policy->watch.requests_node, NONE_INDEX);
    assert_int_equal(policy->baseline, HOUR_MS);
    assert_true(policy_match(policy, "any", "where") > 0);
    policy_free(policy);
}

static void leaves_in_all_their_forms(void **state)
{
    struct policy *policy = policy_of_source(
        "policy: p\n"
        "mode: countdown 90s\n"
        "watch: {for: 10m, settle: 0s}\n"
        "tree:\n"
        "  question: a\n"
        "  if: release.rollback_safe\n"
        "  then: {rollback: last_good, freeze: none, mode: countdown 30s}\n"
        "  else: {rollback: last_good, notify: oncall}\n"
        "  unknown: {hold: text, freeze: 2h, mode: suggest}\n");
    const struct leaf *bare = policy_leaf(policy, 2);
    const struct leaf *plain = policy_leaf(policy, 3);
    const struct leaf *hold = policy_leaf(policy, 4);

    (void)state;
    assert_int_equal(policy->mode, MODE_COUNTDOWN);
    assert_int_equal(policy->countdown, 90 * SECOND_MS);
    assert_int_equal(policy->watch.provisional, 10 * MINUTE_MS);
    assert_int_equal(policy->watch.at_most, 20 * MINUTE_MS);
    assert_false(bare->freezes);
    assert_int_equal(bare->mode, MODE_COUNTDOWN);
    assert_int_equal(bare->countdown, 30 * SECOND_MS);
    assert_true(plain->freezes);
    assert_false(plain->has_mode);
    assert_int_equal(plain->notifies, 1);
    assert_int_equal(hold->kind, LEAF_HOLD);
    assert_int_equal(hold->freeze, 2 * HOUR_MS);
    assert_int_equal(hold->mode, MODE_SUGGEST);
    policy_free(policy);
}

static void json_is_a_policy_too(void **state)
{
    static const char source[] =
        "{\"policy\": \"p\", \"mode\": \"auto\",\n"
        " \"signals\": {\"x\": {\"json\": \"/a/b\", \"unit\": \"count\"}},\n"
        " \"tree\": {\"question\": \"q\", \"if\": \"x > 5 and y\",\n"
        "          \"then\": \"wait\", \"else\": \"healthy\"}}\n";
    struct problems *problems = malloc(sizeof(*problems));
    struct policy *policy = NULL;

    (void)state;
    assert_non_null(problems);
    problems_init(problems, "p.json");
    policy = policy_read("p.json", source, strlen(source), problems);
    assert_null(policy);
    assert_int_equal(problems->errors, 1);
    assert_string_equal(problems->list[0].text,
                        "unknown signal 'y'; name it under 'signals:'");
    assert_int_equal(problems->list[0].line, 3);
    assert_int_equal(problems->list[0].column, 45);
    free(problems);
}

static void named_signals_may_come_in_any_order(void **state)
{
    struct policy *policy = policy_of_source(
        "policy: p\nmode: auto\n"
        "signals:\n"
        "  c: {is: b > 5}\n"
        "  b: {is: a * 2}\n"
        "  a: {prometheus: q, unit: count}\n"
        "tree: {question: q, if: c, then: wait, else: healthy}\n");

    (void)state;
    for (uint16_t i = 0; i < policy->nodes; i++) {
        assert_true(policy_node(policy, i)->a == NONE_INDEX ||
                    policy_node(policy, i)->a < i);
    }
    policy_free(policy);
}

/* The function stands before brackets, the signal does not. */
static void a_signal_may_have_the_name_of_a_function(void **state)
{
    struct policy *policy = policy_of_source(
        "policy: p\nmode: auto\n"
        "signals:\n"
        "  rate: {is: rate(hits_total)}\n"
        "  change: {is: change (rate)}\n"
        "  hits_total: {scrape: hits_total, unit: count}\n"
        "tree: {question: q, if: change > 150%, then: wait, else: healthy}\n");

    (void)state;
    policy_free(policy);
}

/* --- What replay changes -------------------------------------------------- */

#define TABLE_POLICY                                                           \
    "policy: p\nmode: auto\n"                                                  \
    "signals:\n"                                                               \
    "  e: {prometheus: e, unit: per_second}\n"                                 \
    "  r: {prometheus: r, unit: per_second}\n"                                 \
    "  share: {is: e / r}\n"                                                   \
    "  hurt: {is: share > 5%}\n"                                               \
    "  busy: {is: r > 1/s}\n"                                                  \
    "tree: {question: q, if: hurt and busy for 2m, then: wait, else: "         \
    "healthy}\n"

static struct policy *changed(const char *const *columns, size_t count,
                              time_ms every, struct problems *problems)
{
    const struct policy_changes changes = {every, columns, count};

    problems_init(problems, "p.yaml");
    return policy_read_changed("p.yaml", TABLE_POLICY, strlen(TABLE_POLICY),
                               &changes, problems);
}

static void a_column_replaces_an_expression(void **state)
{
    static const char *const columns[] = {"share", "r", "time", "nobody"};
    struct problems *problems = malloc(sizeof(*problems));
    struct policy *policy = NULL;
    const struct signal *share = NULL;

    (void)state;
    assert_non_null(problems);
    policy = changed(columns, COUNT(columns), 0, problems);
    assert_non_null(policy);
    assert_int_equal(policy->signals, 3);
    share = policy_signal(policy, 2);
    assert_string_equal(policy_text(policy, share->name), "share");
    assert_true(unit_equal(share->unit, (struct unit){0, 0, 0}));
    assert_int_equal(policy_node(policy, share->node)->op, OP_SIGNAL);
    assert_int_equal(policy_signal(policy, 0)->node, NONE_INDEX);
    assert_int_not_equal(policy_signal(policy, 1)->node, NONE_INDEX);
    policy_free(policy);
    free(problems);
}

static void a_column_replaces_a_condition(void **state)
{
    static const char *const columns[] = {"hurt"};
    struct problems *problems = malloc(sizeof(*problems));
    struct policy *policy = NULL;
    const struct node *hurt = NULL, *above = NULL;

    (void)state;
    assert_non_null(problems);
    policy = changed(columns, COUNT(columns), 0, problems);
    assert_non_null(policy);
    hurt = policy_node(
        policy, policy_node(policy, policy_question(policy, 0)->node)->a);
    assert_int_equal(hurt->op, OP_NAMED);
    assert_int_equal(hurt->type, TYPE_CONDITION);
    above = policy_node(policy, hurt->a);
    assert_int_equal(above->op, OP_GREATER);
    assert_int_equal(policy_node(policy, above->a)->op, OP_SIGNAL);
    assert_true(policy_node(policy, above->b)->number == 0.5);
    policy_free(policy);
    free(problems);
}

static void another_grid_is_checked_anew(void **state)
{
    struct problems *problems = malloc(sizeof(*problems));
    struct policy *policy = NULL;

    (void)state;
    assert_non_null(problems);
    policy = changed(NULL, 0, 30 * SECOND_MS, problems);
    assert_non_null(policy);
    assert_int_equal(policy->watch.every, 30 * SECOND_MS);
    assert_int_equal(policy_ring(policy, 0)->slots, 4);
    policy_free(policy);
    policy = changed(NULL, 0, MINUTE_MS, problems);
    assert_null(policy);
    assert_int_equal(problems->errors, 1);
    assert_string_equal(
        problems->list[0].text,
        "'for' wants at least 3 grid times of 1m; write 'for 3m'");
    free(problems);
}

/* --- What is refused ------------------------------------------------------ */

#define HEAD "policy: p\nmode: auto\n"

static void keys_are_explained(void **state)
{
    static const struct golden golden[] = {
        {HEAD "wacth: {for: 1h}\n" TREE,
         "policy.yaml:3:1: error: unknown key 'wacth'; did you mean "
         "'watch'?\n"
         "wacth: {for: 1h}\n"
         "^~~~~\n"},
        {"mode: auto\n" TREE,
         "policy.yaml:1:1: error: the policy has no name; begin with "
         "'policy: NAME'\n"
         "mode: auto\n"
         "^\n"},
        {HEAD, "policy.yaml:1:1: error: the policy has no 'tree:'; it begins "
               "with a question: question, if, then, else\n"
               "policy: p\n"
               "^\n"},
        {"policy: p\n" TREE,
         "policy.yaml:1:1: warning: no 'mode': this policy only observes; "
         "write 'mode: auto' to let it act\n"
         "policy: p\n"
         "^\n"},
        {"policy: p\nmode: automatic\n" TREE,
         "policy.yaml:2:7: error: unknown word 'automatic'; write observe, "
         "suggest, countdown 60s or auto\n"
         "mode: automatic\n"
         "      ^~~~~~~~~\n"},
        {"policy: p\nmode: countdown\n" TREE,
         "policy.yaml:2:7: error: a countdown wants its length, 1s to 1h: "
         "countdown 60s\n"
         "mode: countdown\n"
         "      ^~~~~~~~~\n"},
        {HEAD "unsure: countdown 0s\n" TREE,
         "policy.yaml:3:9: error: a countdown wants its length, 1s to 1h: "
         "countdown 60s\n"
         "unsure: countdown 0s\n"
         "        ^~~~~~~~~~~~\n"},
        {HEAD "canary: {steps: [1% for 5m]}\n" TREE,
         "policy.yaml:3:1: error: canaries are not in this version; take "
         "'canary:' out, the watch after the deploy works without\n"
         "canary: {steps: [1% for 5m]}\n"
         "^~~~~~\n"},
        {HEAD "watch: {for: 1 h, every: 15}\n" TREE,
         "policy.yaml:3:14: error: '1 h' is not a duration; write a whole "
         "number and ms, s, m, h or d, like 90s\n"
         "watch: {for: 1 h, every: 15}\n"
         "             ^~~\n"
         "policy.yaml:3:26: error: '15' is not a duration; write a whole "
         "number and ms, s, m, h or d, like 90s\n"
         "watch: {for: 1 h, every: 15}\n"
         "                         ^~\n"},
        {HEAD "watch: [24h]\n" TREE,
         "policy.yaml:3:8: error: 'watch' must be a map, not a list\n"
         "watch: [24h]\n"
         "       ^\n"},
        {HEAD "watch:\n" TREE,
         "policy.yaml:3:1: error: 'watch' must be a map, not nothing\n"
         "watch:\n"
         "^~~~~\n"},
        {HEAD "watch: {needs: {known: 0.9}}\n" TREE,
         "policy.yaml:3:24: error: '0.9' is not a percentage; write one from "
         "0% to 100%, like 90%\n"
         "watch: {needs: {known: 0.9}}\n"
         "                       ^~~\n"},
        {HEAD "watch: {needs: {requests: 500}}\n" TREE,
         "policy.yaml:3:17: error: 'needs: requests' counts the signal named "
         "'requests'; there is none under 'signals:'\n"
         "watch: {needs: {requests: 500}}\n"
         "                ^~~~~~~~\n"},
        {HEAD "applies_to: {service: \"user-*-x\"}\n" TREE,
         "policy.yaml:3:23: error: 'user-*-x' is neither a name nor a prefix "
         "with one '*' at its end\n"
         "applies_to: {service: \"user-*-x\"}\n"
         "                      ^~~~~~~~~~\n"},
        {HEAD "verify: {within: 5m, for: 10m}\n" TREE,
         "policy.yaml:3:27: error: '10m' is out of range; write 15s to 5m\n"
         "verify: {within: 5m, for: 10m}\n"
         "                          ^~~\n"},
        {"- a\n- b\n",
         "policy.yaml:1:1: error: this must be a map, not a list\n"
         "- a\n"
         "^\n"},
    };

    (void)state;
    check_policies(golden, COUNT(golden));
}

static void signals_are_explained(void **state)
{
    static const struct golden golden[] = {
        {HEAD "signals:\n"
              "  x: {prometheus: q, unit: count, select: {app-name: shop}}\n"
              "  y: {prometheus: q, unit: count, select: {1st: shop}}\n" TREE,
         "policy.yaml:4:44: error: 'app-name' is not a label's name, which has "
         "A-Z, a-z, 0-9 and _, and no digit first; select by another\n"
         "  x: {prometheus: q, unit: count, select: {app-name: shop}}\n"
         "                                           ^~~~~~~~\n"
         "policy.yaml:5:44: error: '1st' is not a label's name, which has A-Z, "
         "a-z, 0-9 and _, and no digit first; select by another\n"
         "  y: {prometheus: q, unit: count, select: {1st: shop}}\n"
         "                                           ^~~\n"},
        {HEAD "signals:\n"
              "  x: {scrape: 'rate(a[1m])', unit: count}\n" TREE,
         "policy.yaml:4:20: error: 'scrape' wants a selector: a selector is "
         "name{label=\"value\"} and nothing else\n"
         "  x: {scrape: 'rate(a[1m])', unit: count}\n"
         "                   ^\n"},
        {HEAD "signals:\n  x: {prometheus: q}\n" TREE,
         "policy.yaml:4:3: error: signal 'x' needs a 'unit': ratio, count, "
         "per_second, seconds, milliseconds, bytes or bytes_per_second\n"
         "  x: {prometheus: q}\n"
         "  ^\n"},
        {HEAD "signals:\n  x: {prometheus: q, unit: second}\n" TREE,
         "policy.yaml:4:28: error: unknown word 'second'; did you mean "
         "'seconds'?\n"
         "  x: {prometheus: q, unit: second}\n"
         "                           ^~~~~~\n"},
        {HEAD "signals:\n  x: {unit: count}\n" TREE,
         "policy.yaml:4:3: error: signal 'x' wants exactly one of prometheus, "
         "scrape, json and is\n"
         "  x: {unit: count}\n"
         "  ^\n"},
        {HEAD "signals:\n  x: {is: 5, unit: count}\n" TREE,
         "policy.yaml:4:14: error: 'unit' belongs to a fetched signal; of "
         "'is' it follows from the expression; take it out\n"
         "  x: {is: 5, unit: count}\n"
         "             ^~~~\n"},
        {HEAD "signals:\n  X-y: {is: 5}\n" TREE,
         "policy.yaml:4:3: error: a signal's name has a-z, 0-9 and _, begins "
         "with a letter and has at most 64 of them\n"
         "  X-y: {is: 5}\n"
         "  ^~~\n"},
        {HEAD "signals:\n  for: {is: 5}\n" TREE,
         "policy.yaml:4:3: error: 'for' is a word of the language; choose "
         "another name\n"
         "  for: {is: 5}\n"
         "  ^~~\n"},
        {HEAD "signals:\n"
              "  x: {prometheus: q, unit: count}\n"
              "  y: {is: quantile(x, 0.9, 5m)}\n" TREE,
         "policy.yaml:5:23: error: unknown key '0.9'; a comma ends a value "
         "inside { }: quote this expression\n"
         "  y: {is: quantile(x, 0.9, 5m)}\n"
         "                      ^~~\n"
         "  fix: quantile(x, 0.9, 5m) -> 'quantile(x, 0.9, 5m)'\n"},
        {HEAD "signals:\n"
              "  a: {is: b + 1}\n"
              "  b: {is: c + 1}\n"
              "  c: {is: b + 1}\n" TREE,
         "policy.yaml:5:3: error: signal 'b' needs itself: b -> c -> b; work "
         "one of them out from something else\n"
         "  b: {is: c + 1}\n"
         "  ^\n"},
        {HEAD "signals:\n  a: {is: a + 1}\n" TREE,
         "policy.yaml:4:3: error: signal 'a' needs itself: a -> a; work one of "
         "them out from something else\n"
         "  a: {is: a + 1}\n"
         "  ^\n"},
        {HEAD "signals:\n"
              "  x: {scrape: m, unit: count, select: {a: b}}\n" TREE,
         "policy.yaml:4:31: error: 'select' belongs to 'prometheus', not to "
         "'scrape'; take it out\n"
         "  x: {scrape: m, unit: count, select: {a: b}}\n"
         "                              ^~~~~~\n"},
        {HEAD "signals:\n  x: {json: a.b, unit: count}\n" TREE,
         "policy.yaml:4:13: error: 'json' wants a JSON pointer; it begins "
         "with '/'\n"
         "  x: {json: a.b, unit: count}\n"
         "            ^~~\n"
         "  fix: a.b -> /a.b\n"},
        {HEAD
         "signals:\n"
         "  x: {prometheus: q, unit: count, select: {a: release.kind}}\n" TREE,
         "policy.yaml:4:47: warning: 'release.kind' is taken as literal text; "
         "the facts here are release.service .environment .version "
         ".labels.NAME\n"
         "  x: {prometheus: q, unit: count, select: {a: release.kind}}\n"
         "                                              ^~~~~~~~~~~~\n"},
        {HEAD "signals:\n"
              "  x: {prometheus: q, unit: count}\n"
              "  y:\n"
              "    is: |\n"
              "      x > 5\n"
              "        and shar > 5%\n" TREE,
         "policy.yaml:8:13: error: unknown signal 'shar'; name it under "
         "'signals:'\n"
         "        and shar > 5%\n"
         "            ^~~~\n"},
        {HEAD "watch: {needs: {requests: 5}}\n"
              "signals:\n"
              "  requests: {prometheus: q, unit: count}\n" TREE,
         "policy.yaml:3:17: error: 'needs: requests' adds up the signal "
         "'requests'; it must be per_second, not count\n"
         "watch: {needs: {requests: 5}}\n"
         "                ^~~~~~~~\n"},
        {HEAD "baseline: 3h\n"
              "signals:\n"
              "  x: {prometheus: q, unit: count}\n"
              "  y: {is: baseline(x)}\n" TREE,
         "policy.yaml:3:11: error: the baseline holds more than 512 grid "
         "times of 15s; write 'baseline: 128m' or less, or a longer "
         "watch.every\n"
         "baseline: 3h\n"
         "          ^\n"},
    };

    (void)state;
    check_policies(golden, COUNT(golden));
}

static void trees_are_explained(void **state)
{
    static const struct golden golden[] = {
        {HEAD "tree: {page: text}\n",
         "policy.yaml:3:7: error: the tree begins with a question: question, "
         "if, then, else\n"
         "tree: {page: text}\n"
         "      ^\n"},
        {HEAD "tree: {question: q, if: release.stuck, then: wait}\n",
         "policy.yaml:3:7: error: this question has no 'else'\n"
         "tree: {question: q, if: release.stuck, then: wait}\n"
         "      ^\n"},
        {HEAD "signals:\n"
              "  x: {prometheus: q, unit: count}\n"
              "tree: {question: q, if: avg(x, 5m) > 5, then: wait, else: "
              "wait}\n",
         "policy.yaml:5:32: error: unknown key '5m) > 5'; a comma ends a "
         "value inside { }: quote this expression\n"
         "tree: {question: q, if: avg(x, 5m) > 5, then: wait, else: wait}\n"
         "                               ^~~~~~~\n"
         "  fix: avg(x, 5m) > 5 -> 'avg(x, 5m) > 5'\n"},
        {HEAD "tree: {question: q, if: release.stuck, then: healty, else: "
              "wait}\n",
         "policy.yaml:3:46: error: unknown word 'healty'; did you mean "
         "'healthy'?\n"
         "tree: {question: q, if: release.stuck, then: healty, else: wait}\n"
         "                                             ^~~~~~\n"},
        {HEAD "tree: {question: q, if: release.stuck, then: wait,\n"
              "  else: {rollback: previous}}\n",
         "policy.yaml:4:20: error: unknown word 'previous'; write last_good\n"
         "  else: {rollback: previous}}\n"
         "                   ^~~~~~~~\n"},
        {HEAD "tree: {question: q, if: release.stuck, then: wait,\n"
              "  else: {notify: [a]}}\n",
         "policy.yaml:4:9: error: a leaf wants exactly one of rollback, hold "
         "and page\n"
         "  else: {notify: [a]}}\n"
         "        ^\n"},
        {HEAD "tree: {question: q, if: release.stuck, then: wait,\n"
              "  else: {page: \"{{versoin}} is bad\"}}\n",
         "policy.yaml:4:17: error: unknown name '{{versoin}}'; did you mean "
         "'{{version}}'?\n"
         "  else: {page: \"{{versoin}} is bad\"}}\n"
         "                ^~~~~~~~~~~\n"},
        {HEAD "tree: {question: q, if: release.stuck, then: wait,\n"
              "  else: {hold: text, blame: none}}\n",
         "policy.yaml:4:22: error: only a 'page' may blame nobody; take "
         "'blame' out\n"
         "  else: {hold: text, blame: none}}\n"
         "                     ^~~~~\n"},
        {HEAD "tree: {question: q, if: release.stuck, then: wait,\n"
              "  else: {hold: text, notify: [a, b, c, d, e], freeze: 1}}\n",
         "policy.yaml:4:30: error: at most 4 notices for one leaf\n"
         "  else: {hold: text, notify: [a, b, c, d, e], freeze: 1}}\n"
         "                             ^\n"
         "policy.yaml:4:55: error: '1' is not a duration; write a whole "
         "number and ms, s, m, h or d, like 90s\n"
         "  else: {hold: text, notify: [a, b, c, d, e], freeze: 1}}\n"
         "                                                      ^\n"},
        {HEAD "tree: {question: q, if: release.stuck, then: wait,\n"
              "  else: {rollback: last_good, freeze: none}}\n",
         "policy.yaml:4:9: warning: this rollback never asks whether going "
         "back is safe; ask 'if: release.rollback_safe' before it\n"
         "  else: {rollback: last_good, freeze: none}}\n"
         "        ^\n"},
        {HEAD "watch: {settle: 30s}\n"
              "signals:\n"
              "  x: {prometheus: 'rate(a[1m]) / rate(b[1m30s])', unit: "
              "ratio}\n" TREE,
         "policy.yaml:3:17: warning: settle is 30s, but the query of 'x' "
         "looks back over 90s and still sees the version before; settle at "
         "least as long\n"
         "watch: {settle: 30s}\n"
         "                ^~~\n"},
    };

    (void)state;
    check_policies(golden, COUNT(golden));
}

#define TRIGGERS                                                               \
    "signals:\n"                                                               \
    "  x: {prometheus: x, unit: count}\n"                                      \
    "  y: {prometheus: y, unit: count}\n"                                      \
    "  high: {is: x > 5 for 2m}\n"                                             \
    "  bad: {is: high or y > 5}\n"

/* A tree whose root asks @trigger and whose second question @excuse, on the
 * way to a rollback. */
#define EXCUSED(trigger, excuse)                                               \
    TRIGGERS                                                                   \
    "tree:\n"                                                                  \
    "  question: q\n"                                                          \
    "  if: " trigger "\n"                                                      \
    "  else: healthy\n"                                                        \
    "  then:\n"                                                                \
    "    question: q\n"                                                        \
    "    if: " excuse "\n"                                                     \
    "    then: {page: load}\n"                                                 \
    "    else:\n"                                                              \
    "      question: q\n"                                                      \
    "      if: release.rollback_safe\n"                                        \
    "      then: {rollback: last_good}\n"                                      \
    "      else: {hold: text}\n"

static void a_trigger_that_no_excuse_can_see_is_pointed_at(void **state)
{
    static const struct golden golden[] = {
        {HEAD EXCUSED("bad", "not y > 9"),
         "policy.yaml:6:3: warning: 'high' leads on from a question, but no "
         "question below that may excuse it looks at what it measures; name "
         "it there, as in 'not high and ...'\n"
         "  high: {is: x > 5 for 2m}\n"
         "  ^\n"},
        {HEAD EXCUSED("bad", "not y > 9 and not high"), ""},
        {HEAD EXCUSED("bad", "avg(x + y) < 9"), ""},
        {HEAD EXCUSED("high", "release.stuck"), ""}, /* measures nothing */
        {HEAD EXCUSED("release.stuck or high", "not x > 9"), ""},
    };

    (void)state;
    check_policies(golden, COUNT(golden));
}

static void all_errors_come_in_one_go(void **state)
{
    static const struct golden golden[] = {
        {HEAD "signals:\n"
              "  x: {prometheus: q, unit: cuont}\n"
              "  y: {is: x > 5 for 10s}\n"
              "  z: {is: w > 5}\n"
              "tree:\n"
              "  question: q\n"
              "  if: y or\n"
              "  then: heathy\n"
              "  els: wait\n",
         "policy.yaml:4:28: error: unknown word 'cuont'; did you mean "
         "'count'?\n"
         "  x: {prometheus: q, unit: cuont}\n"
         "                           ^~~~~\n"
         "policy.yaml:6:11: error: unknown signal 'w'; name it under "
         "'signals:'\n"
         "  z: {is: w > 5}\n"
         "          ^\n"
         "policy.yaml:8:3: error: this question has no 'else'\n"
         "  question: q\n"
         "  ^\n"
         "policy.yaml:9:11: error: a value is missing at the end\n"
         "  if: y or\n"
         "          ^\n"
         "policy.yaml:10:9: error: unknown word 'heathy'; did you mean "
         "'healthy'?\n"
         "  then: heathy\n"
         "        ^~~~~~\n"
         "policy.yaml:11:3: error: unknown key 'els'; did you mean 'else'?\n"
         "  els: wait\n"
         "  ^~~\n"},
    };

    (void)state;
    check_policies(golden, COUNT(golden));
}

/* --- Bounds --------------------------------------------------------------- */

static struct problems *problems_of(const char *source)
{
    struct problems *problems = malloc(sizeof(*problems));

    assert_non_null(problems);
    problems_init(problems, "p.yaml");
    policy_free(policy_read("p.yaml", source, strlen(source), problems));
    return problems;
}

static void a_tree_is_16_questions_deep(void **state)
{
    for (size_t depth = 16; depth <= 17; depth++) {
        char source[8192] = HEAD "tree:\n";
        struct problems *problems = NULL;

        for (size_t i = 1; i <= depth; i++) {
            char line[256];
            int blanks = 2 * (int)i;

            (void)snprintf(line, sizeof(line),
                           "%*squestion: q\n%*sif: release.stuck\n"
                           "%*selse: wait\n%*sthen:%s\n",
                           blanks, "", blanks, "", blanks, "", blanks, "",
                           i == depth ? " healthy" : "");
            strcat(source, line);
        }
        problems = problems_of(source);
        assert_int_equal(problems->errors, depth == 16 ? 0 : 1);
        if (depth == 17) {
            assert_string_equal(problems->list[0].text,
                                "the tree is more than 16 questions deep");
        }
        free(problems);
    }
    (void)state;
}

static void a_policy_has_32_fetched_signals(void **state)
{
    for (size_t count = 32; count <= 33; count++) {
        char source[8192] = HEAD TREE "signals:\n";
        struct problems *problems = NULL;

        for (size_t i = 0; i < count; i++) {
            char line[64];

            (void)snprintf(line, sizeof(line),
                           "  s%zu: {prometheus: q, unit: count}\n", i);
            strcat(source, line);
        }
        problems = problems_of(source);
        assert_int_equal(problems->errors, count == 32 ? 0 : 1);
        free(problems);
    }
    (void)state;
}

static void the_memory_of_a_release_is_bounded(void **state)
{
    char source[8192] = HEAD "signals:\n"
                             "  x: {prometheus: q, unit: count}\n";
    struct problems *problems = NULL;

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        char line[96];

        (void)snprintf(line, sizeof(line), "  n%zu: {is: 'avg(x * %zu, 2h)'}\n",
                       i, i + 2);
        strcat(source, line);
    }
    strcat(source, TREE);
    problems = problems_of(source);
    assert_int_equal(problems->errors, 1);
    assert_string_equal(problems->list[0].text,
                        "the windows together need 34624 bytes of memory for "
                        "each release, at most 32768; use shorter windows or "
                        "a longer watch.every");
    free(problems);
}

static void check_cost(const char *before, const char *each, const char *after,
                       const char *refusal)
{
    char source[16384];
    struct problems *problems = NULL;
    size_t used = (size_t)snprintf(source, sizeof(source), "%s%s",
                                   HEAD "baseline: 2h\nsignals:\n"
                                        "  x: {prometheus: q, unit: count}\n",
                                   before);

    for (size_t i = 0; i < 9; i++) {
        used += (size_t)snprintf(source + used, sizeof(source) - used,
                                 "  n%zu: {is: '%s'}\n", i, each);
    }
    (void)snprintf(source + used, sizeof(source) - used, "%s%s", after, TREE);
    problems = problems_of(source);
    assert_int_equal(problems->errors, refusal == NULL ? 0 : 1);
    if (refusal != NULL) {
        assert_string_equal(problems->list[0].text, refusal);
    }
    free(problems);
}

#define SLOPES "slope(x, 2h) + slope(x, 2h) + slope(x, 2h) + slope(x, 2h)"

static void no_policy_holds_up_the_loop(void **state)
{
    (void)state;
    check_cost("", SLOPES, "", NULL);
    check_cost("", SLOPES " + " SLOPES, "",
               "a look would take up to 2.6 ms, at most 2; nothing costs more "
               "than 'slope(x, 2h)': give it a shorter window, or, where it "
               "is written twice, one name with 'is'");
    check_cost("  s: {is: 'slope(x, 2h)'}\n", "s + s + s + s + s", "", NULL);
    check_cost("", SLOPES, "  b: {is: baseline(n1)}\n", NULL);
    check_cost(
        "", SLOPES,
        "  b: {is: baseline(n1) + baseline(n2) + baseline(n3) + "
        "baseline(n4)}\n",
        "learning the time before a deploy would take up to 548.3 ms, at "
        "most 500; nothing costs more than 'slope(x, 2h)': give it a "
        "shorter window, or, where it is written twice, one name with "
        "'is'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_printed_policy_loads_without_a_word),
        cmocka_unit_test(the_printed_policy_compiles_to_these_nodes),
        cmocka_unit_test(the_printed_tree_leads_where_it_says),
        cmocka_unit_test(the_printed_leaves_say_what_they_do),
        cmocka_unit_test(the_printed_signals_are_fetched_as_they_say),
        cmocka_unit_test(the_same_text_has_the_same_digest),
        cmocka_unit_test(the_more_specific_policy_matches_higher),
        cmocka_unit_test(replay_applies_to_all),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(leaves_in_all_their_forms),
        cmocka_unit_test(json_is_a_policy_too),
        cmocka_unit_test(named_signals_may_come_in_any_order),
        cmocka_unit_test(a_signal_may_have_the_name_of_a_function),
        cmocka_unit_test(a_column_replaces_an_expression),
        cmocka_unit_test(a_column_replaces_a_condition),
        cmocka_unit_test(another_grid_is_checked_anew),
        cmocka_unit_test(keys_are_explained),
        cmocka_unit_test(signals_are_explained),
        cmocka_unit_test(trees_are_explained),
        cmocka_unit_test(a_trigger_that_no_excuse_can_see_is_pointed_at),
        cmocka_unit_test(all_errors_come_in_one_go),
        cmocka_unit_test(a_tree_is_16_questions_deep),
        cmocka_unit_test(a_policy_has_32_fetched_signals),
        cmocka_unit_test(the_memory_of_a_release_is_bounded),
        cmocka_unit_test(no_policy_holds_up_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
