#include "policies/read/syntax.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How tightly things bind; brackets bind nothing. */
enum level {
    LEVEL_BRACKET,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_FOR,
    LEVEL_COMPARE,
    LEVEL_SUM,
    LEVEL_PRODUCT,
    LEVEL_SIGN
};

/* Something that waits for its right end. */
struct pending {
    enum level level;
    enum op op;         /* of an operator */
    bool call;          /* a bracket that belongs to a name */
    bool prefix;        /* one operand: not, - */
    struct token token; /* the operator or the bracket */
    struct token name;  /* of a call */
    size_t operands;    /* how many there were when a bracket opened */
};

#define PENDING_MAX (2 * EXPRESSION_NODES_MAX)

struct parser {
    struct lexer lexer;
    struct token token; /* the one to look at */
    struct syntax *syntax;
    struct syntax_error *error;
    struct pending pending[PENDING_MAX];
    size_t pendings;
    uint8_t operands[EXPRESSION_NODES_MAX]; /* indexes of nodes */
    size_t operand_count;
    size_t brackets;
};

__attribute__((format(printf, 4, 5))) static bool
refuse(struct parser *parser, size_t begin, size_t end, const char *format, ...)
{
    va_list arguments;

    parser->error->begin = begin;
    parser->error->end = end > begin ? end : begin + 1;
    va_start(arguments, format);
    (void)vsnprintf(parser->error->message, sizeof(parser->error->message),
                    format, arguments);
    va_end(arguments);
    return false;
}

static bool refuse_token(struct parser *parser, const char *message)
{
    if (parser->token.kind == TOKEN_BAD) {
        (void)snprintf(parser->error->fix, sizeof(parser->error->fix), "%s",
                       parser->token.fix);
        parser->error->fix_begin = parser->token.begin;
        parser->error->fix_end = parser->token.end;
    }
    return refuse(parser, parser->token.begin, parser->token.end, "%s",
                  parser->token.kind == TOKEN_BAD ? parser->token.message
                                                  : message);
}

static void advance(struct parser *parser)
{
    parser->token = lexer_next(&parser->lexer);
}

/* --- Nodes ---------------------------------------------------------------- */

static struct syntax_node *operand(struct parser *parser, size_t from_top)
{
    assert(parser->operand_count > from_top);
    return &parser->syntax
                ->node[parser->operands[parser->operand_count - 1 - from_top]];
}

/* A new node over the last @arguments operands, whose place it takes. */
static struct syntax_node *add_node(struct parser *parser,
                                    enum syntax_kind kind, size_t arguments)
{
    struct syntax *syntax = parser->syntax;
    struct syntax_node *node = NULL;

    assert(arguments <= SYNTAX_ARGUMENTS_MAX);
    assert(arguments <= parser->operand_count);
    if (syntax->nodes == EXPRESSION_NODES_MAX) {
        refuse(parser, parser->token.begin, parser->token.end,
               "more than %d parts; give some of it a name with 'is'",
               EXPRESSION_NODES_MAX);
        return NULL;
    }
    node = &syntax->node[syntax->nodes];
    memset(node, 0, sizeof(*node));
    node->kind = kind;
    node->arguments = (uint8_t)arguments;
    parser->operand_count -= arguments;
    for (size_t i = 0; i < arguments; i++) {
        node->argument[i] = parser->operands[parser->operand_count + i];
    }
    parser->operands[parser->operand_count++] = (uint8_t)syntax->nodes++;
    return node;
}

static void set_range(struct syntax_node *node, size_t begin, size_t end)
{
    node->begin = node->outer_begin = begin;
    node->end = node->outer_end = end;
}

/* --- Reducing ------------------------------------------------------------- */

static bool is_comparison(enum op op)
{
    return op >= OP_LESS && op <= OP_NOT_EQUAL;
}

/* "1 < x < 5" means "1 < x and x < 5". */
static bool refuse_chain(struct parser *parser, const struct syntax_node *left,
                         const struct syntax_node *right,
                         const struct token *sign)
{
    const char *text = parser->lexer.text;
    const struct syntax_node *middle = &parser->syntax->node[left->argument[1]];

    (void)snprintf(
        parser->error->fix, sizeof(parser->error->fix),
        "%.*s and %.*s %.*s %.*s", (int)(left->end - left->begin),
        text + left->begin, (int)(middle->outer_end - middle->outer_begin),
        text + middle->outer_begin, (int)(sign->end - sign->begin),
        text + sign->begin, (int)(right->outer_end - right->outer_begin),
        text + right->outer_begin);
    parser->error->fix_begin = left->outer_begin;
    parser->error->fix_end = right->outer_end;
    return refuse(parser, sign->begin, sign->end,
                  "comparisons cannot be chained; join them with 'and'");
}

static bool reduce_operator(struct parser *parser)
{
    const struct pending *pending = &parser->pending[--parser->pendings];
    struct syntax_node *right = operand(parser, 0);
    struct syntax_node *node = NULL;
    size_t begin = pending->token.begin, end = right->outer_end;

    if (!pending->prefix) {
        struct syntax_node *left = operand(parser, 1);

        begin = left->outer_begin;
        if (pending->level == LEVEL_COMPARE && is_comparison(left->op) &&
            left->kind == SYNTAX_OPERATOR && !left->in_parentheses) {
            return refuse_chain(parser, left, right, &pending->token);
        }
    }
    node = add_node(parser, SYNTAX_OPERATOR, pending->prefix ? 1 : 2);
    if (node == NULL) {
        return false;
    }
    node->op = pending->op;
    node->sign_begin = pending->token.begin;
    node->sign_end = pending->token.end;
    set_range(node, begin, end);
    return true;
}

/* Finish all that binds at least as tightly as @level. */
static bool reduce_to(struct parser *parser, enum level level)
{
    while (parser->pendings > 0 &&
           parser->pending[parser->pendings - 1].level >= level &&
           parser->pending[parser->pendings - 1].level != LEVEL_BRACKET) {
        if (!reduce_operator(parser)) {
            return false;
        }
    }
    return true;
}

static bool push(struct parser *parser, struct pending pending)
{
    if (parser->pendings == PENDING_MAX) {
        return refuse_token(parser,
                            "too deep; give some of it a name with 'is'");
    }
    parser->pending[parser->pendings++] = pending;
    return true;
}

static enum level top_level(const struct parser *parser)
{
    return parser->pendings == 0 ? LEVEL_BRACKET
                                 : parser->pending[parser->pendings - 1].level;
}

/* --- Where a value is wanted ---------------------------------------------- */

static bool push_bracket(struct parser *parser, bool call, struct token name)
{
    if (++parser->brackets > POLICY_DEPTH_MAX) {
        return refuse_token(parser, "brackets are nested more than 16 deep; "
                                    "give some of it a name with 'is'");
    }
    return push(parser, (struct pending){.level = LEVEL_BRACKET,
                                         .call = call,
                                         .token = parser->token,
                                         .name = name,
                                         .operands = parser->operand_count});
}

static bool read_literal(struct parser *parser)
{
    struct syntax_node *node = add_node(parser, SYNTAX_LITERAL, 0);

    if (node == NULL) {
        return false;
    }
    node->literal = parser->token.kind;
    node->number = parser->token.kind == TOKEN_TRUE ? 1 : parser->token.number;
    node->span = parser->token.span;
    set_range(node, parser->token.begin, parser->token.end);
    advance(parser);
    return true;
}

/* A name; with "(" behind it a call.  Sets @ret_value when it is a whole
 * value, which a call with arguments is not yet. */
static bool read_path(struct parser *parser, bool *ret_value)
{
    struct token name = parser->token;
    struct syntax_node *node = NULL;

    advance(parser);
    *ret_value = parser->token.kind != TOKEN_OPEN;
    if (*ret_value) {
        node = add_node(parser, SYNTAX_PATH, 0);
        if (node == NULL) {
            return false;
        }
        set_range(node, name.begin, name.end);
        return true;
    }
    if (!push_bracket(parser, true, name)) {
        return false;
    }
    advance(parser);
    return true;
}

static bool read_prefix(struct parser *parser)
{
    bool is_not = parser->token.kind == TOKEN_NOT;
    struct pending pending = {.level = is_not ? LEVEL_NOT : LEVEL_SIGN,
                              .op = is_not ? OP_NOT : OP_NEGATE,
                              .prefix = true,
                              .token = parser->token};

    if (is_not && top_level(parser) > LEVEL_NOT) {
        return refuse_token(parser, "'not' needs parentheses here: (not x)");
    }
    if (!is_not && top_level(parser) == LEVEL_SIGN) {
        return refuse_token(parser, "one '-' is enough");
    }
    if (!push(parser, pending)) {
        return false;
    }
    advance(parser);
    return true;
}

static bool close_bracket(struct parser *parser);

/* Sets @ret_value when a whole value was read: an operator may follow. */
static bool read_value(struct parser *parser, bool *ret_value)
{
    *ret_value = false;
    switch (parser->token.kind) {
    case TOKEN_NUMBER:
    case TOKEN_PERCENT:
    case TOKEN_DURATION:
    case TOKEN_RATE:
    case TOKEN_BYTES:
    case TOKEN_TEXT:
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        *ret_value = true;
        return read_literal(parser);
    case TOKEN_PATH:
        return read_path(parser, ret_value);
    case TOKEN_OPEN:
        if (!push_bracket(parser, false, parser->token)) {
            return false;
        }
        advance(parser);
        return true;
    case TOKEN_NOT:
    case TOKEN_MINUS:
        return read_prefix(parser);
    case TOKEN_CLOSE:
        /* f() has no arguments; anything else lacks a value */
        if (parser->pendings > 0 &&
            parser->pending[parser->pendings - 1].call &&
            parser->pending[parser->pendings - 1].operands ==
                parser->operand_count) {
            *ret_value = true;
            return close_bracket(parser);
        }
        return refuse_token(parser, "a value is missing before ')'");
    case TOKEN_END:
        return refuse_token(parser, parser->syntax->nodes == 0
                                        ? "an expression is missing"
                                        : "a value is missing at the end");
    case TOKEN_FOR:
    case TOKEN_OF:
    case TOKEN_AND:
    case TOKEN_OR:
    case TOKEN_BAD:
    case TOKEN_COMMA:
    case TOKEN_PLUS:
    case TOKEN_TIMES:
    case TOKEN_OVER:
    case TOKEN_LESS:
    case TOKEN_LESS_EQUAL:
    case TOKEN_GREATER:
    case TOKEN_GREATER_EQUAL:
    case TOKEN_EQUAL:
    case TOKEN_NOT_EQUAL:
        break;
    }
    return refuse_token(parser, "a value is missing here");
}

/* --- Where an operator is wanted ------------------------------------------ */

static const struct {
    enum token_kind token;
    enum op op;
    enum level level;
} operators[] = {
    {TOKEN_OR, OP_OR, LEVEL_OR},
    {TOKEN_AND, OP_AND, LEVEL_AND},
    {TOKEN_LESS, OP_LESS, LEVEL_COMPARE},
    {TOKEN_LESS_EQUAL, OP_LESS_EQUAL, LEVEL_COMPARE},
    {TOKEN_GREATER, OP_GREATER, LEVEL_COMPARE},
    {TOKEN_GREATER_EQUAL, OP_GREATER_EQUAL, LEVEL_COMPARE},
    {TOKEN_EQUAL, OP_EQUAL, LEVEL_COMPARE},
    {TOKEN_NOT_EQUAL, OP_NOT_EQUAL, LEVEL_COMPARE},
    {TOKEN_PLUS, OP_ADD, LEVEL_SUM},
    {TOKEN_MINUS, OP_SUBTRACT, LEVEL_SUM},
    {TOKEN_TIMES, OP_MULTIPLY, LEVEL_PRODUCT},
    {TOKEN_OVER, OP_DIVIDE, LEVEL_PRODUCT},
};

static bool is_held(const struct syntax_node *node)
{
    return node->kind == SYNTAX_HELD && !node->in_parentheses;
}

/* Returns false with an error; true with *ret_found false when the token is
 * no operator. */
static bool read_operator(struct parser *parser, bool *ret_found)
{
    *ret_found = false;
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (operators[i].token != parser->token.kind) {
            continue;
        }
        *ret_found = true;
        if (operators[i].level >= LEVEL_COMPARE &&
            is_held(operand(parser, 0))) {
            return refuse_token(parser, "'for' ends a condition; put what it "
                                        "belongs to in parentheses");
        }
        if (!reduce_to(parser, operators[i].level)) {
            return false;
        }
        if (!push(parser, (struct pending){.level = operators[i].level,
                                           .op = operators[i].op,
                                           .token = parser->token})) {
            return false;
        }
        advance(parser);
        return true;
    }
    return true;
}

static bool read_whole(struct parser *parser, uint16_t *ret_whole)
{
    double number = parser->token.number;

    if (parser->token.kind != TOKEN_NUMBER || number < 1 ||
        number > SAMPLES_MAX || number != (double)(uint16_t)number) {
        return refuse_token(parser, "a whole number is missing here, from 1 "
                                    "to 512: for 3 of 5");
    }
    *ret_whole = (uint16_t)number;
    advance(parser);
    return true;
}

/* "for 2m" or "for 3 of 5", after the condition it holds. */
static bool read_for(struct parser *parser)
{
    struct syntax_node held = {.kind = SYNTAX_HELD, .op = OP_FOR};
    struct syntax_node *node = NULL;
    struct token word = parser->token;
    size_t end = 0;

    if (!reduce_to(parser, LEVEL_FOR)) {
        return false;
    }
    if (is_held(operand(parser, 0))) {
        return refuse_token(parser, "a second 'for'; put the first one in "
                                    "parentheses with its condition");
    }
    advance(parser);
    end = parser->token.end;
    if (parser->token.kind == TOKEN_DURATION) {
        held.span = parser->token.span;
        advance(parser);
    } else if (parser->token.kind == TOKEN_NUMBER) {
        held.op = OP_OF;
        if (!read_whole(parser, &held.k)) {
            return false;
        }
        if (parser->token.kind != TOKEN_OF) {
            return refuse_token(parser, "'for' wants a duration with its "
                                        "unit (for 2m) or 'for 3 of 5'");
        }
        advance(parser);
        end = parser->token.end;
        if (!read_whole(parser, &held.n)) {
            return false;
        }
    } else {
        return refuse_token(parser, "'for' wants a duration (for 2m) or "
                                    "'for 3 of 5'");
    }
    held.begin = operand(parser, 0)->outer_begin;
    node = add_node(parser, SYNTAX_HELD, 1);
    if (node == NULL) {
        return false;
    }
    node->op = held.op;
    node->span = held.span;
    node->k = held.k;
    node->n = held.n;
    node->sign_begin = word.begin;
    node->sign_end = end;
    set_range(node, held.begin, end);
    return true;
}

/* ")": what stands between becomes one value. */
static bool close_bracket(struct parser *parser)
{
    struct pending *bracket = NULL;
    struct syntax_node *node = NULL;
    size_t count = 0;

    if (!reduce_to(parser, LEVEL_OR)) {
        return false;
    }
    if (parser->pendings == 0) {
        return refuse_token(parser, "this ')' closes nothing");
    }
    bracket = &parser->pending[--parser->pendings];
    parser->brackets--;
    count = parser->operand_count - bracket->operands;
    if (!bracket->call) {
        assert(count == 1);
        node = operand(parser, 0);
        node->in_parentheses = true;
        node->outer_begin = bracket->token.begin;
        node->outer_end = parser->token.end;
    } else if (count > SYNTAX_ARGUMENTS_MAX) {
        return refuse(parser, bracket->name.begin, bracket->name.end,
                      "no function takes %zu arguments", count);
    } else {
        node = add_node(parser, SYNTAX_CALL, count);
        if (node == NULL) {
            return false;
        }
        set_range(node, bracket->name.begin, parser->token.end);
        node->name_end = bracket->name.end;
    }
    advance(parser);
    return true;
}

static bool read_comma(struct parser *parser)
{
    if (!reduce_to(parser, LEVEL_OR)) {
        return false;
    }
    if (parser->pendings == 0 || !parser->pending[parser->pendings - 1].call) {
        return refuse_token(parser, "a comma separates a function's arguments "
                                    "and stands nowhere else");
    }
    advance(parser);
    return true;
}

/* After a value.  Sets @ret_value when a whole value stands again. */
static bool read_after_value(struct parser *parser, bool *ret_value)
{
    bool found = false;

    *ret_value = false;
    if (!read_operator(parser, &found)) {
        return false;
    }
    if (found) {
        return true;
    }
    if (parser->token.kind == TOKEN_COMMA) {
        return read_comma(parser);
    }
    *ret_value = true;
    if (parser->token.kind == TOKEN_FOR) {
        return read_for(parser);
    }
    if (parser->token.kind == TOKEN_CLOSE) {
        return close_bracket(parser);
    }
    if (parser->token.kind == TOKEN_OPEN) {
        return refuse_token(parser, "an operator is missing before '('");
    }
    return refuse_token(parser, "an operator is missing here");
}

static bool finish(struct parser *parser)
{
    const struct pending *open = NULL;

    if (!reduce_to(parser, LEVEL_OR)) {
        return false;
    }
    if (parser->pendings > 0) {
        open = &parser->pending[parser->pendings - 1];
        return refuse(parser, open->token.begin, open->token.end,
                      "this '(' is never closed");
    }
    assert(parser->operand_count == 1);
    return true;
}

bool syntax_parse(const char *text, size_t length, struct syntax *ret_syntax,
                  struct syntax_error *ret_error)
{
    struct parser parser = {.lexer = {.text = text, .length = length},
                            .syntax = ret_syntax,
                            .error = ret_error};
    bool value = false;

    ret_syntax->nodes = 0;
    memset(ret_error, 0, sizeof(*ret_error));
    if (length > EXPRESSION_BYTES_MAX) {
        return refuse(&parser, 0, 1,
                      "%zu bytes are too long for an expression, at most %d; "
                      "give some of it a name with 'is'",
                      length, EXPRESSION_BYTES_MAX);
    }
    advance(&parser);
    /* Every turn takes a token, so the text's length is the bound. */
    while (!value || parser.token.kind != TOKEN_END) {
        bool going = value ? read_after_value(&parser, &value)
                           : read_value(&parser, &value);

        if (!going) {
            return false;
        }
    }
    return finish(&parser);
}
