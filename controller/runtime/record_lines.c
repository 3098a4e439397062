#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* What each kind of record is called in the log, how loud it is, and whether
 * its lines must all be there, as those of warnings must.  Quiet kinds are for
 * `--log-level debug`. */
static const struct {
    const char *event;
    enum log_level level;
    bool is_fact;
} lines[] = {
    [RECORD_STARTED] = {"controller.started", LOG_INFO, true},
    [RECORD_POLICY_SET] = {"policy.set", LOG_INFO, true},
    [RECORD_POLICY_REMOVED] = {"policy.removed", LOG_WARNING, true},
    [RECORD_REGISTERED] = {"release.registered", LOG_INFO, false},
    [RECORD_OBSERVED] = {"live.changed", LOG_INFO, false},
    [RECORD_BASELINE] = {"baseline.learned", LOG_DEBUG, false},
    [RECORD_PROGRESS] = {"watch.progress", LOG_DEBUG, false},
    [RECORD_VERDICT] = {"verdict", LOG_INFO, true},
    [RECORD_RELEASE_MOVED] = {"release.moved", LOG_INFO, true},
    [RECORD_INCIDENT_OPENED] = {"incident.opened", LOG_WARNING, true},
    [RECORD_INCIDENT_CLOSED] = {"incident.closed", LOG_INFO, true},
    [RECORD_ROLLBACK_PROPOSED] = {"rollback.proposed", LOG_WARNING, true},
    [RECORD_ROLLBACK_MOVED] = {"rollback", LOG_WARNING, true},
    [RECORD_FROZEN] = {"frozen", LOG_WARNING, true},
    [RECORD_THAWED] = {"thawed", LOG_INFO, true},
    [RECORD_TAINTED] = {"tainted", LOG_WARNING, true},
    [RECORD_COMMANDED] = {"commanded", LOG_INFO, true},
    [RECORD_NOTICE] = {"notice.queued", LOG_INFO, false},
    [RECORD_NOTICE_DONE] = {"notice.done", LOG_INFO, false},
    [RECORD_ACTION] = {"action.queued", LOG_INFO, false},
    [RECORD_ACTION_DONE] = {"action.done", LOG_INFO, false},
    [RECORD_SOURCE_LOST] = {"source.lost", LOG_WARNING, false},
    [RECORD_SOURCE_BACK] = {"source.back", LOG_INFO, false},
    [RECORD_CLOCK_SET] = {"clock.set", LOG_WARNING, true},
    [RECORD_STOP_FILE] = {"stop_file", LOG_WARNING, true},
    [RECORD_BLIND] = {"blind", LOG_WARNING, true},
    [RECORD_ANNOUNCED] = {"announced", LOG_INFO, false},
    [RECORD_MUTED] = {"muted", LOG_WARNING, true},
    [RECORD_POLICY_BROKEN] = {"policy.broken", LOG_ERROR, true},
};

#define PAIRS_MAX   24
#define NUMBERS_MAX 6

struct line {
    const char *pairs[2 * PAIRS_MAX + 1];
    size_t count;
    char numbers[NUMBERS_MAX][24];
    size_t numbers_count;
    char moment[MOMENT_TEXT_MAX], span[DURATION_TEXT_MAX];
    char event[64];
};

static void add(struct line *line, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        return;
    }
    assert(line->count + 2 < 2 * PAIRS_MAX + 1);
    line->pairs[line->count++] = name;
    line->pairs[line->count++] = value;
}

static void add_id(struct line *line, const char *name, uint64_t id)
{
    char *number = NULL;

    if (id == 0) {
        return;
    }
    assert(line->numbers_count < NUMBERS_MAX);
    number = line->numbers[line->numbers_count++];
    (void)snprintf(number, sizeof(line->numbers[0]), "%" PRIu64, id);
    add(line, name, number);
}

static void add_state(struct line *line, const struct record *record)
{
    switch (record->kind) {
    case RECORD_RELEASE_MOVED:
        add(line, "state", release_state_name(record->state));
        add(line, "grade", grade_name(record->grade));
        break;
    case RECORD_REGISTERED:
        add(line, "origin", origin_name(record->origin));
        add(line, "previous", record->previous);
        break;
    case RECORD_VERDICT:
        add(line, "verdict", record->verdict_kind);
        add(line, "unsure", record->unsure ? "yes" : "");
        add(line, "grid", moment_print(record->grid, line->moment));
        break;
    case RECORD_OBSERVED:
        add(line, "complete", record->complete ? "yes" : "no");
        break;
    case RECORD_NOTICE_DONE:
    case RECORD_ACTION_DONE:
        add(line, "delivered", record->delivered ? "yes" : "no");
        break;
    case RECORD_STOP_FILE:
    case RECORD_POLICY_BROKEN:
        add(line, "stands", record->on ? "yes" : "no");
        break;
    case RECORD_CLOCK_SET:
        add(line, "by",
            duration_print(record->difference < 0 ? -record->difference
                                                  : record->difference,
                           line->span));
        break;
    case RECORD_FROZEN:
    case RECORD_ANNOUNCED:
    case RECORD_MUTED:
        add(line, "until", moment_print(record->until, line->moment));
        break;
    case RECORD_NONE:
    case RECORD_STARTED:
    case RECORD_POLICY_SET:
    case RECORD_POLICY_REMOVED:
    case RECORD_BASELINE:
    case RECORD_PROGRESS:
    case RECORD_INCIDENT_OPENED:
    case RECORD_INCIDENT_CLOSED:
    case RECORD_ROLLBACK_PROPOSED:
    case RECORD_ROLLBACK_MOVED:
    case RECORD_THAWED:
    case RECORD_TAINTED:
    case RECORD_COMMANDED:
    case RECORD_NOTICE:
    case RECORD_ACTION:
    case RECORD_SOURCE_LOST:
    case RECORD_SOURCE_BACK:
    case RECORD_BLIND:
        break;
    }
}

/* "rollback" and the state it moved to: "rollback.in_progress". */
static const char *event_of(struct line *line, const struct record *record)
{
    if (record->kind != RECORD_ROLLBACK_MOVED) {
        return lines[record->kind].event;
    }
    (void)snprintf(line->event, sizeof(line->event), "rollback.%s",
                   rollback_state_name(record->rollback_state));
    for (char *at = line->event; *at != '\0'; at++) {
        *at = *at == ' ' ? '_' : *at;
    }
    return line->event;
}

static enum log_level level_of(const struct record *record)
{
    const bool failed = (record->kind == RECORD_NOTICE_DONE ||
                         record->kind == RECORD_ACTION_DONE) &&
                        !record->delivered;
    const bool mended = record->kind == RECORD_POLICY_BROKEN && !record->on;

    return failed ? LOG_WARNING : mended ? LOG_INFO : lines[record->kind].level;
}

static void say(struct log *log, const struct record *record)
{
    struct line line = {.count = 0};
    const enum log_level level = level_of(record);

    assert(record->kind < sizeof(lines) / sizeof(lines[0]));
    add_id(&line, "record", record->sequence);
    add(&line, "service", record->service);
    add(&line, "environment", record->environment);
    add(&line, "version", record->version);
    add(&line, "to", record->target_version);
    add(&line, "name", record->name);
    add_state(&line, record);
    add(&line, "code", record->code);
    add(&line, "text", record->text);
    add(&line, "by", record->by);
    add_id(&line, "release", record->release);
    add_id(&line, "incident", record->incident);
    add_id(&line, "rollback", record->rollback);
    if (lines[record->kind].is_fact || level >= LOG_WARNING) {
        log_fact(log, level, event_of(&line, record), line.pairs);
    } else {
        log_pairs(log, level, event_of(&line, record), line.pairs);
    }
}

void record_lines(struct log *log, const struct decision *decision)
{
    for (size_t i = 0; i < decision->records_count; i++) {
        say(log, &decision->records[i]);
    }
}
