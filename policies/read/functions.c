/* Calls: the table of functions, and what each wants of its arguments. */
#include "policies/read/call.h"
#include "policies/read/fleet.h"

#include <assert.h>
#include <string.h>

static const char worse_usage[] = "worse(errors, requests) or worse(x), and "
                                  "perhaps how much: worse(x, 110%)";

static const struct function functions[] = {
    {"avg", OP_AVG, "nW", "avg(x, 5m)", 5 * MINUTE_MS, 3},
    {"min", OP_MIN, "nW", "min(x, 5m)", 5 * MINUTE_MS, 3},
    {"max", OP_MAX, "nW", "max(x, 5m)", 5 * MINUTE_MS, 3},
    {"sum", OP_SUM, "nW", "sum(x, 5m)", 5 * MINUTE_MS, 3},
    {"stddev", OP_STDDEV, "nW", "stddev(x, 5m)", 5 * MINUTE_MS, 3},
    {"quantile", OP_QUANTILE, "nqW", "quantile(x, 0.99, 5m)", 5 * MINUTE_MS, 3},
    {"count", OP_COUNT, "cW", "count(x > 5%, 5m)", 5 * MINUTE_MS, 1},
    {"slope", OP_SLOPE, "nW", "slope(x, 10m)", 10 * MINUTE_MS, 8},
    {"forecast", OP_FORECAST, "nhW", "forecast(x, 10m)", 5 * MINUTE_MS, 8},
    {"rising", OP_RISING, "nW", "rising(x, 10m)", 10 * MINUTE_MS, 8},
    {"worsened", OP_WORSENED, "nnfpW",
     "worsened(errors, requests, 150%, 0.5%, 10m)", 10 * MINUTE_MS, 20},
    {"outgrows", OP_OUTGROWS, "nnfW", "outgrows(x, requests, 120%, 30m)",
     30 * MINUTE_MS, 8},
    {"baseline", OP_BASELINE, "n", "baseline(x)", 0, 0},
    {"at_deploy", OP_AT_DEPLOY, "nW", "at_deploy(x, 10m)", 10 * MINUTE_MS, 1},
    {"change", OP_CHANGE, "n", "change(x)", 0, 0},
    {"before", OP_BEFORE, "cW", "before(c, 10m)", 10 * MINUTE_MS, 1},
    {"surely", OP_SURELY, "c", "surely(c)", 0, 0},
    {"absent", OP_ABSENT, "s", "absent(x)", 0, 0},
    {"flat", OP_FLAT, "nW", "flat(x, 10m)", 10 * MINUTE_MS, 8},
    {"rate", OP_RATE, "sW", "rate(x, 1m)", MINUTE_MS, 2},
    {"too_many", OP_TOO_MANY, "nnpW", "too_many(errors, requests, 5%, 5m)",
     5 * MINUTE_MS, 1},
    {"canary", OP_CANARY, "n", "canary(x)", 0, 0},
    {"control", OP_CONTROL, "n", "control(x)", 0, 0},
    {"worse", OP_WORSE, "nF", worse_usage, 0, 0},
    {"worse", OP_WORSE_SHARE, "nnF", worse_usage, 0, 0},
    {"burn", OP_BURN, "nnpWV", "burn(errors, requests, 99.9%, 1h, 5m)", HOUR_MS,
     1},
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static const char known_functions[] =
    "avg min max sum stddev quantile count slope forecast rising baseline "
    "change at_deploy before surely absent flat rate too_many burn worsened "
    "outgrows canary control worse";

static bool has_name(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

static const struct function *find_function(const char *name, size_t length)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (has_name(functions[i].name, name, length)) {
            return &functions[i];
        }
    }
    return NULL;
}

const char *function_usage(const char *name, size_t length)
{
    const struct function *function = find_function(name, length);

    return function == NULL ? NULL : function->usage;
}

/* --- Arguments ------------------------------------------------------------ */

static bool refuse_argument(struct compiler *compiler,
                            const struct syntax_node *argument,
                            const struct call *call, const char *wanted)
{
    char text[PART_TEXT_MAX];

    (void)compiler_error(
        compiler, argument->begin, argument->end, "'%s' is not %s: %s",
        compiler_part(compiler, argument, text), wanted, call->function->usage);
    return false;
}

static bool take_operand(struct compiler *compiler, struct call *call,
                         size_t argument, enum node_type type)
{
    const struct syntax_node *syntax = &compiler->syntax.node[argument];

    if (compiler->meaning[argument].type != type) {
        return refuse_argument(compiler, syntax, call,
                               type == TYPE_NUMBER ? "a number"
                                                   : "a condition");
    }
    call->operands[call->operand_count] = compiler_operand(compiler, argument);
    return call->operands[call->operand_count++] != NONE_INDEX;
}

static bool take_signal(struct compiler *compiler, struct call *call,
                        size_t argument)
{
    const struct draft *draft = compiler->draft;
    const struct syntax_node *syntax = &compiler->syntax.node[argument];
    uint16_t node = compiler->meaning[argument].node;

    if (node == NONE_INDEX || draft->nodes[node].op != OP_SIGNAL) {
        return refuse_argument(compiler, syntax, call,
                               "the name of a signal that is fetched");
    }
    if (call->function->op == OP_RATE &&
        draft->signals[draft->nodes[node].signal].fetch != FETCH_SCRAPE) {
        return refuse_argument(compiler, syntax, call,
                               "a scraped counter (in PromQL, rate() belongs "
                               "into the query)");
    }
    call->operands[call->operand_count++] = node;
    return true;
}

static bool take_share(struct compiler *compiler, struct call *call,
                       size_t argument, bool plain_too)
{
    const struct syntax_node *syntax = &compiler->syntax.node[argument];
    bool literal = syntax->kind == SYNTAX_LITERAL &&
                   (syntax->literal == TOKEN_PERCENT ||
                    (plain_too && syntax->literal == TOKEN_NUMBER));

    if (!literal || syntax->number <= 0 || syntax->number >= 1) {
        return refuse_argument(compiler, syntax, call,
                               plain_too ? "a number between 0 and 1"
                                         : "a percentage between 0% and 100%");
    }
    call->number = syntax->number;
    return true;
}

static bool take_factor(struct compiler *compiler, struct call *call,
                        size_t argument)
{
    const struct syntax_node *syntax = &compiler->syntax.node[argument];

    if (syntax->kind != SYNTAX_LITERAL || syntax->literal != TOKEN_PERCENT ||
        syntax->number < 1) {
        return refuse_argument(compiler, syntax, call,
                               "a percentage of at least 100%");
    }
    call->factor = syntax->number;
    return true;
}

static bool take_span(struct compiler *compiler, const struct call *call,
                      size_t argument, time_ms *ret_span)
{
    const struct syntax_node *syntax = &compiler->syntax.node[argument];

    if (syntax->kind != SYNTAX_LITERAL || syntax->literal != TOKEN_DURATION ||
        syntax->span <= 0) {
        return refuse_argument(compiler, syntax, call, "a duration, like 5m");
    }
    *ret_span = syntax->span;
    return true;
}

static bool take_argument(struct compiler *compiler, struct call *call,
                          char letter, size_t argument)
{
    switch (letter) {
    case 'n':
        return take_operand(compiler, call, argument, TYPE_NUMBER);
    case 'c':
        return take_operand(compiler, call, argument, TYPE_CONDITION);
    case 's':
        return take_signal(compiler, call, argument);
    case 'q':
        return take_share(compiler, call, argument, true);
    case 'p':
        return take_share(compiler, call, argument, false);
    case 'f':
    case 'F':
        return take_factor(compiler, call, argument);
    case 'W':
        call->window_syntax = &compiler->syntax.node[argument];
        return take_span(compiler, call, argument, &call->window);
    default:
        assert(letter == 'h' || letter == 'V');
        return take_span(compiler, call, argument, &call->horizon);
    }
}

static bool take_arguments(struct compiler *compiler, struct call *call)
{
    const char *letters = call->function->arguments;
    size_t most = strlen(letters);
    size_t least = strcspn(letters, "WF");
    bool good = true;

    if (call->syntax->arguments < least || call->syntax->arguments > most) {
        (void)compiler_error(
            compiler, call->syntax->begin, call->syntax->end,
            "%s() takes %zu%s argument%s: %s", call->function->name, least,
            most > least ? " or more" : "", least == 1 && most == 1 ? "" : "s",
            call->function->usage);
        return false;
    }
    for (size_t i = 0; i < call->syntax->arguments; i++) {
        good = take_argument(compiler, call, letters[i],
                             call->syntax->argument[i]) &&
               good;
    }
    return good;
}

/* --- What single functions want besides ----------------------------------- */

static bool check_forecast(struct compiler *compiler, struct call *call)
{
    char horizon[DURATION_TEXT_MAX], window[DURATION_TEXT_MAX];

    if (call->window_syntax == NULL && call->horizon / 2 > call->window) {
        call->window = call->horizon / 2;
    }
    if (call->horizon <= 2 * call->window) {
        return true;
    }
    (void)compiler_error(compiler, call->syntax->begin, call->syntax->end,
                         "a forecast of %s wants a window of at least half of "
                         "it, not %s",
                         duration_print(call->horizon, horizon),
                         duration_print(call->window, window));
    return false;
}

/* Errors out of requests.  Those that count events multiply by the time, so
 * they want rates; of a quotient both may be counts too. */
static bool check_shares(struct compiler *compiler, const struct call *call)
{
    const struct unit rate = {1, -1, 0}, count = {1, 0, 0};
    struct unit errors = compiler->draft->nodes[call->operands[0]].unit;
    struct unit requests = compiler->draft->nodes[call->operands[1]].unit;
    bool counts_too = call->function->op == OP_BURN;
    char first[UNIT_TEXT_MAX], second[UNIT_TEXT_MAX];

    if (unit_equal(errors, requests) &&
        (unit_equal(errors, rate) ||
         (counts_too && unit_equal(errors, count)))) {
        return true;
    }
    (void)compiler_error(
        compiler, call->syntax->begin, call->syntax->end,
        "%s() wants both signals per_second%s; these are %s "
        "and %s",
        call->function->name, counts_too ? ", or both count" : "",
        unit_print(errors, first), unit_print(requests, second));
    return false;
}

static bool check_burn(struct compiler *compiler, struct call *call)
{
    if (call->horizon == 0) {
        call->horizon = 5 * MINUTE_MS;
    }
    if (call->horizon <= call->window) {
        return true;
    }
    (void)compiler_error(compiler, call->syntax->begin, call->syntax->end,
                         "the second window of burn() is the shorter one: %s",
                         call->function->usage);
    return false;
}

/* What is learned of the time before the deploy. */
static bool is_frozen(enum op op)
{
    return op == OP_BASELINE || op == OP_CHANGE || op == OP_BEFORE ||
           op == OP_AT_DEPLOY || op == OP_WORSENED;
}

/* The time before the deploy is learned in two steps: baselines, then
 * before(); so neither may need its own kind. */
static bool check_frozen(struct compiler *compiler, const struct call *call)
{
    const struct node_traits *traits = compiler->draft->traits;
    bool before = call->function->op == OP_BEFORE;
    bool known = true, sides = false;

    for (size_t i = 0; i < call->operand_count; i++) {
        uint16_t operand = call->operands[i];

        sides = sides || traits[operand].has_sides;
        known = known && !(before ? traits[operand].has_before
                                  : traits[operand].has_frozen);
    }
    if (sides) {
        (void)compiler_error(compiler, call->syntax->begin, call->syntax->end,
                             "%s() looks at the time before the deploy, when "
                             "there was no canary; take canary(), control() "
                             "and worse() out of it",
                             call->function->name);
        return false;
    }
    if (known) {
        return true;
    }
    (void)compiler_error(compiler, call->syntax->begin, call->syntax->end,
                         "%s() looks at the time before the deploy, where %s "
                         "is not known yet",
                         call->function->name,
                         before ? "another before()"
                                : "a baseline(), change() or before()");
    return false;
}

static bool check_call(struct compiler *compiler, struct call *call)
{
    enum op op = call->function->op;
    const struct syntax_node *place =
        call->window_syntax != NULL ? call->window_syntax : call->syntax;
    char name[24];

    if (op == OP_FORECAST && !check_forecast(compiler, call)) {
        return false;
    }
    if (op == OP_BURN && !check_burn(compiler, call)) {
        return false;
    }
    if ((op == OP_BURN || op == OP_TOO_MANY || op == OP_WORSENED ||
         op == OP_WORSE_SHARE) &&
        !check_shares(compiler, call)) {
        return false;
    }
    if (is_frozen(op) && !check_frozen(compiler, call)) {
        return false;
    }
    if (call_has_sides(call) && !call_check_sides(compiler, call)) {
        return false;
    }
    (void)snprintf(name, sizeof(name), "%s()", call->function->name);
    return call->function->least == 0 ||
           compiler_check_window(compiler, place->begin, place->end,
                                 call->window, call->function->least, name);
}

/* --- The node ------------------------------------------------------------- */

static bool freeze(struct compiler *compiler, const struct call *call,
                   struct node *node)
{
    struct draft *draft = compiler->draft;
    uint16_t index = compiler->meaning[call->part].node;
    struct node_traits *traits = &draft->traits[index];
    uint16_t wanted = node->op == OP_WORSENED ? 2 : 1;

    if (draft->head.frozens + wanted > POLICY_FROZEN_MAX) {
        (void)compiler_error(compiler, call->syntax->begin, call->syntax->end,
                             "more than %d of baseline(), change(), "
                             "at_deploy() and before() (worsened() counts "
                             "twice)",
                             POLICY_FROZEN_MAX);
        return false;
    }
    node->frozen = draft->head.frozens;
    for (uint16_t i = 0; i < wanted; i++) {
        draft->frozens[draft->head.frozens++] = index;
    }
    traits->has_frozen = true;
    traits->has_before = node->op == OP_BEFORE || traits->has_before;
    if (node->op != OP_CHANGE && node->op != OP_WORSENED) {
        traits->lookback = 0; /* what is frozen is no longer looked at */
    }
    return true;
}

/* The past that a window needs, as rings. */
static bool keep_past(struct compiler *compiler, const struct call *call,
                      struct node *node)
{
    int64_t slots = draft_grid_times(compiler->draft, call->window);
    uint16_t ring = NONE_INDEX;

    for (size_t i = 0; i < call->operand_count; i++) {
        if (!compiler_ring(compiler, call->part, call->operands[i], slots,
                           &ring)) {
            return false;
        }
        if (i == 0) {
            node->ring = ring;
        } else {
            node->ring_b = ring;
        }
    }
    compiler->draft->traits[compiler->meaning[call->part].node].lookback +=
        call->window;
    return true;
}

static void set_meaning(struct compiler *compiler, const struct call *call)
{
    struct unit unit = compiler->draft->nodes[call->operands[0]].unit;
    enum node_type type = TYPE_NUMBER;

    switch ((int)call->function->op) {
    case OP_COUNT:
        unit = (struct unit){1, 0, 0};
        break;
    case OP_SLOPE:
    case OP_RATE:
        unit = unit_over(unit, (struct unit){0, 1, 0});
        break;
    case OP_CHANGE:
        unit = (struct unit){0, 0, 0};
        break;
    case OP_RISING:
    case OP_FLAT:
    case OP_BEFORE:
    case OP_SURELY:
    case OP_ABSENT:
    case OP_TOO_MANY:
    case OP_BURN:
    case OP_WORSENED:
    case OP_OUTGROWS:
    case OP_WORSE:
    case OP_WORSE_SHARE:
        type = TYPE_CONDITION;
        unit = (struct unit){0, 0, 0};
        break;
    default:
        break; /* the unit of the argument */
    }
    compiler_mean(compiler, call->part, type, unit);
}

/* Its window lies before the deploy. */
static bool is_past_only(enum op op)
{
    return op == OP_BEFORE || op == OP_AT_DEPLOY;
}

static bool emit_call(struct compiler *compiler, struct call *call)
{
    enum op op = call->function->op;
    struct node *node = NULL;

    if (call_has_sides(call) && !call_take_sides(compiler, call)) {
        return false;
    }
    node = compiler_emit(compiler, call->part, op, call->operands[0],
                         call->operand_count == 2 ? call->operands[1]
                                                  : NONE_INDEX);
    if (node == NULL) {
        return false;
    }
    node->number = call->number;
    node->factor = call->factor;
    node->span = call->window;
    node->horizon = call->horizon;
    set_meaning(compiler, call);
    if (is_frozen(op) && !freeze(compiler, call, node)) {
        return false;
    }
    if (call_has_sides(call)) {
        return call_gather(compiler, call, node);
    }
    return call->window == 0 || is_past_only(op) ||
           keep_past(compiler, call, node);
}

/* --- The door ------------------------------------------------------------- */

/* worse(errors, requests) and worse(x) are two functions of one name: the
 * second argument of the latter is a percentage, if there is one. */
static const struct function *choose_function(const struct compiler *compiler,
                                              const struct syntax_node *syntax,
                                              const struct function *function)
{
    const struct syntax_node *second = NULL;

    if (function == NULL || function->op != OP_WORSE || syntax->arguments < 2) {
        return function;
    }
    second = &compiler->syntax.node[syntax->argument[1]];
    return second->kind == SYNTAX_LITERAL && second->literal == TOKEN_PERCENT
               ? function
               : function + 1;
}

static void complain_of_function(struct compiler *compiler,
                                 const struct syntax_node *syntax,
                                 const char *text, size_t length)
{
    const char *names[FUNCTIONS + FLEET_NAMES_MAX];
    size_t count = FUNCTIONS;
    char name[PART_TEXT_MAX];
    const char *nearest = NULL;

    (void)snprintf(name, sizeof(name), "%.*s",
                   (int)(length < sizeof(name) ? length : sizeof(name) - 1),
                   text);
    if (draft_symbol(compiler->draft, text, length) != NULL) {
        (void)compiler_error(compiler, syntax->begin, syntax->begin + length,
                             "'%s' is a signal, not a function", name);
        return;
    }
    for (size_t i = 0; i < FUNCTIONS; i++) {
        names[i] = functions[i].name;
    }
    count += fleet_names(names + FUNCTIONS);
    nearest = nearest_name(name, names, count);
    if (nearest == NULL) {
        (void)compiler_error(compiler, syntax->begin, syntax->begin + length,
                             "unknown function '%s'; known are %s", name,
                             known_functions);
        return;
    }
    compiler_fix(compiler,
                 compiler_error(compiler, syntax->begin, syntax->begin + length,
                                "unknown function '%s'; did you mean '%s'?",
                                name, nearest),
                 syntax->begin, syntax->begin + length, nearest);
}

void compile_call(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    const char *name = compiler->text + syntax->begin;
    size_t length = syntax->kind == SYNTAX_CALL
                        ? syntax->name_end - syntax->begin
                        : syntax->end - syntax->begin;
    struct call call = {.function = find_function(name, length),
                        .syntax = syntax,
                        .part = part};
    bool good = false;

    if (compile_fleet(compiler, part, name, length, &good)) {
        compiler->meaning[part].broken = !good;
        return;
    }
    if (call.function == NULL) {
        complain_of_function(compiler, syntax, name, length);
        compiler->meaning[part].broken = true;
        return;
    }
    call.function = choose_function(compiler, syntax, call.function);
    call.window = call.function->window;
    good = take_arguments(compiler, &call) && check_call(compiler, &call) &&
           emit_call(compiler, &call);
    compiler->meaning[part].broken = !good;
}
