#include "help_driver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Adapters ------------------------------------------------------------- */

/* All adapters of a scene are these, one for the whole world. */
struct fakes {
    struct source_adapter sources[SCENE_SOURCES_MAX];
    struct target_adapter target;
    struct notice_adapter notice;
    struct scene *scene;
};
static struct fakes fakes;

/* No adapter is ever asked for what is not yet durable. */
static void check_durable(const struct effect *effect)
{
    assert(effect->needs <= fakes.scene->written);
}

static void note_close(void)
{
    fakes.scene->closed_adapters++;
    if (fakes.scene->on_close != NULL) {
        fakes.scene->on_close(fakes.scene);
    }
}

static void source_query(struct source_adapter *source, uint32_t query,
                         time_ms g)
{
    struct scene *scene = fakes.scene;
    const struct core *core = driver_core(scene->driver);
    struct input input = {.kind = INPUT_SAMPLES};
    struct series_view series = {0};
    uint32_t ids[64];
    struct sample samples[64];
    size_t cursor = 0, count = 0;

    (void)source;
    scene->queries++;
    while (count < 64 && view_next_series(core, query, &cursor, &series)) {
        ids[count] = series.id;
        samples[count] = (struct sample){.number = scene->errors};
        count++;
    }
    input.samples.query = query;
    input.samples.g = g;
    input.samples.error = scene->source_fails ? "it fails" : NULL;
    input.samples.series = ids;
    input.samples.samples = samples;
    input.samples.count = scene->source_fails ? 0 : count;
    (void)driver_push(scene->driver, &input);
}

static void source_history(struct source_adapter *source,
                           const struct effect *effect)
{
    const struct input input = {
        .kind = INPUT_HISTORY,
        .history = {.id = effect->id, .error = "no history here"}};

    check_durable(effect);
    fakes.scene->histories++;
    if (fakes.scene->on_history != NULL) {
        fakes.scene->on_history(fakes.scene, (uint16_t)(source - fakes.sources),
                                effect);
        return;
    }
    (void)driver_push(fakes.scene->driver, &input);
}

static void source_close(struct source_adapter *source)
{
    (void)source;
    note_close();
}

static void answer_target(const struct effect *effect,
                          enum target_result result)
{
    struct input input = {.kind = INPUT_TARGET};

    input.target.id = effect->id;
    input.target.result = result;
    input.target.version = fakes.scene->live;
    input.target.complete = true;
    input.target.has = true;
    input.target.text = "200 OK";
    (void)driver_push(fakes.scene->driver, &input);
}

static void target_observe(struct target_adapter *target,
                           const struct effect *effect)
{
    (void)target;
    check_durable(effect);
    fakes.scene->observes++;
    fakes.scene->asked = *effect;
    if (!fakes.scene->target_is_mute) {
        answer_target(effect, TARGET_OBSERVED);
    }
}

static void target_revert(struct target_adapter *target,
                          const struct effect *effect)
{
    struct scene *scene = fakes.scene;

    (void)target;
    check_durable(effect);
    scene->reverts++;
    scene->asked = *effect;
    if (scene->on_revert != NULL) {
        scene->on_revert(scene, effect);
    }
    if (!scene->target_is_mute) {
        (void)snprintf(scene->live, sizeof(scene->live), "%s",
                       effect->target.target);
        answer_target(effect, TARGET_ACCEPTED);
    }
}

static void target_close(struct target_adapter *target)
{
    (void)target;
    note_close();
}

static void notice_send(struct notice_adapter *notice,
                        const struct effect *effect)
{
    const struct input input = {
        .kind = INPUT_NOTICE_DONE,
        .done = {.id = effect->notify.notice, .delivered = true, .text = "ok"}};

    (void)notice;
    check_durable(effect);
    fakes.scene->notices++;
    (void)snprintf(fakes.scene->noticed, sizeof(fakes.scene->noticed), "%s",
                   effect->notify.text);
    (void)driver_push(fakes.scene->driver, &input);
}

static void notice_close(struct notice_adapter *notice)
{
    (void)notice;
    note_close();
}

static const struct source_ops source_ops = {source_query, source_history,
                                             source_close};
static const struct target_ops target_ops = {target_observe, target_observe,
                                             target_revert, target_close};
static const struct notice_ops notice_ops = {notice_send, notice_close};

/* Adapters may be asked before driver_new() has returned: here the scene
 * learns its driver. */
static struct source_adapter *make_source(struct driver *driver, uint16_t index)
{
    assert(index < SCENE_SOURCES_MAX);
    fakes.scene->driver = driver;
    fakes.sources[index].ops = &source_ops;
    return &fakes.sources[index];
}

static struct target_adapter *make_target(struct driver *driver, uint16_t index)
{
    (void)index;
    fakes.scene->driver = driver;
    return &fakes.target;
}

static struct notice_adapter *make_notice(struct driver *driver, uint16_t index)
{
    (void)index;
    fakes.scene->driver = driver;
    return &fakes.notice;
}

/* --- A store whose disk the test holds ------------------------------------ */

struct shim_store {
    struct store store;
    struct store *inner;
    struct scene *scene;
};

static enum store_result shim_append(struct store *store,
                                     const struct entry *entries, size_t count,
                                     char *ret_error, size_t size)
{
    const struct shim_store *shim = (struct shim_store *)store;
    enum store_result result = STORE_OK;

    while (shim->scene->disk == DISK_HANGS) {
        (void)usleep(1000);
    }
    switch ((enum disk)shim->scene->disk) {
    case DISK_WORKS:
    case DISK_HANGS:
        break;
    case DISK_IS_FULL:
        (void)snprintf(ret_error, size, "the test's disk is full");
        return STORE_UNAVAILABLE;
    case DISK_IS_DAMAGED:
        (void)snprintf(ret_error, size, "the test's disk is damaged");
        return STORE_CORRUPT;
    }
    result =
        shim->inner->ops->append(shim->inner, entries, count, ret_error, size);
    if (result == STORE_OK &&
        entries[count - 1].sequence > shim->scene->written) {
        shim->scene->written = entries[count - 1].sequence;
    }
    return result;
}

static enum store_result shim_read(struct store *store,
                                   const struct store_query *query,
                                   store_visit *visit, void *data,
                                   char *ret_error, size_t size)
{
    const struct shim_store *shim = (struct shim_store *)store;

    return shim->inner->ops->read(shim->inner, query, visit, data, ret_error,
                                  size);
}

static enum store_result shim_head(struct store *store, uint64_t *ret_sequence,
                                   unsigned char ret_chain[CHAIN_BYTES],
                                   char *ret_error, size_t size)
{
    const struct shim_store *shim = (struct shim_store *)store;

    return shim->inner->ops->head(shim->inner, ret_sequence, ret_chain,
                                  ret_error, size);
}

static enum store_result shim_reserve(struct store *store,
                                      const struct entry *entries, size_t count,
                                      char *ret_error, size_t size)
{
    const struct shim_store *shim = (struct shim_store *)store;
    enum store_result result = STORE_UNAVAILABLE;

    if (shim->scene->no_reserve) {
        (void)snprintf(ret_error, size, "the test's reserve is gone");
        return result;
    }
    result =
        shim->inner->ops->reserve(shim->inner, entries, count, ret_error, size);
    if (result == STORE_OK) {
        shim->scene->written = entries[count - 1].sequence;
    }
    return result;
}

static void shim_close(struct store *store)
{
    struct shim_store *shim = (struct shim_store *)store;

    shim->inner->ops->close(shim->inner);
    free(shim);
}

static const struct store_ops shim_ops = {
    .append = shim_append,
    .read = shim_read,
    .head = shim_head,
    .close = shim_close,
    .reserve = shim_reserve,
};

static struct store *open_store(struct scene *scene, char *ret_error,
                                size_t size)
{
    unsigned char chain[CHAIN_BYTES];
    struct shim_store *shim = NULL;
    uint64_t newest = 0;
    struct store *inner =
        store_sqlite_open(scene->config->sqlite, STORE_WRITE, ret_error, size);

    if (inner == NULL) {
        return NULL;
    }
    shim = calloc(1, sizeof(*shim));
    assert(shim != NULL);
    shim->store.ops = &shim_ops;
    shim->inner = inner;
    shim->scene = scene;
    if (inner->ops->head(inner, &newest, chain, ret_error, size) != STORE_OK) {
        abort();
    }
    scene->written = newest;
    return &shim->store;
}

/* --- The scene ------------------------------------------------------------ */

void scene_write(struct scene *scene, const char *name, const char *text)
{
    (void)files_write(scene->folder, name, text);
}

void scene_remove(struct scene *scene, const char *name)
{
    char path[2 * FILES_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", scene->folder, name);
    (void)unlink(path);
}

static void read_config(struct scene *scene)
{
    struct problems *problems = calloc(1, sizeof(*problems));
    char path[2 * FILES_PATH_MAX];

    assert(problems != NULL);
    (void)snprintf(path, sizeof(path), "%s/config.yaml", scene->folder);
    scene->config = config_read(path, problems);
    if (scene->config == NULL) {
        problems_print(problems, NULL, 0, false, stderr);
        abort();
    }
    free(problems);
}

void scene_configure(struct scene *scene, const char *text)
{
    scene_write(scene, "config.yaml", text);
    config_free(scene->config);
    read_config(scene);
}

const char *scene_said(struct scene *scene)
{
    (void)fflush(scene->log_out);
    return scene->log_text;
}

void scene_hush(struct scene *scene)
{
    (void)fflush(scene->log_out);
    rewind(scene->log_out);
}

struct scene *scene_begin(void)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    char path[2 * FILES_PATH_MAX];

    assert(scene != NULL);
    files_begin(scene->folder);
    (void)snprintf(path, sizeof(path), "%s/policies", scene->folder);
    if (mkdir(path, 0700) != 0) {
        abort();
    }
    scene_write(scene, "config.yaml", SCENE_CONFIG);
    scene_write(scene, "policies/svc.yaml", SCENE_POLICY);
    read_config(scene);
    (void)snprintf(scene->live, sizeof(scene->live), "1.0");
    scene->log_out = open_memstream(&scene->log_text, &scene->log_length);
    scene->log = log_new(scene->log_out, LOG_LOGFMT, LOG_DEBUG);
    fakes = (struct fakes){
        .target = {&target_ops}, .notice = {&notice_ops}, .scene = scene};
    return scene;
}

static void on_answer(void *data, const struct effect *effect)
{
    struct scene *scene = data;

    check_durable(effect);
    assert(scene->answers_count < ANSWERS_MAX);
    scene->answers[scene->answers_count++] = *effect;
    if (scene->on_answer != NULL) {
        scene->on_answer(scene, effect);
    }
}

static void on_stopped(void *data)
{
    struct scene *scene = data;

    scene->is_stopped = true;
    scene->driver = NULL;
}

static void on_lost(void *data, const char *error)
{
    struct scene *scene = data;

    scene->losses++;
    (void)snprintf(scene->lost, sizeof(scene->lost), "%s", error);
}

bool scene_try_start(struct scene *scene, char *ret_error, size_t size)
{
    const struct driver_options options = {
        .loop = &scene->loop,
        .config = scene->config,
        .log = scene->log,
        .makers = {make_source, make_target, make_notice, make_notice},
        .stopped = on_stopped,
        .lost = on_lost,
        .data = scene,
    };
    struct store *store = NULL;

    if (uv_loop_init(&scene->loop) != 0) {
        abort();
    }
    scene->is_stopped = false;
    scene->closed_adapters = 0;
    store = open_store(scene, ret_error, size);
    scene->driver = store == NULL
                        ? NULL
                        : driver_new_on_store(&options, store, ret_error, size);
    if (scene->driver == NULL) {
        (void)uv_loop_close(&scene->loop);
        return false;
    }
    driver_on_answer(scene->driver, on_answer, scene);
    return true;
}

void scene_start(struct scene *scene)
{
    char error[1024] = "";

    if (!scene_try_start(scene, error, sizeof(error))) {
        (void)fprintf(stderr, "%s\n", error);
        abort();
    }
}

void scene_stop(struct scene *scene)
{
    driver_stop(scene->driver);
    while (uv_run(&scene->loop, UV_RUN_DEFAULT) != 0) {
    }
    if (!scene->is_stopped || uv_loop_close(&scene->loop) != 0) {
        abort();
    }
}

static void remove_policies(struct scene *scene)
{
    char path[2 * FILES_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/policies", scene->folder);
    files_end(path);
}

void scene_end(struct scene *scene)
{
    if (scene->driver != NULL) {
        scene_stop(scene);
    }
    config_free(scene->config);
    log_free(scene->log);
    (void)fclose(scene->log_out);
    free(scene->log_text);
    remove_policies(scene);
    files_end(scene->folder);
    free(scene);
}

void scene_until(struct scene *scene, bool (*is_so)(struct scene *scene))
{
    while (!is_so(scene)) {
        (void)uv_run(&scene->loop, UV_RUN_ONCE);
        core_check(driver_core(scene->driver));
    }
}

void scene_turns(struct scene *scene, int turns)
{
    for (int i = 0; i < turns; i++) {
        (void)uv_run(&scene->loop, UV_RUN_ONCE);
    }
}

bool scene_register(struct scene *scene, const char *version, const char *key)
{
    const struct input input = {.kind = INPUT_REGISTER,
                                .reply = 7,
                                .by = "test",
                                .registration = {.service = "svc",
                                                 .environment = "production",
                                                 .version = version,
                                                 .data_change = "none",
                                                 .key = key,
                                                 .key_digest = key}};

    return driver_push(scene->driver, &input);
}

bool scene_adopt(struct scene *scene, const char *version)
{
    const struct input input = {.kind = INPUT_COMMAND,
                                .reply = 8,
                                .by = "test",
                                .command = {.kind = COMMAND_ADOPT,
                                            .service = "svc",
                                            .environment = "production",
                                            .version = version,
                                            .reason = "it is known to work"}};

    return driver_push(scene->driver, &input);
}

/* The kill switch is what is fed as long as there is room. */
void scene_fill_queue(struct scene *scene)
{
    struct input flip = {.kind = INPUT_STOP_FILE};

    do {
        flip.stop = !flip.stop;
    } while (driver_push(scene->driver, &flip));
    flip.stop = false; /* there is room kept for the records of one step */
    driver_feed(scene->driver, &flip);
}

bool scene_is_answered(struct scene *scene)
{
    return scene->answers_count > 0;
}

/* --- What a reader sees --------------------------------------------------- */

struct reading {
    size_t count;
    char *json;
    size_t size;
};

static bool count_entry(void *data, const struct entry *entry)
{
    struct reading *reading = data;

    const size_t used = reading->json == NULL ? 0 : strlen(reading->json);

    reading->count++;
    if (reading->json != NULL) {
        (void)snprintf(reading->json + used, reading->size - used, "%.*s\n",
                       (int)entry->length, entry->payload);
    }
    return true;
}

size_t scene_stored(struct scene *scene, enum record_kind kind, char *ret_json,
                    size_t size)
{
    const struct store_query query = {.kind = kind};
    struct reading reading = {.json = ret_json, .size = size};
    char error[512] = "";
    struct store *store = store_sqlite_open(
        scene->config->sqlite, STORE_READ_ONLY, error, sizeof(error));

    if (store == NULL || store->ops->read(store, &query, count_entry, &reading,
                                          error, sizeof(error)) != STORE_OK) {
        (void)fprintf(stderr, "%s\n", error);
        abort();
    }
    store->ops->close(store);
    return reading.count;
}
