/* An expression's grammar: text -> syntax tree.  No names are looked up here.
 *
 *   condition = and-cond , { "or" , and-cond }
 *   and-cond  = not-cond , { "and" , not-cond }
 *   not-cond  = { "not" } , held
 *   held      = compared , [ "for" , ( duration | whole , "of" , whole ) ]
 *   compared  = sum , [ comparison , sum ]          never chained
 *   sum       = product , { ( "+" | "-" ) , product }
 *   product   = signed , { ( "*" | "/" ) , signed }
 *   signed    = [ "-" ] , primary
 *   primary   = literal | call | path | "(" , condition , ")"
 *   call      = path , "(" , [ condition , { "," , condition } ] , ")"
 *
 * The parser keeps its own stack of what is still open (operator precedence),
 * so depth costs memory of fixed size and never the C stack. */
#ifndef POLICIES_SYNTAX_H
#define POLICIES_SYNTAX_H

#include "policies/policy.h"
#include "policies/read/lexer.h"

#define SYNTAX_ARGUMENTS_MAX 5

enum syntax_kind {
    SYNTAX_LITERAL,  /* `literal` says which */
    SYNTAX_PATH,     /* a name or a fact */
    SYNTAX_CALL,     /* `arguments` of them; the name is [begin, name_end) */
    SYNTAX_OPERATOR, /* `op` with one or two arguments */
    SYNTAX_HELD      /* op is OP_FOR (span) or OP_OF (k, n) */
};

struct syntax_node {
    enum syntax_kind kind;
    enum op op;
    enum token_kind literal;
    bool in_parentheses;
    size_t begin, end;             /* bytes, without own parentheses */
    size_t outer_begin, outer_end; /* with them */
    size_t name_end;
    size_t sign_begin, sign_end; /* the operator's own word */
    double number;
    time_ms span;
    uint16_t k, n;
    uint8_t arguments;
    uint8_t argument[SYNTAX_ARGUMENTS_MAX];
};

/* Operands stand before what uses them; the last node is the whole. */
struct syntax {
    size_t nodes;
    struct syntax_node node[EXPRESSION_NODES_MAX];
};

/* What is wrong with a text that is no expression. */
struct syntax_error {
    size_t begin, end;
    char message[160];
    char fix[EXPRESSION_BYTES_MAX + 64]; /* "" none; of these bytes: */
    size_t fix_begin, fix_end;
};

/* Parse @length bytes of @text.  False: @ret_error is filled in. */
bool syntax_parse(const char *text, size_t length, struct syntax *ret_syntax,
                  struct syntax_error *ret_error);

#endif
