/* A replay as a story for people. */
#ifndef REPLAY_REPORT_TEXT_H
#define REPLAY_REPORT_TEXT_H

#include "controller/replay/report.h"

void report_text_begin(struct report *report, const struct policy *policy,
                       const struct replay_options *options);
void report_text_decision(struct report *report, const struct told *told);
void report_text_note(struct report *report, time_ms at, const char *word,
                      const char *text);
void report_text_end(struct report *report, const struct ending *ending);

#endif
