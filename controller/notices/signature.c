#include "controller/notices/signature.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "policies/memory.h"

void signature_make(const char *secret, const char *timestamp, const char *body,
                    char ret_text[SIGNATURE_TEXT_MAX])
{
    size_t size = strlen(timestamp) + 1 + strlen(body);
    char *signed_text = memory_resized(NULL, size + 1);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    size_t used = 0;

    (void)snprintf(signed_text, size + 1, "%s.%s", timestamp, body);
    if (HMAC(EVP_sha256(), secret, (int)strlen(secret),
             (const unsigned char *)signed_text, size, digest,
             &length) == NULL) {
        abort(); /* out of memory */
    }
    free(signed_text);
    assert(length == 32);
    used = (size_t)snprintf(ret_text, SIGNATURE_TEXT_MAX, "v1=");
    for (unsigned i = 0; i < length; i++) {
        used += (size_t)snprintf(ret_text + used, SIGNATURE_TEXT_MAX - used,
                                 "%02x", digest[i]);
    }
}
