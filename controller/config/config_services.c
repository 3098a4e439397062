/* The section services: which target and source a service has. */
#include "controller/config/config_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

/* --- Patterns ------------------------------------------------------------- */

static size_t fixed_part(const char *pattern, bool *ret_open)
{
    size_t length = strlen(pattern);

    *ret_open = length > 0 && pattern[length - 1] == '*';
    return *ret_open ? length - 1 : length;
}

bool config_patterns_overlap(const char *a, const char *b)
{
    bool a_open = false, b_open = false;
    size_t a_length = fixed_part(a, &a_open);
    size_t b_length = fixed_part(b, &b_open);
    size_t both = a_length < b_length ? a_length : b_length;

    return memcmp(a, b, both) == 0 && (a_open || a_length >= b_length) &&
           (b_open || b_length >= a_length);
}

bool config_pattern_covers(const char *a, const char *b)
{
    bool a_open = false, b_open = false;
    size_t a_length = fixed_part(a, &a_open);
    size_t b_length = fixed_part(b, &b_open);

    if (!a_open) {
        return strcmp(a, b) == 0;
    }
    return b_length >= a_length && memcmp(a, b, a_length) == 0;
}

/* A name, a name's beginning and a star, or a star. */
static bool is_pattern(const char *text)
{
    char fixed[NAME_MAX_BYTES + 2];
    bool open = false;
    size_t length = fixed_part(text, &open);

    if (length > NAME_MAX_BYTES || (open && length >= NAME_MAX_BYTES)) {
        return false;
    }
    memcpy(fixed, text, length);
    fixed[length] = '\0';
    return (open && length == 0) || name_is_valid(fixed);
}

static void read_pattern(struct config_reader *reader,
                         const struct yaml_item *map, const char *key,
                         char ret_pattern[NAME_MAX_BYTES + 1])
{
    const struct yaml_item *item = yaml_get(map, key);
    const char *text = NULL;

    if (item == NULL) {
        (void)yaml_error(reader->problems, map,
                         "'%s' is missing: a name, \"prefix*\" or \"*\"", key);
        return;
    }
    text = yaml_expect_text(item, reader->problems);
    if (text == NULL) {
        return;
    }
    if (!is_pattern(text)) {
        (void)yaml_error(reader->problems, item,
                         "'%s' must be a name, \"prefix*\" or \"*\"", key);
        return;
    }
    (void)snprintf(ret_pattern, NAME_MAX_BYTES + 1, "%s", text);
}

/* --- Variables ------------------------------------------------------------ */

static bool is_variable_name(const char *name)
{
    return name[0] >= 'a' && name[0] <= 'z' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static void read_variable(struct config_reader *reader,
                          const struct yaml_item *item,
                          struct service_config *service)
{
    char *name = service->vars[service->vars_count].name;
    const size_t size = sizeof(service->vars[0].name);

    if (!is_variable_name(item->key) || strlen(item->key) >= size) {
        (void)yaml_key_error(reader->problems, item,
                             "'%s' is no variable's name: a-z, 0-9 and _ "
                             "after a letter, at most %zu",
                             item->key, size - 1);
        return;
    }
    for (size_t i = 0; config_known_revert[i] != NULL; i++) {
        if (strcmp(item->key, config_known_revert[i]) == 0) {
            (void)yaml_key_error(reader->problems, item,
                                 "'%s' is filled in by the controller; take "
                                 "another name",
                                 item->key);
            return;
        }
    }
    memcpy(name, item->key, strlen(item->key) + 1);
    if (config_read_text(reader, item, service->vars[service->vars_count].value,
                         sizeof(service->vars[0].value))) {
        service->vars_count++;
    }
}

static void read_variables(struct config_reader *reader,
                           const struct yaml_item *map,
                           struct service_config *service)
{
    const struct yaml_item *vars = yaml_get(map, "vars");

    if (vars == NULL || !yaml_expect_map(vars, NULL, 0, reader->problems)) {
        return;
    }
    if (vars->count > CONFIG_VARS_MAX) {
        (void)yaml_key_error(reader->problems, vars,
                             "'vars' has %zu entries; at most %d are read",
                             vars->count, CONFIG_VARS_MAX);
        return;
    }
    for (const struct yaml_item *item = vars->first; item != NULL;
         item = item->next) {
        read_variable(reader, item, service);
    }
}

/* --- Services ------------------------------------------------------------- */

static void read_peers(struct config_reader *reader,
                       const struct yaml_item *map,
                       struct service_config *service)
{
    const struct config_names targets = config_target_names(reader->config);
    const struct config_names sources = config_source_names(reader->config);
    const struct yaml_item *target = yaml_get(map, "target");
    const struct yaml_item *source = yaml_get(map, "source");

    if (target == NULL) {
        (void)yaml_error(reader->problems, map,
                         "'target' is missing: where this service is deployed");
    } else {
        (void)config_read_reference(reader, target, &targets, &service->target);
    }
    if (source != NULL) {
        (void)config_read_reference(reader, source, &sources, &service->source);
    }
}

/* First match wins, so an entry behind one that takes all of it is dead. */
static void warn_of_dead_entry(struct config_reader *reader,
                               const struct yaml_item *section,
                               const struct yaml_item *map)
{
    const struct config *config = reader->config;
    const struct service_config *last =
        &config->services[config->services_count - 1];
    const struct yaml_item *above = section->first;

    for (const struct service_config *first = config->services; first < last;
         first++, above = above->next) {
        if (config_pattern_covers(first->service, last->service) &&
            config_pattern_covers(first->environment, last->environment)) {
            problem_note(yaml_warning(reader->problems, map,
                                      "never used: an entry above already "
                                      "takes %s in %s; first match wins",
                                      last->service, last->environment),
                         above->line, above->column, "it is this one");
            return;
        }
    }
}

static void read_service(struct config_reader *reader,
                         const struct yaml_item *map,
                         struct service_config *service)
{
    static const char *const keys[] = {"service", "environment", "target",
                                       "source",  "ceiling",     "vars"};

    service->target = NONE_INDEX;
    service->source = NONE_INDEX;
    service->ceiling = MODE_AUTO;
    if (!yaml_expect_map(map, keys, sizeof(keys) / sizeof(keys[0]),
                         reader->problems)) {
        return;
    }
    read_pattern(reader, map, "service", service->service);
    read_pattern(reader, map, "environment", service->environment);
    read_peers(reader, map, service);
    config_get_mode(reader, map, &service->ceiling);
    read_variables(reader, map, service);
}

void config_read_services(struct config_reader *reader,
                          const struct yaml_item *section)
{
    struct config *config = reader->config;

    if (!yaml_expect_list(section, reader->problems) || section->count == 0) {
        return;
    }
    if (section->count > CONFIG_SERVICES_MAX) {
        (void)yaml_key_error(reader->problems, section,
                             "'services' has %zu entries; at most %d are "
                             "read: use patterns",
                             section->count, CONFIG_SERVICES_MAX);
        return;
    }
    config->services = memory_zeroed(section->count, sizeof(*config->services));
    for (const struct yaml_item *item = section->first; item != NULL;
         item = item->next) {
        config->services_count++;
        read_service(reader, item,
                     &config->services[config->services_count - 1]);
        warn_of_dead_entry(reader, section, item);
    }
}
