"""The part of JSON Schema (draft 2020-12) that our schemas are written in.

    errors = Schema(document).errors(instance)     [] when it is valid

A keyword that is not known here is an error of the schema, so that an editor
never reads more than the tests do.
"""
import re

NOTES = {"$schema", "$id", "$comment", "title", "description", "examples", "default", "$defs"}
TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool)
    or isinstance(value, float) and value.is_integer(),
}


def same(a, b):
    return type(a) is type(b) and a == b


class Schema:
    def __init__(self, document):
        self.document = document

    def errors(self, instance):
        return list(self.check(self.document, instance, ""))

    def is_valid(self, schema, value, where):
        return not any(True for _ in self.check(schema, value, where))

    def resolve(self, reference):
        assert reference.startswith("#/"), reference
        found = self.document
        for step in reference[2:].split("/"):
            found = found[step]
        return found

    def check(self, schema, value, where):
        for keyword, wanted in schema.items():
            if keyword not in NOTES:
                method = getattr(self, "on_" + keyword.strip("$"), None)
                assert method is not None, f"keyword '{keyword}' is not known here"
                yield from method(wanted, value, where, schema)

    # --- any value -----------------------------------------------------------

    def on_ref(self, wanted, value, where, _):
        yield from self.check(self.resolve(wanted), value, where)

    def on_type(self, wanted, value, where, _):
        names = [wanted] if isinstance(wanted, str) else wanted
        if not any(TYPES[name](value) for name in names):
            yield f"{where}: not of type {names}: {value!r}"

    def on_enum(self, wanted, value, where, _):
        if not any(same(value, one) for one in wanted):
            yield f"{where}: {value!r} is none of {wanted}"

    def on_const(self, wanted, value, where, _):
        if not same(value, wanted):
            yield f"{where}: {value!r} is not {wanted!r}"

    def on_anyOf(self, wanted, value, where, _):
        if not any(self.is_valid(one, value, where) for one in wanted):
            yield f"{where}: fits none of {len(wanted)} forms"

    def on_oneOf(self, wanted, value, where, _):
        count = sum(self.is_valid(one, value, where) for one in wanted)
        if count != 1:
            yield f"{where}: fits {count} of {len(wanted)} forms, wants one"

    def on_not(self, wanted, value, where, _):
        if self.is_valid(wanted, value, where):
            yield f"{where}: fits what it must not"

    # --- texts and numbers ---------------------------------------------------

    def on_pattern(self, wanted, value, where, _):
        if isinstance(value, str) and not re.search(wanted, value):
            yield f"{where}: {value!r} does not match {wanted}"

    def on_minLength(self, wanted, value, where, _):
        if isinstance(value, str) and len(value) < wanted:
            yield f"{where}: shorter than {wanted}"

    def on_maxLength(self, wanted, value, where, _):
        if isinstance(value, str) and len(value) > wanted:
            yield f"{where}: longer than {wanted}"

    def on_minimum(self, wanted, value, where, _):
        if TYPES["number"](value) and value < wanted:
            yield f"{where}: below {wanted}"

    def on_maximum(self, wanted, value, where, _):
        if TYPES["number"](value) and value > wanted:
            yield f"{where}: above {wanted}"

    # --- lists ---------------------------------------------------------------

    def on_items(self, wanted, value, where, _):
        for index, one in enumerate(value if isinstance(value, list) else []):
            yield from self.check(wanted, one, f"{where}/{index}")

    def on_minItems(self, wanted, value, where, _):
        if isinstance(value, list) and len(value) < wanted:
            yield f"{where}: fewer than {wanted} entries"

    def on_maxItems(self, wanted, value, where, _):
        if isinstance(value, list) and len(value) > wanted:
            yield f"{where}: more than {wanted} entries"

    def on_uniqueItems(self, wanted, value, where, _):
        if wanted and isinstance(value, list) and \
           any(same(a, b) for i, a in enumerate(value) for b in value[:i]):
            yield f"{where}: an entry stands twice"

    # --- maps ----------------------------------------------------------------

    def on_required(self, wanted, value, where, _):
        for name in wanted if isinstance(value, dict) else []:
            if name not in value:
                yield f"{where}: '{name}' is missing"

    def on_dependentRequired(self, wanted, value, where, _):
        for name, others in wanted.items() if isinstance(value, dict) else []:
            if name in value:
                yield from self.on_required(others, value, where, None)

    def on_properties(self, wanted, value, where, _):
        for name, schema in wanted.items() if isinstance(value, dict) else []:
            if name in value:
                yield from self.check(schema, value[name], f"{where}/{name}")

    def on_additionalProperties(self, wanted, value, where, schema):
        for name in value if isinstance(value, dict) else []:
            if name not in schema.get("properties", {}):
                if wanted is False:
                    yield f"{where}: unknown key '{name}'"
                elif isinstance(wanted, dict):
                    yield from self.check(wanted, value[name], f"{where}/{name}")

    def on_propertyNames(self, wanted, value, where, _):
        for name in value if isinstance(value, dict) else []:
            yield from self.check(wanted, name, f"{where}/{name}")

    def on_minProperties(self, wanted, value, where, _):
        if isinstance(value, dict) and len(value) < wanted:
            yield f"{where}: fewer than {wanted} keys"

    def on_maxProperties(self, wanted, value, where, _):
        if isinstance(value, dict) and len(value) > wanted:
            yield f"{where}: more than {wanted} keys"
