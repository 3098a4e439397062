/* One call of a function while it is compiled: shared by functions.c and
 * sides.c.  Nobody else includes this. */
#ifndef POLICIES_CALL_H
#define POLICIES_CALL_H

#include "policies/read/expression.h"

/* What an argument must be, one letter each, in order:
 *   n a number          c a condition       s a fetched signal, by name
 *   q a quantile        p a percentage      h a span ahead
 *   f a factor, a percentage of at least 100 %    F the same, optional
 *   W the window, at the end and optional   V a second, shorter one */
struct function {
    const char *name;
    enum op op;
    const char *arguments;
    const char *usage;
    time_ms window; /* the default */
    int64_t least;  /* grid times a window must be able to hold */
};

/* What one call's arguments say. */
struct call {
    const struct function *function;
    const struct syntax_node *syntax;
    size_t part;
    uint16_t operands[2];
    size_t operand_count;
    double number, factor;
    time_ms window, horizon;
    const struct syntax_node *window_syntax; /* NULL: the default */
};

/* canary(), control() and worse(): sides.c. */
bool call_has_sides(const struct call *call);

/* Have its operands two sides that can be compared?  False with an error. */
bool call_check_sides(struct compiler *compiler, const struct call *call);

/* What reads the control's side reads copies of its operands: put those, or
 * both sides together, in their place.  False with an error. */
bool call_take_sides(struct compiler *compiler, struct call *call);

/* Give the evidence of worse() a place in a release's memory.  False with an
 * error. */
bool call_gather(struct compiler *compiler, const struct call *call,
                 struct node *node);

#endif
