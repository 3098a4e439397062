/* Any bytes as a tree: every text has its places inside of itself, in order,
 * and a place shows the byte it stands for. */
#include "policies/read/yaml_tree.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Texts longer than this are looked at in part: each place is a walk. */
#define PLACES_MAX 512

/* The byte of @source at a place; NUL behind its end. */
static char byte_at(const char *source, size_t length, int line, int column)
{
    size_t at = 0;

    for (int i = 1; i < line; i++) {
        const char *end = memchr(source + at, '\n', length - at);

        if (end == NULL) {
            return '\0'; /* libyaml ends a last line that does not end */
        }
        at = (size_t)(end + 1 - source);
    }
    for (int i = 1; i < column; i++) {
        assert(at < length);
        at++;
        while (at < length && ((unsigned char)source[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    return at < length ? source[at] : '\0';
}

static void check_text(const struct yaml_tree *tree,
                       const struct yaml_item *item, const char *source,
                       size_t length)
{
    int last_line = item->line, last_column = item->column;
    bool lost = false;

    for (size_t i = 0; i <= item->text_length && i < PLACES_MAX; i++) {
        int line = 0, column = 0;
        char byte = item->text[i], found = '\0';

        yaml_place(tree, item, i, &line, &column);
        lost = lost || (i > 0 && line == item->line && column == item->column);
        assert(lost || line > last_line ||
               (line == last_line && column >= last_column));
        found = byte_at(source, length, line, column);
        assert(lost || found == byte || byte <= ' ' || found == '\\' ||
               ((unsigned char)byte & 0xc0) == 0x80);
        last_line = line;
        last_column = column;
    }
}

static void read_as(const char *path, const char *source, size_t length)
{
    static struct problems problems;
    static const struct yaml_item *waiting[YAML_ITEMS_MAX];
    size_t count = 0;
    struct yaml_tree *tree = NULL;

    problems_init(&problems, path);
    tree = yaml_tree_read(path, source, length, &problems);
    if (tree == NULL) {
        assert(problems.errors > 0);
        return;
    }
    if (length >= 3 && memcmp(source, "\xef\xbb\xbf", 3) == 0) {
        source += 3;
        length -= 3;
    }
    waiting[count++] = yaml_root(tree);
    while (count > 0) {
        const struct yaml_item *item = waiting[--count];

        if (item->kind == YAML_TEXT && problems.errors == 0) {
            assert(strlen(item->text) == item->text_length);
            check_text(tree, item, source, length);
        }
        for (item = item->first; item != NULL; item = item->next) {
            waiting[count++] = item;
        }
    }
    yaml_tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as("fuzz.yaml", (const char *)data, size);
    read_as("fuzz.json", (const char *)data, size);
    return 0;
}
