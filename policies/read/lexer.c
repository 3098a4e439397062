#include "policies/read/lexer.h"

#include "policies/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_name_start(char byte)
{
    return (byte >= 'a' && byte <= 'z') || byte == '_';
}

static bool is_name_byte(char byte)
{
    return is_name_start(byte) || is_digit(byte);
}

static bool is_letter(char byte)
{
    return is_name_start(byte) || (byte >= 'A' && byte <= 'Z');
}

static char byte_at(const struct lexer *lexer, size_t at)
{
    return at < lexer->length ? lexer->text[at] : '\0';
}

__attribute__((format(printf, 3, 4))) static struct token
bad_token(size_t begin, size_t end, const char *format, ...)
{
    struct token token = {.kind = TOKEN_BAD, .begin = begin, .end = end};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(token.message, sizeof(token.message), format, arguments);
    va_end(arguments);
    return token;
}

/* --- Names ---------------------------------------------------------------- */

static const struct {
    const char *word;
    enum token_kind kind;
} words[] = {
    {"and", TOKEN_AND},     {"or", TOKEN_OR}, {"not", TOKEN_NOT},
    {"for", TOKEN_FOR},     {"of", TOKEN_OF}, {"true", TOKEN_TRUE},
    {"false", TOKEN_FALSE},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

bool lexer_is_reserved(const char *name)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (strcmp(words[i].word, name) == 0) {
            return true;
        }
    }
    return strcmp(name, "release") == 0 || strcmp(name, "fleet") == 0;
}

bool lexer_is_name(const char *name)
{
    if (!is_name_start(name[0])) {
        return false;
    }
    for (const char *at = name; *at != '\0'; at++) {
        if (!is_name_byte(*at)) {
            return false;
        }
    }
    return true;
}

/* A name with capitals in it, which ends here. */
static struct token lower_token(const struct lexer *lexer, size_t begin)
{
    struct token token = bad_token(
        begin, lexer->at, "names have only a-z, 0-9 and _, no capitals");
    size_t length = lexer->at - begin;

    for (size_t i = 0; i < length && length < sizeof(token.fix); i++) {
        char byte = lexer->text[begin + i];

        token.fix[i] =
            byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
    return token;
}

static struct token lex_path(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_PATH, .begin = lexer->at};
    size_t length = 0;

    while (is_name_byte(byte_at(lexer, lexer->at)) ||
           (byte_at(lexer, lexer->at) == '.' &&
            is_name_start(byte_at(lexer, lexer->at + 1)))) {
        lexer->at++;
    }
    token.end = lexer->at;
    length = token.end - token.begin;
    if (is_letter(byte_at(lexer, lexer->at))) {
        while (is_letter(byte_at(lexer, lexer->at)) ||
               is_digit(byte_at(lexer, lexer->at))) {
            lexer->at++;
        }
        return lower_token(lexer, token.begin);
    }
    for (size_t i = 0; i < WORDS; i++) {
        if (strlen(words[i].word) == length &&
            memcmp(words[i].word, lexer->text + token.begin, length) == 0) {
            token.kind = words[i].kind;
        }
    }
    return token;
}

/* --- Numbers -------------------------------------------------------------- */

#define DIGITS_MAX 32

static const struct {
    const char *word;
    double scale;
} byte_words[] = {{"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}};

/* The letters right behind a number: a duration or bytes. */
static struct token lex_measure(struct lexer *lexer, struct token token,
                                const char *digits, bool whole)
{
    char unit[16] = "", text[DIGITS_MAX + sizeof("e-2") + sizeof(unit)];
    size_t length = 0;

    while (is_letter(byte_at(lexer, lexer->at)) ||
           is_digit(byte_at(lexer, lexer->at))) {
        if (length + 1 < sizeof(unit)) {
            unit[length++] = byte_at(lexer, lexer->at);
        }
        lexer->at++;
    }
    token.end = lexer->at;
    for (size_t i = 0; i < sizeof(byte_words) / sizeof(byte_words[0]); i++) {
        if (strcmp(byte_words[i].word, unit) == 0) {
            token.kind = TOKEN_BYTES;
            token.number *= byte_words[i].scale;
            return token;
        }
    }
    (void)snprintf(text, sizeof(text), "%s%s", whole ? digits : "0", unit);
    if (!duration_read(text, &token.span)) {
        return bad_token(token.begin, token.end,
                         "'%s%s' is no number, duration (ms s m h d) or bytes "
                         "(KiB MiB GiB)",
                         digits, unit);
    }
    if (!whole) {
        return bad_token(token.begin, token.end,
                         "a duration is a whole number; use a smaller unit "
                         "than '%s'",
                         unit);
    }
    token.kind = TOKEN_DURATION;
    token.number = (double)token.span / SECOND_MS;
    return token;
}

/* "/s" or "/m" right behind a number, and no letter after it. */
static bool lex_rate(struct lexer *lexer, struct token *token)
{
    char unit = byte_at(lexer, lexer->at + 1);

    if (byte_at(lexer, lexer->at) != '/' || (unit != 's' && unit != 'm') ||
        is_letter(byte_at(lexer, lexer->at + 2)) ||
        is_digit(byte_at(lexer, lexer->at + 2))) {
        return false;
    }
    lexer->at += 2;
    token->kind = TOKEN_RATE;
    token->number /= unit == 'm' ? 60 : 1;
    token->end = lexer->at;
    return true;
}

static struct token lex_number(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_NUMBER, .begin = lexer->at};
    char digits[DIGITS_MAX + sizeof("e-2")] = "";
    bool whole = true;

    while (is_digit(byte_at(lexer, lexer->at)) ||
           (whole && byte_at(lexer, lexer->at) == '.')) {
        whole = whole && byte_at(lexer, lexer->at) != '.';
        lexer->at++;
    }
    token.end = lexer->at;
    if (token.end - token.begin > DIGITS_MAX) {
        return bad_token(token.begin, token.end, "this number is too long");
    }
    memcpy(digits, lexer->text + token.begin, token.end - token.begin);
    if (lexer->text[token.end - 1] == '.') {
        return bad_token(token.begin, token.end,
                         "digits are missing after the point");
    }
    token.number = strtod(digits, NULL);
    if (byte_at(lexer, lexer->at) == '%') {
        lexer->at++;
        token.end = lexer->at;
        token.kind = TOKEN_PERCENT;
        /* dividing by 100 would round once more */
        memcpy(digits + (token.end - token.begin - 1), "e-2", sizeof("e-2"));
        token.number = strtod(digits, NULL);
        return token;
    }
    if (is_letter(byte_at(lexer, lexer->at))) {
        return lex_measure(lexer, token, digits, whole);
    }
    (void)lex_rate(lexer, &token); /* else it is a number as it stands */
    return token;
}

/* --- The rest ------------------------------------------------------------- */

static struct token lex_text(struct lexer *lexer)
{
    struct token token = {.kind = TOKEN_TEXT, .begin = lexer->at};
    const char *start = lexer->text + lexer->at + 1;
    const char *close = memchr(start, '"', lexer->length - lexer->at - 1);

    if (close == NULL) {
        return bad_token(lexer->at, lexer->at + 1,
                         "this quote is never closed");
    }
    for (const char *at = start; at < close; at++) {
        if ((unsigned char)*at < 0x20) {
            return bad_token(lexer->at, lexer->at + 1,
                             "a text may not contain control characters");
        }
    }
    lexer->at = (size_t)(close + 1 - lexer->text);
    token.end = lexer->at;
    return token;
}

static const struct {
    const char *sign;
    enum token_kind kind;
} signs[] = {
    {"<=", TOKEN_LESS_EQUAL}, {">=", TOKEN_GREATER_EQUAL}, {"==", TOKEN_EQUAL},
    {"!=", TOKEN_NOT_EQUAL},  {"<", TOKEN_LESS},           {">", TOKEN_GREATER},
    {"(", TOKEN_OPEN},        {")", TOKEN_CLOSE},          {",", TOKEN_COMMA},
    {"+", TOKEN_PLUS},        {"-", TOKEN_MINUS},          {"*", TOKEN_TIMES},
    {"/", TOKEN_OVER},
};

/* What people of other languages write, and what they should write here. */
static const struct {
    const char *sign, *message, *fix;
} strangers[] = {
    {"&&", "'&&' is written 'and' here", "and"},
    {"||", "'||' is written 'or' here", "or"},
    {"!", "'!' is written 'not' here", "not "},
    {"=", "'=' is written '==' here, and compares texts only", "=="},
    {"%", "'%' belongs right behind a number: 5%", ""},
    {"'", "texts stand in double quotes here", "\""},
    {".", "digits are missing before the point; write 0.5, not .5", "0."},
    {"[", "windows are arguments here: avg(x, 5m)", ""},
    {"\xe2\x89\xa4", "write '<='", "<="},
    {"\xe2\x89\xa5", "write '>='", ">="},
    {"\xe2\x89\xa0", "write '!='", "!="},
    {"\xc3\x97", "write '*'", "*"},
    {"\xc3\xb7", "write '/'", "/"},
    {"\xe2\x88\x92", "write '-'", "-"},
    {"\xe2\x80\x9c", "write a straight quote: \"", "\""},
};

static bool sign_follows(const struct lexer *lexer, const char *sign)
{
    size_t length = strlen(sign);

    return lexer->length - lexer->at >= length &&
           memcmp(lexer->text + lexer->at, sign, length) == 0;
}

static struct token lex_stranger(const struct lexer *lexer)
{
    uint32_t code = 0;
    size_t bytes =
        utf8_decode(lexer->text + lexer->at, lexer->length - lexer->at, &code);

    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        if (sign_follows(lexer, strangers[i].sign)) {
            struct token token =
                bad_token(lexer->at, lexer->at + strlen(strangers[i].sign),
                          "%s", strangers[i].message);

            memcpy(token.fix, strangers[i].fix, strlen(strangers[i].fix) + 1);
            return token;
        }
    }
    bytes = bytes == 0 ? 1 : bytes;
    return bad_token(lexer->at, lexer->at + bytes,
                     "'%.*s' means nothing in an expression", (int)bytes,
                     lexer->text + lexer->at);
}

struct token lexer_next(struct lexer *lexer)
{
    char byte = '\0';

    while (byte_at(lexer, lexer->at) == ' ' ||
           byte_at(lexer, lexer->at) == '\t' ||
           byte_at(lexer, lexer->at) == '\n') {
        lexer->at++;
    }
    if (lexer->at >= lexer->length) {
        return (struct token){
            .kind = TOKEN_END, .begin = lexer->length, .end = lexer->length};
    }
    byte = byte_at(lexer, lexer->at);
    if (is_digit(byte)) {
        return lex_number(lexer);
    }
    if (is_letter(byte)) {
        return lex_path(lexer);
    }
    if (byte == '"') {
        return lex_text(lexer);
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (sign_follows(lexer, signs[i].sign)) {
            struct token token = {.kind = signs[i].kind, .begin = lexer->at};

            lexer->at += strlen(signs[i].sign);
            token.end = lexer->at;
            return token;
        }
    }
    return lex_stranger(lexer);
}
