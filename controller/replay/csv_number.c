#include "controller/replay/csv_number.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGITS_MOST   19 /* of a whole number below 2^64 */
#define FRACTION_MOST 19 /* 10^19 is below 2^64 */

static const uint64_t powers[FRACTION_MOST + 1] = {
    1ULL,
    10ULL,
    100ULL,
    1000ULL,
    10000ULL,
    100000ULL,
    1000000ULL,
    10000000ULL,
    100000000ULL,
    1000000000ULL,
    10000000000ULL,
    100000000000ULL,
    1000000000000ULL,
    10000000000000ULL,
    100000000000000ULL,
    1000000000000000ULL,
    10000000000000000ULL,
    100000000000000000ULL,
    1000000000000000000ULL,
    10000000000000000000ULL,
};

/* 2^@exponent, within the normal doubles. */
static double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double number = 0;

    memcpy(&number, &bits, sizeof(number));
    return number;
}

/* @a / @b, rounded once to the nearest, ties to even. */
static double quotient(uint64_t a, uint64_t b)
{
    int a_shift = __builtin_clzll(a), b_shift = __builtin_clzll(b);
    __extension__ unsigned __int128 dividend = (unsigned __int128)(a << a_shift)
                                               << 63;
    uint64_t divisor = b << b_shift;
    /* Between 2^62 and 2^64, for both have their highest bit set. */
    uint64_t whole = (uint64_t)(dividend / divisor);
    bool rest = dividend % divisor != 0;
    int drop = 64 - __builtin_clzll(whole) - 53;
    uint64_t half = 1ULL << (drop - 1);
    uint64_t low = whole & (2 * half - 1);
    uint64_t kept = whole >> drop;

    if (low > half || (low == half && (rest || (kept & 1) != 0))) {
        kept++;
    }
    return (double)kept * power_of_two(drop - 63 + b_shift - a_shift);
}

/* @digits / 10^@fraction. */
static double scale(uint64_t digits, int fraction)
{
    assert(fraction <= FRACTION_MOST);
    if (digits >> 53 == 0 && fraction <= 22) {
        return (double)digits / (double)powers[fraction]; /* both exact */
    }
    return quotient(digits, powers[fraction]);
}

/* The digits from @at on, behind those that are in *@digits already. */
static const char *scan_digits(const char *at, const char *end,
                               uint64_t *digits)
{
    for (; at < end; at++) {
        unsigned digit = (unsigned)*at - '0';

        if (digit > 9) {
            break;
        }
        *digits = *digits * 10 + digit;
    }
    return at;
}

bool number_scan(const char **at, const char *end, double *ret_number)
{
    bool negative = *at < end && **at == '-';
    const char *begin = *at + negative;
    uint64_t digits = 0;
    const char *here = scan_digits(begin, end, &digits);
    ptrdiff_t count = here - begin, fraction = 0;
    double number = 0;

    if (here < end && *here == '.') {
        const char *point = here++;

        here = scan_digits(here, end, &digits);
        fraction = here - point - 1;
        count += fraction;
    }
    if (count < 1 || count > DIGITS_MOST) {
        return false;
    }
    number = scale(digits, (int)fraction);
    *ret_number = negative ? -number : number;
    *at = here;
    return true;
}
