/* Random expressions over random stories: what is compiled and judged look by
 * look agrees with what the language promises, worked out slowly; also after a
 * restart, and in which units. */
#include "help_reference.h"

#include "policies/read/policy_read.h"
#include "tests/unit/policies/help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- Chance --------------------------------------------------------------- */

static uint64_t chance_state;

static int chance(int below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (int)(chance_state % (uint64_t)below);
}

/* --- Random expressions --------------------------------------------------- */

#define POOL_MAX 40

static struct expression pool[POOL_MAX];
static char literals[POOL_MAX][24];
static size_t pooled;
static bool slips; /* now and then an operand has the wrong unit */

static const struct unit no_unit = {0, 0, 0}, of_count = {1, 0, 0},
                         of_rate = {1, -1, 0}, of_seconds = {0, 1, 0};

static struct expression *number_of(struct unit unit, int depth);
static struct expression *condition(int depth);

static struct expression *add(enum kind kind, struct expression *a,
                              struct expression *b)
{
    struct expression *expression = &pool[pooled];

    assert_true(pooled < POOL_MAX);
    *expression =
        (struct expression){.kind = kind, .a = a, .b = b, .index = pooled++};
    return expression;
}

static struct expression *literal(struct unit unit)
{
    struct expression *expression = add(NUMBER, NULL, NULL);
    char *text = literals[expression->index];
    int number = chance(12);
    const char *ending = "";

    expression->unit = unit;
    expression->number = number;
    if (unit_equal(unit, no_unit)) {
        ending = "00%";
    } else if (unit_equal(unit, of_rate)) {
        ending = chance(2) == 0 ? "/s" : "/m";
        expression->number = ending[1] == 's' ? number : number / 60.0;
    } else if (unit_equal(unit, of_seconds)) {
        ending = "s";
    }
    (void)snprintf(text, sizeof(literals[0]), "%d%s", number, ending);
    expression->text = text;
    return expression;
}

static struct expression *signal_of(struct unit unit)
{
    struct expression *expression = NULL;
    size_t signal = (size_t)chance(SIGNALS);

    while (!unit_equal(reference_signals[signal].unit, unit)) {
        signal = (signal + 1) % SIGNALS;
    }
    expression = add(SIGNAL, NULL, NULL);
    expression->signal = signal;
    return expression;
}

static struct expression *small_number(struct unit unit)
{
    struct expression *age = NULL;

    if (unit_equal(unit, of_seconds) && chance(4) == 0) {
        age = add(AGE, NULL, NULL);
        age->unit = of_seconds;
        return age;
    }
    return chance(4) == 0 ? literal(unit) : signal_of(unit);
}

static struct unit some_unit(void)
{
    const struct unit units[] = {no_unit, of_count, of_rate, of_seconds};

    return units[chance(COUNT_OF(units))];
}

static struct unit slipped(struct unit unit)
{
    return slips && chance(12) == 0 ? some_unit() : unit;
}

/* a * b or a / b that is of @unit, in one of the ways it can be made. */
static struct expression *product(struct unit unit, int depth)
{
    struct expression *a = NULL;

    if (unit_equal(unit, of_seconds) && chance(2) == 0) {
        a = number_of(of_count, depth);
        return add(DIVIDE, a, number_of(slipped(of_rate), depth));
    }
    if (unit_equal(unit, no_unit) && chance(2) == 0) {
        struct unit both = some_unit();

        a = number_of(both, depth);
        return add(DIVIDE, a, number_of(slipped(both), depth));
    }
    if (unit_equal(unit, of_count) && chance(2) == 0) {
        a = number_of(of_rate, depth);
        return add(MULTIPLY, a, number_of(slipped(of_seconds), depth));
    }
    a = number_of(unit, depth);
    return add(chance(2) == 0 ? MULTIPLY : DIVIDE, a,
               number_of(slipped(no_unit), depth));
}

static struct expression *windowed(enum kind kind, struct expression *a)
{
    struct expression *expression = add(kind, a, NULL);

    expression->times = 8 + chance(5);
    if (kind == QUANTILE) {
        expression->number = 0.75;
    } else if (kind == FORECAST) {
        expression->number = 1 + chance(2 * expression->times);
    }
    return expression;
}

static struct expression *number_window(struct unit unit, int depth)
{
    static const enum kind kinds[] = {AVG,    MIN,      MAX,      SUM,
                                      STDDEV, QUANTILE, FORECAST, BASELINE};
    enum kind kind = kinds[chance(COUNT_OF(kinds))];
    struct expression *a = NULL;

    if (unit_equal(unit, of_rate) && chance(2) == 0) {
        if (chance(2) == 0) {
            return windowed(SLOPE, number_of(of_count, depth));
        }
        a = add(SIGNAL, NULL, NULL);
        a->signal = C;
        return windowed(RATE, a);
    }
    if (unit_equal(unit, of_count) && chance(2) == 0) {
        return windowed(COUNT, condition(depth));
    }
    if (unit_equal(unit, no_unit) && chance(3) == 0) {
        return add(CHANGE, number_of(some_unit(), depth), NULL);
    }
    a = number_of(unit, depth);
    return kind == BASELINE ? add(BASELINE, a, NULL) : windowed(kind, a);
}

static struct expression *number_of(struct unit unit, int depth)
{
    struct expression *a = NULL;

    if (depth == 0 || pooled > POOL_MAX / 2) {
        return small_number(unit);
    }
    switch (chance(8)) {
    case 0:
        return add(MINUS, number_of(unit, depth - 1), NULL);
    case 1:
    case 2:
        a = number_of(unit, depth - 1);
        return add(chance(2) == 0 ? ADD : SUBTRACT, a,
                   number_of(slipped(unit), depth - 1));
    case 3:
    case 4:
        return product(unit, depth - 1);
    case 5:
        return small_number(unit);
    default:
        return number_window(unit, depth > 2 ? 2 : depth - 1);
    }
}

static struct expression *small_condition(void)
{
    static const enum kind kinds[] = {TRUTH, STUCK, SAFE, KIND_IS_A, ABSENT};
    struct expression *expression = NULL, *signal = NULL;
    enum kind kind = kinds[chance(COUNT_OF(kinds))];

    if (kind == ABSENT) {
        signal = add(SIGNAL, NULL, NULL);
        signal->signal = (size_t)chance(SIGNALS);
    }
    expression = add(kind, signal, NULL);
    expression->number = chance(2);
    return expression;
}

static struct expression *comparison(int depth)
{
    struct unit unit = some_unit();
    struct expression *a = number_of(unit, depth);

    return add(LESS + (enum kind)chance(4), a, number_of(slipped(unit), depth));
}

static struct expression *lasting(int depth)
{
    struct expression *expression =
        add(chance(2) == 0 ? FOR : OF, condition(depth), NULL);

    expression->times = 3 + chance(4);
    expression->number = 1 + chance(expression->times);
    return expression;
}

static struct expression *condition(int depth)
{
    struct expression *a = NULL;

    if (depth == 0 || pooled > POOL_MAX / 2) {
        return small_condition();
    }
    switch (chance(10)) {
    case 0:
        return small_condition();
    case 1:
        return add(NOT, condition(depth - 1), NULL);
    case 2:
        return add(SURELY, condition(depth - 1), NULL);
    case 3:
    case 4:
        a = condition(depth - 1);
        return add(chance(2) == 0 ? AND : OR, a, condition(depth - 1));
    case 5:
        return lasting(depth - 1);
    case 6:
        return windowed(chance(2) == 0 ? RISING : FLAT,
                        number_of(some_unit(), depth > 2 ? 2 : depth - 1));
    case 7:
        return windowed(BEFORE, condition(depth - 1));
    default:
        return comparison(depth - 1);
    }
}

static struct expression *random_expression(void)
{
    pooled = 0;
    return chance(2) == 0 ? condition(4) : number_of(some_unit(), 4);
}

/* --- As text -------------------------------------------------------------- */

/* How tightly each binds; what binds less than its place needs brackets. */
enum tightness {
    IS_OR = 1,
    IS_AND,
    IS_NOT,
    IS_HELD,
    IS_COMPARED,
    IS_SUM,
    IS_PRODUCT,
    IS_SIGNED,
    IS_WHOLE
};

static const struct {
    const char *text; /* a function, or the operator */
    enum tightness is, left, right;
} forms[KINDS] = {
    [MINUS] = {"-", IS_SIGNED, IS_WHOLE, 0},
    [ADD] = {" + ", IS_SUM, IS_SUM, IS_PRODUCT},
    [SUBTRACT] = {" - ", IS_SUM, IS_SUM, IS_PRODUCT},
    [MULTIPLY] = {" * ", IS_PRODUCT, IS_PRODUCT, IS_SIGNED},
    [DIVIDE] = {" / ", IS_PRODUCT, IS_PRODUCT, IS_SIGNED},
    [LESS] = {" < ", IS_COMPARED, IS_SUM, IS_SUM},
    [LESS_EQUAL] = {" <= ", IS_COMPARED, IS_SUM, IS_SUM},
    [GREATER] = {" > ", IS_COMPARED, IS_SUM, IS_SUM},
    [GREATER_EQUAL] = {" >= ", IS_COMPARED, IS_SUM, IS_SUM},
    [NOT] = {"not ", IS_NOT, IS_NOT, 0},
    [AND] = {" and ", IS_AND, IS_AND, IS_NOT},
    [OR] = {" or ", IS_OR, IS_OR, IS_AND},
    [FOR] = {" for ", IS_HELD, IS_COMPARED, 0},
    [OF] = {" for ", IS_HELD, IS_COMPARED, 0},
    [AVG] = {"avg", IS_WHOLE, 0, 0},
    [MIN] = {"min", IS_WHOLE, 0, 0},
    [MAX] = {"max", IS_WHOLE, 0, 0},
    [SUM] = {"sum", IS_WHOLE, 0, 0},
    [STDDEV] = {"stddev", IS_WHOLE, 0, 0},
    [QUANTILE] = {"quantile", IS_WHOLE, 0, 0},
    [SLOPE] = {"slope", IS_WHOLE, 0, 0},
    [FORECAST] = {"forecast", IS_WHOLE, 0, 0},
    [RATE] = {"rate", IS_WHOLE, 0, 0},
    [COUNT] = {"count", IS_WHOLE, 0, 0},
    [BASELINE] = {"baseline", IS_WHOLE, 0, 0},
    [CHANGE] = {"change", IS_WHOLE, 0, 0},
    [SURELY] = {"surely", IS_WHOLE, 0, 0},
    [ABSENT] = {"absent", IS_WHOLE, 0, 0},
    [RISING] = {"rising", IS_WHOLE, 0, 0},
    [FLAT] = {"flat", IS_WHOLE, 0, 0},
    [BEFORE] = {"before", IS_WHOLE, 0, 0},
    [NUMBER] = {NULL, IS_WHOLE, 0, 0},
    [SIGNAL] = {NULL, IS_WHOLE, 0, 0},
    [AGE] = {"release.age", IS_WHOLE, 0, 0},
    [TRUTH] = {NULL, IS_WHOLE, 0, 0},
    [STUCK] = {"release.stuck", IS_WHOLE, 0, 0},
    [SAFE] = {"release.rollback_safe", IS_WHOLE, 0, 0},
    [KIND_IS_A] = {"release.kind == \"a\"", IS_COMPARED, 0, 0},
};

#define TEXT_MAX 4096

/* Of each in the pool, whose operands stand before it. */
static char texts[POOL_MAX][TEXT_MAX];

static void write_operand(char *text, const struct expression *operand,
                          enum tightness wanted)
{
    bool brackets = forms[operand->kind].is < wanted || chance(12) == 0;
    size_t used = strlen(text);

    (void)snprintf(text + used, TEXT_MAX - used, "%s%s%s", brackets ? "(" : "",
                   texts[operand->index], brackets ? ")" : "");
}

__attribute__((format(printf, 2, 3))) static void
write_more(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text + used, TEXT_MAX - used, format, arguments);
    va_end(arguments);
}

static void write_call(char *text, const struct expression *expression)
{
    write_more(text, "%s(", forms[expression->kind].text);
    write_operand(text, expression->a, IS_OR);
    if (expression->kind == QUANTILE) {
        write_more(text, ", 0.75");
    } else if (expression->kind == FORECAST) {
        write_more(text, ", %d0s", (int)expression->number);
    }
    if (expression->times > 0) {
        write_more(text, ", %d0s", expression->times);
    }
    write_more(text, ")");
}

static void write_expression(const struct expression *expression)
{
    char *text = texts[expression->index];
    const char *form = forms[expression->kind].text;
    enum kind kind = expression->kind;

    text[0] = '\0';
    if (kind == NUMBER) {
        write_more(text, "%s", expression->text);
    } else if (kind == SIGNAL) {
        write_more(text, "%s", reference_signals[expression->signal].name);
    } else if (kind == TRUTH) {
        write_more(text, "%s", expression->number != 0 ? "true" : "false");
    } else if (kind == MINUS || kind == NOT) {
        write_more(text, "%s", form);
        write_operand(text, expression->a, forms[kind].left);
    } else if (expression->a == NULL) {
        write_more(text, "%s", form);
    } else if (forms[kind].is == IS_WHOLE) {
        write_call(text, expression);
    } else {
        write_operand(text, expression->a, forms[kind].left);
        write_more(text, "%s", form);
        if (kind == FOR) {
            write_more(text, "%d0s", expression->times);
        } else if (kind == OF) {
            write_more(text, "%d of %d", (int)expression->number,
                       expression->times);
        } else {
            write_operand(text, expression->b, forms[kind].right);
        }
    }
}

static const char *text_of(const struct expression *expression)
{
    for (size_t i = 0; i < pooled; i++) {
        write_expression(&pool[i]);
    }
    return texts[expression->index];
}

/* --- Random stories ------------------------------------------------------- */

static struct story story;

static void tell_signal(size_t signal)
{
    double level = chance(6);
    enum said said = SAID_NUMBER;
    int lasts = 0;

    for (int t = 0; t < TIMES; t++) {
        if (lasts == 0) {
            said = chance(5) > 0    ? SAID_NUMBER
                   : chance(2) == 0 ? SAID_NOTHING
                                    : SAID_ERROR;
            lasts = said == SAID_NUMBER ? 5 + chance(40) : 1 + chance(4);
        }
        lasts--;
        level += chance(8) == 0 ? chance(5) - 2 : 0;
        level = signal == C && chance(30) > 0 ? level + chance(3) : level;
        story.numbers[signal][t] = level;
        story.said[signal][t] = said;
    }
}

static void tell_story(void)
{
    memset(&story, 0, sizeof(story));
    for (size_t signal = 0; signal < SIGNALS; signal++) {
        tell_signal(signal);
    }
    for (int t = 0; t < TIMES; t++) {
        story.asked[t] = chance(25) > 0;
    }
    story.stuck = chance(2) == 0;
    story.safe = chance(3);
    story.kind = chance(3) == 0 ? NULL : chance(2) == 0 ? "a" : "b";
}

/* --- The two side by side ------------------------------------------------- */

static struct world world;
static struct problems problems;
static union {
    uint64_t aligned[JUDGE_BYTES_MAX / 8];
    unsigned char bytes[JUDGE_BYTES_MAX];
} second_block; /* of a judge that begins later */

static bool read_policy(const char *text)
{
    char source[TEXT_MAX + 1024] =
        "policy: p\nmode: auto\nwatch: {every: 10s, settle: 30s}\n"
        "baseline: 5m\nsignals:\n";

    memset(&world, 0, sizeof(world));
    for (size_t i = 0; i < SIGNALS; i++) {
        write_more(source, "  %s: %s\n", reference_signals[i].name,
                   reference_signals[i].declared);
    }
    write_more(source,
               "  v:\n    is: '%s'\n"
               "tree: {question: q, if: absent(x), then: wait, else: wait}\n",
               text);
    problems_init(&problems, "p.yaml");
    world.policy = policy_read("p.yaml", source, strlen(source), &problems);
    return world.policy != NULL;
}

/* Not every random expression is small enough for a release's memory; those
 * are no news. */
static bool is_too_large(void)
{
    for (size_t i = 0; i < problems.count; i++) {
        const char *text = problems.list[i].text;

        if (strstr(text, "too long for an expression") != NULL ||
            strstr(text, "more than") != NULL ||
            strstr(text, "grid times before the deploy") != NULL) {
            return true;
        }
    }
    return false;
}

static void fill_row(struct sample *row, int n)
{
    static const enum unknown unknowns[] = {
        [SAID_NUMBER] = KNOWN,
        [SAID_NOTHING] = UNKNOWN_NO_DATA,
        [SAID_ERROR] = UNKNOWN_SOURCE_ERROR,
    };

    for (size_t i = 0; i < SIGNALS; i++) {
        row[i] = (struct sample){story.numbers[i][AT(n)],
                                 unknowns[story.said[i][AT(n)]]};
    }
}

/* What was live then was bad: not a row, for the judge. */
static struct span without[TIMES];

static void learn(void)
{
    struct history history = {.samples = world.past, .without = without};
    int past = (int)(world.policy->history / REFERENCE_EVERY);

    assert_true(past <= PAST_TIMES);
    history.rows = (size_t)past + 1;
    history.from = WORLD_DEPLOYED - past * REFERENCE_EVERY;
    for (int n = -past; n <= 0; n++) {
        time_ms g = WORLD_DEPLOYED + n * REFERENCE_EVERY;

        fill_row(&world.past[(n + past) * SIGNALS], n);
        if (!story.asked[AT(n)]) {
            without[history.withouts++] = (struct span){g, g + 1};
        }
    }
    judge_learn(world.policy, world_judge(&world), &history, &world.facts,
                &world.scratch);
}

static struct value value_at(int n, unsigned char *block)
{
    fill_row(world.row, n);
    judge_look(world.policy, (struct judge *)(void *)block,
               WORLD_DEPLOYED + n * REFERENCE_EVERY, world.row, &world.facts,
               &world.verdict);
    return world_value(&world, "v");
}

/* Begin anew as after a restart, and look again at what is looked back on. */
static struct value value_after_restart(int n)
{
    struct judge *judge = (struct judge *)(void *)second_block.bytes;
    int from = n - (int)(world.policy->lookback / REFERENCE_EVERY);
    struct value value = {0};

    judge_start(world.policy, judge, WORLD_DEPLOYED);
    judge_freeze(world.policy, judge,
                 judge_frozen(world.policy, world_judge(&world)));
    for (int i = from > 1 ? from : 1; i <= n; i++) {
        if (story.asked[AT(i)]) {
            value = value_at(i, second_block.bytes);
        }
    }
    return value;
}

static void expect(const char *text, int n, struct worth worth,
                   struct value value)
{
    if ((value.unknown == KNOWN) != worth.known ||
        (worth.known && value.number != worth.number)) {
        fail_msg("%s at %d: %.17g (%s), promised %.17g (%s)", text, n,
                 value.number, unknown_name(value.unknown), worth.number,
                 worth.known ? "known" : "unknown");
    }
}

static void follow(const struct expression *expression, const char *text,
                   size_t seen[2])
{
    judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED);
    world.facts = (struct facts){
        .service = "s",
        .environment = "e",
        .version = "v",
        .kind = story.kind,
        .deployed_at = WORLD_DEPLOYED,
        .rollback_safe = story.safe == 0   ? ANSWER_NO
                         : story.safe == 1 ? ANSWER_YES
                                           : ANSWER_UNKNOWN,
        .stuck = story.stuck,
    };
    learn();
    for (int n = 1; n <= LOOKS; n++) {
        struct worth worth = {0};

        if (!story.asked[AT(n)]) {
            continue;
        }
        worth = reference_worth(&story, expression, n);
        expect(text, n, worth, value_at(n, world.block.bytes));
        if (n % 23 == 0) {
            expect(text, n, worth, value_after_restart(n));
        }
        seen[worth.known]++;
    }
}

static void every_value_is_what_the_language_promises(void **state)
{
    size_t seen[2] = {0}, judged = 0;

    (void)state;
    slips = false;
    for (unsigned seed = 1; seed <= 1500; seed++) {
        struct expression *expression = NULL;
        const char *text = NULL;

        chance_state = seed * 0x9e3779b97f4a7c15u;
        expression = random_expression();
        text = text_of(expression);
        if (!reference_meaning(expression).allowed || !read_policy(text)) {
            continue;
        }
        tell_story();
        follow(expression, text, seen);
        world_end(&world);
        judged++;
    }
    assert_true(judged > 300);
    assert_true(seen[false] > 3000);
    assert_true(seen[true] > 3000);
}

static const struct node *named_node(const struct policy *policy)
{
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        if (node->op == OP_NAMED) {
            return node;
        }
    }
    fail();
    return NULL;
}

static void units_are_types(void **state)
{
    size_t seen[2] = {0};

    (void)state;
    slips = true;
    for (unsigned seed = 1; seed <= 4000; seed++) {
        struct expression *expression = NULL;
        struct meaning_of meaning;
        const char *text = NULL;
        bool good = false;

        chance_state = seed * 0xd1342543de82ef95u;
        expression = random_expression();
        meaning = reference_meaning(expression);
        text = text_of(expression);
        good = read_policy(text);
        if (!good && is_too_large()) {
            continue;
        }
        if (good != meaning.allowed) {
            fail_msg("%s: %s, promised %s", text,
                     good ? "read" : problems.list[0].text,
                     meaning.allowed ? "read" : "refused");
        }
        if (good) {
            const struct node *node = named_node(world.policy);

            assert_int_equal(node->type == TYPE_CONDITION, meaning.condition);
            assert_true(meaning.condition ||
                        unit_equal(node->unit, meaning.unit));
            world_end(&world);
        }
        seen[good]++;
    }
    assert_true(seen[false] > 300);
    assert_true(seen[true] > 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_what_the_language_promises),
        cmocka_unit_test(units_are_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
