#include "controller/prometheus/json_scan.h"

#include <stdint.h>
#include <string.h>

bool scan_fail(struct json_scan *scan, const char *error)
{
    if (!scan->error) {
        scan->error = error;
    }
    return false;
}

void scan_blank(struct json_scan *scan)
{
    while (scan->at < scan->length) {
        char byte = scan->text[scan->at];
        if (byte != ' ' && byte != '\n' && byte != '\t' && byte != '\r') {
            return;
        }
        scan->at++;
    }
}

char scan_peek(struct json_scan *scan)
{
    scan_blank(scan);
    return scan->at < scan->length ? scan->text[scan->at] : '\0';
}

bool scan_byte(struct json_scan *scan, char byte)
{
    scan_blank(scan);
    if (scan->at >= scan->length || scan->text[scan->at] != byte) {
        return scan_fail(scan, scan->at >= scan->length
                                   ? "it ends in the middle"
                                   : "it is not the JSON that is expected");
    }
    scan->at++;
    return true;
}

/* How many bytes the UTF-8 character at @bytes has, 0 when it is not one. */
static size_t utf8_length(const unsigned char *bytes, size_t left)
{
    unsigned char lead = bytes[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if ((lead == 0xe0 && bytes[1] < 0xa0) ||
        (lead == 0xed && bytes[1] >= 0xa0) ||
        (lead == 0xf0 && bytes[1] < 0x90) ||
        (lead == 0xf4 && bytes[1] >= 0x90)) {
        return 0;
    }
    return length;
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    }
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* The four digits at @bytes, or UINT32_MAX. */
static uint32_t hex_four(const char *bytes, size_t left)
{
    uint32_t code = 0;
    if (left < 4) {
        return UINT32_MAX;
    }
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(bytes[i]);
        if (digit < 0) {
            return UINT32_MAX;
        }
        code = code * 16 + (uint32_t)digit;
    }
    return code;
}

/* The code point of the \u escape whose backslash is at @bytes; how many bytes
 * it takes in *@ret_length.  0 when it is none, a lone surrogate, or NUL. */
static uint32_t unicode_escape(const char *bytes, size_t left,
                               size_t *ret_length)
{
    uint32_t code = left < 6 ? UINT32_MAX : hex_four(bytes + 2, left - 2);
    if (code > 0xffff || (code >= 0xdc00 && code <= 0xdfff)) {
        return 0;
    }
    *ret_length = 6;
    if (code < 0xd800 || code > 0xdbff) {
        return code;
    }
    if (left < 12 || bytes[6] != '\\' || bytes[7] != 'u') {
        return 0;
    }
    uint32_t low = hex_four(bytes + 8, left - 8);
    if (low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    *ret_length = 12;
    return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

static bool scan_escape(struct json_scan *scan)
{
    const char *bytes = scan->text + scan->at;
    size_t left = scan->length - scan->at, length = 2;
    if (left >= 2 && bytes[1] == 'u') {
        if (unicode_escape(bytes, left, &length) == 0) {
            return scan_fail(scan, "a \\u escape is not a character");
        }
    } else if (left < 2 || bytes[1] == '\0' ||
               !strchr("\"\\/bfnrt", bytes[1])) {
        return scan_fail(scan, "a backslash stands before no escape");
    }
    scan->at += length;
    return true;
}

/* Printable ASCII but for quote and backslash. */
static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

bool scan_string(struct json_scan *scan, struct piece *ret_string)
{
    if (!scan_byte(scan, '"')) {
        return false;
    }
    const char *text = scan->text;
    size_t begin = scan->at;
    bool escaped = false;
    for (;;) {
        size_t at = scan->at;
        while (at < scan->length && is_plain((unsigned char)text[at])) {
            at++;
        }
        scan->at = at;
        if (at >= scan->length) {
            return scan_fail(scan, "a string is not closed");
        }
        unsigned char byte = (unsigned char)text[at];
        if (byte == '"') {
            break;
        }
        if (byte == '\\') {
            escaped = true;
            if (!scan_escape(scan)) {
                return false;
            }
        } else if (byte >= 0x80) {
            size_t length = utf8_length((const unsigned char *)text + at,
                                        scan->length - at);
            if (length == 0) {
                return scan_fail(scan, "a string is not UTF-8");
            }
            scan->at += length;
        } else {
            return scan_fail(scan, "a control character stands in a string");
        }
    }
    *ret_string = (struct piece){text + begin, scan->at - begin, escaped};
    scan->at++;
    return true;
}

static size_t digits(const struct json_scan *scan, size_t at)
{
    size_t begin = at;
    while (at < scan->length && scan->text[at] >= '0' &&
           scan->text[at] <= '9') {
        at++;
    }
    return at - begin;
}

bool scan_number(struct json_scan *scan, struct piece *ret_number)
{
    scan_blank(scan);
    const char *text = scan->text;
    size_t begin = scan->at, at = begin;
    at += at < scan->length && text[at] == '-';
    size_t whole = digits(scan, at);
    if (whole == 0 || (whole > 1 && text[at] == '0')) {
        return scan_fail(scan, "a number is not a JSON number");
    }
    at += whole;
    if (at < scan->length && text[at] == '.') {
        size_t part = digits(scan, at + 1);
        if (part == 0) {
            return scan_fail(scan, "a number ends at its point");
        }
        at += 1 + part;
    }
    if (at < scan->length && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += at < scan->length && (text[at] == '+' || text[at] == '-');
        size_t part = digits(scan, at);
        if (part == 0) {
            return scan_fail(scan, "a number ends at its exponent");
        }
        at += part;
    }
    scan->at = at;
    *ret_number = (struct piece){text + begin, at - begin, false};
    return true;
}

static bool scan_word(struct json_scan *scan, const char *word)
{
    size_t length = strlen(word);
    if (scan->length - scan->at < length ||
        memcmp(scan->text + scan->at, word, length) != 0) {
        return scan_fail(scan, "it is not the JSON that is expected");
    }
    scan->at += length;
    return true;
}

/* A value that holds no other. */
static bool scan_simple(struct json_scan *scan, char first)
{
    struct piece piece;
    switch (first) {
    case '"':
        return scan_string(scan, &piece);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    case '\0':
        return scan_fail(scan, "it ends in the middle");
    default:
        return scan_number(scan, &piece);
    }
}

enum json_more scan_next_item(struct json_scan *scan, bool first)
{
    if (scan_peek(scan) == ']') {
        scan->at++;
        return JSON_END;
    }
    if (!first && !scan_byte(scan, ',')) {
        return JSON_WRONG;
    }
    return JSON_MORE;
}

enum json_more scan_next_key(struct json_scan *scan, bool first,
                             struct piece *ret_key)
{
    if (scan_peek(scan) == '}') {
        scan->at++;
        return JSON_END;
    }
    if (!first && !scan_byte(scan, ',')) {
        return JSON_WRONG;
    }
    if (!scan_string(scan, ret_key) || !scan_byte(scan, ':')) {
        return JSON_WRONG;
    }
    return JSON_MORE;
}

/* Go into the array or object that begins here.  Which kind the open ones are
 * is one bit each: objects 1. */
static bool scan_open(struct json_scan *scan, uint64_t *kinds, size_t *depth)
{
    if (*depth == JSON_DEPTH_MAX) {
        return scan_fail(scan, "it is nested too deeply");
    }
    uint64_t bit = 1ULL << *depth;
    *kinds = scan->text[scan->at] == '{' ? *kinds | bit : *kinds & ~bit;
    scan->at++;
    (*depth)++;
    return true;
}

bool scan_skip(struct json_scan *scan)
{
    uint64_t kinds = 0;
    size_t depth = 0;
    bool first = false; /* just opened: nothing stands before the next one */
    do {
        if (depth > 0) {
            struct piece key;
            enum json_more more = kinds >> (depth - 1) & 1
                                      ? scan_next_key(scan, first, &key)
                                      : scan_next_item(scan, first);
            if (more == JSON_WRONG) {
                return false;
            }
            first = false;
            if (more == JSON_END) {
                depth--;
                continue;
            }
        }
        char next = scan_peek(scan);
        if (next == '{' || next == '[') {
            if (!scan_open(scan, &kinds, &depth)) {
                return false;
            }
            first = true;
        } else if (!scan_simple(scan, next)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

/* What the escape whose backslash is at @bytes means, as UTF-8. */
static size_t plain_of_escape(const char *bytes, size_t left, char ret_utf8[4],
                              size_t *ret_taken)
{
    static const char names[] = "bfnrt", means[] = "\b\f\n\r\t";
    const char *name = strchr(names, bytes[1]);
    *ret_taken = 2;
    if (bytes[1] != 'u') {
        ret_utf8[0] = name ? means[name - names] : bytes[1];
        return 1;
    }
    uint32_t code = unicode_escape(bytes, left, ret_taken);
    if (code < 0x80) {
        ret_utf8[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        ret_utf8[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    ret_utf8[0] = (char)(leads[length] | code);
    return length;
}

size_t piece_plain(const struct piece *piece, char *ret_text, size_t size)
{
    size_t used = 0;
    for (size_t at = 0; at < piece->length;) {
        char utf8[4] = {piece->bytes[at]};
        size_t taken = 1, length = 1;
        if (piece->bytes[at] == '\\') {
            length = plain_of_escape(piece->bytes + at, piece->length - at,
                                     utf8, &taken);
        }
        if (used + length >= size) {
            ret_text[used] = '\0';
            return SIZE_MAX;
        }
        memcpy(ret_text + used, utf8, length);
        used += length;
        at += taken;
    }
    ret_text[used] = '\0';
    return used;
}

bool piece_is(const struct piece *piece, const char *text)
{
    size_t length = strlen(text);
    if (!piece->escaped) {
        return piece->length == length &&
               memcmp(piece->bytes, text, length) == 0;
    }
    char plain[128];
    size_t used = piece_plain(piece, plain, sizeof(plain));
    return used == length && memcmp(plain, text, length) == 0;
}
