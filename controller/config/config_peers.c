/* The sections sources, targets, notices and actions: who is talked to. */
#include "controller/config/config_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

#define KEYS(keys) keys, sizeof(keys) / sizeof((keys)[0])

/* Begin a section of named entries: room for each of them, at most @most.
 * NULL when there is nothing to read. */
static void *make_entries(struct config_reader *reader,
                          const struct yaml_item *section, size_t most,
                          size_t size)
{
    void *entries = NULL;

    if (!yaml_expect_map(section, NULL, 0, reader->problems) ||
        section->count == 0) {
        return NULL;
    }
    if (section->count > most) {
        (void)yaml_key_error(reader->problems, section,
                             "'%s' has %zu entries; at most %zu are read",
                             section->key, section->count, most);
        return NULL;
    }
    entries = memory_zeroed(section->count, size);
    return entries;
}

/* An entry's name is its key. */
static void read_name(struct config_reader *reader,
                      const struct yaml_item *item,
                      char ret_name[NAME_MAX_BYTES + 1])
{
    if (!name_is_valid(item->key)) {
        (void)yaml_key_error(reader->problems, item,
                             "'%s' is no name: letters, digits and . _ + : @ "
                             "/ - after a letter or digit, at most %d",
                             item->key, NAME_MAX_BYTES);
        return;
    }
    (void)snprintf(ret_name, NAME_MAX_BYTES + 1, "%s", item->key);
}

/* --- Sources -------------------------------------------------------------- */

static const char *const fetch_keys[] = {"prometheus", "scrape", "json"};

/* A key that only some kinds of source have. */
static void only_for(struct config_reader *reader, const struct yaml_item *map,
                     const char *key, bool fits, const char *kinds)
{
    const struct yaml_item *item = yaml_get(map, key);

    if (item != NULL && !fits) {
        (void)yaml_key_error(reader->problems, item,
                             "'%s' is for %s; remove it", key, kinds);
    }
}

static void read_fetch(struct config_reader *reader,
                       const struct yaml_item *map,
                       struct source_config *source)
{
    size_t given = 0;

    for (size_t i = 0; i < 3; i++) {
        const struct yaml_item *item = yaml_get(map, fetch_keys[i]);

        if (item == NULL) {
            continue;
        }
        given++;
        source->fetch = (enum fetch)i;
        (void)config_read_url(reader, item, true, source->url);
    }
    if (given != 1) {
        (void)yaml_key_error(reader->problems, map,
                             "a source is one of 'prometheus', 'scrape' and "
                             "'json', with its address");
    }
}

static void read_source(struct config_reader *reader,
                        const struct yaml_item *map,
                        struct source_config *source)
{
    static const char *const keys[] = {"prometheus", "scrape",     "json",
                                       "every",      "lag",        "timeout",
                                       "alive",      "bearer_file"};
    const struct yaml_item *alive = yaml_get(map, "alive");
    bool asks = false;

    *source = (struct source_config){.every = 15 * SECOND_MS,
                                     .lag = 2 * SECOND_MS,
                                     .timeout = 5 * SECOND_MS};
    read_name(reader, map, source->name);
    if (!yaml_expect_map(map, KEYS(keys), reader->problems)) {
        return;
    }
    read_fetch(reader, map, source);
    asks = source->fetch == FETCH_PROMETHEUS;
    config_get_duration(reader, map, "every",
                        (struct config_range){SECOND_MS, HOUR_MS},
                        &source->every);
    config_get_duration(reader, map, "lag",
                        (struct config_range){0, 10 * MINUTE_MS}, &source->lag);
    config_get_duration(reader, map, "timeout",
                        (struct config_range){100, MINUTE_MS},
                        &source->timeout);
    if (alive != NULL) {
        (void)config_read_text(reader, alive, source->alive,
                               sizeof(source->alive));
    }
    config_get_secret(reader, map, "bearer_file", source->bearer,
                      source->bearer_file);
    only_for(reader, map, "every", !asks, "scrape and json");
    only_for(reader, map, "alive", asks, "prometheus");
}

void config_read_sources(struct config_reader *reader,
                         const struct yaml_item *section)
{
    struct config *config = reader->config;

    config->sources =
        make_entries(reader, section, SOURCES_MAX, sizeof(*config->sources));
    if (config->sources == NULL) {
        return;
    }
    for (const struct yaml_item *item = section->first; item != NULL;
         item = item->next) {
        read_source(reader, item, &config->sources[config->sources_count]);
        config->sources_count++;
    }
}

/* --- Targets -------------------------------------------------------------- */

static void read_part(struct config_reader *reader, const struct yaml_item *map,
                      const char *key, unsigned allows,
                      struct call_config *call)
{
    const struct yaml_item *item = yaml_get(map, key);
    const char *keys[CALL_KEYS_MAX];
    size_t count = config_call_keys(allows, keys);

    if (item != NULL && yaml_expect_map(item, keys, count, reader->problems)) {
        config_read_call(reader, item, allows, call);
    }
}

static void read_http_target(struct config_reader *reader,
                             const struct yaml_item *map,
                             struct target_config *target)
{
    static const char *const keys[] = {"live", "has", "revert", "bearer_file"};

    if (!yaml_expect_map(map, KEYS(keys), reader->problems)) {
        return;
    }
    for (size_t i = 0; i < 3; i += 2) {
        if (yaml_get(map, keys[i]) == NULL) {
            (void)yaml_key_error(reader->problems, map,
                                 "'%s' is missing: the call that %s", keys[i],
                                 i == 0 ? "says what is live"
                                        : "puts the last good version live");
        }
    }
    read_part(reader, map, "live", CALL_GET | CALL_LIVE, &target->live);
    read_part(reader, map, "has", CALL_GET, &target->has);
    read_part(reader, map, "revert",
              CALL_POST | CALL_PUT | CALL_PATCH | CALL_JSON | CALL_ANSWERS |
                  CALL_KEY,
              &target->revert);
    config_get_secret(reader, map, "bearer_file", target->bearer,
                      target->bearer_file);
}

static void read_target(struct config_reader *reader,
                        const struct yaml_item *map,
                        struct target_config *target)
{
    static const char *const keys[] = {"http", "deadline"};
    const struct yaml_item *http = NULL;

    target->deadline = 10 * MINUTE_MS;
    read_name(reader, map, target->name);
    if (!yaml_expect_map(map, KEYS(keys), reader->problems)) {
        return;
    }
    http = yaml_get(map, "http");
    if (http == NULL) {
        (void)yaml_key_error(reader->problems, map,
                             "a target needs 'http' with its calls 'live' and "
                             "'revert'");
    } else {
        read_http_target(reader, http, target);
    }
    config_get_duration(reader, map, "deadline",
                        (struct config_range){10 * SECOND_MS, DAY_MS},
                        &target->deadline);
}

void config_read_targets(struct config_reader *reader,
                         const struct yaml_item *section)
{
    struct config *config = reader->config;

    config->targets =
        make_entries(reader, section, TARGETS_MAX, sizeof(*config->targets));
    if (config->targets == NULL) {
        return;
    }
    for (const struct yaml_item *item = section->first; item != NULL;
         item = item->next) {
        read_target(reader, item, &config->targets[config->targets_count]);
        config->targets_count++;
    }
}

/* --- Notices -------------------------------------------------------------- */

static void read_webhook(struct config_reader *reader,
                         const struct yaml_item *map,
                         struct notice_config *notice)
{
    static const char *const keys[] = {"url", "secret_file", "timeout"};
    const struct yaml_item *url = NULL;

    if (!yaml_expect_map(map, KEYS(keys), reader->problems)) {
        return;
    }
    url = yaml_get(map, "url");
    if (url == NULL) {
        (void)yaml_key_error(reader->problems, map,
                             "'url' is missing: the address to post to");
    } else {
        (void)config_read_url(reader, url, false, notice->url);
    }
    config_get_secret(reader, map, "secret_file", notice->secret,
                      notice->secret_file);
    config_get_duration(reader, map, "timeout",
                        (struct config_range){100, MINUTE_MS},
                        &notice->timeout);
}

static void read_notice(struct config_reader *reader,
                        const struct yaml_item *map,
                        struct notice_config *notice)
{
    static const char *const keys[] = {"webhook"};
    const struct yaml_item *webhook = NULL;

    notice->timeout = 10 * SECOND_MS;
    read_name(reader, map, notice->name);
    if (!yaml_expect_map(map, KEYS(keys), reader->problems)) {
        return;
    }
    webhook = yaml_get(map, "webhook");
    if (webhook == NULL) {
        (void)yaml_key_error(reader->problems, map,
                             "a notice needs 'webhook' with its 'url'");
    } else {
        read_webhook(reader, webhook, notice);
    }
}

void config_read_notices(struct config_reader *reader,
                         const struct yaml_item *section)
{
    struct config *config = reader->config;

    config->notices =
        make_entries(reader, section, SINKS_MAX, sizeof(*config->notices));
    if (config->notices == NULL) {
        return;
    }
    for (const struct yaml_item *item = section->first; item != NULL;
         item = item->next) {
        read_notice(reader, item, &config->notices[config->notices_count]);
        config->notices_count++;
    }
}

/* --- Actions -------------------------------------------------------------- */

static void read_action(struct config_reader *reader,
                        const struct yaml_item *map,
                        struct action_config *action)
{
    static const unsigned allows = CALL_POST | CALL_PUT | CALL_JSON | CALL_KEY;
    const char *keys[CALL_KEYS_MAX + 2];
    size_t count = config_call_keys(allows, keys);

    keys[count] = "bearer_file";
    keys[count + 1] = "once_per";
    read_name(reader, map, action->name);
    if (!yaml_expect_map(map, keys, count + 2, reader->problems)) {
        return;
    }
    config_read_call(reader, map, allows, &action->call);
    config_get_secret(reader, map, "bearer_file", action->bearer,
                      action->bearer_file);
    config_get_duration(reader, map, "once_per",
                        (struct config_range){SECOND_MS, 30 * DAY_MS},
                        &action->once_per);
}

void config_read_actions(struct config_reader *reader,
                         const struct yaml_item *section)
{
    struct config *config = reader->config;

    config->actions =
        make_entries(reader, section, ACTIONS_MAX, sizeof(*config->actions));
    if (config->actions == NULL) {
        return;
    }
    for (const struct yaml_item *item = section->first; item != NULL;
         item = item->next) {
        read_action(reader, item, &config->actions[config->actions_count]);
        config->actions_count++;
    }
}
