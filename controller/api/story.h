/* The story of a release, in sentences: its journal as a timeline, and where
 * it stands in one line. */
#ifndef API_STORY_H
#define API_STORY_H

#include "controller/core/view.h"

#include <jansson.h>

/* One event of a timeline, or NULL for a record that tells people nothing. */
json_t *story_event(const struct record *record, time_ms deployed_at);

/* Where it stands: "user-service 2.4.0 in production: rolled back to 2.3.2:
 * recovered". */
void story_sentence(const struct core *core, const struct release_view *release,
                    char *ret_text, size_t size);

/* "rolled back to 2.3.2: recovered", "not rolled back: frozen", ... */
void story_of_rollback(const struct rollback_view *rollback, char *ret_text,
                       size_t size);

#endif
