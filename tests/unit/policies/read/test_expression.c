/* Expressions: what they compile to, and what is said about bad ones. */
#include "help_golden.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- What they compile to ------------------------------------------------- */

static const struct node *root_node(const struct policy *policy)
{
    return policy_node(policy, policy_question(policy, 0)->node);
}

/* An expression as brackets, so that precedence can be seen. */
static void bracket(const struct policy *policy, uint16_t index, char *text,
                    size_t size)
{
    /* Nodes are in evaluation order, so each can be written from its own. */
    static char texts[POLICY_NODES_MAX][512];

    for (uint16_t i = 0; i <= index; i++) {
        const struct node *node = policy_node(policy, i);
        const char *source = policy_text(policy, node->text);
        char line[512];

        if (node->b != NONE_INDEX) {
            (void)snprintf(line, sizeof(line), "(%d %.240s %.240s)",
                           (int)node->op, texts[node->a], texts[node->b]);
        } else if (node->a != NONE_INDEX && node->op != OP_NAMED) {
            (void)snprintf(line, sizeof(line), "(%d %.490s)", (int)node->op,
                           texts[node->a]);
        } else {
            (void)snprintf(line, sizeof(line), "%s", source);
        }
        strcpy(texts[i], line);
    }
    (void)snprintf(text, size, "%s", texts[index]);
}

__attribute__((format(printf, 2, 3))) static void
check_brackets(const char *condition, const char *format, ...)
{
    struct policy *policy = policy_of_condition(condition);
    char expected[512], text[512];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(expected, sizeof(expected), format, arguments);
    va_end(arguments);
    bracket(policy, policy_question(policy, 0)->node, text, sizeof(text));
    assert_string_equal(text, expected);
    policy_free(policy);
}

static void operators_bind_as_the_grammar_says(void **state)
{
    (void)state;
    check_brackets("hurt or hurt and not hurt", "(%d hurt (%d hurt (%d hurt)))",
                   OP_OR, OP_AND, OP_NOT);
    check_brackets("size > 1 + 2 * 3", "(%d size (%d 1 (%d 2 3)))", OP_GREATER,
                   OP_ADD, OP_MULTIPLY);
    check_brackets("size - 1 - 2 > 0", "(%d (%d (%d size 1) 2) 0)", OP_GREATER,
                   OP_SUBTRACT, OP_SUBTRACT);
    check_brackets("size / 2 / 3 > 0", "(%d (%d (%d size 2) 3) 0)", OP_GREATER,
                   OP_DIVIDE, OP_DIVIDE);
    check_brackets("size > -2 * -3", "(%d size (%d (%d 2) (%d 3)))", OP_GREATER,
                   OP_MULTIPLY, OP_NEGATE, OP_NEGATE);
    check_brackets("size * (1 + 2) > 4", "(%d (%d size (%d 1 2)) 4)",
                   OP_GREATER, OP_MULTIPLY, OP_ADD);
}

static void for_binds_to_its_left_operand_only(void **state)
{
    (void)state;
    check_brackets("hurt and share > 5% for 2m",
                   "(%d hurt (%d (%d share 5%%)))", OP_AND, OP_FOR, OP_GREATER);
    check_brackets("not hurt for 2m", "(%d (%d hurt))", OP_NOT, OP_FOR);
    check_brackets("(hurt or hurt) for 3 of 5", "(%d (%d hurt hurt))", OP_OF,
                   OP_OR);
    check_brackets("not not hurt", "(%d (%d hurt))", OP_NOT, OP_NOT);
    check_brackets("(hurt for 2m) for 3m", "(%d (%d hurt))", OP_FOR, OP_FOR);
}

static void a_rate_has_no_letter_after_it(void **state)
{
    (void)state;
    check_brackets("requests > 12/s", "(%d requests 12/s)", OP_GREATER);
    check_brackets("1 / wait > 12 / wait", "(%d (%d 1 wait) (%d 12 wait))",
                   OP_GREATER, OP_DIVIDE, OP_DIVIDE);
    check_brackets("12/size > 1 / size", "(%d (%d 12 size) (%d 1 size))",
                   OP_GREATER, OP_DIVIDE, OP_DIVIDE);
}

static void literals_are_in_base_units(void **state)
{
    static const struct {
        const char *condition;
        double number;
        struct unit unit;
    } literals[] = {
        {"share > 5%", 0.05, {0, 0, 0}},
        {"share > 99.9%", 0.999, {0, 0, 0}},
        {"share > 115%", 1.15, {0, 0, 0}},
        {"requests > 90/m", 1.5, {1, -1, 0}},
        {"wait > 250ms", 0.25, {0, 1, 0}},
        {"wait > 2m", 120, {0, 1, 0}},
        {"memory > 1.5KiB", 1536, {0, 0, 1}},
        {"memory > 2GiB", 2147483648.0, {0, 0, 1}},
        {"size > 12", 12, {1, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(literals); i++) {
        struct policy *policy = policy_of_condition(literals[i].condition);
        const struct node *node = policy_node(policy, root_node(policy)->b);

        assert_int_equal(node->op, OP_LITERAL);
        assert_true(node->number == literals[i].number);
        assert_true(unit_equal(node->unit, literals[i].unit));
        policy_free(policy);
    }
}

static void units_are_derived(void **state)
{
    static const struct {
        const char *condition;
        const char *unit; /* of the left side */
    } cases[] = {
        {"size / requests > 3s", "seconds"},
        {"errors / requests > 5%", "ratio"},
        {"requests * wait > 3", "count"},
        {"memory / wait > memory / wait", "bytes_per_second"},
        {"2 * share > 5%", "ratio"},
        {"1 / wait > 1 / wait", "seconds^-1"},
        {"slope(size) > 1/s", "per_second"},
        {"slope(requests) > slope(requests)", "count seconds^-2"},
        {"rate(hits_total) > 1/s", "per_second"},
        {"change(requests) > 150%", "ratio"},
        {"baseline(wait) > 1s", "seconds"},
        {"avg(wait) > 1s", "seconds"},
        {"count(hurt, 5m) > 3", "count"},
        {"quantile(wait, 99%, 5m) > 1s", "seconds"},
        {"forecast(memory, 10m) > 1GiB", "bytes"},
        {"fleet.rollbacks(1h) > 2", "count"},
        {"release.age > 1h", "seconds"},
        {"-share > -5%", "ratio"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct policy *policy = policy_of_condition(cases[i].condition);
        char unit[UNIT_TEXT_MAX];

        assert_string_equal(
            unit_print(policy_node(policy, root_node(policy)->a)->unit, unit),
            cases[i].unit);
        policy_free(policy);
    }
}

static void functions_take_their_windows(void **state)
{
    static const struct {
        const char *condition;
        enum op op;
        time_ms span, horizon;
        double number;
    } cases[] = {
        {"avg(share) > 5%", OP_AVG, 5 * MINUTE_MS, 0, 0},
        {"min(share, 1m) > 5%", OP_MIN, MINUTE_MS, 0, 0},
        {"max(share, 45s) > 5%", OP_MAX, 45 * SECOND_MS, 0, 0},
        {"sum(share) > 5%", OP_SUM, 5 * MINUTE_MS, 0, 0},
        {"stddev(share) > 5%", OP_STDDEV, 5 * MINUTE_MS, 0, 0},
        {"quantile(share, 0.5) > 5%", OP_QUANTILE, 5 * MINUTE_MS, 0, 0.5},
        {"count(hurt) > 5", OP_COUNT, 5 * MINUTE_MS, 0, 0},
        {"slope(wait, 20m) > 5%", OP_SLOPE, 20 * MINUTE_MS, 0, 0},
        {"forecast(share, 10m) > 5%", OP_FORECAST, 5 * MINUTE_MS,
         10 * MINUTE_MS, 0},
        {"forecast(share, 40m) > 5%", OP_FORECAST, 20 * MINUTE_MS,
         40 * MINUTE_MS, 0},
        {"forecast(share, 10m, 8m) > 5%", OP_FORECAST, 8 * MINUTE_MS,
         10 * MINUTE_MS, 0},
        {"rate(hits_total) > 1/s", OP_RATE, MINUTE_MS, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct policy *policy = policy_of_condition(cases[i].condition);
        const struct node *node = policy_node(policy, root_node(policy)->a);

        assert_int_equal(node->op, cases[i].op);
        assert_int_equal(node->span, cases[i].span);
        assert_int_equal(node->horizon, cases[i].horizon);
        assert_true(node->number == cases[i].number);
        assert_int_equal(policy_ring(policy, node->ring)->node, node->a);
        assert_int_equal(policy_ring(policy, node->ring)->slots,
                         cases[i].span / (15 * SECOND_MS));
        policy_free(policy);
    }
}

static void conditions_that_are_functions(void **state)
{
    static const struct {
        const char *condition;
        enum op op;
        time_ms span, horizon;
        double number;
    } cases[] = {
        {"rising(share)", OP_RISING, 10 * MINUTE_MS, 0, 0},
        {"flat(share, 2m)", OP_FLAT, 2 * MINUTE_MS, 0, 0},
        {"before(hurt)", OP_BEFORE, 10 * MINUTE_MS, 0, 0},
        {"surely(hurt)", OP_SURELY, 0, 0, 0},
        {"absent(share)", OP_ABSENT, 0, 0, 0},
        {"too_many(errors, requests, 5%)", OP_TOO_MANY, 5 * MINUTE_MS, 0, 0.05},
        {"burn(errors, requests, 99.9%)", OP_BURN, HOUR_MS, 5 * MINUTE_MS,
         0.999},
        {"worsened(errors, requests, 150%, 0.5%)", OP_WORSENED, 10 * MINUTE_MS,
         0, 0.005},
        {"outgrows(size, requests, 120%)", OP_OUTGROWS, 30 * MINUTE_MS, 0, 0},
        {"burn(errors, requests, 99%, 2h, 10m)", OP_BURN, 2 * HOUR_MS,
         10 * MINUTE_MS, 0.99},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct policy *policy = policy_of_condition(cases[i].condition);
        const struct node *node = root_node(policy);

        assert_int_equal(node->op, cases[i].op);
        assert_int_equal(node->type, TYPE_CONDITION);
        assert_int_equal(node->span, cases[i].span);
        assert_int_equal(node->horizon, cases[i].horizon);
        assert_true(node->number == cases[i].number);
        policy_free(policy);
    }
}

static void two_windows_on_one_operand_share_a_ring(void **state)
{
    struct policy *policy = policy_of_condition(
        "avg(share, 1m) > max(share, 4m) and burn(errors, requests, 99%)");
    const struct node *root = root_node(policy);
    const struct node *compared = policy_node(policy, root->a);
    const struct node *burn = policy_node(policy, root->b);
    uint16_t ring = policy_node(policy, compared->a)->ring;

    (void)state;
    assert_int_equal(ring, policy_node(policy, compared->b)->ring);
    assert_int_equal(policy_ring(policy, ring)->slots, 16);
    assert_int_equal(policy_ring(policy, burn->ring)->node, burn->a);
    assert_int_equal(policy_ring(policy, burn->ring_b)->node, burn->b);
    assert_int_equal(policy->rings, 3);
    assert_int_equal(policy_ring(policy, 0)->offset, 64);
    assert_int_equal(policy_ring(policy, 1)->offset, 64 + 16 * 9);
    assert_int_equal(policy_ring(policy, 2)->offset, 64 + 16 * 9 + 240 * 9);
    assert_int_equal(policy->judge_bytes, 64 + 16 * 9 + 2 * 240 * 9);
    policy_free(policy);
}

static void nested_windows_add_up(void **state)
{
    struct policy *policy = policy_of_condition(
        "(avg(share, 5m) > 5% for 2m) and before(max(share, 1m) > 1%, 3m)");

    (void)state;
    assert_int_equal(policy->lookback, 7 * MINUTE_MS);
    assert_int_equal(policy->root_window, 7 * MINUTE_MS);
    assert_int_equal(policy->history, 4 * MINUTE_MS);
    policy_free(policy);

    policy = policy_of_condition("change(avg(share, 5m)) > 150%");
    assert_int_equal(policy->lookback, 5 * MINUTE_MS);
    assert_int_equal(policy->history, HOUR_MS + 5 * MINUTE_MS);
    assert_int_equal(policy->frozens, 1);
    policy_free(policy);

    policy = policy_of_condition("share > baseline(avg(share, 5m))");
    assert_int_equal(policy->root_window, 0);
    policy_free(policy);
}

static void facts_of_release_and_fleet(void **state)
{
    struct policy *policy = policy_of_condition(
        "release.labels.team == \"pay\" and release.rollback_safe and "
        "fleet.breaching > 2 and fleet.breaching < 9 and "
        "fleet.released(30m) > 1");
    const struct node *equal = NULL;

    (void)state;
    for (uint16_t i = 0; i < policy->nodes; i++) {
        if (policy_node(policy, i)->op == OP_EQUAL) {
            equal = policy_node(policy, i);
        }
    }
    assert_non_null(equal);
    assert_int_equal(policy_node(policy, equal->a)->fact, FACT_LABEL);
    assert_string_equal(
        policy_text(policy, policy_node(policy, equal->a)->label), "team");
    assert_string_equal(
        policy_text(policy, policy_node(policy, equal->b)->text), "pay");
    assert_int_equal(policy->fleets, 2);
    assert_int_equal(policy_fleet(policy, 0)->fact, FLEET_BREACHING);
    assert_int_equal(policy_fleet(policy, 1)->span, 30 * MINUTE_MS);
    policy_free(policy);
}

static void a_name_is_worked_out_once(void **state)
{
    struct policy *policy =
        policy_of_condition("rate_of > 1% and rate_of < 90%");
    const struct node *root = root_node(policy);
    uint16_t first = policy_node(policy, root->a)->a;

    (void)state;
    assert_int_equal(first, policy_node(policy, root->b)->a);
    assert_int_equal(policy_node(policy, first)->op, OP_NAMED);
    assert_string_equal(policy_text(policy, policy_node(policy, first)->text),
                        "rate_of");
    policy_free(policy);
}

/* --- What is said --------------------------------------------------------- */

static void syntax_is_explained(void **state)
{
    static const struct golden golden[] = {
        {"share >", "8: a value is missing at the end\n"},
        {"share > > 5%", "9: a value is missing here\n"},
        {"(share > 5%", "1: this '(' is never closed\n"},
        {"share > 5%)", "11: this ')' closes nothing\n"},
        {"()", "2: a value is missing before ')'\n"},
        {"avg(share,) > 5%", "11: a value is missing before ')'\n"},
        {"share > 5%, hurt",
         "11: a comma separates a function's arguments and stands nowhere "
         "else\n"},
        {"share 5%", "7: an operator is missing here\n"},
        {"hurt (hurt)", "1: 'hurt' is a signal, not a function\n"},
        {"(hurt) (hurt)", "8: an operator is missing before '('\n"},
        {"hurt for", "9: 'for' wants a duration (for 2m) or 'for 3 of 5'\n"},
        {"hurt for 2",
         "11: 'for' wants a duration with its unit (for 2m) or 'for 3 of "
         "5'\n"},
        {"hurt for 2 of",
         "14: a whole number is missing here, from 1 to 512: for 3 of 5\n"},
        {"hurt for 2.5 of 3",
         "10: a whole number is missing here, from 1 to 512: for 3 of 5\n"},
        {"hurt for 2m for 3m",
         "13: a second 'for'; put the first one in parentheses with its "
         "condition\n"},
        {"hurt for 2m > 5%",
         "13: 'for' ends a condition; put what it belongs to in "
         "parentheses\n"},
        {"hurt for 5 of 3", "6: 5 of 3 can never be; write 'for 3 of 5'\n"},
        {"share > not hurt", "9: 'not' needs parentheses here: (not x)\n"},
        {"share > --5%", "10: one '-' is enough\n"},
        {"1% < share < 5%",
         "12: comparisons cannot be chained; join them with 'and', fix: 1% "
         "< share and share < 5%\n"},
        {"1% < (share + 1%) <= 5%",
         "19: comparisons cannot be chained; join them with 'and', fix: 1% "
         "< (share + 1%) and (share + 1%) <= 5%\n"},
        {"hurt && hurt", "6: '&&' is written 'and' here\n"},
        {"hurt || hurt", "6: '||' is written 'or' here\n"},
        {"!hurt", "1: '!' is written 'not' here, fix: not \n"},
        {"share = 5%",
         "7: '=' is written '==' here, and compares texts only\n"},
        {"share > 5 %", "11: '%' belongs right behind a number: 5%\n"},
        {"share > .5", "9: digits are missing before the point; write 0.5, not "
                       ".5, fix: 0.\n"},
        {"share > 5.", "9: digits are missing after the point\n"},
        {"share \xe2\x89\xa5 5%", "7: write '>='\n"},
        {"avg(share[5m]) > 5%", "10: windows are arguments here: avg(x, 5m)\n"},
        {"release.kind == 'x'",
         "17: texts stand in double quotes here, fix: \"\n"},
        {"release.kind == \"x", "17: this quote is never closed\n"},
        {"Share > 5%",
         "1: names have only a-z, 0-9 and _, no capitals, fix: share\n"},
        {"wait > 5min",
         "8: '5min' is no number, duration (ms s m h d) or bytes (KiB MiB "
         "GiB)\n"},
        {"wait > 1.5h",
         "8: a duration is a whole number; use a smaller unit than 'h'\n"},
        {"share > 5% # no", "12: '#' means nothing in an expression\n"},
    };

    (void)state;
    check_conditions(golden, COUNT(golden));
}

static void types_and_units_are_explained(void **state)
{
    static const struct golden golden[] = {
        {"share", "1: a question wants a condition; compare this with "
                  "something, like '> 5%'\n"},
        {"share > 5",
         "7: 'share' is ratio, '5' is count; '>' wants equal units, fix: "
         "5%\n"},
        {"share > 0.05",
         "7: 'share' is ratio, '0.05' is count; '>' wants equal units, "
         "fix: 5%\n"},
        {"5 < requests",
         "3: '5' is count, 'requests' is per_second; '<' wants equal units, "
         "fix: 5/s\n"},
        {"wait > 5",
         "6: 'wait' is seconds, '5' is count; '>' wants equal units, fix: "
         "5s\n"},
        {"memory > 5",
         "8: 'memory' is bytes, '5' is count; '>' wants equal units, fix: "
         "5MiB\n"},
        {"share > 5s",
         "7: 'share' is ratio, '5s' is seconds; '>' wants equal units\n"},
        {"errors + wait > 5/s",
         "8: 'errors' is per_second, 'wait' is seconds; '+' wants equal "
         "units\n"},
        {"1 - share > 5%",
         "3: '1' is count, 'share' is ratio; '-' wants equal units, fix: "
         "100%\n"},
        {"hurt > 5%", "6: a condition cannot be compared with ratio\n"},
        {"hurt == hurt", "6: a condition is not compared; write it alone, or "
                         "with 'not'\n"},
        {"share == 5%",
         "7: measurements are hardly ever exactly equal; compare with < <= > "
         ">=, fix: share >= 5% and share <= 5%\n"},
        {"share != 5%",
         "7: measurements are hardly ever exactly equal; compare with < <= > "
         ">=, fix: share < 5% or share > 5%\n"},
        {"release.version > \"2\"",
         "17: texts have no order; compare with == or !=, fix: "
         "release.version == \"2\"\n"},
        {"release.version == 2", "17: a text cannot be compared with count\n"},
        {"share and hurt",
         "1: 'and' wants a condition; 'share' is ratio: compare it\n"},
        {"not share", "5: 'not' wants a condition; 'share' is ratio: compare "
                      "it\n"},
        {"share for 2m",
         "1: 'for' wants a condition; 'share' is ratio: compare it\n"},
        {"hurt * 2 > 5", "1: '*' wants numbers; 'hurt' is a condition\n"},
        {"-hurt > 5", "2: '-' wants numbers; 'hurt' is a condition\n"},
        {"wait*wait*wait*wait*wait*wait*wait*wait*wait > 1",
         "1: no measurement has such a unit; is a factor used too often?\n"},
        {"share > 5 and wait > 5",
         "7: 'share' is ratio, '5' is count; '>' wants equal units, fix: "
         "5%\n"
         "20: 'wait' is seconds, '5' is count; '>' wants equal units, fix: "
         "5s\n"},
    };

    (void)state;
    check_conditions(golden, COUNT(golden));
}

static void names_are_explained(void **state)
{
    static const struct golden golden[] = {
        {"shar > 5%", "1: unknown signal 'shar'; did you mean 'share'?\n"},
        {"latency > 5s",
         "1: unknown signal 'latency'; name it under 'signals:'\n"},
        {"avg > 5%", "1: 'avg' is a function: avg(x, 5m)\n"},
        {"average(share) > 5%",
         "1: unknown function 'average'; known are avg min max sum stddev "
         "quantile count slope forecast rising baseline change at_deploy "
         "before surely absent flat rate too_many burn worsened outgrows "
         "canary control worse\n"},
        {"rissing(share)",
         "1: unknown function 'rissing'; did you mean 'rising'?\n"},
        {"release.rolback_safe", "1: unknown fact 'release.rolback_safe'; did "
                                 "you mean 'release.rollback_safe'?\n"},
        {"release.author == \"x\"",
         "1: unknown fact 'release.author'; known are release.service "
         ".environment .version .kind .data_change .rollback_safe .stuck .age "
         ".labels.NAME\n"},
        {"fleet.rollbacks > 2",
         "1: this fact is written 'fleet.rollbacks(1h)'\n"},
        {"fleet.breaching(1h) > 2",
         "1: this fact is written 'fleet.breaching'\n"},
        {"fleet.releases(1h) > 2", "1: unknown function 'fleet.releases'; did "
                                   "you mean 'fleet.released'?\n"},
    };

    (void)state;
    check_conditions(golden, COUNT(golden));
}

static void windows_are_explained(void **state)
{
    static const struct golden golden[] = {
        {"hurt for 30s",
         "6: 'for' wants at least 3 grid times of 15s; write 'for 45s'\n"},
        {"hurt for 1d",
         "6: 'for' looks back over 5760 grid times of 15s, at most 512: "
         "128m\n"},
        {"avg(share, 30s) > 5%",
         "12: 30s holds only 2 grid times of 15s; avg() needs 3: at least "
         "45s\n"},
        {"avg(share, 3h) > 5%",
         "12: avg() looks back over 720 grid times of 15s, at most 512: "
         "128m\n"},
        {"rising(share, 1m)",
         "15: 1m holds only 4 grid times of 15s; rising() needs 8: at least "
         "2m\n"},
        {"forecast(share, 30m, 10m) > 5%",
         "1: a forecast of 30m wants a window of at least half of it, not "
         "10m\n"},
        {"forecast(share) > 5%",
         "1: forecast() takes 2 or more arguments: forecast(x, 10m)\n"},
        {"avg() > 5%", "1: avg() takes 1 or more arguments: avg(x, 5m)\n"},
        {"surely(hurt, 5m)", "1: surely() takes 1 argument: surely(c)\n"},
        {"avg(share, 5) > 5%",
         "12: '5' is not a duration, like 5m: avg(x, 5m)\n"},
        {"avg(hurt) > 5%", "5: 'hurt' is not a number: avg(x, 5m)\n"},
        {"surely(share)", "8: 'share' is not a condition: surely(c)\n"},
        {"quantile(share, 99, 5m) > 5%",
         "17: '99' is not a number between 0 and 1: quantile(x, 0.99, 5m)\n"},
        {"too_many(errors, requests, 5)",
         "28: '5' is not a percentage between 0% and 100%: too_many(errors, "
         "requests, 5%, 5m)\n"},
        {"too_many(errors, size, 5%)",
         "1: too_many() wants both signals per_second; these are per_second "
         "and count\n"},
        {"too_many(size, size, 5%)",
         "1: too_many() wants both signals per_second; these are count and "
         "count\n"},
        {"burn(size, requests, 99.9%)",
         "1: burn() wants both signals per_second, or both count; these are "
         "count and per_second\n"},
        {"burn(errors, requests, 99.9%, 5m, 1h)",
         "1: the second window of burn() is the shorter one: burn(errors, "
         "requests, 99.9%, 1h, 5m)\n"},
        {"absent(rate_of)", "8: 'rate_of' is not the name of a signal that is "
                            "fetched: absent(x)\n"},
        {"rate(size) > 1/s",
         "6: 'size' is not a scraped counter (in PromQL, rate() belongs into "
         "the query): rate(x, 1m)\n"},
        {"worsened(errors, size, 150%, 1%)",
         "1: worsened() wants both signals per_second; these are per_second "
         "and count\n"},
        {"worsened(errors, requests, 50%, 1%)",
         "28: '50%' is not a percentage of at least 100%: worsened(errors, "
         "requests, 150%, 0.5%, 10m)\n"},
        {"outgrows(size, requests, 1.2)",
         "26: '1.2' is not a percentage of at least 100%: outgrows(x, "
         "requests, 120%, 30m)\n"},
        {"outgrows(size)",
         "1: outgrows() takes 3 or more arguments: outgrows(x, requests, "
         "120%, 30m)\n"},
        {"at_deploy(change(share)) > 5%",
         "1: at_deploy() looks at the time before the deploy, where a "
         "baseline(), change() or before() is not known yet\n"},
        {"baseline(change(share)) > 5%",
         "1: baseline() looks at the time before the deploy, where a "
         "baseline(), change() or before() is not known yet\n"},
        {"before(before(hurt))",
         "1: before() looks at the time before the deploy, where another "
         "before() is not known yet\n"},
        {"worse()", "1: worse() takes 1 or more arguments: worse(errors, "
                    "requests) or worse(x), and perhaps how much: worse(x, "
                    "110%)\n"},
        {"worse(share)",
         "7: 'share' has no two sides: no signal in it selects by the "
         "release's version, as 'select: {version: release.version}' does\n"},
        {"canary(share) > control(5%)",
         "8: 'share' has no two sides: no signal in it selects by the "
         "release's version, as 'select: {version: release.version}' does\n"
         "25: '5%' has no two sides: no signal in it selects by the "
         "release's version, as 'select: {version: release.version}' does\n"},
    };

    (void)state;
    check_conditions(golden, COUNT(golden));
}

/* --- Bounds --------------------------------------------------------------- */

/* @open @times, @middle, @close @times. */
static char *repeat(const char *open, const char *middle, const char *close,
                    size_t times)
{
    char *text = test_calloc(1, times * (strlen(open) + strlen(close)) +
                                    strlen(middle) + 1);

    for (size_t i = 0; i < times; i++) {
        strcat(text, open);
    }
    strcat(text, middle);
    for (size_t i = 0; i < times; i++) {
        strcat(text, close);
    }
    return text;
}

static void bounds_are_refusals(void **state)
{
    char *deep = repeat("(", "hurt", ")", 17);
    char *not_too_deep = repeat("(", "hurt", ")", 16);
    char *many = repeat("", "hurt", " or hurt", 40);
    char *not_too_many = repeat("", "hurt", " or hurt", 31);
    char *nots = repeat("not ", "hurt", "", 200);
    char *too_long = repeat("", "hurt", "     or hurt", 100);
    const struct golden golden[] = {
        {deep, "17: brackets are nested more than 16 deep; give some of it a "
               "name with 'is'\n"},
        {not_too_deep, ""},
        {many, "262: more than 64 parts; give some of it a name with 'is'\n"},
        {not_too_many, ""},
        {nots, "513: too deep; give some of it a name with 'is'\n"},
        {too_long, "1: 1204 bytes are too long for an expression, at most "
                   "1024; give some of it a name with 'is'\n"},
    };

    (void)state;
    check_conditions(golden, COUNT(golden));
    test_free(deep);
    test_free(not_too_deep);
    test_free(many);
    test_free(not_too_many);
    test_free(nots);
    test_free(too_long);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_bind_as_the_grammar_says),
        cmocka_unit_test(for_binds_to_its_left_operand_only),
        cmocka_unit_test(a_rate_has_no_letter_after_it),
        cmocka_unit_test(literals_are_in_base_units),
        cmocka_unit_test(units_are_derived),
        cmocka_unit_test(functions_take_their_windows),
        cmocka_unit_test(conditions_that_are_functions),
        cmocka_unit_test(two_windows_on_one_operand_share_a_ring),
        cmocka_unit_test(nested_windows_add_up),
        cmocka_unit_test(facts_of_release_and_fleet),
        cmocka_unit_test(a_name_is_worked_out_once),
        cmocka_unit_test(syntax_is_explained),
        cmocka_unit_test(types_and_units_are_explained),
        cmocka_unit_test(names_are_explained),
        cmocka_unit_test(windows_are_explained),
        cmocka_unit_test(bounds_are_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
