/* libyaml's events -> tree, and libyaml's complaints in words that help. */
#include "policies/memory.h"
#include "policies/read/yaml_build.h"
#include "policies/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

/* libyaml counts code points where we want bytes: byte_of[n] is where code
 * point n begins. */
struct event_reader {
    struct yaml_builder *builder;
    yaml_parser_t parser;
    uint32_t *byte_of;
    size_t characters;
    size_t documents;
};

static void count_characters(struct event_reader *reader)
{
    const struct yaml_tree *tree = reader->builder->tree;
    size_t at = 0;

    reader->byte_of =
        memory_resized(NULL, (tree->length + 1) * sizeof(*reader->byte_of));
    while (at < tree->length) {
        uint32_t code = 0;

        reader->byte_of[reader->characters++] = (uint32_t)at;
        at += utf8_decode(tree->source + at, tree->length - at, &code);
    }
    reader->byte_of[reader->characters] = (uint32_t)at;
}

static struct yaml_spot spot_of(const struct event_reader *reader,
                                const yaml_mark_t *mark)
{
    size_t index =
        mark->index > reader->characters ? reader->characters : mark->index;

    return (struct yaml_spot){reader->byte_of[index], (int)mark->line + 1,
                              (int)mark->column + 1};
}

/* --- Complaints ----------------------------------------------------------- */

/* What libyaml says (the beginning of it), and what we say instead.  %c is
 * the character at the place. */
static const struct {
    const char *context, *problem, *words;
} translations[] = {
    {NULL, "mapping values are not allowed in this context",
     "a second ': ' on one line; quote this value if it contains ': ', else "
     "check the indentation"},
    {"while scanning a simple key", "could not find expected ':'",
     "a ':' is missing after this key, or a line before it is not closed"},
    {"while scanning a quoted scalar", "found unexpected end of stream",
     "this quote is never closed"},
    {"while scanning a quoted scalar", "found unexpected document indicator",
     "this quote is never closed"},
    {NULL, "found unknown escape character",
     "unknown escape in double quotes; write \\\\ for a backslash or use "
     "single quotes"},
    {NULL, "did not find expected hexdecimal number",
     "this escape wants hexadecimal digits"},
    {NULL, "found invalid Unicode character escape code",
     "this escape is not a character; write the character itself"},
    {NULL, "block sequence entries are not allowed in this context",
     "a list cannot begin here; put '- ' on its own line below the key"},
    {NULL, "mapping keys are not allowed in this context",
     "a key cannot begin here"},
    {"while parsing a block mapping", "did not find expected key",
     "this line does not fit the map above; check its indentation and the "
     "quotes before it"},
    {"while parsing a block collection", "did not find expected '-' indicator",
     "this line does not fit the list above; check its indentation"},
    {"while parsing a flow sequence", "did not find expected ',' or ']'",
     "a ',' or ']' is missing here"},
    {"while parsing a flow mapping", "did not find expected ',' or '}'",
     "a ',' or '}' is missing here"},
    {NULL, "did not find expected node content", "a value is missing here"},
    {NULL, "did not find expected <document start>",
     "this does not belong to the document above; check its indentation"},
    {NULL, "found a tab character", "a tab cannot indent; use spaces"},
    {"while scanning a block scalar", "did not find expected comment",
     "text cannot follow '|' or '>' on the same line; begin it on the next"},
    {"while scanning a plain scalar", "found unexpected ':'",
     "quote this value: it contains ':'"},
    {"while scanning an anchor", "did not find expected alphabetic",
     "a value cannot start with '&'; quote it"},
    {"while scanning an alias", "did not find expected alphabetic",
     "a value cannot start with '*'; quote it"},
    {"while scanning a directive", "",
     "a line cannot start with '%'; quote the value"},
    {"while scanning a tag", "", "a value cannot start with '!'; quote it"},
    {"while parsing a tag", "", "a value cannot start with '!'; quote it"},
    {NULL, "found undefined tag handle",
     "a value cannot start with '!'; quote it"},
};

static bool begins_with(const char *text, const char *beginning)
{
    return text != NULL && strncmp(text, beginning, strlen(beginning)) == 0;
}

static const char *translate(const yaml_parser_t *parser)
{
    for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]);
         i++) {
        if (translations[i].context != NULL &&
            !begins_with(parser->context, translations[i].context)) {
            continue;
        }
        if (begins_with(parser->problem, translations[i].problem)) {
            return translations[i].words;
        }
    }
    return parser->problem == NULL ? "this cannot be read" : parser->problem;
}

/* "found character that cannot start any token" */
static bool complain_of_start(const struct event_reader *reader,
                              struct yaml_spot spot)
{
    const struct yaml_tree *tree = reader->builder->tree;
    char character = spot.byte < tree->length ? tree->source[spot.byte] : ' ';

    if (!begins_with(reader->parser.problem, "found character that cannot")) {
        return false;
    }
    if (character == '\t') {
        problems_error(reader->builder->problems, spot.line, spot.column,
                       "a tab cannot indent; use spaces");
    } else {
        problems_error(reader->builder->problems, spot.line, spot.column,
                       "a value cannot start with '%c'; quote it", character);
    }
    return true;
}

static void complain(const struct event_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    struct yaml_spot spot = spot_of(reader, &parser->problem_mark);
    struct yaml_spot opened = spot_of(reader, &parser->context_mark);
    const char *words = NULL;
    bool closing =
        begins_with(parser->context, "while scanning a simple key") ||
        (begins_with(parser->context, "while scanning a quoted") &&
         strstr(translate(parser), "never closed") != NULL);
    struct problem *problem = NULL;

    if (parser->error == YAML_MEMORY_ERROR) {
        abort();
    }
    if (complain_of_start(reader, spot)) {
        return;
    }
    words = translate(parser);
    spot = closing ? opened : spot;
    problem = problems_error(reader->builder->problems, spot.line, spot.column,
                             "%s", words);
    if (begins_with(parser->context, "while parsing a flow") ||
        begins_with(parser->context, "while parsing a block")) {
        problem_note(problem, opened.line, opened.column,
                     "what it belongs to begins here");
    }
}

/* --- Events --------------------------------------------------------------- */

static void refuse(const struct event_reader *reader, const yaml_event_t *event,
                   const char *words)
{
    struct yaml_spot spot = spot_of(reader, &event->start_mark);

    problems_error(reader->builder->problems, spot.line, spot.column, "%s",
                   words);
}

static void refuse_properties(const struct event_reader *reader,
                              const yaml_event_t *event,
                              const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        refuse(reader, event,
               "anchors ('&') are not read here; write the value out");
    }
    if (tag != NULL) {
        refuse(reader, event,
               "tags ('!') are not read here; a value is text as it stands");
    }
}

static enum yaml_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return YAML_SINGLE;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return YAML_DOUBLE;
    case YAML_LITERAL_SCALAR_STYLE:
        return YAML_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return YAML_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
        break;
    }
    return YAML_PLAIN;
}

static bool in_flow(const struct yaml_builder *builder)
{
    const struct yaml_item *top =
        builder->depth == 0 ? NULL
                            : builder->frames[builder->depth - 1].collection;

    return top != NULL && top->flow;
}

static bool on_scalar(const struct event_reader *reader,
                      const yaml_event_t *event)
{
    struct yaml_spot begin = spot_of(reader, &event->start_mark);
    struct yaml_spot end = spot_of(reader, &event->end_mark);
    enum yaml_style style = style_of(event->data.scalar.style);

    refuse_properties(reader, event, event->data.scalar.anchor,
                      event->data.scalar.tag);
    if (style == YAML_PLAIN && begin.line != end.line &&
        in_flow(reader->builder)) {
        problems_error(reader->builder->problems, begin.line, begin.column,
                       "this value runs on into the next line; a comma or a "
                       "closing bracket is missing, or quote it");
        return false;
    }
    return yaml_build_text(reader->builder, style, begin, end.byte,
                           (const char *)event->data.scalar.value,
                           event->data.scalar.length);
}

static bool on_document(struct event_reader *reader, const yaml_event_t *event)
{
    if (event->data.document_start.version_directive != NULL ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end) {
        refuse(reader, event, "directives ('%') are not read here; remove it");
        return false;
    }
    if (reader->documents > 0) {
        refuse(reader, event,
               "a second document begins here; one file holds one");
        return false;
    }
    reader->documents++;
    return true;
}

static bool on_event(struct event_reader *reader, const yaml_event_t *event)
{
    struct yaml_builder *builder = reader->builder;
    struct yaml_spot begin = spot_of(reader, &event->start_mark);

    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    case YAML_DOCUMENT_START_EVENT:
        return on_document(reader, event);
    case YAML_ALIAS_EVENT:
        refuse(reader, event,
               "aliases ('*') are not read here; write the value out, or "
               "quote it");
        return false;
    case YAML_SCALAR_EVENT:
        return on_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        refuse_properties(reader, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
        return yaml_build_open(builder, YAML_LIST,
                               event->data.sequence_start.style ==
                                   YAML_FLOW_SEQUENCE_STYLE,
                               begin);
    case YAML_MAPPING_START_EVENT:
        refuse_properties(reader, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
        return yaml_build_open(
            builder, YAML_MAP,
            event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE, begin);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        yaml_build_close(builder, spot_of(reader, &event->end_mark).byte);
        return true;
    }
    return true;
}

/* One event after the other until the end or the first thing that cannot be
 * read past.  Every event takes a token, so the file's length is the bound. */
static bool read_all(struct event_reader *reader)
{
    bool going = true, ended = false;

    while (going && !ended) {
        yaml_event_t event;

        if (yaml_parser_parse(&reader->parser, &event) == 0) {
            complain(reader);
            return false;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        going = on_event(reader, &event);
        yaml_event_delete(&event);
    }
    if (going && reader->builder->tree->count == 0) {
        problems_error(reader->builder->problems, 0, 0, "the file is empty");
        going = false;
    }
    return going;
}

bool yaml_read_events(struct yaml_builder *builder)
{
    struct event_reader reader = {.builder = builder};
    bool done = false;

    if (yaml_parser_initialize(&reader.parser) == 0) {
        abort();
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser,
                                 (const unsigned char *)builder->tree->source,
                                 builder->tree->length);
    count_characters(&reader);
    done = read_all(&reader);
    free(reader.byte_of);
    yaml_parser_delete(&reader.parser);
    return done;
}
