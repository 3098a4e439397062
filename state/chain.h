/* Order and chain of a journal, shared by every store.  Private to state/. */
#ifndef STATE_CHAIN_H
#define STATE_CHAIN_H

#include "state/store.h"

#include <openssl/evp.h>

/* SHA-256, fetched once (a fetch costs more than a hash). */
struct hasher {
    EVP_MD *digest;
    EVP_MD_CTX *context;
};

void hasher_init(struct hasher *hasher);
void hasher_release(struct hasher *hasher);

void hash_payload(struct hasher *hasher, const char *payload, size_t length,
                  unsigned char ret_hash[CHAIN_BYTES]);

/* chain = SHA256(chain || hash), in place. */
void chain_extend(struct hasher *hasher, unsigned char chain[CHAIN_BYTES],
                  const unsigned char hash[CHAIN_BYTES]);

/* STORE_FENCED with a sentence unless @entries follow @head one by one. */
enum store_result chain_check_order(const struct entry *entries, size_t count,
                                    uint64_t head, char *ret_error,
                                    size_t size);

#endif
