/* The fast way from JSON to a record: exactly what record_to_json() writes, in
 * its order and without blanks.  Private to record*.c. */
#ifndef STATE_RECORD_SCAN_H
#define STATE_RECORD_SCAN_H

#include "state/record.h"

/* False for all that is not plainly ours: escapes, characters beyond ASCII,
 * lists, bodies, another order, anything wrong.  That is no refusal: whoever
 * asks reads it the slow way then, which also says what is wrong.  On success
 * @record, set only then, is what the slow way would have made of it. */
bool record_scan(const char *json, size_t length, struct record *record);

/* The slow way, for all that is a record: record_from_json() without the fast
 * one. */
bool record_parse(const char *json, size_t length, struct record *record,
                  char **ret_body, char *ret_error, size_t error_size);

#endif
