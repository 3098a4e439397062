/* The picture of a replay: what the table says and what was made of it, in the
 * time before the deploy, too. */
#ifndef REPLAY_CHART_H
#define REPLAY_CHART_H

#include "controller/replay/picture.h"
#include "controller/replay/report.h"
#include "controller/replay/run.h"

struct chart;

/* Begin, with what is before the deploy.  @run is lent for the chart's life. */
struct chart *chart_new(const struct run_options *run);
void chart_free(struct chart *chart);

/* What the report tells meanwhile (struct report_watcher). */
void chart_look(void *chart, const struct verdict *verdict);
void chart_end(void *chart, const struct ending *ending);

/* All that was told, after the end. */
const struct picture *chart_picture(const struct chart *chart);

#endif
