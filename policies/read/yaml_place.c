/* The source map: which byte of the source a byte of a text came from.
 *
 * Value and source are walked together, one unit at a time: a plain byte, an
 * escape, a fold.  Whenever they disagree the answer is the item's own place,
 * which is never wrong, only less exact. */
#include "policies/read/yaml_build.h"
#include "policies/utf8.h"

#include <string.h>

struct walk {
    const char *source; /* [at, end) is still to come */
    size_t at, end;
    const char *text;
    size_t text_at, text_length;
    size_t indentation; /* of a block scalar */
    bool lost;          /* value and source disagree */
};

static char source_byte(const struct walk *walk, size_t ahead)
{
    return walk->at + ahead < walk->end ? walk->source[walk->at + ahead] : '\0';
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_break(char byte)
{
    return byte == '\n' || byte == '\r';
}

/* One byte that is the same in both. */
static void step_same(struct walk *walk)
{
    if (walk->at >= walk->end ||
        walk->source[walk->at] != walk->text[walk->text_at]) {
        walk->lost = true;
        return;
    }
    walk->at++;
    walk->text_at++;
}

/* --- Plain and quoted: blanks around line breaks fold ----------------------
 */

/* How far a run of blanks and line breaks goes, and how many breaks. */
static size_t blank_run(const struct walk *walk, size_t *ret_breaks)
{
    size_t length = 0;

    *ret_breaks = 0;
    while (is_blank(source_byte(walk, length)) ||
           is_break(source_byte(walk, length))) {
        *ret_breaks += source_byte(walk, length) == '\n' ? 1 : 0;
        length++;
    }
    return length;
}

/* One line break is a blank, n are n - 1 breaks. */
static void step_fold(struct walk *walk)
{
    size_t breaks = 0;
    size_t length = blank_run(walk, &breaks);

    if (breaks == 0) {
        step_same(walk);
        return;
    }
    walk->at += length;
    walk->text_at += breaks == 1 ? 1 : breaks - 1;
}

static void step_plain(struct walk *walk)
{
    char byte = source_byte(walk, 0);

    if (is_blank(byte) || is_break(byte)) {
        step_fold(walk);
    } else {
        step_same(walk);
    }
}

static void step_single(struct walk *walk)
{
    step_plain(walk);
    if (!walk->lost && walk->source[walk->at - 1] == '\'') {
        walk->at++; /* '' is one quote */
    }
}

/* Bytes of a code point in UTF-8. */
static size_t encoded_length(uint32_t code)
{
    if (code < 0x80) {
        return 1;
    }
    if (code < 0x800) {
        return 2;
    }
    return code < 0x10000 ? 3 : 4;
}

static uint32_t read_hex(const struct walk *walk, size_t from, size_t digits)
{
    uint32_t code = 0;

    for (size_t i = from; i < from + digits; i++) {
        char byte = source_byte(walk, i);
        uint32_t digit = 0;

        if (byte >= '0' && byte <= '9') {
            digit = (uint32_t)(byte - '0');
        } else {
            digit = ((uint32_t)byte | 0x20u) - 'a' + 10;
        }
        code = code << 4 | (digit & 0xfu);
    }
    return code;
}

/* "\x41", "\u00e9", "\ud83d\ude00" (JSON), "\U0001f600". */
static void step_code(struct walk *walk, size_t digits)
{
    uint32_t code = read_hex(walk, 2, digits);

    if (code >= 0xd800 && code <= 0xdbff) {
        walk->at += 12;
        walk->text_at += 4;
        return;
    }
    walk->at += 2 + digits;
    walk->text_at += encoded_length(code);
}

/* "\" at the end of a line: the line break is nothing, further ones count. */
static void step_joined_lines(struct walk *walk)
{
    size_t breaks = 0;

    walk->at++;
    walk->at += blank_run(walk, &breaks);
    walk->text_at += breaks - 1;
}

static void step_escape(struct walk *walk)
{
    switch (source_byte(walk, 1)) {
    case 'x':
        step_code(walk, 2);
        return;
    case 'u':
        step_code(walk, 4);
        return;
    case 'U':
        step_code(walk, 8);
        return;
    case '\r':
    case '\n':
        step_joined_lines(walk);
        return;
    case 'N':
    case '_':
        walk->text_at += 2;
        break;
    case 'L':
    case 'P':
        walk->text_at += 3;
        break;
    default:
        walk->text_at += 1;
        break;
    }
    walk->at += 2;
}

static void step_double(struct walk *walk)
{
    if (source_byte(walk, 0) == '\\') {
        step_escape(walk);
    } else {
        step_plain(walk);
    }
}

/* --- Blocks: indentation is not part of the value ------------------------- */

static bool at_line_start(const struct walk *walk)
{
    return walk->at > 0 && walk->source[walk->at - 1] == '\n';
}

/* Skip a line's indentation, as far as it is there. */
static void skip_indentation(struct walk *walk)
{
    if (!at_line_start(walk)) {
        return;
    }
    for (size_t i = 0; i < walk->indentation && source_byte(walk, 0) == ' ';
         i++) {
        walk->at++;
    }
}

static void skip_break(struct walk *walk)
{
    walk->at += source_byte(walk, 0) == '\r' ? 1 : 0;
    walk->at += source_byte(walk, 0) == '\n' ? 1 : 0;
    skip_indentation(walk);
}

static void step_literal(struct walk *walk)
{
    if (!is_break(source_byte(walk, 0))) {
        step_same(walk);
    } else if (walk->text[walk->text_at] == '\n') {
        walk->text_at++;
        skip_break(walk);
    } else {
        walk->lost = true;
    }
}

/* A single break between two lines is a blank; n breaks are n - 1 or, beside
 * lines that are indented further, n. */
static void step_folded(struct walk *walk)
{
    size_t breaks = 0, taken = 0;

    if (!is_break(source_byte(walk, 0))) {
        step_same(walk);
        return;
    }
    while (is_break(source_byte(walk, 0))) {
        skip_break(walk);
        breaks++;
    }
    while (taken < breaks && walk->text_at < walk->text_length &&
           walk->text[walk->text_at] == '\n') {
        walk->text_at++;
        taken++;
    }
    if (taken == 0) {
        walk->lost = walk->text[walk->text_at] != ' ';
        walk->text_at++;
    }
}

/* Go past "|" and its line, and find out how far the block is indented: the
 * blanks of its first line that are not in the value. */
static void enter_block(struct walk *walk)
{
    size_t blanks = 0, kept = 0, line = 0;
    size_t text_line = 0;

    while (walk->at < walk->end && source_byte(walk, 0) != '\n') {
        walk->at++;
    }
    walk->at++;
    for (line = 0; is_blank(source_byte(walk, line + blanks)) ||
                   is_break(source_byte(walk, line + blanks));) {
        if (source_byte(walk, line + blanks) == '\n') {
            line += blanks + 1;
            blanks = 0;
        } else {
            blanks++;
        }
    }
    while (text_line < walk->text_length && walk->text[text_line] == '\n') {
        text_line++;
    }
    while (walk->text[text_line + kept] == ' ') {
        kept++;
    }
    walk->indentation = blanks > kept ? blanks - kept : 0;
    skip_indentation(walk);
}

/* --- The walk ------------------------------------------------------------- */

static void begin_walk(struct walk *walk, enum yaml_style style)
{
    switch (style) {
    case YAML_PLAIN:
        break;
    case YAML_SINGLE:
    case YAML_DOUBLE:
        walk->at++;
        break;
    case YAML_LITERAL:
    case YAML_FOLDED:
        enter_block(walk);
        break;
    }
}

static void step_walk(struct walk *walk, enum yaml_style style)
{
    switch (style) {
    case YAML_PLAIN:
        step_plain(walk);
        break;
    case YAML_SINGLE:
        step_single(walk);
        break;
    case YAML_DOUBLE:
        step_double(walk);
        break;
    case YAML_LITERAL:
        step_literal(walk);
        break;
    case YAML_FOLDED:
        step_folded(walk);
        break;
    }
}

/* A joined line is nothing in the text: what counts is what follows. */
static void skip_joined_line(struct walk *walk, enum yaml_style style)
{
    struct walk ahead = *walk;

    if (style != YAML_DOUBLE || source_byte(walk, 0) != '\\' ||
        !is_break(source_byte(walk, 1))) {
        return;
    }
    step_joined_lines(&ahead);
    if (ahead.text_at == walk->text_at) {
        *walk = ahead;
    }
}

/* The source byte of text byte @offset; the item's begin when lost. */
static size_t find_source(const struct yaml_tree *tree,
                          const struct yaml_item *item, size_t offset)
{
    struct walk walk = {.source = tree->source,
                        .at = item->begin,
                        .end = item->end,
                        .text = item->text,
                        .text_length = item->text_length};
    size_t at = 0;

    begin_walk(&walk, item->style);
    at = walk.at;
    while (!walk.lost && walk.text_at <= offset) {
        skip_joined_line(&walk, item->style);
        at = walk.at;
        if (walk.text_at == offset || walk.at >= walk.end) {
            break;
        }
        step_walk(&walk, item->style);
    }
    if (walk.lost || at > item->end) {
        return item->begin;
    }
    return at;
}

void yaml_place(const struct yaml_tree *tree, const struct yaml_item *item,
                size_t offset, int *ret_line, int *ret_column)
{
    size_t source = 0;

    *ret_line = item->line;
    *ret_column = item->column;
    if (item->kind != YAML_TEXT || offset > item->text_length) {
        return;
    }
    source = find_source(tree, item, offset);
    for (size_t at = item->begin; at < source;) {
        uint32_t code = 0;

        at += utf8_decode(tree->source + at, tree->length - at, &code);
        if (code == '\n') {
            (*ret_line)++;
            *ret_column = 1;
        } else {
            (*ret_column)++;
        }
    }
}
