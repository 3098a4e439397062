#include "state/windows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "policies/memory.h"
#include "policies/window.h"

/* --- Writing -------------------------------------------------------------- */

static const char letters[] = {
    [ANSWER_NO] = 'n', [ANSWER_YES] = 'y', [ANSWER_UNKNOWN] = 'u'};

/* Exact at the first try: it is written between a verdict and its revert, and
 * read by few. */
static void put_value(FILE *out, struct value value)
{
    if (value.unknown == KNOWN) {
        (void)fprintf(out, "%.17g", value.number);
    } else {
        (void)fprintf(out, "\"%s\"", unknown_name(value.unknown));
    }
}

static void put_row(FILE *out, const struct record *record)
{
    for (uint16_t i = 0; i < record->policy->signals; i++) {
        const struct sample *sample = &record->row[i];
        (void)fputs(i == 0 ? "" : ",", out);
        put_value(out, sample->unknown == KNOWN
                           ? value_of_number(sample->number)
                           : value_unknown(sample->unknown));
    }
}

static void put_ring(FILE *out, const struct record *record, uint16_t index)
{
    const struct ring *ring = policy_ring(record->policy, index);
    (void)fputs(ring->condition ? "\"" : "[", out);
    for (uint16_t slot = 0; slot < ring->slots; slot++) {
        const struct value value =
            judge_slot(record->policy, record->judge, index, slot);
        if (ring->condition) {
            (void)fputc(letters[answer_of_value(value)], out);
        } else {
            (void)fputs(slot == 0 ? "" : ",", out);
            put_value(out, value);
        }
    }
    (void)fputs(ring->condition ? "\"" : "]", out);
}

/* Only of a policy that compares, so that others are as they always were. */
static void put_trials(FILE *out, const struct record *record)
{
    const struct policy *policy = record->policy;
    (void)fputs(policy->trials > 0 ? ",\"evidence\":" : "", out);
    for (uint16_t i = 0; i < policy->trials; i++) {
        const double *numbers = judge_trial(policy, record->judge, i);
        (void)fputs(i == 0 ? "[" : ",", out);
        for (size_t j = 0; j < TRIAL_NUMBERS; j++) {
            (void)fprintf(out, "%s%.17g", j == 0 ? "[" : ",", numbers[j]);
        }
        (void)fputc(']', out);
    }
    (void)fputs(policy->trials > 0 ? "]" : "", out);
}

static void put_past(FILE *out, const struct record *record)
{
    const struct policy *policy = record->policy;
    const struct value *frozen = judge_frozen(policy, record->judge);
    char at[MOMENT_TEXT_MAX];
    (void)fprintf(out, "{\"grid\":\"%s\"",
                  moment_print(record->verdict->at, at));
    (void)fprintf(out, ",\"deployed_at\":\"%s\",\"row\":[",
                  moment_print(judge_deployed_at(record->judge), at));
    put_row(out, record);
    (void)fputs("],\"frozen\":[", out);
    for (uint16_t i = 0; i < policy->frozens; i++) {
        (void)fputs(i == 0 ? "" : ",", out);
        put_value(out, frozen[i]);
    }
    (void)fputs("],\"rings\":[", out);
    for (uint16_t i = 0; i < policy->rings; i++) {
        (void)fputs(i == 0 ? "" : ",", out);
        put_ring(out, record, i);
    }
    (void)fputc(']', out);
    put_trials(out, record);
}

static json_t *text_or_null(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();
    assert(json); /* names and labels are UTF-8 since the door */
    return json;
}

static json_t *labels_of(const struct facts *facts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < facts->labels_count; i++) {
        json_t *pair =
            json_pack("[s, s]", facts->labels[i].name, facts->labels[i].value);
        assert(pair);
        (void)json_array_append_new(list, pair);
    }
    return list;
}

static json_t *facts_of(const struct record *record)
{
    const struct facts *facts = record->facts;
    json_t *fleet = json_array();
    for (uint16_t i = 0; i < record->policy->fleets; i++) {
        (void)json_array_append_new(fleet, json_real(facts->fleet[i]));
    }
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:o*, s:o, s:o, s:o, s:I, s:s, s:b, s:o}", "service",
        text_or_null(facts->service), "environment",
        text_or_null(facts->environment), "version",
        text_or_null(facts->version), "control_version",
        facts->control_version ? json_string(facts->control_version) : NULL,
        "kind", text_or_null(facts->kind), "data_change",
        text_or_null(facts->data_change), "labels", labels_of(facts),
        "deployed_at_ms", (json_int_t)facts->deployed_at, "rollback_safe",
        answer_name(facts->rollback_safe), "stuck", facts->stuck, "fleet",
        fleet);
    assert(json);
    return json;
}

char *windows_to_json(const struct record *record, size_t *ret_length)
{
    char *json = NULL;
    FILE *out = open_memstream(&json, ret_length);
    json_t *facts = facts_of(record);
    char *text = json_dumps(facts, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (!out || !text) {
        abort();
    }
    put_past(out, record);
    (void)fprintf(out, ",\"facts\":%s}", text);
    if (fclose(out) != 0) {
        abort();
    }
    free(text);
    json_decref(facts);
    return json;
}

void windows_digest(const char *json, size_t length,
                    char ret_digest[RECORD_DIGEST_MAX])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    if (EVP_Digest(json, length, hash, &count, EVP_sha256(), NULL) != 1) {
        abort(); /* out of memory */
    }
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(ret_digest + (size_t)2 * i, 3, "%02x", hash[i]);
    }
}

/* --- Reading -------------------------------------------------------------- */

/* A number, or the name of a reason. */
static bool get_value(const json_t *json, struct value *ret_value)
{
    const char *text = json_string_value(json);
    if (json_is_number(json)) {
        *ret_value = (struct value){json_number_value(json), KNOWN};
        return true;
    }
    for (unsigned why = KNOWN + 1; text && why < UNKNOWN_LAST; why++) {
        if (!strcmp(text, unknown_name((enum unknown)why))) {
            *ret_value = value_unknown((enum unknown)why);
            return true;
        }
    }
    return false;
}

static bool get_values(const json_t *list, size_t count,
                       struct value *ret_values)
{
    bool fits = json_array_size(list) == count;
    for (size_t i = 0; i < count && fits; i++) {
        fits = get_value(json_array_get(list, i), &ret_values[i]);
    }
    return fits;
}

static bool get_answers(const json_t *json, size_t count,
                        struct value *ret_values)
{
    const char *text = json_string_value(json);
    bool fits = text && strlen(text) == count;
    for (size_t i = 0; i < count && fits; i++) {
        const char *letter = memchr(letters, text[i], sizeof letters);
        fits = letter != NULL;
        if (fits) {
            ret_values[i] = value_of_answer((enum answer)(letter - letters),
                                            UNKNOWN_NOT_ASKED);
        }
    }
    return fits;
}

static bool get_rings(struct windows *windows, const struct policy *policy)
{
    const json_t *rings = json_object_get(windows->root, "rings");
    struct value values[SAMPLES_MAX];
    bool fits = json_array_size(rings) == policy->rings;
    for (uint16_t i = 0; i < policy->rings && fits; i++) {
        const struct ring *ring = policy_ring(policy, i);
        const json_t *json = json_array_get(rings, i);
        assert(ring->slots <= SAMPLES_MAX);
        fits = ring->condition ? get_answers(json, ring->slots, values)
                               : get_values(json, ring->slots, values);
        for (uint16_t slot = 0; slot < ring->slots && fits; slot++) {
            judge_set_slot(policy, windows->judge, i, slot, values[slot]);
        }
    }
    return fits;
}

static bool get_trials(struct windows *windows, const struct policy *policy)
{
    const json_t *list = json_object_get(windows->root, "evidence");
    bool fits = json_array_size(list) == policy->trials;
    for (uint16_t i = 0; i < policy->trials && fits; i++) {
        struct value values[TRIAL_NUMBERS];
        double numbers[TRIAL_NUMBERS];
        fits = get_values(json_array_get(list, i), TRIAL_NUMBERS, values);
        for (size_t j = 0; j < TRIAL_NUMBERS && fits; j++) {
            numbers[j] = values[j].number;
            fits = values[j].unknown == KNOWN;
        }
        if (fits) {
            judge_set_trial(policy, windows->judge, i, numbers);
        }
    }
    return fits;
}

static bool get_row(struct windows *windows, const struct policy *policy)
{
    struct value values[POLICY_SIGNALS_MAX];
    if (!get_values(json_object_get(windows->root, "row"), policy->signals,
                    values)) {
        return false;
    }
    for (uint16_t i = 0; i < policy->signals; i++) {
        windows->row[i] = (struct sample){values[i].number, values[i].unknown};
    }
    return true;
}

static bool get_moment(const json_t *root, const char *name, time_ms *ret_at)
{
    const char *text = json_string_value(json_object_get(root, name));
    return text && moment_read(text, ret_at);
}

static bool get_past(struct windows *windows, const struct policy *policy)
{
    struct value frozen[POLICY_FROZEN_MAX];
    time_ms deployed_at = 0;
    if (!get_moment(windows->root, "grid", &windows->grid) ||
        !get_moment(windows->root, "deployed_at", &deployed_at) ||
        windows->grid <= deployed_at ||
        windows->grid % policy->watch.every != 0 ||
        !get_values(json_object_get(windows->root, "frozen"), policy->frozens,
                    frozen)) {
        return false;
    }
    judge_resume(policy, windows->judge, deployed_at,
                 windows->grid - policy->watch.every);
    judge_freeze(policy, windows->judge, frozen);
    return get_rings(windows, policy) && get_trials(windows, policy) &&
           get_row(windows, policy);
}

static bool get_labels(struct windows *windows, const json_t *list)
{
    bool fits = json_array_size(list) <= LABELS_MAX;
    windows->facts.labels = windows->labels;
    windows->facts.labels_count = fits ? json_array_size(list) : 0;
    for (size_t i = 0; i < windows->facts.labels_count && fits; i++) {
        const json_t *pair = json_array_get(list, i);
        const char *name = json_string_value(json_array_get(pair, 0));
        const char *value = json_string_value(json_array_get(pair, 1));
        struct label *label = &windows->labels[i];
        fits = name && value && strlen(name) < sizeof label->name &&
               strlen(value) < sizeof label->value;
        (void)snprintf(label->name, sizeof label->name, "%s", fits ? name : "");
        (void)snprintf(label->value, sizeof label->value, "%s",
                       fits ? value : "");
    }
    return fits;
}

static bool get_safe(const json_t *json, enum answer *ret_answer)
{
    const char *text = json_string_value(json);
    for (unsigned i = ANSWER_NO; text && i <= ANSWER_UNKNOWN; i++) {
        if (!strcmp(text, answer_name((enum answer)i))) {
            *ret_answer = (enum answer)i;
            return true;
        }
    }
    return false;
}

static bool get_facts(struct windows *windows, const struct policy *policy)
{
    const json_t *json = json_object_get(windows->root, "facts");
    const json_t *fleet = json_object_get(json, "fleet");
    struct facts *facts = &windows->facts;
    facts->service = json_string_value(json_object_get(json, "service"));
    facts->environment =
        json_string_value(json_object_get(json, "environment"));
    facts->version = json_string_value(json_object_get(json, "version"));
    facts->control_version =
        json_string_value(json_object_get(json, "control_version"));
    facts->kind = json_string_value(json_object_get(json, "kind"));
    facts->data_change =
        json_string_value(json_object_get(json, "data_change"));
    facts->deployed_at =
        json_integer_value(json_object_get(json, "deployed_at_ms"));
    facts->stuck = json_is_true(json_object_get(json, "stuck"));
    if (!facts->service || !facts->environment || !facts->version ||
        !get_safe(json_object_get(json, "rollback_safe"),
                  &facts->rollback_safe) ||
        json_array_size(fleet) != policy->fleets) {
        return false;
    }
    for (uint16_t i = 0; i < policy->fleets; i++) {
        facts->fleet[i] = json_number_value(json_array_get(fleet, i));
    }
    return get_labels(windows, json_object_get(json, "labels"));
}

bool windows_from_json(const char *json, size_t length,
                       const struct policy *policy, struct windows *ret_windows,
                       char *ret_error, size_t size)
{
    *ret_windows = (struct windows){
        .judge = memory_zeroed(1, policy->judge_bytes),
        .root = json_loadb(json, length, JSON_REJECT_DUPLICATES, NULL)};
    if (get_past(ret_windows, policy) && get_facts(ret_windows, policy)) {
        return true;
    }
    (void)snprintf(ret_error, size,
                   "what it was judged from does not fit the policy: another "
                   "version of lastgood may have recorded it");
    windows_release(ret_windows);
    return false;
}

void windows_release(struct windows *windows)
{
    json_decref(windows->root);
    free(windows->judge);
    *windows = (struct windows){0};
}
