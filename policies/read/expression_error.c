/* What is said about a part of an expression, and where. */
#include "policies/read/expression.h"

#include <stdarg.h>
#include <string.h>

/* How many columns the bytes [begin, end) take in the source, up to the end of
 * the line they begin on. */
static int columns_of(const struct compiler *compiler, size_t begin, size_t end)
{
    const struct yaml_tree *tree = compiler->draft->tree;
    int line = 0, column = 0, last_line = 0, last_column = 0;

    yaml_place(tree, compiler->item, begin, &line, &column);
    while (end > begin + 1) {
        yaml_place(tree, compiler->item, end, &last_line, &last_column);
        if (last_line == line && compiler->text[end - 1] != ' ') {
            return last_column > column ? last_column - column : 1;
        }
        end--;
    }
    return 1;
}

struct problem *compiler_error(struct compiler *compiler, size_t begin,
                               size_t end, const char *format, ...)
{
    char message[PROBLEM_TEXT_MAX];
    struct problem *problem = NULL;
    int line = 0, column = 0;
    va_list arguments;
    size_t length = compiler->item->text_length;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    begin = begin > length ? length : begin;
    end = end > length ? length : end;
    yaml_place(compiler->draft->tree, compiler->item, begin, &line, &column);
    problem =
        problems_error(compiler->draft->problems, line, column, "%s", message);
    problem->length = columns_of(compiler, begin, end);
    return problem;
}

void compiler_fix(const struct compiler *compiler, struct problem *problem,
                  size_t begin, size_t end, const char *text)
{
    const struct yaml_tree *tree = compiler->draft->tree;
    enum yaml_style style = compiler->item->style;
    int line = 0, column = 0, end_line = 0, end_column = 0;

    yaml_place(tree, compiler->item, begin, &line, &column);
    yaml_place(tree, compiler->item, end, &end_line, &end_column);
    if (line != end_line || end_column < column ||
        (style == YAML_DOUBLE && strchr(text, '"') != NULL) ||
        (style == YAML_SINGLE && strchr(text, '\'') != NULL)) {
        return;
    }
    problem_fix(problem, "%s", text);
    problem->fix_line = line;
    problem->fix_column = column;
    problem->fix_length = end_column - column;
}

const char *compiler_part(const struct compiler *compiler,
                          const struct syntax_node *part,
                          char text[PART_TEXT_MAX])
{
    size_t length = part->end - part->begin;
    bool cut = length >= PART_TEXT_MAX;

    (void)snprintf(text, PART_TEXT_MAX, "%.*s%s",
                   (int)(cut ? PART_TEXT_MAX - 4 : length),
                   compiler->text + part->begin, cut ? "..." : "");
    return text;
}

const char *meaning_print(const struct meaning *meaning,
                          char text[UNIT_TEXT_MAX])
{
    switch (meaning->type) {
    case TYPE_NUMBER:
        return unit_print(meaning->unit, text);
    case TYPE_CONDITION:
        return "a condition";
    case TYPE_TEXT:
        return "a text";
    }
    return "";
}
