/* The words of an expression; what they mean together is in syntax.h. */
#ifndef POLICIES_LEXER_H
#define POLICIES_LEXER_H

#include "policies/units.h"

enum token_kind {
    TOKEN_END,
    TOKEN_BAD, /* message and fix say why */
    /* Literals: `number` in base units, `span` of a duration. */
    TOKEN_NUMBER,
    TOKEN_PERCENT,
    TOKEN_DURATION,
    TOKEN_RATE,
    TOKEN_BYTES,
    TOKEN_TEXT,
    TOKEN_TRUE,
    TOKEN_FALSE,
    /* name or name.name; never one of the words below */
    TOKEN_PATH,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_TIMES,
    TOKEN_OVER,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL,
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_FOR,
    TOKEN_OF
};

struct token {
    enum token_kind kind;
    size_t begin, end; /* bytes of the expression */
    double number;
    time_ms span;
    char message[120]; /* of TOKEN_BAD: one clear sentence */
    char fix[68];      /* of TOKEN_BAD: what to write instead, "" none */
};

struct lexer {
    const char *text;
    size_t length;
    size_t at;
};

/* The next token; TOKEN_END for ever at the end.  After TOKEN_BAD the lexer
 * is of no further use. */
struct token lexer_next(struct lexer *lexer);

/* Is @name one of the words that cannot name a signal? */
bool lexer_is_reserved(const char *name);

/* A name of the grammar: a-z and _, then also digits. */
bool lexer_is_name(const char *name);

#endif
