#include "help_openapi.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yaml.h>

#define CHECKS_MAX 4096

/* --- YAML to JSON --------------------------------------------------------- */

static json_t *scalar(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;

    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
            return json_boolean(text[0] == 't');
        }
        if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text)) {
            return json_integer(atoll(text));
        }
    }
    return json_string(text);
}

static json_t *empty(const yaml_node_t *node)
{
    if (node->type == YAML_MAPPING_NODE) {
        return json_object();
    }
    return node->type == YAML_SEQUENCE_NODE ? json_array() : scalar(node);
}

/* Every node is made once, then each is put where it belongs. */
static void fill(yaml_document_t *yaml, json_t **nodes, int index)
{
    const yaml_node_t *node = yaml_document_get_node(yaml, index);

    if (node->type == YAML_SEQUENCE_NODE) {
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++) {
            (void)json_array_append(nodes[index], nodes[*item]);
        }
    } else if (node->type == YAML_MAPPING_NODE) {
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
            const yaml_node_t *key = yaml_document_get_node(yaml, pair->key);
            const char *name = (const char *)key->data.scalar.value;

            assert_null(json_object_get(nodes[index], name));
            (void)json_object_set(nodes[index], name, nodes[pair->value]);
        }
    }
}

json_t *openapi_load(void)
{
    FILE *file = fopen(SOURCE_DIR "/controller/api/openapi.yaml", "r");
    yaml_parser_t parser;
    yaml_document_t yaml;
    json_t **nodes = NULL;
    json_t *root = NULL;
    int count = 0;

    assert_non_null(file);
    assert_int_equal(yaml_parser_initialize(&parser), 1);
    yaml_parser_set_input_file(&parser, file);
    assert_int_equal(yaml_parser_load(&parser, &yaml), 1);
    count = (int)(yaml.nodes.top - yaml.nodes.start);
    nodes = calloc((size_t)count + 1, sizeof(json_t *));
    assert_non_null(nodes);
    for (int i = 1; i <= count; i++) {
        nodes[i] = empty(yaml_document_get_node(&yaml, i));
    }
    for (int i = 1; i <= count; i++) {
        fill(&yaml, nodes, i);
    }
    root = json_incref(nodes[1]);
    for (int i = 1; i <= count; i++) {
        json_decref(nodes[i]);
    }
    free(nodes);
    yaml_document_delete(&yaml);
    yaml_parser_delete(&parser);
    (void)fclose(file);
    return root;
}

/* --- The document --------------------------------------------------------- */

json_t *openapi_follow(const json_t *document, json_t *json)
{
    const char *ref = json_string_value(json_object_get(json, "$ref"));
    json_t *at = NULL;
    char part[128];

    if (ref == NULL) {
        return json;
    }
    assert_memory_equal(ref, "#/", 2);
    at = json_incref((json_t *)(uintptr_t)document);
    json_decref(at);
    for (ref += 2; *ref != '\0';) {
        size_t length = strcspn(ref, "/");

        (void)snprintf(part, sizeof(part), "%.*s", (int)length, ref);
        at = json_object_get(at, part);
        if (at == NULL) {
            fail_msg("the document has no %s", part);
        }
        ref += length + (ref[length] == '/' ? 1 : 0);
    }
    return at;
}

json_t *openapi_operation(const json_t *document, const char *pattern,
                          const char *method)
{
    char lower[16];
    size_t i = 0;

    for (; method[i] != '\0' && i < sizeof(lower) - 1; i++) {
        lower[i] = (char)tolower((unsigned char)method[i]);
    }
    lower[i] = '\0';
    return json_object_get(
        json_object_get(json_object_get(document, "paths"), pattern), lower);
}

/* --- Shapes --------------------------------------------------------------- */

/* Schemas and values still to be compared. */
struct checks {
    const json_t *document;
    struct {
        json_t *schema, *value;
        char name[64];
    } list[CHECKS_MAX];
    size_t count;
};

static void later(struct checks *checks, json_t *schema, json_t *value,
                  const char *name)
{
    assert_true(checks->count < CHECKS_MAX);
    checks->list[checks->count].schema = schema;
    checks->list[checks->count].value = value;
    (void)snprintf(checks->list[checks->count].name,
                   sizeof(checks->list[0].name), "%s", name);
    checks->count++;
}

static bool is_of_type(const json_t *value, const char *type)
{
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(type, "number") == 0 && json_is_number(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static void check_type(const json_t *schema, const json_t *value,
                       const char *name)
{
    const json_t *type = json_object_get(schema, "type");
    bool fits =
        json_is_string(type) && is_of_type(value, json_string_value(type));

    for (size_t i = 0; i < json_array_size(type); i++) {
        fits = fits ||
               is_of_type(value, json_string_value(json_array_get(type, i)));
    }
    if (!fits) {
        fail_msg("'%s' is of another type than documented", name);
    }
}

static void check_enum(const json_t *schema, const json_t *value,
                       const char *name)
{
    const json_t *words = json_object_get(schema, "enum");
    bool fits = words == NULL;

    for (size_t i = 0; i < json_array_size(words); i++) {
        fits = fits || json_equal(json_array_get(words, i), value) == 1;
    }
    if (!fits) {
        fail_msg("'%s' is '%s', which is not documented", name,
                 json_string_value(value));
    }
}

static void check_object(struct checks *checks, const json_t *schema,
                         json_t *value, const char *name)
{
    const json_t *required = json_object_get(schema, "required");
    const json_t *properties = json_object_get(schema, "properties");
    json_t *others = json_object_get(schema, "additionalProperties");
    const char *member = NULL;
    json_t *inner = NULL;

    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *needed = json_string_value(json_array_get(required, i));

        if (json_object_get(value, needed) == NULL) {
            fail_msg("'%s' has no '%s'", name, needed);
        }
    }
    json_object_foreach(value, member, inner)
    {
        json_t *known = json_object_get(properties, member);

        if (known == NULL && json_is_false(others)) {
            fail_msg("'%s' has '%s', which is not documented", name, member);
        }
        if (known != NULL || json_is_object(others)) {
            later(checks, known != NULL ? known : others, inner, member);
        }
    }
}

static void check_one(struct checks *checks, json_t *schema, json_t *value,
                      const char *name)
{
    schema = openapi_follow(checks->document, schema);
    check_type(schema, value, name);
    check_enum(schema, value, name);
    if (json_is_object(value)) {
        check_object(checks, schema, value, name);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        later(checks, json_object_get(schema, "items"),
              json_array_get(value, i), name);
    }
}

static void check_shape(const json_t *document, json_t *schema, json_t *value)
{
    static struct checks checks;

    checks.document = document;
    checks.count = 0;
    later(&checks, schema, value, "the answer");
    for (size_t i = 0; i < checks.count; i++) {
        check_one(&checks, checks.list[i].schema, checks.list[i].value,
                  checks.list[i].name);
    }
}

void openapi_check(const json_t *document, const char *pattern,
                   const char *method, int status, const char *content_type,
                   const char *body)
{
    const json_t *operation = openapi_operation(document, pattern, method);
    char number[16], type[128];
    json_t *answer = NULL, *content = NULL, *value = NULL;

    assert_non_null(operation);
    (void)snprintf(number, sizeof(number), "%d", status);
    (void)snprintf(type, sizeof(type), "%.*s", (int)strcspn(content_type, ";"),
                   content_type);
    answer = json_object_get(json_object_get(operation, "responses"), number);
    if (answer == NULL) {
        fail_msg("%s %s: %d is not documented: %s", method, pattern, status,
                 body);
    }
    answer = openapi_follow(document, answer);
    content = json_object_get(json_object_get(answer, "content"), type);
    if (content == NULL) {
        fail_msg("%s %s: %d as %s is not documented", method, pattern, status,
                 type);
    }
    if (strcmp(type, "text/plain") == 0) {
        return;
    }
    value = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    check_shape(document, json_object_get(content, "schema"), value);
    json_decref(value);
}
