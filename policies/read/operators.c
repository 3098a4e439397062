/* Operators: what they want of both sides, and what comes out. */
#include "policies/read/expression.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct unit no_unit = {0, 0, 0};
static const struct unit count_unit = {1, 0, 0};

/* Exponents beyond this are a slip, not a measurement. */
#define EXPONENT_MAX 8

/* --- Types ---------------------------------------------------------------- */

/* Both operands must be conditions (numbers); says which one is not. */
static bool want_type(struct compiler *compiler, size_t part,
                      enum node_type type)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    bool good = true;

    for (size_t i = 0; i < syntax->arguments; i++) {
        size_t argument = syntax->argument[i];
        const struct syntax_node *operand = &compiler->syntax.node[argument];
        const struct meaning *meaning = &compiler->meaning[argument];
        char name[PART_TEXT_MAX], unit[UNIT_TEXT_MAX];

        if (meaning->type == type) {
            continue;
        }
        good = false;
        (void)compiler_part(compiler, operand, name);
        (void)compiler_error(
            compiler, operand->begin, operand->end,
            type == TYPE_CONDITION
                ? "'%.*s' wants a condition; '%s' is %s: compare it"
                : "'%.*s' wants numbers; '%s' is %s",
            (int)(syntax->op == OP_FOR || syntax->op == OP_OF
                      ? strlen("for")
                      : syntax->sign_end - syntax->sign_begin),
            compiler->text + syntax->sign_begin, name,
            meaning_print(meaning, unit));
    }
    if (!good) {
        compiler_break(compiler, part);
    }
    return good;
}

/* --- Units ---------------------------------------------------------------- */

/* A bare number as it would be written to be of @unit, when there is such a
 * spelling.  Shares up to 1 were meant as they stand. */
static void spell_number(double number, struct unit unit, char *ret_text,
                         size_t size)
{
    bool share = number <= 1;
    const char *ending = NULL;
    char digits[NUMBER_TEXT_MAX];

    if (unit_equal(unit, no_unit)) {
        number = share ? number * 100 : number;
        ending = "%";
    } else if (unit_equal(unit, (struct unit){1, -1, 0})) {
        ending = "/s";
    } else if (unit_equal(unit, (struct unit){0, 1, 0})) {
        ending = "s";
    } else if (unit_equal(unit, (struct unit){0, 0, 1})) {
        ending = "MiB";
    } else {
        return;
    }
    (void)snprintf(ret_text, size, "%s%s", number_print(number, digits),
                   ending);
}

static void complain_of_units(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    size_t a = syntax->argument[0], b = syntax->argument[1];
    const struct meaning *left = &compiler->meaning[a];
    const struct meaning *right = &compiler->meaning[b];
    const struct syntax_node *bare =
        &compiler->syntax.node[right->bare ? b : a];
    char left_name[PART_TEXT_MAX], right_name[PART_TEXT_MAX];
    char left_unit[UNIT_TEXT_MAX], right_unit[UNIT_TEXT_MAX];
    struct problem *problem = compiler_error(
        compiler, syntax->sign_begin, syntax->sign_end,
        "'%s' is %s, '%s' is %s; '%.*s' wants equal units",
        compiler_part(compiler, &compiler->syntax.node[a], left_name),
        unit_print(left->unit, left_unit),
        compiler_part(compiler, &compiler->syntax.node[b], right_name),
        unit_print(right->unit, right_unit),
        (int)(syntax->sign_end - syntax->sign_begin),
        compiler->text + syntax->sign_begin);

    if (left->bare != right->bare && bare->kind == SYNTAX_LITERAL) {
        char fix[NUMBER_TEXT_MAX + 8] = "";

        spell_number(bare->number, right->bare ? left->unit : right->unit, fix,
                     sizeof(fix));
        compiler_fix(compiler, problem, bare->begin, bare->end, fix);
    }
    compiler_break(compiler, part);
}

static bool want_equal_units(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];

    if (unit_equal(compiler->meaning[syntax->argument[0]].unit,
                   compiler->meaning[syntax->argument[1]].unit)) {
        return true;
    }
    complain_of_units(compiler, part);
    return false;
}

static bool unit_is_sane(struct unit unit)
{
    return abs(unit.count) <= EXPONENT_MAX &&
           abs(unit.second) <= EXPONENT_MAX && abs(unit.byte) <= EXPONENT_MAX;
}

/* --- Arithmetic ----------------------------------------------------------- */

static struct unit factor_unit(const struct meaning *meaning)
{
    return meaning->bare ? no_unit : meaning->unit;
}

/* + - and, with one operand, the sign. */
static void compile_sum(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    bool bare = true;
    uint16_t a = NONE_INDEX, b = NONE_INDEX;

    if (!want_type(compiler, part, TYPE_NUMBER) ||
        (syntax->arguments == 2 && !want_equal_units(compiler, part))) {
        return;
    }
    for (size_t i = 0; i < syntax->arguments; i++) {
        bare = bare && compiler->meaning[syntax->argument[i]].bare;
    }
    a = compiler_operand(compiler, syntax->argument[0]);
    b = syntax->arguments == 2 ? compiler_operand(compiler, syntax->argument[1])
                               : NONE_INDEX;
    if (compiler_emit(compiler, part, syntax->op, a, b) != NULL) {
        compiler->meaning[part].bare = bare;
        compiler_mean(compiler, part, TYPE_NUMBER,
                      compiler->meaning[syntax->argument[0]].unit);
    }
}

static void compile_product(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    const struct meaning *left = &compiler->meaning[syntax->argument[0]];
    const struct meaning *right = &compiler->meaning[syntax->argument[1]];
    bool bare = left->bare && right->bare;
    struct unit unit = no_unit;
    uint16_t a = NONE_INDEX, b = NONE_INDEX;

    if (!want_type(compiler, part, TYPE_NUMBER)) {
        return;
    }
    unit = syntax->op == OP_MULTIPLY
               ? unit_times(factor_unit(left), factor_unit(right))
               : unit_over(factor_unit(left), factor_unit(right));
    if (!unit_is_sane(unit)) {
        (void)compiler_error(compiler, syntax->begin, syntax->end,
                             "no measurement has such a unit; is a factor "
                             "used too often?");
        compiler_break(compiler, part);
        return;
    }
    a = compiler_operand(compiler, syntax->argument[0]);
    b = compiler_operand(compiler, syntax->argument[1]);
    if (compiler_emit(compiler, part, syntax->op, a, b) != NULL) {
        compiler->meaning[part].bare = bare;
        compiler_mean(compiler, part, TYPE_NUMBER, bare ? count_unit : unit);
    }
}

/* --- Comparisons ---------------------------------------------------------- */

/* What to write instead of a comparison that means nothing: @form with L and R
 * for its two sides. */
static void suggest(const struct compiler *compiler,
                    const struct syntax_node *syntax, struct problem *problem,
                    const char *form)
{
    const struct syntax_node *sides[] = {
        &compiler->syntax.node[syntax->argument[0]],
        &compiler->syntax.node[syntax->argument[1]],
    };
    char fix[PROBLEM_TEXT_MAX] = "";
    size_t used = 0;

    for (; *form != '\0' && used < sizeof(fix); form++) {
        const struct syntax_node *side = sides[*form == 'R'];

        if (*form == 'L' || *form == 'R') {
            used += (size_t)snprintf(fix + used, sizeof(fix) - used, "%.*s",
                                     (int)(side->outer_end - side->outer_begin),
                                     compiler->text + side->outer_begin);
        } else if (used + 1 < sizeof(fix)) {
            fix[used++] = *form;
        }
    }
    if (used < sizeof(fix)) {
        compiler_fix(compiler, problem, sides[0]->outer_begin,
                     sides[1]->outer_end, fix);
    }
}

static bool check_comparison(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    const struct meaning *left = &compiler->meaning[syntax->argument[0]];
    const struct meaning *right = &compiler->meaning[syntax->argument[1]];
    bool equality = syntax->op == OP_EQUAL || syntax->op == OP_NOT_EQUAL;
    char first[UNIT_TEXT_MAX], second[UNIT_TEXT_MAX];

    if (left->type != right->type) {
        (void)compiler_error(compiler, syntax->sign_begin, syntax->sign_end,
                             "%s cannot be compared with %s",
                             meaning_print(left, first),
                             meaning_print(right, second));
        return false;
    }
    if (left->type == TYPE_CONDITION) {
        (void)compiler_error(compiler, syntax->sign_begin, syntax->sign_end,
                             "a condition is not compared; write it alone, or "
                             "with 'not'");
        return false;
    }
    if (left->type == TYPE_NUMBER && equality) {
        suggest(compiler, syntax,
                compiler_error(compiler, syntax->sign_begin, syntax->sign_end,
                               "measurements are hardly ever exactly equal; "
                               "compare with < <= > >="),
                syntax->op == OP_EQUAL ? "L >= R and L <= R"
                                       : "L < R or L > R");
        return false;
    }
    if (left->type == TYPE_TEXT && !equality) {
        suggest(compiler, syntax,
                compiler_error(compiler, syntax->sign_begin, syntax->sign_end,
                               "texts have no order; compare with == or !="),
                "L == R");
        return false;
    }
    return true;
}

static void compile_comparison(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    uint16_t a = NONE_INDEX, b = NONE_INDEX;

    if (!check_comparison(compiler, part)) {
        compiler_break(compiler, part);
        return;
    }
    if (compiler->meaning[syntax->argument[0]].type == TYPE_NUMBER &&
        !want_equal_units(compiler, part)) {
        return;
    }
    a = compiler_operand(compiler, syntax->argument[0]);
    b = compiler_operand(compiler, syntax->argument[1]);
    if (compiler_emit(compiler, part, syntax->op, a, b) != NULL) {
        compiler_mean(compiler, part, TYPE_CONDITION, no_unit);
    }
}

/* --- Logic ---------------------------------------------------------------- */

static void compile_logic(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    uint16_t a = NONE_INDEX, b = NONE_INDEX;

    if (!want_type(compiler, part, TYPE_CONDITION)) {
        return;
    }
    a = compiler_operand(compiler, syntax->argument[0]);
    b = syntax->arguments == 2 ? compiler_operand(compiler, syntax->argument[1])
                               : NONE_INDEX;
    if (compiler_emit(compiler, part, syntax->op, a, b) != NULL) {
        compiler_mean(compiler, part, TYPE_CONDITION, no_unit);
    }
}

/* "for 2m" wants three grid times at least; "for 3 of 5" has 3 <= 5. */
static bool check_held(struct compiler *compiler,
                       const struct syntax_node *syntax)
{
    const time_ms every = compiler->draft->head.watch.every;
    char grid[DURATION_TEXT_MAX], least[DURATION_TEXT_MAX];
    char fix[DURATION_TEXT_MAX + 8];

    if (syntax->op == OP_FOR && syntax->span < 3 * every) {
        (void)snprintf(fix, sizeof(fix), "for %s",
                       duration_print(3 * every, least));
        compiler_fix(compiler,
                     compiler_error(compiler, syntax->sign_begin,
                                    syntax->sign_end,
                                    "'for' wants at least 3 grid times of %s; "
                                    "write '%s'",
                                    duration_print(every, grid), fix),
                     syntax->sign_begin, syntax->sign_end, fix);
        return false;
    }
    if (syntax->op == OP_FOR) {
        return compiler_check_window(compiler, syntax->sign_begin,
                                     syntax->sign_end, syntax->span, 3,
                                     "'for'");
    }
    if (syntax->k > syntax->n) {
        (void)snprintf(fix, sizeof(fix), "for %d of %d", syntax->n, syntax->k);
        compiler_fix(compiler,
                     compiler_error(compiler, syntax->sign_begin,
                                    syntax->sign_end,
                                    "%d of %d can never be; write '%s'",
                                    syntax->k, syntax->n, fix),
                     syntax->sign_begin, syntax->sign_end, fix);
        return false;
    }
    return true;
}

static void compile_held(struct compiler *compiler, size_t part)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    struct draft *draft = compiler->draft;
    struct node *node = NULL;
    int64_t slots = syntax->op == OP_FOR ? draft_grid_times(draft, syntax->span)
                                         : syntax->n;
    uint16_t operand = NONE_INDEX, ring = NONE_INDEX;

    if (!want_type(compiler, part, TYPE_CONDITION)) {
        return;
    }
    if (!check_held(compiler, syntax)) {
        compiler_break(compiler, part);
        return;
    }
    operand = compiler_operand(compiler, syntax->argument[0]);
    if (operand == NONE_INDEX ||
        !compiler_ring(compiler, part, operand, slots, &ring)) {
        compiler_break(compiler, part);
        return;
    }
    node = compiler_emit(compiler, part, syntax->op, operand, NONE_INDEX);
    if (node == NULL) {
        return;
    }
    node->span = syntax->span;
    node->k = syntax->k;
    node->n = syntax->n;
    node->ring = ring;
    draft->traits[compiler->meaning[part].node].lookback +=
        syntax->op == OP_FOR ? syntax->span : slots * draft->head.watch.every;
    compiler_mean(compiler, part, TYPE_CONDITION, no_unit);
}

/* --- The door ------------------------------------------------------------- */

void compile_operator(struct compiler *compiler, size_t part)
{
    enum op op = compiler->syntax.node[part].op;

    if (op == OP_FOR || op == OP_OF) {
        compile_held(compiler, part);
    } else if (op == OP_AND || op == OP_OR || op == OP_NOT) {
        compile_logic(compiler, part);
    } else if (op >= OP_LESS && op <= OP_NOT_EQUAL) {
        compile_comparison(compiler, part);
    } else if (op == OP_MULTIPLY || op == OP_DIVIDE) {
        compile_product(compiler, part);
    } else {
        assert(op == OP_ADD || op == OP_SUBTRACT || op == OP_NEGATE);
        compile_sum(compiler, part);
    }
}
