#include "state/chain.h"

#include <assert.h>
#include <stdlib.h>

void hasher_init(struct hasher *hasher)
{
    hasher->digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    hasher->context = EVP_MD_CTX_new();
    if (!hasher->digest || !hasher->context) {
        abort();
    }
}

void hasher_release(struct hasher *hasher)
{
    EVP_MD_CTX_free(hasher->context);
    EVP_MD_free(hasher->digest);
}

static void hash_two(struct hasher *hasher, const void *first,
                     size_t first_length, const void *second,
                     unsigned char ret_hash[CHAIN_BYTES])
{
    size_t second_length = second ? CHAIN_BYTES : 0;
    if (EVP_DigestInit_ex2(hasher->context, hasher->digest, NULL) != 1 ||
        EVP_DigestUpdate(hasher->context, first, first_length) != 1 ||
        EVP_DigestUpdate(hasher->context, second, second_length) != 1 ||
        EVP_DigestFinal_ex(hasher->context, ret_hash, NULL) != 1) {
        abort();
    }
}

void hash_payload(struct hasher *hasher, const char *payload, size_t length,
                  unsigned char ret_hash[CHAIN_BYTES])
{
    assert(payload);
    hash_two(hasher, payload, length, NULL, ret_hash);
}

void chain_extend(struct hasher *hasher, unsigned char chain[CHAIN_BYTES],
                  const unsigned char hash[CHAIN_BYTES])
{
    hash_two(hasher, chain, CHAIN_BYTES, hash, chain);
}

enum store_result chain_check_order(const struct entry *entries, size_t count,
                                    uint64_t head, char *ret_error, size_t size)
{
    assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].sequence != head + 1 + i) {
            (void)snprintf(ret_error, size,
                           "record %llu does not follow record %llu, the "
                           "newest in the journal: another controller may be "
                           "at work; stop one of the two",
                           (unsigned long long)entries[i].sequence,
                           (unsigned long long)(head + i));
            return STORE_FENCED;
        }
    }
    return STORE_OK;
}
