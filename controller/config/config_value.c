/* Single values of the configuration. */
#include "controller/config/config_file.h"
#include "controller/config/config_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

/* --- Texts and paths ------------------------------------------------------ */

static bool too_long(struct config_reader *reader, const struct yaml_item *item,
                     size_t size)
{
    (void)yaml_error(reader->problems, item,
                     "this is too long; at most %zu bytes are read", size - 1);
    return false;
}

bool config_read_text(struct config_reader *reader,
                      const struct yaml_item *item, char *ret_text, size_t size)
{
    const char *text = yaml_expect_text(item, reader->problems);

    if (text == NULL) {
        return false;
    }
    if (strlen(text) >= size) {
        return too_long(reader, item, size);
    }
    memcpy(ret_text, text, strlen(text) + 1);
    return true;
}

bool config_read_path(struct config_reader *reader,
                      const struct yaml_item *item, char *ret_path, size_t size)
{
    const char *text = yaml_expect_text(item, reader->problems);
    const char *folder = NULL;

    if (text == NULL) {
        return false;
    }
    folder = text[0] == '/' ? "" : reader->folder;
    if (strlen(folder) + strlen(text) >= size) {
        return too_long(reader, item, size - strlen(folder));
    }
    (void)snprintf(ret_path, size, "%s%s", folder, text);
    return true;
}

/* --- Addresses ------------------------------------------------------------ */

static bool keep_going(void *data, const char *name)
{
    (void)data;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* What stands behind "http://": a host, and no user or password. */
static const char *authority_refusal(const char *authority)
{
    size_t length = strcspn(authority, "/?#");

    if (length == 0) {
        return "the address has no host";
    }
    if (memchr(authority, '@', length) != NULL) {
        return "no user or password in an address: put the secret into a "
               "file and name it in 'bearer_file'";
    }
    return NULL;
}

const char *config_url_refusal(const char *url, bool variables)
{
    for (const char *at = url; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') {
            return "an address has no blanks and only ASCII: write others "
                   "as %XX";
        }
    }
    if (strchr(url, '#') != NULL) {
        return "an address ends before its '#'";
    }
    if (!variables && strpbrk(url, "{}") != NULL) {
        return "there are no variables in this address";
    }
    if (!template_names(url, keep_going, NULL)) {
        return "a brace is not closed or holds no name: write {name}";
    }
    if (url[0] == '{') {
        return NULL; /* the variable's value is looked at where it is given */
    }
    if (starts_with(url, "http://")) {
        return authority_refusal(url + strlen("http://"));
    }
    if (starts_with(url, "https://")) {
        return authority_refusal(url + strlen("https://"));
    }
    return "an address begins with http:// or https://";
}

bool config_read_url(struct config_reader *reader, const struct yaml_item *item,
                     bool variables, char *ret_url)
{
    const char *refusal = NULL;

    if (!config_read_text(reader, item, ret_url, CONFIG_URL_MAX)) {
        return false;
    }
    refusal = config_url_refusal(ret_url, variables);
    if (refusal != NULL) {
        (void)yaml_error(reader->problems, item, "%s", refusal);
        ret_url[0] = '\0'; /* nothing more is said about it */
        return false;
    }
    return true;
}

/* There are no tokens: who reaches the daemon may command it. */
static void warn_of_open_door(struct config_reader *reader,
                              const struct yaml_item *item, const char *host)
{
    if (!starts_with(host, "127.") && strcmp(host, "localhost") != 0 &&
        strcmp(host, "::1") != 0) {
        (void)yaml_warning(reader->problems, item,
                           "whoever reaches %s may register, freeze and roll "
                           "back: listen on 127.0.0.1 or a unix socket, "
                           "behind a proxy that knows who asks",
                           host);
    }
}

bool config_read_listen(struct config_reader *reader,
                        const struct yaml_item *item)
{
    struct config *config = reader->config;
    char text[sizeof(config->listen_host) + 8];
    char *colon = NULL, *host = text, *end = NULL;
    long port = -1;

    if (!config_read_text(reader, item, text, sizeof(text))) {
        return false;
    }
    colon = strrchr(text, ':');
    if (colon != NULL && colon[1] >= '0' && colon[1] <= '9') {
        port = strtol(colon + 1, &end, 10);
        port = *end == '\0' ? port : -1;
        *colon = '\0';
    }
    if (port >= 0 && host[0] == '[' && host[strlen(host) - 1] == ']') {
        host[strlen(host) - 1] = '\0';
        host++;
    } else if (strchr(host, ':') != NULL) {
        port = -1; /* an IPv6 address without its brackets */
    }
    if (port < 0 || port > 65535 || host[0] == '\0') {
        (void)yaml_error(reader->problems, item,
                         "'%s' must be HOST:PORT, as 127.0.0.1:7333 or "
                         "[::1]:7333",
                         item->key);
        return false;
    }
    assert(strlen(host) < sizeof(config->listen_host));
    memcpy(config->listen_host, host, strlen(host) + 1);
    config->listen_port = (int)port;
    warn_of_open_door(reader, item, host);
    return true;
}

/* --- Secrets -------------------------------------------------------------- */

/* What a secret may be: one line of printable ASCII, so that it can stand in
 * a header. */
static bool is_secret(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return false;
        }
    }
    return length > 0 && text[0] != ' ' && text[length - 1] != ' ';
}

bool config_read_secret(struct config_reader *reader,
                        const struct yaml_item *item, char *ret_secret,
                        char *ret_path)
{
    char text[CONFIG_SECRET_MAX];
    ssize_t length = 0;
    bool ok = false;

    if (!config_read_path(reader, item, ret_path, CONFIG_PATH_MAX)) {
        return false;
    }
    length = config_read_file(ret_path, text, sizeof(text));
    if (length < 0) {
        (void)yaml_error(reader->problems, item,
                         "cannot read the secret's file %s: %s", ret_path,
                         strerror(errno));
        return false;
    }
    while (length > 0 &&
           (text[length - 1] == '\n' || text[length - 1] == '\r')) {
        length--;
    }
    ok = is_secret(text, (size_t)length);
    if (ok) {
        memcpy(ret_secret, text, (size_t)length);
        ret_secret[length] = '\0';
    } else {
        (void)yaml_error(reader->problems, item,
                         "the secret's file %s must hold one line of "
                         "printable ASCII and nothing else",
                         ret_path);
    }
    OPENSSL_cleanse(text, sizeof(text));
    return ok;
}

/* --- Interlocks ----------------------------------------------------------- */

#define BUDGET_MOST 10000

bool config_read_budget(struct config_reader *reader,
                        const struct yaml_item *item, struct budget *ret_budget)
{
    const char *text = yaml_expect_text(item, reader->problems);
    unsigned count = 0;
    char span[16] = "";
    int end = 0;
    time_ms window = 0;

    if (text == NULL) {
        return false;
    }
    (void)sscanf(text, "%5u in %15[0-9a-z]%n", &count, span, &end);
    if (end == 0 || text[end] != '\0' || count < 1 || count > BUDGET_MOST ||
        !duration_read(span, &window) || window < SECOND_MS ||
        window > 30 * DAY_MS) {
        (void)yaml_error(reader->problems, item,
                         "'%s' must be as in '1 in 30m': how many rollbacks "
                         "(1 to %d) in how long (1s to 30d)",
                         item->key, BUDGET_MOST);
        return false;
    }
    *ret_budget = (struct budget){.count = count, .window = window};
    return true;
}

bool config_read_shared_cause(struct config_reader *reader,
                              const struct yaml_item *item,
                              struct core_options *core)
{
    const char *text = yaml_expect_text(item, reader->problems);
    unsigned services = 0;
    char share[16] = "", span[16] = "", *share_end = NULL;
    double percent = 0;
    int end = 0;
    time_ms window = 0;

    if (text == NULL) {
        return false;
    }
    (void)sscanf(text, "%5u services and %15[0-9.]%% in %15[0-9a-z]%n",
                 &services, share, span, &end);
    percent = strtod(share, &share_end);
    if (end == 0 || text[end] != '\0' || *share_end != '\0' || services < 2 ||
        services > BUDGET_MOST || percent > 100 ||
        !duration_read(span, &window) || window < MINUTE_MS ||
        window > DAY_MS) {
        (void)yaml_error(reader->problems, item,
                         "'%s' must be as in '3 services and 30%% in 5m' "
                         "(at least 2 services, at most 100%%, 1m to 1d)",
                         item->key);
        return false;
    }
    core->shared_services = services;
    core->shared_share = percent / 100;
    core->shared_window = window;
    return true;
}

/* --- References ----------------------------------------------------------- */

struct config_names config_source_names(const struct config *config)
{
    return (struct config_names){"source", config->sources,
                                 config->sources_count,
                                 sizeof(*config->sources)};
}

struct config_names config_target_names(const struct config *config)
{
    return (struct config_names){"target", config->targets,
                                 config->targets_count,
                                 sizeof(*config->targets)};
}

struct config_names config_notice_names(const struct config *config)
{
    return (struct config_names){"notice", config->notices,
                                 config->notices_count,
                                 sizeof(*config->notices)};
}

struct config_names config_action_names(const struct config *config)
{
    return (struct config_names){"action", config->actions,
                                 config->actions_count,
                                 sizeof(*config->actions)};
}

static const char *name_of(const struct config_names *names, size_t index)
{
    return (const char *)names->entries + names->size * index;
}

bool config_find_name(const struct config_names *names, const char *name,
                      uint16_t *ret_index)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(name_of(names, i), name) == 0) {
            *ret_index = (uint16_t)i;
            return true;
        }
    }
    return false;
}

const char *config_nearest(const struct config_names *names, const char *name)
{
    const char *known[TARGETS_MAX + SOURCES_MAX + SINKS_MAX + ACTIONS_MAX];

    assert(names->count <= sizeof(known) / sizeof(known[0]));
    for (size_t i = 0; i < names->count; i++) {
        known[i] = name_of(names, i);
    }
    return nearest_name(name, known, names->count);
}

bool config_read_reference(struct config_reader *reader,
                           const struct yaml_item *item,
                           const struct config_names *names,
                           uint16_t *ret_index)
{
    const char *name = yaml_expect_name(item, reader->problems);
    const char *nearest = NULL;

    if (name == NULL) {
        return false;
    }
    if (config_find_name(names, name, ret_index)) {
        return true;
    }
    nearest = config_nearest(names, name);
    if (nearest != NULL) {
        yaml_fix(yaml_error(reader->problems, item,
                            "unknown %s '%s'; did you mean '%s'?", names->what,
                            name, nearest),
                 item, nearest);
    } else {
        (void)yaml_error(reader->problems, item,
                         "unknown %s '%s'; describe it in '%ss:'", names->what,
                         name, names->what);
    }
    return false;
}

/* --- Optional values ------------------------------------------------------ */

void config_get_duration(struct config_reader *reader,
                         const struct yaml_item *map, const char *key,
                         struct config_range range, time_ms *ret_span)
{
    const struct yaml_item *item = yaml_get(map, key);

    if (item != NULL) {
        (void)yaml_expect_duration(item, range.least, range.most, ret_span,
                                   reader->problems);
    }
}

void config_get_mode(struct config_reader *reader, const struct yaml_item *map,
                     enum mode *ret_mode)
{
    static const char *const words[] = {"observe", "suggest", "countdown",
                                        "auto"};
    const struct yaml_item *item = yaml_get(map, "ceiling");
    size_t index = 0;

    if (item != NULL &&
        yaml_expect_word(item, words, 4, &index, reader->problems)) {
        *ret_mode = (enum mode)index;
    }
}

void config_get_secret(struct config_reader *reader,
                       const struct yaml_item *map, const char *key,
                       char *ret_secret, char *ret_path)
{
    const struct yaml_item *item = yaml_get(map, key);

    if (item != NULL) {
        (void)config_read_secret(reader, item, ret_secret, ret_path);
    }
}
