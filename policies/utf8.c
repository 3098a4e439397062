#include "policies/utf8.h"

size_t utf8_decode(const char *text, size_t left, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t first = 0, code = 0;
    size_t length = 0;

    if (left == 0) {
        return 0;
    }
    first = (unsigned char)text[0];
    if (first < 0x80) {
        *ret_code = first;
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
        length = 3;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4;
    }
    if (length == 0 || length > left) {
        return 0;
    }
    code = first & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | ((unsigned char)text[i] & 0x3fu);
    }
    if (code < least[length] || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    *ret_code = code;
    return length;
}

bool utf8_is_printable(uint32_t code)
{
    return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) &&
           !(code >= 0x202a && code <= 0x202e) &&
           !(code >= 0x2066 && code <= 0x2069) && code != 0x2028 &&
           code != 0x2029 && code != 0xfeff;
}

size_t utf8_count(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t at = 0; at < length; count++) {
        uint32_t code = 0;
        size_t bytes = utf8_decode(text + at, length - at, &code);

        at += bytes == 0 ? 1 : bytes;
    }
    return count;
}

size_t utf8_cut(const char *text, size_t length, size_t room)
{
    if (length <= room) {
        return length;
    }
    while (room > 0 && ((unsigned char)text[room] & 0xc0) == 0x80) {
        room--;
    }
    return room;
}
