/* A YAML file as an editor sees it: JSON, with plain scalars resolved by the
 * core schema of YAML 1.2 (null, true, numbers), all others as texts.
 *
 *     yaml_dump FILE...      one JSON document a line; "null" when unreadable
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "controller/replay/file.h"
#include "policies/read/yaml_tree.h"

static json_t *scalar(const struct yaml_item *item)
{
    json_t *number = NULL;

    if (item->style != YAML_PLAIN) {
        return json_string(item->text);
    }
    if (yaml_is_empty(item) || strcmp(item->text, "null") == 0 ||
        strcmp(item->text, "~") == 0) {
        return json_null();
    }
    if (strcmp(item->text, "true") == 0 || strcmp(item->text, "false") == 0) {
        return json_boolean(item->text[0] == 't');
    }
    number = json_loads(item->text, JSON_DECODE_ANY, NULL);
    if (json_is_number(number)) {
        return number;
    }
    json_decref(number);
    return json_string(item->text);
}

/* Down where there are entries, along beside, up where a collection ends. */
static json_t *tree_json(const struct yaml_item *root)
{
    const struct yaml_item *open[YAML_DEPTH_MAX + 1] = {root};
    json_t *made[YAML_DEPTH_MAX + 1] = {NULL};
    const struct yaml_item *at = root->first;
    size_t depth = 1;

    if (root->kind == YAML_TEXT) {
        return scalar(root);
    }
    made[0] = root->kind == YAML_MAP ? json_object() : json_array();
    while (depth > 0) {
        json_t *value = NULL;

        if (at == NULL) {
            depth--;
            at = open[depth]->next;
            continue;
        }
        value = at->kind == YAML_TEXT  ? scalar(at)
                : at->kind == YAML_MAP ? json_object()
                                       : json_array();
        if (at->key != NULL) {
            (void)json_object_set_new(made[depth - 1], at->key, value);
        } else {
            (void)json_array_append_new(made[depth - 1], value);
        }
        if (at->kind == YAML_TEXT) {
            at = at->next;
        } else {
            open[depth] = at;
            made[depth++] = value;
            at = at->first;
        }
    }
    return made[0];
}

static void dump(const char *path, struct problems *problems)
{
    size_t length = 0;
    char *text = NULL;
    struct yaml_tree *tree = NULL;
    json_t *json = NULL;

    problems_init(problems, path);
    text = file_read(path, YAML_BYTES_MAX, &length, problems);
    if (text != NULL) {
        tree = yaml_tree_read(path, text, length, problems);
    }
    json = tree == NULL || problems->errors > 0 ? json_null()
                                                : tree_json(yaml_root(tree));
    (void)json_dumpf(json, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
    (void)putchar('\n');
    json_decref(json);
    yaml_tree_free(tree);
    free(text);
}

int main(int argc, char **argv)
{
    struct problems *problems = malloc(sizeof(*problems));

    if (problems == NULL) {
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        dump(argv[i], problems);
    }
    free(problems);
    return 0;
}
