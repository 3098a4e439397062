#include "controller/sources/prometheus.h"

#include "controller/sources/series_join.h"
#include "policies/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Label values longer than this are nobody's selection. */
#define LABEL_PLAIN_MAX 1024

/* How many grid times' `alive` are remembered. */
#define ALIVES_MAX 64

/* What was found for a series: how many elements, and the last one. */
struct reading {
    uint32_t values, ages;
    struct sample value, age;
};

/* A question of the core: one query at one grid time. */
struct inquiry {
    TAILQ_ENTRY(inquiry) waits; /* for `alive` */
    struct prometheus *source;
    uint32_t query;
    time_ms g, max_age;
    bool has_fresh;
    char *text;
    unsigned open;               /* parts that have not ended */
    char error[RECORD_TEXT_MAX]; /* the first that failed, "" none */
    struct series_join *join;    /* made when the first element comes */
    struct reading *readings;
};

/* `alive` at one grid time, asked once for all. */
struct alive {
    TAILQ_ENTRY(alive) all; /* newest first */
    struct prometheus *source;
    uint16_t service;
    time_ms g;
    bool known, above_zero;
    bool telling;                /* those who wait are being told */
    char error[RECORD_TEXT_MAX]; /* "" when it is alive */
    TAILQ_HEAD(, inquiry) waiting;
};

TAILQ_HEAD(alive_list, alive);

struct prometheus {
    struct source_adapter adapter;
    struct driver *driver;
    struct prometheus_client *client;
    const struct source_config *config;
    uint16_t index;
    bool closing;
    struct alive_list alives;
    size_t alives_count;
};

/* --- The join ------------------------------------------------------------ */

/* The query as the core has it now.  False when it is no longer what was
 * asked: the core's ids are used again. */
static bool still_asked(const struct inquiry *inquiry)
{
    struct query_view view;
    return view_query(driver_core(inquiry->source->driver), inquiry->query,
                      &view) &&
           view.source == inquiry->source->index &&
           strcmp(view.text, inquiry->text) == 0;
}

static void make_join(struct inquiry *inquiry)
{
    const struct core *core = driver_core(inquiry->source->driver);
    struct series_view series;
    size_t cursor = 0;
    if (inquiry->join) {
        return;
    }
    inquiry->join = join_new();
    if (still_asked(inquiry)) {
        while (view_next_series(core, inquiry->query, &cursor, &series)) {
            (void)join_add(inquiry->join, series.selects, series.labels,
                           series.values);
        }
    }
    inquiry->readings = memory_zeroed(1, (join_count(inquiry->join) + 1) *
                                             sizeof(struct reading));
}

static void note(struct reading *reading, const struct sample *sample,
                 bool is_age)
{
    if (is_age) {
        reading->ages++;
        reading->age = *sample;
    } else {
        reading->values++;
        reading->value = *sample;
    }
}

/* A label's value; one that is too long is cut, and so nobody's selection. */
static struct join_value plain_value(const struct piece *piece,
                                     char plain[LABEL_PLAIN_MAX])
{
    if (!piece->bytes) {
        return (struct join_value){"", 0}; /* it is not there */
    }
    if (!piece->escaped) {
        return (struct join_value){piece->bytes, piece->length};
    }
    (void)piece_plain(piece, plain, LABEL_PLAIN_MAX);
    return (struct join_value){plain, strlen(plain)};
}

/* Give the element to every series that selects it. */
static bool split(struct inquiry *inquiry,
                  const struct prometheus_element *element, bool is_age)
{
    make_join(inquiry);
    struct series_join *join = inquiry->join;
    for (size_t set = 0; set < join_sets(join); set++) {
        struct piece pieces[POLICY_SELECT_MAX];
        struct join_value values[POLICY_SELECT_MAX];
        char plain[POLICY_SELECT_MAX][LABEL_PLAIN_MAX];
        size_t count;
        const char *const *labels = join_labels(join, set, &count);
        if (!prometheus_labels(element, labels, count, pieces)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            values[i] = plain_value(&pieces[i], plain[i]);
        }
        for (uint32_t i = join_find(join, set, values); i != JOIN_NONE;
             i = join_next(join, i, values)) {
            note(&inquiry->readings[i], &element->value, is_age);
        }
    }
    return true;
}

static bool on_value(void *data, const struct prometheus_element *element)
{
    return split(data, element, false);
}

static bool on_age(void *data, const struct prometheus_element *element)
{
    return split(data, element, true);
}

/* --- The answer ---------------------------------------------------------- */

static struct sample sample_of(const struct inquiry *inquiry,
                               const struct reading *reading)
{
    struct sample sample = {.unknown = UNKNOWN_NO_DATA};
    if (reading->values > 1) {
        return (struct sample){.unknown = UNKNOWN_SEVERAL};
    }
    if (reading->values == 1) {
        sample = reading->value;
    }
    if (!inquiry->has_fresh ||
        (sample.unknown != KNOWN && sample.unknown != UNKNOWN_NO_DATA)) {
        return sample;
    }
    /* "Nothing" of a source that is not fresh is not an answer either. */
    if (reading->ages != 1 || reading->age.unknown != KNOWN ||
        reading->age.number * 1000 > (double)inquiry->max_age) {
        return (struct sample){.unknown = UNKNOWN_STALE};
    }
    return sample;
}

bool series_says_nothing(const struct series_view *series)
{
    for (size_t i = 0; i < series->selects; i++) {
        if (series->values[i][0] == '\0') {
            return true;
        }
    }
    return false;
}

static struct sample answer_of(const struct inquiry *inquiry,
                               const struct series_view *series)
{
    if (series_says_nothing(series)) {
        return (struct sample){.unknown = UNKNOWN_FACT};
    }
    uint32_t index = join_lookup(inquiry->join, series->selects, series->labels,
                                 series->values);
    if (index == JOIN_NONE) { /* new since the answer began to be read */
        return (struct sample){.unknown = UNKNOWN_NOT_ASKED};
    }
    return sample_of(inquiry, &inquiry->readings[index]);
}

/* The series that the core has now, so that an id that was used again between
 * two slices gets nobody else's number. */
static size_t collect(struct inquiry *inquiry, uint32_t **ret_series,
                      struct sample **ret_samples)
{
    const struct core *core = driver_core(inquiry->source->driver);
    struct series_view view;
    size_t cursor = 0, count = 0, series_size = 0, samples_size = 0;
    uint32_t *series = NULL;
    struct sample *samples = NULL;
    while (view_next_series(core, inquiry->query, &cursor, &view)) {
        series = memory_grow(series, &series_size, count + 1, sizeof(*series));
        samples =
            memory_grow(samples, &samples_size, count + 1, sizeof(*samples));
        series[count] = view.id;
        samples[count++] = answer_of(inquiry, &view);
    }
    *ret_series = series;
    *ret_samples = samples;
    return count;
}

static void answer(struct inquiry *inquiry)
{
    struct driver *driver = inquiry->source->driver;
    uint32_t *series = NULL;
    struct sample *samples = NULL;
    struct input input = {.kind = INPUT_SAMPLES, .now = driver_now(driver)};
    input.samples.query = inquiry->query;
    input.samples.g = inquiry->g;
    make_join(inquiry);
    if (inquiry->error[0]) {
        input.samples.error = inquiry->error;
    } else {
        input.samples.count = collect(inquiry, &series, &samples);
        input.samples.series = series;
        input.samples.samples = samples;
    }
    if (still_asked(inquiry)) {
        (void)driver_push(driver, &input); /* never refused to an adapter */
    }
    free(series);
    free(samples);
    join_free(inquiry->join);
    free(inquiry->readings);
    free(inquiry->text);
    free(inquiry);
}

static void part_ended(struct inquiry *inquiry, const char *what,
                       const char *error)
{
    if (error && !inquiry->error[0]) {
        (void)snprintf(inquiry->error, sizeof(inquiry->error), "%s%s", what,
                       error);
    }
    if (--inquiry->open == 0) {
        answer(inquiry);
    }
}

static void on_value_done(void *data, const char *error)
{
    part_ended(data, "", error);
}

static void on_age_done(void *data, const char *error)
{
    part_ended(data, "fresh: ", error);
}

/* --- Alive --------------------------------------------------------------- */

static bool on_alive(void *data, const struct prometheus_element *element)
{
    struct alive *alive = data;
    if (element->value.unknown == KNOWN && element->value.number > 0) {
        alive->above_zero = true;
    }
    return true;
}

static void on_alive_done(void *data, const char *error)
{
    struct alive *alive = data;
    alive->known = true;
    if (error) {
        (void)snprintf(alive->error, sizeof(alive->error), "alive: %s", error);
    } else if (!alive->above_zero) {
        (void)snprintf(alive->error, sizeof(alive->error),
                       "%s: alive: no series above 0; asked: %.300s",
                       alive->source->config->name,
                       alive->source->config->alive);
    }
    alive->telling = true;
    struct inquiry *inquiry = TAILQ_FIRST(&alive->waiting);
    while (inquiry) {
        TAILQ_REMOVE(&alive->waiting, inquiry, waits);
        part_ended(inquiry, "", alive->error[0] ? alive->error : NULL);
        inquiry = TAILQ_FIRST(&alive->waiting);
    }
    alive->telling = false;
}

/* Forget the oldest ones that nobody waits for. */
static void trim_alives(struct prometheus *source)
{
    struct alive *alive = TAILQ_LAST(&source->alives, alive_list);
    while (alive && source->alives_count > ALIVES_MAX) {
        struct alive *newer = TAILQ_PREV(alive, alive_list, all);
        if (alive->known && !alive->telling) {
            TAILQ_REMOVE(&source->alives, alive, all);
            source->alives_count--;
            free(alive);
        }
        alive = newer;
    }
}

static struct alive *alive_at(struct prometheus *source, uint16_t service,
                              time_ms g)
{
    struct alive *alive;
    TAILQ_FOREACH(alive, &source->alives, all)
    {
        if (alive->g == g && alive->service == service) {
            return alive;
        }
    }
    trim_alives(source);
    alive = memory_zeroed(1, sizeof(*alive));
    alive->source = source;
    alive->service = service;
    alive->g = g;
    TAILQ_INIT(&alive->waiting);
    TAILQ_INSERT_HEAD(&source->alives, alive, all);
    source->alives_count++;
    struct ask_call call = {.service = service,
                            .want = WANT_VECTOR,
                            .query = source->config->alive,
                            .from = g};
    prometheus_client_ask(source->client, &call, on_alive, on_alive_done,
                          alive);
    return alive;
}

/* --- The doors ----------------------------------------------------------- */

static void prometheus_query(struct source_adapter *adapter, uint32_t query,
                             time_ms g)
{
    struct prometheus *source = (struct prometheus *)adapter;
    struct query_view view;
    if (source->closing ||
        !view_query(driver_core(source->driver), query, &view)) {
        return; /* nobody waits */
    }
    struct inquiry *inquiry = memory_zeroed(1, sizeof(*inquiry));
    inquiry->source = source;
    inquiry->query = query;
    inquiry->g = g;
    inquiry->max_age = view.max_age;
    inquiry->has_fresh = view.fresh[0] != '\0';
    inquiry->text = memory_text(view.text);
    inquiry->open = 1;
    struct ask_call call = {.service = view.service,
                            .want = WANT_VECTOR,
                            .query = view.text,
                            .from = g};
    prometheus_client_ask(source->client, &call, on_value, on_value_done,
                          inquiry);
    if (inquiry->has_fresh) {
        inquiry->open++;
        call.query = view.fresh;
        prometheus_client_ask(source->client, &call, on_age, on_age_done,
                              inquiry);
    }
    if (source->config->alive[0] == '\0') {
        return;
    }
    struct alive *alive = alive_at(source, view.service, g);
    if (!alive->known) {
        inquiry->open++;
        TAILQ_INSERT_TAIL(&alive->waiting, inquiry, waits);
    } else if (alive->error[0]) {
        (void)snprintf(inquiry->error, sizeof(inquiry->error), "%s",
                       alive->error);
    }
}

static void prometheus_history_op(struct source_adapter *adapter,
                                  const struct effect *effect)
{
    struct prometheus *source = (struct prometheus *)adapter;
    if (!source->closing) {
        prometheus_history(source->driver, source->client, source->index,
                           effect);
    }
}

static void prometheus_close(struct source_adapter *adapter)
{
    struct prometheus *source = (struct prometheus *)adapter;
    source->closing = true;
    prometheus_client_close(source->client);
    struct alive *alive = TAILQ_FIRST(&source->alives);
    while (alive) {
        TAILQ_REMOVE(&source->alives, alive, all);
        free(alive);
        alive = TAILQ_FIRST(&source->alives);
    }
    free(source);
}

struct source_adapter *prometheus_make(struct driver *driver, uint16_t index)
{
    static const struct source_ops ops = {
        .query = prometheus_query,
        .history = prometheus_history_op,
        .close = prometheus_close,
    };
    struct prometheus *source = memory_zeroed(1, sizeof(*source));
    source->adapter.ops = &ops;
    source->driver = driver;
    source->index = index;
    source->config = &driver_config(driver)->sources[index];
    source->client = prometheus_client_new(driver, index);
    TAILQ_INIT(&source->alives);
    return &source->adapter;
}
