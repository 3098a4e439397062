#include "policies/read/yaml_tree.h"

#include "policies/memory.h"
#include "policies/read/yaml_build.h"
#include "policies/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- Characters ----------------------------------------------------------- */

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What is wrong with the character @code, or NULL. */
static const char *refusal_of(uint32_t code, uint32_t next)
{
    if (code == 0) {
        return "a NUL byte; is this a text file, in UTF-8?";
    }
    if (code == '\r') {
        return next == '\n' ? NULL
                            : "a carriage return without a line feed; end "
                              "lines with a line feed";
    }
    if (code == '\n' || code == '\t') {
        return NULL;
    }
    if (code == 0xfffe || code == 0xffff) {
        return "a character that is none; remove it";
    }
    if (!utf8_is_printable(code)) {
        return "a control character; remove it or write it as an escape in "
               "double quotes";
    }
    return NULL;
}

/* Every byte of the file is looked at before anything is believed. */
static bool check_characters(const char *source, size_t length,
                             struct problems *problems)
{
    int line = 1, column = 1;

    if (length >= 2 && (memcmp(source, "\xff\xfe", 2) == 0 ||
                        memcmp(source, "\xfe\xff", 2) == 0)) {
        problems_error(problems, 1, 1, "this is UTF-16; save it as UTF-8");
        return false;
    }
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t bytes = utf8_decode(source + at, length - at, &code);
        const char *refusal = NULL;

        if (bytes == 0) {
            problems_error(problems, line, column,
                           "byte 0x%02x is not valid UTF-8; save the file as "
                           "UTF-8",
                           (unsigned char)source[at]);
            return false;
        }
        refusal = refusal_of(
            code, at + 1 < length ? (unsigned char)source[at + 1] : 0);
        if (refusal != NULL) {
            problems_error(problems, line, column, "U+%04X is %s", code,
                           refusal);
            return false;
        }
        column = code == '\n' ? 1 : column + 1;
        line += code == '\n' ? 1 : 0;
        at += bytes;
    }
    return true;
}

/* --- Reading -------------------------------------------------------------- */

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), wanted = strlen(ending);

    return length >= wanted && strcmp(text + length - wanted, ending) == 0;
}

/* An escape of libyaml may grow: "\L" becomes three bytes. */
static struct yaml_tree *make_tree(const char *source, size_t length)
{
    struct yaml_tree *tree = memory_zeroed(1, sizeof(*tree));

    tree->length = length;
    tree->source = memory_copy(source, length);
    tree->texts_size = 2 * length + 2 * YAML_ITEMS_MAX;
    tree->texts = memory_resized(NULL, tree->texts_size);
    return tree;
}

struct yaml_tree *yaml_tree_read(const char *path, const char *source,
                                 size_t length, struct problems *problems)
{
    struct yaml_builder builder = {.problems = problems};
    bool done = false;

    (void)problems_about(problems, RULE_FILE);
    if (length > YAML_BYTES_MAX) {
        problems_error(problems, 0, 0,
                       "the file has %zu bytes; at most %d are read", length,
                       YAML_BYTES_MAX);
        return NULL;
    }
    (void)problems_about(problems, RULE_YAML);
    if (length >= 3 && memcmp(source, BYTE_ORDER_MARK, 3) == 0) {
        source += 3; /* columns do not count it */
        length -= 3;
    }
    if (!check_characters(source, length, problems)) {
        return NULL;
    }
    builder.tree = make_tree(source, length);
    done = ends_with(path, ".json") ? yaml_read_json(&builder)
                                    : yaml_read_events(&builder);
    if (!done) {
        assert(problems->errors > 0);
        yaml_tree_free(builder.tree);
        return NULL;
    }
    assert(builder.tree->count > 0);
    (void)problems_about(problems, RULE_FORM);
    return builder.tree;
}

void yaml_tree_free(struct yaml_tree *tree)
{
    if (tree == NULL) {
        return;
    }
    free(tree->source);
    free(tree->texts);
    free(tree);
}

/* --- Walking -------------------------------------------------------------- */

const struct yaml_item *yaml_root(const struct yaml_tree *tree)
{
    return &tree->items[0];
}

const struct yaml_item *yaml_get(const struct yaml_item *map, const char *key)
{
    if (map->kind != YAML_MAP) {
        return NULL;
    }
    for (const struct yaml_item *item = map->first; item != NULL;
         item = item->next) {
        if (strcmp(item->key, key) == 0) {
            return item;
        }
    }
    return NULL;
}

bool yaml_is_empty(const struct yaml_item *item)
{
    return item->kind == YAML_TEXT && item->style == YAML_PLAIN &&
           item->text_length == 0;
}

/* --- Building ------------------------------------------------------------- */

static const char *keep_text(struct yaml_tree *tree, const char *text,
                             size_t length)
{
    char *kept = tree->texts + tree->texts_used;

    assert(tree->texts_used + length + 1 <= tree->texts_size);
    memcpy(kept, text, length);
    kept[length] = '\0';
    tree->texts_used += length + 1;
    return kept;
}

/* Code points of the source from @begin to @end or the end of the line. */
static int shown_length(const struct yaml_tree *tree, uint32_t begin,
                        uint32_t end)
{
    const char *start = tree->source + begin;
    const char *stop = NULL;
    size_t length = 0;

    assert(begin <= end);
    assert(end <= tree->length);
    stop = memchr(start, '\n', end - begin);
    length = stop == NULL ? end - begin : (size_t)(stop - start);
    length = utf8_count(start, length);
    return length == 0 ? 1 : (int)length;
}

static struct yaml_frame *top_frame(struct yaml_builder *builder)
{
    return builder->depth == 0 ? NULL : &builder->frames[builder->depth - 1];
}

bool yaml_build_wants_key(const struct yaml_builder *builder)
{
    const struct yaml_frame *frame =
        builder->depth == 0 ? NULL : &builder->frames[builder->depth - 1];

    return frame != NULL && frame->collection->kind == YAML_MAP &&
           frame->key == NULL;
}

static const struct yaml_item *find_entry(const struct yaml_frame *frame,
                                          const char *key)
{
    return yaml_get(frame->collection, key);
}

/* Hang @item into the open collection, under the key just read.  A repeated
 * key is refused; its value is read but hangs nowhere. */
static void attach(struct yaml_builder *builder, struct yaml_item *item)
{
    struct yaml_frame *frame = top_frame(builder);
    const struct yaml_item *earlier = NULL;

    if (frame == NULL) {
        return; /* the document itself */
    }
    item->in_flow = frame->collection->flow || frame->collection->in_flow;
    if (frame->collection->kind == YAML_MAP) {
        assert(frame->key != NULL);
        earlier = find_entry(frame, frame->key);
        item->key = frame->key;
        item->key_line = frame->key_spot.line;
        item->key_column = frame->key_spot.column;
        item->key_length = frame->key_length;
        frame->key = NULL;
    }
    if (earlier != NULL) {
        struct problem *problem = problems_error(
            builder->problems, item->key_line, item->key_column,
            "key '%s' stands here a second time; keep one", item->key);

        problem->length = item->key_length;
        problem_note(problem, earlier->key_line, earlier->key_column,
                     "the first is here");
        return;
    }
    if (frame->last == NULL) {
        frame->collection->first = item;
    } else {
        frame->last->next = item;
    }
    frame->last = item;
    frame->collection->count++;
}

static struct yaml_item *add_item(struct yaml_builder *builder,
                                  enum yaml_kind kind, struct yaml_spot begin)
{
    struct yaml_tree *tree = builder->tree;
    struct yaml_item *item = NULL;

    if (tree->count == YAML_ITEMS_MAX) {
        problems_error(builder->problems, begin.line, begin.column,
                       "the file has more than %d values; split it",
                       YAML_ITEMS_MAX);
        return NULL;
    }
    item = &tree->items[tree->count++];
    item->kind = kind;
    item->line = begin.line;
    item->column = begin.column;
    item->length = 1;
    item->begin = begin.byte;
    item->end = begin.byte;
    return item;
}

static bool take_key(struct yaml_builder *builder, struct yaml_spot begin,
                     uint32_t end, const char *text, size_t length)
{
    struct yaml_frame *frame = top_frame(builder);
    int shown = shown_length(builder->tree, begin.byte, end);

    if (length == 2 && memcmp(text, "<<", 2) == 0) {
        problems_error(builder->problems, begin.line, begin.column,
                       "merges ('<<') are not read here; write the keys out")
            ->length = shown;
    }
    frame->key = keep_text(builder->tree, text, length);
    frame->key_spot = begin;
    frame->key_length = shown;
    return true;
}

bool yaml_build_text(struct yaml_builder *builder, enum yaml_style style,
                     struct yaml_spot begin, uint32_t end, const char *text,
                     size_t length)
{
    struct yaml_item *item = NULL;

    if (memchr(text, '\0', length) != NULL) {
        problems_error(builder->problems, begin.line, begin.column,
                       "a text may not contain a NUL");
        return false;
    }
    if (yaml_build_wants_key(builder)) {
        return take_key(builder, begin, end, text, length);
    }
    item = add_item(builder, YAML_TEXT, begin);
    if (item == NULL) {
        return false;
    }
    item->style = style;
    item->end = end;
    item->length = shown_length(builder->tree, begin.byte, end);
    item->text = keep_text(builder->tree, text, length);
    item->text_length = length;
    attach(builder, item);
    return true;
}

bool yaml_build_open(struct yaml_builder *builder, enum yaml_kind kind,
                     bool flow, struct yaml_spot begin)
{
    struct yaml_item *item = NULL;

    if (yaml_build_wants_key(builder)) {
        problems_error(builder->problems, begin.line, begin.column,
                       "a key must be a word, not a %s",
                       kind == YAML_MAP ? "map" : "list");
        return false;
    }
    if (builder->depth == YAML_DEPTH_MAX) {
        problems_error(builder->problems, begin.line, begin.column,
                       "nested too deeply; at most %d levels are read",
                       YAML_DEPTH_MAX);
        return false;
    }
    item = add_item(builder, kind, begin);
    if (item == NULL) {
        return false;
    }
    item->flow = flow;
    attach(builder, item);
    builder->frames[builder->depth++] = (struct yaml_frame){.collection = item};
    return true;
}

void yaml_build_close(struct yaml_builder *builder, uint32_t end)
{
    assert(builder->depth > 0);
    builder->depth--;
    builder->frames[builder->depth].collection->end = end;
}
