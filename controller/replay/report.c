#include "controller/replay/report.h"

#include <string.h>

#include "controller/replay/report_json.h"
#include "controller/replay/report_text.h"

/* The length of a duration in front of @text that spells @span, 0: none. */
static size_t spells(const char *text, time_ms span)
{
    size_t length = strspn(text, "0123456789dhms");
    char word[DURATION_TEXT_MAX] = "";
    time_ms spelt = 0;

    if (length == 0 || length >= sizeof(word)) {
        return 0;
    }
    memcpy(word, text, length);
    return duration_read(word, &spelt) && spelt == span ? length : 0;
}

const char *report_mode(const struct told *told, char text[MODE_TEXT_MAX])
{
    const char *name = mode_name(told->mode);
    const char *at = policy_text(told->policy, told->policy->source_text);
    size_t length = 0;

    if (told->mode != MODE_COUNTDOWN) {
        return name;
    }
    while (length == 0 && (at = strstr(at, name)) != NULL) {
        at += strlen(name);
        at += strspn(at, " ");
        length = spells(at, told->countdown);
    }
    if (length > 0) {
        (void)snprintf(text, MODE_TEXT_MAX, "%s %.*s", name, (int)length, at);
    } else { /* spelt in a way that only YAML can read */
        (void)snprintf(text, MODE_TEXT_MAX, "%s %llds", name,
                       (long long)(told->countdown / SECOND_MS));
    }
    return text;
}

void report_begin(struct report *report, const struct policy *policy,
                  const struct replay_options *options)
{
    if (report->json) {
        report_json_begin(report);
    } else {
        report_text_begin(report, policy, options);
    }
}

void report_decision(struct report *report, const struct told *told)
{
    if (report->json) {
        report_json_decision(report, told);
    } else {
        report_text_decision(report, told);
    }
    report->decisions++;
}

void report_note(struct report *report, time_ms at, const char *word,
                 const char *text)
{
    if (!report->json) {
        report_text_note(report, at, word, text);
    }
}

void report_end(struct report *report, const struct ending *ending)
{
    if (report->json) {
        report_json_end(report, ending);
    } else {
        report_text_end(report, ending);
    }
}
