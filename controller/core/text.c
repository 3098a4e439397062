#include "controller/core/text.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

void text_copy(char *ret_text, size_t size, const char *text)
{
    assert(size > 0);
    size_t length = 0;
    while (text && length < size - 1 && text[length] != '\0') {
        length++;
    }
    if (length > 0) {
        memmove(ret_text, text, length);
    }
    ret_text[length] = '\0';
}

static void append_words(char *text, size_t size, va_list words)
{
    size_t length = strnlen(text, size - 1);
    for (const char *word = va_arg(words, const char *); word;
         word = va_arg(words, const char *)) {
        text_copy(text + length, size - length, word);
        length += strlen(text + length);
    }
}

void text_join(char *ret_text, size_t size, ...)
{
    assert(size > 0);
    va_list words;
    va_start(words, size);
    ret_text[0] = '\0';
    append_words(ret_text, size, words);
    va_end(words);
}

void text_append(char *text, size_t size, ...)
{
    assert(size > 0);
    va_list words;
    va_start(words, size);
    append_words(text, size, words);
    va_end(words);
}

const char *text_digits(uint64_t number, char text[DIGITS_MAX])
{
    char reversed[DIGITS_MAX];
    size_t count = 0;
    do {
        reversed[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 && count < sizeof reversed - 1);
    for (size_t i = 0; i < count; i++) {
        text[i] = reversed[count - 1 - i];
    }
    text[count] = '\0';
    return text;
}

const char *text_after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

bool text_equal(const char *a, const char *b)
{
    assert(a);
    assert(b);
    return strcmp(a, b) == 0;
}

bool text_matches(const char *pattern, const char *text)
{
    size_t length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '*') {
        return strncmp(pattern, text, length - 1) == 0;
    }
    return strcmp(pattern, text) == 0;
}

uint64_t text_hash(uint64_t hash, const char *text)
{
    hash = hash ? hash : UINT64_C(14695981039346656037);
    size_t length = strlen(text) + 1;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return hash;
}
