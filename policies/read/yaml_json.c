/* JSON -> tree.  jansson judges whether it is JSON at all; after that a small
 * scanner may trust the grammar, and gives what jansson cannot: the place of
 * every value, and numbers as they were written. */
#include "policies/memory.h"
#include "policies/read/yaml_build.h"
#include "policies/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

struct json_scanner {
    struct yaml_builder *builder;
    const char *source;
    size_t length;
    struct yaml_spot spot; /* the next character */
    char *text;            /* room for the longest string */
};

static bool is_json(struct yaml_builder *builder)
{
    json_error_t error;
    json_t *json = json_loadb(builder->tree->source, builder->tree->length,
                              JSON_REJECT_DUPLICATES, &error);

    if (json == NULL) {
        problems_error(builder->problems, error.line < 1 ? 1 : error.line,
                       error.column < 1 ? 1 : error.column,
                       "this is not JSON: %s", error.text);
        return false;
    }
    json_decref(json);
    return true;
}

/* Step over one character, keeping line and column. */
static void step(struct json_scanner *scanner)
{
    uint32_t code = 0;
    size_t at = scanner->spot.byte;
    size_t bytes =
        utf8_decode(scanner->source + at, scanner->length - at, &code);

    assert(bytes > 0);
    scanner->spot.byte += (uint32_t)bytes;
    if (code == '\n') {
        scanner->spot.line++;
        scanner->spot.column = 1;
    } else {
        scanner->spot.column++;
    }
}

static uint32_t hex_digits(const char *text)
{
    char digits[5] = "";

    memcpy(digits, text, 4);
    return (uint32_t)strtoul(digits, NULL, 16);
}

static size_t encode(uint32_t code, char *text)
{
    if (code < 0x80) {
        text[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        text[0] = (char)(0xc0 | code >> 6);
        text[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        text[0] = (char)(0xe0 | code >> 12);
        text[1] = (char)(0x80 | (code >> 6 & 0x3f));
        text[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    text[0] = (char)(0xf0 | code >> 18);
    text[1] = (char)(0x80 | (code >> 12 & 0x3f));
    text[2] = (char)(0x80 | (code >> 6 & 0x3f));
    text[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* The escape at @escape ("\n", "\u00e9", "\ud83d\ude00") as bytes in @text.
 * Returns how long it is in the source. */
static size_t decode_escape(const char *escape, char *text, size_t *ret_bytes)
{
    static const char letters[] = "bfnrt\"\\/";
    static const char meant[] = "\b\f\n\r\t\"\\/";
    const char *letter = NULL;
    uint32_t code = 0;

    if (escape[1] != 'u') {
        letter = strchr(letters, escape[1]);
        assert(letter != NULL);
        text[0] = meant[letter - letters];
        *ret_bytes = 1;
        return 2;
    }
    code = hex_digits(escape + 2);
    if (code >= 0xd800 && code <= 0xdbff) {
        code = 0x10000 + ((code - 0xd800) << 10) +
               (hex_digits(escape + 8) - 0xdc00);
        *ret_bytes = encode(code, text);
        return 12;
    }
    *ret_bytes = encode(code, text);
    return 6;
}

static bool scan_string(struct json_scanner *scanner)
{
    struct yaml_spot begin = scanner->spot;
    size_t length = 0;

    step(scanner);
    while (scanner->source[scanner->spot.byte] != '"') {
        size_t at = scanner->spot.byte;

        assert(at < scanner->length);
        if (scanner->source[at] == '\\') {
            size_t bytes = 0;
            size_t source_bytes = decode_escape(scanner->source + at,
                                                scanner->text + length, &bytes);

            length += bytes;
            scanner->spot.byte += (uint32_t)source_bytes;
            scanner->spot.column += (int)source_bytes;
            continue;
        }
        step(scanner);
        memcpy(scanner->text + length, scanner->source + at,
               scanner->spot.byte - at);
        length += scanner->spot.byte - at;
    }
    step(scanner);
    return yaml_build_text(scanner->builder, YAML_DOUBLE, begin,
                           scanner->spot.byte, scanner->text, length);
}

/* A number, true, false or null; null is nothing at all. */
static bool scan_bare(struct json_scanner *scanner)
{
    struct yaml_spot begin = scanner->spot;
    const char *text = scanner->source + begin.byte;
    size_t length = strspn(text, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");

    assert(length > 0);
    scanner->spot.byte += (uint32_t)length;
    scanner->spot.column += (int)length;
    if (length == 4 && memcmp(text, "null", 4) == 0) {
        length = 0;
    }
    return yaml_build_text(scanner->builder, YAML_PLAIN, begin,
                           scanner->spot.byte, text, length);
}

static bool scan_value(struct json_scanner *scanner)
{
    struct yaml_spot begin = scanner->spot;

    switch (scanner->source[begin.byte]) {
    case '{':
    case '[':
        step(scanner);
        return yaml_build_open(scanner->builder,
                               scanner->source[begin.byte] == '{' ? YAML_MAP
                                                                  : YAML_LIST,
                               true, begin);
    case '}':
    case ']':
        step(scanner);
        yaml_build_close(scanner->builder, scanner->spot.byte);
        return true;
    case '"':
        return scan_string(scanner);
    default:
        return scan_bare(scanner);
    }
}

bool yaml_read_json(struct yaml_builder *builder)
{
    struct json_scanner scanner = {.builder = builder,
                                   .source = builder->tree->source,
                                   .length = builder->tree->length,
                                   .spot = {0, 1, 1}};
    bool going = true;

    if (!is_json(builder)) {
        return false;
    }
    scanner.text = memory_resized(NULL, scanner.length + 1);
    while (going && scanner.spot.byte < scanner.length) {
        if (strchr(" \t\r\n,:", scanner.source[scanner.spot.byte]) != NULL) {
            step(&scanner);
        } else {
            going = scan_value(&scanner);
        }
    }
    free(scanner.text);
    return going;
}
