/* Inside of the expression compiler: shared by expression.c (literals, names
 * and facts), operators.c and functions.c (calls).  Nobody else includes this;
 * the door is draft_expression() in draft.h. */
#ifndef POLICIES_EXPRESSION_H
#define POLICIES_EXPRESSION_H

#include "policies/read/draft.h"
#include "policies/read/syntax.h"

/* What a part of an expression means. */
struct meaning {
    enum node_type type;
    struct unit unit;
    bool bare;     /* made of plain numbers: a count that multiplies anything */
    bool broken;   /* was refused: say nothing more about it */
    uint16_t node; /* NONE_INDEX: a literal that nobody needed as a node yet */
};

struct compiler {
    struct draft *draft;
    const struct yaml_item *item;
    const char *text;
    struct syntax syntax;
    struct syntax_error error;
    struct meaning meaning[EXPRESSION_NODES_MAX];
};

/* An error about the bytes [begin, end) of the expression. */
struct problem *compiler_error(struct compiler *compiler, size_t begin,
                               size_t end, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Say what to write in place of the bytes [begin, end) of the expression.
 * Nothing is said when they stand on two lines, or when @text holds the quote
 * that the expression stands in. */
void compiler_fix(const struct compiler *compiler, struct problem *problem,
                  size_t begin, size_t end, const char *text);

/* The source of a part, cut to a size for messages. */
#define PART_TEXT_MAX 64
const char *compiler_part(const struct compiler *compiler,
                          const struct syntax_node *part,
                          char text[PART_TEXT_MAX]);

/* "a condition", "a text", "ratio", "per_second". */
const char *meaning_print(const struct meaning *meaning,
                          char text[UNIT_TEXT_MAX]);

/* The node of a part that is used as an operand. */
uint16_t compiler_operand(struct compiler *compiler, size_t part);

/* A new node for @part, its operands among the nodes (or NONE_INDEX).  NULL
 * with an error when there are too many; then @part is broken. */
struct node *compiler_emit(struct compiler *compiler, size_t part, enum op op,
                           uint16_t a, uint16_t b);

/* Say that the last node emitted means @type and @unit. */
void compiler_mean(struct compiler *compiler, size_t part, enum node_type type,
                   struct unit unit);

/* Remember the past of @operand: at least @span long, for the node
 * @ret_ring's owner.  False with an error. */
bool compiler_ring(struct compiler *compiler, size_t part, uint16_t operand,
                   int64_t slots, uint16_t *ret_ring);

/* Check a window's span against the grid.  False with an error. */
bool compiler_check_window(struct compiler *compiler, size_t begin, size_t end,
                           time_ms span, int64_t least, const char *name);

/* Mark a part as refused, so that nothing more is said about it. */
void compiler_break(struct compiler *compiler, size_t part);

/* A comparison, arithmetic, logic or a `for`: operands are checked, the node
 * is emitted. */
void compile_operator(struct compiler *compiler, size_t part);

/* A call: the function is found, its arguments checked, its node emitted. */
void compile_call(struct compiler *compiler, size_t part);

/* Is there a function of this name?  Its usage, or NULL. */
const char *function_usage(const char *name, size_t length);

#endif
