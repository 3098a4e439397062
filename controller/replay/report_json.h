/* The stable JSON of a replay. */
#ifndef REPLAY_REPORT_JSON_H
#define REPLAY_REPORT_JSON_H

#include "controller/replay/report.h"

void report_json_begin(struct report *report);
void report_json_decision(struct report *report, const struct told *told);
void report_json_end(struct report *report, const struct ending *ending);

#endif
