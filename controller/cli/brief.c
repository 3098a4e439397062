#include "controller/cli/brief.h"

#include <stdio.h>

#include "controller/cli/client.h"
#include "controller/cli/terminal.h"
#include "policies/problem.h"

#define TEXT_COLUMN 12

static const json_t *needs_of(const json_t *answer)
{
    return json_object_get(answer, "needs");
}

bool brief_needs_somebody(const json_t *answer)
{
    return json_array_size(needs_of(answer)) > 0;
}

bool brief_says_something(const json_t *answer)
{
    return client_text(answer, "happened")[0] != '\0' ||
           client_text(answer, "did")[0] != '\0' ||
           client_text(answer, "frozen")[0] != '\0' ||
           brief_needs_somebody(answer);
}

static void print_number(const json_t *subject, const char *what,
                         const char *member)
{
    char id[64];

    text_escape(client_text(subject, member), id, sizeof(id));
    if (id[0] != '\0') {
        (void)printf(", %s %s", what, id);
    }
}

static void print_line(const char *title, const char *text, enum paint paint,
                       bool colour)
{
    char shown[4096];

    if (text[0] == '\0') {
        return;
    }
    text_escape(text, shown, sizeof(shown));
    (void)printf("  %s%-9s%s ", terminal_paint(paint, colour), title,
                 terminal_unpaint(paint, colour));
    terminal_wrap(shown, TEXT_COLUMN, stdout);
    (void)putchar('\n');
}

static void print_needs(const json_t *answer, bool colour)
{
    const json_t *needs = needs_of(answer);

    for (size_t i = 0; i < json_array_size(needs); i++) {
        const char *text = json_string_value(json_array_get(needs, i));

        print_line("needs", text != NULL ? text : "", PAINT_WARN, colour);
    }
    if (!brief_needs_somebody(answer)) {
        print_line("needs", "nothing from you now", PAINT_PLAIN, colour);
    }
}

void brief_print(const json_t *answer, bool colour)
{
    const json_t *subject = json_object_get(answer, "subject");

    print_number(subject, "release", "release_id");
    print_number(subject, "incident", "incident_id");
    (void)putchar('\n');
    print_line("happened", client_text(answer, "happened"), PAINT_PLAIN,
               colour);
    print_line("did", client_text(answer, "did"), PAINT_PLAIN, colour);
    print_needs(answer, colour);
    print_line("frozen", client_text(answer, "frozen"), PAINT_PLAIN, colour);
}
