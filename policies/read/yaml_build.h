/* Inside of yaml_tree: how a tree is put together, shared by the reader of
 * libyaml's events, the JSON scanner and the source map.  Nobody else includes
 * this. */
#ifndef POLICIES_YAML_BUILD_H
#define POLICIES_YAML_BUILD_H

#include "policies/read/yaml_tree.h"

struct yaml_tree {
    char *source; /* NUL-ended */
    size_t length;
    char *texts; /* all texts and keys, one after the other */
    size_t texts_used, texts_size;
    size_t count;
    struct yaml_item items[YAML_ITEMS_MAX];
};

/* A place in the source. */
struct yaml_spot {
    uint32_t byte;
    int line, column;
};

/* A collection that is still open. */
struct yaml_frame {
    struct yaml_item *collection;
    struct yaml_item *last;
    const char *key; /* read, its value not yet */
    struct yaml_spot key_spot;
    int key_length;
};

struct yaml_builder {
    struct yaml_tree *tree;
    struct problems *problems;
    size_t depth;
    struct yaml_frame frames[YAML_DEPTH_MAX];
};

/* What the next text is: a map's key or some value. */
bool yaml_build_wants_key(const struct yaml_builder *builder);

/* Add a text, as key or as value.  False when the file is refused for good:
 * an error was added, reading ends. */
bool yaml_build_text(struct yaml_builder *builder, enum yaml_style style,
                     struct yaml_spot begin, uint32_t end, const char *text,
                     size_t length);

/* Open a list or map; texts go into it until it is closed. */
bool yaml_build_open(struct yaml_builder *builder, enum yaml_kind kind,
                     bool flow, struct yaml_spot begin);
void yaml_build_close(struct yaml_builder *builder, uint32_t end);

/* Fill @builder's tree from YAML or JSON; false: refused for good. */
bool yaml_read_events(struct yaml_builder *builder);
bool yaml_read_json(struct yaml_builder *builder);

#endif
