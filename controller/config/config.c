#include "controller/config/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>

#include "controller/config/config_file.h"
#include "controller/config/config_parts.h"
#include "policies/memory.h"

#define KEYS(keys) keys, sizeof(keys) / sizeof((keys)[0])

/* --- Small sections ------------------------------------------------------- */

static void set_defaults(struct config *config)
{
    struct core_options *core = &config->core;

    (void)snprintf(config->listen_host, sizeof(config->listen_host),
                   "127.0.0.1");
    config->listen_port = 7333;
    config->heartbeat_every = MINUTE_MS;
    core->services_max = 2000;
    core->releases_max = 10000;
    core->series_max = 20000;
    core->ceiling = MODE_AUTO;
    core->per_service = (struct budget){1, 30 * MINUTE_MS};
    core->fleet = (struct budget){3, 10 * MINUTE_MS};
    core->shared_services = 3;
    core->shared_share = 0.3;
    core->shared_window = 5 * MINUTE_MS;
    core->version = LASTGOOD_VERSION;
}

/* Without the section: HTTP on this machine.  With it: only what it names. */
static void read_listen(struct config_reader *reader,
                        const struct yaml_item *section)
{
    static const char *const keys[] = {"http", "unix"};
    struct config *config = reader->config;
    const struct yaml_item *http = yaml_get(section, "http");
    const struct yaml_item *path = yaml_get(section, "unix");

    if (!yaml_expect_map(section, KEYS(keys), reader->problems)) {
        return;
    }
    if (http == NULL && path == NULL) {
        (void)yaml_key_error(reader->problems, section,
                             "'listen' needs 'http' or 'unix'");
    }
    config->listen_host[0] = '\0';
    if (http != NULL) {
        (void)config_read_listen(reader, http);
    }
    if (path != NULL) {
        (void)config_read_path(reader, path, config->listen_unix,
                               sizeof(config->listen_unix));
    }
}

static void read_state(struct config_reader *reader,
                       const struct yaml_item *section)
{
    static const char *const keys[] = {"sqlite"};
    const struct yaml_item *sqlite = yaml_get(section, "sqlite");

    if (!yaml_expect_map(section, KEYS(keys), reader->problems)) {
        return;
    }
    if (sqlite == NULL) {
        (void)yaml_key_error(reader->problems, section,
                             "'state' needs 'sqlite', the database's path");
        return;
    }
    (void)config_read_path(reader, sqlite, reader->config->sqlite,
                           sizeof(reader->config->sqlite));
}

static void read_policies(struct config_reader *reader,
                          const struct yaml_item *section)
{
    (void)config_read_path(reader, section, reader->config->policies,
                           sizeof(reader->config->policies));
}

static void read_limits(struct config_reader *reader,
                        const struct yaml_item *section)
{
    static const char *const keys[] = {"services", "releases", "series"};
    struct core_options *core = &reader->config->core;
    uint32_t *const limits[] = {&core->services_max, &core->releases_max,
                                &core->series_max};
    const int64_t most[] = {SERVICES_MAX, RELEASES_MAX, SERIES_MAX};

    if (!yaml_expect_map(section, KEYS(keys), reader->problems)) {
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        const struct yaml_item *item = yaml_get(section, keys[i]);
        int64_t number = 0;

        if (item != NULL &&
            yaml_expect_whole(item, 1, most[i], &number, reader->problems)) {
            *limits[i] = (uint32_t)number;
        }
    }
}

static void read_interlocks(struct config_reader *reader,
                            const struct yaml_item *section)
{
    static const char *const keys[] = {"per_service", "fleet", "shared_cause"};
    struct core_options *core = &reader->config->core;
    const struct yaml_item *per_service = yaml_get(section, "per_service");
    const struct yaml_item *fleet = yaml_get(section, "fleet");
    const struct yaml_item *shared = yaml_get(section, "shared_cause");

    if (!yaml_expect_map(section, KEYS(keys), reader->problems)) {
        return;
    }
    if (per_service != NULL) {
        (void)config_read_budget(reader, per_service, &core->per_service);
    }
    if (fleet != NULL) {
        (void)config_read_budget(reader, fleet, &core->fleet);
    }
    if (shared != NULL) {
        (void)config_read_shared_cause(reader, shared, core);
    }
}

static void read_heartbeat(struct config_reader *reader,
                           const struct yaml_item *section)
{
    static const char *const keys[] = {"get", "every"};
    struct config *config = reader->config;
    const struct yaml_item *get = yaml_get(section, "get");

    if (!yaml_expect_map(section, KEYS(keys), reader->problems)) {
        return;
    }
    config->heartbeat_given = true;
    if (get == NULL) {
        (void)yaml_key_error(reader->problems, section,
                             "'heartbeat' needs 'get', the address to call");
    } else {
        (void)config_read_url(reader, get, false, config->heartbeat_url);
    }
    config_get_duration(reader, section, "every",
                        (struct config_range){SECOND_MS, HOUR_MS},
                        &config->heartbeat_every);
}

static bool is_paged_already(const struct core_options *core, const char *name)
{
    for (size_t i = 0; i < core->pages_count; i++) {
        if (core->page[i] == name) {
            return true;
        }
    }
    return false;
}

static void read_page(struct config_reader *reader,
                      const struct yaml_item *section)
{
    const struct config *config = reader->config;
    const struct config_names names = config_notice_names(config);
    struct core_options *core = &reader->config->core;

    if (!yaml_expect_list(section, reader->problems)) {
        return;
    }
    if (section->count > PAGE_SINKS_MAX) {
        (void)yaml_key_error(reader->problems, section,
                             "'page' has %zu entries; at most %d are read",
                             section->count, PAGE_SINKS_MAX);
        return;
    }
    for (const struct yaml_item *item = section->first; item != NULL;
         item = item->next) {
        uint16_t index = 0;

        if (!config_read_reference(reader, item, &names, &index)) {
            continue;
        }
        if (is_paged_already(core, config->notices[index].name)) {
            (void)yaml_error(reader->problems, item,
                             "'%s' stands here a second time; keep one",
                             config->notices[index].name);
            continue;
        }
        core->page[core->pages_count] = config->notices[index].name;
        core->pages_count++;
    }
}

/* --- The whole ------------------------------------------------------------ */

/* In the order in which they need each other, whatever the file's. */
static const struct section {
    const char *key;
    void (*read)(struct config_reader *reader, const struct yaml_item *section);
    const char *missing; /* an error when it is; NULL: not needed */
} sections[] = {
    {"listen", read_listen, NULL},
    {"state", read_state, "where to remember: state: {sqlite: PATH}"},
    {"policies", read_policies, "the folder of the policy files"},
    {"limits", read_limits, NULL},
    {"interlocks", read_interlocks, NULL},
    {"heartbeat", read_heartbeat, NULL},
    {"sources", config_read_sources, NULL},
    {"targets", config_read_targets, NULL},
    {"notices", config_read_notices, NULL},
    {"actions", config_read_actions, NULL},
    {"page", read_page, NULL},
    {"services", config_read_services, "the services to watch"},
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static void read_sections(struct config_reader *reader,
                          const struct yaml_item *root)
{
    const char *keys[SECTIONS + 1];

    for (size_t i = 0; i < SECTIONS; i++) {
        keys[i] = sections[i].key;
    }
    keys[SECTIONS] = "ceiling";
    if (!yaml_expect_map(root, keys, SECTIONS + 1, reader->problems)) {
        return;
    }
    config_get_mode(reader, root, &reader->config->core.ceiling);
    for (size_t i = 0; i < SECTIONS; i++) {
        const struct yaml_item *section = yaml_get(root, sections[i].key);

        if (section != NULL) {
            sections[i].read(reader, section);
        } else if (sections[i].missing != NULL) {
            (void)problems_error(reader->problems, 0, 0, "'%s' is missing: %s",
                                 sections[i].key, sections[i].missing);
        }
    }
    config_check_variables(reader, yaml_get(root, "services"),
                           yaml_get(root, "actions"));
    if (reader->config->core.pages_count == 0) {
        (void)problems_warning(reader->problems, 0, 0,
                               "no 'page:': nobody is told when the "
                               "controller needs people");
    }
}

/* --- What the core gets --------------------------------------------------- */

static time_ms longest_timeout(const struct target_config *target)
{
    time_ms longest = target->live.timeout;

    if (target->has.timeout > longest) {
        longest = target->has.timeout;
    }
    return target->revert.timeout > longest ? target->revert.timeout : longest;
}

static void fill_sources(struct config *config)
{
    config->source_options =
        memory_zeroed(config->sources_count, sizeof(*config->source_options));
    for (size_t i = 0; i < config->sources_count; i++) {
        const struct source_config *source = &config->sources[i];
        struct source_option *option = &config->source_options[i];

        (void)snprintf(option->name, sizeof(option->name), "%s", source->name);
        option->fetch = source->fetch;
        option->lag = source->lag;
        option->timeout = source->timeout;
        option->per_service = config_has_variables(source->url);
    }
    config->core.sources = config->source_options;
    config->core.sources_count = config->sources_count;
}

static void fill_targets(struct config *config)
{
    config->target_options =
        memory_zeroed(config->targets_count, sizeof(*config->target_options));
    for (size_t i = 0; i < config->targets_count; i++) {
        const struct target_config *target = &config->targets[i];
        struct target_option *option = &config->target_options[i];

        (void)snprintf(option->name, sizeof(option->name), "%s", target->name);
        option->deadline = target->deadline;
        option->timeout = longest_timeout(target);
        option->can_check = target->has.given;
    }
    config->core.targets = config->target_options;
    config->core.targets_count = config->targets_count;
}

static void fill_services(struct config *config)
{
    config->service_options =
        memory_zeroed(config->services_count, sizeof(*config->service_options));
    for (size_t i = 0; i < config->services_count; i++) {
        const struct service_config *service = &config->services[i];
        struct service_option *option = &config->service_options[i];

        (void)snprintf(option->service, sizeof(option->service), "%s",
                       service->service);
        (void)snprintf(option->environment, sizeof(option->environment), "%s",
                       service->environment);
        option->target = service->target;
        option->source = service->source;
        option->ceiling = service->ceiling;
    }
    config->core.services = config->service_options;
    config->core.services_count = config->services_count;
}

static void fill_core(struct config *config)
{
    ssize_t length =
        getrandom(&config->core.seed, sizeof(config->core.seed), 0);

    assert(length == (ssize_t)sizeof(config->core.seed));
    fill_sources(config);
    fill_targets(config);
    fill_services(config);
}

/* --- The file ------------------------------------------------------------- */

/* Where the file lies: relative paths begin there, and STOP is looked for. */
static bool set_folder(struct config_reader *reader, const char *path)
{
    struct config *config = reader->config;
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;

    if (strlen(path) >= sizeof(config->path) ||
        length + sizeof("STOP") > sizeof(config->stop_file)) {
        (void)problems_error(reader->problems, 0, 0,
                             "the path is too long; at most %zu bytes",
                             sizeof(config->path) - 1);
        return false;
    }
    memcpy(config->path, path, strlen(path) + 1);
    memcpy(reader->folder, path, length);
    reader->folder[length] = '\0';
    memcpy(config->stop_file, path, length);
    memcpy(config->stop_file + length, "STOP", sizeof("STOP"));
    return true;
}

static struct yaml_tree *read_tree(const char *path, struct problems *problems)
{
    char *text = memory_resized(NULL, CONFIG_FILE_MAX + 1);
    struct yaml_tree *tree = NULL;
    ssize_t length = 0;

    length = config_read_file(path, text, CONFIG_FILE_MAX + 1);
    if (length < 0) {
        (void)problems_error(problems, 0, 0,
                             "cannot read the configuration: %s",
                             strerror(errno));
    } else {
        tree = yaml_tree_read(path, text, (size_t)length, problems);
    }
    free(text);
    return tree;
}

struct config *config_read(const char *path, struct problems *problems)
{
    struct config *config = memory_zeroed(1, sizeof(*config));
    struct config_reader reader = {.config = config, .problems = problems};
    struct yaml_tree *tree = NULL;

    problems_init(problems, path);
    set_defaults(config);
    if (set_folder(&reader, path)) {
        tree = read_tree(path, problems);
    }
    if (tree != NULL) {
        (void)problems_about(problems, RULE_CONFIGURATION);
        read_sections(&reader, yaml_root(tree));
        yaml_tree_free(tree);
    }
    if (problems->errors > 0) {
        config_free(config);
        return NULL;
    }
    fill_core(config);
    return config;
}

static void cleanse(struct config *config)
{
    for (size_t i = 0; i < config->sources_count; i++) {
        OPENSSL_cleanse(config->sources[i].bearer,
                        sizeof(config->sources[i].bearer));
    }
    for (size_t i = 0; i < config->targets_count; i++) {
        OPENSSL_cleanse(config->targets[i].bearer,
                        sizeof(config->targets[i].bearer));
    }
    for (size_t i = 0; i < config->notices_count; i++) {
        OPENSSL_cleanse(config->notices[i].secret,
                        sizeof(config->notices[i].secret));
    }
    for (size_t i = 0; i < config->actions_count; i++) {
        OPENSSL_cleanse(config->actions[i].bearer,
                        sizeof(config->actions[i].bearer));
    }
}

void config_free(struct config *config)
{
    if (config == NULL) {
        return;
    }
    cleanse(config);
    free(config->sources);
    free(config->targets);
    free(config->services);
    free(config->notices);
    free(config->actions);
    free(config->source_options);
    free(config->target_options);
    free(config->service_options);
    free(config);
}
